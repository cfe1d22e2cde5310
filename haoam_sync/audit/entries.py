"""What each kind of record says."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from haoam_sync.audit.codes import Event
from haoam_sync.audit.key import AuditKey
from haoam_sync.audit.moment import rfc3339
from haoam_sync.errors import HaoamError, NotTrustedError, worst_exit
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import Json
from haoam_sync.model.outcome import InstanceOutcome, Outcome, Result
from haoam_sync.model.plan import FieldChange, InstancePlan
from haoam_sync.model.record import (
    Authority,
    ConfigurationState,
    Entry,
    Failure,
    Party,
    RecordedAnswer,
    RecordedRequest,
    Runner,
    StateChange,
)

_WORST_FIRST: Final = (
    Result.NOT_RESTORED,
    Result.RESTORED,
    Result.FAILED,
    Result.NOT_ATTEMPTED,
    Result.APPLIED,
    Result.UNCHANGED,
)


def entry(
    event: Event,
    *,
    outcome: str = "",
    apply: str = "",
    cluster: str = "",
    instance: str = "",
    actor: Party | None = None,
    reviewers: tuple[Party, ...] = (),
    runner: Runner | None = None,
    authority: Authority | None = None,
    request: RecordedRequest | None = None,
    answer: RecordedAnswer | None = None,
    state: StateChange | None = None,
    error: Failure | None = None,
    detail: Json = None,
) -> Entry:
    """An entry about `event`; see `haoam_sync.model.record.Entry` for the rest."""
    return Entry(
        event=event.label,
        code=event.code,
        outcome=outcome,
        apply=apply,
        cluster=cluster,
        instance=instance,
        actor=actor,
        reviewers=reviewers,
        runner=runner,
        authority=authority,
        request=request,
        answer=answer,
        state=state,
        error=error,
        detail=detail,
    )


def failure(key: AuditKey, kind: str, words: str) -> Failure:
    """A failure by its class; its words, which may echo a secret, as a keyed digest only."""
    return Failure(kind, key.digest(words.encode("utf-8", "surrogatepass")) if words else "")


def accepted(commit: TrustedCommit, event: Event = Event.COMMIT_ACCEPTED) -> Entry:
    """A commit was found signed and reviewed; or an operator began the memory with it."""
    return entry(
        event,
        outcome="accepted",
        actor=_actor(commit),
        reviewers=_reviewers(commit),
        authority=_authority(commit),
        detail={
            "repository": commit.introduction,
            "committer": commit.committer,
            "signers": [{"commit": s.commit, "principal": s.principal, "key": s.key} for s in commit.signers],
            "reviews": [{"id": r.id, "evidence": r.evidence, "issued": rfc3339(r.issued)} for r in commit.reviews],
            "policy_serial": commit.policy_serial,
            "tree": commit.tree_sha256,
            "solo": commit.solo,
            **({"waived": list(commit.waived), "reviewed": commit.reviewed} if commit.waived else {}),
            **({"forge": commit.forge} if commit.forge else {}),
        },
    )


def refused(error: HaoamError, commit: str, trusted: TrustedCommit | None, key: AuditKey) -> Entry:
    """A commit, or an apply of a trusted one, was refused."""
    authority = _authority(trusted) if trusted is not None else Authority(commit) if commit else None
    return entry(
        Event.COMMIT_REFUSED if isinstance(error, NotTrustedError) else Event.APPLY_REFUSED,
        outcome="refused",
        actor=_actor(trusted) if trusted is not None else None,
        reviewers=_reviewers(trusted) if trusted is not None else (),
        authority=authority,
        error=failure(key, error.code, error.message),
        detail={"where": error.where} if error.where else None,
    )


def _authority(commit: TrustedCommit) -> Authority:
    return Authority(
        commit.id, base=commit.base, policy_digest=commit.policy_digest, change_digest=commit.change_digest
    )


def _actor(commit: TrustedCommit) -> Party:
    """Who contributed last. That the principal may author is what made the commit trusted."""
    key = next((signer.key for signer in commit.signers if signer.principal == commit.author), "")
    return Party(commit.author, ("author",), key)


def _reviewers(commit: TrustedCommit) -> tuple[Party, ...]:
    return tuple(Party(review.principal, review.roles, review.key) for review in commit.reviews)


def intended(authorized: AuthorizedPlan, apply: str, *, runner: Runner, rule: str) -> tuple[Entry, ...]:
    """The intention of an apply, and of each of its instances."""
    plan, commit = authorized.plan, authorized.commit
    whole = entry(
        Event.APPLY_INTENDED,
        outcome="intended",
        apply=apply,
        actor=_actor(commit),
        reviewers=_reviewers(commit),
        runner=runner,
        authority=replace(_authority(commit), plan_digest=plan.digest, rule=rule),
        detail={"instances": [str(instance.id) for instance in plan.instances]},
    )
    return (whole, *(_instance_intended(instance, apply) for instance in plan.instances))


def _instance_intended(plan: InstancePlan, apply: str) -> Entry:
    changes: list[Json] = [
        {"action": change.action.value, "section": str(change.section), "reason": change.reason.value}
        for change in plan.changes
    ]
    changes += [
        {"action": change.action.value, "section": f"certificate/{change.name}", "reason": change.reason.value}
        for change in plan.certificates
    ]
    changes += [{"action": file.action.value, "section": str(file), "reason": file.reason.value} for file in plan.files]
    return entry(
        Event.INSTANCE_INTENDED,
        outcome="intended",
        apply=apply,
        cluster=plan.id.cluster,
        instance=plan.id.name,
        state=StateChange(before=ConfigurationState(plan.guard.version, plan.guard.checksum)),
        detail={
            "plan": plan.digest,
            "changes": changes,
            "repair": plan.repair,
            "normal_form": plan.normal_form is not None,
        },
    )


def concluded(outcome: Outcome, apply: str, key: AuditKey, *, resumed: bool) -> tuple[Entry, ...]:
    """How each instance of an apply came out, then the apply itself."""
    results = {instance.result for instance in outcome.instances}
    whole = entry(
        Event.APPLY_RECOVERED if resumed else Event.APPLY_CONCLUDED,
        outcome=next((result.value for result in _WORST_FIRST if result in results), Result.UNCHANGED.value),
        apply=apply,
        authority=Authority(outcome.commit, plan_digest=outcome.plan_digest),
        detail={"exit": worst_exit({instance.exit for instance in outcome.instances})},
    )
    return (*(_instance_concluded(instance, apply, key) for instance in outcome.instances), whole)


def _instance_concluded(outcome: InstanceOutcome, apply: str, key: AuditKey) -> Entry:
    before = _state(outcome.version_before, outcome.checksum_before)
    after = _state(outcome.version_after, outcome.checksum_after)
    return entry(
        Event.INSTANCE_CONCLUDED,
        outcome=outcome.result.value,
        apply=apply,
        cluster=outcome.id.cluster,
        instance=outcome.id.name,
        state=StateChange(before, after) if before or after else None,
        error=failure(key, outcome.error_code or "E_UNEXPECTED", outcome.error)
        if outcome.error or outcome.error_code
        else None,
        detail={
            "created": list(outcome.created),
            "updated": list(outcome.updated),
            "deleted": list(outcome.deleted),
            "reload": outcome.reload,
            "requests": outcome.requests,
            "notes": list(outcome.notes),
        },
    )


def _state(version: int | None, checksum: str) -> ConfigurationState | None:
    return ConfigurationState(version, checksum) if version is not None or checksum else None


def drift(plan: InstancePlan, commit: str, worker: tuple[str, ...] = ()) -> Entry:
    """What an instance holds otherwise than the commit applied last says; no value of a secret-typed field."""
    changes: list[Json] = [
        {
            "action": change.action.value,
            "section": str(change.section),
            "fields": [_field(field) for field in change.fields],
        }
        for change in plan.changes
    ]
    changes += [
        {"action": change.action.value, "section": f"certificate/{change.name}", "reason": change.reason.value}
        for change in plan.certificates
    ]
    changes += [{"action": file.action.value, "section": str(file), "reason": file.reason.value} for file in plan.files]
    same = plan.empty and not worker
    running: dict[str, Json] = {"worker": list(worker)} if worker else {}
    return entry(
        Event.DRIFT_NONE if same else Event.DRIFT_FOUND,
        outcome="unchanged" if same else "drifted",
        cluster=plan.id.cluster,
        instance=plan.id.name,
        authority=Authority(commit),
        state=StateChange(before=ConfigurationState(plan.guard.version, plan.guard.checksum)),
        detail=None if same else {"changes": changes, "repair": plan.repair, **running},
    )


def drift_failed(instance: InstanceId, error: HaoamError, commit: str) -> Entry:
    """That an instance could not be compared. The message stays out: it may hold a part of an answer."""
    return entry(
        Event.DRIFT_FAILED,
        outcome="failed",
        cluster=instance.cluster,
        instance=instance.name,
        authority=Authority(commit),
        detail={"code": error.code},
    )


def _field(change: FieldChange) -> Json:
    if change.secret:
        return {"path": change.path, "secret": True}
    return {"path": change.path, "before": change.before, "after": change.after}
