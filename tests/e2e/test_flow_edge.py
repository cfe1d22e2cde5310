"""The whole flow by its command line on one real HAProxy; what happened is seen by other ways than the tool's own."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flow_edge import FOREIGN, GOOD, WEB, Edge, edge

from haoam_sync.haproxycfg import normal_form
from haoam_sync.model.section import API_KINDS

pytestmark = pytest.mark.e2e

MOST_REQUESTS = 3 + len(API_KINDS)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, people: Mapping[str, Path]) -> Iterator[Edge]:
    """One instance whose file was written by hand, and the first apply to it."""
    with edge(tmp_path_factory.mktemp("edge"), people, "eu/lb1") as world:
        world.review()
        world.must(0, "apply", world.plan_digest())
        yield world


@pytest.fixture
def world(applied: Edge) -> Edge:
    """The same, in sync."""
    applied.settle()
    return applied


def test_the_first_apply_reaches_the_traffic(world: Edge) -> None:
    """Requests come back from the backends that git names; the file is in the server's normal form, with our marks."""
    node = world.node
    assert {node.get("/")[1] for _ in range(4)} == {"web-1", "web-2"}
    assert node.get("/api/x") == ("lb1", "api-1")
    assert node.lab.proxies() >= {"frontend/fe", "backend/web", "server/web/web-1=in", "backend/theirs", "frontend/old"}
    assert normal_form(node.lab.file, node.lab.read().api) == node.lab.file
    for line in ("frontend fe from edge #", "backend web from edge #", "backend api from edge #", "defaults edge #"):
        assert f"\n{line}" in node.text


def test_a_second_plan_costs_few_requests_and_a_second_apply_writes_nothing(world: Edge) -> None:
    """A plan of an unchanged instance: at most three requests and one for each kind; an apply reads as much."""
    digest = world.plan_digest(0)
    assert 0 < len(world.node.gate.requests) <= MOST_REQUESTS
    world.node.gate.forget()
    outcome = world.must(0, "apply", digest, "--output", "json").json
    assert [one["result"] for one in outcome["instances"]] == ["unchanged"]
    assert (len(world.node.gate.requests) <= MOST_REQUESTS, world.node.gate.writes) == (True, [])
    assert outcome["instances"][0]["requests"] == len(world.node.gate.requests)


def test_drift_of_an_unchanged_instance_costs_one_request(world: Edge) -> None:
    """Version and checksum as the apply left them: nothing else is read."""
    ran = world.must(0, "drift")
    assert "in sync" in ran.out
    assert len(world.node.gate.requests) == 1


def test_drift_is_found_and_put_back(world: Edge) -> None:
    """Somebody sets a weight by the API: drift names it, apply puts it back in the file and in the worker."""
    node = world.node
    place = f"/configuration/backends/web/servers/web-1?version={node.version()}"
    server = node.lab.ask("GET", "/configuration/backends/web/servers/web-1")
    assert isinstance(server, dict)
    node.lab.ask("PUT", place, {**server, "weight": 7})
    assert node.weight("web", "web-1") == 7
    found = world.must(2, "drift", "--output", "json").json
    assert not found["in_sync"]
    [change] = found["instances"][0]["changes"]
    assert (change["section"], change["reason"]) == ("backend/web", "drift")
    assert change["fields"] == [{"path": "servers.web-1.weight", "before": 7, "after": 100, "secret": False}]
    assert "servers.web-1.weight: live 7, git 100" in world.must(2, "drift").out
    assert node.weight("web", "web-1") == 7  # drift changes nothing
    world.must(0, "apply", world.plan_digest())
    assert node.weight("web", "web-1") == 100
    assert "weight 7" not in node.text
    world.must(0, "drift")


def test_drift_of_the_worker(world: Edge) -> None:
    """A drain and a weight that stand in no file: drift alone does not see them, `--worker` names them, exit 2."""
    node = world.node
    assert "the worker runs it" in world.must(0, "drift", "--worker").out
    node.gate.forget()
    world.must(0, "drift", "--worker")
    quiet = len(node.gate.requests)
    assert quiet <= 5
    node.lab.worker("set server web/web-1 state drain")
    node.lab.worker("set server web/web-2 weight 7")
    try:
        world.must(0, "drift")
        ran = world.must(2, "drift", "--worker")
        assert "server web/web-1 is drain, not ready" in ran.out
        assert "server web/web-2 has the weight 7, not 100" in ran.out
        found = world.must(2, "drift", "--worker", "--output", "json").json
        assert not found["in_sync"]
        assert found["worker"] == [
            {
                "instance": "eu/lb1",
                "differences": [
                    "server web/web-1 is drain, not ready",
                    "server web/web-2 has the weight 7, not 100",
                ],
            }
        ]
        assert "worker" not in world.must(0, "drift", "--output", "json").json
    finally:
        node.lab.worker("set server web/web-1 state ready")
        node.lab.worker("set server web/web-2 weight 100")
    world.must(0, "drift", "--worker")


def test_drift_of_a_worker_that_runs_an_older_file(world: Edge) -> None:
    """The file is as it was applied, and the worker was started from another one: `--worker` alone says so."""
    node = world.node
    with node.lab.client() as client:
        good = client.raw()
        older = re.sub(r"\n  server web-2 .*", "", good.text).replace("weight 100", "weight 50")
        assert older.count("\n") == good.text.count("\n") - 1
        loaded = client.write_raw(older, version=good.version or 0)
        client.write_raw_at_run_time(good.text, version=loaded.version or 0, actions="")
    try:
        world.must(0, "drift")
        ran = world.must(2, "drift", "--worker")
        # API 3.2 says as well that these are not the file's servers; 3.4 names the backend of each instead.
        assert "server web/web-2 does not run" in ran.out
        assert "server web/web-1 has the weight 50, not 100" in ran.out
    finally:
        with node.lab.client() as client:
            now = client.raw()
            client.write_raw(now.text, version=now.version or 0)
    world.must(0, "drift", "--worker")


