"""Is a log whole? Read once from beginning to end, in constant memory.

For every line, in this order: it is a record in canonical form (E_AUDIT_FORMAT) that gives its own hash (E_AUDIT_HASH),
names the hash before it (E_AUDIT_CHAIN), has the next number (E_AUDIT_SEQ) and a time that does not go back
(E_AUDIT_TIME), accounts for what a crash left (E_AUDIT_TORN), belongs to what was intended and announced
(E_AUDIT_ORDER), and was made with the key given (E_AUDIT_KEY). Around them: no segment is missing (E_AUDIT_SEGMENT).

What a whole log says can still be bad news: applies without an outcome, and changes that nobody recorded. Those are
findings, not flaws.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from haoam_sync.audit.attribution import Attribution, Unattributed
from haoam_sync.audit.codes import Event, Flaw
from haoam_sync.audit.key import AuditKey
from haoam_sync.audit.leftovers import Ledger
from haoam_sync.audit.line import NO_RECORD, BrokenLineError, decode
from haoam_sync.audit.merkle import Tree
from haoam_sync.audit.moment import TOLERANCE, moment_of
from haoam_sync.audit.recording import is_cleaning
from haoam_sync.audit.segments import Line, TornLine, lines, segment_numbers, segment_path
from haoam_sync.audit.verdict import LogFlaw, SegmentSummary, Verification
from haoam_sync.errors import AuditError
from haoam_sync.model.json import Json
from haoam_sync.model.record import Record

_SHOWN: Final = 100
"""So many flaws, unattributed changes and notes are kept; the others are counted."""


def verify(directory: Path, *, key: AuditKey | None = None) -> Verification:
    """Read the whole log in `directory`. Writes nothing, needs no lock.

    Args:
        directory: HAOAM_AUDIT, or a copy of it.
        key: when given, the runs in the log must have used it.

    Raises:
        AuditError: the log cannot be read, or there is none (what breaks it is in the result).
    """
    numbers = segment_numbers(directory)
    if not numbers:
        raise AuditError(
            "there is no audit log here",
            code="E_AUDIT_READ",
            where=str(directory),
            hint="name its directory (--audit, HAOAM_AUDIT); that a log was removed, only a copy elsewhere can tell",
        )
    reading = _Reading(key)
    for position, number in enumerate(numbers):
        reading.segment(directory, number, newest=position == len(numbers) - 1)
    return reading.result()


class _Reading:
    """What is remembered from one line to the next."""

    def __init__(self, key: AuditKey | None) -> None:
        self._key = key
        self._ledger = Ledger()
        self._attribution = Attribution()
        self._announced: dict[int, str] = {}
        self._torn: list[tuple[TornLine, int]] = []
        self._segments: list[SegmentSummary] = []
        self._number = 0
        self._file, self._line = "", 0
        self._records = self._seq = 0
        self._prev: str | None = NO_RECORD
        self._time: datetime | None = None
        self._first = self._last = ""
        self._flaws: list[LogFlaw] = []
        self._flaw_count = 0
        self._gap = False
        self._unattributed: list[Unattributed] = []
        self._unattributed_count = 0
        self._notes: list[str] = []

    def segment(self, directory: Path, number: int, *, newest: bool) -> None:
        path = segment_path(directory, number)
        self._file, self._line = path.name, 0
        if number != self._number + 1:
            self._gap = True
            missing = ", ".join(segment_path(directory, n).name for n in range(self._number + 1, number)[:3])
            self._flaw(Flaw.SEGMENT, f"{number - self._number - 1} missing before this one: {missing}")
        self._number = number
        tree, offset, line = Tree(), 0, None
        for line in lines(path):
            self._line = line.number
            if line.complete:
                tree.add(line.data)
                self._see(line)
            else:
                self._torn.append((TornLine.of(path, offset, line.data), line.number))
            offset += len(line.data) + 1
        if line is None and not newest:
            self._flaw(Flaw.SEGMENT, "an empty segment, and others after it")
        self._segments.append(SegmentSummary(path.name, tree.size, tree.root.hex()))

    def _see(self, line: Line) -> None:
        try:
            record = decode(line.data)
        except BrokenLineError as error:
            self._flaw(Flaw.HASH if error.record is not None else Flaw.FORMAT, str(error))
            self._gap = self._gap or error.record is None
            if error.record is None:
                self._prev = None
                self._seq += 1
                return
            record = error.record
        self._records += 1
        self._check_place(record)
        self._check_torn(record)
        self._check_order(record)
        self._check_key(record)
        try:
            self._ledger.see(record)
        except ValueError as error:
            self._flaw(Flaw.FORMAT, str(error))
        for change in self._attribution.see(record):
            self._unattributed_count += 1
            if len(self._unattributed) < _SHOWN:
                self._unattributed.append(change)

    def _check_place(self, record: Record) -> None:
        """Its hash, number and time follow those of the record before."""
        if self._prev is not None and record.prev != self._prev:
            self._gap = True
            self._flaw(Flaw.CHAIN, "the record before this one is not the one that it names")
        if record.seq != self._seq + 1:
            self._gap = True
            self._flaw(Flaw.SEQ, f"number {record.seq}, expected {self._seq + 1}")
        self._prev, self._seq = record.hash, record.seq
        try:
            moment = moment_of(record.time)
        except ValueError as error:
            self._flaw(Flaw.FORMAT, str(error))
            return
        if record.entry.code == Event.LOG_CLOCK.code:
            self._note(f"the clock went back at record {record.seq}, {record.time}")
        elif self._time is not None and moment < self._time - TOLERANCE:
            self._flaw(Flaw.TIME, f"{record.time} comes after {self._last}")
        self._time = moment
        self._first = self._first or record.time
        self._last = record.time

    def _check_torn(self, record: Record) -> None:
        """What a crash left incomplete is named by the very next record, and nothing else is."""
        told = record.entry.code == Event.LOG_TORN.code
        if not told and not self._torn:
            return
        expected: Json = {"torn": [torn.to_json() for torn, _ in self._torn]}
        if told and self._torn and record.entry.detail == expected:
            for torn, _ in self._torn:
                self._note(f"a crash left {torn.size} bytes of a record at the end of {torn.segment}")
        elif self._torn:
            self._flaw_torn()
        else:
            self._flaw(Flaw.TORN, "this record tells of an incomplete line that is not there")
        self._torn.clear()

    def _flaw_torn(self) -> None:
        for torn, line in self._torn:
            self._flaw(Flaw.TORN, f"{torn.size} bytes that no newline ends", torn.segment, line)

    def _check_order(self, record: Record) -> None:
        """Writes, answers and outcomes come after what announces them; not judged where records are missing."""
        said = record.entry
        flaw = ""
        match said.code:
            case Event.REQUEST_ANNOUNCED.code:
                self._announced[record.seq] = said.apply
                request = said.request
                if request is None or (
                    said.apply not in self._ledger.applies and not is_cleaning(request.method, request.path)
                ):
                    flaw = "a write outside an open apply"
            case Event.REQUEST_ANSWERED.code:
                announced = said.request.announced if said.request is not None else None
                if announced is None or self._announced.pop(announced, None) is None:
                    flaw = "an answer to a request that was not announced"
            case Event.INSTANCE_INTENDED.code | Event.INSTANCE_CONCLUDED.code:
                if said.apply not in self._ledger.applies:
                    flaw = "an instance of an apply that is not open"
            case Event.APPLY_CONCLUDED.code | Event.APPLY_RECOVERED.code:
                if said.apply not in self._ledger.applies:
                    flaw = "an outcome without an intention"
                self._announced = {seq: apply for seq, apply in self._announced.items() if apply != said.apply}
            case _:
                pass
        if flaw and not self._gap:
            self._flaw(Flaw.ORDER, flaw)

    def _check_key(self, record: Record) -> None:
        if self._key is None or record.entry.code != Event.LOG_OPENED.code:
            return
        if record.entry.detail != {"key": self._key.id}:
            self._flaw(Flaw.KEY, f"this run did not use the key {self._key.id}")

    def _flaw(self, flaw: Flaw, message: str, file: str = "", line: int = 0) -> None:
        self._flaw_count += 1
        if len(self._flaws) < _SHOWN:
            self._flaws.append(LogFlaw(flaw.code, file or self._file, line or self._line, message))

    def _note(self, message: str) -> None:
        if len(self._notes) < _SHOWN:
            self._notes.append(message)

    def result(self) -> Verification:
        self._flaw_torn()
        left = self._ledger.leftovers()
        return Verification(
            records=self._records,
            segments=tuple(self._segments),
            first=self._first,
            last=self._last,
            head_seq=self._seq,
            head=self._prev or "",
            flaws=tuple(self._flaws),
            flaw_count=self._flaw_count,
            unfinished=left.applies,
            transactions=left.transactions,
            unattributed=tuple(self._unattributed),
            unattributed_count=self._unattributed_count,
            notes=tuple(self._notes),
        )
