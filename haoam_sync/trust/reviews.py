"""S3 and S7: which review statements count for a step. Pure.

A statement is judged in this order; the first thing that is wrong with it is why it does not count:

R1  It is about this repository and branch; an approval was made under the policy that judges it (E_REVIEW_CONTEXT).
R2  Its signer is a person of the policy (E_REVIEWER_UNKNOWN, E_REVIEWER_KIND), the key is the one named
    (E_STATEMENT_SIGNER, E_SIG_NAMESPACE), the signature holds, the key may be used (E_KEY_...).
R3  It names the commit that was merged (E_REVIEW_STALE), judged against the base that it lies on (E_REVIEW_CONTEXT,
    E_NOT_UP_TO_DATE), and the tree that was reviewed is the tree of the step (E_TREE_MISMATCH).
R4  Its log is ours: the tip that the reviewer saw comes before it (E_ATTEST_ROLLBACK: the step is held).
R5  It counts today: not from the future (E_CLOCK), not expired (E_REVIEW_EXPIRED).
R6  Its change digest is the one computed from base and head (E_CHANGE_MISMATCH).
R7  Its signer did not contribute to the change (E_SELF_REVIEW).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import Review
from haoam_sync.model.evidence import Predicate, parse_time
from haoam_sync.model.trust_policy import parse_duration
from haoam_sync.trust.claims import Claim, require_namespace
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.signatures import Proofs, require_key
from haoam_sync.trust.sshsig import REVIEW_NAMESPACE
from haoam_sync.trust.statements import Entry, Log
from haoam_sync.trust.trees import Trees, is_disjoint_merge

CLOCK_SKEW = timedelta(minutes=5)
_HINT = "haoam-sync review {head}, by somebody who did not contribute to it"


@dataclass(frozen=True)
class Subject:
    """A step, as far as reviews are concerned.

    Attributes:
        base: the commit accepted before.
        head: the commit to be accepted.
        branch: the second parent when `head` is a merge onto `base`, else "".
        tree: of `head`.
        commits: every commit that it brings in.
        contributors: principals who signed any of them, without a mere merge, and the operators of bots who did.
        change_digest: computes that of `base` to `head`; asked only when everything else holds.
        at: when times are judged.
    """

    base: str
    head: str
    branch: str
    tree: str
    commits: frozenset[str]
    contributors: frozenset[str]
    change_digest: Callable[[], str]
    at: datetime

    @property
    def heads(self) -> tuple[str, ...]:
        """Commits that a reviewer may have looked at."""
        return (self.head, self.branch) if self.branch else (self.head,)


class Reviewed(Protocol):
    """What was reviewed of a merge: a branch, judged against a base."""

    @property
    def base(self) -> str:
        """The commit that it was judged against."""

    @property
    def head(self) -> str:
        """The branch's last commit."""

    @property
    def tree(self) -> str:
        """Its tree."""


