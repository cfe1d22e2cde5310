"""How often Python looks for unreachable cycles while a command runs."""

from __future__ import annotations

import gc

import pytest

from haoam_sync import cli
from haoam_sync.cli import collecting


def test_a_command_collects_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a command runs, the young generation is large; after it, also after a failure, it is what it was."""
    before = gc.get_threshold()
    seen = []

    def command(*_: object) -> int:
        seen.append(gc.get_threshold())
        raise MemoryError

    monkeypatch.setattr(cli.haoam_sync, "invoke", command)
    with pytest.raises(SystemExit):
        cli.main(["schema"])
    assert seen == [(collecting.YOUNG, *before[1:])]
    assert gc.get_threshold() == before
