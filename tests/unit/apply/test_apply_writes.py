"""What an apply writes, in which order, and how it proves it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from apply_case import (
    API_BACKEND,
    BASE,
    FE,
    GLOBAL,
    LB1,
    PEOPLE,
    WEB,
    Wanted,
    apply_one,
    as_by_hand,
    backend,
    bring_into_normal_form,
    once,
    server,
    start,
    world_of,
)
from instance_peer import InstancePeer, text_of

from haoam_sync.http import Call, Reply
from haoam_sync.model.outcome import Result
from haoam_sync.model.section import SectionId, SectionKind

OLD = SectionId(SectionKind.BACKEND, "old")


def pem(name: str = "site") -> bytes:
    """Something that the peer takes for a certificate."""
    return f"-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n".encode()


def test_create_update_and_delete_in_one_transaction(tmp_path: Path) -> None:
    """All changes go into one transaction, are read back, and the worker runs them."""
    wanted = Wanted(
        {
            API_BACKEND: backend("api", server("a1", 18083)),
            WEB: backend("web", server("s1", 18081, weight=7), server("s2", 18082)),
            OLD: None,
        }
    )
    world, peer = world_of(tmp_path, wanted, InstancePeer({**start(), OLD: backend("old", server("o1", 18084))}))
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.error) == (Result.APPLIED, 0, "")
    assert (outcome.created, outcome.updated, outcome.deleted) == (("backend/api",), ("backend/web",), ("backend/old",))
    assert peer.writes == [
        "POST /transactions",
        "POST /configuration/backends",
        "PUT /configuration/backends/web",
        "DELETE /configuration/backends/old",
        "PUT /transactions/tid-1",
    ]
    assert peer.worker[WEB]["servers"]["s1"]["weight"] == 7
    assert API_BACKEND in peer.worker
    assert OLD not in peer.worker
    assert (outcome.version_before, outcome.version_after, outcome.reload) == (1, 2, "succeeded")
    assert outcome.checksum_before != outcome.checksum_after
    assert outcome.requests == len(peer.asked)


def test_again_there_is_nothing_to_do(tmp_path: Path) -> None:
    """A second apply reads and writes nothing; its eight requests are one snapshot."""
    world, peer = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}))
    assert apply_one(world).result is Result.APPLIED
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit, outcome.requests) == (Result.UNCHANGED, 0, 8)
    assert peer.writes == []
    assert outcome.version_after == outcome.version_before


def test_a_plan_that_is_not_the_one_shown(tmp_path: Path) -> None:
    """When a section of ours changed since the plan, nothing is written and the exit is 10."""
    world, peer = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}))
    authorized = world.plan()
    peer.write_elsewhere(lambda memory: memory[WEB].update(mode="tcp"))
    (outcome,) = world.run(authorized).instances
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.FAILED, 10, "E_PLAN_MISMATCH")
    assert peer.writes == []


def test_a_foreign_change_does_not_void_the_plan(tmp_path: Path) -> None:
    """The version has moved since the plan, by a section that is not ours: the plan stands, and theirs stays."""
    world, peer = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}))
    authorized = world.plan()
    peer.write_elsewhere(lambda memory: memory[BASE].update(maxconn=77))
    (outcome,) = world.run(authorized).instances
    assert outcome.result is Result.APPLIED
    assert peer.worker[BASE]["maxconn"] == 77


def test_global_and_userlists(tmp_path: Path) -> None:
    """`global` is put; a userlist, which knows no PUT, is deleted and added in the same transaction."""
    people = {"name": "people", "users": {"eve": {"username": "eve", "password": "pw99", "secure_password": False}}}
    world, peer = world_of(tmp_path, Wanted({GLOBAL: {"master-worker": True, "daemon": True}, PEOPLE: people}))
    assert apply_one(world).result is Result.APPLIED
    assert peer.writes[1:4] == [
        "PUT /configuration/global",
        "DELETE /configuration/userlists/people",
        "POST /configuration/userlists",
    ]
    assert list(peer.worker[PEOPLE]["users"]) == ["eve"]
    shown = [request.shown for request in world.log.requests if request.path.endswith("/userlists")]
    assert "pw99" not in repr(shown)


def test_certificates_come_first_and_go_last(tmp_path: Path) -> None:
    """New files before the configuration that names them, by the instance's own directory; old ones after the proof."""
    bind = {"name": "tls", "address": "127.0.0.1", "port": 18443, "ssl": True}
    fe = {**start()[FE], "binds": {"tls": {**bind, "ssl_certificate": "@ssl_certs_dir/site-2.pem"}}}
    old = {**start()[FE], "binds": {"tls": {**bind, "ssl_certificate": "/srv/ssl/site-1.pem"}}}
    peer = InstancePeer({**start(), FE: old}, certificates={"site-1.pem": pem()})
    wanted = Wanted({FE: fe}, {"site-2.pem": pem("new")}, ("site-1.pem",))
    world, _ = world_of(tmp_path, wanted, peer)
    outcome = apply_one(world)
    assert outcome.result is Result.APPLIED
    assert peer.worker[FE]["binds"]["tls"]["ssl_certificate"] == "/srv/ssl/site-2.pem"
    assert peer.certificates == {"site-2.pem": pem("new")}
    assert (outcome.created, outcome.deleted) == (("certificate/site-2.pem",), ("certificate/site-1.pem",))
    assert (peer.writes[0], peer.writes[-1]) == (
        "POST /storage/ssl_certificates",
        "DELETE /storage/ssl_certificates/site-1.pem",
    )


