"""What the commands print with `--output json`, as types; `schemas/result-*.schema.json` are made from them.

Times are RFC 3339 in UTC, digests `sha256:` and 64 hex digits, commits 40 hex digits, instances `CLUSTER/INSTANCE`. No
value is a secret. A name that is here stays; new ones may come, so a reader ignores what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

_SHAPE = ConfigDict(extra="forbid", use_attribute_docstrings=True, strict=True)


@with_config(_SHAPE)
class Problem(TypedDict):
    """One thing that is wrong with the desired state."""

    file: str
    line: int
    """From 1; 0 where no line is meant."""
    column: int
    message: str
    hint: str


@with_config(_SHAPE)
class Failure(TypedDict):
    """Any command that did not do what was asked."""

    exit: int
    """The exit code, as `haoam-sync --help` lists them."""
    code: str
    """`E_...`, stable."""
    message: str
    where: str
    """File and line, commit, or instance; empty where none is meant."""
    hint: str
    """What would help."""
    problems: NotRequired[list[Problem]]
    """All of them, where the desired state is invalid."""
    steps: NotRequired[list[Judged]]
    """Of `trust verify` and `trust explain`: what was looked at; the refused step is the last."""


@with_config(_SHAPE)
class FieldDifference(TypedDict):
    """One field that differs."""

    path: str
    """Dotted path in the section, `servers.s1.weight`; an ordered list is one field."""
    before: object
    """Live; null when absent; for a secret its digest."""
    after: object
    """Desired; null when it goes away; for a secret its reference."""
    secret: bool


@with_config(_SHAPE)
class ChangeCost(TypedDict):
    """What a change costs."""

    reload: bool
    servers_leaving: list[str]
    """`BACKEND/SERVER` that leave rotation."""
    capacity_left: int | None
    """Percent of the backend's live weight that stays; null where no backend is meant."""


@with_config(_SHAPE)
class SectionChange(TypedDict):
    """One section to create, update or delete."""

    action: str
    """`create`, `update` or `delete`."""
    section: str
    """`KIND/NAME`."""
    reason: str
    position: str | None
    """`FILE:LINE` in git; null for a deletion."""
    fields: list[FieldDifference]
    cost: ChangeCost


@with_config(_SHAPE)
class CertificateDifference(TypedDict):
    """One certificate to store or to delete."""

    action: str
    name: str
    """Its name on the instance."""
    reason: str
    position: str | None


@with_config(_SHAPE)
class FileDifference(TypedDict):
    """One map, error page, CA file, crt-list or Lua file to store or to delete."""

    action: str
    name: str
    """`STORE/NAME` on the instance."""
    document: str | None
    """`KIND/NAME` in git; null where a deleted file's document is not known."""
    reason: str
    position: str | None


@with_config(_SHAPE)
class Guard(TypedDict):
    """What must still be live when the plan is applied."""

    version: int
    checksum: str


@with_config(_SHAPE)
class InstanceDifferences(TypedDict):
    """What differs on one instance."""

    instance: str
    empty: bool
    repair: bool
    """Whether HAProxy runs another text than its file, so that the text it runs must be written back first."""
    normal_form: str | None
    """How a hand-written file's lines are rewritten without a change of meaning, as a unified diff; null for none."""
    unresolved_secrets: bool
    """Whether secrets were not compared, since a proposed commit's are never resolved."""
    changes: list[SectionChange]
    certificates: list[CertificateDifference]
    files: list[FileDifference]
    foreign: list[str]
    """Sections that are not ours, and stay."""
    warnings: list[str]
    guard: Guard


@with_config(_SHAPE)
class PlanResult(TypedDict):
    """`plan`."""

    commit: str
    proposed: bool
    """Whether the commit is not accepted yet: then nothing can be applied."""
    applied: dict[str, str]
    """The commit applied last, by cluster."""
    change_digest: str
    plan_digest: str
    """What `apply --plan-digest` takes."""
    empty: bool
    instances: list[InstanceDifferences]


