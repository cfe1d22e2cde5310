"""Which plans are allowed, and what each refusal names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from haoam_sync import authorize
from haoam_sync.errors import HaoamError, NotAuthorizedError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId, Limits
from haoam_sync.model.plan import Action, Change, Cost, FieldChange, Guard, InstancePlan, Plan, Reason
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference
from haoam_sync.model.section import SectionId

ID = InstanceId("edge", "e1")
COMMIT = TrustedCommit(
    id="c" * 40,
    base="b" * 40,
    tree="d" * 40,
    tree_sha256="e" * 64,
    ref="refs/heads/main",
    introduction="a" * 40,
    policy_serial=1,
    policy_digest="sha256:00",
    author="alice",
    committer="alice",
    signers=(),
    reviews=(),
    change_digest="sha256:11",
    decided_at=datetime(2026, 1, 1, tzinfo=UTC),
)
INSTANCE = Instance(
    ID, "http://127.0.0.1:5555/v3", "admin", SecretReference("env", "P"), None, {}, Position("haoam.yaml")
)


FLEET = Fleet("edge", {"edge": Cluster("edge", {}, {}, 1, (INSTANCE,), Position("haoam.yaml"))}, ())


def _change(
    section: str,
    action: Action = Action.UPDATE,
    *,
    reason: Reason = Reason.GIT,
    capacity: int | None = None,
    body: dict[str, object] | None = None,
    fields: tuple[FieldChange, ...] = (),
    protected: bool = False,
) -> Change:
    return Change(
        action,
        SectionId.parse(section),
        reason,
        fields,
        None,
        Cost(True, (), capacity),
        body or {},
        protected=protected,
    )


def _plan(*changes: Change, owned: int = 0) -> Plan:
    sections = {SectionId.parse(f"backend/b{number}"): "sha256:00" for number in range(owned)}
    instance = InstancePlan(
        id=ID,
        changes=changes,
        certificates=(),
        normal_form=None,
        normal_form_diff="",
        repair=False,
        owned=sections,
        foreign=(),
        guard=Guard(1, "sha256:00"),
    )
    return Plan(COMMIT.id, {}, "", (instance,))


def test_allowed_plan_is_the_plan_itself() -> None:
    """A plan within the limits comes back authorized, unchanged, with the commit it comes from."""
    plan = _plan(_change("backend/web", capacity=80), owned=1)
    result = authorize.check(plan, COMMIT, FLEET, Limits())
    assert (result.plan, result.commit) == (plan, COMMIT)


@pytest.mark.parametrize(
    ("code", "exit_code", "plan"),
    [
        ("E_PLAN_COMMIT", 5, replace(_plan(), commit="f" * 40)),
        ("E_PROTECTED", 5, _plan(_change("backend/web", Action.DELETE, protected=True), owned=5)),
        ("E_LIMIT_EMPTY", 6, _plan(*(_change(f"backend/b{n}", Action.DELETE) for n in range(3)), owned=3)),
        ("E_LIMIT_DELETE", 6, _plan(_change("frontend/fe", Action.DELETE), owned=5)),
        ("E_LIMIT_DELETE", 6, _plan(_change("defaults/base", Action.DELETE), owned=5)),
        ("E_LIMIT_CHANGED", 6, _plan(*(_change(f"backend/b{n}") for n in range(6)), owned=11)),
        ("E_LIMIT_DELETED", 6, _plan(*(_change(f"backend/b{n}", Action.DELETE) for n in range(3)), owned=11)),
        ("E_LIMIT_CAPACITY", 6, _plan(_change("backend/web", capacity=49), owned=1)),
        ("E_LIMIT_ACCESS", 6, _plan(_change("global", body={"performance_options": {"maxconn": 1}}), owned=1)),
        (
            "E_LIMIT_ACCESS",
            6,
            _plan(
                _change(
                    "global",
                    body={"runtime_apis": [{"address": "/s"}]},
                    fields=(FieldChange("master-worker", True, None),),
                ),
                owned=1,
            ),
        ),
        (
            "E_LIMIT_ACCESS",
            6,
            _plan(
                _change(
                    "global",
                    body={"runtime_apis": [{"address": "/s", "level": "user"}, {"address": "*:9", "level": "admin"}]},
                    fields=(
                        FieldChange(
                            "runtime_apis",
                            [{"address": "/s", "level": "admin"}],
                            [{"address": "/s", "level": "user"}, {"address": "*:9", "level": "admin"}],
                        ),
                    ),
                ),
                owned=1,
            ),
        ),
        (
            "E_LIMIT_EMPTY",
            6,
            _plan(
                *(_change(f"backend/b{n}", Action.DELETE) for n in range(9)),
                _change("backend/new", Action.CREATE),
                owned=9,
            ),
        ),
        (
            "E_LIMIT_ACCESS",
            6,
            _plan(
                _change(
                    "userlist/controller",
                    body={"users": {"bob": {}}},
                    fields=(FieldChange("users.admin.password", {"secret": "current"}, None, secret=True),),
                ),
                owned=1,
            ),
        ),
    ],
)
def test_refusals(code: str, exit_code: int, plan: Plan) -> None:
    """Each rule refuses with its own code, and names the instance and what would happen."""
    with pytest.raises(HaoamError) as caught:
        authorize.check(plan, COMMIT, FLEET, Limits())
    assert (caught.value.code, caught.value.exit) == (code, exit_code)
    assert caught.value.hint


@pytest.mark.parametrize(
    "plan",
    [
        _plan(*(_change(f"backend/b{n}") for n in range(5)), owned=11),
        _plan(*(_change(f"backend/b{n}", Action.DELETE) for n in range(2)), owned=11),
        _plan(*(_change(f"backend/b{n}") for n in range(9)), owned=9),
        _plan(*(_change(f"backend/b{n}", reason=Reason.ADOPT) for n in range(11)), owned=11),
        _plan(_change("backend/web", capacity=50), owned=1),
        _plan(_change("backend/b0", Action.DELETE), _change("backend/new", Action.CREATE), owned=1),
    ],
)
def test_at_the_limit_is_allowed(plan: Plan) -> None:
    """Exactly the limit, few sections, and first adoption pass."""
    assert authorize.check(plan, COMMIT, FLEET, Limits()).plan is plan


def test_limits_come_from_the_fleet() -> None:
    """What a reviewed haoam.yaml allows is allowed."""
    plan = _plan(_change("frontend/fe", Action.DELETE), _change("backend/web", capacity=10), owned=5)
    assert authorize.check(plan, COMMIT, FLEET, Limits(delete_frontends=True, capacity_left_percent=10))


def test_all_findings_are_named() -> None:
    """One refusal names everything that is over a limit, so that nobody learns them one by one."""
    plan = _plan(_change("frontend/fe", Action.DELETE), _change("backend/web", capacity=1), owned=5)
    with pytest.raises(HaoamError) as caught:
        authorize.check(plan, COMMIT, FLEET, Limits())
    assert "frontend/fe" in caught.value.message
    assert "backend/web" in caught.value.message


def test_no_plan_of_another_commit() -> None:
    """Authority belongs to one commit: its reviewers saw that one."""
    with pytest.raises(NotAuthorizedError):
        authorize.check(replace(_plan(), commit="0" * 40), COMMIT, FLEET, Limits())
