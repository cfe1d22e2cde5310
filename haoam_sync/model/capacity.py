"""How much of a backend's capacity a change leaves."""

from __future__ import annotations

from collections.abc import Mapping

from haoam_sync.model.json import JsonObject

OF_WEIGHTS = ("servers", "default_server", "disabled")
"""The fields of a backend that `weights` depends on."""


def capacity_left(before: JsonObject, after: JsonObject) -> int | None:
    """Percent of the live weight that stays, None where there was none. Both bodies are canonical."""
    return weight_left(weights(before), weights(after))


def weight_left(old: Mapping[str, int], new: Mapping[str, int]) -> int | None:
    """`capacity_left`, of the `weights` of both.

    Weights are relative: halving all of them takes nothing away, and neither does raising one. So the larger of two
    readings counts: weights taken as they are, and in the scale of the server that keeps most.
    """
    total = sum(old.values())
    if total == 0:
        return None
    if old == new:
        return 100
    most = max((new[name] / weight for name, weight in old.items() if weight and new.get(name)), default=1.0)

    def left(scale: float) -> float:
        kept = sum(min(weight, new.get(name, 0) / scale) for name, weight in old.items())
        return kept + sum(weight / scale for name, weight in new.items() if not old.get(name))

    return min(100, round(max(left(1.0), left(most)) * 100 / total))


def weights(backend: JsonObject) -> dict[str, int]:
    """Weight of each server that takes traffic: neither in maintenance nor a backup, its backend not disabled.

    HAProxy's default weight is 1.
    """
    servers = backend.get("servers")
    given = backend.get("default_server")
    default: JsonObject = given if isinstance(given, Mapping) else {}
    fallback = default.get("weight", 1)
    disabled = backend.get("disabled") is True
    found = {}
    for name, server in servers.items() if isinstance(servers, Mapping) else ():
        if type(server) is not dict and not isinstance(server, Mapping):
            continue
        resting = server.get("maintenance", default.get("maintenance")) == "enabled"
        out = disabled or resting or server.get("backup", default.get("backup")) == "enabled"
        weight = server.get("weight", fallback)
        found[name] = weight if isinstance(weight, int) and not out else 0
    return found
