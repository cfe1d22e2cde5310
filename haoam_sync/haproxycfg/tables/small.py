"""The small sections: userlists, peers, mailers, resolvers, caches, rings and their like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.arguments import Arguments, count, word
from haoam_sync.haproxycfg.endpoints import Endpoint
from haoam_sync.haproxycfg.parts import CONDITION, Positional, Rest
from haoam_sync.haproxycfg.rows import Composite, Entries, Items, Line, Present, Row, Toggle
from haoam_sync.haproxycfg.tables import binds, lists, logs, servers
from haoam_sync.haproxycfg.values import BOOL_ONOFF, COUNT, COUNTED_TIME, NUMBER, SIZE, TIME
from haoam_sync.haproxycfg.words import Obj
from haoam_sync.model.section import SectionKind


@dataclass(frozen=True, slots=True)
class Password:
    """`password HASH` or `insecure-password TEXT`."""

    lead: bool = False
    fields: tuple[str, ...] = ("password", "secure_password")
    starts: tuple[str, ...] = ("password", "insecure-password")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out.append("password" if obj.get("secure_password") else "insecure-password")
        out.append(obj.get("password") or "")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj["secure_password"] = words[at] == "password"
        obj["password"] = words[at + 1]
        return at + 2


@dataclass(frozen=True, slots=True)
class Always:
    """A line that is written whether its field is set or not."""

    path: str
    key: str

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return (self.key,)

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        return (self.path,)

    @property
    def roots(self) -> tuple[str, ...]:
        """See Row; `name` is always there."""
        return ("name",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        out.append(f"{self.key} {body.get(self.path) or ''}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        body[self.path] = words[1]


@dataclass(frozen=True, slots=True)
class MaxRequests:
    """`option max-reqs N`; API 3.4 writes 1 when it is not set (measured)."""

    keys: tuple[str, ...] = ("option max-reqs",)
    paths: tuple[str, ...] = ("max_reqs",)
    roots: tuple[str, ...] = ("name",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        out.append(f"option max-reqs {body.get('max_reqs') or 1}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        body["max_reqs"] = int(words[2])


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Lines that the server does not write with `full_section` (contract 22), and may not read either.

    Attributes:
        row: what they would be.
        reads: whether they show in the section that is read back.
    """

    row: Row
    reads: bool = True

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return self.row.keys

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        return self.row.paths

    @property
    def roots(self) -> tuple[str, ...]:
        """See Row."""
        return ()

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """See Row."""
        if self.reads:
            self.row.read(words, comment, body)


def _named(*, ranged: bool = False) -> tuple[Positional, Endpoint]:
    return Positional("name", lead=True), Endpoint(ranged=ranged)


_USERLIST: tuple[Row, ...] = (
    Entries("groups", "group", arguments=Arguments(Positional("name", lead=True), word("users"))),
    Entries(
        "users",
        "user",
        arguments=Arguments(Positional("username", lead=True), Password(), word("groups")),
        name="username",
    ),
)
_MAILERS: tuple[Row, ...] = (
    Line("timeout", "timeout mail", shape=TIME),
    Entries("mailer_entries", "mailer", arguments=Arguments(*_named())),
)
_CACHE: tuple[Row, ...] = (
    Line("total_max_size", "total-max-size", shape=NUMBER),
    Line("max_object_size", "max-object-size", shape=COUNT),
    Line("max_age", "max-age", shape=COUNT),
    Line("max_secondary_entries", "max-secondary-entries", shape=COUNT),
    Line("process_vary", "process-vary", shape=BOOL_ONOFF),
)


def _ring(*, new: bool) -> tuple[Row, ...]:
    return (
        Line("description", "description"),
        Line("format", "format"),
        Line("maxlen", "maxlen", shape=NUMBER),
        Line("size", "size", shape=SIZE),
        Line("timeout_connect", "timeout connect", shape=TIME),
        Line("timeout_server", "timeout server", shape=TIME),
        Entries("servers", "server", arguments=servers.server(new=new)),
    )


_HTTP_ERRORS: tuple[Row, ...] = (Items("error_files", "errorfile", arguments=lists.ERROR_FILE),)


