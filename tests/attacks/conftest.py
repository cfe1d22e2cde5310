"""People with keys, made once for all tests, and a fresh world for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from trust_world import PEOPLE, World, closed_api, make_key, policy_document

from haoam_sync.trust import ssh


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A private key for everybody, and a second one for alice and bob."""
    directory = tmp_path_factory.mktemp("keys")
    names = (*PEOPLE, "alice-new", "bob-new")
    return {name: make_key(directory, name) for name in names}


@pytest.fixture(scope="session")
def publics(keys: Mapping[str, Path]) -> Mapping[str, str]:
    """Their public keys."""
    return {name: ssh.public_of(path) for name, path in keys.items()}


@pytest.fixture
def world(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[World]:
    """A repository with its introduction commit, a host that knows its root, and an API that is watched."""
    with closed_api() as api:
        yield World(tmp_path, keys, policy_document(publics), api=api)
