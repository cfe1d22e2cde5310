"""What a HAProxy section is called, everywhere in this tool."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SectionKind(StrEnum):
    """The kinds of section, in the order in which the server's normal form writes them where it writes them together.

    The value is the keyword in haproxy.cfg.
    """

    GLOBAL = "global"
    DEFAULTS = "defaults"
    USERLIST = "userlist"
    PEERS = "peers"
    MAILERS = "mailers"
    RESOLVERS = "resolvers"
    CACHE = "cache"
    RING = "ring"
    LOG_FORWARD = "log-forward"
    HTTP_ERRORS = "http-errors"
    FCGI_APP = "fcgi-app"
    CRT_STORE = "crt-store"
    FRONTEND = "frontend"
    BACKEND = "backend"

    @property
    def collection(self) -> str:
        """The path element below `configuration/` in the Data Plane API."""
        return _COLLECTION[self]

    @property
    def document_kind(self) -> str:
        """The `kind` of a desired-state document."""
        return _DOCUMENT_KIND[self]

    @property
    def rank(self) -> int:
        """Place in the order of this enumeration, from 0."""
        return _RANK[self]


_COLLECTION = {
    SectionKind.GLOBAL: "global",
    SectionKind.DEFAULTS: "defaults",
    SectionKind.USERLIST: "userlists",
    SectionKind.PEERS: "peer_section",
    SectionKind.MAILERS: "mailers_section",
    SectionKind.RESOLVERS: "resolvers",
    SectionKind.CACHE: "caches",
    SectionKind.RING: "rings",
    SectionKind.HTTP_ERRORS: "http_errors_sections",
    SectionKind.LOG_FORWARD: "log_forwards",
    SectionKind.FCGI_APP: "fcgi_apps",
    SectionKind.CRT_STORE: "crt_stores",
    SectionKind.FRONTEND: "frontends",
    SectionKind.BACKEND: "backends",
}
_DOCUMENT_KIND = {
    SectionKind.GLOBAL: "Global",
    SectionKind.DEFAULTS: "Defaults",
    SectionKind.USERLIST: "Userlist",
    SectionKind.PEERS: "Peers",
    SectionKind.MAILERS: "Mailers",
    SectionKind.RESOLVERS: "Resolvers",
    SectionKind.CACHE: "Cache",
    SectionKind.RING: "Ring",
    SectionKind.HTTP_ERRORS: "HTTPErrors",
    SectionKind.LOG_FORWARD: "LogForward",
    SectionKind.FCGI_APP: "FCGIApp",
    SectionKind.CRT_STORE: "CrtStore",
    SectionKind.FRONTEND: "Frontend",
    SectionKind.BACKEND: "Backend",
}
_RANK = {kind: rank for rank, kind in enumerate(SectionKind)}

UNMARKED_KINDS: frozenset[SectionKind] = frozenset(
    {SectionKind.GLOBAL, SectionKind.USERLIST, SectionKind.CACHE, SectionKind.RING}
)
"""Kinds whose `metadata` the API drops, or does not give back (FACTS.md; rings cannot be read through it at all)."""
MARKED_KINDS: frozenset[SectionKind] = frozenset(SectionKind) - UNMARKED_KINDS
"""Kinds whose `metadata` the API stores and gives back, so that they can carry our mark of ownership."""

MANAGED_KINDS: tuple[SectionKind, ...] = tuple(SectionKind)
"""Kinds that this version can own: all that it knows. Sections of others (`listen`) are foreign."""

API_KINDS: tuple[SectionKind, ...] = (
    SectionKind.GLOBAL,
    SectionKind.DEFAULTS,
    SectionKind.USERLIST,
    SectionKind.FRONTEND,
    SectionKind.BACKEND,
)
"""Kinds that are read through the API, one request each. The others, few and small, are read from the raw text."""


@dataclass(frozen=True, slots=True)
class SectionId:
    """Identity of a section: the key everywhere. `name` is "" for `global`."""

    kind: SectionKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}/{self.name}" if self.name else self.kind.value

    def __lt__(self, other: SectionId) -> bool:
        return (self.kind.rank, self.name) < (other.kind.rank, other.name)

    @classmethod
    def parse(cls, text: str) -> SectionId:
        """Read what `str` writes.

        Raises:
            ValueError: the kind is unknown.
        """
        kind, _, name = text.partition("/")
        return cls(SectionKind(kind), name)
