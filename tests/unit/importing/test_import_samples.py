"""The sample configurations, without a server: what becomes of each section, and the plan for the documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from import_case import SAMPLES, Case, sample

from haoam_sync.importing import Choice
from haoam_sync.model.plan import Action, Reason
from haoam_sync.model.section import MANAGED_KINDS

COUNTS = {
    "canary": (6, 1),
    "comments": (3, 1),
    "continued": (5, 1),
    "counters": (7, 1),
    "crt-lists": (4, 1),
    "data-stores": (16, 2),
    "discovery": (5, 2),
    "fetches": (4, 1),
    "guarded-shop": (8, 3),
    "headers": (3, 2),
    "http-checks": (4, 1),
    "kubernetes-edge": (5, 3),
    "logs-rings": (5, 1),
    "mail-relay": (11, 3),
    "many-defaults": (15, 2),
    "maps": (4, 2),
    "mtls": (5, 1),
    "mtls-fields": (4, 1),
    "php-mail": (8, 1),
    "positional": (12, 2),
    "rate-limit": (5, 1),
    "scripted-checks": (5, 1),
    "service-checks": (11, 1),
    "small-things": (4, 1),
    "spoe-lua": (4, 1),
    "stick-tables": (6, 2),
    "switched-off": (3, 3),
    "tabs-crlf": (6, 1),
    "tcp-database": (8, 1),
    "tls-edge": (6, 1),
    "umlauts": (3, 1),
    "websockets": (4, 1),
    "whole-house": (8, 4),
}
"""Owned and foreign sections of each, once every kind can be owned."""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Imports into a directory of this test's own."""
    return Case(tmp_path)


@pytest.mark.parametrize("name", SAMPLES)
def test_plan_of_an_import_adopts_and_changes_nothing(case: Case, name: str) -> None:
    """Every section but those named is owned, and a plan against that instance marks them and changes no field."""
    text = sample(name)
    found = case.imported(text)
    later = [one for one in found.foreign if one.reason.endswith("cannot be owned by this version")]
    owned, foreign = COUNTS[name]
    assert (len(found.owned) + len(later), len(found.foreign) - len(later)) == (owned, foreign)
    managed = {kind.value for kind in MANAGED_KINDS}
    assert not managed & {one.heading.split()[0] for one in later}
    plan = case.plan(text)
    assert {(c.action, c.reason, c.fields) for c in plan.changes} == {(Action.UPDATE, Reason.ADOPT, ())}
    assert plan.certificates == ()
    assert len({*found.owned.values()}) == len(found.owned)


@pytest.mark.parametrize("name", SAMPLES)
def test_global_is_imported_when_asked_for(case: Case, name: str) -> None:
    """With --with-global, global is owned too, and its plan changes nothing either."""
    text = sample(name)
    found = case.imported(text, Choice(with_global=True))
    assert "global" in {str(section) for section in found.owned}
    assert all(not change.fields for change in case.plan(text).changes)


def test_lines_that_no_field_holds_make_a_section_foreign(case: Case) -> None:
    """The reason names each line that would be lost."""
    reasons = case.reasons(sample("maps"))
    assert "no field of the API holds `capture request header Host len 64`" in reasons["frontend tenants"]
    assert "no field of the API holds `capture response header Content-Type len 32`" in reasons["frontend tenants"]


def test_order_that_decides_the_balancing_is_warned_of(case: Case) -> None:
    """A backend that is balanced by the places of its servers gets a warning when they change places."""
    _no_fleet, warning = case.imported(sample("websockets")).warnings
    assert "backend/bk_ws: balance source depends on the order of servers" in warning
    assert "wssrv2, wssrv1 becomes wssrv1, wssrv2" in warning
