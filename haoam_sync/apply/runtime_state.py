"""What an operator has set in the worker by hand: a reload ends it, so it is noted before and put back after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from haoam_sync.apply.running import Running, Servers
from haoam_sync.apply.worker import ServerId, configured_state, servers_of
from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import RuntimeServer
from haoam_sync.errors import InstanceError
from haoam_sync.model import run_time
from haoam_sync.model.json import JsonObject
from haoam_sync.model.live import Live
from haoam_sync.model.section import SectionId, SectionKind

_Backends = Mapping[str, JsonObject]
"""The bodies of backends, by name."""
_STATES = {"MAINT": "maint", "DRAIN": "drain"}
"""Only these exact words are somebody's order: `MAINT (resolution)` and the like come and go by themselves."""


_STATISTICS = 200
"""Up to so many backends API 3.2's statistics are asked for weights set by hand, which the outcome then tells."""
_TRIES = 3
_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """Servers as the worker ran them.

    Attributes:
        running: the servers by backend.
        backends: those that were asked for; None when all were.
    """

    running: Mapping[str, Servers] = field(default_factory=dict)
    backends: tuple[str, ...] | None = None

    @property
    def states(self) -> Mapping[ServerId, str]:
        """`ready`, `drain` or `maint`, of each."""
        return {
            (backend, one.name): one.admin_state for backend, found in self.running.items() for one in found.values()
        }

    def server(self, server: ServerId) -> RuntimeServer | None:
        """One of them; None when it did not run."""
        return self.running.get(server[0], {}).get(server[1])


def read(client: Client, live: Live, changed: Collection[SectionId], running: Running | None = None) -> RuntimeState:
    """What the worker runs, of every server, in one request.

    The statistics, which alone tell weights in API 3.2, are asked while they are quick. A worker whose servers are not
    those of the file, so that nobody can tell whose they are, is asked for the changed backends by name.

    Args:
        client: of the instance.
        live: what it is.
        changed: the sections that an apply is about.
        running: asked already.
    """
    view = run_time.RunTimeView.of(live)
    if not view.tells_weights and run_time.count_backends(live) <= _STATISTICS:
        told: dict[str, dict[str, RuntimeServer]] = {}
        for stat in client.stats("server"):
            if stat.type == "server" and stat.backend:
                state = _STATES.get(stat.status, "ready")
                told.setdefault(stat.backend, {})[stat.name] = RuntimeServer(stat.name, "", None, state, stat.weight)
        return RuntimeState(told)
    if running is None:
        running = Running(client, live.text)
    everything, names = running.everything, None
    if everything is None:
        there = [section.name for section in changed if section in live.sections]
        names = tuple(sorted(section.name for section in changed if section.kind is SectionKind.BACKEND))
        names = tuple(name for name in names if name in there)
        everything = {name: running.servers(name) for name in names}
    return RuntimeState(everything, names)


def _again(client: Client, before: RuntimeState, live: Live, running: Running) -> RuntimeState:
    """The same servers as before."""
    names = () if before.backends is None else before.backends
    return read(client, live, [SectionId(SectionKind.BACKEND, name) for name in names], running)


def put_back(
    client: Client,
    before: RuntimeState,
    live_before: Live,
    live_now: Live,
    running: Running,
    *,
    sleep: Callable[[float], None],
) -> tuple[dict[ServerId, str], tuple[str, ...]]:
    """Set again what a reload ended.

    A server whose configured state changed follows the configuration; so does one that is new or gone.

    Args:
        client: of the instance.
        before: as it was before the reload.
        live_before: the instance before the apply.
        live_now: the instance after it.
        running: the worker, not asked before the reload.
        sleep: waits that many seconds.

    Returns:
        The servers that now are in a state of an operator's choice, and notes for the outcome, those about what could
        not be put back included.
    """
    if not before.running:
        return {}, ()
    configured_before, configured_now = _bodies(live_before), _bodies(live_now)
    by_hand = sorted(_states_by_hand(before, configured_before))
    weights = sorted(_weights_by_hand(before))
    # Most workers run what their file says. Then a reload ended nothing, and nobody need be asked what it left.
    after = _again(client, before, live_now, running) if by_hand or weights else RuntimeState()
    states: dict[ServerId, str] = {}
    notes: list[str] = []
    for server, state in by_hand:
        was, now = (_configured(server, sections) for sections in (configured_before, configured_now))
        found = after.server(server)
        if found is None or was != now:
            continue
        name = "/".join(server)
        if found.admin_state != state:
            problem = _set(client, server, state, sleep)
            if problem:
                notes.append(f"server {name} was in {state} by hand, and could not be put back: {problem}")
                continue
            notes.append(f"server {name} was in {state} by hand; put back after the reload")
        states[server] = state
    if before.backends is not None:
        notes.append(
            "the worker ran other servers than the file named, so that states set by hand were looked for in the"
            " changed backends only; the reload ended others"
        )
    notes += _lost_weights(weights, before, after, configured_before, configured_now)
    return states, tuple(notes)


def _bodies(live: Live) -> _Backends:
    return {section.name: found.body for section, found in live.sections.items() if section.kind is SectionKind.BACKEND}


def _states_by_hand(before: RuntimeState, configured: _Backends) -> Iterator[tuple[ServerId, str]]:
    """The servers that were in another state than the configuration gives them, and all those of `listen` sections."""
    for backend, running in before.running.items():
        servers = servers_of(configured.get(backend, {}))
        for name, server in running.items():
            if name not in servers or server.admin_state != configured_state(servers[name]):
                yield (backend, name), server.admin_state


def _weights_by_hand(before: RuntimeState) -> Iterator[tuple[ServerId, int]]:
    """The servers that may have had another weight than the configured one; where that is not told, all."""
    for backend, running in before.running.items():
        for name, server in running.items():
            if server.weight is not None and server.weight != server.initial_weight:
                yield (backend, name), server.weight


def _set(client: Client, server: ServerId, state: str, sleep: Callable[[float], None]) -> str:
    """Set a state; what went wrong, "" when it is set. Setting it twice does no harm, so it is tried again."""
    problem = ""
    for attempt in range(_TRIES):
        if attempt:
            sleep(_PAUSE_S * attempt)
        try:
            client.set_admin_state(*server, state)
        except InstanceError as error:
            problem = error.message
        else:
            return ""
    return problem


def _lost_weights(
    weights: Sequence[tuple[ServerId, int]],
    before: RuntimeState,
    after: RuntimeState,
    configured_before: _Backends,
    configured_now: _Backends,
) -> list[str]:
    """Weights set by hand that the reload ended: said, so that who set them can set them again."""
    return [
        f"server {'/'.join(server)} had the weight {weight} in the worker; the reload brought the configured one back"
        for server, weight in weights
        if (found := after.server(server)) is not None
        and found.weight not in (None, weight)
        and (was := before.server(server)) is not None
        and was.admin_state == found.admin_state == "ready"
        and _server(server, configured_before) is not None
        and _server(server, configured_before) == _server(server, configured_now)
        and not _slow_start(server, configured_now)
    ]


def _server(server: ServerId, backends: _Backends) -> JsonObject | None:
    backend = backends.get(server[0])
    return servers_of(backend).get(server[1]) if backend is not None else None


def _configured(server: ServerId, backends: _Backends) -> str | None:
    """The state that the configuration gives it; None for a server of a section we do not read (`listen`)."""
    found = _server(server, backends)
    return configured_state(found) if found is not None else None


def _slow_start(server: ServerId, backends: _Backends) -> bool:
    found = _server(server, backends)
    return found is not None and "slowstart" in found
