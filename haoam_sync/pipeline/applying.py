"""`apply`: trust, plan again, authorize, record, do, record."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace

from haoam_sync import apply as applies
from haoam_sync import audit, authorize, live, trust
from haoam_sync import plan as plans
from haoam_sync.audit import AuditLog
from haoam_sync.errors import HaoamError, PlanMismatchError
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.desired import Desired, DesiredInstance
from haoam_sync.model.fleet import Cluster, InstanceId
from haoam_sync.model.json import is_digest
from haoam_sync.model.live import Live
from haoam_sync.model.outcome import InstanceOutcome, Outcome, Result
from haoam_sync.model.plan import InstancePlan, Plan
from haoam_sync.pipeline import connecting, planning
from haoam_sync.pipeline.opening import Opened, audit_log, chosen, opened, runner
from haoam_sync.settings import Settings
from haoam_sync.state import Applied, Seen

_REACHED = frozenset({Result.APPLIED, Result.UNCHANGED})
_SETTLED = _REACHED | {Result.RESTORED}


def apply(settings: Settings, revision: str, plan_digest: str, clusters: tuple[str, ...]) -> Outcome:
    """Do exactly the plan that was shown.

    Args:
        settings: the four places.
        revision: the commit; "" for the tip of the policy's branch.
        plan_digest: of the plan that was shown.
        clusters: only these; all of them when empty.

    Raises:
        PlanMismatchError: the plan computed now is another one; nothing was written.
        HaoamError: as for each stage.
    """
    if not is_digest(plan_digest):
        raise PlanMismatchError(
            f"{plan_digest!r} is not a plan digest", hint="give the one that haoam-sync plan printed, sha256:..."
        )
    with opened(settings) as here, audit_log(settings) as log:
        try:
            trusted = _trusted(here, revision, log)
        except HaoamError as error:
            log.refused(error)
            raise
        try:
            return _applied(here, trusted, plan_digest, clusters, log)
        except HaoamError as error:
            log.refused(error, commit=trusted.id, trusted=trusted)
            raise


def _trusted(here: Opened, revision: str, log: AuditLog) -> TrustedCommit:
    """Trust stage. What is accepted is recorded, then remembered."""
    accepted = here.verify(revision)
    for step in accepted.steps:
        log.accepted(step)
    trust.store_state(here.settings.state, accepted)
    return accepted.commit


def _applied(
    here: Opened, trusted: TrustedCommit, plan_digest: str, clusters: tuple[str, ...], log: AuditLog
) -> Outcome:
    wanted = here.wanted(trusted)
    targets = chosen(wanted.fleet, clusters)
    with contextlib.ExitStack() as stack:
        for name in targets:
            stack.enter_context(here.state.locked(name))
        plan, snapshots, before = planning.compared(here, wanted, trusted, targets, log.recorder())
        if plan.digest != plan_digest:
            raise PlanMismatchError(
                f"the plan is not the one given: it now has {plan.digest}",
                where=trusted.id,
                hint="something changed since it was shown; look at `haoam-sync plan` again",
            )
        authorized = authorize.check(plan, trusted, wanted.fleet)
        journal = applies.FileJournal(here.settings.state / "journal")
        if plan.empty and not any(journal.unfinished(one.id) for one in plan.instances):
            outcome = _unchanged(plan, snapshots)
        else:
            outcome = _done(here, authorized, wanted, before.instances, snapshots, log, journal)
        _close_what_was_left(outcome, log, here.settings)
        _remember(here, outcome, targets)
    return outcome


def _done(
    here: Opened,
    authorized: AuthorizedPlan,
    wanted: Desired,
    before: Mapping[InstanceId, DesiredInstance],
    snapshots: Mapping[InstanceId, Live],
    log: AuditLog,
    journal: applies.Journal,
) -> Outcome:
    """Record the intention, do it, record the outcome: also when it is interrupted."""
    instances = {instance.id: instance for instance in wanted.fleet.instances()}
    intention = log.intend(authorized, runner=runner(here.settings))
    recorder = log.recorder(intention)

    def replan(snapshot: Live) -> InstancePlan:
        nothing = DesiredInstance(snapshot.id, {}, {})
        return plans.compute_instance(wanted.instances.get(snapshot.id, nothing), snapshot, before.get(snapshot.id))

    try:
        outcome = applies.run(
            authorized,
            lambda identity: connecting.client(instances[identity], here.reveal, recorder),
            replan,
            read=live.read,
            fleet=wanted.fleet,
            journal=journal,
        )
    except applies.Interrupted as stop:
        log.conclude(intention, stop.outcome)
        raise
    log.conclude(intention, outcome)
    return replace(
        outcome,
        instances=tuple(replace(one, requests=one.requests + snapshots[one.id].requests) for one in outcome.instances),
    )


def _unchanged(plan: Plan, snapshots: Mapping[InstanceId, Live]) -> Outcome:
    return Outcome(
        plan.commit,
        plan.digest,
        tuple(
            InstanceOutcome(
                identity,
                Result.UNCHANGED,
                version_before=snapshot.version,
                version_after=snapshot.version,
                checksum_before=snapshot.checksum,
                checksum_after=snapshot.checksum,
                requests=snapshot.requests,
            )
            for identity, snapshot in sorted(snapshots.items())
        ),
    )


def _close_what_was_left(outcome: Outcome, log: AuditLog, settings: Settings) -> None:
    """An earlier apply that was killed has its outcome now, where every instance of it is proven or restored."""
    settled = {one.id: one for one in outcome.instances if one.result in _SETTLED}
    for left in audit.unfinished(settings.audit):
        if settled.keys() >= set(left.instances):
            log.conclude(
                log.resume(left), replace(outcome, instances=tuple(settled[identity] for identity in left.instances))
            )


def _remember(here: Opened, outcome: Outcome, targets: Mapping[str, Cluster]) -> None:
    """A cluster counts as applied when every one of its instances is; until then the commit before counts."""
    for name, cluster in targets.items():
        results = {one.id.name: one for one in outcome.instances if one.id.cluster == name}
        if set(results) == {i.id.name for i in cluster.instances} and all(
            r.result in _REACHED for r in results.values()
        ):
            seen = {
                one: Seen(result.version_after, result.checksum_after)
                for one, result in results.items()
                if result.version_after is not None
            }
            here.state.record_applied(name, Applied(outcome.commit, seen))
