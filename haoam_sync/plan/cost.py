"""What a change costs: a reload or none, servers that leave rotation, and how much of a backend stays."""

from __future__ import annotations

from haoam_sync.model.capacity import OF_WEIGHTS, weight_left, weights
from haoam_sync.model.json import JsonObject
from haoam_sync.model.plan import Cost
from haoam_sync.model.run_time import RunTimeView, needs_reload
from haoam_sync.model.section import SectionId, SectionKind


def of_change(
    identity: SectionId, before: JsonObject | None, after: JsonObject | None, view: RunTimeView | None
) -> Cost:
    """What the change costs.

    Args:
        identity: of the section.
        before: canonical, without metadata; None for a section that is not there.
        after: the same; None for a deletion.
        view: what can be seen of the worker; None when it is of no matter, since the section comes or goes.
    """
    reload = view is None or needs_reload(identity.kind, before, after, view)
    if identity.kind is not SectionKind.BACKEND or before is None:
        return Cost(reload)
    old = weights(before)
    alike = after is not None and all(before.get(name) == after.get(name) for name in OF_WEIGHTS)
    new = old if alike else weights(after or {})
    leaving = tuple(f"{identity.name}/{name}" for name in sorted(old) if old[name] and not new.get(name))
    return Cost(reload, leaving, weight_left(old, new))
