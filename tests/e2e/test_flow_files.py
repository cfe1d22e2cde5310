"""Files beside the configuration, from git to traffic: maps, error pages, Lua, authorities, crt-lists, new secrets."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from flow_certificate import self_signed, serial_number
from flow_edge import FRONTEND, Edge, Node, edge

pytestmark = pytest.mark.e2e

_SORRY = """\
apiVersion: haoam/v1
kind: File
metadata: {name: sorry.http}
spec:
  content: |
    HTTP/1.0 503 Service Unavailable
    Content-Type: text/plain

    WORDS
"""
_HELLO = """\
apiVersion: haoam/v1
kind: File
metadata: {name: hello.lua}
spec: {content_file: files/hello.lua}
"""
_LUA = """\
core.register_service("hello", "http", function(applet)
  local words = "hello from Lua"
  applet:set_status(200)
  applet:add_header("content-length", #words)
  applet:start_response()
  applet:send(words)
end)
"""
_HOSTS = """\
apiVersion: haoam/v1
kind: Map
metadata: {name: hosts}
spec: {content: "api.example api\\n${cluster.name}.example web\\n"}
"""
_BLOCKED = """\
apiVersion: haoam/v1
kind: File
metadata: {name: blocked.lst}
spec: {content: "/secret\\n/hidden\\n"}
"""
_GLOBAL = """\
apiVersion: haoam/v1
kind: Global
metadata: {external: []}
spec:
  runtime_apis: [{address: DIR/admin.sock, mode: "600", level: admin, expose_fd_listeners: true}]
  master-worker: true
  lua_options: {loads: [{file: hello.lua}]}
"""
_ROUTED = (
    FRONTEND.replace("default_backend: web", "default_backend: nobody")
    .replace(
        "  backend_switching_rule_list: [",
        "  http_request_rule_list:\n"
        "    - {type: deny, deny_status: 403, cond: if, cond_test: '{ path -f blocked.lst }'}\n"
        "    - {type: use-service, service_name: lua.hello, cond: if, cond_test: '{ path /lua }'}\n"
        "  error_files: [{code: 503, file: sorry.http}]\n"
        "  backend_switching_rule_list:\n"
        "    - {name: '%[req.hdr(host),lower,map(hosts,nobody)]', cond: unless, cond_test: is_api}\n"
        "    - ",
    )
    .replace("cond_test: is_api}]", "cond_test: is_api}")
)
_NOBODY = """\
apiVersion: haoam/v1
kind: Backend
metadata: {name: nobody}
spec: {from: edge, mode: http}
"""


@pytest.fixture
def world(tmp_path: Path, people: Mapping[str, Path]) -> Iterator[Edge]:
    """One instance, nothing applied yet."""
    with edge(tmp_path, people, "eu/lb1") as found:
        found.review()
        found.must(0, "apply", found.plan_digest())
        yield found


def ask(node: Node, path: str = "/", host: str = "x", port: int = 0) -> tuple[int, str]:
    """Status and body of a request through HAProxy."""
    connection = http.client.HTTPConnection("127.0.0.1", port or node.port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode().strip()
    finally:
        connection.close()


def eventually(node: Node, wanted: tuple[int, str], path: str = "/", host: str = "x", port: int = 0) -> None:
    """The worker answers so; an older one may still take a connection or two after a reload."""
    deadline = time.monotonic() + 10
    found = ask(node, path, host, port)
    while found != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
        found = ask(node, path, host, port)
    assert found == wanted


def stored(node: Node, folder: str) -> dict[str, str]:
    """The files in a folder of the instance, as they lie on its disk."""
    return {path.name: path.read_bytes().decode() for path in (node.lab.directory / folder).iterdir()}


def routed(world: Edge) -> dict[str, str | None]:
    """What a first change brings: a map, two lists, an error page and Lua."""
    return {
        "files/hello.lua": _LUA,
        "haproxy/files.yaml": "---\n".join((_SORRY.replace("WORDS", "sorry"), _HELLO, _HOSTS, _BLOCKED)),
        "haproxy/frontend.yaml": _ROUTED,
        "haproxy/nobody.yaml": _NOBODY,
        "haproxy/global.yaml": _GLOBAL.replace("DIR", str(world.node.lab.directory)),
    }


def apply(world: Edge, files: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Land a change and apply it; nothing is left to do. What was created and deleted."""
    digest = world.land(files)
    outcome = world.must(0, "apply", digest, "--output", "json").json["instances"][0]
    world.plan_digest(0)
    return {key: outcome[key] for key in ("created", "updated", "deleted")}


def test_files_reach_the_traffic_and_leave_when_unused(world: Edge) -> None:
    """A map routes, a list blocks, an error page and Lua answer; changed files get new names, unused ones go away."""
    node = world.node
    done = apply(world, routed(world))
    eventually(node, (200, "api-1"), host="api.example")
    assert ask(node, host="EU.example")[1] in {"web-1", "web-2"}
    eventually(node, (503, "sorry"), host="other.example")
    eventually(node, (200, "hello from Lua"), "/lua")
    assert (ask(node, "/secret")[0], ask(node, "/hidden")[0]) == (403, 403)
    (hosts,) = stored(node, "maps").items()
    assert re.fullmatch(r"hosts-[0-9a-f]{32}\.map", hosts[0])
    assert hosts[1] == "api.example api\neu.example web\n"
    assert len(stored(node, "general")) == 3
    assert sum(name.startswith(("general/", "maps/")) for name in done["created"]) == 4

    theirs = node.lab.directory / "maps" / f"hosts-{'0' * 32}.map"
    theirs.write_text("somebody else\n")  # as another fleet might call its own
    changed = "---\n".join(
        (_SORRY.replace("WORDS", "closed"), _HELLO, _HOSTS.replace("api.example api\\n", ""), _BLOCKED)
    )
    done = apply(world, {"haproxy/files.yaml": changed})
    eventually(node, (503, "closed"), host="api.example")
    assert f"maps/{hosts[0]}" in done["deleted"]
    assert theirs.name in stored(node, "maps")

    good = {"haproxy/frontend.yaml": FRONTEND, "haproxy/files.yaml": None, "haproxy/nobody.yaml": None}
    lua_stays = {"haproxy/hello.yaml": _HELLO}
    apply(world, {**good, **lua_stays})
    assert [name[:6] for name in stored(node, "general")] == ["hello-"]
    assert list(stored(node, "maps")) == [theirs.name]


def test_a_file_with_another_content_is_repaired(world: Edge) -> None:
    """A map that somebody changed behind its name is seen by the plan, and holds again what git says after an apply."""
    node = world.node
    apply(world, routed(world))
    ((name, text),) = stored(node, "maps").items()
    (node.lab.directory / "maps" / name).write_text("api.example nobody\n")
    plan = world.must(2, "plan", "--output", "json").json
    assert [(f["action"], f["reason"]) for f in plan["instances"][0]["files"]] == [("update", "drift")]
    world.must(0, "apply", plan["plan_digest"])
    assert stored(node, "maps") == {name: text}
    eventually(node, (200, "api-1"), host="api.example")
    world.plan_digest(0)


def test_an_apply_that_fails_takes_its_files_away(world: Edge) -> None:
    """A configuration that HAProxy refuses leaves neither sections nor files."""
    bad = _HELLO.replace("hello.lua}\nspec", "hello.lua}\nspec").replace(
        "content_file: files/hello.lua", "content: 'this is no Lua'"
    )
    files = routed(world)
    digest = world.land({**files, "haproxy/files.yaml": str(files["haproxy/files.yaml"]).replace(_HELLO, bad)})
    before = world.node.text
    world.must(8, "apply", digest)
    assert world.node.text == before
    assert stored(world.node, "general") == stored(world.node, "maps") == {}


def test_a_file_of_a_killed_apply_is_found_by_another_commit(world: Edge) -> None:
    """Kill -9 between the first upload and the commit: what was stored is deleted by the apply of a later change."""
    node = world.node
    kept = node.lab.directory / "maps" / f"kept-{'0' * 32}.map"
    kept.write_text("somebody else\n")
    files = routed(world)
    digest = world.land(files)
    uploaded, dead = threading.Event(), threading.Event()

    def hold(request: str) -> bool:
        if not (request.startswith("POST ") and "/storage/maps" in request):
            return True
        uploaded.set()
        dead.wait(30)
        return False

    node.gate.answering = hold
    with world.running("apply", digest) as process:
        assert uploaded.wait(60)
        process.kill()
        process.wait(30)
        dead.set()
    node.gate.answering = lambda _: True
    (left,) = set(stored(node, "maps")) - {kept.name}
    other = _HOSTS.replace("api.example api", "other.example api")
    digest = world.land({"haproxy/files.yaml": str(files["haproxy/files.yaml"]).replace(_HOSTS, other)})
    plan = world.must(2, "plan", "--output", "json").json["instances"][0]
    assert {(f["action"], f["name"]) for f in plan["files"]} >= {("delete", f"maps/{left}")}
    done = world.must(0, "apply", digest, "--output", "json").json["instances"][0]
    assert f"maps/{left}" in done["deleted"]
    assert left not in stored(node, "maps")
    assert kept.name in stored(node, "maps")  # the control: nobody says that it is ours
    assert list((world.work / "state" / "journal").iterdir()) == []
    world.plan_digest(0)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: bytes
    key: bytes

    @classmethod
    def make(cls, name: str) -> Pair:
        """A new one."""
        return cls(*self_signed(name))

    @property
    def pem(self) -> str:
        """Both in one file."""
        return (self.certificate + self.key).decode()


_TLS = """\
apiVersion: haoam/v1
kind: Certificate
metadata: {name: one}
spec: {pem: {secret: file/site.pem}}
---
apiVersion: haoam/v1
kind: Certificate
metadata: {name: two}
spec: {pem: {secret: file/two.pem}}
---
apiVersion: haoam/v1
kind: CAFile
metadata: {name: clients}
spec: {content_file: files/clients.pem}
---
apiVersion: haoam/v1
kind: CrtList
metadata: {name: edge}
spec:
  entries:
    - {certificate: one}
    - {certificate: two, sni: [two.example], options: "ca-file clients verify required"}
---
apiVersion: haoam/v1
kind: Frontend
metadata: {name: tls}
spec:
  from: edge
  mode: http
  binds:
    https: {address: 127.0.0.1, port: PORT, ssl: true, crt_list: edge}
  default_backend: web
"""


def served(node: Node, name: str, client: Path | None = None, port: int = 0) -> tuple[int, str]:
    """Serial of the certificate that is served for a name, and the answer to a request."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if client is not None:
        context.load_cert_chain(client)
    with (
        socket.create_connection(("127.0.0.1", port or node.tls_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        presented = tls.getpeercert(binary_form=True)
        assert presented is not None
        try:
            tls.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
            answer = tls.recv(4096).decode()
        except (ssl.SSLError, ConnectionError):
            answer = ""
    return serial_number(ssl.DER_cert_to_PEM_cert(presented).encode()), answer.split("\r\n")[0]


def test_a_crt_list_picks_certificates_and_authorities_refuse_strangers(world: Edge, tmp_path: Path) -> None:
    """SNI picks the certificate; a client that the CAFile does not know is refused; a renewed certificate is served."""
    node = world.node
    one, two, client, stranger = (Pair.make(name) for name in ("one", "two", "client", "stranger"))
    (world.files / "site.pem").write_text(one.pem)
    (world.files / "two.pem").write_text(two.pem)
    root = world.work / "root.yaml"
    root.write_text(root.read_text().replace("file/site.pem", "file/*.pem"))
    root.chmod(0o644)
    for name, pair in (("client", client), ("stranger", stranger)):
        (tmp_path / f"{name}.pem").write_text(pair.pem)
    files = {"files/clients.pem": client.certificate.decode()}
    apply(world, {**files, "haproxy/tls.yaml": _TLS.replace("PORT", str(node.tls_port))})

    assert served(node, "one.example") == (serial_number(one.certificate), "HTTP/1.1 200 OK")
    assert served(node, "two.example", tmp_path / "client.pem") == (serial_number(two.certificate), "HTTP/1.1 200 OK")
    assert served(node, "two.example", tmp_path / "stranger.pem")[1] == ""
    assert served(node, "two.example")[1] == ""

    world.must(0, "drift")
    renewed = Pair.make("one")
    (world.files / "site.pem").write_text(renewed.pem)
    drift = world.must(2, "drift", "--output", "json").json["instances"][0]
    reasons = {
        c["reason"] for c in (*drift["certificates"], *drift["files"], *drift["changes"]) if c["action"] != "delete"
    }
    assert reasons == {"content changed at its source"}
    assert "changed at its source" in world.must(2, "drift").out
    world.must(0, "apply", world.plan_digest())
    assert served(node, "one.example")[0] == serial_number(renewed.certificate)
    assert len([name for name in stored(node, "ssl") if name.startswith("one-")]) == 1
    world.must(0, "drift")
    world.plan_digest(0)
