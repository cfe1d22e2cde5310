"""One request of an apply fails, whichever: the instance ends in the earlier state or in the finished one."""

from __future__ import annotations

from pathlib import Path

import pytest
from apply_case import API_BACKEND, LB1, apply_one, start
from test_apply_interrupted import EVERY_REQUEST, LAST_REQUEST, busy_world

from haoam_sync.errors import InstanceError
from haoam_sync.http import Call, Reply
from haoam_sync.model.outcome import Result

UNREADABLE = Reply(200, {"content-type": "text/html"}, b"<html>")


@pytest.mark.parametrize("kind", ["unsent", "unanswered", "nonsense"])
@pytest.mark.parametrize("number", EVERY_REQUEST)
def test_every_request_may_fail(tmp_path: Path, number: int, kind: str) -> None:
    """A request that never arrives, one whose answer is lost, one that a proxy answers with HTML."""
    world, peer = busy_world(tmp_path)
    authorized = world.plan()
    text, worker = peer.text, peer.worker
    count = 0

    def before(call: Call) -> Reply | None:
        nonlocal count
        count += 1
        if count != number:
            return None
        if kind == "nonsense":
            return UNREADABLE
        if kind == "unanswered":
            peer.answer(call, call.path.removeprefix("/services/haproxy"))
        raise InstanceError("the connection broke", code="E_TIMEOUT", where="eu/lb1")

    peer.before = before
    (outcome,) = world.run(authorized).instances
    assert outcome.result in (Result.APPLIED, Result.RESTORED, Result.FAILED)
    assert peer.states["web", "s2"] == "drain"
    assert world.journal.earlier(LB1) is None
    if outcome.result is Result.APPLIED:
        # Setting a state is tried again; a file left over is the next plan's work. Anything else is put back.
        assert peer.asked[number - 1].startswith(("PUT /runtime", "DELETE /storage"))
        assert set(peer.worker) == {*start(), API_BACKEND}
        assert any("could not be deleted" in note for note in outcome.notes) is (number == LAST_REQUEST)
    else:
        assert outcome.exit in (7, 8)
        assert (peer.text, peer.worker) == (text, worker)
        assert peer.phantom is (outcome.result is Result.FAILED)
        assert set(peer.certificates) == {"old.pem"}


def test_the_next_apply_finishes(tmp_path: Path) -> None:
    """After a lost answer the next plan and apply do the rest."""
    world, peer = busy_world(tmp_path)
    lost = iter([True])

    def before(call: Call) -> Reply | None:
        if call.method == "PUT" and "/transactions/" in call.path and next(lost, False):
            raise InstanceError("the connection broke", code="E_TIMEOUT", where="eu/lb1")
        return None

    peer.before = before
    assert apply_one(world).result is Result.RESTORED
    assert apply_one(world).result is Result.APPLIED
    assert apply_one(world).result is Result.UNCHANGED