def test_what_is_not_ours_stays_byte_for_byte(world: Edge) -> None:
    """An apply that changes, adds and deletes leaves every foreign section as it was, comments and spaces included."""
    node = world.node
    before = {line: node.section(line) for line in FOREIGN}
    assert "  # not ours" in before["backend theirs"]
    more = WEB.replace("name: web}", "name: more}")
    changed = {"haproxy/web.yaml": WEB.replace("weight: 100", "weight: 30"), "haproxy/more.yaml": more}
    world.must(0, "apply", world.land(changed))
    assert node.weight("web", "web-1") == 30
    assert {line: node.section(line) for line in FOREIGN} == before
    world.must(0, "apply", world.land({"haproxy/more.yaml": None}))
    assert {line: node.section(line) for line in FOREIGN} == before


def test_a_section_taken_out_of_git_goes_away(world: Edge) -> None:
    """The plan shows the deletion first; then the worker has it no more."""
    node = world.node
    world.must(0, "apply", world.land({"haproxy/more.yaml": WEB.replace("name: web}", "name: more}")}))
    assert "backend/more" in node.lab.proxies()
    digest = world.land({"haproxy/more.yaml": None})
    assert "- delete backend/more" in world.must(2, "plan").out
    assert "backend/more" in node.lab.proxies()
    world.must(0, "apply", digest)
    assert "backend/more" not in node.lab.proxies()
    assert "backend more" not in node.text


def test_what_is_protected_is_not_deleted(world: Edge) -> None:
    """Deleting it is refused, exit 5; after a change that takes the protection away it is deleted."""
    node = world.node
    guarded = WEB.replace("{name: web}", "{name: more, protected: true}")
    world.must(0, "apply", world.land({"haproxy/more.yaml": guarded}))
    digest = world.land({"haproxy/more.yaml": None})
    node.gate.forget()
    ran = world.must(5, "apply", digest)
    assert ran.err.startswith("E_PROTECTED: ")
    assert node.gate.writes == []
    assert "backend/more" in node.lab.proxies()
    world.must(0, "apply", world.land({"haproxy/more.yaml": guarded.replace(", protected: true", "")}, code=0))
    world.must(0, "apply", world.land({"haproxy/more.yaml": None}))
    assert "backend/more" not in node.lab.proxies()


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("E_LIMIT_DELETE", {"haproxy/frontend.yaml": None}),
        ("E_LIMIT_EMPTY", dict.fromkeys(GOOD)),
        ("E_LIMIT_CAPACITY", {"haproxy/web.yaml": WEB.replace("weight: 100", "maintenance: enabled")}),
    ],
)
def test_a_plan_over_a_limit(world: Edge, code: str, files: Mapping[str, str | None]) -> None:
    """The plan shows what would be done; apply refuses it, exit 6, and writes nothing."""
    node = world.node
    before = node.text
    digest = world.land(files)
    node.gate.forget()
    ran = world.must(6, "apply", digest)
    assert ran.err.startswith(f"{code}: ")
    assert (node.gate.writes, node.text) == ([], before)


def test_a_change_between_plan_and_apply(world: Edge) -> None:
    """What was shown is what is done: a change of ours in between voids the plan (10), a foreign one does not."""
    node = world.node
    digest = world.land({"haproxy/web.yaml": WEB.replace("weight: 100", "weight: 60")})
    server = node.lab.ask("GET", "/configuration/backends/web/servers/web-2")
    assert isinstance(server, dict)
    place = f"/configuration/backends/web/servers/web-2?version={node.version()}"
    node.lab.ask("PUT", place, {**server, "weight": 9})
    node.gate.forget()
    ran = world.must(10, "apply", digest)
    assert ran.err.startswith("E_PLAN_MISMATCH: ")
    assert node.gate.writes == []
    assert node.weight("web", "web-2") == 9
    digest = world.plan_digest()
    theirs = {"name": "between", "from": "base"}
    node.lab.ask("POST", f"/configuration/backends?version={node.version()}&force_reload=true", theirs)
    world.must(0, "apply", digest)
    assert (node.weight("web", "web-1"), node.weight("web", "web-2")) == (60, 60)
    assert "backend/between" in node.lab.proxies()


def test_somebody_else_holds_the_lock(world: Edge) -> None:
    """Two runners do not apply to one cluster: exit 12, and nothing is asked."""
    digest = world.land({"haproxy/web.yaml": WEB.replace("weight: 100", "weight: 80")})
    world.node.gate.forget()
    with (world.work / "state" / "locks" / "eu.lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ran = world.must(12, "apply", digest)
        assert ran.err.startswith("E_LOCKED: ")
        assert world.node.gate.requests == []
    world.must(0, "apply", digest)
    assert world.node.weight("web", "web-1") == 80


def test_the_audit_log_after_all_that(world: Edge) -> None:
    """Everything is recorded; what the tests did behind the tool's back is told, and nothing else."""
    found = world.must(2, "audit", "verify", "--output", "json").json
    assert (found["intact"], found["flaws"], found["unfinished"], found["transactions"]) == (True, [], [], [])
    assert {one["instance"] for one in found["unattributed"]} == {"eu/lb1"}
    assert re.search(r"the log is whole: \d+ records", world.must(2, "audit", "verify").out)
