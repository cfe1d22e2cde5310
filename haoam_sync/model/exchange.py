"""One request to an instance and its answer, as the audit log sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from haoam_sync.model.json import Json


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it is sent.

    Attributes:
        cluster: name of the cluster ("" before one is known).
        instance: name of the instance.
        method: HTTP method.
        path: path below the API's base URL, for example `/services/haproxy/configuration/raw`.
        query: parameters, in the order sent. Never a secret.
        writes: whether it may change anything on the instance.
        body: the exact bytes, b"" when there is none. Secret: never to be written anywhere.
        shown: the body with secrets redacted by field type, None when nothing of it may be shown.
    """

    cluster: str
    instance: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    writes: bool = False
    body: bytes = field(default=b"", repr=False)
    shown: Json = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status; 0 when no answer came (see `error`).
        version: `Configuration-Version`, None when absent.
        checksum: `Configuration-Checksum`, "" when absent.
        reload_id: `Reload-ID`, "" when absent.
        duration_ms: whole milliseconds from sending to the last byte.
        error_class: "" for 2xx; else a word for what went wrong (`conflict`, `validation`, `timeout`, ...).
        error_text: the server's or library's own words. May echo a secret: never to be written in clear.
        transaction_id: id that a `POST transactions` answered with, "" for everything else. Only its maker
            knows whose it is (FACTS.md, "Writing"), so the audit log must be able to say it after a crash.
    """

    status: int
    version: int | None = None
    checksum: str = ""
    reload_id: str = ""
    duration_ms: int = 0
    error_class: str = ""
    error_text: str = field(default="", repr=False)
    transaction_id: str = ""


class Recorder(Protocol):
    """Who is told of every request: before a write is sent, and after every answer."""

    def announce(self, request: Request) -> None:
        """Called before a request that writes. When it raises, the request is not sent."""

    def answered(self, request: Request, answer: Answer) -> None:
        """Called after every request, with its answer."""


class Unrecorded:
    """A recorder that counts and keeps nothing, for requests that change nothing (plan, drift)."""

    def announce(self, request: Request) -> None:
        """Refuse: nothing may be written unrecorded.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"a write without an audit record: {request.method} {request.path}")

    def answered(self, request: Request, answer: Answer) -> None:
        """Forget it."""
