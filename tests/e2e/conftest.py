"""People with keys, made once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from trust_world import make_key


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A private key for everybody; the public one lies beside it."""
    directory = tmp_path_factory.mktemp("people")
    return {name: make_key(directory, name) for name in ("alice", "bob", "carol", "mallory")}
