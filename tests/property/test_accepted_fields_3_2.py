"""Apply, then plan again: empty, for sections that together hold every field that HAProxy accepts: API 3.2."""

from __future__ import annotations

import pytest
from accepted_lab import every_field, short_path

pytestmark = pytest.mark.e2e


def test_every_field_of_3_2() -> None:
    """After each of 100 applies or more, which together hold every accepted field and value, nothing is left to do."""
    with short_path() as place:
        every_field("3.2", place)
