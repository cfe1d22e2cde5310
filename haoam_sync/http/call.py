"""What an exchange over HTTP is made of: whom it is with, what is sent, what comes back, and within which bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from haoam_sync.errors import HaoamError, InstanceError


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a session talks to, as its errors name it.

    Attributes:
        where: the place that errors name.
        error: makes an error; called as the errors of `errors.py` are.
        url: what to do about a base URL that is none.
        up: what to do when no connection stands.
        quick: what to do when no answer comes in time.
        tls: what to do when the connection cannot be trusted.
        right: what to do about an answer of an impossible size or kind.
    """

    where: str
    error: Callable[..., HaoamError] = InstanceError
    url: str = "a base url is http(s)://HOST:PORT/PATH"
    up: str = "check that it runs, and its url"
    quick: str = "check that it is up and not overloaded"
    tls: str = "check the authority (`ca`), and the name in the certificate"
    right: str = "check that the url is the right one"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to send.

    Attributes:
        method: HTTP method.
        path: path below the base URL, percent-encoded.
        query: parameters, in the order to send.
        body: bytes, b"" for none. May hold secrets.
        content_type: of the body.
        silence_s: seconds without a byte, where the session's own bound is too long to wait, and half of the seconds
            that the whole answer may then take; 0 for the session's own bounds.
        headers: more headers, names and values.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    silence_s: float = 0
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: all of it. May hold secrets.
        duration_ms: whole milliseconds from sending to the last byte.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    duration_ms: int = 0


class Transport(Protocol):
    """The seam at which tests put a peer in memory."""

    def send(self, call: Call) -> Reply:
        """Send one request and wait for its whole answer.

        Raises:
            HaoamError: no complete answer came.
        """


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how much.

    A full_section read of 10,000 backends takes seconds and 20 MB (FACTS.md); a forced reload is answered when HAProxy
    has loaded.

    Attributes:
        connect_s: seconds until a connection must stand.
        silence_s: seconds without a byte.
        whole_s: seconds for one request, its repetitions included, from the first attempt to the last byte.
        answer_bytes: size of an answer.
    """

    connect_s: float = 5.0
    silence_s: float = 60.0
    whole_s: float = 300.0
    answer_bytes: int = 256 * 1024 * 1024
