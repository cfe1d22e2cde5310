"""What the verification of a log gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from haoam_sync.audit.attribution import Unattributed
from haoam_sync.audit.leftovers import LeftTransaction, Unfinished
from haoam_sync.model.results import AuditResult

TRUNCATION: Final = (
    "records removed from the end leave no trace in the log itself: compare number and hash of the last record with a "
    "copy kept elsewhere"
)
"""What verification cannot see."""


@dataclass(frozen=True, slots=True)
class LogFlaw:
    """Something that a whole log does not have.

    Attributes:
        code: E_AUDIT_..., see `codes.Flaw`.
        file: name of the segment, "" where none is meant.
        line: from 1, 0 where none is meant.
        message: what was found.
    """

    code: str
    file: str
    line: int
    message: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part)
        return f"{self.code} {self.message} {place}".strip()


@dataclass(frozen=True, slots=True)
class SegmentSummary:
    """One segment.

    Attributes:
        file: its name.
        records: how many lines it has.
        root: RFC 6962 Merkle root over its lines without their newlines, 64 hex digits.
    """

    file: str
    records: int
    root: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes:
        records: how many lines were read as records.
        segments: each of them, in order.
        first: time of the first record, "" for none.
        last: time of the last one.
        head_seq: number of the last record, 0 for none: with `head` what to compare with a copy kept elsewhere.
        head: hash of the last record.
        flaws: the first hundred things that break the log.
        flaw_count: how many flaws there are in all.
        unfinished: applies without an outcome.
        transactions: transactions of ours that were neither committed nor deleted.
        unattributed: the first hundred changes that no record explains.
        unattributed_count: how many there are in all.
        notes: crashes and clock changes that the log itself tells of.
        limits: what verification cannot see.
    """

    records: int
    segments: tuple[SegmentSummary, ...]
    first: str
    last: str
    head_seq: int
    head: str
    flaws: tuple[LogFlaw, ...]
    flaw_count: int
    unfinished: tuple[Unfinished, ...]
    transactions: tuple[LeftTransaction, ...]
    unattributed: tuple[Unattributed, ...]
    unattributed_count: int
    notes: tuple[str, ...]
    limits: str = TRUNCATION

    @property
    def intact(self) -> bool:
        """Whether the log is what was written, as far as that can be seen."""
        return not self.flaw_count

    def to_json(self) -> AuditResult:
        """The whole result, for `--output json`."""
        return {
            "intact": self.intact,
            "records": self.records,
            "segments": [{"file": s.file, "records": s.records, "root": s.root} for s in self.segments],
            "first": self.first,
            "last": self.last,
            "head": {"seq": self.head_seq, "hash": self.head},
            "flaws": [
                {"code": flaw.code, "file": flaw.file, "line": flaw.line, "message": flaw.message}
                for flaw in self.flaws
            ],
            "flaw_count": self.flaw_count,
            "unfinished": [
                {
                    "apply": apply.apply,
                    "seq": apply.seq,
                    "time": apply.time,
                    "commit": apply.authority.commit,
                    "instances": [str(instance) for instance in apply.instances],
                }
                for apply in self.unfinished
            ],
            "transactions": [
                {"instance": str(left.instance), "id": left.id, "seq": left.seq} for left in self.transactions
            ],
            "unattributed": [
                {
                    "instance": str(change.instance),
                    "what": change.what,
                    "expected": change.expected,
                    "found": change.found,
                    "seq": change.seq,
                    "time": change.time,
                }
                for change in self.unattributed
            ],
            "unattributed_count": self.unattributed_count,
            "notes": list(self.notes),
            "limits": self.limits,
        }
