"""What becomes of an instance when something goes wrong: as it was and proven, or the loud word that it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from apply_case import (
    API_BACKEND,
    BASE,
    FE,
    LB1,
    WEB,
    Wanted,
    World,
    apply_one,
    as_by_hand,
    backend,
    bring_into_normal_form,
    once,
    server,
    start,
    world_of,
)
from instance_peer import InstancePeer, Sections, text_of

from haoam_sync.errors import AuditError, InstanceError
from haoam_sync.http import Call, Reply
from haoam_sync.model.exchange import Request
from haoam_sync.model.outcome import Result
from haoam_sync.model.section import SectionId, SectionKind

PEM = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
LESS = Wanted({WEB: backend("web", server("s1", 18081))})
BAD_BIND = {
    "name": "fe",
    "from": "base",
    "mode": "http",
    "default_backend": "web",
    "binds": {"http": {"name": "http", "address": "203.0.113.77", "port": 80}},
}


def as_it_was(peer: InstancePeer, text: str) -> bool:
    """Whether file, memory and worker are those of the beginning, and nothing of ours is left."""
    fresh = InstancePeer(start())
    return (peer.text, peer.phantom, peer.memory, peer.worker, peer.transactions, peer.states) == (
        text,
        False,
        fresh.memory,
        fresh.worker,
        {},
        fresh.states,
    )


def test_haproxy_refuses(tmp_path: Path) -> None:
    """Validation fails: the transaction is deleted, the state is as it was, exit 8, and HAProxy's words are told."""
    world, peer = world_of(tmp_path, Wanted({FE: {**start()[FE], "default_backend": "missing"}}))
    text = peer.text
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.RESTORED, 8, "E_REFUSED")
    assert "unable to find required default_backend: 'missing'" in outcome.error
    assert as_it_was(peer, text)
    assert "POST /configuration/raw" not in peer.asked
    assert list(world.journal_directory.iterdir()) == []


def test_the_reload_fails(tmp_path: Path) -> None:
    """A bind that cannot be had: the API would show it as live, so the earlier text is written back, and proven."""
    world, peer = world_of(tmp_path, Wanted({FE: BAD_BIND}))
    text = peer.text
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.reload) == (Result.RESTORED, 8, "failed")
    assert "cannot bind socket [203.0.113.77:80]" in outcome.error
    assert as_it_was(peer, text)
    assert peer.asked.count("POST /configuration/raw") == 1
    assert outcome.version_after == 3


def test_a_drain_survives_a_restore(tmp_path: Path) -> None:
    """Putting the text back reloads too: what an operator had set is set again."""
    world, peer = world_of(tmp_path, Wanted({FE: BAD_BIND}))
    peer.states["web", "s1"] = "drain"
    outcome = apply_one(world)
    assert (outcome.result, peer.states["web", "s1"]) == (Result.RESTORED, "drain")
    assert outcome.notes == ("server web/s1 was in drain by hand; put back after the reload",)


def test_a_server_left_in_maintenance_is_no_success(tmp_path: Path) -> None:
    """The configuration reads back as wanted, but the worker does not serve from it: put back."""
    world, peer = world_of(tmp_path, Wanted({API_BACKEND: backend("api", server("a1", 18083))}))
    peer.stuck = {("api", "a1")}
    text = peer.text
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.RESTORED, 8, "E_NOT_CONVERGED")
    assert "server api/a1 is maint, not ready" in outcome.error
    assert as_it_was(peer, text)


def test_a_worker_that_did_not_take_it(tmp_path: Path) -> None:
    """A commit that answers success while the worker runs something else is no success."""
    world, peer = world_of(tmp_path, Wanted({API_BACKEND: backend("api", server("a1", 18083))}))
    load = peer._load
    peer._load = lambda: None  # type: ignore[method-assign]
    peer.before = once("POST /services/haproxy/configuration/raw", lambda: setattr(peer, "_load", load))
    outcome = apply_one(world)
    assert (outcome.result, outcome.error_code) == (Result.RESTORED, "E_NOT_CONVERGED")
    assert "backend/api does not run" in outcome.error


