"""What the Data Plane API answers, parsed: after this module there are no dictionaries of unknown shape.

Each `parse` raises ValueError saying what was expected; `exchange.py` makes E_NONSENSE of it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.stored import CertificateFacts
from haoam_sync.model.strict_json import whole

T = TypeVar("T")

_HEADER_LINE = re.compile(r"# _([a-z0-9]+)=(.*)")
_TRANSACTION_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Info:
    """Which API this is.

    Attributes:
        version: major and minor.
        warning: what to know about that version; "" for a measured one.
        configuration_version: `Configuration-Version`, None when the answer carries none.
    """

    version: ApiVersion
    warning: str = ""
    configuration_version: int | None = None

    @classmethod
    def parse(cls, document: Json, configuration_version: int | None) -> Info:
        """Read the answer of GET /info."""
        match document:
            case {"api": {"version": str(text)}}:
                version = ApiVersion.parse(text)
            case _:
                raise ValueError("no api.version")
        warning = ""
        if version > NEWEST:
            warning = f"API {version} is newer than {NEWEST}, the newest that was measured: check the plan with care"
        return cls(version, warning, configuration_version)


@dataclass(frozen=True, slots=True)
class Raw:
    """The text of a configuration.

    Attributes:
        text: haproxy.cfg without the header lines of the API and the empty lines after them.
        version: `Configuration-Version` of the answer: what the API has in memory. None when absent.
        file_version: `# _version` in the text: what the file holds. None when an edit on disk lost the line.
        checksum: `Configuration-Checksum` (md5), "" when absent.
    """

    text: str = field(repr=False)
    version: int | None
    file_version: int | None
    checksum: str = ""

    @classmethod
    def parse(cls, text: str, version: int | None, checksum: str) -> Raw:
        """Take the header lines off."""
        file_version: int | None = None
        lines = text.splitlines(keepends=True)
        start = 0
        for line in lines:
            found = _HEADER_LINE.fullmatch(line.rstrip("\r\n"))
            if found is None:
                break
            if found[1] == "version":
                file_version = whole(found[2].strip())
            start += 1
        return cls("".join(lines[start:]).lstrip("\n"), version, file_version, checksum)


@dataclass(frozen=True, slots=True)
class Sections:
    """All sections of one kind.

    Attributes:
        bodies: `full_section` documents; no stable order.
        version: `Configuration-Version` of the answer.
    """

    bodies: tuple[JsonObject, ...] = field(repr=False)
    version: int

    @classmethod
    def parse(cls, document: Json, version: int | None) -> Sections:
        """Read a list of named sections, or the one `global`."""
        if version is None:
            raise ValueError("no Configuration-Version")
        if isinstance(document, Mapping):
            return cls((document,), version)
        bodies = objects(document)
        if not all(isinstance(body.get("name"), str) and body["name"] for body in bodies):
            raise ValueError("a section without a name")
        return cls(bodies, version)


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate file on the instance. Serial, size and dates are there when asked for by name only.

    Attributes:
        name: storage name.
        file: path on the instance.
        serial: decimal, "" when not told.
        size: bytes, None when not told.
        not_after: as the API writes it, "" when not told.
    """

    name: str
    file: str
    serial: str = ""
    size: int | None = None
    not_after: str = ""

    @classmethod
    def parse(cls, document: Json) -> StoredCertificate:
        """Read one entry."""
        match document:
            case {"storage_name": str(name), "file": str(file), **more} if _is_place(name, file):
                size = more.get("size")
                return cls(
                    name,
                    file,
                    str(more.get("serial", "")),
                    size if isinstance(size, int) else None,
                    str(more.get("not_after", "")),
                )
        raise ValueError("a certificate without storage_name and file")

    @property
    def directory(self) -> str:
        """The directory of `file`, with a trailing `/`."""
        return posixpath.dirname(self.file).rstrip("/") + "/"

    @property
    def facts(self) -> CertificateFacts | None:
        """What was told of its content; None when it was not asked for by name."""
        if not self.serial:
            return None
        return CertificateFacts(self.serial, _moment(self.not_after), self.size)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of `general` or `maps` on the instance.

    Attributes:
        name: storage name.
        file: path on the instance.
    """

    name: str
    file: str

    @classmethod
    def parse(cls, document: Json) -> StoredFile:
        """Read one entry."""
        match document:
            case {"storage_name": str(name), "file": str(file)} if _is_place(name, file):
                return cls(name, file)
        raise ValueError("a file without storage_name and file")

    @property
    def directory(self) -> str:
        """The directory of `file`, with a trailing `/`."""
        return posixpath.dirname(self.file).rstrip("/") + "/"


@dataclass(frozen=True, slots=True)
class Reload:
    """A reload and how it went: `in_progress`, `succeeded`, `failed`."""

    id: str
    status: str
    response: str = field(default="", repr=False)

    @classmethod
    def parse(cls, document: Json) -> Reload:
        """Read one entry."""
        match document:
            case {"id": str(name), "status": str(status), **more}:
                return cls(name, status, str(more.get("response", "")))
        raise ValueError("a reload without id and status")


@dataclass(frozen=True, slots=True)
class TransactionState:
    """A transaction in the server's list: `in_progress`, `failed`, `outdated`, `success`."""

    id: str
    status: str

    @classmethod
    def parse(cls, document: Json) -> TransactionState:
        """Read one entry."""
        match document:
            case {"id": str(name), "status": str(status)} if _TRANSACTION_ID.fullmatch(name):
                return cls(name, status)
        raise ValueError("a transaction without id and status")


