"""A relay in front of an API: it counts, remembers and holds up what a client sends, by the bytes on the wire."""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_REQUEST = re.compile(rb"\b(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.[01]\r\n")
_READ = 65536


class Gate:
    """Listens on a port of loopback and relays to `target`, or swallows everything when there is none.

    Attributes:
        port: where it listens.
        connections: how many were made.
        requests: `METHOD PATH` of each request, in the order in which they came.
        received: every byte that clients sent.
        before: called with `METHOD PATH` before the request is passed on; False drops the connection instead.
        answering: the same before the answer is passed on.
        reply: without a target, sent to every request; nothing when it is empty.
        refusing: whether connections are cut at once.
    """

    def __init__(self, target: str | None = None, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        """Listen.

        Args:
            target: URL of the API.
            tls: with it, clients must speak TLS; what is relayed is in clear.
            port: one that a closed gate had; 0 for a free one.
        """
        self._tls = tls
        parts = urlsplit(target) if target else None
        self._target = (parts.hostname, parts.port) if parts else None
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[str] = []
        self.received = b""
        self.before: Callable[[str], bool] = lambda _: True
        self.answering: Callable[[str], bool] = lambda _: True
        self.reply = b""
        self.refusing = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Base URL of the API behind it."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v3"

    @property
    def writes(self) -> list[str]:
        """Requests that are no readings."""
        return [request for request in self.requests if not request.startswith(("GET ", "HEAD "))]

    def forget(self) -> None:
        """Begin to count anew."""
        self.connections = 0
        self.requests.clear()
        self.received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(client)
            stack.enter_context(contextlib.suppress(OSError))
            if self.refusing:
                return
            if self._tls is not None:
                client = stack.enter_context(self._tls.wrap_socket(client, server_side=True))
            server = stack.enter_context(socket.create_connection(self._target)) if self._target else None
            waiting = stack.enter_context(selectors.DefaultSelector())
            waiting.register(client, selectors.EVENT_READ)
            if server is not None:
                waiting.register(server, selectors.EVENT_READ)
            while self._pass_on(waiting, client, server):
                pass

    def _pass_on(self, waiting: selectors.BaseSelector, client: socket.socket, server: socket.socket | None) -> bool:
        for key, _ in waiting.select():
            data = _all_of(key.fileobj)  # type: ignore[arg-type]  # we registered sockets
            if not data:
                return False
            if key.fileobj is server:
                if not self.answering(self.requests[-1]):
                    return False
                client.sendall(data)
                continue
            self.received += data
            for method, path in _REQUEST.findall(data):
                request = f"{method.decode()} {path.decode()}"
                self.requests.append(request)
                if not self.before(request):
                    return False
            if server is None and self.reply:
                client.sendall(self.reply)
                return False
            if server is not None:
                server.sendall(data)
        return True


def _all_of(source: socket.socket) -> bytes:
    """What can be read now, also what a TLS connection has in hand already."""
    data = source.recv(_READ)
    while isinstance(source, ssl.SSLSocket) and source.pending():
        data += source.recv(_READ)
    return data