def test_read_back_otherwise_than_written(tmp_path: Path) -> None:
    """A server that drops a field without a word is found out by reading back."""
    world, peer = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081, weight=9))}))
    text = peer.text

    def drop(sections: Sections) -> None:
        del sections[WEB]["servers"]["s1"]["weight"]

    def commit() -> None:
        drop(peer.transactions["tid-1"][1])

    peer.before = once("PUT /services/haproxy/transactions", commit)
    outcome = apply_one(world)
    assert (outcome.result, outcome.error) == (
        Result.RESTORED,
        "HAProxy does not run what was written: backend/web is not what was written",
    )
    assert as_it_was(peer, text)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_commit_without_an_answer(tmp_path: Path, *, arrived: bool) -> None:
    """After a time-out nobody knows whether it was written: found out, and put back."""
    world, peer = world_of(tmp_path, LESS)
    text = peer.text

    def lose(call: Call) -> Reply | None:
        if call.method == "PUT" and "/transactions/" in call.path:
            if arrived:
                peer.answer(call, call.path.removeprefix("/services/haproxy"))
            raise InstanceError("no answer", code="E_TIMEOUT", where="eu/lb1")
        return None

    peer.before = lose
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.RESTORED, 8, "E_TIMEOUT")
    assert as_it_was(peer, text)


def test_a_commit_that_arrives_late(tmp_path: Path) -> None:
    """No answer, and it takes effect only after everything has looked as before: waited for, and put back."""
    world, peer = world_of(tmp_path, LESS)
    text = peer.text
    late: list[str] = []

    def before(call: Call) -> Reply | None:
        if call.method == "PUT" and "/transactions/" in call.path:
            late.append(text_of(peer.transactions["tid-1"][1]))
            raise InstanceError("no answer", code="E_TIMEOUT", where="eu/lb1")
        if late and call.method == "GET" and call.path.endswith("/raw"):
            late.append("")
            if len(late) == 3:
                peer._replace(late[0])
        return None

    peer.before = before
    assert apply_one(world).result is Result.RESTORED
    assert peer.reloads == 3
    assert as_it_was(peer, text)


def dead_from(peer: InstancePeer, place: str) -> None:
    """From the answer to the first request that contains `place` on, the instance cannot be reached."""
    dead: list[str] = []

    def before(call: Call) -> Reply | None:
        if dead:
            raise InstanceError("cannot reach it: Connection refused", code="E_UNREACHABLE", where="eu/lb1")
        if place in f"{call.method} {call.path}":
            dead.append(place)
        return None

    peer.before = before


def test_an_instance_that_dies_after_the_commit(tmp_path: Path) -> None:
    """Written, not proven, and not to be put back: exit 9, the error says both, the journal keeps the earlier text."""
    world, peer = world_of(tmp_path, LESS)
    text = peer.text
    dead_from(peer, "PUT /services/haproxy/transactions")
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.NOT_RESTORED, 9, "E_NOT_RESTORED")
    assert "Connection refused" in outcome.error
    assert "could not be restored" in outcome.error
    assert world.journal.earlier(LB1) == text


def test_a_restore_that_does_not_hold(tmp_path: Path) -> None:
    """When the earlier text is refused as well, that is said loudly."""
    world, peer = world_of(tmp_path, Wanted({FE: BAD_BIND}))
    refusal = Reply(400, {"content-type": "application/json"}, b'{"code": 400, "message": "validation error: no"}')
    peer.before = lambda call: refusal if call.method == "POST" and call.path.endswith("/raw") else None
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit) == (Result.NOT_RESTORED, 9)
    assert "cannot bind" in outcome.error
    assert "validation error: no" in outcome.error


def test_a_restore_waits_for_a_moment_of_deafness(tmp_path: Path) -> None:
    """An instance that cannot be reached for a moment is asked again before the loud word."""
    world, peer = world_of(tmp_path, Wanted({FE: BAD_BIND}))
    text = peer.text
    deaf = iter([True, True, False])
    committed: list[bool] = []

    def before(call: Call) -> Reply | None:
        if call.method == "PUT" and "/transactions/" in call.path:
            committed.append(True)
        if committed and call.path.endswith("/raw") and next(deaf, False):
            raise InstanceError("cannot reach it", code="E_UNREACHABLE", where="eu/lb1")
        return None

    peer.before = before
    assert apply_one(world).result is Result.RESTORED
    assert as_it_was(peer, text)