@with_config(_SHAPE)
class WorkerDifferences(TypedDict):
    """What an instance's HAProxy process runs that its file does not say."""

    instance: str
    differences: list[str]


@with_config(_SHAPE)
class FailedInstance(TypedDict):
    """An instance that could not be looked at."""

    instance: str
    code: str
    message: str
    hint: str


@with_config(_SHAPE)
class DriftResult(TypedDict):
    """`drift`: `before` is live, `after` is what git says."""

    in_sync: bool
    worker: NotRequired[list[WorkerDifferences]]
    """With `--worker`."""
    applied: dict[str, str]
    """The commit applied last, by cluster."""
    never_applied: list[str]
    """Clusters that nothing was applied to yet."""
    failed: list[FailedInstance]
    instances: list[InstanceDifferences]


@with_config(_SHAPE)
class Versions(TypedDict):
    """The configuration version before and after; null when unknown."""

    before: int | None
    after: int | None


@with_config(_SHAPE)
class Checksums(TypedDict):
    """The digest of the configuration's text before and after; empty when unknown."""

    before: str
    after: str


@with_config(_SHAPE)
class InstanceError(TypedDict):
    """Why an instance did not come out well."""

    code: str
    message: str


@with_config(_SHAPE)
class InstanceResult(TypedDict):
    """How one instance came out."""

    instance: str
    result: str
    """`applied`, `unchanged`, `restored`, `not restored`, `failed` (nothing was written) or `not attempted`."""
    created: list[str]
    updated: list[str]
    deleted: list[str]
    version: Versions
    checksum: Checksums
    reload: str
    """`succeeded`, `none needed` or `failed`."""
    requests: int
    """How many API requests it took."""
    notes: list[str]
    error: InstanceError | None


@with_config(_SHAPE)
class OutcomeResult(TypedDict):
    """`apply`."""

    commit: str
    plan_digest: str
    exit: int
    instances: list[InstanceResult]


@with_config(_SHAPE)
class ValidResult(TypedDict):
    """`validate`, where nothing is wrong."""

    commit: str
    sections: int
    instances: list[str]
    haproxy: str | None
    """Which HAProxy judged the rendered configurations; null for none."""
    unjudged: list[str]
    """Instances whose configuration no HAProxy was asked about."""


@with_config(_SHAPE)
class Finding(TypedDict):
    """One thing that `doctor` found."""

    level: str
    """`fault`, `warning` or `note`."""
    code: str
    where: str
    what: str
    why: str
    hint: str
    exit: int
    """The exit code that a run would end with for it; 0 for none."""


@with_config(_SHAPE)
class DoctorResult(TypedDict):
    """`doctor`."""

    exit: int
    findings: list[Finding]


@with_config(_SHAPE)
class Signer(TypedDict):
    """Who signed a commit of a step."""

    commit: str
    principal: str
    key: str


@with_config(_SHAPE)
class Review(TypedDict):
    """A review that counted."""

    principal: str
    roles: list[str]
    evidence: str
    key: str
    id: str
    issued: str


@with_config(_SHAPE)
class PolicyName(TypedDict):
    """The trust policy under which a step was judged."""

    serial: int
    digest: str


@with_config(_SHAPE)
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


@with_config(_SHAPE)
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


@with_config(_SHAPE)
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


@with_config(_SHAPE)
class Refusal(TypedDict):
    """Why a step is not trusted."""

    code: str
    message: str
    where: str
    hint: str


@with_config(_SHAPE)
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


@with_config(_SHAPE)
class Trusted(TypedDict):
    """`trust verify`; when it is not trusted, a failure with the same `steps`."""

    accepted: Step
    """The commit asked for."""
    steps: list[Judged]
    """The steps asked for, in order: those that are new, or those of the range."""


