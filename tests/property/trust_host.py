"""Two hosts over a repository in memory: one that knows nothing, and one that remembers in records that it signs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from unittest import mock

from trust_model import NOW, REF, Memory, public_key

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.json import canonical_json, digest_bytes
from haoam_sync.repository import Repository
from haoam_sync.trust import ssh
from haoam_sync.trust.case import no_class, nothing_named
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.memory import Accepted, TrustState, advanced
from haoam_sync.trust.proofs import Answers
from haoam_sync.trust.recorded import RecordedMemory
from haoam_sync.trust.running import Run
from haoam_sync.trust.sshsig import SshSignature, parse_signature
from haoam_sync.trust.statements import Log
from haoam_sync.trust.steps import Steps


class Records:
    """The state branch of a repository in memory."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.records = ""
        self.attestations = ""

    def read_many(self, ids: Any, kind: str) -> list[bytes]:
        """See `Objects`."""
        return self.memory.read_many(ids, kind)

    def fetch_records(self) -> None:
        """There is nothing else."""

    def append_record(self, record: bytes, *, parent: str, now: Any) -> str:
        """Put one behind another."""
        assert now == NOW
        blob = self.memory.store("blob", record)
        tree = self.memory.store("tree", b"100644 record.json\0" + bytes.fromhex(blob))
        stamp = "x <x@example.com> 1800000000 +0000"
        lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {stamp}", f"committer {stamp}"]
        self.records = self.memory.store("commit", ("\n".join(lines) + "\n\nrecord\n").encode())
        return self.records


class Host:
    """A host that remembers; `begin` is what one that knows nothing finds."""

    def __init__(self, memory: Memory, place: Path) -> None:
        self.memory = memory
        policy = digest_bytes(memory.files[memory.introduction]["trust.yaml"])
        self.root = HostRoot(memory.introduction, policy, REF, runners=(public_key("runner"),))
        self.records = Records(memory)
        self.recorded = RecordedMemory(place, self.root, cast("Repository", self.records), place / "key", NOW)
        self.tips = [""]
        with self._signing("runner"):
            state = TrustState(memory.introduction, REF)
            first = self._run(state).introduction()
            after, _ = advanced(state, (first,), "")
            self.recorded.begin(Accepted(first, (first,), after, state), "seed")
        self.tips.append(self.records.records)

    def begin(self, head: str) -> tuple[TrustedCommit, ...] | NotTrustedError:
        """What a host without a memory comes to know of `head`, after the introduction."""
        with self._signing("runner"):
            found = self._judged(TrustState(self.memory.introduction, REF), head)
        return found if isinstance(found, NotTrustedError) else found[1:]

    def look(self, head: str) -> tuple[TrustedCommit, ...] | NotTrustedError:
        """What the host that remembers comes to know of `head`; it remembers it."""
        with self._signing("runner"):
            try:
                state = self.recorded.load()
            except NotTrustedError as error:
                return error
            steps = self._judged(state, head)
            if isinstance(steps, NotTrustedError):
                return steps
            after, _ = advanced(state, steps, self.memory.tip)
            assert after.commit is not None
            self.recorded.store(Accepted(after.commit, steps, after, state))
        if self.records.records != self.tips[-1]:
            self.tips.append(self.records.records)
        return steps

    def spoil(self, how: str) -> bool:
        """Change the records as somebody who may push there could; whether that must be noticed."""
        match how:
            case "older":
                self.records.records = self.tips[-2]
            case "deleted":
                self.records.records = ""
            case _:
                self._replace(how)
        return True

    def _replace(self, how: str) -> None:
        """Another record on top: by another key, or with another word under the runner's signature."""
        graph = Graph(self.memory, self.memory.introduction)
        tree = graph.raw(self.records.records)[5:45].decode()
        record = json.loads(graph.blobs([graph.tree(tree, "x")[0].oid])[0])
        if how == "other key":
            with self._signing("mallory"):
                signature = ssh.sign(base64.b64decode(record["payload"]), Path("x"), "haoam-state@v1")
            record["signature"] = base64.b64encode(signature.blob).decode()
        else:
            payload = base64.b64decode(record["payload"]).replace(b"advance", b"confirm").replace(b"seed", b"confirm")
            record["payload"] = base64.b64encode(payload).decode()
        self.records.append_record(canonical_json(record), parent=self.records.records, now=NOW)

    def _judged(self, state: TrustState, head: str) -> tuple[TrustedCommit, ...] | NotTrustedError:
        steps = Steps((), self.recorded.directory)
        try:
            run = self._run(state)
            later = run.after(state.accepted).judged(head, steps)
            later.require_thawed(head)
        except NotTrustedError as refusal:
            return refusal
        return tuple(steps)

    def _run(self, state: TrustState) -> Run:
        memory = self.memory
        log = Log([entry.commit for entry in memory.entries], memory.entries)
        past = self.recorded.history if state.commit is not None else None
        none: frozenset[str] = frozenset()
        graph = Graph(memory, memory.introduction)
        what = (
            NOW,
            memory.change_digest,
            no_class,
            nothing_named,
            past,
            None,
            lambda _: None,
            Answers(none),
            self.recorded.directory,
        )
        return Run(self.root, state, graph, log, none, *what)  # type: ignore[arg-type]  # one line for nine

    @contextmanager
    def _signing(self, name: str) -> Iterator[None]:
        """ssh-keygen that knows this world's signatures; whoever signs is `name`."""
        good = self.memory.good

        def sign(payload: bytes, _key: Path, namespace: str) -> SshSignature:
            return parse_signature(self.memory.signature(payload, name, namespace))

        with (
            mock.patch.object(ssh, "verified", lambda claims: frozenset(claims) & good),
            mock.patch.object(ssh, "sign", sign),
        ):
            yield
