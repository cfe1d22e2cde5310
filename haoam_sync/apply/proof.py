"""I9: what was written runs, and what an operator had set in the worker is set again."""

from __future__ import annotations

from collections.abc import Callable

from haoam_sync.apply import runtime_state, worker
from haoam_sync.apply.progress import Progress
from haoam_sync.apply.running import Running, spread
from haoam_sync.dataplane import Client
from haoam_sync.model.live import Live
from haoam_sync.model.plan import InstancePlan
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
    changed = [change.section for change in plan.changes]
    running = Running(client, live.text, spread([s.name for s in changed if s.kind is SectionKind.BACKEND]))
    orders, notes = runtime_state.put_back(client, progress.states, before, live, running, sleep=sleep)
    progress.notes += notes
    wanted = {section: live.sections[section].body if section in live.sections else None for section in changed}
    was = {section: before.sections[section].body for section in wanted if section in before.sections}
    just_asked = None if notes else running
    wrong = worker.differences(client, wanted, orders, text=live.text, sleep=sleep, earlier=was, running=just_asked)
    if not wrong and not progress.reloaded:
        now = {section: body for section, body in wanted.items() if body is not None}
        wrong = worker.not_taken(client, was, now, sleep)
    return wrong