def _fcgi_app(*, new: bool) -> tuple[Row, ...]:
    return (
        Items("acl_list", "acl", arguments=lists.acl(new=new), metadata=True),
        Line("docroot", "docroot"),
        Line("index", "index"),
        Items("log_stderrs", "log-stderr", arguments=logs.LOG_STDERR),
        Items("pass_headers", "pass-header", arguments=Arguments(Positional("name"), CONDITION)),
        Line("path_info", "path-info"),
        Toggle("get_values", "option get-values"),
        Toggle("keep_conn", "option keep-conn"),
        MaxRequests() if new else Line("max_reqs", "option max-reqs", shape=NUMBER),
        Toggle("mpxs_conns", "option mpxs-conns"),
        Items("set_params", "set-param", arguments=Arguments(Positional("name"), Rest("format"), CONDITION)),
    )


_CRT_STORE: tuple[Row, ...] = (
    Always("crt_base", "crt-base"),
    Always("key_base", "key-base"),
    ReadOnly(Entries("crt_loads", "load", arguments=lists.CRT_LOAD, name="certificate"), reads=False),
)


def _peers(*, new: bool) -> tuple[Row, ...]:
    return (
        Present("enabled", "enabled"),
        Present("disabled", "disabled"),
        Entries("peer_entries", "peer", arguments=Arguments(*_named(), count("shard"))),
        Composite("default_bind", "default-bind", arguments=binds.default_bind(new=new)),
        Composite("default_server", "default-server", arguments=servers.default_server(new=new), bare=True),
        logs.LogTargets(),
        Entries("binds", "bind", arguments=binds.bind(new=new)),
        Entries("servers", "server", arguments=servers.server(new=new)),
        Entries("tables", "table", arguments=lists.TABLE),
        Line("shards", "shards", shape=COUNT),
    )


def _log_forward(*, new: bool) -> tuple[Row, ...]:
    return (
        Entries("dgram_binds", "dgram-bind", arguments=binds.DGRAM_BIND),
        Entries("binds", "bind", arguments=binds.bind(new=new)),
        logs.LogTargets(),
        Present("assume-rfc6587-ntf", "option assume-rfc6587-ntf"),
        Present("dont-parse-log", "option dont-parse-log"),
        Line("backlog", "backlog", shape=NUMBER),
        Line("maxconn", "maxconn", shape=NUMBER),
        Line("timeout_client", "timeout client", shape=TIME),
    )


def _resolvers(*, new: bool) -> tuple[Row, ...]:
    nameservers: Row = Entries("nameservers", "nameserver", arguments=Arguments(*_named()))
    return (
        nameservers if new else ReadOnly(nameservers),
        *(
            Line(f"hold_{event}", f"hold {event}", shape=TIME)
            for event in ("nx", "obsolete", "other", "refused", "timeout", "valid")
        ),
        Line("timeout_resolve", "timeout resolve", shape=COUNTED_TIME),
        Line("timeout_retry", "timeout retry", shape=COUNTED_TIME),
        Line("accepted_payload_size", "accepted_payload_size", shape=NUMBER),
        Present("parse-resolv-conf", "parse-resolv-conf"),
        Line("resolve_retries", "resolve_retries", shape=NUMBER),
    )


def rows(kind: SectionKind, *, new: bool) -> tuple[Row, ...]:
    """The rows of one small kind of section; `new` for API 3.4."""
    match kind:
        case SectionKind.PEERS:
            return _peers(new=new)
        case SectionKind.LOG_FORWARD:
            return _log_forward(new=new)
        case SectionKind.RESOLVERS:
            return _resolvers(new=new)
    return {
        SectionKind.USERLIST: _USERLIST,
        SectionKind.MAILERS: _MAILERS,
        SectionKind.CACHE: _CACHE,
        SectionKind.RING: _ring(new=new),
        SectionKind.HTTP_ERRORS: _HTTP_ERRORS,
        SectionKind.FCGI_APP: _fcgi_app(new=new),
        SectionKind.CRT_STORE: _CRT_STORE,
    }[kind]
