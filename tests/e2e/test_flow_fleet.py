"""The flow over two clusters: who is asked, in which order, and what a failure stops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flow_edge import FRONTEND, WEB, Edge, edge

pytestmark = pytest.mark.e2e

HEAVIER = {"haproxy/web.yaml": WEB.replace("weight: 100", "weight: 70").replace("roundrobin", "leastconn")}
"""Needs a transaction and a reload."""


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, people: Mapping[str, Path]) -> Iterator[Edge]:
    """Two clusters of one instance each; the first one is of an earlier wave."""
    with edge(tmp_path_factory.mktemp("fleet"), people, "canary/c1", "prod/p1") as world:
        world.review()
        world.must(0, "apply", world.plan_digest())
        yield world


@pytest.fixture
def world(applied: Edge) -> Edge:
    """The same, in sync."""
    applied.settle()
    return applied


def test_each_instance_serves_by_itself(world: Edge) -> None:
    """Both are applied to, each with its own values."""
    assert [node.get("/api/")[0] for node in world.nodes.values()] == ["c1", "p1"]


def test_one_cluster_cannot_be_reached(world: Edge) -> None:
    """Exit 7 names it, and nothing is written anywhere; once it is back, the same plan goes through."""
    digest = world.land(HEAVIER)
    canary, prod = world.nodes.values()
    texts = [node.text for node in world.nodes.values()]
    prod.gate.refusing = True
    canary.gate.forget()
    for command in (("plan",), ("apply", digest)):
        assert "[prod/p1]" in world.must(7, *command).err
    assert canary.gate.writes == []
    assert [node.text for node in world.nodes.values()] == texts
    prod.gate.refusing = False
    world.must(0, "apply", digest)
    assert [node.weight("web", "web-1") for node in world.nodes.values()] == [70, 70]


def test_every_failure_of_a_plan_is_named(world: Edge) -> None:
    """A plan needs all instances; all that fail are in its one refusal."""
    for node in world.nodes.values():
        node.gate.refusing = True
    said = world.must(7, "plan").err
    assert "canary/c1" in said
    assert "prod/p1" in said


def test_one_cluster_alone(world: Edge) -> None:
    """`--cluster` asks and changes that one; the other one keeps what was applied to it, and is no drift."""
    world.land(HEAVIER)
    canary, prod = world.nodes.values()
    plan = world.must(2, "plan", "--cluster", "canary", "--output", "json").json
    prod.gate.forget()
    world.must(0, "apply", plan["plan_digest"], "--cluster", "canary")
    assert (canary.weight("web", "web-1"), prod.weight("web", "web-1")) == (70, 100)
    assert prod.gate.requests == []
    world.must(0, "drift")
    world.must(0, "apply", world.plan_digest())
    assert prod.weight("web", "web-1") == 70


def test_a_failure_stops_the_waves_after_it(world: Edge) -> None:
    """The canary cannot load the change: it is restored, and the other cluster is not written to."""
    _, prod = world.nodes.values()
    texts = [node.text for node in world.nodes.values()]
    clash = FRONTEND.replace("name: fe}", "name: clash}").replace("127.0.0.1", "203.0.113.77")
    digest = world.land({"haproxy/clash.yaml": clash})
    prod.gate.forget()
    outcome = world.must(8, "apply", digest, "--output", "json").json
    assert {one["instance"]: one["result"] for one in outcome["instances"]} == {
        "canary/c1": "restored",
        "prod/p1": "not attempted",
    }
    assert prod.gate.writes == []
    assert [node.text for node in world.nodes.values()] == texts


def test_a_failure_in_the_second_wave(world: Edge) -> None:
    """What the first wave took stays; the outcome lists both, and the next apply finishes."""
    canary, prod = world.nodes.values()
    digest = world.land(HEAVIER)
    prod.gate.before = lambda request: not (request.startswith("POST ") and "/transactions" in request)
    outcome = world.must(7, "apply", digest, "--output", "json").json
    results = {one["instance"]: one["result"] for one in outcome["instances"]}
    assert results == {"canary/c1": "applied", "prod/p1": "failed"}
    assert (canary.weight("web", "web-1"), prod.weight("web", "web-1")) == (70, 100)
    prod.gate.before = lambda _: True
    world.must(0, "drift", "--cluster", "canary")
    outcome = world.must(0, "apply", world.plan_digest(), "--output", "json").json
    results = {one["instance"]: one["result"] for one in outcome["instances"]}
    assert results == {"canary/c1": "unchanged", "prod/p1": "applied"}


def test_everything_is_accounted_for(world: Edge) -> None:
    """Nobody else wrote to any instance, and every apply has its outcome."""
    world.must(0, "audit", "verify")
