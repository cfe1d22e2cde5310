"""The builder of desired and live values, as a fixture."""

from __future__ import annotations

import pytest
from plan_values import Given


@pytest.fixture
def given() -> Given:
    """The builder."""
    return Given()
