"""A relay in front of an API that changes what it likes of its answers, as somebody who has taken it over can."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_KEPT = frozenset({"content-type", "configuration-version", "configuration-checksum", "reload-id"})


@dataclass(frozen=True)
class Said:
    """An answer.

    Attributes:
        status: of HTTP.
        body: as it goes over the wire.
    """

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def saying(self, document: object, status: int = 0) -> Said:
        """The same with another body."""
        return Said(status or self.status, json.dumps(document).encode())


Lie = Callable[[str, Said], Said]


class LyingApi:
    """Listens on loopback, asks the real API, and answers what `lie` makes of it.

    Attributes:
        requests: `METHOD PATH?QUERY` of each, in the order in which they came.
        connections: how many of them: each has a connection of its own.
        before: called with the same before the real API is asked.
        lie: called with the same and the true answer.
    """

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.requests: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.lie: Lie = lambda _, said: said
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def _relay(self) -> None:
                relay.answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = _relay  # noqa: N815 - the names that http.server looks for

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v3"

    @property
    def connections(self) -> int:
        """How many were made."""
        return len(self.requests)

    @property
    def writes(self) -> list[str]:
        """Requests that are no readings."""
        return [request for request in self.requests if not request.startswith("GET ")]

    def forget(self) -> None:
        """Begin to count anew."""
        self.requests.clear()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Relay one request."""
        request = f"{handler.command} {handler.path}"
        self.requests.append(request)
        self.before(request)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "connection"}
        connection = http.client.HTTPConnection(str(self._target.hostname), self._target.port, timeout=60)
        try:
            connection.request(handler.command, handler.path, body, headers)
            answer = connection.getresponse()
            said = self.lie(request, Said(answer.status, answer.read()))
            handler.send_response(said.status)
            for name, value in answer.getheaders():
                if name.lower() in _KEPT:
                    handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(said.body)))
            handler.end_headers()
            handler.wfile.write(said.body)
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