def test_the_first_certificate_tells_the_directory(tmp_path: Path) -> None:
    """An instance without certificates does not say where it keeps them; the answer to the first upload does."""
    bind = {"name": "tls", "address": "127.0.0.1", "port": 18443, "ssl": True}
    fe = {**start()[FE], "binds": {"tls": {**bind, "ssl_certificate": "@ssl_certs_dir/site-1.pem"}}}
    world, peer = world_of(tmp_path, Wanted({FE: fe}, {"site-1.pem": pem()}))
    assert apply_one(world).result is Result.APPLIED
    assert "crt /srv/ssl/site-1.pem" in peer.text


def test_a_certificate_that_is_still_named_is_kept(tmp_path: Path) -> None:
    """Deleting a file that the configuration names would break the next reload: it stays, and that is said."""
    bind = {"name": "tls", "address": "127.0.0.1", "port": 18443, "ssl": True, "ssl_certificate": "/srv/ssl/a.pem"}
    peer = InstancePeer({**start(), FE: {**start()[FE], "binds": {"tls": bind}}}, certificates={"a.pem": pem()})
    world, _ = world_of(tmp_path, Wanted({}, {}, ("a.pem",)), peer)
    outcome = apply_one(world)
    assert (outcome.result, peer.certificates) == (Result.APPLIED, {"a.pem": pem()})
    assert "a.pem is still named" in outcome.notes[0]


def test_certificates_alone_reload_nothing(tmp_path: Path) -> None:
    """A file that nothing names yet needs no transaction and no reload."""
    world, peer = world_of(tmp_path, Wanted({}, {"a.pem": pem()}))
    outcome = apply_one(world)
    assert (outcome.result, outcome.reload, peer.reloads) == (Result.APPLIED, "none needed", 1)
    assert peer.writes == ["POST /storage/ssl_certificates"]


def test_normal_form_first(tmp_path: Path) -> None:
    """The file is brought into normal form under the version, before the transaction that starts from it."""
    world, peer = world_of(
        tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}, normal_form=bring_into_normal_form)
    )
    as_by_hand(peer)
    outcome = apply_one(world)
    assert outcome.result is Result.APPLIED
    previewed = ["POST /transactions", "DELETE /transactions/tid-1", "POST /configuration/raw"]
    assert peer.writes[:5] == [*previewed, "POST /configuration/raw", "POST /transactions"]
    raw = [dict(call.query) for call in peer.calls if call.path.endswith("/configuration/raw") and call.body]
    assert raw == [{"version": "1", "only_validate": "true"}, {"version": "1", "force_reload": "true"}]
    opened = [dict(call.query) for call in peer.calls if call.method == "POST" and call.path.endswith("/transactions")]
    assert opened == [{"version": "1"}, {"version": "2"}]


