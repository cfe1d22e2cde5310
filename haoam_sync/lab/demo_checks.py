"""What the demo checks, by another way than the tool's own: requests through HAProxy, the lab's request logs."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from haoam_sync.lab.fleet import REQUEST_LOG
from haoam_sync.lab.real import ACCESS_LOG

if TYPE_CHECKING:
    from haoam_sync.lab.demo_world import World

_TIMEOUT_S = 5.0
_PATIENCE_S = 10.0


_ASKED = (
    ("127.0.0.1", "/", frozenset({"web-a", "web-b"})),
    ("127.0.0.1", "/api/x", frozenset({"api"})),
    ("127.0.0.1", "/static/x", frozenset({"static"})),
    ("api.edge.example", "/", frozenset({"api"})),  # by the map, a file on each instance
)
"""Host, path, and the servers that may answer."""


class DemoFailedError(Exception):
    """Something was not as the demo says."""


def expect(condition: object, words: str) -> None:
    """Stop the demo when `condition` does not hold.

    Raises:
        DemoFailedError: it does not.
    """
    if not condition:
        raise DemoFailedError(words)


def everything_answers(world: World) -> Iterator[str]:
    """A request through every HAProxy, by HTTP and where it is offered by HTTPS; a line for each instance."""
    for cluster, instance in world.instances():
        ports = world.ports[cluster]
        ways = ["http"] + (["https"] if f"{instance}/https_port" in ports else [])
        for way in ways:
            for host, path, backends in _ASKED:
                served_by, answered = _get(world, cluster, instance, way, path, host)
                expect(served_by == instance, f"{way} {path} of {instance} was answered by {served_by}")
                wanted = {f"{cluster}/{name}" for name in backends}
                expect(answered in wanted, f"{way} {host}{path} of {instance}: {answered}, not one of {wanted}")
        yield f"{cluster}/{instance} answers itself, by {' and '.join(ways)}, from the backends of {cluster}"


def answers_from(world: World, cluster: str, instance: str) -> str:
    """Which instance answers on an instance's port."""
    return _get(world, cluster, instance, "http", "/")[0]


def _get(world: World, cluster: str, instance: str, way: str, path: str, host: str = "127.0.0.1") -> tuple[str, str]:
    """The instance and the backend server that answered."""
    port = world.ports[cluster][f"{instance}/{way}_port"]
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        connection = _connection(world, way, port)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            body = answer.read().decode().strip()
            if answer.status == http.client.OK or time.monotonic() > deadline:
                expect(answer.status == http.client.OK, f"{way} {path} of {instance}: {answer.status}")
                name = body.replace("api-a", "api").replace("static-a", "static")
                return answer.headers.get("X-Served-By", "nobody"), name
        except OSError as error:
            expect(time.monotonic() < deadline, f"{way} {path} of {instance}: {error}")
        finally:
            connection.close()
        time.sleep(0.1)


def _connection(world: World, way: str, port: int) -> http.client.HTTPConnection:
    if way == "http":
        return http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    context = ssl.create_default_context(cafile=str(world.secrets / "site.pem"))
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=_TIMEOUT_S, context=context)


def api_requests(world: World) -> int:
    """How many requests all Data Plane APIs have seen so far, by their own logs: the lab's, or a real server's."""
    total = 0
    for cluster, instance in world.instances():
        logs = [world.home(cluster, instance) / name for name in (REQUEST_LOG, ACCESS_LOG)]
        found = [log for log in logs if log.exists()]
        expect(found, f"{instance} must have a log of its requests")
        total += len(found[0].read_text(encoding="utf-8").splitlines())
    return total


def change_weight(world: World, cluster: str, instance: str, backend: str, server: str, weight: int) -> None:
    """What a person does who knows the API and not the rules."""
    port = world.ports[cluster][f"{instance}/url"]
    path = f"/v3/services/haproxy/configuration/backends/{backend}/servers/{server}"
    current = json.loads(_call(port, "GET", path))
    version = int(_call(port, "GET", "/v3/services/haproxy/configuration/version"))
    _call(port, "PUT", f"{path}?version={version}", {**current, "weight": weight})


def _call(port: int, method: str, path: str, body: object = None) -> str:
    from haoam_sync.lab.demo_world import PASSWORD  # noqa: PLC0415 - the two modules are one demo

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    headers = {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    expect(answer.status < http.client.BAD_REQUEST, f"{method} {path}: {answer.status} {text}")
    return text
