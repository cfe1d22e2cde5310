"""`plan` and `drift`: read, compare, change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from haoam_sync import apply as applies
from haoam_sync import live, trust
from haoam_sync import plan as plans
from haoam_sync.errors import AuditError, HaoamError, NotTrustedError
from haoam_sync.model.commit import ProposedCommit, TrustedCommit
from haoam_sync.model.desired import Desired, DesiredInstance
from haoam_sync.model.exchange import Recorder, Unrecorded
from haoam_sync.model.fleet import Cluster, Instance, InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Owner
from haoam_sync.model.plan import Guard, InstancePlan, Plan
from haoam_sync.model.stored import NO_FILES, FilesAsked, KnownFiles
from haoam_sync.model.trust_policy import SECTIONS
from haoam_sync.pipeline import connecting, files, owning
from haoam_sync.pipeline.opening import Opened, audit_log, chosen, opened
from haoam_sync.settings import Settings
from haoam_sync.state import Seen

_NOTHING = Seen(None, "", "", ())
"""Of an instance of which nothing is remembered."""
_SOMEWHERE = f"{SECTIONS}-"
"""Stands for a document whose name nobody knows any more."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and why it cannot be applied.

    Attributes:
        plan: what would be done.
        refusal: why its commit is not trusted (yet); None when it is.
        requests: how many API requests it took.
    """

    plan: Plan
    refusal: NotTrustedError | None
    requests: int


@dataclass(frozen=True, slots=True)
class Drift:
    """A comparison with what was applied last.

    Attributes:
        plan: what would bring every instance back.
        never_applied: clusters, and single instances of the others, to which nothing was applied yet.
        requests: how many API requests it took, those of instances that failed included.
        failed: instances that could not be compared, and why; sorted.
        worker: what each worker runs otherwise than it should; None when that was not asked for.
    """

    plan: Plan
    never_applied: tuple[str, ...]
    requests: int
    failed: Mapping[InstanceId, HaoamError] = field(default_factory=dict)
    worker: Mapping[InstanceId, tuple[str, ...]] | None = None

    @property
    def found(self) -> bool:
        """Whether anything differs."""
        return not self.plan.empty or any((self.worker or {}).values())


@dataclass(frozen=True)
class Earlier:
    """What was applied last.

    Attributes:
        commits: for each cluster the commit that all of it was brought to last.
        instances: what the commit applied last to each instance wants of it.
        seen: that commit, and the configuration that the apply left on each instance.
        left: files that an apply may have stored before it was killed, `STORAGE/NAME`.
    """

    commits: Mapping[str, str]
    instances: Mapping[InstanceId, DesiredInstance]
    seen: Mapping[InstanceId, Seen]
    left: Mapping[InstanceId, tuple[str, ...]]

    def files(self, identity: InstanceId) -> KnownFiles | None:
        """What we have stored on an instance and what we use there; None when that is not known.

        Where nothing is remembered of an instance, nothing on it is ours: not knowing takes no file away.
        """
        seen = self.seen.get(identity, _NOTHING)
        return files.known(seen.files, seen.found, self.left.get(identity, ()))

    def asked(self, wanted: Mapping[InstanceId, DesiredInstance]) -> Mapping[InstanceId, FilesAsked]:
        """What is to be read of the files of each instance."""
        return {
            identity: files.asked(wanted.get(identity), self.instances.get(identity), self.files(identity))
            for identity in {*wanted, *self.instances}
        }


@dataclass(frozen=True)
class Compared:
    """What came of comparing a trusted commit with the instances.

    Attributes:
        plan: what would be done.
        snapshots: the instances, as they were read.
        before: what was applied last.
        owner: whose the marks are.
    """

    plan: Plan
    snapshots: Mapping[InstanceId, Live]
    before: Earlier
    owner: Owner


def plan(settings: Settings, revision: str, clusters: tuple[str, ...]) -> Planned:
    """What applying a commit would change.

    Raises:
        HaoamError: as for each stage.
    """
    with opened(settings) as here:
        try:
            accepted = here.verify(revision)
        except NotTrustedError as refusal:
            proposal = trust.propose(here.repository, here.root, here.advance(), here.repository.resolve(revision))
            return planned_proposal(here, proposal, clusters, refusal)
        return _planned(here, here.wanted(accepted.commit), accepted.commit, clusters)


def drift(settings: Settings, clusters: tuple[str, ...], *, worker: bool = False) -> Drift:
    """What differs from the commits applied last. One request for an instance that is as the apply left it.

    With `worker`, what HAProxy runs is compared as well: a few requests more, whatever the size.

    An instance that cannot be read or compared hides nothing about the others: it is among the `failed`.

    Raises:
        HaoamError: as for each stage that is not about one instance.
    """
    with opened(settings) as here:
        return _drift(here, clusters, worker=worker)


def _drift(here: Opened, clusters: tuple[str, ...], *, worker: bool) -> Drift:
    trusted = here.accepted()
    fleet = here.fleet(trusted)
    targets = chosen(fleet, clusters)
    before = earlier(here, targets)
    applied = [instance for instance in instances(targets) if instance.id in before.seen]
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(audit_log(here.settings))
        recorder = log.recorder()
        looks = {one.id: _Look(before, worker=worker) for one in applied}
        found, failed = connecting.tried(applied, lambda one: looks[one.id].at(here, one, recorder))
        for error in failed.values():
            if isinstance(error, AuditError):
                raise error
        changed = {identity: snapshot for identity, snapshot in found.items() if snapshot is not None}
        owner = owning.owner(here, trusted.id, trusted.id, before.instances, changed, before.instances)
        planned, uncomparable = _each(before.instances, changed, before, owner)
        failed |= uncomparable
        untouched = [
            plans.nothing(identity, Guard(seen.version, seen.checksum))
            for identity in found
            if identity not in changed and (seen := before.seen[identity]).version is not None
        ]
        result = Plan(
            trusted.id, before.commits, "", tuple(sorted((*planned, *untouched), key=lambda instance: instance.id))
        )
        running = {identity: looks[identity].differences for identity in sorted(found) if identity not in failed}
        for instance in result.instances:
            others = running.get(instance.id, ())
            if not instance.empty or others:
                log.drift(instance, commit=before.seen[instance.id].commit, worker=others)
        for identity, error in sorted(failed.items()):
            log.drift_failed(identity, error, commit=before.seen[identity].commit)
    return Drift(
        result,
        _never_applied(targets, before),
        sum(look.requests for look in looks.values()),
        dict(sorted(failed.items())),
        running if worker else None,
    )


def _never_applied(targets: Mapping[str, Cluster], before: Earlier) -> tuple[str, ...]:
    names: list[str] = []
    for name, cluster in sorted(targets.items()):
        missing = [str(instance.id) for instance in cluster.instances if instance.id not in before.seen]
        names += [name] if len(missing) == len(cluster.instances) else missing
    return tuple(names)


def _each(
    wanted: Mapping[InstanceId, DesiredInstance], snapshots: Mapping[InstanceId, Live], before: Earlier, owner: Owner
) -> tuple[list[InstancePlan], dict[InstanceId, HaoamError]]:
    """The plan of each instance, and those for which there is none."""
    found: list[InstancePlan] = []
    failed: dict[InstanceId, HaoamError] = {}
    for identity, snapshot in sorted(snapshots.items()):
        nothing = DesiredInstance(identity, {}, {})
        try:
            found.append(
                plans.compute_instance(
                    wanted.get(identity, nothing),
                    snapshot,
                    before.instances.get(identity),
                    owner,
                    before.files(identity),
                )
            )
        except Exception as error:  # noqa: BLE001 - a defect that one instance's answers bring out is its failure
            failed[identity] = connecting.failure_of(error, identity)
    return found, failed


def earlier(here: Opened, clusters: Mapping[str, Cluster]) -> Earlier:
    """What was applied to the instances of these clusters last; each commit is loaded once."""
    applied = {name: record for name, record in here.memory.all_applied().items() if name in clusters}
    seen = {InstanceId(name, one): found for name, record in applied.items() for one, found in record.instances.items()}
    journal = applies.FileJournal(here.settings.state / "journal")
    named = [one.id for cluster in clusters.values() for one in cluster.instances]
    loaded = {commit: here.applied(commit) for commit in sorted({one.commit for one in seen.values()})}
    return Earlier(
        commits={name: record.commit for name, record in applied.items() if record.commit},
        instances={
            identity: wanted
            for identity, one in seen.items()
            if (wanted := loaded[one.commit].instances.get(identity)) is not None
        },
        seen=seen,
        left={one: left for one in named if (left := journal.stored(one))},
    )


def compared(
    here: Opened,
    wanted: Desired,
    commit: TrustedCommit,
    targets: Mapping[str, Cluster],
    recorder: Recorder,
) -> Compared:
    """Live and plan stage for a trusted commit.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK, an instance carries something newer.
        HaoamError: as for each stage.
    """
    before = earlier(here, targets)
    snapshots = connecting.snapshots(instances(targets), here.reveal, recorder, before.asked(wanted.instances))
    owning.require_newest(here, commit.id, snapshots)
    owner = owning.owner(here, commit.id, commit.id, wanted.instances, snapshots, before.instances)
    found, failed = _each(wanted.instances, snapshots, before, owner)
    connecting.raise_together(failed)
    return Compared(Plan(commit.id, before.commits, commit.change_digest, tuple(found)), snapshots, before, owner)


def reviewed(plan: Plan) -> Mapping[str, str]:
    """What a review binds of a plan whose secrets are not resolved: of each instance that would change, its digest."""
    return {str(one.id): one.reviewed for one in plan.instances if not one.empty}


def require_reviewed(here: Opened, commit: TrustedCommit, wanted: Desired, compared: Compared) -> None:
    """Where the policy binds the plan: refuse one that was not reviewed as it is now.

    What a reviewer was shown is computed again: the same instances, as they are now, with no secret resolved. An
    instance where nothing but the values of secrets differs has nothing that could be shown.

    Raises:
        NotTrustedError: E_PLAN_REVIEW; E_REVIEW_WITHDRAWN.
    """

    def plans() -> list[trust.PlanInQuestion]:
        whole = {one.id: one for one in compared.plan.instances}
        seen = ProposedCommit(commit.id, commit.tree, commit.base, commit)
        found, failed = _each(
            here.proposed(seen, wanted.fleet).instances, compared.snapshots, compared.before, compared.owner
        )
        connecting.raise_together(failed)
        return [
            trust.PlanInQuestion(str(one.id), one.reviewed, _documents(whole[one.id], compared))
            for one in found
            if not one.empty
        ]

    trust.require_plans(here.reading(here.memory.reload()), commit, plans)


def _documents(plan: InstancePlan, compared: Compared) -> frozenset[str]:
    """Paths of the documents that a plan is of. Of what is deleted: where it was declared, else somewhere."""
    applied = compared.before.instances.get(plan.id)
    found = set()
    for change in plan.changes:
        before = applied.sections.get(change.section) if applied is not None else None
        there = compared.snapshots[plan.id].sections.get(change.section)
        if change.position is not None:
            found.add(change.position.file)
        elif before is not None:
            found.add(before.position.file)
        else:
            found.add(there.mark.file if there is not None and there.mark is not None else _SOMEWHERE)
    places = [one.position for one in plan.certificates] + [one.position for one in plan.files]
    found |= {_SOMEWHERE if place is None else place.file for place in places}
    return frozenset(found or {_SOMEWHERE})


def _planned(here: Opened, wanted: Desired, commit: TrustedCommit, clusters: tuple[str, ...]) -> Planned:
    recorder = Unrecorded()
    found = compared(here, wanted, commit, chosen(wanted.fleet, clusters), recorder)
    return Planned(found.plan, None, sum(snapshot.requests for snapshot in found.snapshots.values()))


def planned_proposal(
    here: Opened, proposal: ProposedCommit, clusters: tuple[str, ...], refusal: NotTrustedError | None
) -> Planned:
    """A plan that nobody can apply: endpoints and credentials of the accepted commit, no secret of the proposed one.

    Raises:
        HaoamError: as for each stage.
    """
    fleet = here.fleet(proposal.accepted)
    wanted = here.proposed(proposal, fleet)
    targets = chosen(fleet, clusters)
    before = earlier(here, targets)
    snapshots = connecting.snapshots(instances(targets), here.reveal, Unrecorded(), before.asked(wanted.instances))
    owner = owning.owner(here, proposal.id, proposal.accepted.id, wanted.instances, snapshots, before.instances)
    found, failed = _each(wanted.instances, snapshots, before, owner)
    connecting.raise_together(failed)
    digest = here.change_digest(proposal.base, proposal.id)
    result = Plan(proposal.id, before.commits, digest, tuple(found))
    return Planned(result, refusal, sum(snapshot.requests for snapshot in snapshots.values()))


class _Look:
    """One look at one instance.

    Attributes:
        requests: that it took, also when it failed.
        differences: of the worker.
    """

    def __init__(self, before: Earlier, *, worker: bool) -> None:
        self.requests = 0
        self.differences: tuple[str, ...] = ()
        self._before = before
        self._worker = worker

    def at(self, here: Opened, instance: Instance, recorder: Recorder) -> Live | None:
        """A snapshot; None when the configuration is as the apply left it."""
        with connecting.client(instance, here.reveal, recorder) as api:
            try:
                seen = self._before.seen.get(instance.id)
                wanted = self._before.instances.get(instance.id)
                renewed = (
                    seen is not None and wanted is not None and files.renewed(wanted, self._before.files(instance.id))
                )
                same = (
                    seen is not None
                    and seen.version is not None
                    and not renewed
                    and live.unchanged(api, seen.version, seen.checksum)
                )
                asked = self._before.asked(self._before.instances).get(instance.id, NO_FILES)
                snapshot = None if same else live.read(api, instance.id, asked)
                if self._worker and wanted is not None:
                    self.differences = applies.drifted(api, wanted)
                return snapshot
            finally:
                self.requests = api.requests


def instances(clusters: Mapping[str, Cluster]) -> Iterable[Instance]:
    """Every instance of these clusters."""
    return [instance for cluster in clusters.values() for instance in cluster.instances]
