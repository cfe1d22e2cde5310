"""A desired-state repository of many backends, and the instance that it is for."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from haoam_sync.dataplane import Client, connect
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference

LB1 = InstanceId("eu", "lb1")
AT = Position("haoam.yaml")
REF = "refs/heads/main"
SERVERS = 5
_FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: bench}
spec:
  management_networks: [127.0.0.0/8]
  clusters:
    eu:
      instances:
        lb1: {url: "http://127.0.0.1:1/v3", user: admin, password: {secret: env/HAOAM_LAB_PASSWORD}}
"""


class Writing(Unrecorded):
    """A recorder that lets writes through: there is no audit log here."""

    def announce(self, request: object) -> None:
        """Nothing to keep."""


@dataclass(frozen=True)
class Target:
    """A running instance.

    Attributes:
        url: of its API.
        real: whether a real dataplaneapi answers.
    """

    url: str
    real: bool

    @property
    def instance(self) -> Instance:
        """As the fleet names it."""
        return Instance(LB1, self.url, "admin", SecretReference("env", "X"), None, {}, AT)

    @property
    def fleet(self) -> Fleet:
        """A fleet of it alone."""
        return Fleet("bench", {"eu": Cluster("eu", {}, {}, 1, (self.instance,), AT)})

    def client(self) -> Client:
        """A client that may write."""
        return connect(self.instance, "adminpwd", Writing())


def repository(directory: Path, backends: int) -> Path:
    """A git work tree with one file a backend, each of `SERVERS` servers, and everything around them."""
    tree = directory / "repository"
    tree.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(tree)], check=True)  # noqa: S607 - git is on PATH
    files = {"haoam.yaml": _FLEET, "haproxy/base.yaml": defaults()}
    files |= {f"haproxy/backends/b{n:05d}.yaml": backend(n) for n in range(backends)}
    stream = [b"commit refs/heads/main\ncommitter Bench <bench@example.com> 1750000000 +0000\ndata 5\nbench\n"]
    for name, text in files.items():
        content = text.encode()
        stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content))
    subprocess.run(
        ["git", "-C", str(tree), "fast-import", "--quiet"],  # noqa: S607 - git is on PATH
        input=b"".join(stream),
        check=True,
    )
    return tree


def defaults() -> str:
    """The document of the defaults section."""
    return """\
apiVersion: haoam/v1
kind: Defaults
metadata: {name: base}
spec: {mode: http, connect_timeout: 5000, client_timeout: 30000, server_timeout: 30000}
"""


def backend(number: int, algorithm: str = "roundrobin") -> str:
    """The document of a backend."""
    lines = "".join(
        f"    s{s}: {{address: 10.{number >> 8}.{number & 255}.{s + 1}, port: 8080, weight: 100}}\n"
        for s in range(SERVERS)
    )
    return f"""\
apiVersion: haoam/v1
kind: Backend
metadata: {{name: b{number:05d}}}
spec:
  from: base
  mode: http
  balance: {{algorithm: {algorithm}}}
  servers:
{lines}"""


@contextmanager
def instance(directory: Path) -> Iterator[Target]:
    """An instance that holds nothing yet, as a process of its own, so that its time is not ours."""
    folder = directory / "lb1"
    folder.mkdir()
    settings: dict[str, object] = {"listen": "127.0.0.1:0", "directory": str(folder), "user": "admin"}
    settings |= {"password": "adminpwd", "api": "3.2", "config": _config(), "request_log": "", "reload_delay": 0.1}
    process = subprocess.Popen(
        [sys.executable, "-m", "haoam_sync.lab"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both were asked for")
    with process.stdin:
        json.dump(settings, process.stdin)
    try:
        while not (line := process.stdout.readline()).startswith('{"url"'):
            if not line:
                raise SystemExit("the instance does not start")
        yield Target(json.loads(line)["url"], bool(os.environ.get("HAOAM_DATAPLANEAPI")))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@contextmanager
def directory() -> Iterator[Path]:
    """A directory with a short name, for the sockets in it."""
    path = Path(tempfile.mkdtemp(prefix="haoam-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _config() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"""\
global
  master-worker
  stats socket ${{DIR}}/admin.sock mode 600 level admin expose-fd listeners

defaults front
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

frontend fe from front
  mode http
  bind 127.0.0.1:{port} name http
"""
