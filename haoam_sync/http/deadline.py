"""A deadline for a whole request, whatever the peer does.

Time-outs of sockets bound a silence. A peer that sends one byte now and then, in the headers or in the body, is never
silent; so a timer closes the connections of the session when the time is up, which ends every read at once.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Deadline:
    """Closes what it watches when the time is up. One request at a time.

    Attributes:
        passed: whether the time of the request at hand is up.
    """

    def __init__(self) -> None:
        self.passed = False
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What is inside has this many seconds."""
        self.passed = False
        timer = threading.Timer(seconds, self._pass)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def watch(self, connection: HTTPConnection) -> None:
        """A connection stands: closed when the time is up, at once when it took too long.

        The socket is kept and not the connection: an answer that lasts until the end of the connection takes it along.
        """
        if isinstance(connection.sock, socket.socket):
            with self._lock:
                self._sockets.add(connection.sock)
            if self.passed:
                _cut(connection.sock)

    def _pass(self) -> None:
        self.passed = True
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            _cut(one)


def _cut(one: socket.socket) -> None:
    # `SSLSocket.shutdown` would take its TLS state away under a reader: the socket below is shut down instead.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(one, socket.SHUT_RDWR)


def watched(pool: HTTPConnectionPool, deadline: Deadline) -> HTTPConnectionPool:
    """`pool`, whose new connections are watched."""
    pool.ConnectionCls = _HTTPS if isinstance(pool, HTTPSConnectionPool) else _HTTP
    pool.conn_kw["deadline"] = deadline
    return pool


class _HTTP(HTTPConnection):
    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline = deadline

    def connect(self) -> None:
        super().connect()
        self._deadline.watch(self)


class _HTTPS(HTTPSConnection):
    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline = deadline

    def connect(self) -> None:
        super().connect()
        self._deadline.watch(self)
