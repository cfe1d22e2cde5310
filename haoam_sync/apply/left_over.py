"""What an apply that was killed has left, when there is nothing else to do.

The next run plans from what it finds, and so finishes by itself whatever was left undone: a transaction is deleted, a
phantom is repaired, changes that are missing are written. One thing shows in no plan: a configuration that was
committed and never proven. It reads back as desired, and the worker may run another one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from haoam_sync.apply import runtime_state, worker
from haoam_sync.apply.restore import restore
from haoam_sync.dataplane import Client
from haoam_sync.errors import NotRestoredError, RestoredError
from haoam_sync.haproxycfg.reading import sections_in
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.plan import InstancePlan


def prove(
    client: Client, live: Live, plan: InstancePlan, earlier: str, *, sleep: Callable[[float], None]
) -> tuple[str, ...]:
    """Prove in the worker what was committed last, or put back what was there before.

    Args:
        client: of the instance.
        live: what it is.
        plan: an empty plan for it: `live` is what git wants.
        earlier: the text before the apply that was killed.
        sleep: waits that many seconds.

    Returns:
        Notes for the outcome.

    Raises:
        RestoredError: the worker did not run it; the earlier text is back and proven.
        NotRestoredError: the worker does not run it, and the earlier text cannot be put back.
    """
    if earlier.strip("\n") == live.text.strip("\n"):
        return ()
    then = sections_in(earlier, live.api)
    now = {section: found.body for section, found in live.sections.items()}
    changed = {section for section in {*then, *now} if then.get(section) != now.get(section)}
    states = runtime_state.read(client, live, changed)
    wanted = {section: now.get(section) for section in changed}
    wrong = worker.differences(client, wanted, states.states, text=live.text, sleep=sleep, earlier=then)
    if not wrong:
        return ("an apply before this one was killed after its commit; what it wrote is proven now",)
    why = f"an apply before this one was killed, and HAProxy does not run what it wrote: {'; '.join(wrong)}"
    foreign = sorted(section for section in changed if section in now and section not in plan.owned)
    if foreign:
        raise NotRestoredError(
            f"{why}; somebody else has changed {', '.join(map(str, foreign))} since, so nothing was put back",
            where=str(client.id),
            hint="look at this instance now",
        )
    before = replace(
        live, text=earlier, sections={section: LiveSection(section, body) for section, body in then.items()}
    )
    restore(client, before, changed, states, sleep=sleep)
    raise RestoredError(f"{why}; the earlier state is back", where=str(client.id), hint="plan again")
