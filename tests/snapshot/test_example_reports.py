"""What people and programs are shown of the example repository, to the letter."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from example_plans import CANARY, COMMIT, EU_1, as_applied, by_hand, changed, example, plan
from syrupy.assertion import SnapshotAssertion

from haoam_sync import desired
from haoam_sync.model.json import JsonObject
from haoam_sync.model.outcome import InstanceOutcome, Outcome, Result
from haoam_sync.model.plan import Plan
from haoam_sync.pipeline import judging
from haoam_sync.report import as_json, text
from haoam_sync.report.change import change

WEIGHT = {"haproxy/backends.yaml": ("weight: 50", "weight: 200")}


def _pretty(value: JsonObject) -> str:
    return json.dumps(value, indent=2)


def _first() -> Plan:
    """Before the first apply: somebody's own file is there."""
    return plan(example(), (by_hand(CANARY), by_hand(EU_1)))


def _first_canary() -> Plan:
    """The same for the canary alone."""
    return plan(example(), (by_hand(CANARY),))


def _next() -> Plan:
    """Git changes a weight, and somebody changed a header and some limits meanwhile."""
    before = example()
    live = as_applied(before.instances[EU_1])
    live = changed(live, "X-Frame-Options DENY", "X-Frame-Options SAMEORIGIN")
    live = changed(live, "maxconn 200", "maxconn 20")
    return plan(example(WEIGHT), (as_applied(before.instances[CANARY]), live), before)


def _drifted() -> Plan:
    before = example()
    live = changed(as_applied(before.instances[EU_1]), "weight 100", "weight 7")
    return plan(before, (as_applied(before.instances[CANARY]), live), before)


@pytest.mark.parametrize("made", [_first, _next], ids=["first", "next"])
def test_plan_as_text(made: Callable[[], Plan], snapshot: SnapshotAssertion) -> None:
    """What a person reads before an apply."""
    shown = text.plan(made()).plain
    assert "must-not-be-shown" not in shown
    assert shown == snapshot


@pytest.mark.parametrize("made", [_first_canary, _next], ids=["first", "next"])
def test_plan_as_json(made: Callable[[], Plan], snapshot: SnapshotAssertion) -> None:
    """What a program reads before an apply."""
    shown = _pretty(as_json.plan(made()))
    assert "must-not-be-shown" not in shown
    assert shown == snapshot


def test_plan_of_a_proposal(snapshot: SnapshotAssertion) -> None:
    """Secrets are not resolved, and it says that it cannot be applied yet."""
    proposed = plan(example(WEIGHT, resolved=False), (as_applied(example().instances[EU_1]),), example())
    assert text.plan(proposed, proposed=True).plain == snapshot


def test_nothing_to_do(snapshot: SnapshotAssertion) -> None:
    """An instance that is what git wants has an empty plan."""
    wanted = example()
    empty = plan(wanted, tuple(as_applied(one) for one in wanted.instances.values()), wanted)
    assert empty.empty
    assert text.plan(empty).plain == snapshot


def test_drift_as_text(snapshot: SnapshotAssertion) -> None:
    """Live value first, then git's."""
    assert text.drift(_drifted(), ["edge-us"]).plain == snapshot


def test_drift_as_json(snapshot: SnapshotAssertion) -> None:
    """The same for a program."""
    assert _pretty(as_json.drift(_drifted(), ["edge-us"])) == snapshot


def test_a_phantom_as_drift(snapshot: SnapshotAssertion) -> None:
    """An instance whose API shows what it does not run."""
    wanted = example()
    phantom = replace(as_applied(wanted.instances[EU_1]), phantom=True, file_version=6)
    assert text.drift(plan(wanted, (phantom,), wanted)).plain == snapshot


def _outcome() -> Outcome:
    """One of each."""
    one = InstanceOutcome(
        CANARY,
        Result.APPLIED,
        created=("backend/api",),
        updated=("backend/web", "frontend/web"),
        deleted=("certificate/site-000000000000.pem",),
        version_before=7,
        version_after=8,
        checksum_before="sha256:00",
        checksum_after="sha256:01",
        reload="succeeded",
        requests=21,
        notes=("server web/web-a is drained again, as an operator had left it",),
    )
    words = "HAProxy cannot bind [203.0.113.77:18098]\x1b[31m"
    failed = replace(one, created=(), updated=(), deleted=(), error=words, notes=(), version_after=9, reload="failed")
    results = (
        one,
        replace(failed, id=EU_1, result=Result.RESTORED, error_code="E_REFUSED", exit=8),
        replace(failed, id=replace(EU_1, name="eu-2"), result=Result.NOT_RESTORED, error_code="E_NOT_RESTORED", exit=9),
        InstanceOutcome(replace(EU_1, name="eu-3"), Result.NOT_ATTEMPTED),
        InstanceOutcome(replace(EU_1, name="eu-4"), Result.UNCHANGED, version_before=3, version_after=3, requests=8),
    )
    return Outcome(COMMIT, "sha256:" + "e" * 64, results)


def test_outcome_as_text(snapshot: SnapshotAssertion) -> None:
    """What became of each instance; a server's own words cannot move the terminal's cursor."""
    shown = text.outcome(_outcome()).plain
    assert "\x1b" not in shown
    assert shown == snapshot


def test_outcome_as_json(snapshot: SnapshotAssertion) -> None:
    """The same for a program."""
    assert _pretty(as_json.outcome(_outcome())) == snapshot


def test_change_for_a_reviewer(snapshot: SnapshotAssertion) -> None:
    """What a reviewer signs: offline, the fleet first, instances to which the same happens together."""
    changes = {
        **WEIGHT,
        "haoam.yaml": ("deleted_percent: 20", "deleted_percent: 90"),
        "haproxy/operators.yaml": ("env/HAOAM_OPERATOR_PASSWORD", "env/HAOAM_OTHER_PASSWORD"),
        "haproxy/certificate.yaml": ("clusters: {env: prod}", "clusters: [edge-eu, edge-us]"),
    }
    found = desired.change(example(resolved=False), example(changes, resolved=False))
    assert change(found).plain == snapshot
    assert _pretty(found) == snapshot(name="json")


def test_a_change_of_nothing(snapshot: SnapshotAssertion) -> None:
    """A commit that changes no desired state says so."""
    assert change(desired.change(example(resolved=False), example(resolved=False))).plain == snapshot


@pytest.mark.parametrize("identity", [CANARY, EU_1], ids=str)
def test_render(identity: object, snapshot: SnapshotAssertion) -> None:
    """The haproxy.cfg text of what git declares, secrets as their references."""
    instances = {str(key): one for key, one in example(resolved=False).instances.items()}
    shown = judging.text_of(instances[str(identity)])
    assert shown == snapshot
