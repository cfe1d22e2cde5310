"""Whether the worker runs what the configuration says: the proof that a configuration read back cannot give.

A configuration read back equal to the desired one says nothing about the worker (FACTS.md, "Validation and reloads").
So the worker itself is asked for every changed backend and server, in one request for all servers when there are many.
Where that does not tell the backend of a server (API 3.2), the whole answer must be the file's, server by server; and
some of the changed backends, evenly spread, are asked for by name as well.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

from haoam_sync.apply.running import Running, Servers, spread
from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import RuntimeServer
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionId, SectionKind

ServerId = tuple[str, str]
"""Backend and server."""

Sleep = Callable[[float], None]

_TRIES = 10
_TAKEN_TRIES = 3
_PAUSE_S = 0.3
_SHOWN = 20
"""So many differences are looked for: more say nothing new, and may cost a question each."""


def differences(
    client: Client,
    wanted: Mapping[SectionId, JsonObject | None],
    operator: Mapping[ServerId, str],
    *,
    text: str,
    sleep: Callable[[float], None],
    earlier: Mapping[SectionId, JsonObject] | None = None,
    running: Running | None = None,
) -> tuple[str, ...]:
    """What the worker runs otherwise than `wanted`, the first of it; empty when it runs it.

    Asked again for up to three seconds: right after a reload the old worker may still answer.

    Args:
        client: of the instance.
        wanted: sections as they should run; None for one that should be gone.
        operator: states that an operator has set and that were put back.
        text: the whole configuration that should run.
        sleep: waits that many seconds.
        earlier: the sections as they were: of a backend that had servers and has gone, no server is left.
        running: what the caller has asked the worker just now.
    """
    backends = [section.name for section in wanted if section.kind is SectionKind.BACKEND]
    found: tuple[str, ...] = ()
    for attempt in range(_TRIES):
        if attempt:
            sleep(_PAUSE_S)
        if running is None or attempt:
            running = Running(client, text, spread(backends))
        found = tuple(islice(_differences(running, wanted, Asked(operator, earlier or {})), _SHOWN))
        if not found:
            return ()
    return found


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


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known beside the bodies.

    Attributes:
        operator: states that somebody else decides.
        earlier: sections as they were.
    """

    operator: Mapping[ServerId, str] = field(default_factory=dict)
    earlier: Mapping[SectionId, JsonObject] = field(default_factory=dict)


def _differences(running: Running, wanted: Mapping[SectionId, JsonObject | None], known: Asked) -> Iterator[str]:
    for section, body in sorted(wanted.items()):
        yield from proxy_differences(running, section, body, known)


def proxy_differences(running: Running, section: SectionId, body: JsonObject | None, known: Asked) -> Iterator[str]:
    """What the worker runs otherwise of one section; other kinds run inside proxies, and show nowhere of themselves."""
    match section.kind:
        case SectionKind.FRONTEND:
            yield from _frontend(running, section, body)
        case SectionKind.BACKEND:
            if body is not None:
                yield from _backend(running, section, body, known.operator)
            elif _still_runs(running, section, known.earlier.get(section, {})):
                yield f"{section} still runs"
        case _:
            pass


def _frontend(running: Running, section: SectionId, body: JsonObject | None) -> Iterator[str]:
    status = running.status("frontend", section.name)
    if body is None:
        if status is not None:
            yield f"{section} still runs"
    elif running.disabled("frontend", section.name):
        if status == "OPEN":
            yield f"{section} still runs"
    elif status is None:
        yield f"{section} does not run"
    elif status not in ("OPEN", "") and not body.get("disabled") and body.get("binds"):
        yield f"{section} is {status}"


def _still_runs(running: Running, section: SectionId, earlier: JsonObject) -> bool:
    if running.servers(section.name):
        return True
    had_servers = bool(earlier.get("servers") or earlier.get("server_templates"))
    return not had_servers and running.status("backend", section.name) is not None


def _backend(running: Running, section: SectionId, body: JsonObject, operator: Mapping[ServerId, str]) -> Iterator[str]:
    wanted, found = servers_of(body), running.servers(section.name)
    if running.disabled("backend", section.name):
        if running.status("backend", section.name) is not None:
            yield f"{section} still runs"
    elif not found and running.status("backend", section.name) is None:
        yield f"{section} does not run"
        return
    yield from _servers(section.name, body, wanted, found, operator)


def _servers(
    backend: str, body: JsonObject, wanted: Mapping[str, JsonObject], found: Servers, operator: Mapping[ServerId, str]
) -> Iterator[str]:
    for name, server in sorted(wanted.items()):
        if name not in found:
            yield f"server {backend}/{name} does not run"
        else:
            yield from _server(backend, found[name], server, operator.get((backend, name)))
    if not body.get("server_templates"):
        for name in sorted(found.keys() - wanted.keys()):
            yield f"server {backend}/{name} still runs"


def _server(backend: str, running: RuntimeServer, wanted: JsonObject, operator: str | None) -> Iterator[str]:
    what = f"server {backend}/{running.name}"
    state = operator or configured_state(wanted)
    address = wanted.get("address")
    # Most addresses are written as the worker tells them; only the rest must be read.
    same = running.address == address
    ip = _ip(address) if not same or running.admin_state != state else None
    by_name = ip is None
    # A server whose name does not resolve (yet) is put into maintenance by HAProxy itself, without anybody's order.
    if running.admin_state != state and not (by_name and running.admin_state == "maint"):
        yield f"{what} is {running.admin_state}, not {state}"
    if not same and not by_name and _ip(running.address) not in (None, ip):
        yield f"{what} has the address {running.address}, not {address}"
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
    if all(type(server) is dict for server in servers.values()):  # as read from JSON; asking abstract classes is slow
        return cast("Mapping[str, JsonObject]", servers)
    return {name: server for name, server in servers.items() if isinstance(server, Mapping)}


def configured_state(server: JsonObject) -> str:
    """The state in which the configuration starts a server."""
    return "maint" if server.get("maintenance") == "enabled" else "ready"


def _ip(text: Json) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        return None
