"""Plans, drift and outcomes as JSON, complete and without secrets. `schemas/` describes the shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from haoam_sync.errors import HaoamError
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.outcome import Outcome
from haoam_sync.model.plan import InstancePlan, Plan
from haoam_sync.model.results import DriftResult, InstanceDifferences, OutcomeResult, PlanResult, WorkerDifferences


def plan(value: Plan, *, proposed: bool = False) -> PlanResult:
    """A plan."""
    return {
        "commit": value.commit,
        "proposed": proposed,
        "applied": dict(sorted(value.applied.items())),
        "change_digest": value.change_digest,
        "plan_digest": value.digest,
        "empty": value.empty,
        "instances": [_instance(instance) for instance in value.instances],
    }


def drift(
    value: Plan,
    never_applied: Iterable[str] = (),
    failed: Mapping[InstanceId, HaoamError] | None = None,
    worker: Mapping[InstanceId, tuple[str, ...]] | None = None,
) -> DriftResult:
    """A plan against the commit applied last, read as drift: `before` is live, `after` is what git says.

    `worker` is there when it was asked for: what HAProxy runs otherwise, one text each.
    """
    running: list[WorkerDifferences] = [
        {"instance": str(identity), "differences": list(differences)}
        for identity, differences in sorted((worker or {}).items())
    ]
    found: DriftResult = {
        "in_sync": value.empty and not failed and not any((worker or {}).values()),
        "applied": dict(sorted(value.applied.items())),
        "never_applied": sorted(never_applied),
        "failed": [
            {"instance": str(identity), "code": error.code, "message": error.message, "hint": error.hint}
            for identity, error in sorted((failed or {}).items())
        ],
        "instances": [_instance(instance) for instance in value.instances],
    }
    if worker is not None:
        found["worker"] = running
    return found


def outcome(value: Outcome) -> OutcomeResult:
    """What an apply did."""
    found: OutcomeResult = {
        "commit": value.commit,
        "plan_digest": value.plan_digest,
        "exit": value.exit,
        "instances": [
            {
                "instance": str(instance.id),
                "result": instance.result.value,
                "created": list(instance.created),
                "updated": list(instance.updated),
                "deleted": list(instance.deleted),
                "version": {"before": instance.version_before, "after": instance.version_after},
                "checksum": {"before": instance.checksum_before, "after": instance.checksum_after},
                "reload": instance.reload,
                "requests": instance.requests,
                "notes": list(instance.notes),
                "error": {"code": instance.error_code, "message": instance.error} if instance.error else None,
            }
            for instance in value.instances
        ],
    }
    why = value.unrecorded
    if why is not None:
        found["unrecorded"] = {"code": why.code, "message": why.message, "where": why.where, "hint": why.hint}
    return found


def _instance(value: InstancePlan) -> InstanceDifferences:
    return {
        "instance": str(value.id),
        "empty": value.empty,
        "repair": value.repair,
        "normal_form": value.normal_form_diff if value.normal_form is not None else None,
        "unresolved_secrets": value.unresolved,
        "changes": [
            {
                "action": change.action.value,
                "section": str(change.section),
                "reason": change.reason.value,
                "position": str(change.position) if change.position else None,
                "fields": [
                    {"path": field.path, "before": field.before, "after": field.after, "secret": field.secret}
                    for field in change.fields
                ],
                "cost": {
                    "reload": change.cost.reload,
                    "servers_leaving": list(change.cost.servers_leaving),
                    "capacity_left": change.cost.capacity_left,
                },
            }
            for change in value.changes
        ],
        "certificates": [
            {
                "action": certificate.action.value,
                "name": certificate.name,
                "reason": certificate.reason.value,
                "position": str(certificate.position) if certificate.position else None,
            }
            for certificate in value.certificates
        ],
        "files": [
            {
                "action": file.action.value,
                "name": str(file),
                "document": str(file.file) if file.file else None,
                "reason": file.reason.value,
                "position": str(file.position) if file.position else None,
            }
            for file in value.files
        ],
        "foreign": list(value.foreign),
        "warnings": list(value.warnings),
        "guard": {"version": value.guard.version, "checksum": value.guard.checksum},
    }