def test_somebody_else_changes_what_is_ours(tmp_path: Path) -> None:
    """409, and planning again gives another plan: stop, exit 10, nothing of ours is written, theirs stays."""
    world, peer = world_of(tmp_path, LESS)
    authorized = world.plan()
    peer.before = once(
        "PUT /services/haproxy/transactions",
        lambda: peer.write_elsewhere(lambda memory: memory[WEB].update(mode="tcp")),
    )
    (outcome,) = world.run(authorized).instances
    assert (outcome.result, outcome.exit) == (Result.FAILED, 10)
    assert (peer.worker[WEB]["mode"], len(peer.worker[WEB]["servers"]), peer.transactions) == ("tcp", 2, {})
    assert "POST /configuration/raw" not in peer.asked


def test_somebody_else_changes_what_is_ours_after_the_normal_form(tmp_path: Path) -> None:
    """Their write stands on our normal form: restoring the text would undo it, so only the upload is taken back."""
    wanted = Wanted({WEB: backend("web", server("s1", 18081))}, {"a.pem": PEM}, normal_form=bring_into_normal_form)
    world, peer = world_of(tmp_path, wanted)
    as_by_hand(peer)
    authorized = world.plan()
    peer.before = once(
        "PUT /services/haproxy/transactions",
        lambda: peer.write_elsewhere(lambda memory: memory[WEB].update(mode="tcp")),
    )
    (outcome,) = world.run(authorized).instances
    assert (outcome.result, outcome.exit) == (Result.FAILED, 10)
    assert (peer.worker[WEB]["mode"], peer.certificates) == ("tcp", {})
    assert any("normal form" in note for note in outcome.notes)


def test_an_instance_that_never_stands_still(tmp_path: Path) -> None:
    """Three conflicts in a row are enough: exit 7, nothing written."""
    world, peer = world_of(tmp_path, LESS)
    authorized = world.plan()
    maxconn = iter(range(100))

    def before(call: Call) -> Reply | None:
        if call.method == "PUT" and "/transactions/" in call.path:
            peer.write_elsewhere(lambda memory: memory[BASE].update(maxconn=next(maxconn)))
        return None

    peer.before = before
    (outcome,) = world.run(authorized).instances
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.FAILED, 7, "E_CONFLICT")
    assert len([line for line in peer.asked if line.startswith("PUT /transactions")]) == 3
    assert (len(peer.worker[WEB]["servers"]), peer.transactions) == (2, {})


def test_a_restore_keeps_what_others_wrote(tmp_path: Path) -> None:
    """Somebody else wrote after our commit, which then has to go: only our sections are put back."""
    old = SectionId(SectionKind.BACKEND, "old")
    begin = {**start(), old: backend("old", server("o1", 18084))}
    wanted = Wanted({API_BACKEND: backend("api", server("a1", 18083)), WEB: backend("web", server("s1", 1)), old: None})
    world, peer = world_of(tmp_path, wanted, InstancePeer(begin))
    peer.stuck = {("api", "a1")}
    authorized = world.plan()
    committed: list[bool] = []

    def before(call: Call) -> Reply | None:
        if call.method == "PUT" and "/transactions/" in call.path:
            committed.append(True)
        elif committed == [True] and call.path.endswith("/stats/native"):
            committed.append(True)
            peer.write_elsewhere(lambda memory: memory[BASE].update(maxconn=77))
        return None

    peer.before = before
    (outcome,) = world.run(authorized).instances
    assert (outcome.result, outcome.exit) == (Result.RESTORED, 8)
    expected = InstancePeer({**begin, BASE: {**begin[BASE], "maxconn": 77}})
    assert (peer.worker, peer.memory, peer.phantom) == (expected.worker, expected.memory, False)
    assert outcome.notes == ("somebody else has changed defaults base meanwhile; that was kept",)


def test_uploads_are_taken_back(tmp_path: Path) -> None:
    """A certificate uploaded for a configuration that is not taken is deleted again."""
    fe = {**BAD_BIND, "binds": {"tls": {"name": "tls", "address": "203.0.113.77", "port": 443, "ssl": True}}}
    world, peer = world_of(tmp_path, Wanted({FE: fe}, {"a.pem": PEM}))
    text = peer.text
    assert apply_one(world).result is Result.RESTORED
    assert peer.certificates == {}
    assert as_it_was(peer, text)


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    """The instance refuses the upload: everything is as it was."""
    world, peer = world_of(tmp_path, Wanted({}, {"a.pem": b"junk"}))
    text = peer.text
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit) == (Result.RESTORED, 8)
    assert "cannot read certificate a.pem" in outcome.error
    assert as_it_was(peer, text)


