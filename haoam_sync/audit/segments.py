"""The files of a log: `audit-000001.jsonl`, `audit-000002.jsonl`, ... in one directory.

Nothing that was written is ever changed or removed. A line that a crash left incomplete stays at the end of its
segment; the log goes on in the next one, whose first record names it. That also works on a file system that only lets
files grow (`chattr +a`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from haoam_sync.audit.line import MAX_LINE
from haoam_sync.errors import AuditError
from haoam_sync.model.json import JsonObject, digest_bytes

_NAME: Final = re.compile(r"audit-(\d{6})\.jsonl")
_BLOCK: Final = 1 << 16


def segment_path(directory: Path, number: int) -> Path:
    """The file of a segment; numbers begin at 1."""
    return directory / f"audit-{number:06d}.jsonl"


def segment_numbers(directory: Path) -> list[int]:
    """The numbers of the segments that are there, in order.

    Raises:
        AuditError: the directory cannot be read.
    """
    try:
        names = [path.name for path in directory.iterdir()]
    except OSError as error:
        raise AuditError(
            f"the audit log cannot be read: {error.strerror}",
            code="E_AUDIT_READ",
            where=str(directory),
            hint="name the directory of the log (--audit, HAOAM_AUDIT)",
        ) from error
    return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a segment.

    Attributes:
        number: from 1.
        data: without the newline.
        complete: whether a newline ended it; only the last line of a segment may lack it.
    """

    number: int
    data: bytes
    complete: bool


def lines(path: Path) -> Iterator[Line]:
    """The lines of a segment, one at a time in memory. One that is longer than MAX_LINE comes in pieces, none a record.

    Raises:
        AuditError: the segment cannot be read.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while data := file.readline(MAX_LINE):
                number += 1
                complete = data.endswith(b"\n")
                yield Line(number, data[:-1] if complete else data, complete or len(data) == MAX_LINE)
    except OSError as error:
        raise AuditError(
            f"a segment of the audit log cannot be read: {error.strerror}", code="E_AUDIT_READ", where=str(path)
        ) from error


@dataclass(frozen=True, slots=True)
class TornLine:
    """Bytes at the end of a segment that no newline ends.

    Attributes:
        segment: name of the file.
        offset: where they begin.
        size: how many.
        digest: `sha256:...` of them. They are a part of a record, so they hold no secret.
    """

    segment: str
    offset: int
    size: int
    digest: str

    def to_json(self) -> JsonObject:
        """As `detail.torn` of a `log.torn` record lists it."""
        return {"segment": self.segment, "offset": self.offset, "bytes": self.size, "digest": self.digest}

    @classmethod
    def of(cls, path: Path, offset: int, data: bytes) -> TornLine:
        """Describe the bytes `data` at `offset`."""
        return cls(path.name, offset, len(data), digest_bytes(data))


@dataclass(frozen=True, slots=True)
class Tail:
    """How a segment ends.

    Attributes:
        last: the last complete line, None when there is none.
        torn: what comes after it.
        size: of the file in bytes.
    """

    last: bytes | None
    torn: TornLine | None
    size: int


def read_tail(path: Path) -> Tail:
    """Read the end of a segment, without reading the rest.

    Raises:
        AuditError: it cannot be read, or the end is longer than a record may be.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            reach = _BLOCK
            while True:
                file.seek(max(0, size - reach))
                data = file.read()
                # The newline before the last line, and its own.
                if reach >= size or data.count(b"\n") > 1 or reach > 2 * MAX_LINE:
                    break
                reach *= 4
    except OSError as error:
        raise AuditError(
            f"the audit log cannot be read: {error.strerror}", code="E_AUDIT_READ", where=str(path)
        ) from error
    head, newline, torn = data.rpartition(b"\n")
    if reach < size and data.count(b"\n") < 2:  # noqa: PLR2004  # as above
        raise AuditError("the end of the audit log is no record: too long", code="E_AUDIT_TAIL", where=str(path))
    last = head.rpartition(b"\n")[2] if newline else None
    return Tail(last, TornLine.of(path, size - len(torn), torn) if torn else None, size)
