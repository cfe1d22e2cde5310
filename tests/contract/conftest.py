"""Fixtures of the contract tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A new directory with a path short enough for Unix sockets, wherever pytest's own ones are."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)
