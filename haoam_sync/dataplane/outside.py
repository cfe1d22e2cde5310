"""What an instance's API shows to somebody who has no credentials. Nothing secret is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from haoam_sync.dataplane.client import peer
from haoam_sync.http import Bounds, Call, Http, Reply
from haoam_sync.model.fleet import Instance

_BOUNDS = Bounds(connect_s=5, silence_s=15, whole_s=30, answer_bytes=32 << 20)
_API = "/v3"
_OK, _NOT_KNOWN = 200, 401
_DOCUMENTS = ("/v3/docs", "/swagger.json")


@dataclass(frozen=True, slots=True)
class Outside:
    """An API, seen from outside.

    Attributes:
        status: HTTP status of `GET info` without credentials; 401 is right.
        documents: paths that describe the API and are open to everybody.
        clock: the time that it told, None when it told none.
    """

    status: int
    documents: tuple[str, ...]
    clock: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it answers a question without asking who wants to know."""
        return self.status == _OK

    @property
    def is_closed(self) -> bool:
        """Whether it asks for credentials."""
        return self.status == _NOT_KNOWN


def look(instance: Instance) -> Outside:
    """Ask as a stranger would.

    Raises:
        InstanceError: E_UNREACHABLE, E_TIMEOUT, E_TLS, E_NONSENSE.
    """
    session = Http(instance.url.removesuffix(_API), peer=peer(instance.id), ca=instance.ca, bounds=_BOUNDS)
    try:
        asked = session.send(Call("GET", f"{_API}/info"))
        documents = tuple(path for path in _DOCUMENTS if session.send(Call("GET", path)).status == _OK)
    finally:
        session.close()
    return Outside(asked.status, documents, _clock(asked))


def _clock(reply: Reply) -> datetime | None:
    try:
        found = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
