"""Whether a change needs a reload: only what a running worker takes and shows does not."""

from __future__ import annotations

from typing import Any

import pytest

from haoam_sync.model.run_time import RunTimeView, actions, needs_reload
from haoam_sync.model.section import SectionId, SectionKind

Body = dict[str, Any]
ALL = RunTimeView(weights=True, statistics=True, algorithms={})
WEB = SectionId(SectionKind.BACKEND, "web")


def backend(balance: str = "roundrobin", **fields: object) -> Body:
    """A backend of one server."""
    server = {"name": "s1", "address": "10.0.0.1", "port": 80, "weight": 10, **fields}
    server = {key: value for key, value in server.items() if value is not None}
    return {"name": "web", "balance": {"algorithm": balance}, "servers": {"s1": server}}


@pytest.mark.parametrize(
    "fields",
    [
        {"weight": 20},
        {"address": "10.0.0.2"},
        {"address": "2001:db8::1"},
        {"port": 81},
        {"maintenance": "enabled"},
        {"weight": 0, "port": 81, "maintenance": "disabled"},
    ],
    ids=str,
)
def test_what_a_worker_takes_and_shows(fields: Body) -> None:
    """Weight, address, port and maintenance of a server that is there."""
    assert not needs_reload(SectionKind.BACKEND, backend(), backend(**fields), ALL)


@pytest.mark.parametrize(
    "fields",
    [
        {"weight": None},
        {"port": None},
        {"address": "web.example.com"},
        {"health_check_port": 8080},
        {"agent-addr": "10.0.0.9"},
        {"proxy-v2-options": ["ssl"]},
        {"check": "enabled"},
        {"weight": 20, "check": "enabled"},
    ],
    ids=str,
)
def test_what_needs_a_reload(fields: Body) -> None:
    """Fields that never reach the worker or that it does not show, a weight taken away, names to be resolved."""
    assert needs_reload(SectionKind.BACKEND, backend(), backend(**fields), ALL)


def test_servers_that_come_or_go_need_a_reload() -> None:
    """A server added at run time stays in maintenance on HAProxy 2.8."""
    more = backend()
    more["servers"] = {**more["servers"], "s2": {"name": "s2", "address": "10.0.0.2", "port": 80}}
    assert needs_reload(SectionKind.BACKEND, backend(), more, ALL)
    assert needs_reload(SectionKind.BACKEND, more, backend(), ALL)
    assert needs_reload(SectionKind.BACKEND, None, more, ALL)
    assert needs_reload(SectionKind.BACKEND, more, None, ALL)


def test_weights_of_a_table_made_at_start() -> None:
    """Where a static table picks the server, HAProxy refuses other weights: by the backend's word or its defaults'."""
    assert needs_reload(SectionKind.BACKEND, backend("source"), backend("source", weight=20), ALL)
    silent = [{**backend(weight=weight), "from": "base"} for weight in (10, 20)]
    for body in silent:
        del body["balance"]
    static = RunTimeView(weights=True, statistics=True, algorithms={"base": "static-rr"})
    assert needs_reload(SectionKind.BACKEND, *silent, static)
    assert not needs_reload(SectionKind.BACKEND, *silent, ALL)


def test_what_cannot_be_seen_needs_a_reload() -> None:
    """Weights of API 3.2 and limits show in the statistics alone, which are too slow on large instances."""
    blind = RunTimeView(weights=False, statistics=False, algorithms={})
    assert needs_reload(SectionKind.BACKEND, backend(), backend(weight=20), blind)
    assert not needs_reload(SectionKind.BACKEND, backend(), backend(port=81), blind)
    limits = [{"name": "fe", "maxconn": limit} for limit in (10, 20)]
    assert needs_reload(SectionKind.FRONTEND, *limits, blind)
    assert not needs_reload(SectionKind.FRONTEND, *limits, ALL)
    assert needs_reload(SectionKind.FRONTEND, {"name": "fe"}, limits[0], ALL)
    assert needs_reload(SectionKind.FRONTEND, limits[0], {**limits[1], "mode": "tcp"}, ALL)


def test_our_mark_alone_needs_none() -> None:
    """The same configuration: nothing but the mark is written."""
    assert not needs_reload(SectionKind.BACKEND, backend(), backend(), ALL)
    assert actions(WEB, backend(), backend()) == ()


def test_other_sections_need_a_reload() -> None:
    """Nothing of them can change while the worker runs."""
    assert needs_reload(SectionKind.DEFAULTS, {"name": "a", "maxconn": 1}, {"name": "a", "maxconn": 2}, ALL)


def test_what_the_worker_is_told() -> None:
    """Each field that differs, an address always with its port; nothing of what stays."""
    after = backend(address="10.0.0.2", weight=7, maintenance="enabled")
    assert actions(WEB, backend(), after) == (
        "SetServerAddr web s1 10.0.0.2 80",
        "SetServerWeight web s1 7",
        "SetServerState web s1 maint",
    )
    assert actions(WEB, after, {**after, "servers": backend(address="10.0.0.2", weight=7)["servers"]}) == (
        "SetServerState web s1 ready",
    )
    frontend = SectionId(SectionKind.FRONTEND, "fe")
    assert actions(frontend, {"maxconn": 10}, {"maxconn": 20}) == ("SetFrontendMaxConn fe 20",)
