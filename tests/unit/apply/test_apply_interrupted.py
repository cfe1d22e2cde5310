"""Ctrl-C, SIGTERM and kill -9 at every place of an apply: the next state is the earlier one or the finished one."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from apply_case import (
    API_BACKEND,
    FE,
    LB1,
    WEB,
    Wanted,
    World,
    apply_one,
    as_by_hand,
    backend,
    bring_into_normal_form,
    server,
    start,
    world_of,
)
from instance_peer import InstancePeer

from haoam_sync import live
from haoam_sync.apply import Interrupted
from haoam_sync.apply.interrupt import Interrupts
from haoam_sync.http import Call, Reply
from haoam_sync.model.live import Live
from haoam_sync.model.outcome import Result

PEM = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
BIND = {"name": "tls", "address": "127.0.0.1", "port": 18443, "ssl": True, "ssl_certificate": "@ssl_certs_dir/new.pem"}
LAST_REQUEST = 31
OPENING_REQUEST = 13
EVERY_REQUEST = range(1, LAST_REQUEST + 1)


def busy_world(tmp_path: Path) -> tuple[World, InstancePeer]:
    """An apply with every kind of write in it, on a phantom, with a drain set by hand."""
    wanted = Wanted(
        {
            WEB: backend("web", server("s1", 18081), server("s2", 18082)),
            API_BACKEND: backend("api", server("a1", 18083)),
            FE: {**start()[FE], "binds": {"tls": BIND}},
        },
        {"new.pem": PEM},
        ("old.pem",),
        bring_into_normal_form,
    )
    world, peer = world_of(tmp_path, wanted, InstancePeer(start(), certificates={"old.pem": PEM}))
    as_by_hand(peer)
    peer.states["web", "s2"] = "drain"
    peer.version += 1
    return world, peer


def at(number: int, do: Callable[[], None], *, arrived: bool, peer: InstancePeer) -> Callable[[Call], Reply | None]:
    """Do something at the request with that number: before it arrives, or after it did its work."""
    count = 0

    def before(call: Call) -> Reply | None:
        nonlocal count
        count += 1
        if count == number:
            answer = peer.answer(call, call.path.removeprefix("/services/haproxy")) if arrived else None
            do()
            return answer
        return None

    return before


def interrupt() -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("arrived", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", EVERY_REQUEST)
def test_ctrl_c_at_every_request(tmp_path: Path, number: int, *, arrived: bool) -> None:
    """Wherever Ctrl-C comes: the earlier text is back and proven, or the new one proven; nothing is left over."""
    world, peer = busy_world(tmp_path)
    authorized = world.plan()
    text, worker = peer.text, peer.worker
    peer.before = at(number, lambda: _signal(signal.SIGINT), arrived=arrived, peer=peer)
    with pytest.raises(Interrupted) as caught:
        world.run(authorized)
    (outcome,) = caught.value.outcome.instances
    assert (peer.transactions, peer.states["web", "s2"], world.journal.earlier(LB1)) == ({}, "drain", None)
    if number == LAST_REQUEST:
        assert (outcome.result, set(peer.worker)) == (Result.APPLIED, {*start(), API_BACKEND})
        assert set(peer.certificates) == {"new.pem"}
        return
    assert outcome.result in (Result.RESTORED, Result.FAILED)
    assert outcome.error_code == "E_INTERRUPTED"
    assert (peer.text, peer.worker) == (text, worker)
    assert peer.phantom is (outcome.result is Result.FAILED)
    assert set(peer.certificates) == {"old.pem"}


def test_every_request_of_it_is_tried(tmp_path: Path) -> None:
    """The numbers above cover this apply from its first request to its last."""
    world, peer = busy_world(tmp_path)
    assert apply_one(world).result is Result.APPLIED
    assert len(peer.asked) == LAST_REQUEST
    assert peer.asked[OPENING_REQUEST - 1] == "POST /transactions"
    assert peer.certificates == {"new.pem": PEM}


@pytest.mark.parametrize("arrived", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", EVERY_REQUEST)
def test_kill_at_every_request(tmp_path: Path, number: int, *, arrived: bool) -> None:
    """Killed without a chance to clean up: the next plan and apply finish it, and no transaction of ours is left."""
    world, peer = busy_world(tmp_path)
    authorized = world.plan()
    frozen = tmp_path / "frozen"

    def kill() -> None:
        """From here on nothing reaches the instance or the disk: both are as the kill left them."""
        if world.journal_directory.exists():
            shutil.copytree(world.journal_directory, frozen)
        peer.before = dead
        interrupt()

    def dead(_: Call) -> Reply | None:
        raise ConnectionAbortedError

    peer.before = at(number, kill, arrived=arrived, peer=peer)
    with pytest.raises((Interrupted, ConnectionAbortedError)):
        world.run(authorized)
    shutil.rmtree(world.journal_directory, ignore_errors=True)
    if frozen.exists():
        shutil.move(frozen, world.journal_directory)
    peer.before = lambda _: None
    outcome = apply_one(world)
    assert outcome.result in (Result.APPLIED, Result.UNCHANGED)
    assert not peer.phantom
    assert set(peer.worker) == {*start(), API_BACKEND}
    assert peer.worker == peer.memory
    # The id of a transaction whose answer never came cannot be known: that one request is the only gap.
    opening = arrived and number == OPENING_REQUEST
    assert set(peer.transactions) == ({"tid-1"} if opening else set())
    assert world.journal.left(LB1) == ()
    assert world.journal.earlier(LB1) is None
    assert apply_one(world).result is Result.UNCHANGED


def test_a_commit_that_was_never_proven(tmp_path: Path) -> None:
    """Killed between a commit and its proof, and the worker does not serve from it: found on the next run, put back."""
    wanted = Wanted({API_BACKEND: backend("api", server("a1", 18083))})
    world, peer = world_of(tmp_path, wanted)
    text = peer.text
    world.journal.save_earlier(LB1, text)
    found = wanted.plan(_live(world))
    peer.write_elsewhere(lambda memory: memory.update({API_BACKEND: dict(found.changes[0].body or {})}))
    peer.states["api", "a1"] = "ready"
    del peer.worker[API_BACKEND]
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.RESTORED, 8, "E_RESTORED")
    assert "backend/api does not run" in outcome.error
    assert peer.text == text
    assert world.journal.earlier(LB1) is None


def test_a_commit_that_was_never_proven_and_holds(tmp_path: Path) -> None:
    """Killed between a commit and its proof, and all is well: said, and forgotten."""
    wanted = Wanted({API_BACKEND: backend("api", server("a1", 18083))})
    world, peer = world_of(tmp_path, wanted)
    world.journal.save_earlier(LB1, peer.text)
    found = wanted.plan(_live(world))
    peer.write_elsewhere(lambda memory: memory.update({API_BACKEND: dict(found.changes[0].body or {})}))
    outcome = apply_one(world)
    assert (outcome.result, peer.writes) == (Result.UNCHANGED, [])
    assert "is proven now" in outcome.notes[0]
    assert world.journal.earlier(LB1) is None


def test_a_commit_that_was_never_proven_under_the_work_of_others(tmp_path: Path) -> None:
    """Somebody else has written since: putting the earlier text back would undo that, so it is only said, loudly."""
    wanted = Wanted({API_BACKEND: backend("api", server("a1", 18083))})
    world, peer = world_of(tmp_path, wanted)
    text = peer.text
    world.journal.save_earlier(LB1, text)
    found = wanted.plan(_live(world))

    def change(memory: dict[object, dict[str, object]]) -> None:
        memory[API_BACKEND] = dict(found.changes[0].body or {})
        memory[WEB]["mode"] = "tcp"

    peer.write_elsewhere(change)  # type: ignore[arg-type]
    del peer.worker[API_BACKEND]
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, peer.writes) == (Result.NOT_RESTORED, 9, [])
    assert "somebody else has changed backend/web" in outcome.error
    assert world.journal.earlier(LB1) == text


def _live(world: World) -> Live:
    return live.read(world.connect(LB1), LB1)


def _signal(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_an_apply(tmp_path: Path, number: int) -> None:
    """SIGTERM and SIGINT while the commit runs: put back; and the handlers of before are in place again."""
    earlier = (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
    world, peer = busy_world(tmp_path)
    authorized = world.plan()
    text = peer.text
    place = LAST_REQUEST // 2
    peer.before = at(place, lambda: _signal(number), arrived=True, peer=peer)
    with pytest.raises(Interrupted):
        world.run(authorized)
    assert (peer.text, peer.transactions) == (text, {})
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == earlier


def test_a_second_signal_does_not_stop_the_clean_up(tmp_path: Path) -> None:
    """Whoever presses Ctrl-C twice still gets the earlier state."""
    world, peer = busy_world(tmp_path)
    authorized = world.plan()
    text = peer.text
    seen = 0

    def before(_: Call) -> Reply | None:
        nonlocal seen
        seen += 1
        if seen >= LAST_REQUEST // 2:
            _signal(signal.SIGINT)
        return None

    peer.before = before
    with pytest.raises(Interrupted):
        world.run(authorized)
    assert (peer.text, peer.transactions) == (text, {})


def test_a_held_signal_comes_afterwards() -> None:
    """What must not be torn apart is not; the signal is raised at its end."""
    steps: list[str] = []

    def work() -> None:
        with Interrupts() as interrupts:
            with interrupts.held():
                _signal(signal.SIGTERM)
                steps.append("inside")
            steps.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["inside"]
