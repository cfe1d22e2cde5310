"""Whether the worker runs what the configuration says: the proof that a configuration read back cannot give.

A configuration read back equal to the desired one says nothing about the worker (FACTS.md, "Validation and reloads").
So the worker itself is asked: for the names concerned, each of which costs it a millisecond, or, when there are many,
for everything in three requests.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping

from haoam_sync.apply.running import FEW, AtOnce, ByName, Running
from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import RuntimeServer
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionId, SectionKind

ServerId = tuple[str, str]
"""Backend and server."""

_TRIES = 10
_PAUSE_S = 0.3


def differences(
    client: Client,
    wanted: Mapping[SectionId, JsonObject | None],
    operator: Mapping[ServerId, str],
    *,
    sleep: Callable[[float], None],
) -> tuple[str, ...]:
    """What the worker runs otherwise than `wanted`; empty when it runs it.

    Asked again for up to three seconds: right after a reload the statistics may still be the old worker's.

    Args:
        client: of the instance.
        wanted: sections as they should run; None for one that should be gone.
        operator: states that an operator has set and that were put back.
        sleep: waits that many seconds.
    """
    found: tuple[str, ...] = ()
    proxies = [section for section in wanted if section.kind in (SectionKind.FRONTEND, SectionKind.BACKEND)]
    for attempt in range(_TRIES):
        if attempt:
            sleep(_PAUSE_S)
        running: Running = ByName(client) if len(proxies) <= FEW else AtOnce(client)
        found = tuple(_differences(running, wanted, operator))
        if not found:
            return ()
    return found


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
    if isinstance(weight, int) and running.initial_weight not in (None, weight):
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