def test_twenty_transactions(tmp_path: Path) -> None:
    """No room for a transaction: nothing is written, exit 7, and the hint's code is told."""
    world, peer = world_of(tmp_path, LESS)
    full = Reply(429, {"content-type": "application/json"}, b'{"code": 429, "message": "maximum amount of 20"}')
    peer.before = lambda call: full if call.method == "POST" and call.path.endswith("/transactions") else None
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.FAILED, 7, "E_TOO_MANY_TRANSACTIONS")
    assert list(world.journal_directory.iterdir()) == []


def refuse_from(world: World, words: str) -> None:
    """From the first announced write that contains `words` on, the audit log cannot be written."""
    full: list[str] = []

    def refuse(request: Request) -> AuditError | None:
        if full or words in f"{request.method} {request.path}":
            full.append(words)
            return AuditError("the audit log cannot be written: No space left on device")
        return None

    world.log.refuse = refuse


def test_no_audit_no_write(tmp_path: Path) -> None:
    """When the first write cannot be announced, nothing is sent: exit 11."""
    world, peer = world_of(tmp_path, LESS)
    refuse_from(world, "")
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.FAILED, 11, "E_AUDIT")
    assert peer.writes == []


def test_the_audit_log_fills_up_before_the_commit(tmp_path: Path) -> None:
    """Nothing was committed, so all is as it was; the transaction is left to the next run: no record, no write."""
    world, peer = world_of(tmp_path, LESS)
    text = peer.text
    refuse_from(world, "PUT /services/haproxy/transactions")
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.RESTORED, 8, "E_AUDIT")
    assert (peer.text, list(peer.transactions), world.journal.left(LB1)) == (text, ["tid-1"], ("tid-1",))
    world.log.refuse = lambda _: None
    assert apply_one(world).result is Result.APPLIED
    assert (peer.transactions, world.journal.left(LB1)) == ({}, ())


def test_the_audit_log_fills_up_after_a_bad_commit(tmp_path: Path) -> None:
    """A restore that cannot be announced is not made: exit 9."""
    world, peer = world_of(tmp_path, Wanted({FE: BAD_BIND}))
    refuse_from(world, "POST /services/haproxy/configuration/raw")
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit) == (Result.NOT_RESTORED, 9)
    assert "No space left on device" in outcome.error
    assert peer.phantom


def test_a_defect_in_the_middle(tmp_path: Path) -> None:
    """An error that is none of ours is the instance's outcome, after everything was put back."""
    world, peer = world_of(tmp_path, Wanted({FE: BAD_BIND}))
    text = peer.text

    def stumble() -> None:
        raise ZeroDivisionError

    peer.before = once("PUT /services/haproxy/transactions", stumble)
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.RESTORED, 8, "E_UNEXPECTED")
    assert "ZeroDivisionError" in outcome.error
    assert as_it_was(peer, text)


def test_a_defect_before_anything_was_written(tmp_path: Path) -> None:
    """Nothing was written, nothing is put back: failed, not restored, and not raised."""
    world, peer = world_of(tmp_path, Wanted({FE: BAD_BIND}))
    authorized, text = world.plan(), peer.text

    def stumble() -> None:
        raise RecursionError

    peer.before = once("GET /services/haproxy/configuration/backends", stumble)
    (outcome,) = world.run(authorized).instances
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.FAILED, 1, "E_UNEXPECTED")
    assert peer.text == text


def test_a_defect_while_putting_back(tmp_path: Path) -> None:
    """A defect in the restore is the loud outcome: not restored, exit 9."""
    world, peer = world_of(tmp_path, Wanted({FE: BAD_BIND}))
    broken: list[bool] = []

    def stumble(call: Call) -> Reply | None:
        if call.method == "PUT" and "/transactions/" in call.path:
            broken.append(True)
        if broken and call.method == "GET" and call.path.endswith("/raw"):
            raise ZeroDivisionError
        return None

    peer.before = stumble
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.NOT_RESTORED, 9, "E_UNEXPECTED")
