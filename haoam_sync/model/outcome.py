"""What an apply did, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from haoam_sync.errors import HaoamError, worst_exit
from haoam_sync.model.fleet import InstanceId


class Result(StrEnum):
    """How an instance came out."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    """The apply failed, the earlier state is back and proven."""
    NOT_RESTORED = "not restored"
    """The apply failed, and the earlier state is not back."""
    FAILED = "failed"
    """Nothing was written."""
    NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True, slots=True)
class InstanceOutcome:
    """How one instance came out.

    Attributes:
        id: the instance.
        result: how.
        created: sections and certificates, `backend/web`, `certificate/site-...pem`.
        updated: the same.
        deleted: the same.
        version_before: configuration version before the first request that wrote; None when unknown.
        version_after: configuration version at the end; None when unknown.
        checksum_before: `Live.checksum` before.
        checksum_after: `Live.checksum` at the end.
        reload: `succeeded`, `none needed` or `failed`.
        requests: how many API requests it took.
        notes: what somebody should know (runtime state put back, retries made).
        error: why it did not succeed; "" when it did.
        error_code: E_... of that error.
        exit: exit code that this outcome earns.
    """

    id: InstanceId
    result: Result
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    version_before: int | None = None
    version_after: int | None = None
    checksum_before: str = ""
    checksum_after: str = ""
    reload: str = "none needed"
    requests: int = 0
    notes: tuple[str, ...] = ()
    error: str = ""
    error_code: str = ""
    exit: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an apply came out.

    Attributes:
        commit: the commit applied.
        plan_digest: the plan applied.
        instances: sorted by identity, every instance of the plan.
        unrecorded: why the memory of what was applied could not be written; None when it was. The next apply writes it.
    """

    commit: str
    plan_digest: str
    instances: tuple[InstanceOutcome, ...]
    unrecorded: HaoamError | None = None

    @property
    def exit(self) -> int:
        """The exit code that it earns as a whole."""
        codes = {instance.exit for instance in self.instances}
        if self.unrecorded is not None:
            codes.add(self.unrecorded.exit)
        return worst_exit(codes - {0})
