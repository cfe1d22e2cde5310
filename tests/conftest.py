"""What all tests share: where their builders are, and what is to be done without a HAProxy."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from haoam_sync.errors import HaoamError
from haoam_sync.lab.haproxy import find_haproxy

# How long a test takes says how busy the machine is, and nothing about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Builders that tests of several folders use; test folders are no packages. And `tests.bench`.
sys.path[:0] = [*(str(Path(__file__).parent / folder) for folder in ("attacks", "e2e")), str(Path(__file__).parents[1])]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a HAProxy, end-to-end tests are skipped on a developer's machine. In CI they run, and fail."""
    if os.environ.get("CI"):
        return
    try:
        find_haproxy()
    except HaoamError as error:
        reason = f"no HAProxy: {error.message}"
        for item in items:
            if item.get_closest_marker("e2e"):
                item.add_marker(pytest.mark.skip(reason=reason))
