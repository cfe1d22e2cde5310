"""What the sections of the tests refer to: a configuration and files that are on the instance before they come."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flow_certificate import self_signed

DIRECTORY = "/DIR"
"""Stands in bodies for the directory of the files."""
PORT = 80
"""Stands in the listeners' bodies for a port that is free."""
FOREIGN = """\
global
  localpeer lb1
  master-worker
  hard-stop-after 100ms
  expose-experimental-directives
  external-check
  insecure-fork-wanted
  lua-load /DIR/one.lua
  stats socket @SOCKET@ mode 600 level admin expose-fd listeners

userlist controller
  user admin insecure-password adminpwd

resolvers dns
  nameserver local 127.0.0.1:53

cache stored
  total-max-size 1

peers mesh
  peer lb1 127.0.0.1:@PEER@
  table shared type ip size 1k store gpc0,gpc1,gpt0,conn_cur

mailers post
  mailer m 127.0.0.1:25

ring logs
  size 32764

http-errors pages
  errorfile 503 /DIR/503.http

fcgi-app php
  docroot /var/www

defaults base
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s

backend other from base
  email-alert mailers post
  email-alert from a@b.example
  email-alert to a@b.example
  server o1 127.0.0.1:1 check inter 1h

backend agents from base
  mode tcp
  server a1 127.0.0.1:1

backend seen from base
  stick-table type ip size 1k store gpc0,gpc1,gpt0,conn_cur,bytes_in_rate(10s),bytes_out_rate(10s)

backend counted from base
  stick-table type ip size 1k store gpc(4),gpt(4),conn_cur
"""

_DH_PARAMETERS = """\
-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""
"""The group ffdhe2048 of RFC 7919: public by nature."""


def text(directory: Path, socket: Path, peer_port: int) -> str:
    """The configuration that stands before."""
    return FOREIGN.replace("@SOCKET@", str(socket)).replace("@PEER@", str(peer_port)).replace(DIRECTORY, str(directory))


def workable(body: Mapping[str, Any], socket: Path) -> dict[str, Any]:
    """A `global` with what the worker needs to be asked and to be loaded again."""
    own = [
        {"level": "admin", "mode": "600", "expose_fd_listeners": True, **api} for api in body.get("runtime_apis", [{}])
    ]
    own[0] |= {"address": str(socket), "level": "admin"}
    lua = body.get("lua_options", {})
    needed: dict[str, Any] = {"external_check": True, "insecure_fork_wanted": True}
    needed |= {
        "localpeer": "lb1",
        "master-worker": True,
        "hard_stop_after": 100,
        "expose_experimental_directives": True,
    }
    loads = [*lua.get("loads", ()), {"file": f"{DIRECTORY}/one.lua"}]
    few = {"maxconn": 100, **body.get("performance_options", {})}  # what HAProxy reckons without it is over some limits
    return {**needed, **body, "runtime_apis": own, "lua_options": {**lua, "loads": loads}, "performance_options": few}


def write_files(directory: Path) -> None:
    """A certificate with its key and lists of it, pages, a map, a Lua program, the configuration of a SPOE filter."""
    directory.mkdir(parents=True, exist_ok=True)
    certificate, key = self_signed("127.0.0.1")
    (directory / "site.pem").write_bytes(certificate + key)
    (directory / "site.crt").write_bytes(certificate)
    (directory / "dh.pem").write_text(_DH_PARAMETERS, encoding="utf-8")
    page = "HTTP/1.0 {status} Sorry\r\nContent-Type: text/plain\r\n\r\nSorry\r\n"
    for name, content in {
        "list.txt": f"{directory}/site.pem\n",
        "503.http": page.format(status=503),
        "values.map": "a b\n",
        "keys.txt": "a\n",
        "one.lua": "core.register_action('act', {'http-req', 'http-res', 'tcp-req', 'tcp-res'}, function(txn) end, 0)\n"
        "core.register_action('act1', {'http-req', 'http-res', 'tcp-req', 'tcp-res'}, function(txn) end, 1)\n"
        "core.register_service('serve', 'http', function(applet) end)\n"
        "core.register_service('listen', 'tcp', function(applet) end)\n",
        "two.lua": "core.register_action('alone', {'http-req'}, function(txn) end, 0)\n",
        "spoe.cfg": "[e]\nspoe-agent a\n  groups g\n  option var-prefix p\n  timeout hello 1s\n  timeout idle 1s\n"
        "  timeout processing 1s\n  use-backend agents\nspoe-message m\n  args src\nspoe-group g\n  messages m\n",
        "tickets": "\n".join(["YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY3ODkwYWJjZGVmZ2hpamts"] * 3) + "\n",
        "headers.txt": "content-type Content-Type\n",
        "state": "1\n",
    }.items():
        (directory / name).write_text(content, encoding="utf-8")
