"""What roots said about everything: freezes, and keys that nobody is to believe any more. Pure.

What follows for commits that rest on such keys is worked out in `compromises.py`.

E3 rests on this. A statement of a root counts in this order; whatever fails, it says nothing:

Z1  It can be read, in one form only, and is about this repository and branch.
Z2  A root signed it: a root of the policy of the commit accepted last, with a key that the policy has, or with one that
    was active in the accepted policy that the statement names. A key on the host's denylist says nothing, and neither
    does one that a root called compromised before, so that a stolen key cannot speak after it was found out.
Z3  What the root saw comes before it in our log (E_ATTEST_ROLLBACK: everything is held, for something is withheld).
Z4  A freeze holds whatever became of its key since: neither time nor rotation lifts it, and a quorum does that takes
    the root out of the policy.
Z5  A thaw needs a key that is active in the policy that counts it, when it was signed: a retired key lifts nothing that
    was frozen after its retirement. It lies after its freeze and names it by id and digest; it is not of the future.
    Signed before the freeze, by what both say (one root could freeze in the name of next year, and nobody could thaw
    that), it counts only while its key may be used.

A freeze is lifted when as many different roots as a policy's threshold asks for say so, under the policy in force or
one that is not older than the freeze's own: so it stays lifted when a root who helped leaves. One root may stop
everything, and only a quorum starts it again. A compromise is never taken back: the owner gets another key. What a key
said against something before (a rejection, a freeze) outlives the compromise: one root cannot silence another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import parse_time
from haoam_sync.model.root_statement import Affirm, Compromise, Freeze, RootStatement, Thaw, statement_digest
from haoam_sync.trust.case import Case
from haoam_sync.trust.policy import ROOT, KeyUse, LoadedPolicy
from haoam_sync.trust.reviews import CLOCK_SKEW
from haoam_sync.trust.sshsig import REVIEW_NAMESPACE
from haoam_sync.trust.statements import Entry


@dataclass(frozen=True)
class Standing:
    """What is in force.

    Attributes:
        freezes: those that are not lifted, oldest first, with who lifted them so far.
        revoked_by: keys that roots called compromised, by fingerprint: the commit of the log that says so first.
        since: for each of these, what each root named as the last commit beyond doubt; "" for none.
        affirmed: what roots said to let commits stand, in the order of the log; whether it is enough is not known yet.
    """

    freezes: tuple[tuple[Freeze, frozenset[str]], ...] = ()
    revoked_by: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[str, frozenset[str]] = field(default_factory=dict)
    affirmed: tuple[tuple[Affirm, Entry], ...] = ()

    @property
    def revoked(self) -> frozenset[str]:
        """Fingerprints of keys that roots called compromised."""
        return frozenset(self.revoked_by)

    def beside(self, other: Standing) -> Standing:
        """The same, with what another policy's roots said of keys and commits: freezes are this one's."""
        since = {
            name: self.since.get(name, frozenset()) | other.since.get(name, frozenset())
            for name in {*self.since, *other.since}
        }
        affirmed = {entry.commit: (said, entry) for said, entry in (*other.affirmed, *self.affirmed)}
        revoked = {**self.revoked_by, **other.revoked_by}
        return Standing(self.freezes, revoked, since, tuple(affirmed.values()))

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
    policies = Policies(case, accepted)
    revoked: dict[str, str] = {}
    since: dict[str, frozenset[str]] = {}
    affirmed: list[tuple[Affirm, Entry]] = []
    freezes: dict[str, tuple[Freeze, Entry]] = {}
    thaws: dict[str, list[tuple[Thaw, Entry]]] = {}
    for said, entry in _genuine(case, policies, revoked):
        match said:
            case Compromise():
                name = said.compromised.fingerprint
                revoked.setdefault(name, entry.commit)
                since[name] = since.get(name, frozenset()) | {said.since or ""}
            case Affirm():
                affirmed.append((said, entry))
            case Freeze():
                freezes.setdefault(statement_digest(said), (said, entry))
            case Thaw():
                if said.freeze_digest in freezes:  # after it, and this one
                    thaws.setdefault(said.freeze_digest, []).append((said, entry))
    left: list[tuple[Freeze, frozenset[str]]] = []
    for digest, (freeze, _) in freezes.items():
        votes = _votes(case, policies, freeze, thaws.get(digest, []), revoked)
        if not any(len(names) >= needed for names, needed in votes):
            left.append((freeze, votes[0][0]))
    return Standing(tuple(left), revoked, since, tuple(affirmed))


def _votes(
    case: Case, policies: Policies, freeze: Freeze, thaws: list[tuple[Thaw, Entry]], revoked: Mapping[str, str]
) -> list[tuple[frozenset[str], int]]:
    """Z5: who lifts a freeze and how many must, under the policy in force and those since the freeze's own."""
    counting = {policies.now.digest: policies.now}
    for digest in (freeze.policy.digest, *(thaw.policy.digest for thaw, _ in thaws)):
        found = policies.find(digest)
        if found is not None and found.spec.serial >= freeze.policy.serial:
            counting[digest] = found
    return [
        (
            frozenset(
                thaw.principal for thaw, entry in thaws if _lifts(case, policy, freeze, thaw, entry, frozenset(revoked))
            ),
            policy.spec.roles[ROOT].threshold,
        )
        for policy in counting.values()
    ]


