"""Reloads, shared and told by id.

A change that needs a reload asks for one and gets its id; the reload runs after a delay, and changes that come
meanwhile share it. A forced reload runs at once, and what was pending is done with it. The list shows the failed
ones, the last that succeeded, and the pending one.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from haoam_sync.lab.worker import Reloaded


class ReloadStatus(StrEnum):
    """As the API spells them."""

    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReloadRecord:
    """One reload.

    Attributes:
        id: `YYYY-MM-DD-N`.
        status: how it stands.
        at: Unix time at which it ran; 0 while it is pending.
        words: what HAProxy said.
    """

    id: str
    status: ReloadStatus
    at: int = 0
    words: str = ""


class Reloads:
    """The reloads of one instance. All methods may be called from any thread."""

    def __init__(self, reload: Callable[[], Reloaded], delay: float) -> None:
        """`reload` does it (and puts the file back when it fails); `delay` is in seconds."""
        self._reload = reload
        self._delay = delay
        self._wake = threading.Condition()
        self._count = 0
        self._pending = ""
        self._running: set[str] = set()
        self._due = 0.0
        self._done: dict[str, ReloadRecord] = {}
        self._last_succeeded = ""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="reloads", daemon=True)
        self._thread.start()

    def ask(self) -> str:
        """Have a reload run soon; the id of the one that will do it."""
        with self._wake:
            if not self._pending:
                self._count += 1
                self._pending = f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}-{self._count}"
                self._due = time.monotonic() + self._delay
                self._wake.notify_all()
            return self._pending

    def force(self) -> Reloaded:
        """Reload now; what was pending is done with it. Who asks from here on gets another one."""
        with self._wake:
            taken, self._pending = self._pending, ""
            self._running.add(taken)
        outcome = self._reload()
        with self._wake:
            self._running.discard(taken)
            if taken:
                self._record(taken, outcome)
        return outcome

    def get(self, name: str) -> ReloadRecord | None:
        """The reload with that id, None when there was none. One of before this start is taken to have succeeded."""
        with self._wake:
            if name and (name == self._pending or name in self._running):
                return ReloadRecord(name, ReloadStatus.IN_PROGRESS)
            if name in self._done:
                return self._done[name]
            before = name.rpartition("-")[0] < f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}"
            return ReloadRecord(name, ReloadStatus.SUCCEEDED) if before else None

    def is_last_succeeded(self, record: ReloadRecord) -> bool:
        """Whether it is the newest that succeeded: of older ones only the status is kept."""
        with self._wake:
            return record.id == self._last_succeeded

    def listed(self) -> tuple[ReloadRecord, ...]:
        """What the list shows."""
        with self._wake:
            shown = [
                record
                for record in self._done.values()
                if record.status is ReloadStatus.FAILED or record.id == self._last_succeeded
            ]
            unfinished = [name for name in (*self._running, self._pending) if name]
            return (*shown, *(ReloadRecord(name, ReloadStatus.IN_PROGRESS) for name in unfinished))

    def close(self) -> None:
        """Run no further reload."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self._thread.join()

    def _record(self, name: str, outcome: Reloaded) -> None:
        status = ReloadStatus.SUCCEEDED if outcome.ok else ReloadStatus.FAILED
        self._done[name] = ReloadRecord(name, status, int(time.time()), outcome.words)
        if outcome.ok:
            self._last_succeeded = name

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._closed and not self._pending:
                    self._wake.wait()
                if self._closed:
                    return
                remaining = self._due - time.monotonic()
                if remaining > 0:
                    self._wake.wait(remaining)
                    continue
            self.force()