@dataclass(frozen=True)
class Judge:
    """What reviews are judged with."""

    graph: Graph
    trees: Trees
    log: Log
    proofs: Proofs
    policy: LoadedPolicy
    ref: str
    now: datetime
    policy_digest_of: Callable[[str], str]
    """Digest of the policy of a commit; "" when it has none."""
    revoked_by: Mapping[str, str] = field(default_factory=dict)
    """Keys that roots called compromised, by fingerprint: the commit of the log that says so."""

    def signer(self, entry: Entry, at: datetime, policy: LoadedPolicy | None = None) -> tuple[Predicate, Claim]:
        """R1 and R2: a statement of this repository, surely made by whom it names.

        Args:
            entry: the statement.
            at: when keys are judged.
            policy: whose keys; the judging policy's when None.

        Raises:
            NotTrustedError: why it is not.
        """
        found = entry.parsed
        if found.problem is not None or found.predicate is None or found.claim is None:
            raise found.problem or NotTrustedError(
                "a statement is empty", code="E_STATEMENT_FORMAT", where=entry.commit
            )
        said, claim, where = found.predicate, found.claim, entry.commit
        keys = policy or self.policy
        if said.repository != self.graph.introduction or said.ref != self.ref:
            raise _context(where, f"it is about {said.ref} of the repository that began with {said.repository[:12]}")
        _require_principal(said, claim, keys, where)
        require_namespace(claim, REVIEW_NAMESPACE, where)
        require_key(keys, claim, self.proofs, at, where)
        return said, claim

    def genuine(self, entry: Entry, policy: LoadedPolicy | None = None) -> Predicate | None:
        """A statement that a key of its principal signed, whatever else is wrong with it; None when it is not."""
        said, claim = entry.parsed.predicate, entry.parsed.claim
        if said is None or claim is None or claim.namespace != REVIEW_NAMESPACE:
            return None
        use = (policy or self.policy).key_of(claim)
        if use is None or use.principal != said.principal:
            return None
        return said if self.proofs.holds(claim, use.certificate) else None

    def approval(self, entry: Entry, subject: Subject, policy: LoadedPolicy | None = None) -> Review:
        """R1 to R6: an approval of exactly this step, by anybody.

        Raises:
            NotTrustedError: why it does not count.
        """
        said, _ = self.signer(entry, subject.at, policy)
        if (said.policy.serial, said.policy.digest) != (self.policy.spec.serial, self.policy.digest):
            raise _context(entry.commit, f"it was made under another policy (serial {said.policy.serial})")
        self._require_binding(said, subject, entry.commit)
        self._require_seen(said, entry.commit)
        self._require_time(said, subject.at, entry.commit)
        if said.change_digest != subject.change_digest():
            raise NotTrustedError(
                f"{said.principal} reviewed the change {said.change_digest}, computed is {subject.change_digest()}",
                code="E_CHANGE_MISMATCH",
                where=entry.commit,
                hint="use the same version of haoam-sync for review and apply, and review again",
            )
        roles = (policy or self.policy).spec.roles_of(said.principal)
        return Review(said.principal, roles, "signed", said.key, said.id, parse_time(said.issued))

    def about(self, entry: Entry, subject: Subject) -> Predicate | None:
        """What a statement of a known signer says about this change, whatever else is wrong; None when it is not."""
        try:
            said, _ = self.signer(entry, subject.at)
        except NotTrustedError as error:
            no = self._outlived(entry) if error.code == "E_KEY_REVOKED" else None
            if no is None:
                return None
            said = no
        if said.head in subject.heads or (said.base == subject.base and said.tree == subject.tree):
            self._require_seen(said, entry.commit)
            return said
        return None

    def _outlived(self, entry: Entry) -> Predicate | None:
        """A no that was there before a root called its key compromised: one root cannot silence another. Else None."""
        claim = entry.parsed.claim
        use = self.policy.key_of(claim) if claim is not None else None
        if use is None or use.revoked or use.key.status != "active":
            return None
        words = [self.revoked_by[name] for name in use.names if name in self.revoked_by]
        by_host = self.proofs.denied - self.revoked_by.keys()
        if not use.names.isdisjoint(by_host) or not all(self.log.has(entry.commit, before=word) for word in words):
            return None
        said = self.genuine(entry)
        return said if said is not None and said.decision != "approve" else None

    def _require_seen(self, said: Predicate, where: str) -> None:
        """R4. Asked only of statements about this very step, so that nobody can stop others with one about nothing."""
        if not self.log.has(said.seen.attestations, before=where):
            raise NotTrustedError(
                f"{said.principal} saw the statement {said.seen.attestations[:12]}, which is not in our copy",
                code="E_ATTEST_ROLLBACK",
                where=where,
                hint="somebody took statements away; compare refs/heads/haoam/attestations with the reviewers' copies",
            )

    def _require_binding(self, said: Predicate, subject: Subject, where: str) -> None:
        """R3."""
        if said.head not in subject.heads:
            if said.head in subject.commits or said.base == subject.base:
                raise NotTrustedError(
                    f"{said.principal} reviewed {said.head[:12]}, not {' or '.join(h[:12] for h in subject.heads)}",
                    code="E_REVIEW_STALE",
                    where=where,
                    hint="the branch changed after the review: " + _HINT.format(head=subject.heads[-1]),
                )
            raise _context(where, f"it is about {said.head[:12]}, judged against {said.base[:12]}")
        tree = self.graph.commit(said.head).tree
        if (said.tree, said.tree_sha256) != (tree, self.trees.sha256(tree, said.head)):
            raise NotTrustedError(
                f"{said.principal} reviewed the tree {said.tree[:12]}; {said.head[:12]} has {tree[:12]}",
                code="E_TREE_MISMATCH",
                where=where,
                hint=_HINT.format(head=said.head),
            )
        if said.head == subject.head:
            if said.base != subject.base:
                raise _context(where, f"it was judged against {said.base[:12]}, the step begins at {subject.base[:12]}")
            return
        self.require_merge(said, subject, where)

    def require_merge(self, said: Reviewed, subject: Subject, where: str) -> None:
        """R3 for a merge: the branch was reviewed, and the merge adds nothing to it.

        Raises:
            NotTrustedError: E_NOT_UP_TO_DATE, E_REVIEW_CONTEXT, E_TREE_MISMATCH.
        """
        if said.base == subject.base:
            if self.graph.reaches(said.head, subject.base):
                if said.tree != subject.tree:
                    raise _evil(where, subject)
                return
            raise _not_up_to_date(where, said, subject, "the branch does not build on it")
        if self.policy.spec.merge.up_to_date == "required":
            raise _not_up_to_date(where, said, subject, "the policy requires branches that are up to date")
        if not self.graph.reaches(subject.base, said.base) or not self.graph.reaches(said.head, said.base):
            raise _context(where, f"it was judged against {said.base[:12]}, which is no common ancestor")
        if self.policy_digest_of(said.base) != self.policy.digest:
            raise _context(where, "the policy changed since")
        ground = self.graph.commit(said.base).tree
        ours = self.trees.changes(ground, self.graph.commit(subject.base).tree, where)
        theirs = self.trees.changes(ground, said.tree, where)
        both = sorted(ours.keys() & theirs.keys())
        if both:
            raise _not_up_to_date(where, said, subject, f"both sides changed {', '.join(both[:3])}")
        if not is_disjoint_merge(ours, theirs, self.trees.changes(ground, subject.tree, where)):
            raise _evil(where, subject)

    def _require_time(self, said: Predicate, at: datetime, where: str) -> None:
        """R5."""
        issued = parse_time(said.issued)
        if issued > at + CLOCK_SKEW:
            raise NotTrustedError(
                f"{said.principal}'s review of {said.issued} lies in the future",
                code="E_CLOCK",
                where=where,
                hint="check the clocks of this machine and of the reviewer's",
            )
        ends = min(parse_time(said.expires), issued + parse_duration(self.policy.spec.review.max_age))
        if at >= ends:
            raise NotTrustedError(
                f"{said.principal}'s review of {said.issued} expired on {ends:%Y-%m-%dT%H:%M:%SZ}",
                code="E_REVIEW_EXPIRED",
                where=where,
                hint=_HINT.format(head=said.head),
            )


