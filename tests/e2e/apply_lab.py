"""One lab instance in front of a real HAProxy, with what an apply needs around it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from lab_processes import none_left

from haoam_sync import live
from haoam_sync.dataplane import Client, connect
from haoam_sync.model.exchange import Answer, Request
from haoam_sync.model.fleet import Instance, InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference

AT = Position("haoam.yaml")
LB1 = InstanceId("eu", "lb1")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Recorded:
    """A recorder for tests.

    Attributes:
        writes: writes announced.
        before: called before each write is sent.
    """

    writes: list[Request] = field(default_factory=list)
    before: Callable[[Request], None] = lambda _: None

    def announce(self, request: Request) -> None:
        """Keep it."""
        self.writes.append(request)
        self.before(request)

    def answered(self, request: Request, answer: Answer) -> None:
        """Nothing to keep."""


@dataclass
class LabInstance:
    """A running instance.

    Attributes:
        url: of its API, `/v3` included.
        directory: where its files are.
        recorder: of the clients made here.
    """

    url: str
    directory: Path
    recorder: Recorded = field(default_factory=Recorded)

    def client(self) -> Client:
        """A client that may write."""
        instance = Instance(LB1, self.url, "admin", SecretReference("env", "X"), None, {}, AT)
        return connect(instance, "adminpwd", self.recorder)

    def read(self) -> Live:
        """A snapshot."""
        client = self.client()
        try:
            return live.read(client, LB1)
        finally:
            client.close()

    @property
    def file(self) -> str:
        """haproxy.cfg on disk."""
        return (self.directory / "haproxy.cfg").read_text(encoding="utf-8")

    def unmark(self) -> None:
        """Take the marks of ownership off, so that another repository may own the sections next."""
        client = self.client()
        try:
            now = client.raw()
            text = re.sub(r' # \{"haoam":.*', "", now.text)
            if text != now.text:
                client.write_raw(text, version=now.version or 0)
        finally:
            client.close()

    def worker(self, command: str) -> str:
        """Ask the worker itself, by HAProxy's own socket: another path than the tool's."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(str(self.directory / "admin.sock"))
            connection.sendall(f"{command}\n".encode())
            connection.shutdown(socket.SHUT_WR)
            parts = []
            while data := connection.recv(65536):
                parts.append(data)
        return b"".join(parts).decode()

    def proxies(self) -> set[str]:
        """What the worker runs: `frontend/fe`, `backend/web`, `server/web/s1=UP`."""
        lines = self.worker("show stat").splitlines()
        names = lines[0].removeprefix("# ").split(",")
        found = set()
        for line in lines[1:]:
            row = dict(zip(names, line.split(","), strict=False))
            match row.get("type"):
                case "0":
                    found.add(f"frontend/{row['pxname']}")
                case "1":
                    found.add(f"backend/{row['pxname']}")
                case "2":
                    state = row["status"] if row["status"] in ("MAINT", "DRAIN") else "in"
                    found.add(f"server/{row['pxname']}/{row['svname']}={state}")
        return found

    def ask(self, method: str, path: str, body: object = None) -> object:
        """Ask the API as somebody else does."""
        data = None if body is None else json.dumps(body).encode()
        request = HttpRequest(f"{self.url}/services/haproxy{path}", data, method=method)  # noqa: S310 - a loopback URL
        request.add_header("Authorization", "Basic YWRtaW46YWRtaW5wd2Q=")
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            text = answer.read()
        return json.loads(text) if text else None


@contextmanager
def lab(directory: Path, config: str, *, api: str = "3.2") -> Iterator[LabInstance]:
    """A lab instance as a process of its own, stopped at the end."""
    directory.mkdir(parents=True, exist_ok=True)
    settings = {"listen": "127.0.0.1:0", "directory": str(directory), "user": "admin", "password": "adminpwd"}
    settings |= {"api": api, "config": config, "request_log": "", "reload_delay": 0.1}  # type: ignore[dict-item]
    command = [sys.executable, "-m", "haoam_sync.lab"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        json.dump(settings, process.stdin)
        process.stdin.close()
        said = []
        while not (line := process.stdout.readline()).startswith('{"url"'):
            said.append(line)
            assert line, "".join(said)
        ready = json.loads(line)
        yield LabInstance(ready["url"], Path(ready["dir"]))
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
    assert none_left(directory), "a HAProxy outlived its lab"
