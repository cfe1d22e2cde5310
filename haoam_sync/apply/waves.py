"""All instances of a plan, one after the other, so that what is wrong is found on the first."""

from __future__ import annotations

import random as chance
import time
from collections.abc import Callable

from haoam_sync.apply.instance import InstanceApply
from haoam_sync.apply.interrupt import Interrupted, Interrupts
from haoam_sync.apply.journal import Journal
from haoam_sync.apply.tools import Tools
from haoam_sync.apply.unexpected import unexpected
from haoam_sync.dataplane import Client
from haoam_sync.errors import HaoamError
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.fleet import Fleet, InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.outcome import InstanceOutcome, Outcome, Result
from haoam_sync.model.plan import InstancePlan, Plan


def run(
    authorized: AuthorizedPlan,
    connect: Callable[[InstanceId], Client],
    replan: Callable[[Live], InstancePlan],
    *,
    read: Callable[[Client, InstanceId], Live],
    fleet: Fleet,
    journal: Journal,
    sleep: Callable[[float], None] = time.sleep,
    random: Callable[[], float] = chance.random,
) -> Outcome:
    """Do exactly the authorized plan, instance by instance: the first failure stops the rest.

    Order: by wave, then by cluster; in a cluster as haoam.yaml lists its instances, the first one being the canary.

    Args:
        authorized: the plan; only the authorize stage makes one.
        connect: a client for an instance, with a recorder that announces writes to the audit log.
        replan: the plan stage for one snapshot, desired state and commit applied last given.
        read: the live stage's `read`.
        fleet: clusters, with waves and the order of instances.
        journal: memory that outlives the process.
        sleep: waits that many seconds.
        random: a number from 0 up to 1, for the jitter of attempts.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; everything is put back, its `outcome` says what became of each instance.
        HaoamError: E_PLAN, the plan names an instance that the fleet does not have; nothing was sent.
    """
    order = _order(authorized.plan, fleet)
    outcomes: dict[InstanceId, InstanceOutcome] = {}
    try:
        with Interrupts() as interrupts:
            tools = Tools(connect, read, replan, journal, sleep, random, interrupts)
            for plan in order:
                _one(plan, tools, outcomes)
                if outcomes[plan.id].exit:
                    break
    except KeyboardInterrupt as stop:
        raise Interrupted(_all(authorized.plan, outcomes)) from stop
    return _all(authorized.plan, outcomes)


def _one(plan: InstancePlan, tools: Tools, outcomes: dict[InstanceId, InstanceOutcome]) -> None:
    """Apply to one instance, and note its outcome even when that ends in an exception."""
    try:
        client = tools.connect(plan.id)
    except Exception as failure:  # noqa: BLE001 - a defect at one instance is that instance's outcome
        error = failure if isinstance(failure, HaoamError) else unexpected(failure)
        outcomes[plan.id] = InstanceOutcome(
            plan.id, Result.FAILED, error=error.message, error_code=error.code, exit=error.exit
        )
        return
    with client:
        apply = InstanceApply(client, plan, tools)
        try:
            apply.run()
        finally:
            if apply.outcome is not None:
                outcomes[plan.id] = apply.outcome


def _order(plan: Plan, fleet: Fleet) -> tuple[InstancePlan, ...]:
    ranks = {
        instance.id: (cluster.wave, cluster.name, place)
        for cluster in fleet.clusters.values()
        for place, instance in enumerate(cluster.instances)
    }
    unknown = [str(instance.id) for instance in plan.instances if instance.id not in ranks]
    if unknown:
        raise HaoamError(f"the plan is for instances that the fleet does not have: {', '.join(unknown)}", code="E_PLAN")
    return tuple(sorted(plan.instances, key=lambda instance: ranks[instance.id]))


def _all(plan: Plan, outcomes: dict[InstanceId, InstanceOutcome]) -> Outcome:
    return Outcome(
        plan.commit,
        plan.digest,
        tuple(
            outcomes.get(instance.id, InstanceOutcome(instance.id, Result.NOT_ATTEMPTED))
            for instance in sorted(plan.instances, key=lambda instance: instance.id)
        ),
    )
