"""Appending to a log: one writer, whole lines, and a chain that goes on where it ended."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from haoam_sync.audit.codes import Event
from haoam_sync.audit.files import lock_directory, own_directory, require_ours, sync_directory
from haoam_sync.audit.line import NO_RECORD, decode, encode
from haoam_sync.audit.moment import TOLERANCE, moment_of, rfc3339
from haoam_sync.audit.segments import TornLine, read_tail, segment_numbers, segment_path
from haoam_sync.errors import AuditError
from haoam_sync.model.record import Entry

SEGMENT_BYTES: Final = 16 * 1024 * 1024
"""A segment that has grown to this is followed by the next."""
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Appender:
    """The one writer of a log. Not safe between threads: the caller holds a lock.

    Attributes:
        seq: number of the last record, 0 for none.
        head: its hash.
        torn: incomplete lines that no record names yet; the first append has to be about them.
    """

    def __init__(self, directory: Path, *, segment_bytes: int) -> None:
        """Lock `directory` (made if needed) and check the end of the log in it.

        Raises:
            LockedError: somebody else writes there.
            AuditError: it cannot be written, others may write it, or its end does not verify.
        """
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._broken = False
        self._file = -1
        self._lock = -1
        self.seq, self.head, self.torn = 0, NO_RECORD, tuple[TornLine, ...]()
        self._time: datetime | None = None
        try:
            own_directory(directory)
            self._lock = lock_directory(directory)
            self._open_end()
        except OSError as error:
            self.close()
            raise self._unwritable(error) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others write. Safe to call twice."""
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def append(self, entries: tuple[Entry, ...], moment: datetime, *, sync: bool) -> int:
        """Write records with one write; with `sync` they last through a crash when this returns.

        Args:
            entries: one or more.
            moment: now.
            sync: whether to wait for the disk.

        Returns:
            The number of the first of them.

        Raises:
            AuditError: they could not be written. Whatever they announce must not be done then. After a failed write
                nothing more is written here: opening the log again records what the failure left.
        """
        if self._broken or self._file < 0:
            raise AuditError("the audit log was closed, or failed earlier", where=str(self._directory))
        first = self.seq + 1
        if self._time is not None and moment < self._time - TOLERANCE:
            entries = (_clock_entry(self._time), *entries)
            first += 1
        data, head = bytearray(), self.head
        for number, entry in enumerate(entries, self.seq + 1):
            line, head = encode(entry, seq=number, time=rfc3339(moment), prev=head)
            data += line
        try:
            self._write(bytes(data), sync=sync)
        except OSError as error:
            self._broken = True
            raise self._unwritable(error) from error
        self.seq += len(entries)
        self.head = head
        self._time = moment
        return first

    def _write(self, data: bytes, *, sync: bool) -> None:
        if self._size and self._size + len(data) > self._segment_bytes:
            os.fsync(self._file)
            self._open_segment(self._number + 1, new=True)
        found = os.fstat(self._file)
        if found.st_size != self._size or not found.st_nlink:
            self._broken = True
            raise AuditError(
                "somebody else changed the audit log while it was open",
                where=str(segment_path(self._directory, self._number)),
                hint="run `haoam-sync audit verify`, and find out who it was",
            )
        written = os.write(self._file, data)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes could be written")
        self._size += written
        if sync:
            os.fsync(self._file)

    def _open_end(self) -> None:
        """Find the last record, check it, and open the segment that the next one goes to."""
        numbers = segment_numbers(self._directory)
        if numbers != list(range(1, len(numbers) + 1)):
            raise AuditError(
                "segments of the audit log are missing",
                code="E_AUDIT_TAIL",
                where=str(self._directory),
                hint="`haoam-sync audit verify` names them; put them back, or start a new log in another directory",
            )
        for number in numbers:
            self._require_ours(segment_path(self._directory, number))
        torn: list[TornLine] = []
        for number in reversed(numbers):
            tail = read_tail(segment_path(self._directory, number))
            if tail.torn is not None:
                torn.append(tail.torn)
            if tail.last is not None:
                self._continue(tail.last, segment_path(self._directory, number))
                break
        self.torn = tuple(reversed(torn))
        newest = numbers[-1] if numbers else 0
        if not numbers or (torn and torn[0].segment == segment_path(self._directory, newest).name):
            self._open_segment(newest + 1, new=True)
        else:
            self._open_segment(newest, new=False)

    @staticmethod
    def _require_ours(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            require_ours(descriptor, path)
        finally:
            os.close(descriptor)

    def _continue(self, last: bytes, path: Path) -> None:
        try:
            record = decode(last)
            self._time = moment_of(record.time)
        except ValueError as error:
            raise AuditError(
                f"the last record of the audit log does not verify: {error}",
                code="E_AUDIT_TAIL",
                where=str(path),
                hint="keep this log as it is, find out why, and start a new one in another directory",
            ) from error
        self.seq, self.head = record.seq, record.hash

    def _open_segment(self, number: int, *, new: bool) -> None:
        path = segment_path(self._directory, number)
        descriptor = os.open(path, _APPEND | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._number = descriptor, number
        self._size = os.fstat(descriptor).st_size
        if new:
            sync_directory(self._directory)

    def _unwritable(self, error: OSError) -> AuditError:
        return AuditError(
            f"the audit log cannot be written: {error.strerror or error}",
            code="E_AUDIT_WRITE",
            where=str(self._directory),
            hint="nothing is done that cannot be recorded: make room, or let this account write there",
        )


def _clock_entry(last: datetime) -> Entry:
    return Entry(Event.LOG_CLOCK.label, Event.LOG_CLOCK.code, detail={"last": rfc3339(last)})
