"""A small fleet's plan, commit and conversation, for the audit tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from haoam_sync import audit
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import Review, Signer, TrustedCommit
from haoam_sync.model.exchange import Answer, Request
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.outcome import InstanceOutcome, Outcome, Result
from haoam_sync.model.plan import Action, Change, Cost, FieldChange, Guard, InstancePlan, Plan, Reason
from haoam_sync.model.position import Position
from haoam_sync.model.record import Runner
from haoam_sync.model.section import SectionId, SectionKind

KEY = audit.AuditKey(bytes(range(32)))
RUNNER = Runner("runner-1", user="haoam", version="0.1.0")
EU1, EU2 = InstanceId("edge-eu", "eu-1"), InstanceId("edge-eu", "eu-2")
COMMIT, BASE = "c" * 40, "b" * 40
HAPROXY = "/services/haproxy"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "hunter2-never-in-the-log"


class Clock:
    """A clock that goes on by 10 ms at each look, and that a test can set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The next moment."""
        self.now += timedelta(milliseconds=10)
        return self.now


def opened(directory: Path, *, clock: Clock | None = None, segment_bytes: int = 1 << 24) -> audit.AuditLog:
    """The log in `directory`."""
    return audit.open_log(directory, clock=clock or Clock(), key=KEY, segment_bytes=segment_bytes)


def trusted() -> TrustedCommit:
    """A commit of alice's that bob approved."""
    return TrustedCommit(
        id=COMMIT,
        base=BASE,
        tree="d" * 40,
        tree_sha256="e" * 64,
        ref="refs/heads/main",
        introduction="a" * 40,
        policy_serial=3,
        policy_digest="sha256:" + "1" * 64,
        author="alice",
        committer="alice",
        signers=(Signer(COMMIT, "alice", "alice-key"),),
        reviews=(Review("bob", ("reviewer", "root"), "signed", "bob-key", "review-1", START),),
        change_digest="sha256:" + "2" * 64,
        decided_at=START,
    )


def instance_plan(instance: InstanceId = EU1, *, version: int = 5, changed: bool = True) -> InstancePlan:
    """One server's weight, and a password."""
    web = SectionId(SectionKind.BACKEND, "web")
    fields = (
        FieldChange("cookie.dynamic_key", {"secret": "sha256:" + "9" * 64}, {"secret": "env/KEY"}, secret=True),
        FieldChange("servers.s1.weight", 100, 50),
    )
    body = {"name": "web", "servers": {"s1": {"name": "s1", "weight": 50}}, "dynamic_cookie_key": SECRET}
    change = Change(Action.UPDATE, web, Reason.GIT, fields, Position("haproxy/web.yaml"), Cost(), body)
    return InstancePlan(
        id=instance,
        changes=(change,) if changed else (),
        certificates=(),
        normal_form=None,
        normal_form_diff="",
        repair=False,
        owned={web: "sha256:" + "3" * 64},
        foreign=(),
        guard=Guard(version, f"sha256:{version:064d}"),
    )


def authorized(*instances: InstancePlan) -> AuthorizedPlan:
    """A plan for `instances` that was allowed."""
    plan = Plan(COMMIT, {"edge-eu": BASE}, "sha256:" + "2" * 64, instances or (instance_plan(),))
    return AuthorizedPlan(plan, trusted())


def outcome(*instances: InstanceId, result: Result = Result.APPLIED, version: int = 5) -> Outcome:
    """Every instance came out as `result`."""
    error = "" if result is Result.APPLIED else f"validation error: password {SECRET}"
    return Outcome(
        COMMIT,
        "sha256:" + "4" * 64,
        tuple(
            InstanceOutcome(
                instance,
                result,
                updated=("backend/web",),
                version_before=version,
                version_after=version + 1,
                checksum_before=f"sha256:{version:064d}",
                checksum_after=f"sha256:{version + 1:064d}",
                reload="succeeded",
                error=error,
                error_code="E_REFUSED" if error else "",
                exit=8 if error else 0,
            )
            for instance in instances or (EU1,)
        ),
    )


def request(
    method: str, path: str, instance: InstanceId = EU1, *, body: bytes = b"", shown: object = None, **query: str
) -> Request:
    """A request to `instance`."""
    return Request(
        instance.cluster,
        instance.name,
        method,
        HAPROXY + path,
        tuple(query.items()),
        writes=method != "GET",
        body=body,
        shown=shown,  # type: ignore[arg-type]
    )


def say(recorder: audit.LogRecorder, asked: Request, answer: Answer) -> None:
    """One request and its answer, as the client tells them."""
    if asked.writes:
        recorder.announce(asked)
    recorder.answered(asked, answer)


def transact(
    recorder: audit.LogRecorder, instance: InstanceId = EU1, *, version: int = 5, transaction: str = "t1"
) -> None:
    """Read, then change a backend in a transaction and commit it."""
    body = b'{"name":"web","dynamic_cookie_key":"' + SECRET.encode() + b'"}'
    say(recorder, request("GET", "/configuration/version", instance), Answer(200, version, duration_ms=3))
    say(
        recorder,
        request("POST", "/transactions", instance, version=str(version)),
        Answer(201, version, duration_ms=2, transaction_id=transaction),
    )
    say(
        recorder,
        request(
            "PUT",
            "/configuration/backends/web",
            instance,
            body=body,
            shown={"name": "web", "dynamic_cookie_key": "***"},
            transaction_id=transaction,
        ),
        Answer(202, version, duration_ms=4),
    )
    say(
        recorder,
        request("PUT", f"/transactions/{transaction}", instance, force_reload="true"),
        Answer(200, version, duration_ms=40),
    )
    say(recorder, request("GET", "/configuration/version", instance), Answer(200, version + 1, duration_ms=3))


def apply_once(log: audit.AuditLog, *, version: int = 5, transaction: str = "t1") -> None:
    """A whole apply on one instance, from acceptance to outcome."""
    log.start(RUNNER)
    log.accepted(trusted())
    apply = log.intend(authorized(instance_plan(version=version)), runner=RUNNER)
    transact(log.recorder(apply), version=version, transaction=transaction)
    log.conclude(apply, outcome(version=version))
