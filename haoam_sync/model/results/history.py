"""What `trust verify`, `trust explain`, `trust lint` and `trust state` print."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from haoam_sync.model.results.shape import SHAPE


@with_config(SHAPE)
class Signer(TypedDict):
    """Who signed a commit of a step."""

    commit: str
    principal: str
    key: str


@with_config(SHAPE)
class Review(TypedDict):
    """A review that counted."""

    principal: str
    roles: list[str]
    evidence: str
    key: str
    id: str
    issued: str


@with_config(SHAPE)
class PolicyName(TypedDict):
    """The trust policy under which a step was judged."""

    serial: int
    digest: str


@with_config(SHAPE)
class Step(TypedDict):
    """One accepted step of history."""

    commit: str
    base: str
    """The commit that it builds on; the commit itself for the introduction."""
    tree: str
    ref: str
    author: str
    committer: str
    signers: list[Signer]
    reviews: list[Review]
    policy: PolicyName
    change_digest: str
    decided_at: str
    solo: bool
    """Whether nobody reviewed, since the host works alone."""
    waived: list[str]
    """The pre-approved classes that stood for the review."""
    forge: str
    """Digest of the forge's answers that counted; empty for none."""


@with_config(SHAPE)
class MatchedRule(TypedDict):
    """A rule of the policy that a step had to meet."""

    paths: list[str]
    """Its patterns."""
    require: dict[str, int]
    """How many people of which role."""
    evidence: str
    changed: list[str]
    """The changed paths that it is about."""
    waived: list[str]
    """The pre-approved classes that stood for its reviews."""


@with_config(SHAPE)
class IgnoredReview(TypedDict):
    """Somebody's word about a step that does not count toward it."""

    principal: str
    """In whose name it is; empty when that can not be read."""
    decision: str
    evidence: str
    id: str
    where: str
    """The commit of the statements that carries it, or the review on the forge."""
    issued: str
    code: str
    message: str
    hint: str


@with_config(SHAPE)
class Refusal(TypedDict):
    """Why something is not so: what failed, and what to do."""

    code: str
    message: str
    where: str
    hint: str


@with_config(SHAPE)
class Judged(Step):
    """One step of history, accepted or refused, and what that rests on.

    Of a refused step `author`, `committer`, `change_digest` and `decided_at` are empty, since nothing was decided;
    signers and reviews are those that hold.
    """

    verdict: str
    """`accepted` or `refused`."""
    remembered: bool
    """Whether it was accepted before, and not judged again."""
    kind: str
    """`introduction`, `fast-forward`, `group` (several commits pushed at once), `merge` or `squash`."""
    changes_policy: bool
    commits: list[str]
    """Every commit that it brings in, parents first."""
    changed: list[str]
    """The paths that differ."""
    rules: list[MatchedRule]
    reviews_after: list[Review]
    """Of a change of the policy: approvals with keys that only the new policy has, for the quorum of its roots."""
    ignored: list[IgnoredReview]
    refusal: Refusal | None


@with_config(SHAPE)
class Trusted(TypedDict):
    """`trust verify`; when it is not trusted, a failure with the same `steps`."""

    accepted: Step
    """The commit asked for."""
    steps: list[Judged]
    """The steps asked for, in order: those that are new, or those of the range."""


@with_config(SHAPE)
class ExplainedCommit(Judged):
    """`trust explain`: the step that brings a commit in; when it is not trusted, a failure with it as `steps`."""

    asked: str
    """The commit that was asked about; `commit` is where its step ends."""


@with_config(SHAPE)
class LintFinding(TypedDict):
    """One thing that a trust policy makes possible, or impossible."""

    severity: str
    """`error`, `warning` or `note`."""
    code: str
    """`L_...`, stable; of a policy that does not hold together the refusal's `E_...`."""
    where: str
    what: str
    why: str
    hint: str
    """What to do; empty for a note."""


@with_config(SHAPE)
class LintResult(TypedDict):
    """`trust lint`."""

    commit: str
    policy: PolicyName | None
    """The policy that was looked at; null where it does not hold together."""
    exit: int
    """2 where something is an error, else 0."""
    findings: list[LintFinding]
    """The gravest first."""


@with_config(SHAPE)
class Roots(TypedDict):
    """Roots who must agree to a change of the policy."""

    policy: PolicyName
    needed: int
    members: list[str]
    """Those with a key that they can agree with, sorted."""


@with_config(SHAPE)
class RotationResult(TypedDict):
    """`trust rotate`: what was written, and who must agree before it counts."""

    principal: str
    added: str
    """Id of the new key; empty for none."""
    fingerprint: str
    """Of the new key: compare it with its owner."""
    retired: list[str]
    files: list[str]
    """Written below the work tree, sorted."""
    before: Roots
    after: Roots


@with_config(SHAPE)
class TrustState(TypedDict):
    """`trust state`."""

    accepted: list[Step]
    applied: dict[str, str]
    """The commit applied last, by cluster."""
    instances: dict[str, str]
    """The commit applied last, by instance."""
