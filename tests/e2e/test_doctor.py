"""`doctor` over a repository and a real HAProxy behind its API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from flow_edge import edge

pytestmark = pytest.mark.e2e


def test_what_is_to_be_mended_is_named_and_nothing_is_changed(tmp_path: Path, people: Mapping[str, Path]) -> None:
    """The lab's plain password is found; the instance gets no write; one that is gone earns exit 7."""
    with edge(tmp_path, people, "eu/lb1") as world:
        world.review()
        ran = world.cli("doctor", "--output", "json")
        found = {(one["level"], one["code"], one["where"]) for one in ran.json["findings"]}
        assert ran.code == ran.json["exit"] == 2, ran.said
        assert ("warning", "D_PLAIN_PASSWORD", "eu/lb1") in found
        assert ("note", "D_INSTANCE", "eu/lb1") in found
        assert not {one for one in found if one[1] in {"D_NO_SOCKET", "D_NO_MASTER", "D_OPEN_API", "D_PLAIN_HTTP"}}
        assert world.node.gate.writes == []
        assert "adminpwd" not in ran.said
        world.node.gate.refusing = True
        gone = world.cli("doctor")
        assert (gone.code, "eu/lb1" in gone.out) == (7, True), gone.said
