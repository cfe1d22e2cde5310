"""What runners without a disk remember: records on `refs/heads/haoam/state`.

A runner without a disk signs what it accepted and pushes it, before anything is written to an instance. Whom to believe
says the host root file (`runners`), never the policy of the repository: a record is this host's own memory, and nobody
else's word about it counts.

The branch is a chain of commits, each with one record. In checking order, for the record at its tip:

M1  There is one. A first start and a loss look the same, so both are held until an operator seeds it (E_STATE_LOST).
M2  It is signed by one of the runners, whose key is not denied (E_STATE_SIGNER, E_KEY_REVOKED).
M3  It names the record before it by its digest and continues it, unless an operator began anew (`seed`, `confirm`). It
    belongs to this repository and branch (E_STATE_ROLLBACK, E_STATE_FOREIGN).
M4  It builds on the record that this host saw last, where it still knows that one (E_STATE_ROLLBACK).

What was applied to a cluster is a record of its own kind in the same chain: without it nobody would know what is ours
of the sections that carry no mark. The newest one of each cluster counts, back to where an operator began.

Moved by compare and swap: of two runners at once one wins. The other goes on when the winner accepted the same, puts
its own steps behind the winner's when they follow, and holds otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.json import JsonObject, canonical_json, digest_bytes
from haoam_sync.model.state_record import (
    BEGINNINGS,
    STATE_NAMESPACE,
    Kind,
    StatePayload,
    StateRecord,
    encode_payload,
    encode_record,
    parse_payload,
    parse_record,
    state_authentication,
)
from haoam_sync.repository import Repository
from haoam_sync.state import Applied, applied_as_json, applied_of_json, write_synced
from haoam_sync.trust import ssh
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.memory import Accepted, Line, TrustState, lines_of, parse_line, remembered, wrong_beginning
from haoam_sync.trust.root import read_denylist
from haoam_sync.trust.sshsig import FormatError, SshClaim, fingerprint, parse_signature

_FILE = "record.json"
_MOST_RECORDS = 100_000
_TRIES = 5


@dataclass(frozen=True)
class RecordedMemory:
    """Signed records in the source.

    Attributes:
        directory: the state directory: the tip seen last is noted there, for as long as the disk lasts.
        root: whose records are believed.
        repository: where they are.
        key: private key of this runner; None for one that only reads.
        now: the one reading of the clock.
    """

    directory: Path
    root: HostRoot
    repository: Repository
    key: Path | None
    now: datetime
    _read: dict[str, tuple[str, StatePayload]] = field(default_factory=dict, compare=False, repr=False)
    """Records that hold, by their commit, with their digests: each is proven once in a run."""

    def load(self) -> TrustState:
        """See `Memory`."""
        return remembered(self._last(), self.root, self.repository.records)

    def reload(self) -> TrustState:
        """See `Memory`."""
        self.repository.fetch_records()
        return self.load()

    def store(self, accepted: Accepted) -> None:
        """See `Memory`. Nothing is remembered here before it stands in the source."""
        before: TrustState = accepted.before
        steps: Sequence[TrustedCommit] = accepted.steps
        for _ in range(_TRIES):
            lines = [line.line() for line in lines_of(before, steps, accepted.state.attestations)]
            if not lines:
                return None
            try:
                return self._push_lines("advance", lines)
            except NotTrustedError as error:
                if error.code != "E_ATTEST_RACE":
                    raise
            self.repository.fetch_records()
            before = self.load()
            steps = self._after(before, accepted)
        raise UsageError(
            "others keep pushing what they accepted; this was not recorded", code="E_STATE_RACE", hint="try again"
        )

    def history(self) -> Iterator[TrustedCommit]:
        """See `Memory`. What a run reads of records is kept to its end, as each is proven once."""
        records = [payload for _, payload in self._chain(self.repository.records)]
        lines = (line for payload in reversed(records) for line in self._lines(payload))
        yield from {line.commit.id: line.commit for line in lines}.values()

    def begin(self, accepted: Accepted, kind: Kind) -> None:
        """See `Memory`."""
        if bool(self.repository.records) != (kind == "confirm"):
            raise wrong_beginning(kind, there=bool(self.repository.records))
        nothing = TrustState(self.root.introduction, self.root.ref, sequence=self._highest())
        self._push_lines(
            kind, [line.line() for line in lines_of(nothing, (accepted.commit,), self.repository.attestations)]
        )

    def all_applied(self) -> Mapping[str, Applied]:
        """See `Memory`. A cluster of which nothing is recorded is as one that nothing was applied to."""
        return self._newest(payload for _, payload in self._chain(self.repository.records))

    def applied_before(self) -> Mapping[str, Applied]:
        """See `Memory`. What somebody put on the branch hides nothing of what runners recorded before it."""
        tip, graph = self.repository.records, Graph(self.repository, self.root.introduction)
        for _ in range(_MOST_RECORDS):
            if not tip:
                break
            try:
                return self._newest(payload for _, payload in self._chain(tip))
            except NotTrustedError:
                tip = next(iter(graph.parents(tip)), "")
        return {}

    def record_applied(self, cluster: str, applied: Applied) -> None:
        """See `Memory`. Nothing is pushed when the record says so already."""
        for _ in range(_TRIES):
            if self.all_applied().get(cluster) == applied:
                return None
            try:
                return self._push("applied", (), {cluster: applied_as_json(applied)}, self.load().sequence)
            except NotTrustedError as error:
                if error.code != "E_ATTEST_RACE":
                    raise
            self.repository.fetch_records()
        raise UsageError(
            f"others keep pushing records; what was applied to {cluster} was not recorded",
            code="E_STATE_RACE",
            hint="it is applied all the same: plan and apply again, and it is recorded then",
        )

    def _newest(self, payloads: Iterable[StatePayload]) -> Mapping[str, Applied]:
        """M3: of each cluster the newest record."""
        found: dict[str, Applied] = {}
        for payload in payloads:
            for cluster, value in payload.applied.items():
                try:
                    applied = applied_of_json(value)
                    same = applied_as_json(applied) == value
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise _rollback(
                        f"what was applied to {cluster} can not be read", self.repository.records
                    ) from error
                if not same:
                    raise _rollback(f"what was applied to {cluster} is not as it was written", self.repository.records)
                found.setdefault(cluster, applied)
        return found

    def _push_lines(self, kind: Kind, lines: list[bytes]) -> None:
        values = tuple(json.loads(line) for line in lines)
        self._push(kind, values, {}, values[-1]["sequence"])

    def _push(
        self, kind: Kind, lines: tuple[dict[str, Any], ...], applied: Mapping[str, JsonObject], sequence: int
    ) -> None:
        if self.key is None:
            raise UsageError(
                "this runner has no key to sign what it accepted with",
                code="E_SIGN",
                hint="name the private key of one of the host root file's `runners` with HAOAM_STATE_KEY",
            )
        before = self.repository.records
        graph = Graph(self.repository, self.root.introduction)
        previous = "" if kind in BEGINNINGS else digest_bytes(self._content(graph, before))
        payload = encode_payload(kind, previous, lines=lines, applied=applied)
        signature = ssh.sign(state_authentication(payload), self.key, STATE_NAMESPACE)
        if signature.public not in self.root.runners:
            raise UsageError(
                f"the key {signature.fingerprint} is none of the host root file's `runners`",
                code="E_SIGN",
                where=str(self.key),
                hint="name one of theirs with HAOAM_STATE_KEY",
            )
        record = encode_record(StateRecord(payload, signature.blob))
        tip = self.repository.append_record(record, parent=before, now=self.now)
        self._note(tip, sequence)

    def _after(self, winner: TrustState, accepted: Accepted) -> Sequence[TrustedCommit]:
        """Of what was accepted, what follows the winner's commit."""
        steps = accepted.steps or (accepted.commit,)
        names = [step.id for step in steps]
        if winner.accepted in names:
            return steps[names.index(winner.accepted) + 1 :]
        if winner.accepted == accepted.before.accepted:
            return accepted.steps
        raise _rollback(
            f"another runner accepted {winner.accepted} meanwhile, which is not on the way to {accepted.commit.id}",
            self.repository.records,
        )

    def _last(self) -> Line:
        """The last line of the record at the tip."""
        tip = self.repository.records
        if not tip:
            raise NotTrustedError(  # M1
                "there is no record of what was accepted: this is the first start, or the record was lost",
                code="E_STATE_LOST",
                where="refs/heads/haoam/state",
                hint="after a look at what runs: haoam-sync trust state seed COMMIT",
            )
        accepting = (payload for _, payload in self._chain(tip) if payload.lines)
        payload = next(accepting)  # the chain begins with one
        lines = self._lines(payload)
        if payload.kind == "advance":
            found = next(accepting, None)
            before = self._lines(found)[-1] if found is not None else None
            if before is None or (lines[0].previous, lines[0].sequence) != (before.digest, before.sequence + 1):
                raise _rollback("the record does not continue the one before it", tip)
        self._require_known(tip, lines)
        return lines[-1]

    def _require_known(self, tip: str, lines: list[Line]) -> None:
        """M4. What an operator began anew, later than what was seen, need not build on it."""
        seen, sequence = self._seen()
        if seen == tip:
            return
        if seen and not self._reaches(tip, seen) and not self._began(tip, sequence):
            raise _rollback(f"the records were taken back: {seen[:12]}, seen before, is no longer among them", tip)
        self._note(tip, lines[-1].sequence)

    def _began(self, tip: str, sequence: int) -> bool:
        """Whether an operator began anew after that sequence number."""
        *_, (_, first) = self._chain(tip)
        return self._lines(first)[-1].sequence > sequence

    def _chain(self, tip: str) -> Iterator[tuple[str, StatePayload]]:
        """M3: records, newest first, back to where an operator began. Every one is signed by a runner."""
        graph = Graph(self.repository, self.root.introduction)
        named = ""
        for _ in range(_MOST_RECORDS if tip else 0):
            if tip not in self._read:
                content = self._content(graph, tip)
                self._read[tip] = digest_bytes(content), self._record(content, tip)
            digest, payload = self._read[tip]
            if named and named != digest:
                raise _rollback("the record does not continue the one before it", self.repository.records)
            yield tip, payload
            if payload.kind in BEGINNINGS:
                return
            parents = graph.parents(tip)
            if not parents:
                raise _rollback("the record does not continue the one before it", tip)
            tip, named = parents[0], payload.previous

    def _content(self, graph: Graph, commit: str) -> bytes:
        """The record that a commit carries."""
        tree = graph.raw(commit)[5:45].decode("ascii", "replace")
        blob = next((entry.oid for entry in graph.tree(tree, commit) if entry.name == _FILE and entry.is_plain), "")
        if not blob:
            raise _rollback("a commit of the state branch carries no record", commit)
        return graph.blobs([blob])[0]

    def _record(self, content: bytes, commit: str) -> StatePayload:
        """M2."""
        record = parse_record(content, where=commit)
        try:
            signature = parse_signature(record.signature)
        except FormatError as error:
            raise _rollback(f"the signature of a record can not be read: {error}", commit) from error
        if signature.public not in self.root.runners or signature.namespace != STATE_NAMESPACE:
            raise NotTrustedError(
                f"a record is signed by {signature.fingerprint} for {signature.namespace!r}: that is no runner's word",
                code="E_STATE_SIGNER",
                where=commit,
                hint="see who may push to refs/heads/haoam/state; `runners` in the host root file says who is believed",
            )
        if fingerprint(signature.public) in read_denylist(self.root):
            raise NotTrustedError(
                f"the runner's key {signature.fingerprint} is compromised",
                code="E_KEY_REVOKED",
                where=commit,
                hint="give the runners another key; then haoam-sync trust state confirm COMMIT",
            )
        claim = SshClaim(signature, record.signed)
        if claim not in ssh.verified([claim]):
            raise NotTrustedError(
                "the signature of a record does not hold over its bytes",
                code="E_SIG_INVALID",
                where=commit,
                hint="see who may push to refs/heads/haoam/state; then haoam-sync trust state confirm COMMIT",
            )
        return parse_payload(record.payload, where=commit)

    def _lines(self, payload: StatePayload) -> list[Line]:
        """M3: the lines of one record follow each other, and are about this repository."""
        where = self.repository.records
        lines = [parse_line(line, lambda why: _rollback(why, where)) for line in payload.lines]
        for before, line in pairwise(lines):
            if (line.previous, line.sequence) != (before.digest, before.sequence + 1):
                raise _rollback("the lines of a record do not follow each other", where)
        if payload.kind in BEGINNINGS and lines and lines[0].previous:
            raise _rollback("a record that begins anew names one before it", where)
        for line in lines:
            remembered(line, self.root, where)
        return lines

    def _highest(self) -> int:
        """The highest sequence number of any record that is known here, as far as they can be read."""
        try:
            _, noted = self._seen()
        except NotTrustedError:
            noted = 0
        if not self.repository.records:
            return noted
        try:
            return max(noted, self._lines(next(self._chain(self.repository.records))[1])[-1].sequence)
        except NotTrustedError:
            return noted

    def _reaches(self, tip: str, seen: str) -> bool:
        graph = Graph(self.repository, self.root.introduction)
        for _ in range(_MOST_RECORDS):
            if tip == seen:
                return True
            parents = graph.parents(tip)
            if not parents:
                return False
            tip = parents[0]
        return False

    def _seen(self) -> tuple[str, int]:
        """The tip seen last on this disk, and the sequence number of its last line; "" and 0 for none."""
        try:
            found = json.loads((self.directory / "trust" / "seen.json").read_bytes())
            return str(found["records"]), int(found["sequence"])
        except FileNotFoundError:
            return "", 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _rollback("the note of the record seen last can not be read", "seen.json") from error

    def _note(self, tip: str, sequence: int) -> None:
        folder = self.directory / "trust"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_synced(folder / "seen.json", canonical_json({"records": tip, "sequence": sequence}))


def _rollback(why: str, where: str) -> NotTrustedError:
    return NotTrustedError(
        f"the record of what was accepted is not to be trusted: {why}",
        code="E_STATE_ROLLBACK",
        where=where,
        hint="see who may push to refs/heads/haoam/state; then haoam-sync trust state confirm COMMIT",
    )
