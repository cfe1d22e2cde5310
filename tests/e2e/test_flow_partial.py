"""One cluster of two instances, of which one fails: what is told of the other one, and what is remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flow_cli import run
from flow_edge import WEB, Edge, edge

from haoam_sync import apply as applies
from haoam_sync.apply import convergence
from haoam_sync.model.desired import Desired
from haoam_sync.model.live import Live
from haoam_sync.model.plan import InstancePlan
from haoam_sync.pipeline.opening import Opened

pytestmark = pytest.mark.e2e

HEAVIER = {"haproxy/web.yaml": WEB.replace("weight: 100", "weight: 70")}
TEAM = """\
apiVersion: haoam/v1
kind: Userlist
metadata: {name: team}
spec: {groups: {ops: {}}}
"""


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, people: Mapping[str, Path]) -> Iterator[Edge]:
    """A cluster of two."""
    with edge(tmp_path_factory.mktemp("partial"), people, "edge/e1", "edge/e2") as world:
        world.review()
        world.must(0, "apply", world.plan_digest())
        yield world


@pytest.fixture
def world(applied: Edge) -> Edge:
    """The same, in sync."""
    applied.settle()
    return applied


def remembered(world: Edge) -> dict[str, str]:
    """The commit that each instance was brought to."""
    return dict(world.must(0, "trust", "state", "--output", "json").json["instances"])


def concluded(world: Edge) -> dict[str, str]:
    """The outcome of each instance that the audit log has of the newest apply."""
    lines = [line for file in sorted((world.work / "audit").glob("*.jsonl")) for line in file.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    newest = next(record["apply"] for record in reversed(records) if record.get("apply"))
    return {
        f"{record['cluster']}/{record['instance']}": record["outcome"]
        for record in records
        if record.get("apply") == newest and record["event"] == "instance.concluded"
    }


def test_drift_is_told_of_those_that_answer(world: Edge) -> None:
    """An instance that cannot be reached is named, exit 7 before 2, and the drift of the other one is shown."""
    first, second = world.nodes.values()
    changed = {"name": "web-1", "address": "127.0.0.1", "port": 6666}
    first.lab.ask("PUT", f"/configuration/backends/web/servers/web-1?version={first.version()}", changed)
    world.must(2, "drift")
    second.gate.refusing = True
    told = world.must(7, "drift").out
    assert "edge/e1: drift" in told
    assert "6666" in told
    assert "edge/e2: not compared: E_UNREACHABLE" in told
    found = world.must(7, "drift", "--output", "json").json
    assert (found["in_sync"], [one["instance"] for one in found["instances"]]) == (False, ["edge/e1"])
    assert [(one["instance"], one["code"]) for one in found["failed"]] == [("edge/e2", "E_UNREACHABLE")]
    assert "cannot reach" in found["failed"][0]["message"]


def test_what_half_a_cluster_got_is_taken_back(world: Edge) -> None:
    """A userlist carries no mark: the instance that got it is remembered, so the next commit deletes it there."""
    first, second = world.nodes.values()
    earlier = world.head
    digest = world.land({"haproxy/team.yaml": TEAM})
    second.gate.before = lambda request: request.startswith("GET ")
    world.cli("apply", digest)
    assert ("userlist team" in first.text, "userlist team" in second.text) == (True, False)
    assert remembered(world) == {"edge/e1": world.head, "edge/e2": earlier}
    assert f"edge/e1: {world.head[:12]} was applied last" in world.must(0, "trust", "state").out
    second.gate.before = lambda _: True
    world.must(0, "drift")

    world.land({"haproxy/team.yaml": None})
    plan = world.must(2, "plan", "--output", "json").json
    changes = {one["instance"]: [(c["action"], c["section"]) for c in one["changes"]] for one in plan["instances"]}
    assert changes == {"edge/e1": [("delete", "userlist/team")], "edge/e2": []}
    world.must(0, "apply", plan["plan_digest"])
    assert "userlist team" not in first.text
    assert remembered(world) == dict.fromkeys(world.nodes, world.head)


def test_a_record_of_the_earlier_form_is_read(world: Edge) -> None:
    """Before instances had commits of their own, the cluster's was that of all of them."""
    file = world.work / "state" / "applied" / "edge.json"
    record = json.loads(file.read_text())
    for seen in record["instances"].values():
        del seen["commit"]
    file.write_text(json.dumps(record))
    assert remembered(world) == dict.fromkeys(world.nodes, record["commit"])
    world.must(0, "drift")


