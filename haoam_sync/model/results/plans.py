"""What `plan`, `drift` and `apply` print."""

from __future__ import annotations

from typing import NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from haoam_sync.model.results.history import Refusal
from haoam_sync.model.results.shape import SHAPE


@with_config(SHAPE)
class FieldDifference(TypedDict):
    """One field that differs."""

    path: str
    """Dotted path in the section, `servers.s1.weight`; an ordered list is one field."""
    before: object
    """Live; null when absent; for a secret its digest."""
    after: object
    """Desired; null when it goes away; for a secret its reference."""
    secret: bool


@with_config(SHAPE)
class ChangeCost(TypedDict):
    """What a change costs."""

    reload: bool
    servers_leaving: list[str]
    """`BACKEND/SERVER` that leave rotation."""
    capacity_left: int | None
    """Percent of the backend's live weight that stays; null where no backend is meant."""


@with_config(SHAPE)
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


@with_config(SHAPE)
class CertificateDifference(TypedDict):
    """One certificate to store or to delete."""

    action: str
    name: str
    """Its name on the instance."""
    reason: str
    position: str | None


@with_config(SHAPE)
class FileDifference(TypedDict):
    """One map, error page, CA file, crt-list or Lua file to store or to delete."""

    action: str
    name: str
    """`STORE/NAME` on the instance."""
    document: str | None
    """`KIND/NAME` in git; null where a deleted file's document is not known."""
    reason: str
    position: str | None


@with_config(SHAPE)
class Guard(TypedDict):
    """What must still be live when the plan is applied."""

    version: int
    checksum: str


@with_config(SHAPE)
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


@with_config(SHAPE)
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


@with_config(SHAPE)
class WorkerDifferences(TypedDict):
    """What an instance's HAProxy process runs that its file does not say."""

    instance: str
    differences: list[str]


@with_config(SHAPE)
class FailedInstance(TypedDict):
    """An instance that could not be looked at."""

    instance: str
    code: str
    message: str
    hint: str


@with_config(SHAPE)
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


@with_config(SHAPE)
class Versions(TypedDict):
    """The configuration version before and after; null when unknown."""

    before: int | None
    after: int | None


@with_config(SHAPE)
class Checksums(TypedDict):
    """The digest of the configuration's text before and after; empty when unknown."""

    before: str
    after: str


@with_config(SHAPE)
class InstanceError(TypedDict):
    """Why an instance did not come out well."""

    code: str
    message: str


@with_config(SHAPE)
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


@with_config(SHAPE)
class OutcomeResult(TypedDict):
    """`apply`."""

    commit: str
    plan_digest: str
    exit: int
    unrecorded: NotRequired[Refusal]
    instances: list[InstanceResult]
