"""Proving signatures ahead of the judgement, many side by side, without keeping more than is needed soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from haoam_sync.errors import NotTrustedError
from haoam_sync.trust import openpgp, ssh
from haoam_sync.trust.certificate import Certificate
from haoam_sync.trust.claims import Claim
from haoam_sync.trust.graph import Graph, Recent
from haoam_sync.trust.pgpsig import OpenpgpClaim
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.signatures import claims
from haoam_sync.trust.sshsig import SshClaim
from haoam_sync.trust.statements import Log

_AHEAD = 256
"""Steps whose signatures are proven in one go."""
_KEPT = 65_536

Question: TypeAlias = tuple[Claim, Certificate | None]
"""A signature, and for an OpenPGP one the certificate whose key should have made it."""


class Answers:
    """Answers by ssh-keygen and gpgv, kept. Asked about a signature that is new, the next ones are proven too."""

    def __init__(self, denied: frozenset[str], ahead: Iterable[Sequence[Question]] = ()) -> None:
        """`ahead`: what will be asked, in that order, in batches. A guess: it decides nothing but the time taken."""
        self._denied = denied
        self._ahead = iter(ahead)
        self._known = Recent[bool](_KEPT)

    @property
    def denied(self) -> frozenset[str]:
        """See `Proofs`."""
        return self._denied

    def holds(self, claim: Claim, certificate: Certificate | None) -> bool:
        """See `Proofs`.

        Raises:
            NotTrustedError: E_SIG_PROGRAM.
            UsageError: there is no ssh-keygen, or no gpgv.
        """
        name = _name((claim, certificate))
        for batch in self._ahead if name not in self._known else ():
            self._prove(batch)
            if name in self._known:
                break
        if name not in self._known:
            self._prove([(claim, certificate)])
        return self._known.get(name, lambda: False)

    def _prove(self, batch: Sequence[Question]) -> None:
        by_ssh = ssh.verified([claim for claim, _ in batch if isinstance(claim, SshClaim)])
        asked = [
            (claim, certificate)
            for claim, certificate in batch
            if isinstance(claim, OpenpgpClaim) and certificate is not None
        ]
        by_openpgp = openpgp.verified(asked)
        for question in batch:
            self._known.put(_name(question), question[0] in by_ssh or question in by_openpgp)


def ahead(
    graph: Graph,
    base: str,
    chain: Sequence[str],
    log: Log,
    policy_of: Callable[[str], LoadedPolicy],
) -> Iterator[list[Question]]:
    """The signatures of the steps from `base` along `chain` and of the statements about them, in batches.

    `policy_of`: the policy of a commit, for its certificates; what changes within a batch is proven when asked for.
    """
    for start in range(0, len(chain), _AHEAD):
        try:
            policy = policy_of(base)
        except NotTrustedError:
            return  # the judgement will say so
        batch: list[Question] = []
        for oid in chain[start : start + _AHEAD]:
            try:
                commits = graph.between(base, oid)
            except NotTrustedError:
                commits = ()  # the judgement will say so
            found = [entry.parsed.claim for entry in log.about(base=base)]
            batch += [question(policy, claim) for claim in (*claims(graph, commits), *found) if claim is not None]
            base = oid
        yield batch


def question(policy: LoadedPolicy, claim: Claim) -> Question:
    """What is asked about a signature under a policy."""
    use = policy.key_of(claim) if isinstance(claim, OpenpgpClaim) else None
    return claim, use.certificate if use is not None else None


def _name(question: Question) -> str:
    claim, certificate = question
    return claim.identity + (certificate.digest if certificate is not None else "")
