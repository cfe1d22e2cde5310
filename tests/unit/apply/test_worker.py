"""The proof: what the worker runs otherwise than wanted is found, and nothing else is complained about."""

from __future__ import annotations

import pytest
from apply_case import API_BACKEND, FE, LB1, WEB, backend, server, start
from instance_peer import Body, InstancePeer

from haoam_sync.apply import running, worker
from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import RuntimeServer
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.section import SectionId, SectionKind


def found(
    peer: InstancePeer, wanted: dict[SectionId, Body | None], operator: dict[tuple[str, str], str] | None = None
) -> tuple[str, ...]:
    """The differences."""
    client = Client(peer, LB1, Unrecorded())
    return worker.differences(client, wanted, operator or {}, text=peer.text, sleep=lambda _: None)


@pytest.fixture(params=[40, 0], ids=["by name", "at once"])
def peer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> InstancePeer:
    """An instance, asked for names or for everything."""
    monkeypatch.setattr(running, "FEW", request.param)
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


def test_disabled_proxies_are_not_expected_to_run(peer: InstancePeer) -> None:
    """HAProxy shows nothing of a proxy that is disabled, itself or by its defaults; one that shows still runs."""
    off = {SectionId(SectionKind.FRONTEND, "off"): {"name": "off"}, API_BACKEND: backend("api")}
    client = Client(peer, LB1, Unrecorded())
    text = "defaults d\n  disabled\nfrontend off from d\nbackend api\n  disabled\n"
    assert worker.differences(client, off, {}, text=text, sleep=lambda _: None) == ()
    enabled = text.replace("  disabled\n", "")
    assert worker.differences(client, off, {}, text=enabled, sleep=lambda _: None) == (
        "frontend/off does not run",
        "backend/api does not run",
    )
    both = {FE: start()[FE], WEB: start()[WEB]}
    text = "frontend fe\n  disabled\nbackend web\n  disabled\n"
    assert worker.differences(client, both, {}, text=text, sleep=lambda _: None) == (
        "frontend/fe still runs",
        "backend/web still runs",
    )


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
    assert worker.differences(client, {WEB: start()[WEB]}, {}, text=peer.text, sleep=sleep) == ()
    assert len(pauses) == 1


def many(count: int) -> dict[SectionId, Body]:
    """So many backends."""
    return {SectionId(SectionKind.BACKEND, f"b{n:03}"): backend(f"b{n:03}", server("s", n + 1)) for n in range(count)}


def test_many_backends_cost_one_request_and_a_spread_of_names() -> None:
    """From some number of backends on every server is asked for at once, and each of them is looked at."""
    sections = many(100)
    peer = InstancePeer({**start(), **sections})
    client = Client(peer, LB1, Unrecorded())

    def wrong() -> tuple[str, ...]:
        peer.asked.clear()
        return worker.differences(client, {**sections, FE: start()[FE]}, {}, text=peer.text, sleep=lambda _: None)

    assert wrong() == ()
    by_name = [line for line in peer.asked if "/backends/b" in line]
    assert len(by_name) == running.FEW
    assert len(peer.asked) == running.FEW + 2  # every server, and the statistics of frontends
    for section, body in sections.items():
        peer.states[section.name, "s"] = "maint"
        assert wrong() == (f"server {section.name}/s is maint, not ready",), body
        peer.states[section.name, "s"] = "ready"


def test_a_worker_of_another_file_is_asked_by_name() -> None:
    """When the servers are not those of the file nobody can tell whose they are, so that each backend is asked for."""
    sections = many(60)
    peer = InstancePeer({**start(), **sections})
    running_one = dict(peer.worker)
    running_one.pop(SectionId(SectionKind.BACKEND, "b007"))
    peer.worker = running_one
    assert "backend/b007 does not run" in found(peer, dict(sections))


def test_a_backend_that_has_gone_leaves_no_servers() -> None:
    """A deleted backend is gone when no server of it is left; the slow statistics are asked when it had none."""
    sections = many(3)
    peer = InstancePeer({**start(), **sections})
    gone = SectionId(SectionKind.BACKEND, "gone")
    client = Client(peer, LB1, Unrecorded())
    for earlier, asked in ((backend("gone", server("s", 1)), 1), (backend("gone"), 2)):
        peer.asked.clear()
        assert (
            worker.differences(client, {gone: None}, {}, text=peer.text, sleep=lambda _: None, earlier={gone: earlier})
            == ()
        )
        assert len(peer.asked) == asked


def told(*names: str, backend_name: str = "") -> list[RuntimeServer]:
    """Servers as the worker lists them."""
    return [RuntimeServer(name, "127.0.0.1", 1, "ready", backend=backend_name) for name in names]


TEXT = """\
global
  stats socket /x

peers p
  server p1 127.0.0.1:1

backend a
  server a2 127.0.0.1:1
  server a1 127.0.0.1:2

backend empty
  mode http

listen l
  server-template t 2-3 127.0.0.1:1
  server-template u 2 127.0.0.1:1
  server # a comment
"""


def test_servers_are_placed_by_the_order_of_the_file() -> None:
    """Without their backends, servers belong to the backends and listens of the file one after the other."""
    found = running.placed(told("a1", "a2", "t2", "t3", "u1", "u2", "#"), TEXT)
    assert found is not None
    assert {name: sorted(servers) for name, servers in found.items()} == {
        "a": ["a1", "a2"],
        "l": ["#", "t2", "t3", "u1", "u2"],
    }


@pytest.mark.parametrize(
    "names", [("a1",), ("a1", "a2", "t2", "t3", "u1", "u2", "#", "more"), ("a1", "x", "t2", "t3", "u1", "u2", "#"), ()]
)
def test_other_servers_are_not_placed(names: tuple[str, ...]) -> None:
    """One server more, fewer, or of another name, and nothing is said about any of them."""
    assert running.placed(told(*names), TEXT) is None


def test_servers_that_tell_their_backend_need_no_order() -> None:
    """API 3.4 tells the backend."""
    found = running.placed([*told("s", backend_name="z"), *told("s", backend_name="y")], TEXT)
    assert found is not None
    assert sorted(found) == ["y", "z"]
