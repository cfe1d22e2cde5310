"""Whether the worker runs what the configuration says: the proof that a configuration read back cannot give.

A configuration read back equal to the desired one says nothing about the worker (FACTS.md, "Validation and reloads").
So the worker itself is asked: for the names concerned, each of which costs it a millisecond, or, when there are many,
for everything in three requests.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterator, Mapping

from haoam_sync.apply.running import FEW, AtOnce, ByName, ByServers, Running, spread
from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import RuntimeServer
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.run_time import STATISTICS_BACKENDS
from haoam_sync.model.section import SectionId, SectionKind

ServerId = tuple[str, str]
"""Backend and server."""

Sleep = Callable[[float], None]

_TRIES = 10
_TAKEN_TRIES = 3
_PAUSE_S = 0.3


def differences(
    client: Client,
    wanted: Mapping[SectionId, JsonObject | None],
    operator: Mapping[ServerId, str],
    *,
    sleep: Callable[[float], None],
    backends: int = 0,
) -> tuple[str, ...]:
    """What the worker runs otherwise than `wanted`; empty when it runs it.

    Asked again for up to three seconds: right after a reload the statistics may still be the old worker's.

    Args:
        client: of the instance.
        wanted: sections as they should run; None for one that should be gone.
        operator: states that an operator has set and that were put back.
        sleep: waits that many seconds.
        backends: how many the instance has: where its statistics are too slow, and many backends changed, a spread
            of them is asked for.
    """
    found: tuple[str, ...] = ()
    large = backends > STATISTICS_BACKENDS
    if large:
        wanted = {section: wanted[section] for section in asked_for(wanted)}
    proxies = [section for section in wanted if section.kind in (SectionKind.FRONTEND, SectionKind.BACKEND)]
    for attempt in range(_TRIES):
        if attempt:
            sleep(_PAUSE_S)
        running: Running = ByServers(client) if large else ByName(client) if len(proxies) <= FEW else AtOnce(client)
        found = tuple(_differences(running, wanted, operator))
        if not found:
            return ()
    return found


def asked_for(sections: Collection[SectionId]) -> tuple[SectionId, ...]:
    """What is asked for on a large instance: all that are no backends, and a spread of those."""
    backends = [section for section in sections if section.kind is SectionKind.BACKEND]
    return (*(section for section in sections if section.kind is not SectionKind.BACKEND), *spread(backends))


def not_taken(
    client: Client, before: Mapping[SectionId, JsonObject], after: Mapping[SectionId, JsonObject], sleep: Sleep
) -> tuple[str, ...]:
    """Weights and limits that were changed at run time and that the worker does not have; empty when it has them.

    Addresses, ports and states are looked at by `differences`.
    """
    found: tuple[str, ...] = ()
    for attempt in range(_TAKEN_TRIES):
        if attempt:
            sleep(_PAUSE_S)
        found = tuple(_not_taken(client, before, after))
        if not found:
            return ()
    return found


def _not_taken(
    client: Client, before: Mapping[SectionId, JsonObject], after: Mapping[SectionId, JsonObject]
) -> Iterator[str]:
    for section, body in sorted(after.items()):
        was = before.get(section, {})
        if section.kind is SectionKind.FRONTEND and body.get("maxconn") != was.get("maxconn"):
            limit = next(
                (s.session_limit for s in client.stats("frontend", section.name) if s.name == section.name), None
            )
            if limit != body.get("maxconn"):
                yield f"{section} has the maxconn {limit}, not {body.get('maxconn')}"
        elif section.kind is SectionKind.BACKEND:
            old = servers_of(was)
            wanted = {
                name: server["weight"]
                for name, server in servers_of(body).items()
                if "weight" in server and server["weight"] != old.get(name, {}).get("weight")
            }
            if wanted:
                yield from _other_weights(client, section.name, wanted)


def _other_weights(client: Client, backend: str, wanted: Mapping[str, Json]) -> Iterator[str]:
    """API 3.2 shows weights in the statistics alone, and there none of a server that is out."""
    weights = {server.name: server.weight for server in client.runtime_servers(backend)}
    if None in weights.values():
        stats = client.stats("server", backend=backend)
        out = {stat.name for stat in stats if stat.backend == backend and stat.status.startswith(("MAINT", "DRAIN"))}
        weights |= {stat.name: stat.weight for stat in stats if stat.backend == backend}
        wanted = {name: weight for name, weight in wanted.items() if name not in out}
    for name, weight in sorted(wanted.items()):
        if weights.get(name) != weight:
            yield f"server {backend}/{name} has the weight {weights.get(name)}, not {weight}"


def _differences(
    running: Running, wanted: Mapping[SectionId, JsonObject | None], operator: Mapping[ServerId, str]
) -> Iterator[str]:
    for section, body in sorted(wanted.items()):
        match section.kind:
            case SectionKind.FRONTEND:
                yield from _frontend(running, section, body)
            case SectionKind.BACKEND:
                yield from _backend(running, section, body, operator)
            case _:
                pass  # runs inside proxies, and shows nowhere of itself


def _frontend(running: Running, section: SectionId, body: JsonObject | None) -> Iterator[str]:
    status = running.status("frontend", section.name)
    if body is None:
        if status is not None:
            yield f"{section} still runs"
    elif status is None:
        yield f"{section} does not run"
    elif status not in ("OPEN", "") and not body.get("disabled") and body.get("binds"):
        yield f"{section} is {status}"


def _backend(
    running: Running, section: SectionId, body: JsonObject | None, operator: Mapping[ServerId, str]
) -> Iterator[str]:
    there = running.status("backend", section.name) is not None
    if body is None:
        if there:
            yield f"{section} still runs"
        return
    if not there:
        yield f"{section} does not run"
        return
    wanted, found = servers_of(body), running.servers(section.name)
    for name, server in sorted(wanted.items()):
        if name not in found:
            yield f"server {section.name}/{name} does not run"
        else:
            yield from _server(section.name, found[name], server, operator.get((section.name, name)))
    if not body.get("server_templates"):
        for name in sorted(set(found) - set(wanted)):
            yield f"server {section.name}/{name} still runs"


def _server(backend: str, running: RuntimeServer, wanted: JsonObject, operator: str | None) -> Iterator[str]:
    what = f"server {backend}/{running.name}"
    state = operator or configured_state(wanted)
    by_name = _ip(wanted.get("address")) is None
    # A server whose name does not resolve (yet) is put into maintenance by HAProxy itself, without anybody's order.
    if running.admin_state != state and not (by_name and running.admin_state == "maint"):
        yield f"{what} is {running.admin_state}, not {state}"
    if not by_name and _ip(running.address) not in (None, _ip(wanted.get("address"))):
        yield f"{what} has the address {running.address}, not {wanted.get('address')}"
    port = wanted.get("port")
    if isinstance(port, int) and running.port not in (None, port):
        yield f"{what} has the port {running.port}, not {port}"
    weight = wanted.get("weight")
    # After a change at run time the initial weight is still the one loaded; `not_taken` looks at what was to change.
    known = (running.initial_weight, running.weight)
    if isinstance(weight, int) and running.initial_weight is not None and weight not in known:
        yield f"{what} has the weight {running.initial_weight}, not {weight}"


def servers_of(body: JsonObject) -> Mapping[str, JsonObject]:
    """A backend's servers by name."""
    servers = body.get("servers")
    if not isinstance(servers, Mapping):
        return {}
    return {name: server for name, server in servers.items() if isinstance(server, Mapping)}


def configured_state(server: JsonObject) -> str:
    """The state in which the configuration starts a server."""
    return "maint" if server.get("maintenance") == "enabled" else "ready"


def _ip(text: Json) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        return None