def require_other(review: Review, subject: Subject, where: str) -> None:
    """R7.

    Raises:
        NotTrustedError: E_SELF_REVIEW.
    """
    if review.principal in subject.contributors:
        raise NotTrustedError(
            f"{review.principal} approved the change, and contributed to it",
            code="E_SELF_REVIEW",
            where=where,
            hint=_HINT.format(head=subject.heads[-1]),
        )


def _require_principal(said: Predicate, claim: Claim, policy: LoadedPolicy, where: str) -> None:
    """R2, but for the signature."""
    principal = policy.spec.principals.get(said.principal)
    if principal is None:
        raise NotTrustedError(
            f"{said.principal} is nobody in the policy (serial {policy.spec.serial})",
            code="E_REVIEWER_UNKNOWN",
            where=where,
            hint="somebody whom trust.yaml names reviews it",
        )
    if principal.kind != "human":
        raise NotTrustedError(
            f"{said.principal} is a bot: bots never review",
            code="E_REVIEWER_KIND",
            where=where,
            hint="a person reviews it",
        )
    use = policy.key_of(claim)
    if use is None or (use.principal, use.key.id) != (said.principal, said.key):
        raise NotTrustedError(
            f"a review in the name of {said.principal} (key {said.key}) is signed by {claim.fingerprint}",
            code="E_STATEMENT_SIGNER",
            where=where,
            hint=f"{said.principal} reviews it with a key of trust.yaml",
        )


def _context(where: str, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"a review does not belong to this step: {why}",
        code="E_REVIEW_CONTEXT",
        where=where,
        hint="review this very change",
    )


def _evil(where: str, subject: Subject) -> NotTrustedError:
    return NotTrustedError(
        f"the merge {subject.head[:12]} holds something that neither side has: its tree is not the one reviewed",
        code="E_TREE_MISMATCH",
        where=where,
        hint=f"merge again without edits, or have the merge itself reviewed: haoam-sync review {subject.head}",
    )


def _not_up_to_date(where: str, said: Reviewed, subject: Subject, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"the review was judged against {said.base[:12]}, the merge lies on {subject.base[:12]}: {why}",
        code="E_NOT_UP_TO_DATE",
        where=where,
        hint="merge or rebase the branch onto the base, and have it reviewed again",
    )
