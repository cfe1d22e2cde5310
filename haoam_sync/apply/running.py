"""What the worker runs: of every server in one request, and by name where there are few."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import RuntimeServer, Stat
from haoam_sync.haproxycfg.disabled import disabled_proxies
from haoam_sync.haproxycfg.servers import servers_by_proxy

FEW = 40
"""Up to so many backends are asked for by name; beyond, all of them cost less than the round trips."""

Servers = Mapping[str, RuntimeServer]
"""By name."""


class Running:
    """What the worker runs. Asked for when it is needed, and once: a new one sees what is new.

    Args:
        client: of the instance.
        text: the configuration that the worker should run. API 3.2 does not tell which backend a server belongs to:
            then it is told by the order, which is that of the file.
        names: backends that are asked for by name.
    """

    def __init__(self, client: Client, text: str, names: Collection[str] = ()) -> None:
        self._client = client
        self._text = text
        self._names = frozenset(names)
        self._by_name: dict[str, Servers] = {}
        self._stats: dict[str, Mapping[str, Stat]] = {}

    @cached_property
    def everything(self) -> Mapping[str, Servers] | None:
        """The servers of every backend that has some; None when the answer is not that of a worker that runs `text`."""
        return placed(self._client.all_runtime_servers(), self._text)

    @cached_property
    def _disabled(self) -> frozenset[tuple[str, str]]:
        return disabled_proxies(self._text)

    def disabled(self, keyword: str, name: str) -> bool:
        """Whether the text says that a proxy shall not run, itself or by its defaults."""
        return (keyword, name) in self._disabled

    def servers(self, backend: str) -> Servers:
        """The servers of a backend; none when it does not run, or has none."""
        if backend not in self._names and self.everything is not None:
            return self.everything.get(backend, {})
        if backend not in self._by_name:
            self._by_name[backend] = {server.name: server for server in self._client.runtime_servers(backend)}
        return self._by_name[backend]

    def status(self, kind: str, name: str) -> str | None:
        """Status of a `frontend` or `backend`; None when it does not run."""
        found = self.stat(kind, name)
        return found.status if found is not None else None

    def stat(self, kind: str, name: str) -> Stat | None:
        """The statistics of a `frontend` or `backend`; None when it does not run.

        They cost 1 ms for each backend of the instance, whatever name is asked for: they are asked once.
        """
        if kind not in self._stats:
            self._stats[kind] = {stat.name: stat for stat in self._client.stats(kind)}
        return self._stats[kind].get(name)


def placed(servers: Sequence[RuntimeServer], text: str) -> Mapping[str, Servers] | None:
    """The servers of each backend, when they are exactly those of `text`; None otherwise.

    Where the API tells the backend of a server, it does not have to be in `text`.

    Args:
        servers: of all backends, in the worker's order.
        text: the configuration.
    """
    found: dict[str, Servers] = {}
    if servers and all(server.backend for server in servers):
        groups: dict[str, dict[str, RuntimeServer]] = {}
        for server in servers:
            groups.setdefault(server.backend, {})[server.name] = server
        return dict(groups)
    at = 0
    for backend, names in servers_by_proxy(text):
        here = {server.name: server for server in servers[at : at + len(names)]}
        # As a set: a server that was added at run time stands last in the worker, and by its name in the file.
        if here.keys() != set(names) or backend in found:
            return None
        found[backend] = here
        at += len(names)
    return found if at == len(servers) else None


def spread(names: Collection[str]) -> tuple[str, ...]:
    """`FEW` of `names` at equal distances in their order; all of them when there are not more."""
    ordered = sorted(names)
    if len(ordered) <= FEW:
        return tuple(ordered)
    return tuple(ordered[place * len(ordered) // FEW] for place in range(FEW))
