"""What a change costs: a reload or none, servers that leave rotation, and how much of a backend stays."""

from __future__ import annotations

from collections.abc import Mapping

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
    old, new = _weights(before), _weights(after or {})
    leaving = tuple(f"{identity.name}/{name}" for name in sorted(old) if old[name] and not new.get(name))
    capacity = _capacity_left(old, new)
    return Cost(reload, leaving, capacity)


def _capacity_left(old: dict[str, int], new: dict[str, int]) -> int | None:
    """Percent of the live weight that stays, None where there was none.

    Weights are relative: halving all of them takes nothing away, and neither does raising one. So the larger of two
    readings counts: weights taken as they are, and in the scale of the server that keeps most.
    """
    total = sum(old.values())
    if total == 0:
        return None
    most = max((new[name] / weight for name, weight in old.items() if weight and new.get(name)), default=1.0)

    def left(scale: float) -> float:
        kept = sum(min(weight, new.get(name, 0) / scale) for name, weight in old.items())
        return kept + sum(weight / scale for name, weight in new.items() if not old.get(name))

    return min(100, round(max(left(1.0), left(most)) * 100 / total))


def _weights(backend: JsonObject) -> dict[str, int]:
    """Weight of each server that takes traffic: neither in maintenance nor a backup, its backend not disabled.

    HAProxy's default weight is 1.
    """
    servers = backend.get("servers")
    given = backend.get("default_server")
    default: JsonObject = given if isinstance(given, Mapping) else {}
    fallback = default.get("weight", 1)
    disabled = backend.get("disabled") is True
    weights = {}
    for name, server in servers.items() if isinstance(servers, Mapping) else ():
        if not isinstance(server, Mapping):
            continue
        resting = server.get("maintenance", default.get("maintenance")) == "enabled"
        out = disabled or resting or server.get("backup", default.get("backup")) == "enabled"
        weight = server.get("weight", fallback)
        weights[name] = weight if isinstance(weight, int) and not out else 0
    return weights
