"""The proof: what the worker runs otherwise than wanted is found, and nothing else is complained about."""

from __future__ import annotations

from pathlib import Path

import pytest
from apply_case import API_BACKEND, FE, LB1, WEB, Wanted, backend, server, start, world_of
from instance_peer import Body, InstancePeer

from haoam_sync.apply import running, worker
from haoam_sync.dataplane import Client
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.section import SectionId, SectionKind


def found(
    peer: InstancePeer, wanted: dict[SectionId, Body | None], operator: dict[tuple[str, str], str] | None = None
) -> tuple[str, ...]:
    """The differences."""
    client = Client(peer, LB1, Unrecorded())
    return worker.differences(client, wanted, operator or {}, sleep=lambda _: None)


@pytest.fixture(params=[40, 0], ids=["by name", "at once"])
def peer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> InstancePeer:
    """An instance, asked for names or for everything."""
    monkeypatch.setattr(worker, "FEW", request.param)
    return InstancePeer(start())


def test_nothing_to_complain_about(peer: InstancePeer) -> None:
    """What runs as wanted gives no difference, sections that show nowhere in the worker included."""
    assert found(peer, dict(start()) | {API_BACKEND: None}) == ()


def test_what_does_not_run(peer: InstancePeer) -> None:
    """A proxy or server that is not there, and one that should be gone."""
    wanted = {
        API_BACKEND: backend("api", server("a1", 1)),
        SectionId(SectionKind.FRONTEND, "other"): {"name": "other"},
        FE: None,
        WEB: backend("web", server("s1", 18081), server("s9", 1)),
    }
    assert found(peer, wanted) == (
        "frontend/fe still runs",
        "frontend/other does not run",
        "backend/api does not run",
        "server web/s9 does not run",
        "server web/s2 still runs",
    )


def test_servers_in_another_state(peer: InstancePeer) -> None:
    """Maintenance and drains that nobody wants; those that git or an operator wants are right."""
    wanted = {WEB: backend("web", server("s1", 18081), server("s2", 18082, maintenance="enabled"))}
    assert found(peer, wanted) == ("server web/s2 is ready, not maint",)
    peer.states = {("web", "s1"): "drain", ("web", "s2"): "maint"}
    assert found(peer, wanted) == ("server web/s1 is drain, not ready",)
    assert found(peer, wanted, {("web", "s1"): "drain"}) == ()


def test_servers_at_another_place(peer: InstancePeer) -> None:
    """Another address or port is another server; one spelling of an address is as good as the other."""
    wanted = {WEB: backend("web", server("s1", 1), {**server("s2", 18082), "address": "127.0.0.9"})}
    assert found(peer, wanted) == (
        "server web/s1 has the port 18081, not 1",
        "server web/s2 has the address 127.0.0.1, not 127.0.0.9",
    )


def test_servers_by_name(peer: InstancePeer) -> None:
    """A name resolves to whatever it does, and HAProxy itself puts it into maintenance while it does not."""
    wanted = {WEB: backend("web", {**server("s1", 18081), "address": "app.example.test"}, server("s2", 18082))}
    assert found(peer, wanted) == ()
    peer.states["web", "s1"] = "maint"
    assert found(peer, wanted) == ()


def test_a_frontend_that_is_not_open(peer: InstancePeer) -> None:
    """A stopped frontend with binds is a difference, unless git wants it disabled."""
    peer.statuses = {"fe": "STOP"}
    assert found(peer, {FE: start()[FE]}) == ("frontend/fe is STOP",)
    assert found(peer, {FE: {**start()[FE], "disabled": True}}) == ()


def test_templates_make_servers_of_their_own(peer: InstancePeer) -> None:
    """Servers that come of a template are not named in git one by one."""
    wanted = backend("web", server("s1", 18081))
    assert found(peer, {WEB: wanted}) == ("server web/s2 still runs",)
    assert found(peer, {WEB: {**wanted, "server_templates": {"t": {"prefix": "s"}}}}) == ()


def test_the_worker_is_asked_again(peer: InstancePeer) -> None:
    """Right after a reload the old worker may still answer: a difference counts only when it stays."""
    states = peer.states
    peer.states = {("web", "s1"): "maint", ("web", "s2"): "maint"}
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        peer.states = states

    client = Client(peer, LB1, Unrecorded())
    assert worker.differences(client, {WEB: start()[WEB]}, {}, sleep=sleep) == ()
    assert len(pauses) == 1


def test_many_names_cost_three_requests(tmp_path: Path) -> None:
    """From some number of proxies on everything is asked for at once."""
    many = {SectionId(SectionKind.BACKEND, f"b{n:03}"): backend(f"b{n:03}", server("s", n + 1)) for n in range(100)}
    world, peer = world_of(tmp_path, Wanted(), InstancePeer({**start(), **many}))
    client = world.connect(LB1)
    assert len(many) > running.FEW
    assert worker.differences(client, {**many, FE: start()[FE]}, {}, sleep=lambda _: None) == ()
    assert client.requests == 3
    assert len(peer.asked) == 3