def test_a_defect_at_one_instance(world: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is put back, E_UNEXPECTED; the log has the outcome of both, and the first one counts as applied."""
    first, second = world.nodes.values()
    digest, earlier = world.land(HEAVIER), world.git("rev-parse", "HEAD~1")
    text = second.text
    differences = convergence.differences

    def stumble(plan: InstancePlan, live: Live) -> list[str]:
        if live.id.name == "e2":
            raise RecursionError
        return list(differences(plan, live))

    monkeypatch.setattr(convergence, "differences", stumble)
    outcome = world.must(8, "apply", digest, "--output", "json").json
    told = {one["instance"]: (one["result"], (one["error"] or {}).get("code")) for one in outcome["instances"]}
    assert told == {"edge/e1": ("applied", None), "edge/e2": ("restored", "E_UNEXPECTED")}
    assert concluded(world) == {"edge/e1": "applied", "edge/e2": "restored"}
    assert second.text == text
    assert first.weight("web", "web-1") == 70
    assert remembered(world) == {"edge/e1": world.head, "edge/e2": earlier}


def test_a_run_that_breaks_off_is_concluded(world: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends an apply, its intention has an outcome: the loud one where nobody knows."""
    digest = world.land(HEAVIER)
    before = remembered(world)

    def broken(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(applies, "run", broken)
        world.must(1, "apply", digest)
    assert concluded(world) == {"edge/e1": "not restored", "edge/e2": "not restored"}
    assert remembered(world) == before
    world.must(0, "apply", digest)


def test_what_could_not_be_put_back_is_read_again(world: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drift looks at all of an instance after exit 9, also where the file looks untouched, until an apply proves it."""
    world.must(0, "apply", world.land({"haproxy/team.yaml": TEAM}))
    assert f"{len(world.nodes)} API requests" in world.must(0, "drift").said
    digest, before = world.land({"haproxy/team.yaml": None}), remembered(world)

    def broken(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(applies, "run", broken)
        world.must(1, "apply", digest)
    read = int(world.must(0, "drift").said.partition(" API requests")[0].split()[-1])
    assert read > 5 * len(world.nodes)
    # A userlist carries no mark: it is ours by the record of the commit before alone, and still is.
    assert remembered(world) == before
    world.must(0, "apply", digest)
    assert [node for node in world.nodes.values() if "userlist team" in node.text] == []
    assert f"{len(world.nodes)} API requests" in world.must(0, "drift").said


def test_somebody_newer_comes_first(world: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one apply waits, another one brings a newer commit: the older one is refused, and nothing goes back."""
    older_digest, older = world.land(HEAVIER), world.head
    newer_digest = world.land({"haproxy/web.yaml": WEB.replace("weight: 100", "weight: 40")})
    other = {**world.environment, "HAOAM_AUDIT": str(world.work / "audit-of-another")}
    wanted = Opened.wanted
    codes: list[int] = []

    def overtaken(here: Opened, commit: object) -> Desired:
        if getattr(commit, "id", "") == older and not codes:
            codes.append(run(other, world.work, "apply", newer_digest).code)
        return wanted(here, commit)  # type: ignore[arg-type]

    monkeypatch.setattr(Opened, "wanted", overtaken)
    refused = world.must(4, "apply", older_digest, older, "--output", "json").json
    assert (codes, refused["code"]) == ([0], "E_STATE_ROLLBACK")
    assert [node.weight("web", "web-1") for node in world.nodes.values()] == [40, 40]
    assert remembered(world) == dict.fromkeys(world.nodes, world.head)
