"""What a running worker takes and shows, so that changing it needs no reload (FACTS.md, "Writing"). Pure.

Both halves count. A worker takes a health check port and shows it nowhere, so nobody could prove that it did. The plan
asks here whether a change needs a reload; the apply asks what to tell the worker. So both always say the same.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.live import Live
from haoam_sync.model.section import SectionId, SectionKind

STATISTICS_BACKENDS = 1_000
"""Up to so many backends the worker's statistics are asked: they cost it 1 ms each, whatever the question names."""
_TELLS_WEIGHTS = ApiVersion(3, 4)
_FIELDS = frozenset({"weight", "address", "port", "maintenance"})
_DYNAMIC = frozenset({"roundrobin", "leastconn", "random"})
_WEIGHT_MOVES_BY_ITSELF = ("slowstart", "agent-check", "agent_check", "track")


@dataclass(frozen=True, slots=True)
class RunTimeView:
    """What can be seen of an instance's worker in little time.

    Attributes:
        weights: whether weights of servers can be seen.
        tells_weights: whether they are told with the servers, and not in the statistics alone.
        statistics: whether its statistics are few enough to ask for.
        algorithms: balance algorithm of each `defaults` that sets one.
    """

    weights: bool
    statistics: bool
    algorithms: Mapping[str, str]
    tells_weights: bool = False

    @classmethod
    def of(cls, live: Live) -> RunTimeView:
        """The view of an instance."""
        statistics = count_backends(live) <= STATISTICS_BACKENDS
        algorithms = {
            section.name: algorithm
            for section, found in live.sections.items()
            if section.kind is SectionKind.DEFAULTS and (algorithm := _algorithm(found.body))
        }
        told = live.api >= _TELLS_WEIGHTS
        return cls(statistics or told, statistics, algorithms, told)


def count_backends(live: Live) -> int:
    """How many backends an instance has."""
    return sum(section.kind is SectionKind.BACKEND for section in live.sections)


def needs_reload(kind: SectionKind, before: JsonObject | None, after: JsonObject | None, view: RunTimeView) -> bool:
    """Whether HAProxy must reload for a change.

    Args:
        kind: of the section.
        before: canonical, without metadata; None for a section that is not there.
        after: the same; None for a deletion.
        view: what can be seen of the worker.
    """
    if before is None or after is None:
        return True
    if before == after:
        return False  # nothing but our mark
    match kind:
        case SectionKind.FRONTEND:
            limits = [body.get("maxconn") for body in (before, after)]
            return not (_rest(before, "maxconn") == _rest(after, "maxconn") and view.statistics and _whole(*limits))
        case SectionKind.BACKEND:
            return not _servers_alone(before, after, view)
        case _:
            return True


def actions(section: SectionId, before: JsonObject, after: JsonObject) -> tuple[str, ...]:
    """The `X-Runtime-Actions` that make of a worker that runs `before` one that runs `after`.

    Args:
        section: a section whose change needs no reload.
        before: its body.
        after: the body to come.
    """
    if section.kind is SectionKind.FRONTEND:
        limit = after.get("maxconn")
        return (f"SetFrontendMaxConn {section.name} {limit}",) if limit != before.get("maxconn") else ()
    if section.kind is not SectionKind.BACKEND:
        return ()
    return tuple(_server_actions(section.name, _servers(before), _servers(after)))


def _server_actions(backend: str, before: Mapping[str, JsonObject], after: Mapping[str, JsonObject]) -> Iterator[str]:
    for name, new in sorted(after.items()):
        old = before.get(name, {})
        if _place(new) != _place(old):
            yield f"SetServerAddr {backend} {name} {new['address']} {new['port']}"
        if new.get("weight") != old.get("weight"):
            yield f"SetServerWeight {backend} {name} {new['weight']}"
        if _in_maintenance(new) != _in_maintenance(old):
            yield f"SetServerState {backend} {name} {'maint' if _in_maintenance(new) else 'ready'}"


def _servers_alone(before: JsonObject, after: JsonObject, view: RunTimeView) -> bool:
    if _rest(before, "servers") != _rest(after, "servers"):
        return False
    old, new = _servers(before), _servers(after)
    return old.keys() == new.keys() and all(
        one == new[name] or _server_alone(one, new[name], after, view) for name, one in old.items()
    )


def _server_alone(old: JsonObject, new: JsonObject, backend: JsonObject, view: RunTimeView) -> bool:
    changed = {field for field in {*old, *new} if old.get(field) != new.get(field)}
    if changed - _FIELDS:
        return False
    if "weight" in changed:
        # Taking a weight away reloads. Where a table made at start picks the server, HAProxy takes 0 and 100 % only.
        moving = any(field in new for field in _WEIGHT_MOVES_BY_ITSELF)
        algorithm = _algorithm(backend) or view.algorithms.get(str(backend.get("from", "")), "roundrobin")
        if not (view.weights and _whole(old.get("weight"), new.get("weight"))) or moving or algorithm not in _DYNAMIC:
            return False
    if changed & {"address", "port"}:
        return all(_is_ip(one.get("address")) and _whole(one.get("port")) for one in (old, new))
    return True


def _algorithm(body: JsonObject) -> str:
    balance = body.get("balance")
    return str(balance.get("algorithm", "")) if isinstance(balance, Mapping) else ""


def _servers(body: JsonObject) -> Mapping[str, JsonObject]:
    servers = body.get("servers")
    if not isinstance(servers, Mapping):
        return {}
    return {name: server for name, server in servers.items() if isinstance(server, Mapping)}


def _place(server: JsonObject) -> tuple[Json, Json]:
    return server.get("address"), server.get("port")


def _in_maintenance(server: JsonObject) -> bool:
    return server.get("maintenance") == "enabled"


def _rest(body: JsonObject, without: str) -> dict[str, Json]:
    return {key: value for key, value in body.items() if key != without}


def _whole(*values: Json) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _is_ip(value: Json) -> bool:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return True
