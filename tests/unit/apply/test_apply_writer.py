"""The choice of the writer, and the text of a bulk write."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from apply_case import (
    API_BACKEND,
    FE,
    GLOBAL,
    LB1,
    WEB,
    Wanted,
    apply_one,
    as_by_hand,
    backend,
    bring_into_normal_form,
    server,
    start,
    world_of,
)
from instance_peer import API, UNBINDABLE, Body, InstancePeer

from haoam_sync import live
from haoam_sync.apply import bulk, writer
from haoam_sync.apply.writer import Writer
from haoam_sync.dataplane import Client
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.live import Live
from haoam_sync.model.outcome import Result
from haoam_sync.model.plan import Action, Change, Cost, InstancePlan, Reason
from haoam_sync.model.section import SectionId, SectionKind


@pytest.mark.parametrize(
    ("writes", "backends", "chosen"),
    [
        (1, 10, Writer.TRANSACTION),
        (10, 10, Writer.TRANSACTION),
        (100, 100, Writer.BULK),
        (5, 1_000, Writer.TRANSACTION),
        (20, 1_000, Writer.BULK),
        (1, 10_000, Writer.TRANSACTION),
        (3, 10_000, Writer.TRANSACTION),
        (10, 10_000, Writer.BULK),
        (10_000, 10_000, Writer.BULK),
        (200, 0, Writer.BULK),
    ],
)
def test_the_cost_model(writes: int, backends: int, chosen: Writer) -> None:
    """Few sections go into a transaction, many are one text; the more backends there are, the sooner."""
    assert writer.by_cost(writes, backends) is chosen


def plan_of(found: Live, *wanted: tuple[SectionId, Body], reload: bool = False) -> InstancePlan:
    """A plan that replaces sections, all at the same cost."""
    plan = Wanted(dict(wanted)).plan(found)
    return replace(plan, changes=tuple(replace(change, cost=Cost(reload)) for change in plan.changes))


def snapshot(peer: InstancePeer) -> Live:
    """What there is."""
    return live.read(Client(peer, LB1, Unrecorded()), LB1)


def test_rules_that_the_server_forgets_are_written_as_text() -> None:
    """A rule with a number that the API stops showing once it took it as an object makes the write a whole text."""
    found = snapshot(InstancePeer(start()))
    rule = {"type": "sc-set-gpt0", "sc_id": 1, "sc_int": 1337}
    plain, counting = (
        {**backend("web"), "http_request_rule_list": [{**rule, **more}]} for more in ({"sc_int": None}, {})
    )
    assert writer.choose(plan_of(found, (WEB, plain), reload=True), found) is Writer.TRANSACTION
    assert writer.choose(plan_of(found, (WEB, counting), reload=True), found) is Writer.BULK


@pytest.mark.parametrize("kind", ["connection", "session"])
def test_another_source_is_written_as_text(kind: str) -> None:
    """So does `set-src` of a rule of TCP; `set-dst` beside it does not."""
    found = snapshot(InstancePeer(start()))
    source, target = (
        {**backend("web"), "tcp_request_rule_list": [{"type": kind, "action": action, "expr": "src"}]}
        for action in ("set-src", "set-dst")
    )
    assert writer.choose(plan_of(found, (WEB, source), reload=True), found) is Writer.BULK
    assert writer.choose(plan_of(found, (WEB, target), reload=True), found) is Writer.TRANSACTION


def test_direct_only_when_nothing_needs_a_reload() -> None:
    """One change that needs a reload, a phantom, a file that is not in normal form or too much to tell: not direct."""
    found = snapshot(InstancePeer(start()))
    change = (WEB, backend("web", server("s1", 18081, weight=7), server("s2", 18082)))
    plan = plan_of(found, change)
    assert writer.choose(plan, found) is Writer.DIRECT
    assert writer.actions(plan, found) == "SetServerWeight web s1 7"
    assert writer.choose(plan_of(found, change, reload=True), found) is Writer.TRANSACTION
    assert writer.choose(replace(plan, repair=True), found) is Writer.TRANSACTION
    assert writer.choose(replace(plan, normal_form="x"), found) is Writer.TRANSACTION
    servers = [server(f"s{n}", n + 1, weight=1) for n in range(500)]
    wide = snapshot(InstancePeer({**start(), WEB: backend("web", *servers)}))
    heavier = backend("web", *(server(f"s{n}", n + 1, weight=2) for n in range(500)))
    assert writer.choose(plan_of(wide, (WEB, heavier)), wide) is not Writer.DIRECT


def change(action: Action, section: SectionId, body: Body | None) -> Change:
    """A change."""
    return Change(action, section, Reason.GIT, (), None, Cost(), body)


TEXT = """# _version=3

global
  master-worker

# the old one
backend gone
  server s1 127.0.0.1:1

# ours, in front
backend web
  # inside
  mode http
  server s1 127.0.0.1:1
  some-keyword nobody knows

# not ours
listen   stats   # odd
  bind 127.0.0.1:2

  # tail
"""


def test_a_bulk_write_touches_its_sections_alone() -> None:
    """Created, updated and deleted; comments, lines that nobody knows and everything foreign stay as they stand."""
    web = {"name": "web", "mode": "tcp", "servers": {"s1": {"name": "s1", "address": "127.0.0.1", "port": 9}}}
    gone = SectionId(SectionKind.BACKEND, "gone")
    changes = (
        change(Action.CREATE, API_BACKEND, {"name": "api", "mode": "http"}),
        change(Action.UPDATE, WEB, web),
        change(Action.CREATE, GLOBAL, {"master-worker": True}),
        change(Action.DELETE, gone, None),
    )
    bodies = {one.section: one.body for one in changes if one.body is not None}
    assert (
        bulk.text_of(TEXT, changes, bodies, API)
        == """# _version=3

