"""A believed repository with one endpoint, for what the command line says of anything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flow_attack import Site
from flow_gate import Gate
from trust_world import make_key, policy_document

from haoam_sync.trust import ssh


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A private key for everybody whom the policy names."""
    directory = tmp_path_factory.mktemp("people")
    return {name: make_key(directory, name) for name in ("alice", "bob", "carol", "dave")}


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path]) -> Iterator[Site]:
    """A world whose introduction commit is believed; its only endpoint swallows everything."""
    with Gate() as gate:
        yield Site(tmp_path, keys, policy_document({name: ssh.public_of(key) for name, key in keys.items()}), gate=gate)
