"""Lines of owned sections that the API does not show: in the plan, with what they mean for the write and the limits."""

from __future__ import annotations

import pytest
from plan_values import Given, compute

from haoam_sync.apply.writer import Writer, choose
from haoam_sync.errors import OverLimitError
from haoam_sync.haproxycfg import FileLines
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.plan import UNSHOWN, Action, InstancePlan, Reason
from haoam_sync.model.section import SectionId

WEB = {"from": "base", "mode": "http", "servers": {"s1": {"name": "s1", "address": "127.0.0.1", "port": 8081}}}
TEXT = "defaults base\n  mode http\n\nbackend web from base # a comment\n  # another\n  mode http\n"


def _plan(given: Given, lines: str, *, adopting: bool = False) -> InstancePlan:
    web = given.section("backend/web", WEB)
    there = given.there("backend/web", WEB, mark=False if adopting else web)
    applied = None if adopting else given.desired(web)
    text = f"{TEXT}  server s1 127.0.0.1:8081\n{lines}"
    return compute(given.desired(web), given.live(there, text=text), applied)


def test_what_the_api_shows_is_no_difference(given: Given) -> None:
    """Comments, other spellings and blank lines are nothing."""
    assert _plan(given, "\n  # a comment\n").empty


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("errorloc 503 http://192.0.2.9/", "errorloc 503 http://192.0.2.9/"),
        ("redirect location http://192.0.2.9/", "redirect location http://192.0.2.9/"),
        ("tcp-request session reject", "tcp-request session reject"),
        ("server s1 127.0.0.1:9999", "server s1 127.0.0.1:9999"),
        ("dynamic-cookie-key hunter2 odd", "dynamic-cookie-key <secret> odd"),
    ],
)
def test_a_line_that_is_not_shown_is_drift(given: Given, line: str, shown: str) -> None:
    """It is a field of its own that goes away, without its secrets; the file is written as a whole, with a reload."""
    plan = _plan(given, f"  {line}\n")
    (change,) = plan.changes
    assert (change.action, change.reason) == (Action.UPDATE, Reason.DRIFT)
    assert [(one.path, one.before, one.after) for one in change.fields] == [(UNSHOWN, [shown], None)]
    assert change.cost.reload
    live = given.live(given.there("backend/web", WEB), text=TEXT)
    assert choose(plan, live) is Writer.BULK


def test_what_a_write_would_break_stops_the_plan(given: Given) -> None:
    """An instance whose file the server would break is refused by name as soon as something is to be written."""
    with pytest.raises(OverLimitError, match="cuts the password of `stats auth ann:<secret>` off") as caught:
        _plan(given, "  stats auth ann:hunter2:3\n")
    assert caught.value.code == "E_UNWRITABLE"
    assert "without a colon" in caught.value.hint


def test_an_adoption_shows_what_it_takes_away(given: Given) -> None:
    """A document written by hand for a section with such a line says that the line goes."""
    (change,) = _plan(given, "  errorloc 503 /x\n", adopting=True).changes
    assert change.reason is Reason.ADOPT
    assert [one.path for one in change.fields] == [UNSHOWN]


def test_sections_of_one_name_are_not_compared() -> None:
    """Of two sections with one name nobody could say which is meant."""
    lines = FileLines("backend web\n  errorloc 503 /x\n\nbackend web\n", NEWEST)
    assert lines.unshown(SectionId.parse("backend/web"), {"name": "web"}) == ()


def test_unnamed_defaults_are_compared_under_the_servers_name() -> None:
    """A section that gets its name from the server is looked at under that name."""
    lines = FileLines("defaults\n  errorloc 503 /x\n", NEWEST)
    found = lines.unshown(SectionId.parse("defaults/unnamed_defaults_1"), {"name": "unnamed_defaults_1"})
    assert found == ("errorloc 503 /x",)
