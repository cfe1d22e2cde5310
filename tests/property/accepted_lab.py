"""The lab for the examples: a commit's documents, applied to an instance that holds what they refer to."""

from __future__ import annotations

import os
import shutil
import socket as socket_module
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path

import pytest
from accepted_documents import load
from accepted_examples import accepted, examples
from apply_lab import free_port, lab
from surroundings import text, write_files
from test_apply_then_plan import Reconciler

from haoam_sync.apply.worker_drift import drifted
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind


@contextmanager
def short_path() -> Iterator[Path]:
    """A directory whose path is short: sockets are in it."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _ports() -> Iterator[int]:
    """Free ones below those that connections of other processes are given while HAProxy loads."""
    for port in chain.from_iterable(repeat(range(20_001 + os.getpid() % 10_000, 32_000, 2))):
        with socket_module.socket() as probe:
            taken = probe.connect_ex(("127.0.0.1", port)) == 0
        if not taken:
            yield port


def every_field(version: str, place: Path) -> None:
    """Nothing is left to do after any of the examples, and those that were applied hold everything that is accepted.

    All are applied to one instance, each to what the one before left.
    """
    write_files(place / "files")
    socket = place / "lab" / "admin.sock"
    api = ApiVersion.parse(version)
    cases = examples(version, place / "files", socket, _ports().__next__)
    applied: set[tuple[SectionKind, str]] = set()
    with lab(place / "lab", text(place / "files", socket, free_port()), api=version) as instance:
        if (found := instance.read().api) != api:
            pytest.skip(f"the server that HAOAM_DATAPLANEAPI names is API {found}")
        reconciler = Reconciler(instance, place)
        for number, example in enumerate(cases):
            wanted = load(example.sections, api)
            reconciler.apply(wanted)
            again = reconciler.plan(wanted)
            assert again.empty, (number, example.sections, again.changes)
            client = instance.client()
            try:
                assert drifted(client, wanted) == (), (number, example.sections)
            finally:
                client.close()
            applied |= example.items
    assert applied >= accepted(version)
