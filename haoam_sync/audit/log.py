"""The audit log as the flow sees it: intend, record, conclude, and the decisions around them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from haoam_sync.audit.appender import SEGMENT_BYTES, Appender
from haoam_sync.audit.codes import Event
from haoam_sync.audit.entries import accepted, concluded, drift, drift_failed, entry, intended, refused
from haoam_sync.audit.key import AuditKey
from haoam_sync.audit.leftovers import Unfinished
from haoam_sync.audit.recording import LogRecorder
from haoam_sync.errors import AuditError, HaoamError
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.outcome import Outcome
from haoam_sync.model.plan import InstancePlan
from haoam_sync.model.record import Entry, Runner


@dataclass(frozen=True, slots=True)
class Apply:
    """One apply, from its intention to its outcome.

    Attributes:
        id: in every record of it; unique in the log.
        resumed: a later run closes what an earlier one left open.
    """

    id: str
    resumed: bool = False


def open_log(
    directory: Path, *, clock: Callable[[], datetime], key: AuditKey, segment_bytes: int = SEGMENT_BYTES
) -> AuditLog:
    """Open the log in `directory`, made if needed, as its only writer.

    The end of the log is checked (the rest is what `verify` is for). An incomplete line that a crash left is recorded.

    Args:
        directory: HAOAM_AUDIT.
        clock: the time, with a time zone.
        key: of the digests.
        segment_bytes: size from which on a new segment is begun.

    Raises:
        LockedError: another process writes this log.
        AuditError: it cannot be written, or its end does not verify.
    """
    appender = Appender(directory, segment_bytes=segment_bytes)
    log = AuditLog(appender, clock=clock, key=key)
    if appender.torn:
        try:
            log.record(entry(Event.LOG_TORN, detail={"torn": [torn.to_json() for torn in appender.torn]}), sync=True)
        except BaseException:
            log.close()
            raise
    return log


class AuditLog:
    """An open log. Safe between threads; use it as a context manager."""

    def __init__(self, appender: Appender, *, clock: Callable[[], datetime], key: AuditKey) -> None:
        self._appender = appender
        self._clock = clock
        self._key = key
        self._turn = threading.Lock()
        self._open: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others write. Applies that were not concluded stay findable (`unfinished`)."""
        with self._turn:
            self._appender.close()

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last record."""
        return self._appender.seq, self._appender.head

    def record(self, *entries: Entry, sync: bool) -> int:
        """Append entries, all with one write; the number of the first.

        Raises:
            AuditError: it could not be recorded.
        """
        with self._turn:
            return self._appender.append(entries, self._clock(), sync=sync)

    def start(self, runner: Runner) -> None:
        """Record that a run begins.

        Raises:
            AuditError: it could not be recorded.
        """
        self.record(entry(Event.LOG_OPENED, runner=runner, detail={"key": self._key.id}), sync=True)

    def accepted(self, commit: TrustedCommit) -> None:
        """Record that a commit was found signed and reviewed.

        Raises:
            AuditError: it could not be recorded.
        """
        self.record(accepted(commit), sync=True)

    def begun(self, commit: TrustedCommit) -> None:
        """Record that an operator began the memory of accepted commits with this one.

        Raises:
            AuditError: it could not be recorded.
        """
        self.record(accepted(commit, Event.MEMORY_BEGUN), sync=True)

    def refused(self, error: HaoamError, *, commit: str = "", trusted: TrustedCommit | None = None) -> None:
        """Record a refusal: of the commit when `error` is about trust, else of its apply.

        Args:
            error: the refusal.
            commit: id of the commit that was to be accepted or applied; "" when none was found.
            trusted: that commit, once it is trusted.

        Raises:
            AuditError: it could not be recorded.
        """
        self.record(refused(error, commit, trusted, self._key), sync=True)

    def drift(self, plan: InstancePlan, *, commit: str, worker: tuple[str, ...] = ()) -> None:
        """Record what a comparison with the commit applied last has shown for one instance.

        Args:
            plan: what would bring its configuration back.
            commit: the one applied last.
            worker: what its worker runs otherwise.

        Raises:
            AuditError: it could not be recorded.
        """
        self.record(drift(plan, commit, worker), sync=True)

    def drift_failed(self, instance: InstanceId, error: HaoamError, *, commit: str) -> None:
        """Record that an instance could not be compared with the commit applied last.

        Raises:
            AuditError: it could not be recorded.
        """
        self.record(drift_failed(instance, error, commit), sync=True)

    def intend(self, authorized: AuthorizedPlan, *, runner: Runner, rule: str = "") -> Apply:
        """Record what is about to be done, and by what authority, before anything is.

        Args:
            authorized: what will be done, and the commit that wants it.
            runner: where this runs.
            rule: name of the rule that allows it, "" when no rule is named.

        Raises:
            AuditError: it could not be recorded: nothing may be written.
        """
        with self._turn:
            moment = self._clock()
            apply = f"{moment:%Y%m%dT%H%M%S}-{self._appender.seq + 1}"
            self._appender.append(
                intended(authorized, apply, runner=runner, rule=rule),
                moment,
                sync=True,
            )
            self._open.add(apply)
        return Apply(apply)

    def resume(self, left: Unfinished) -> Apply:
        """Take up an apply that an earlier run left without an outcome: finish or restore it, then conclude it."""
        with self._turn:
            self._open.add(left.apply)
        return Apply(left.apply, resumed=True)

    def recorder(self, apply: Apply | None = None) -> LogRecorder:
        """Who records the requests of `apply`; without one, reads and the removal of left transactions only."""
        return LogRecorder(
            lambda one, sync: self.record(one, sync=sync), self._key, apply.id if apply else "", self._open.__contains__
        )

    def conclude(self, apply: Apply, outcome: Outcome) -> None:
        """Record how it came out. No write of this apply is recorded after that.

        Raises:
            AuditError: it could not be recorded, or the apply is not open.
        """
        if apply.id not in self._open:
            raise AuditError("an outcome without an open intention", code="E_AUDIT_ORDER", where=apply.id)
        self.record(*concluded(outcome, apply.id, self._key, resumed=apply.resumed), sync=True)
        self._open.discard(apply.id)
