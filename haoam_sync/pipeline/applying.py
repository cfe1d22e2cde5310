"""`apply`: trust, plan again, authorize, record, do, record."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace

from haoam_sync import apply as applies
from haoam_sync import audit, authorize, live
from haoam_sync import plan as plans
from haoam_sync.audit import AuditLog
from haoam_sync.errors import HaoamError, InstanceError, NotRestoredError, NotTrustedError, PlanMismatchError
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.desired import Desired, DesiredInstance
from haoam_sync.model.fleet import Cluster, InstanceId
from haoam_sync.model.json import is_digest
from haoam_sync.model.live import Live
from haoam_sync.model.outcome import InstanceOutcome, Outcome, Result
from haoam_sync.model.plan import InstancePlan, Plan
from haoam_sync.pipeline import connecting, files, owning, planning
from haoam_sync.pipeline.opening import Opened, audit_log, chosen, opened, runner
from haoam_sync.settings import Settings
from haoam_sync.state import Applied, Seen

_SEED = "trust state seed {} --without CLUSTER/NAME"
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
            trusted = _trusted(here, revision, clusters, log)
        except HaoamError as error:
            log.refused(error)
            raise
        try:
            return _applied(here, trusted, plan_digest, clusters, log)
        except HaoamError as error:
            log.refused(error, commit=trusted.id, trusted=trusted)
            raise


def _trusted(here: Opened, revision: str, clusters: tuple[str, ...], log: AuditLog) -> TrustedCommit:
    """Trust stage. What is accepted is recorded, then remembered.

    A host that remembers nothing asks the instances first: one of them may know more. What is remembered goes forward
    only, so that an older or another history, once accepted, would keep the right one out.
    """
    accepted = here.verify(revision)
    if accepted.before.commit is None:
        _ask_marks(here, accepted.commit, clusters, log)
    for step in accepted.steps:
        log.accepted(step)
    here.memory.store(accepted)
    return accepted.commit


def _ask_marks(here: Opened, commit: TrustedCommit, clusters: tuple[str, ...], log: AuditLog) -> None:
    """Whether an instance of these clusters carries something newer, or of another history.

    A commit that could not be applied anyway is refused before anybody is asked.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK; E_SECRET_REFERENCE.
        InvalidDesiredError: its desired state does not hold.
        InstanceError: one of them does not say.
    """
    asked = planning.instances(chosen(here.wanted(commit).fleet, clusters))
    try:
        snapshots = connecting.snapshots(asked, here.reveal, log.recorder(), {})
    except InstanceError as error:
        way = f"this host remembers nothing yet; without an instance that is down: haoam-sync {_SEED.format(commit.id)}"
        error.hint = f"{error.hint}\n  {way}" if error.hint else way
        raise
    owning.require_newest(here, commit.id, snapshots)


def _applied(
    here: Opened, trusted: TrustedCommit, plan_digest: str, clusters: tuple[str, ...], log: AuditLog
) -> Outcome:
    wanted = here.wanted(trusted)
    targets = chosen(wanted.fleet, clusters)
    with contextlib.ExitStack() as stack:
        for name in targets:
            stack.enter_context(here.state.locked(name))
        _require_newest(here, trusted)
        compared = planning.compared(here, wanted, trusted, targets, log.recorder())
        plan = compared.plan
        if plan.digest != plan_digest:
            raise PlanMismatchError(
                f"the plan is not the one given: it now has {plan.digest}",
                where=trusted.id,
                hint="something changed since it was shown; look at `haoam-sync plan` again",
            )
        planning.require_reviewed(here, trusted, wanted, compared)
        authorized = authorize.check(
            plan, trusted, wanted.fleet, here.limits(trusted), lambda one: connecting.credential(one, here.reveal)
        )
        journal = applies.FileJournal(here.settings.state / "journal")
        if plan.empty and not any(journal.unfinished(one.id) for one in plan.instances):
            outcome = _unchanged(plan, compared.snapshots)
            outcome = _recorded(here, outcome, targets, plan, wanted, compared.before)
        else:
            outcome = _done(here, authorized, wanted, compared, log, journal)
        _close_what_was_left(outcome, log, here.settings)
    return outcome


def _require_newest(here: Opened, trusted: TrustedCommit) -> None:
    """Nobody has accepted (and perhaps applied) something newer while we waited for the locks.

    What was applied was accepted before, so the commit accepted last is the newest of both.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK.
    """
    accepted = here.memory.reload().accepted
    if accepted != trusted.id:
        raise NotTrustedError(
            f"{accepted} was accepted here meanwhile: {trusted.id} is not the newest commit any more",
            code="E_STATE_ROLLBACK",
            where=trusted.id,
            hint="history only goes forward; look at `haoam-sync plan` again",
        )


def _done(
    here: Opened,
    authorized: AuthorizedPlan,
    wanted: Desired,
    compared: planning.Compared,
    log: AuditLog,
    journal: applies.Journal,
) -> Outcome:
    """Record the intention, do it, record the outcome: also when it is interrupted."""
    instances = {instance.id: instance for instance in wanted.fleet.instances()}
    intention = log.intend(authorized, runner=runner(here.settings))
    recorder = log.recorder(intention)
    before, snapshots = compared.before, compared.snapshots

    def compute(snapshot: Live) -> InstancePlan:
        nothing = DesiredInstance(snapshot.id, {}, {})
        return plans.compute_instance(
            wanted.instances.get(snapshot.id, nothing),
            snapshot,
            before.instances.get(snapshot.id),
            compared.owner,
            before.files(snapshot.id),
        )

    replan = plans.Again(compute, ((snapshots[one.id], one) for one in authorized.plan.instances))

    outcome: Outcome | None = None
    stopped: BaseException | None = None
    try:
        outcome = applies.run(
            authorized,
            lambda identity: connecting.client(instances[identity], here.reveal, recorder),
            replan,
            read=live.Reader(snapshots, before.asked(wanted.instances)),
            fleet=wanted.fleet,
            journal=journal,
        )
    except applies.Interrupted as stop:
        outcome, stopped = stop.outcome, stop
        raise
    except BaseException as error:
        outcome, stopped = _broken_off(authorized.plan, error), error
        raise
    finally:
        if outcome is not None:
            try:
                log.conclude(intention, outcome)
            finally:
                clusters = {name: wanted.fleet.clusters[name] for name in _clusters_of(outcome)}
                outcome = _recorded(here, outcome, clusters, authorized.plan, wanted, before)
                _told(stopped, outcome)
    return replace(
        outcome,
        instances=tuple(replace(one, requests=one.requests + snapshots[one.id].requests) for one in outcome.instances),
    )


def _recorded(
    here: Opened,
    outcome: Outcome,
    targets: Mapping[str, Cluster],
    plan: Plan,
    wanted: Desired,
    before: planning.Earlier,
) -> Outcome:
    """The outcome, remembered; with why it is not, where that failed: it is true all the same, and must be told."""
    for name, cluster in targets.items():
        try:
            _remember(here, outcome, {name: cluster}, plan, wanted, before)
        except HaoamError as error:
            outcome = replace(outcome, unrecorded=outcome.unrecorded or error)
    return outcome


def _told(stopped: BaseException | None, outcome: Outcome) -> None:
    """What ended an apply says too that it was not remembered."""
    if isinstance(stopped, applies.Interrupted):
        stopped.outcome = outcome
    elif isinstance(stopped, HaoamError) and outcome.unrecorded is not None:
        lines = (stopped.hint, f"besides, what was applied was not recorded: {outcome.unrecorded}")
        stopped.hint = "\n".join(filter(None, lines))


def _broken_off(plan: Plan, error: BaseException) -> Outcome:
    """The outcome when no instance has one: only a refusal of the whole plan comes before anything was sent."""
    refused = isinstance(error, HaoamError)
    why = error.message if isinstance(error, HaoamError) else f"the apply was broken off by {type(error).__name__}"
    return Outcome(
        plan.commit,
        plan.digest,
        tuple(
            InstanceOutcome(
                instance.id,
                Result.NOT_ATTEMPTED if refused else Result.NOT_RESTORED,
                error=why,
                error_code=error.code if isinstance(error, HaoamError) else "E_UNEXPECTED",
                exit=error.exit if isinstance(error, HaoamError) else NotRestoredError.exit,
            )
            for instance in plan.instances
        ),
    )


def _clusters_of(outcome: Outcome) -> tuple[str, ...]:
    return tuple(sorted({instance.id.cluster for instance in outcome.instances}))


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


def _remember(
    here: Opened,
    outcome: Outcome,
    targets: Mapping[str, Cluster],
    plan: Plan,
    wanted: Desired,
    before: planning.Earlier,
) -> None:
    """Each instance that was reached is at this commit now; the others stay at the one before.

    So the next plan knows what an instance got, also when the apply stopped half-way through its cluster. One that
    could not be put back stays at the commit before, which says what is ours and protected there. What it holds is not
    known: a drift check must not take a file that only looks untouched for an instance that is. What was stored on
    it is ours by the journal.
    """
    plans_of = {one.id: one for one in plan.instances}
    journal = applies.FileJournal(here.settings.state / "journal")
    for name, cluster in targets.items():
        earlier = here.memory.all_applied().get(name)
        stored = {one: seen.files for one, seen in earlier.instances.items()} if earlier else {}
        reached = {
            one.id.name: Seen(
                one.version_after,
                one.checksum_after,
                outcome.commit,
                *files.remembered(
                    stored.get(one.id.name, ()),
                    plans_of.get(one.id),
                    wanted.instances.get(one.id),
                    one,
                    left=before.left.get(one.id, ()),
                ),
            )
            for one in outcome.instances
            if one.id.cluster == name and one.result in _REACHED and one.version_after is not None
        }
        lost = {
            one.id.name: replace(seen, version=None, checksum="")
            for one in outcome.instances
            if one.id.cluster == name and one.result is Result.NOT_RESTORED
            if earlier is not None and (seen := earlier.instances.get(one.id.name)) is not None
        }
        known = {**(earlier.instances if earlier else {}), **reached, **lost}
        instances = {one.id.name: known[one.id.name] for one in cluster.instances if one.id.name in known}
        whole = len(instances) == len(cluster.instances) and {s.commit for s in instances.values()} == {outcome.commit}
        commit = outcome.commit if whole else earlier.commit if earlier else ""
        if reached or lost:
            here.memory.record_applied(name, Applied(commit, instances))
            for one in reached:
                journal.recorded(InstanceId(name, one))
