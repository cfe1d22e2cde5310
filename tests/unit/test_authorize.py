"""Which plans are allowed, and what each refusal names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from haoam_sync import authorize
from haoam_sync.errors import HaoamError, NotAuthorizedError
from haoam_sync.model import password_hash
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId, Limits
from haoam_sync.model.plan import UNSHOWN, Action, Change, Cost, FieldChange, Guard, InstancePlan, Plan, Reason
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference
from haoam_sync.model.section import SectionId

CREDENTIAL = "Cr3dential+of+the+fleet"
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


def _credential(_instance: Instance) -> str:
    return CREDENTIAL


def _check(plan: Plan, limits: Limits) -> AuthorizedPlan:
    return authorize.check(plan, COMMIT, FLEET, limits, _credential)


def _password(password: object, *, hashed: bool, before: object = "current") -> Plan:
    """A plan that gives the reconciler's own user a password."""
    fields = (
        FieldChange("users.admin.password", before and {"secret": before}, {"secret": "env/A"}, secret=True),
        FieldChange("users.admin.secure_password", None if before is None else not hashed, hashed),
    )
    user = {"username": "admin", "password": password, "secure_password": hashed}
    return _plan(_change("userlist/controller", body={"users": {"admin": user}}, fields=fields), owned=1)


def test_allowed_plan_is_the_plan_itself() -> None:
    """A plan within the limits comes back authorized, unchanged, with the commit it comes from."""
    plan = _plan(_change("backend/web", capacity=80), owned=1)
    result = _check(plan, Limits())
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
            "E_LIMIT_ACCESS",
            6,
            _plan(
                _change(
                    "global",
                    body={"runtime_apis": [{"address": "/s"}]},
                    fields=(FieldChange(UNSHOWN, ["stats socket /t some-new-word"], None),),
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
        _check(plan, Limits())
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
    assert _check(plan, Limits()).plan is plan


def test_limits_come_from_the_fleet() -> None:
    """What a reviewed haoam.yaml allows is allowed."""
    plan = _plan(_change("frontend/fe", Action.DELETE), _change("backend/web", capacity=10), owned=5)
    assert _check(plan, Limits(delete_frontends=True, capacity_left_percent=10))


def test_all_findings_are_named() -> None:
    """One refusal names everything that is over a limit, so that nobody learns them one by one."""
    plan = _plan(_change("frontend/fe", Action.DELETE), _change("backend/web", capacity=1), owned=5)
    with pytest.raises(HaoamError) as caught:
        _check(plan, Limits())
    assert "frontend/fe" in caught.value.message
    assert "backend/web" in caught.value.message


def test_no_plan_of_another_commit() -> None:
    """Authority belongs to one commit: its reviewers saw that one."""
    with pytest.raises(NotAuthorizedError):
        _check(replace(_plan(), commit="0" * 40), Limits())


@pytest.mark.parametrize(
    "plan",
    [
        _password("another", hashed=False),
        _password(CREDENTIAL, hashed=True),
        _password(password_hash.sha_crypt("6", "another", "salt"), hashed=True),
        _password(password_hash.sha_crypt("6", CREDENTIAL, "salt"), hashed=False),
        _password(None, hashed=False),
    ],
    ids=["another", "plain taken for a hash", "hash of another", "hash taken for plain", "none"],
)
def test_the_reconcilers_own_password_is_not_changed(plan: Plan) -> None:
    """A password that the reconciler does not log in with locks it out at the API's next start: refused, and named."""
    with pytest.raises(HaoamError) as caught:
        _check(plan, Limits())
    assert (caught.value.code, caught.value.exit) == ("E_LIMIT_ACCESS", 6)
    assert "the user admin" in caught.value.message
    assert "userlist/controller" in caught.value.message
    assert CREDENTIAL not in str(caught.value)


@pytest.mark.parametrize(
    "plan",
    [
        _password(CREDENTIAL, hashed=False),
        _password(password_hash.sha_crypt("6", CREDENTIAL, "salt"), hashed=True),
        _password(password_hash.sha_crypt("5", CREDENTIAL, "salt"), hashed=True),
        _password("of a list that is new", hashed=False, before=None),
    ],
    ids=["plain", "sha-512", "sha-256", "new user"],
)
def test_the_reconcilers_own_password_may_be_written_another_way(plan: Plan) -> None:
    """The password that the reconciler logs in with may be put back, or stored as a hash."""
    assert _check(plan, Limits()).plan is plan


def test_the_hint_says_how_to_change_a_password() -> None:
    """What limits cannot raise is not said to be raised by a limit."""
    with pytest.raises(HaoamError) as caught:
        _check(_password("another", hashed=False), Limits())
    assert caught.value.hint is not None
    assert "a second user" in caught.value.hint
    assert "raise the limit" not in caught.value.hint


def test_other_fields_of_the_reconcilers_own_user_may_change() -> None:
    """A group that changes leaves the way in as it is, whatever the form of the password."""
    user = {"username": "admin", "password": "$1$a$b", "secure_password": True, "groups": "b"}
    fields = (FieldChange("users.admin.groups", "a", "b"),)
    plan = _plan(_change("userlist/controller", body={"users": {"admin": user}}, fields=fields), owned=1)
    assert _check(plan, Limits()).plan is plan


def test_the_credential_is_not_asked_for_without_need() -> None:
    """A plan that touches no user of ours needs no secret."""

    def never(_instance: Instance) -> str:
        raise AssertionError

    fields = (FieldChange("users.bob.password", {"secret": "current"}, {"secret": "env/B"}, secret=True),)
    body: dict[str, object] = {"users": {"bob": {"username": "bob", "password": "b", "secure_password": False}}}
    plan = _plan(_change("userlist/people", body=body, fields=fields), owned=1)
    assert authorize.check(plan, COMMIT, FLEET, Limits(), never).plan is plan
