"""Times of records: RFC 3339, UTC, milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(seconds=5)
"""So much the clock may go back between two records (a step of NTP) before a `log.clock` record is needed."""
_FORM: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def rfc3339(moment: datetime) -> str:
    """`2026-03-01T12:00:00.000Z`, milliseconds cut off.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """Read what `rfc3339` writes.

    Raises:
        ValueError: it is no time in exactly that form.
    """
    if _FORM.fullmatch(text) is None:
        raise ValueError(f"not a time as 2026-03-01T12:00:00.000Z: {text[:40]!r}")
    return datetime.fromisoformat(text)
