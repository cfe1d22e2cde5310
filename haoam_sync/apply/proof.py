"""I9: what was written runs, and what an operator had set in the worker is set again."""

from __future__ import annotations

from collections.abc import Callable

from haoam_sync.apply import runtime_state, worker
from haoam_sync.apply.progress import Progress
from haoam_sync.apply.running import MANY
from haoam_sync.dataplane import Client
from haoam_sync.model.live import Live
from haoam_sync.model.plan import InstancePlan
from haoam_sync.model.run_time import STATISTICS_BACKENDS, count_backends
from haoam_sync.model.section import SectionKind


def prove(
    client: Client, plan: InstancePlan, before: Live, live: Live, progress: Progress, sleep: Callable[[float], None]
) -> tuple[str, ...]:
    """What the worker does not run as written; empty when it does.

    Args:
        client: of the instance.
        plan: what was written.
        before: the instance before the first write.
        live: the instance now.
        progress: takes notes for the outcome.
        sleep: waits that many seconds.
    """
    orders, notes = runtime_state.put_back(client, progress.states, before, live, sleep=sleep)
    progress.notes += notes
    wanted = {c.section: live.sections[c.section].body if c.section in live.sections else None for c in plan.changes}
    backends = max(count_backends(before), count_backends(live))
    wrong = worker.differences(client, wanted, orders, sleep=sleep, backends=backends)
    if not wrong and not progress.reloaded:
        was = {section: before.sections[section].body for section in wanted if section in before.sections}
        now = {section: body for section, body in wanted.items() if body is not None}
        wrong = worker.not_taken(client, was, now, sleep)
    if not wrong and backends > STATISTICS_BACKENDS:
        progress.notes += _not_looked_at(wanted_backends(plan), backends, reloaded=progress.reloaded)
    return wrong


def wanted_backends(plan: InstancePlan) -> int:
    """How many backends a plan changes."""
    return sum(change.section.kind is SectionKind.BACKEND for change in plan.changes)


def _not_looked_at(changed: int, backends: int, *, reloaded: bool) -> tuple[str, ...]:
    """What a large instance does not let us see in reasonable time."""
    notes = []
    if changed > MANY:
        notes.append(f"the worker was asked for {MANY} of the {changed} changed backends, spread evenly")
    if reloaded:
        notes.append(
            f"with {backends} backends, states set by hand were looked for in the changed ones only;"
            " the reload ended others"
        )
    return tuple(notes)
