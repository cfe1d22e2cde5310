"""Instances one after the other: the first failure stops the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from apply_case import FE, WEB, Wanted, World, backend, cluster, server, start, trusted
from instance_peer import InstancePeer

from haoam_sync import live
from haoam_sync.dataplane import Client
from haoam_sync.errors import HaoamError, InstanceError
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.fleet import Fleet, InstanceId
from haoam_sync.model.outcome import Result
from haoam_sync.model.plan import Plan

NAMES = [InstanceId(*name.split("/")) for name in ("canary/c1", "eu/z1", "eu/a1", "us/u1")]
FLEET = Fleet(
    "f",
    {"us": cluster("us", 2, "u1"), "eu": cluster("eu", 2, "z1", "a1"), "canary": cluster("canary", 1, "c1")},
)


def world_of_four(tmp_path: Path, *, bad: str = "") -> World:
    """Four instances; the one called `bad` gets what HAProxy refuses."""
    good = Wanted({WEB: backend("web", server("s1", 18081))})
    refused = Wanted({FE: {**start()[FE], "default_backend": "missing"}})
    return World(
        tmp_path / "journal",
        {name: InstancePeer(start()) for name in NAMES},
        {name: refused if str(name) == bad else good for name in NAMES},
        FLEET,
    )


def test_order_is_wave_cluster_and_place_in_the_file(tmp_path: Path) -> None:
    """The canary's wave first, then clusters by name, each beginning with the first instance of haoam.yaml."""
    world = world_of_four(tmp_path)
    authorized = world.plan()
    order: list[InstanceId] = []
    connect = world.connect

    def note(instance: InstanceId) -> Client:
        order.append(instance)
        return connect(instance)

    world.connect = note  # type: ignore[method-assign]
    outcome = world.run(authorized)
    assert order == NAMES
    assert [one.id for one in outcome.instances] == sorted(NAMES)
    assert {one.result for one in outcome.instances} == {Result.APPLIED}
    assert (outcome.commit, outcome.plan_digest) == (authorized.plan.commit, authorized.plan.digest)


def test_a_failure_stops_the_rest(tmp_path: Path) -> None:
    """What comes after a failure is not attempted: no request at all is sent there."""
    world = world_of_four(tmp_path, bad="eu/z1")
    outcome = world.run(world.plan())
    results = {str(one.id): one.result for one in outcome.instances}
    assert results == {
        "canary/c1": Result.APPLIED,
        "eu/z1": Result.RESTORED,
        "eu/a1": Result.NOT_ATTEMPTED,
        "us/u1": Result.NOT_ATTEMPTED,
    }
    assert world.peers[InstanceId("eu", "a1")].asked == []
    assert {one.exit for one in outcome.instances} == {0, 8}


def test_an_instance_that_cannot_be_connected(tmp_path: Path) -> None:
    """No client, no attempt: exit 7, and the rest is not attempted."""
    world = world_of_four(tmp_path)
    authorized = world.plan()

    def refuse(instance: InstanceId) -> Client:
        raise InstanceError("the authority is not PEM", code="E_TLS", where=str(instance))

    world.connect = refuse  # type: ignore[method-assign]
    first, *rest = world.run(authorized).instances
    assert (first.result, first.exit, first.error_code) == (Result.FAILED, 7, "E_TLS")
    assert {one.result for one in rest} == {Result.NOT_ATTEMPTED}


def test_an_instance_that_is_not_in_the_fleet(tmp_path: Path) -> None:
    """A plan for an instance that the fleet does not have is refused before anything is sent."""
    world = world_of_four(tmp_path)
    stranger = InstanceId("eu", "x9")
    world.peers[stranger] = InstancePeer(start())
    world.wanted[stranger] = Wanted()
    authorized = world.plan()
    with pytest.raises(HaoamError, match="does not have: eu/x9"):
        world.run(authorized)
    assert all(peer.asked == [] for peer in world.peers.values())


def test_an_empty_plan(tmp_path: Path) -> None:
    """A plan for no instance is done at once."""
    world = world_of_four(tmp_path)
    outcome = world.run(AuthorizedPlan(Plan("c" * 40, {}, "", ()), trusted()))
    assert outcome.instances == ()


def test_reading_is_the_real_one(tmp_path: Path) -> None:
    """The peers of these tests can be read by the live stage: they are no friendlier than it."""
    world = world_of_four(tmp_path)
    found = live.read(world.connect(NAMES[0]), NAMES[0])
    assert (found.version, found.phantom, WEB in found.sections) == (1, False, True)


@pytest.mark.parametrize("where", ["connect", "answer"])
def test_a_defect_at_one_instance_stops_the_rest_and_hides_nothing(tmp_path: Path, where: str) -> None:
    """What was applied before a defect is in the outcome, and what comes after it is not attempted."""
    world = world_of_four(tmp_path)
    authorized = world.plan()
    connect = world.connect

    def stumble(_: object = None) -> None:
        raise ZeroDivisionError

    def refuse(instance: InstanceId) -> Client:
        if str(instance) == "eu/z1":
            stumble()
        return connect(instance)

    if where == "connect":
        world.connect = refuse  # type: ignore[method-assign]
    else:
        world.peers[InstanceId("eu", "z1")].before = stumble
    outcome = world.run(authorized)
    assert {str(one.id): (one.result, one.error_code) for one in outcome.instances} == {
        "canary/c1": (Result.APPLIED, ""),
        "eu/z1": (Result.FAILED, "E_UNEXPECTED"),
        "eu/a1": (Result.NOT_ATTEMPTED, ""),
        "us/u1": (Result.NOT_ATTEMPTED, ""),
    }
