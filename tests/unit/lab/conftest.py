"""A lab within the test process, and a small client that is not the project's own."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from haoam_sync.lab.http import Login
from haoam_sync.lab.server import LabServer
from haoam_sync.lab.settings import LabSettings
from haoam_sync.model.api_version import ApiVersion

LOGIN = Login("admin", "adminpwd")
SERVICE = "/v3/services/haproxy"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Client:
    """Talks to one lab."""

    port: int
    directory: Path

    def __call__(self, method: str, path: str, body: Any = None, *, text: str | None = None, **headers: str) -> Said:
        """Send a request below the service; `body` as JSON, `text` as it is."""
        data: bytes | None = None
        sent = {"Authorization": "Basic " + base64.b64encode(b"admin:adminpwd").decode(), **headers}
        if text is not None:
            data, sent["Content-Type"] = text.encode(), "text/plain"
        elif body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, SERVICE + path, data, sent)
            answer = connection.getresponse()
            raw = answer.read().decode()
            found = {name.lower(): value for name, value in answer.getheaders()}
            parsed = json.loads(raw) if found.get("content-type") == "application/json" and raw else raw
            return Said(answer.status, found, parsed)
        finally:
            connection.close()

    def version(self) -> int:
        """The current version."""
        return int(self("GET", "/configuration/version").body)

    def begun(self) -> str:
        """A new transaction."""
        return str(self("POST", f"/transactions?version={self.version()}").body["id"])


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A new directory with a path short enough for Unix sockets, wherever pytest's own ones are."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def lab(short_path: Path) -> Iterator[Client]:
    """A lab that answers as API 3.2."""
    settings = LabSettings("127.0.0.1", 0, short_path, LOGIN, api=ApiVersion(3, 2), reload_delay=0.05)
    server = LabServer(settings)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield Client(int(server.url.rpartition(":")[2].partition("/")[0]), short_path)
    finally:
        server.shutdown()
        thread.join()
        server.close()