@with_config(_SHAPE)
class ExplainedCommit(Judged):
    """`trust explain`: the step that brings a commit in; when it is not trusted, a failure with it as `steps`."""

    asked: str
    """The commit that was asked about; `commit` is where its step ends."""


@with_config(_SHAPE)
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


@with_config(_SHAPE)
class LintResult(TypedDict):
    """`trust lint`."""

    commit: str
    policy: PolicyName | None
    """The policy that was looked at; null where it does not hold together."""
    exit: int
    """2 where something is an error, else 0."""
    findings: list[LintFinding]
    """The gravest first."""


@with_config(_SHAPE)
class TrustState(TypedDict):
    """`trust state`."""

    accepted: list[Step]
    applied: dict[str, str]
    """The commit applied last, by cluster."""
    instances: dict[str, str]
    """The commit applied last, by instance."""


@with_config(_SHAPE)
class Segment(TypedDict):
    """One file of the audit log."""

    file: str
    records: int
    root: str
    """RFC 6962 Merkle root over its lines, 64 hex digits."""


@with_config(_SHAPE)
class Head(TypedDict):
    """The last record: compare it with a copy kept elsewhere."""

    seq: int
    hash: str


@with_config(_SHAPE)
class Flaw(TypedDict):
    """Something that a whole log does not have."""

    code: str
    file: str
    line: int
    message: str


@with_config(_SHAPE)
class UnfinishedApply(TypedDict):
    """An apply without an outcome."""

    apply: str
    seq: int
    time: str
    commit: str
    instances: list[str]


@with_config(_SHAPE)
class OpenTransaction(TypedDict):
    """A transaction of ours that was neither committed nor deleted."""

    instance: str
    id: str
    seq: int


@with_config(_SHAPE)
class UnattributedChange(TypedDict):
    """A change of an instance that no record explains."""

    instance: str
    what: str
    expected: str
    found: str
    seq: int
    time: str


@with_config(_SHAPE)
class AuditResult(TypedDict):
    """`audit verify`."""

    intact: bool
    records: int
    segments: list[Segment]
    first: str
    last: str
    head: Head
    flaws: list[Flaw]
    """The first hundred."""
    flaw_count: int
    unfinished: list[UnfinishedApply]
    transactions: list[OpenTransaction]
    unattributed: list[UnattributedChange]
    """The first hundred."""
    unattributed_count: int
    notes: list[str]
    limits: str
    """What verification cannot see."""


@with_config(_SHAPE)
class ChangedFile(TypedDict):
    """A file that a proposed change touches."""

    path: str
    action: str
    diff: str


@with_config(_SHAPE)
class ReviewResult(TypedDict):
    """`review`."""

    commit: str
    base: str
    change_digest: str
    change: Mapping[str, object]
    """The change that the digest is of: docs/formats.md."""
    files: list[ChangedFile]
    rules: list[MatchedRule]
    """What the change must meet; a file counts as the documents that name it, too."""
    plan: PlanResult | None
    """Null with `--offline`."""
    statement: Mapping[str, object]
    """What was signed: docs/formats.md."""


@with_config(_SHAPE)
class OwnedSection(TypedDict):
    """A section that a document was written for."""

    section: str
    file: str


@with_config(_SHAPE)
class ForeignSection(TypedDict):
    """A section that stays foreign."""

    section: str
    reason: str


@with_config(_SHAPE)
class SecretUse(TypedDict):
    """A secret reference that the host root file must allow."""

    reference: str
    kind: str
    field: str


@with_config(_SHAPE)
class ImportResult(TypedDict):
    """`import` and `adopt`."""

    owned: int
    foreign: int
    sections: list[OwnedSection]
    foreign_sections: list[ForeignSection]
    warnings: list[str]
    files: list[str]
    secrets: str | None
    """The file outside the repository that holds the values; null for none."""
    secret_uses: list[SecretUse]
