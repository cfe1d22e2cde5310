"""`plan` and `drift`: read, compare, change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from haoam_sync import live, trust
from haoam_sync import plan as plans
from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import ProposedCommit, TrustedCommit
from haoam_sync.model.desired import Desired, DesiredInstance
from haoam_sync.model.exchange import Recorder, Unrecorded
from haoam_sync.model.fleet import Cluster, Instance, InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Guard, Plan
from haoam_sync.pipeline import connecting
from haoam_sync.pipeline.opening import Opened, audit_log, chosen, opened
from haoam_sync.settings import Settings
from haoam_sync.state import Seen


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
        never_applied: clusters to which nothing was applied yet.
        requests: how many API requests it took.
    """

    plan: Plan
    never_applied: tuple[str, ...]
    requests: int


@dataclass(frozen=True)
class Earlier:
    """What was applied last.

    Attributes:
        commits: for each cluster its commit.
        instances: what that commit wants of each instance.
        seen: the configuration that the apply left on each instance.
    """

    commits: Mapping[str, str]
    instances: Mapping[InstanceId, DesiredInstance]
    seen: Mapping[InstanceId, Seen]


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


def drift(settings: Settings, clusters: tuple[str, ...]) -> Drift:
    """What differs from the commits applied last. One request for an instance that is as the apply left it.

    Raises:
        HaoamError: as for each stage.
    """
    with opened(settings) as here:
        return _drift(here, clusters)


def _drift(here: Opened, clusters: tuple[str, ...]) -> Drift:
    trusted = here.accepted()
    fleet = here.fleet(trusted)
    targets = chosen(fleet, clusters)
    before = earlier(here, targets)
    never = tuple(sorted(name for name in targets if name not in before.commits))
    instances = [i for name, cluster in targets.items() if name in before.commits for i in cluster.instances]
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(audit_log(here.settings))
        recorder = log.recorder()
        found = connecting.side_by_side(instances, lambda one: _looked_at(here, one, before, recorder))
        changed = {identity: snapshot for identity, (snapshot, _) in found.items() if snapshot is not None}
        result = plans.compute(trusted.id, before.instances, changed, before.instances, applied_commits=before.commits)
        untouched = tuple(
            plans.nothing(identity, Guard(before.seen[identity].version, before.seen[identity].checksum))
            for identity in found
            if identity not in changed
        )
        result = replace(result, instances=tuple(sorted((*result.instances, *untouched), key=lambda one: one.id)))
        for instance in result.instances:
            if not instance.empty:
                log.drift(instance, commit=before.commits[instance.id.cluster])
    return Drift(result, never, sum(requests for _, requests in found.values()))


def earlier(here: Opened, clusters: Mapping[str, Cluster]) -> Earlier:
    """What was applied to these clusters last; each commit is loaded once."""
    applied = {name: record for name in clusters if (record := here.state.applied(name)) is not None}
    loaded: dict[str, Desired] = {}
    instances: dict[InstanceId, DesiredInstance] = {}
    for name, record in applied.items():
        if record.commit not in loaded:
            loaded[record.commit] = here.applied(record.commit)
        wanted = loaded[record.commit]
        instances |= {identity: one for identity, one in wanted.instances.items() if identity.cluster == name}
    return Earlier(
        commits={name: record.commit for name, record in applied.items()},
        instances=instances,
        seen={
            InstanceId(name, one): seen for name, record in applied.items() for one, seen in record.instances.items()
        },
    )


def compared(
    here: Opened,
    wanted: Desired,
    commit: TrustedCommit,
    targets: Mapping[str, Cluster],
    recorder: Recorder,
) -> tuple[Plan, Mapping[InstanceId, Live], Earlier]:
    """Live and plan stage for a trusted commit."""
    before = earlier(here, targets)
    snapshots = connecting.snapshots(_instances(targets), here.reveal, recorder)
    result = plans.compute(
        commit.id,
        wanted.instances,
        snapshots,
        before.instances,
        applied_commits=before.commits,
        change_digest=commit.change_digest,
    )
    return result, snapshots, before


def _planned(here: Opened, wanted: Desired, commit: TrustedCommit, clusters: tuple[str, ...]) -> Planned:
    recorder = Unrecorded()
    result, snapshots, _ = compared(here, wanted, commit, chosen(wanted.fleet, clusters), recorder)
    return Planned(result, None, sum(snapshot.requests for snapshot in snapshots.values()))


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
    snapshots = connecting.snapshots(_instances(targets), here.reveal, Unrecorded())
    result = plans.compute(
        proposal.id,
        wanted.instances,
        snapshots,
        before.instances,
        applied_commits=before.commits,
        change_digest=here.change_digest(proposal.base, proposal.id),
    )
    return Planned(result, refusal, sum(snapshot.requests for snapshot in snapshots.values()))


def _looked_at(here: Opened, instance: Instance, before: Earlier, recorder: Recorder) -> tuple[Live | None, int]:
    """A snapshot and the requests it took; no snapshot when the configuration is as the apply left it."""
    with connecting.client(instance, here.reveal, recorder) as api:
        seen = before.seen.get(instance.id)
        if seen is not None and live.unchanged(api, seen.version, seen.checksum):
            return None, api.requests
        return live.read(api, instance.id), api.requests


def _instances(clusters: Mapping[str, Cluster]) -> Iterable[Instance]:
    return [instance for cluster in clusters.values() for instance in cluster.instances]