global
  master-worker

backend api
  mode http

# ours, in front
backend web
  # inside
  mode tcp
  server s1 127.0.0.1:9
  some-keyword nobody knows

# not ours
listen   stats   # odd
  bind 127.0.0.1:2

  # tail
"""
    )


def test_a_bulk_text_takes_linear_time() -> None:
    """Ten times the backends take about ten times as long, not a hundred times."""

    def seconds(count: int) -> float:
        names = [f"b{n:05d}" for n in range(count)]
        bodies = {SectionId(SectionKind.BACKEND, name): backend(name, server("s1", 1)) for name in names}
        changes = tuple(change(Action.CREATE, section, body) for section, body in bodies.items())
        begun = time.process_time()
        text = bulk.text_of("defaults base\n  mode http\n", changes, bodies, API)
        assert text.count("\nbackend ") == count
        return time.process_time() - begun

    assert seconds(3000) < 30 * max(seconds(300), 0.01)


def many(port: int) -> dict[SectionId, Body | None]:
    """A hundred backends."""
    return {SectionId(SectionKind.BACKEND, f"m{n}"): backend(f"m{n}", server("s1", port)) for n in range(100)}


def test_many_changes_are_judged_and_written_by_two_requests(tmp_path: Path) -> None:
    """The text is judged, then written, all changes in one; the worker runs all of it."""
    world, peer = world_of(tmp_path, Wanted(dict(many(18090))))
    outcome = apply_one(world)
    assert (outcome.result, outcome.error, len(outcome.created)) == (Result.APPLIED, "", 100)
    assert peer.writes == ["POST /configuration/raw", "POST /configuration/raw"]
    assert [dict(call.query).get("only_validate") for call in peer.calls if call.method == "POST"] == ["true", None]
    assert set(many(18090)) <= set(peer.worker)


def test_many_changes_and_the_normal_form_are_one_write(tmp_path: Path) -> None:
    """Behind the preview and its judgement the normal form and all changes are one text, judged and written."""
    world, peer = world_of(tmp_path, Wanted(dict(many(18090)), normal_form=bring_into_normal_form))
    as_by_hand(peer)
    assert apply_one(world).result is Result.APPLIED
    raw = [dict(call.query).get("only_validate") for call in peer.calls if call.path.endswith("/raw") and call.body]
    assert raw == ["true", "true", None]
    assert peer.writes.count("POST /transactions") == 1


def test_a_bulk_write_whose_reload_fails_is_put_back(tmp_path: Path) -> None:
    """The earlier text is back and runs, and nothing is said to be applied."""
    bind = {"http": {"name": "http", "address": UNBINDABLE, "port": 80}}
    broken = {**start()[FE], "binds": bind}
    world, peer = world_of(tmp_path, Wanted({**many(18090), FE: broken}))
    before = peer.text
    outcome = apply_one(world)
    assert (outcome.result, outcome.exit) == (Result.RESTORED, 8)
    assert (peer.text, peer.phantom) == (before, False)


class AtRunTime(Wanted):
    """A planner that says that nothing needs a reload."""

    def plan(self, found: Live) -> InstancePlan:
        """See Wanted."""
        plan = super().plan(found)
        return replace(plan, changes=tuple(replace(one, cost=Cost(reload=False)) for one in plan.changes))


HEAVIER = backend("web", server("s1", 18081, weight=7), server("s2", 18092, maintenance="enabled"))


def test_run_time_changes_are_one_request_and_no_reload(tmp_path: Path) -> None:
    """The file and the worker have them, and HAProxy has not reloaded."""
    world, peer = world_of(tmp_path, AtRunTime({WEB: HEAVIER}))
    reloads = peer.reloads
    outcome = apply_one(world)
    assert (outcome.result, outcome.reload, outcome.error) == (Result.APPLIED, "none needed", "")
    assert (peer.writes, peer.reloads) == (["POST /configuration/raw"], reloads)
    assert (peer.states["web", "s2"], peer.worker[WEB]["servers"]["s1"]["weight"]) == ("maint", 7)
    assert "server s2 127.0.0.1:18092" in peer.text


def test_a_worker_that_does_not_take_it(tmp_path: Path) -> None:
    """An action that did nothing is found in the worker, and the earlier state is put back."""
    world, peer = world_of(
        tmp_path, AtRunTime({WEB: backend("web", server("s1", 18081, weight=7), server("s2", 18082))})
    )
    before = peer.text
    peer.deaf = {("web", "s1")}
    outcome = apply_one(world)
    assert outcome.error.endswith("server web/s1 has the weight 100, not 7")
    assert peer.text == before


def test_a_run_time_change_leaves_an_operator_s_drain(tmp_path: Path) -> None:
    """Another server of the backend is in drain by hand: it stays there, and that is no failure."""
    world, peer = world_of(
        tmp_path, AtRunTime({WEB: backend("web", server("s1", 18081, weight=7), server("s2", 18082))})
    )
    peer.states["web", "s2"] = "drain"
    assert apply_one(world).result is Result.APPLIED
    assert peer.states["web", "s2"] == "drain"
