"""A place for imports."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from import_case import Case


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Imports into a directory of this test's own."""
    return Case(tmp_path)
