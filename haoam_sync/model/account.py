"""What became of one step of history, and why: for people who ask, never for those who decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from haoam_sync.errors import InvalidDesiredError, NotTrustedError
from haoam_sync.model.commit import Review, Signer, TrustedCommit

Refused: TypeAlias = NotTrustedError | InvalidDesiredError
"""Why a step is not accepted: somebody is not to be believed, or what it says about instances can not be."""


@dataclass(frozen=True, slots=True)
class IgnoredReview:
    """Somebody's word about a step that does not count toward it.

    Attributes:
        principal: in whose name it is; "" when that can not be read.
        decision: `approve`, `reject` or `withdraw`; "" when that can not be read.
        evidence: `signed` or `github`.
        id: of the statement, or of the review on the forge; "" when it can not be read.
        where: the commit of the statements that carries it, or the review on the forge.
        issued: when, in its own words; "" when that can not be read.
        code: of the refusal.
        message: what was found.
        hint: what would do.
    """

    principal: str
    decision: str
    evidence: str
    id: str
    where: str
    issued: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """A rule of the policy that the step had to meet.

    Attributes:
        paths: its patterns.
        require: how many of which role.
        evidence: which reviews it takes.
        changed: the changed paths that it is about, sorted.
        waived: pre-approved classes that made up for its reviews.
    """

    paths: tuple[str, ...]
    require: Mapping[str, int]
    evidence: str
    changed: tuple[str, ...]
    waived: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """One step, accepted or refused.

    Attributes:
        commit: the step's own commit: where it ends.
        base: the commit that it builds on; its own for the introduction.
        tree: of `commit`; "" when it can not be read.
        ref: the policy's branch.
        kind: `introduction`, `fast-forward`, `group` (several commits of a fast-forward), `merge` or `squash`.
        changes_policy: whether trust files change.
        commits: every commit that it brings in, parents before children.
        changed: paths that differ between base and commit, sorted.
        policy_serial: of the policy that judges it; 0 when that can not be read.
        policy_digest: of the same; "" when it can not be read.
        signers: who signed, as far as it is certain.
        reviews: approvals that count.
        reviews_after: of a change of the policy: approvals with keys that only the new policy has; they count toward
            the quorum of its roots.
        ignored: words about it that do not.
        rules: what it had to meet.
        accepted: the step as it is trusted; None when it is refused.
        refusal: why it is not; None when it is.
        remembered: accepted before, and not judged again now.
    """

    commit: str
    base: str
    tree: str
    ref: str
    kind: str
    changes_policy: bool
    commits: tuple[str, ...]
    changed: tuple[str, ...]
    policy_serial: int
    policy_digest: str
    signers: tuple[Signer, ...]
    reviews: tuple[Review, ...]
    ignored: tuple[IgnoredReview, ...]
    rules: tuple[MatchedRule, ...]
    accepted: TrustedCommit | None
    refusal: Refused | None
    remembered: bool = False
    reviews_after: tuple[Review, ...] = ()
