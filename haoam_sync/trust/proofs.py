"""Proving signatures ahead of the judgement, many side by side, without keeping more than is needed soon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from haoam_sync.errors import NotTrustedError
from haoam_sync.trust import ssh
from haoam_sync.trust.graph import Graph, Recent
from haoam_sync.trust.signatures import claims
from haoam_sync.trust.sshsig import SshClaim
from haoam_sync.trust.statements import Entry

_AHEAD = 256
"""Steps whose signatures are proven in one go."""
_KEPT = 65_536


class SshProofs:
    """Answers by ssh-keygen, kept. Asked about a signature that it does not know, it proves the next ones too."""

    def __init__(self, denied: frozenset[str], ahead: Iterable[Sequence[SshClaim]] = ()) -> None:
        """`ahead`: claims in the order in which they will be asked about, in batches."""
        self._denied = denied
        self._ahead = iter(ahead)
        self._known = Recent[bool](_KEPT)

    @property
    def denied(self) -> frozenset[str]:
        """See `Proofs`."""
        return self._denied

    def holds(self, claim: SshClaim) -> bool:
        """See `Proofs`.

        Raises:
            NotTrustedError: E_SIG_PROGRAM.
            UsageError: there is no ssh-keygen.
        """
        identity = claim.identity
        for batch in self._ahead if identity not in self._known else ():
            self._prove(batch)
            if identity in self._known:
                break
        return self._known.get(identity, lambda: claim in ssh.verified([claim]))

    def _prove(self, batch: Sequence[SshClaim]) -> None:
        good = ssh.verified(batch)
        for claim in batch:
            self._known.put(claim.identity, claim in good)


def ahead(graph: Graph, base: str, chain: Sequence[str], entries: Sequence[Entry]) -> Iterator[list[SshClaim]]:
    """The signatures of the steps from `base` along `chain` and of the statements about them, in batches."""
    by_base: dict[str, list[Entry]] = {}
    for entry in entries:
        by_base.setdefault(entry.about.get("base", ""), []).append(entry)
    for start in range(0, len(chain), _AHEAD):
        batch: list[SshClaim] = []
        for oid in chain[start : start + _AHEAD]:
            try:
                commits = graph.between(base, oid)
            except NotTrustedError:
                commits = ()  # the judgement will say so
            batch += claims(graph, commits)
            found = (entry.parsed.claim for entry in by_base.get(base, ()))
            batch += [claim for claim in found if claim is not None]
            base = oid
        yield batch
