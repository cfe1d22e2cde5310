"""What `--help` says."""

from __future__ import annotations

from pathlib import Path

import flow_cli
import pytest


@pytest.mark.parametrize("group", [(), ("trust",), ("trust", "state"), ("audit",), ("lab",), ("codec",)], ids=" ".join)
def test_no_sentence_of_a_list_of_commands_is_cut(tmp_path: Path, group: tuple[str, ...]) -> None:
    """Each command of a group is listed with its whole first sentence."""
    ran = flow_cli.run(flow_cli.environment(), tmp_path, *group, "--help")
    listed = ran.out.partition("Commands:\n")[2].partition("Exit codes:")[0]
    assert ran.code == 0
    assert listed.strip()
    assert "..." not in listed
