"""What the worker runs, asked for by name or all at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Protocol

from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import RuntimeServer, Stat
from haoam_sync.model.section import SectionId

FEW = 40
"""Up to so many proxies are asked for by name; beyond, the whole statistics cost less than the round trips."""


MANY = 200
"""Of more changed backends than so many, on an instance too large for its statistics, so many are asked for."""


def spread(sections: Collection[SectionId]) -> tuple[SectionId, ...]:
    """`MANY` of `sections` at equal distances in their order; all of them when there are not more."""
    ordered = sorted(sections)
    if len(ordered) <= MANY:
        return tuple(ordered)
    return tuple(ordered[place * len(ordered) // MANY] for place in range(MANY))


class Running(Protocol):
    """What the worker runs."""

    def status(self, kind: str, name: str) -> str | None:
        """Status of a `frontend` or `backend`; None when it does not run."""

    def servers(self, backend: str) -> Mapping[str, RuntimeServer]:
        """The servers of a backend by name."""


class ByName:
    """Asks for each name when it is needed."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def status(self, kind: str, name: str) -> str | None:
        """Status of a `frontend` or `backend`; None when it does not run."""
        return next((stat.status for stat in self._client.stats(kind, name) if stat.name == name), None)

    def servers(self, backend: str) -> Mapping[str, RuntimeServer]:
        """The servers of a backend by name."""
        return {server.name: server for server in self._client.runtime_servers(backend)}


class ByServers:
    """Asks for the servers of each backend; the statistics, which are slow there, once and only for what has none."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._at_once = AtOnce(client)
        self._servers: dict[str, Mapping[str, RuntimeServer]] = {}

    def status(self, kind: str, name: str) -> str | None:
        """Status of a `frontend` or `backend`; None when it does not run."""
        if kind == "backend" and self.servers(name):
            return "UP"
        return self._at_once.status(kind, name)

    def servers(self, backend: str) -> Mapping[str, RuntimeServer]:
        """The servers of a backend by name."""
        if backend not in self._servers:
            self._servers[backend] = {server.name: server for server in self._client.runtime_servers(backend)}
        return self._servers[backend]


class AtOnce:
    """Asks three times for everything. What statistics do not tell (configured weights) stays unknown."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stats: dict[str, dict[str, str]] = {}

    def status(self, kind: str, name: str) -> str | None:
        """Status of a `frontend` or `backend`; None when it does not run."""
        if kind not in self._stats:
            self._stats[kind] = {stat.name: stat.status for stat in self._client.stats(kind)}
        return self._stats[kind].get(name)

    def servers(self, backend: str) -> Mapping[str, RuntimeServer]:
        """The servers of a backend by name."""
        return self._servers.get(backend, {})

    @cached_property
    def _servers(self) -> Mapping[str, Mapping[str, RuntimeServer]]:
        found: dict[str, dict[str, RuntimeServer]] = {}
        for stat in self._client.stats("server"):
            found.setdefault(stat.backend, {})[stat.name] = _server_of(stat)
        return found


def _server_of(stat: Stat) -> RuntimeServer:
    address, _, port = stat.address.rpartition(":")
    state = next((state for word, state in _STATES.items() if stat.status.startswith(word)), "ready")
    return RuntimeServer(
        stat.name, address.strip("[]"), int(port) if port.isascii() and port.isdigit() else None, state
    )


_STATES = {"MAINT": "maint", "DRAIN": "drain"}
