"""Stage: a plan and the trusted commit it comes from become an AuthorizedPlan, or are refused. Pure.

The checks, in this order; the first family that refuses names all of its findings:

A1  The plan was computed from this very commit.
A2  Nothing `protected` is deleted (E_PROTECTED, exit 5).
L1  Not everything that is ours is deleted at once, with less in its place (E_LIMIT_EMPTY, exit 6).
L2  No frontend and no defaults section is deleted (E_LIMIT_DELETE).
L3  Of ten owned sections or more, at most half change (E_LIMIT_CHANGED) and a fifth are deleted (E_LIMIT_DELETED).
    First adoption does not count.
L4  Every backend keeps half of its capacity (E_LIMIT_CAPACITY).
L5  The instance keeps its stats socket, `master-worker` and the user that the reconciler logs in as, with a password
    that is its own (E_LIMIT_ACCESS): without them nobody could undo the change through the API. The API reads its users
    when it starts (FACTS.md), so a password that changes locks nobody out at once: the apply would end well, and the
    next start of the API would keep us out. A password is changed by a second user: declare it, restart the API, name
    it in haoam.yaml, then take the first one away.

The numbers of L2 to L4 stand under `limits` in haoam.yaml, where changing them needs review. Those of the commit before
count, so that no commit raises the limit that it goes over itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from haoam_sync.errors import NotAuthorizedError, OverLimitError
from haoam_sync.model import password_hash
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.fleet import Fleet, Instance, Limits
from haoam_sync.model.plan import UNSHOWN, Action, Change, InstancePlan, Plan, Reason
from haoam_sync.model.section import SectionKind

_WHERE_LIMITS = "split the change, or raise the limit under `limits` in haoam.yaml by a reviewed commit"
_KEEP_ACCESS = (
    "the way in stays as it is, no limit raises this; to change a password declare a second user, restart the API, "
    "name that user in haoam.yaml, then take the first one away"
)
_Finding = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Login:
    """How the reconciler gets into an instance; the password is worked out only where it decides."""

    user: str
    password: Callable[[], str] = field(repr=False)


def check(
    plan: Plan, commit: TrustedCommit, fleet: Fleet, limits: Limits, credential: Callable[[Instance], str]
) -> AuthorizedPlan:
    """Allow exactly this plan.

    Args:
        plan: what would be done.
        commit: who wants it; only the trust stage makes one.
        fleet: instances, with the users that the reconciler logs in as.
        limits: what was in force before this commit: a change cannot raise the limit that it would go over.
        credential: the password that the reconciler logs in with, in clear; asked only when a plan changes one.

    Raises:
        NotAuthorizedError: the plan is not this commit's, or deletes what is protected.
        OverLimitError: the plan goes over a limit.
    """
    if plan.commit != commit.id:
        raise NotAuthorizedError(
            f"the plan was computed from {plan.commit}, not from the trusted commit {commit.id}",
            code="E_PLAN_COMMIT",
            hint="plan again",
        )
    logins = {one.id: _Login(one.user, partial(credential, one)) for one in fleet.instances()}
    protected = [
        f"{instance.id}: {change.section} is protected"
        for instance in plan.instances
        for change in instance.changes
        if change.protected
    ]
    if protected:
        raise NotAuthorizedError(
            "; ".join(protected),
            code="E_PROTECTED",
            hint="take `protected` away by a change of its own first, have it reviewed and applied, then delete",
        )
    findings = [
        (code, f"{instance.id}: {message}")
        for instance in plan.instances
        for code, message in _over_limits(instance, limits, logins.get(instance.id))
    ]
    if findings:
        hints = (_KEEP_ACCESS if code == "E_LIMIT_ACCESS" else _WHERE_LIMITS for code, _ in findings)
        raise OverLimitError(
            "; ".join(message for _, message in findings), code=findings[0][0], hint="; ".join(dict.fromkeys(hints))
        )
    return AuthorizedPlan(plan=plan, commit=commit)


def _over_limits(plan: InstancePlan, limits: Limits, login: _Login | None) -> Iterable[_Finding]:
    deleted = [change for change in plan.changes if change.action is Action.DELETE]
    changed = [c for c in plan.changes if c.action is not Action.CREATE and c.reason is not Reason.ADOPT]
    owned = len(plan.owned)
    created = sum(change.action is Action.CREATE for change in plan.changes)
    if deleted and len(deleted) == owned and created < len(deleted):
        yield "E_LIMIT_EMPTY", f"the desired state is empty: all {owned} sections would be deleted"
    if not limits.delete_frontends:
        for change in deleted:
            if change.section.kind in {SectionKind.FRONTEND, SectionKind.DEFAULTS}:
                yield "E_LIMIT_DELETE", f"{change.section} would be deleted (limits.delete_frontends is false)"
    if owned >= limits.from_sections:
        yield from _shares(len(changed), len(deleted), owned, limits)
    for change in plan.changes:
        left = change.cost.capacity_left
        if change.action is Action.UPDATE and left is not None and left < limits.capacity_left_percent:
            yield (
                "E_LIMIT_CAPACITY",
                f"{change.section} would keep {left} % of its capacity, the limit is {limits.capacity_left_percent} %",
            )
        yield from _lost_access(change, login)


def _shares(changed: int, deleted: int, owned: int, limits: Limits) -> Iterable[_Finding]:
    if changed * 100 > limits.changed_percent * owned:
        yield (
            "E_LIMIT_CHANGED",
            f"{changed} of {owned} owned sections would change, the limit is {limits.changed_percent} %",
        )
    if deleted * 100 > limits.deleted_percent * owned:
        yield (
            "E_LIMIT_DELETED",
            f"{deleted} of {owned} owned sections would be deleted, the limit is {limits.deleted_percent} %",
        )


def _lost_access(change: Change, login: _Login | None) -> Iterable[_Finding]:
    """L5. The user is recognised by its name in any userlist: which one the API reads, only its own file says."""
    match change.section.kind:
        case SectionKind.GLOBAL:
            sockets = (change.body or {}).get("runtime_apis")
            if change.action is Action.DELETE or not sockets or not isinstance(sockets, list | tuple):
                yield "E_LIMIT_ACCESS", "global would lose its stats socket"
            for lost in _lost_sockets(change):
                yield "E_LIMIT_ACCESS", f"global would lose its stats socket {lost}, or change it"
            for line in _hidden_sockets(change):
                yield "E_LIMIT_ACCESS", f"global would lose the line `{line}`, which the API does not show"
            gone = {one.path for one in change.fields if one.before is not None and one.after is None}
            if "master-worker" in gone:
                yield "E_LIMIT_ACCESS", "global would lose master-worker"
        case SectionKind.USERLIST if login is not None:
            yield from _lost_login(change, login)
        case _:
            pass


def _lost_login(change: Change, login: _Login) -> Iterable[_Finding]:
    before = {one.path for one in change.fields if one.before is not None}
    place = f"users.{login.user}."
    if not any(path.startswith(place) for path in before):
        return  # it was not there, or stays as it is
    users = (change.body or {}).get("users")
    user = users.get(login.user) if isinstance(users, Mapping) else None
    if not isinstance(user, Mapping) or user.get("username", login.user) != login.user:
        yield "E_LIMIT_ACCESS", f"{change.section} would lose the user {login.user} that the reconciler logs in as"
    elif before & {f"{place}password", f"{place}secure_password"} and not _lets_in(user, login):
        whose = f"the user {login.user} that the reconciler logs in as"
        yield "E_LIMIT_ACCESS", f"{change.section} would give {whose} a password that is not the reconciler's own"


def _lets_in(user: Mapping[str, object], login: _Login) -> bool:
    """A user without `secure_password` counts as one whose password is a hash."""
    stored = user.get("password")
    hashed = user.get("secure_password") is not False
    return isinstance(stored, str) and password_hash.is_of(stored, login.password(), hashed=hashed)


def _hidden_sockets(change: Change) -> Iterable[str]:
    for one in change.fields:
        if one.path == UNSHOWN and isinstance(one.before, list | tuple):
            yield from (str(line) for line in one.before if str(line).split()[:2] == ["stats", "socket"])


def _lost_sockets(change: Change) -> Iterable[str]:
    """Addresses of admin sockets that are there and would not stay as they are."""
    for one in change.fields:
        if one.path != "runtime_apis" or not isinstance(one.before, list | tuple):
            continue
        after = one.after if isinstance(one.after, list | tuple) else []
        for socket in one.before:
            if isinstance(socket, Mapping) and socket.get("level") == "admin" and socket not in after:
                yield str(socket.get("address"))