class _Losing(InstancePeer):
    """An instance whose server knows nothing of one line, and would lose it."""

    def _raw(self, transaction: str | None, status: int = 200) -> Reply:
        found = super()._raw(transaction, status)
        return replace(found, body=found.body.replace(b"  mode http\n", b"", 1)) if transaction else found


def test_what_the_server_would_lose_is_never_written(tmp_path: Path) -> None:
    """Before the first write the server shows what it would make of the file: a line it loses is refused, unwritten."""
    world, peer = world_of(
        tmp_path,
        Wanted({WEB: backend("web", server("s1", 18081))}, normal_form=bring_into_normal_form),
        _Losing(start()),
    )
    as_by_hand(peer)
    before = peer.text
    outcome = apply_one(world)
    assert (outcome.result, outcome.error_code) == (Result.FAILED, "E_UNWRITABLE")
    assert "the server would not keep `mode http`" in outcome.error
    assert peer.writes == ["POST /transactions", "DELETE /transactions/tid-1"]
    assert (peer.text, peer.version) == (before, 1)


def phantom_peer() -> InstancePeer:
    """An instance whose API shows a frontend that neither the file nor the worker has."""
    peer = InstancePeer(start())
    bad = {"name": "clash", "mode": "http", "binds": {"b": {"name": "b", "address": "203.0.113.77", "port": 1}}}
    peer.memory[SectionId(SectionKind.FRONTEND, "clash")] = bad
    peer.version += 1
    return peer


def test_a_phantom_is_repaired_first(tmp_path: Path) -> None:
    """The text of the file is written back before anything else: the next write would publish what cannot be loaded."""
    peer = phantom_peer()
    world, _ = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}), peer)
    before = peer.text
    outcome = apply_one(world)
    assert outcome.result is Result.APPLIED
    assert peer.calls[peer.asked.index("POST /configuration/raw")].body.decode() == before
    assert "clash" not in text_of(peer.memory)
    assert not peer.phantom


def test_a_repair_alone_is_a_plan(tmp_path: Path) -> None:
    """A phantom is repaired also when nothing else is to do."""
    peer = phantom_peer()
    world, _ = world_of(tmp_path, Wanted(), peer)
    assert apply_one(world).result is Result.APPLIED
    assert not peer.phantom


def test_a_drain_is_put_back(tmp_path: Path) -> None:
    """What an operator set by hand ends with a reload, in every backend: it is set again, and that is said."""
    peer = InstancePeer({**start(), OLD: backend("old", server("o1", 18084))})
    world, _ = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081), server("s2", 18082))}), peer)
    peer.states["web", "s2"] = "drain"
    peer.states["old", "o1"] = "maint"
    outcome = apply_one(world)
    assert outcome.result is Result.APPLIED
    assert (peer.states["web", "s1"], peer.states["web", "s2"], peer.states["old", "o1"]) == ("ready", "drain", "maint")
    assert outcome.notes == (
        "server old/o1 was in maint by hand; put back after the reload",
        "server web/s2 was in drain by hand; put back after the reload",
    )


def test_the_configuration_decides_where_it_changes(tmp_path: Path) -> None:
    """A server whose maintenance the plan changes follows the plan, whatever an operator had set."""
    now = backend("web", server("s1", 18081, maintenance="enabled"), server("s2", 18082))
    world, peer = world_of(tmp_path, Wanted({WEB: now}))
    peer.states["web", "s1"] = "drain"
    outcome = apply_one(world)
    assert (outcome.result, outcome.notes, peer.states["web", "s1"]) == (Result.APPLIED, (), "maint")


