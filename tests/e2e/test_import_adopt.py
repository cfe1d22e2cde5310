"""Adoption by a reviewed commit, by the command line, on a real HAProxy: nothing moves but marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flow_edge import Edge, edge

pytestmark = pytest.mark.e2e


@pytest.fixture
def world(tmp_path: Path, people: Mapping[str, Path]) -> Iterator[Edge]:
    """One instance to which git's own sections were applied; somebody else's are there, too."""
    with edge(tmp_path, people, "eu/lb1") as one:
        one.review()
        one.must(0, "apply", one.plan_digest())
        yield one


def test_adopt_what_somebody_wrote(world: Edge) -> None:
    """Two sections are adopted: no field in the plan, only marks in the file, and the next plan is empty."""
    node = world.node
    before, running = node.text, node.lab.proxies()
    directory = str(world.repo / "haproxy")
    found = world.must(
        0, "adopt", "eu/lb1", "defaults/base", "backend/theirs", f"--directory={directory}", "--output=json"
    ).json
    assert (found["owned"], found["foreign"]) == (2, 0)
    assert {one["file"] for one in found["sections"]} == {
        "haproxy/eu/backend-theirs.yaml",
        "haproxy/eu/defaults-base.yaml",
    }
    assert "# not ours" in (world.repo / "haproxy/eu/backend-theirs.yaml").read_text()
    world.commit()
    world.review()
    plan = world.must(2, "plan", "--output", "json").json
    (instance,) = plan["instances"]
    assert {(one["section"], one["reason"], len(one["fields"])) for one in instance["changes"]} == {
        ("defaults/base", "adopt", 0),
        ("backend/theirs", "adopt", 0),
    }
    world.must(0, "apply", plan["plan_digest"])
    world.must(0, "plan")
    assert node.lab.proxies() == running
    moved = {line.partition(" # {")[0] for line in set(before.splitlines()) ^ set(node.text.splitlines())}
    comments = {"  # not ours", "# somebody wrote this by hand"}  # they stand in git from now on
    assert moved <= {"backend theirs from base", "defaults base", *comments}


def test_adopt_in_part(world: Edge) -> None:
    """One section is adopted with what it refers to external, and with a field that somebody else keeps changing."""
    directory = f"--directory={world.repo}"
    world.must(0, "adopt", "eu/lb1", "backend/theirs", directory)
    file = world.repo / "haproxy/eu/backend-theirs.yaml"
    text = file.read_text()
    assert "  external: [defaults/base]\n" in text
    file.write_text(text.replace("spec:\n", "  ignore: [servers.*.weight]\nspec:\n", 1))
    world.commit()
    world.review()
    base, old = world.node.section("defaults base"), world.node.section("listen old")
    world.must(0, "apply", world.plan_digest())
    place = f"/configuration/backends/theirs/servers/t1?version={world.node.version()}"
    server = world.node.lab.ask("GET", "/configuration/backends/theirs/servers/t1")
    assert isinstance(server, dict)
    world.node.lab.ask("PUT", place, {**server, "weight": 77})
    world.must(0, "plan")
    assert "weight 77" in world.node.section("backend theirs")
    assert (world.node.section("defaults base"), world.node.section("listen old")) == (base, old)


def test_what_cannot_be_adopted(world: Edge) -> None:
    """What is not there, what is ours, and what cannot be owned is refused, and no file is written."""
    for section, code, words in (
        ("backend/nobody", "E_NO_SECTION", "has no section backend/nobody"),
        ("backend/web", "E_ADOPT", "is ours already, declared in haproxy/web.yaml"),
        ("listen/old", "E_USAGE", "listen"),
    ):
        failure = world.must(64, "adopt", "eu/lb1", section, f"--directory={world.repo}", "--output=json").json
        assert failure["code"] == code
        assert words in failure["message"]
    failure = world.must(64, "adopt", "eu/nobody", "backend/web", f"--directory={world.repo}", "--output=json").json
    assert "there is no instance 'eu/nobody'" in failure["message"]
    assert world.git("status", "--porcelain") == ""
