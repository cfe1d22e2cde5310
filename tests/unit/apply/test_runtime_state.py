"""What an operator has set in the worker by hand: found without a second question where there is nothing of it."""

from __future__ import annotations

import pytest
from apply_case import LB1, WEB, backend, server, start
from instance_peer import InstancePeer

from haoam_sync import live
from haoam_sync.apply import runtime_state
from haoam_sync.apply.running import Running
from haoam_sync.dataplane import Client
from haoam_sync.model.exchange import Unrecorded


class Anybody(Unrecorded):
    """A recorder that lets writes through."""

    def announce(self, request: object) -> None:
        """Nothing to keep."""


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> InstancePeer:
    """An instance with more backends than are asked for by statistics."""
    monkeypatch.setattr(runtime_state, "_STATISTICS", 0)
    idle = backend("web", server("s1", 18081, maintenance="enabled"), server("s2", 18082))
    return InstancePeer({**start(), WEB: idle})


def put_back(peer: InstancePeer, ended: dict[tuple[str, str], str]) -> tuple[dict[tuple[str, str], str], int]:
    """The states of an operator's choice after a reload that ended them, and how many questions that took."""
    client = Client(peer, LB1, Anybody())
    before = live.read(client, LB1)
    states = runtime_state.read(client, before, [])
    peer.states.update(ended)
    peer.asked.clear()
    running = Running(client, peer.text)
    found, _ = runtime_state.put_back(client, states, before, before, running, sleep=lambda _: None)
    return found, len(peer.asked)


def test_a_worker_that_runs_its_file_is_not_asked_again(peer: InstancePeer) -> None:
    """Where every server is in its configured state, a reload ended nothing, and no request is made."""
    assert put_back(peer, {}) == ({}, 0)


def test_one_order_of_an_operator_is_put_back(peer: InstancePeer) -> None:
    """One server in another state: the worker is asked what the reload left, and told."""
    peer.states["web", "s2"] = "drain"
    assert put_back(peer, {("web", "s2"): "ready"}) == ({("web", "s2"): "drain"}, 2)
    assert peer.states["web", "s2"] == "drain"


def test_one_made_ready_by_hand_is_put_back(peer: InstancePeer) -> None:
    """A server that the file starts in maintenance and an operator made ready is found, too."""
    peer.states["web", "s1"] = "ready"
    assert put_back(peer, {("web", "s1"): "maint"}) == ({("web", "s1"): "ready"}, 2)