def test_an_order_against_the_configuration_is_put_back(tmp_path: Path) -> None:
    """A server that the file starts in maintenance and an operator has made ready stays ready."""
    idle = backend("web", server("s1", 18081, maintenance="enabled"), server("s2", 18082))
    peer = InstancePeer({**start(), WEB: idle})
    peer.states["web", "s1"] = "ready"
    world, _ = world_of(tmp_path, Wanted({API_BACKEND: backend("api", server("a1", 18083))}), peer)
    assert apply_one(world).result is Result.APPLIED
    assert peer.states["web", "s1"] == "ready"


def test_a_transaction_left_by_a_killed_run_is_deleted(tmp_path: Path) -> None:
    """What our own journal says we left is deleted first; transactions of others are not touched."""
    world, peer = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}))
    peer.transactions = {"ours": (1, {}), "theirs": (1, {})}
    world.journal.opened(LB1, "ours")
    world.journal.opened(LB1, "forgotten")
    outcome = apply_one(world)
    assert outcome.result is Result.APPLIED
    assert list(peer.transactions) == ["theirs"]
    assert outcome.notes == ("deleted transaction ours, which an apply before this one had left open",)
    assert world.journal.left(LB1) == ()


def test_nothing_stays_in_the_journal(tmp_path: Path) -> None:
    """After an apply that came to its end nothing is remembered, passwords least of all."""
    world, _ = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}))
    apply_one(world)
    assert list(world.journal_directory.iterdir()) == []


@pytest.mark.parametrize("place", ["POST /services/haproxy/transactions", "PUT /services/haproxy/transactions"])
def test_somebody_else_writes_in_between(tmp_path: Path, place: str) -> None:
    """409 at opening or at commit: read and planned again, and the same plan is then done on top of theirs."""
    world, peer = world_of(tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}))
    authorized = world.plan()
    peer.before = once(place, lambda: peer.write_elsewhere(lambda memory: memory[BASE].update(maxconn=77)))
    (outcome,) = world.run(authorized).instances
    assert outcome.result is Result.APPLIED
    assert (peer.worker[BASE]["maxconn"], list(peer.worker[WEB]["servers"])) == (77, ["s1"])
    assert "planned again" in outcome.notes[0]
    assert peer.transactions == {}
    assert world.sleeps[0] == pytest.approx(0.75)


def test_somebody_else_writes_after_the_upload(tmp_path: Path) -> None:
    """A certificate of ours that is there already when planning again is not taken for a difference."""
    bind = {"name": "tls", "address": "127.0.0.1", "port": 18443, "ssl": True}
    fe = {**start()[FE], "binds": {"tls": {**bind, "ssl_certificate": "@ssl_certs_dir/site-1.pem"}}}
    world, peer = world_of(tmp_path, Wanted({FE: fe}, {"site-1.pem": pem()}))
    authorized = world.plan()
    peer.before = once(
        "PUT /services/haproxy/transactions",
        lambda: peer.write_elsewhere(lambda memory: memory[BASE].update(maxconn=77)),
    )
    (outcome,) = world.run(authorized).instances
    assert (outcome.result, outcome.created) == (Result.APPLIED, ("certificate/site-1.pem",))
    assert peer.writes.count("POST /storage/ssl_certificates") == 1


def test_somebody_else_writes_after_the_normal_form(tmp_path: Path) -> None:
    """Normal form that is written already is not written again, and the plan is still the authorized one."""
    world, peer = world_of(
        tmp_path, Wanted({WEB: backend("web", server("s1", 18081))}, normal_form=bring_into_normal_form)
    )
    as_by_hand(peer)
    authorized = world.plan()
    opened = itertools.count()

    def second(call: Call) -> None:
        if f"{call.method} {call.path}".endswith("POST /services/haproxy/transactions") and next(opened) == 1:
            peer.write_elsewhere(lambda memory: memory[BASE].update(maxconn=77))

    peer.before = second
    (outcome,) = world.run(authorized).instances
    assert outcome.result is Result.APPLIED
    assert [
        dict(call.query).get("only_validate") for call in peer.calls if call.path.endswith("/raw") and call.body
    ] == [
        "true",
        None,
    ]
