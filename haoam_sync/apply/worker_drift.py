"""What the worker runs otherwise than git says: `drift --worker`.

A weight, a state or an address set in the worker by hand shows in no configuration, and neither does a worker that runs
an older file than the one on disk. The requests are the same few whatever the size: the text, every server, the
statistics of frontends (of servers too where API 3.2 tells weights in them alone, up to 1,000 backends), and the
backends of `running.FEW` names when the worker's servers are not those of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from haoam_sync.apply.running import Running, Servers, spread
from haoam_sync.apply.worker import Asked, proxy_differences, servers_of
from haoam_sync.dataplane import Client
from haoam_sync.model.desired import DesiredInstance, DesiredSection
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.run_time import STATISTICS_BACKENDS
from haoam_sync.model.section import SectionId, SectionKind

_ANOTHER = (
    "HAProxy does not run the servers that its file names: it has not loaded the file, or servers were added or taken"
    " away at run time"
)
_OWN = ("weight", "address", "port", "maintenance")


def drifted(client: Client, wanted: DesiredInstance) -> tuple[str, ...]:
    """What the worker runs otherwise than `wanted`, one line each, sorted by section; empty when it runs it.

    Fields that `metadata.ignore` leaves to somebody else are not compared.

    Args:
        client: of the instance.
        wanted: what the commit applied last wants of it.

    Raises:
        InstanceError: the instance cannot be asked.
    """
    text = client.raw().text
    sections = {
        identity: section
        for identity, section in sorted(wanted.sections.items())
        if identity.kind in (SectionKind.FRONTEND, SectionKind.BACKEND)
    }
    running = Running(client, text)
    return tuple(_drifted(client, running, sections))


def _drifted(client: Client, running: Running, sections: Mapping[SectionId, DesiredSection]) -> Iterator[str]:
    backends = [identity for identity in sections if identity.kind is SectionKind.BACKEND]
    asked = {identity.name for identity in backends}
    if backends and running.everything is None:
        yield _ANOTHER
        asked = set(spread(asked))
    weights = _Weights(client, running, len(backends))
    for identity, section in sections.items():
        body = _compared(section)
        if identity.kind is SectionKind.FRONTEND:
            yield from proxy_differences(running, identity, body, Asked())
            yield from _limit(running, identity, body)
        elif identity.name in asked:
            servers = running.servers(identity.name)
            states = {
                (identity.name, name): servers[name].admin_state
                for name, server in servers_of(section.body).items()
                if name in servers and _ignored(section, name, "maintenance") and isinstance(server, Mapping)
            }
            yield from proxy_differences(running, identity, _without_weights(body), Asked(states))
            yield from weights.differences(identity.name, body, servers)


def _limit(running: Running, identity: SectionId, body: JsonObject) -> Iterator[str]:
    wanted = body.get("maxconn")
    stat = running.stat("frontend", identity.name)
    if isinstance(wanted, int) and stat is not None and stat.session_limit not in (None, wanted):
        yield f"{identity} has the maxconn {stat.session_limit}, not {wanted}"


class _Weights:
    """The weights of servers, wherever this API version tells them."""

    def __init__(self, client: Client, running: Running, backends: int) -> None:
        self._client = client
        self._running = running
        self._small = backends <= STATISTICS_BACKENDS
        self._told: Mapping[tuple[str, str], int | None] | None = None

    def differences(self, backend: str, body: JsonObject, servers: Servers) -> Iterator[str]:
        for name, server in sorted(servers_of(body).items()):
            wanted = server.get("weight")
            if name not in servers or not isinstance(wanted, int) or servers[name].admin_state != "ready":
                continue  # what is out shows no weight, or 0
            weight = servers[name].weight
            if weight is None:
                weight = self._statistics().get((backend, name))
            if weight not in (None, wanted):
                yield f"server {backend}/{name} has the weight {weight}, not {wanted}"

    def _statistics(self) -> Mapping[tuple[str, str], int | None]:
        if self._told is None:
            stats = self._client.stats("server") if self._small else ()
            self._told = {(stat.backend, stat.name): stat.weight for stat in stats}
        return self._told


def _ignored(section: DesiredSection, server: str, field: str) -> bool:
    own = {f"servers.*.{field}", f"servers.{server}.{field}", "servers", "servers.*", f"servers.{server}"}
    return not own.isdisjoint(section.ignore)


def _compared(section: DesiredSection) -> JsonObject:
    """The body without what somebody else owns."""
    body: dict[str, Json] = {key: value for key, value in section.body.items() if key not in section.ignore}
    if "servers" in body and section.ignore:
        body["servers"] = {
            name: {
                field: value
                for field, value in server.items()
                if field not in _OWN or not _ignored(section, name, field)
            }
            for name, server in servers_of(section.body).items()
        }
    return body


def _without_weights(body: JsonObject) -> JsonObject:
    servers = {
        name: {field: value for field, value in server.items() if field != "weight"}
        for name, server in servers_of(body).items()
    }
    return {**body, "servers": servers} if "servers" in body else body
