"""What roots said about everything: freezes, and keys that nobody is to believe any more. Pure.

E3 rests on this. A statement of a root counts in this order; whatever fails, it says nothing:

Z1  It can be read, in one form only, and is about this repository and branch.
Z2  A root signed it: with an active key of the policy of the commit accepted last, or of the accepted policy that the
    statement names. A key on the host's denylist says nothing, and neither does one that a root called compromised
    before, so that a stolen key cannot speak after it was found out.
Z3  What the root saw comes before it in our log (E_ATTEST_ROLLBACK: everything is held, for something is withheld).

A freeze holds from then on. It is lifted when as many different roots as the policy's threshold asks for say so, each
of this freeze, by its digest, after it: one root may stop everything, and only a quorum starts it again. A compromise
is never taken back: the owner gets another key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.root_statement import Compromise, Freeze, RootStatement, Thaw, statement_digest
from haoam_sync.trust.case import Case
from haoam_sync.trust.policy import ROOT, KeyUse, LoadedPolicy
from haoam_sync.trust.signatures import require_key
from haoam_sync.trust.sshsig import REVIEW_NAMESPACE
from haoam_sync.trust.statements import Entry


@dataclass(frozen=True)
class Standing:
    """What is in force.

    Attributes:
        freezes: those that are not lifted, oldest first, with who lifted them so far.
        revoked: fingerprints of keys that roots called compromised.
    """

    freezes: tuple[tuple[Freeze, frozenset[str]], ...] = ()
    revoked: frozenset[str] = frozenset()

    def require_thawed(self, needed: int, where: str) -> None:
        """E3: nothing is frozen.

        Raises:
            NotTrustedError: E_FROZEN.
        """
        for freeze, lifted in self.freezes:
            so_far = f" ({', '.join(sorted(lifted))} would lift it)" if lifted else ""
            raise NotTrustedError(
                f"{freeze.principal} froze everything on {freeze.issued}: {freeze.reason}{so_far}",
                code="E_FROZEN",
                where=where,
                hint=f"{needed} roots run: haoam-sync trust thaw {freeze.id}",
            )


def standing(case: Case, accepted: str) -> Standing:
    """What the roots' statements come to, for a host that accepted this commit last.

    Args:
        case: the log, the proofs (with the host's denylist), the clock.
        accepted: the commit accepted last.

    Raises:
        NotTrustedError: E_ATTEST_ROLLBACK, a root saw a statement that is not in our copy.
    """
    if not case.log.of_roots:
        return Standing()
    policies = _Policies(case, accepted)
    revoked: set[str] = set()
    freezes: dict[str, Freeze] = {}
    thaws: list[tuple[Thaw, KeyUse]] = []
    for said, use in _genuine(case, policies, revoked):
        match said:
            case Compromise():
                revoked.add(said.compromised.fingerprint)
            case Freeze():
                freezes.setdefault(statement_digest(said), said)
            case Thaw():
                if said.freeze_digest in freezes:  # after it, and this one
                    thaws.append((said, use))
    roots, needed = policies.now.spec.members(ROOT), policies.now.spec.roles[ROOT].threshold
    lifted: dict[str, set[str]] = {digest: set() for digest in freezes}
    for thaw, use in thaws:
        if thaw.principal in roots and revoked.isdisjoint(use.names):
            lifted[thaw.freeze_digest].add(thaw.principal)
    left = ((freeze, frozenset(lifted[digest])) for digest, freeze in freezes.items() if len(lifted[digest]) < needed)
    return Standing(tuple(left), frozenset(revoked))


def require_good_keys(case: Case, commit: TrustedCommit, denied: frozenset[str]) -> None:
    """E3: the commit accepted last does not rest on a key that is compromised. What comes after it may mend that.

    Raises:
        NotTrustedError: E_KEY_REVOKED.
    """
    if not denied:
        return
    policies = [case.policy(commit.base), *([case.policy(commit.id)] if commit.id != commit.base else [])]
    used = {(one.principal, one.key) for one in commit.signers} | {(one.principal, one.key) for one in commit.reviews}
    for principal, key in sorted(used):
        for policy in policies:
            if not denied.isdisjoint(policy.names_of(principal, key)):
                raise NotTrustedError(
                    f"{commit.id} rests on key {key} of {principal}, which is compromised",
                    code="E_KEY_REVOKED",
                    where=commit.id,
                    hint="look at what it did; then put a new commit on top of it, and have it reviewed with good keys",
                )


class _Policies:
    """The policies whose roots may speak."""

    def __init__(self, case: Case, accepted: str) -> None:
        self._case = case
        self._accepted = accepted
        self.now = case.policy(accepted)
        self._earlier: dict[str, LoadedPolicy | None] = {}

    def of(self, digest: str) -> Iterator[LoadedPolicy]:
        """The one in force, and the accepted one with this digest."""
        yield self.now
        if digest != self.now.digest:
            if digest not in self._earlier:
                self._earlier[digest] = self._find(digest)
            found = self._earlier[digest]
            if found is not None:
                yield found

    def _find(self, digest: str) -> LoadedPolicy | None:
        case, graph = self._case, self._case.graph
        for oid in graph.line(self._accepted):
            if case.policy_digest(oid) == digest:
                return case.policy(oid)
            if oid == graph.introduction:
                break
        return None


def _genuine(case: Case, policies: _Policies, revoked: set[str]) -> Iterator[tuple[RootStatement, KeyUse]]:
    """Z1 to Z3, each statement once. `revoked` grows while statements are read."""
    seen: set[str] = set()
    for entry in case.log.of_roots:
        said = entry.parsed_root.said
        use = _root_key(case, policies, entry) if said is not None else None
        if said is None or use is None or not revoked.isdisjoint(use.names) or said.id in seen:
            continue
        seen.add(said.id)
        if not case.log.has(said.seen.attestations, before=entry.commit):  # Z3
            raise NotTrustedError(
                f"{said.principal} saw the statement {said.seen.attestations[:12]}, which is not in our copy",
                code="E_ATTEST_ROLLBACK",
                where=entry.commit,
                hint="somebody took statements away; compare refs/heads/haoam/attestations with the roots' copies",
            )
        yield said, use


def _root_key(case: Case, policies: _Policies, entry: Entry) -> KeyUse | None:
    """Z1 and Z2: the root's key that made it; None when none did."""
    said, claim = entry.parsed_root.said, entry.parsed_root.claim
    if said is None or claim is None or claim.namespace != REVIEW_NAMESPACE:
        return None
    if (said.repository, said.ref) != (case.graph.introduction, case.ref):
        return None
    for policy in policies.of(said.policy.digest):
        try:
            use = require_key(policy, claim, case.proofs, case.now, entry.commit)
        except NotTrustedError:
            continue
        if (use.principal, use.key.id) == (said.principal, said.key) and said.principal in policy.spec.members(ROOT):
            return use
    return None
