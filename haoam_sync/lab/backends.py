"""Tiny HTTP servers that stand behind a HAProxy: each answers with its own name."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

HEALTH_PATH = "/health"
NAME_HEADER = "X-Backend"


class Backends:
    """Origin servers by name, on loopback, from construction until `stop` or the end of the `with` block.

    Attributes:
        ports: where each one listens.
    """

    def __init__(self, ports: Mapping[str, int], host: str = "127.0.0.1") -> None:
        """Listen on each port; 0 takes a free one.

        Raises:
            OSError: a port is taken.
        """
        self._servers: dict[str, ThreadingHTTPServer] = {}
        try:
            for name, port in ports.items():
                self._servers[name] = _Server((host, port), _handler(name))
        except OSError:
            for server in self._servers.values():
                server.server_close()
            raise
        self.ports = {name: int(server.server_address[1]) for name, server in self._servers.items()}
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            for server in self._servers.values()
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close every port."""
        for server in self._servers.values():
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A health check or a reload that hangs up early is everyday; anything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed on as it came


def _handler(name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers `/health` with `ok`, everything else with the server's name."""

        protocol_version = "HTTP/1.1"

        def _answer(self, body: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.send_header(NAME_HEADER, name)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            """Any path."""
            self._answer(b"ok\n" if self.path == HEALTH_PATH else f"{name}\n".encode())

        def do_HEAD(self) -> None:
            """Any path, without a body."""
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's own signature
            """Say nothing."""

    return Handler