@dataclass(frozen=True, slots=True)
class RuntimeServer:
    """A server as the worker runs it.

    Attributes:
        name: of the server.
        address: IP address; "" when not told.
        port: TCP port; None when not told.
        admin_state: `ready`, `drain` or `maint`.
        weight: as set now; None before API 3.4, which first tells it.
        initial_weight: as configured; the same.
        backend: that it belongs to; "" before API 3.4, which first tells it.
    """

    name: str
    address: str
    port: int | None
    admin_state: str
    weight: int | None = None
    initial_weight: int | None = None
    backend: str = ""

    @classmethod
    def parse(cls, document: Json) -> RuntimeServer:
        """Read one entry. There may be 50,000 of them, so that this takes no pattern."""
        if isinstance(document, dict):
            name, state = document.get("name"), document.get("admin_state")
            if isinstance(name, str) and isinstance(state, str):
                return cls(
                    name,
                    str(document.get("address", "")),
                    _whole(document.get("port")),
                    state,
                    _whole(document.get("uweight")),
                    _whole(document.get("iweight")),
                    str(document.get("backend_name") or ""),
                )
        raise ValueError("a server without name and admin_state")


@dataclass(frozen=True, slots=True)
class Stat:
    """A line of the worker's statistics.

    Attributes:
        type: `frontend`, `backend` or `server`.
        name: its name.
        backend: of a server: the backend it belongs to; else "".
        status: HAProxy's word (`OPEN`, `UP`, `MAINT`, `DRAIN`, `no check`, ...).
        weight: in effect; None when not told.
        address: of a server, `IP:PORT`; "" when not told.
        session_limit: of a frontend, its `maxconn` in effect; None when not told.
    """

    type: str
    name: str
    backend: str
    status: str
    weight: int | None = None
    address: str = ""
    session_limit: int | None = None

    @classmethod
    def parse_all(cls, document: Json) -> tuple[Stat, ...]:
        """Read the answer of GET stats/native."""
        match document:
            case {"error": str(error)} if error:
                raise ValueError("the worker does not answer")
            case {"stats": [*entries]}:
                return tuple(cls._parse(entry) for entry in entries)
            case {"stats": None} | {"runtimeAPI": str()}:
                return ()
        raise ValueError("no stats")

    @classmethod
    def _parse(cls, document: Json) -> Stat:
        match document:
            case {"type": str(kind), "name": str(name), **more}:
                stats = more.get("stats")
                values: Mapping[str, object] = stats if isinstance(stats, Mapping) else {}
                return cls(
                    kind,
                    name,
                    str(more.get("backend_name") or ""),
                    str(values.get("status", "")),
                    _whole(values.get("weight")),
                    str(values.get("addr", "")),
                    _whole(values.get("slim")),
                )
        raise ValueError("a statistic without type and name")


def _moment(text: str) -> str:
    """`2027-11-24T14:00:00.000Z` as `2027-11-24T14:00:00Z`; itself when it is no moment, and so equals none."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except ValueError:
        return text


def _is_place(name: str, file: str) -> bool:
    """Whether a path is that of a file of this name. Its directory goes into haproxy.cfg, so it is one plain line."""
    return (
        name not in {"", ".", ".."}
        and file.endswith(f"/{name}")
        and "/" not in name
        and ".." not in file.split("/")
        and file.isprintable()
    )


def once_each(found: Iterable[T], name_of: Callable[[T], str]) -> tuple[T, ...]:
    """All of them; a name that is there twice could mean either."""
    files = tuple(found)
    if len({name_of(one) for one in files}) < len(files):
        raise ValueError("a name is there twice")
    return files


def objects(document: Json) -> tuple[JsonObject, ...]:
    """A list of objects; null, with which Go writes an empty list, is one."""
    if document is None:
        return ()
    if not isinstance(document, list) or not all(isinstance(item, Mapping) for item in document):
        raise ValueError("not a list of objects")
    return tuple(document)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