def _lifts(case: Case, policy: LoadedPolicy, freeze: Freeze, thaw: Thaw, entry: Entry, revoked: frozenset[str]) -> bool:
    issued = parse_time(thaw.issued)
    if thaw.freeze != freeze.id or issued > case.now + CLOCK_SKEW:
        return False
    use = signer(case, policy, entry)
    if use is None or not revoked.isdisjoint(use.names):
        return False
    try:
        policy.require_usable(use, issued, entry.commit)
        if issued < parse_time(freeze.issued) - CLOCK_SKEW:
            policy.require_usable(use, case.now, entry.commit)
    except NotTrustedError:
        return False
    return True


class Policies:
    """The policies whose roots may speak."""

    def __init__(self, case: Case, accepted: str) -> None:
        self._case = case
        self._accepted = accepted
        self.now = case.policy(accepted)
        self._earlier: dict[str, LoadedPolicy | None] = {}
        self._line = self._commits()
        self._there: dict[str, str] = {}

    def of(self, digest: str) -> Iterator[LoadedPolicy]:
        """The one in force, and the accepted one with this digest."""
        yield self.now
        found = self.find(digest)
        if found is not None and found is not self.now:
            yield found

    def find(self, digest: str) -> LoadedPolicy | None:
        """The accepted policy with this digest; None when there is none."""
        if digest == self.now.digest:
            return self.now
        if digest not in self._earlier:
            self._earlier[digest] = self._find(digest)
        return self._earlier[digest]

    def _find(self, digest: str) -> LoadedPolicy | None:
        """The line is walked once, however many policies are asked for: whoever may push may name what never was."""
        while digest not in self._there:
            oid = next(self._line, "")
            if not oid:
                return None
            self._there.setdefault(self._case.policy_digest(oid), oid)
        return self._case.policy(self._there[digest])

    def _commits(self) -> Iterator[str]:
        graph = self._case.graph
        for oid in graph.line(self._accepted):
            yield oid
            if oid == graph.introduction:
                break


def _genuine(case: Case, policies: Policies, revoked: Mapping[str, str]) -> Iterator[tuple[RootStatement, Entry]]:
    """Z1 to Z4, each statement once, however often it is pushed. `revoked` grows while statements are read."""
    seen: set[str] = set()
    for entry in case.log.of_roots:
        said = entry.parsed_root.said
        use = _root_key(case, policies, entry) if said is not None else None
        if said is None or use is None or not use.names.isdisjoint(revoked) or statement_digest(said) in seen:
            continue
        seen.add(statement_digest(said))
        if not case.log.has(said.seen.attestations, before=entry.commit):  # Z3
            if said.principal not in policies.now.spec.members(ROOT):
                continue  # who left must not be able to hold everything
            raise NotTrustedError(
                f"{said.principal} saw the statement {said.seen.attestations[:12]}, which is not in our copy",
                code="E_ATTEST_ROLLBACK",
                where=entry.commit,
                hint="somebody took statements away; compare refs/heads/haoam/attestations with the roots' copies",
            )
        yield said, entry


def _root_key(case: Case, policies: Policies, entry: Entry) -> KeyUse | None:
    """Z1, Z2 and Z4: the root's key that made it; None when none did."""
    said = entry.parsed_root.said
    if said is None:
        return None
    for policy in policies.of(said.policy.digest):
        if isinstance(said, Freeze) and said.principal not in policies.now.spec.members(ROOT):
            return None
        use = signer(case, policy, entry)
        if use is not None and use.key.status == "active":
            return use
    return None


def signer(case: Case, policy: LoadedPolicy, entry: Entry) -> KeyUse | None:
    """Z1: the key of a root of this policy that surely signed it, active or not; None when there is none."""
    said, claim = entry.parsed_root.said, entry.parsed_root.claim
    if said is None or claim is None or claim.namespace != REVIEW_NAMESPACE:
        return None
    if (said.repository, said.ref) != (case.graph.introduction, case.ref):
        return None
    use = policy.key_of(claim)
    if use is None or (use.principal, use.key.id) != (said.principal, said.key):
        return None
    if said.principal not in policy.spec.members(ROOT) or use.revoked:
        return None
    if not case.proofs.denied.isdisjoint(use.names) or not case.proofs.holds(claim, use.certificate):
        return None
    return use
