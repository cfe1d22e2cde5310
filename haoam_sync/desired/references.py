"""What a section refers to: other sections of every kind, groups of userlists, certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from haoam_sync.desired.paths import Patterns, at, matching, texts, written
from haoam_sync.documents import Path
from haoam_sync.model.desired import CERTIFICATE_DIR
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionKind

_FIELDS = Patterns(
    (SectionKind.DEFAULTS, "from"),
    (SectionKind.BACKEND, "default_backend"),
    (SectionKind.BACKEND, "backend_switching_rule_list.*.name"),
    (SectionKind.RESOLVERS, "servers.*.resolvers"),
    (SectionKind.RESOLVERS, "server_templates.*.resolvers"),
    (SectionKind.RESOLVERS, "default_server.resolvers"),
    (SectionKind.RESOLVERS, "http_request_rule_list.*.resolvers"),
    (SectionKind.RESOLVERS, "tcp_request_rule_list.*.resolve_resolvers"),
    (SectionKind.CACHE, "http_request_rule_list.*.cache_name"),
    (SectionKind.CACHE, "http_response_rule_list.*.cache_name"),
    (SectionKind.CACHE, "filter_list.*.cache_name"),
    (SectionKind.MAILERS, "email_alert.mailers"),
    (SectionKind.HTTP_ERRORS, "errorfiles_from_http_errors.*.name"),
    (SectionKind.PEERS, "stick_table.peers"),
    (SectionKind.FCGI_APP, "use_fcgi_app"),
    (SectionKind.FCGI_APP, "filter_list.*.app_name"),
)
"""Fields that hold the name of another section."""
_CERTIFICATE_FIELDS = Patterns(
    (None, "binds.*.ssl_certificate"),
    (None, "binds.*.default_crt_list.*"),
    (None, "default_bind.ssl_certificate"),
    (None, "ssl_front_use_list.*.certificate"),
    (None, "servers.*.ssl_certificate"),
    (None, "server_templates.*.ssl_certificate"),
    (None, "default_server.ssl_certificate"),
)
"""Fields that hold a certificate: the name of a document, or, with a `/` in it, a path on the instance."""
_RULES = ("http_request_rule_list", "http_response_rule_list", "http_error_rule_list")
"""Lists whose rules can return the answers of an `http-errors` section: `return_content` is then its name."""
_TABLE_FIELDS = Patterns(
    (None, "stick_rule_list.*.table"),
    (None, "http_request_rule_list.*.track_sc_table"),
    (None, "http_response_rule_list.*.track_sc_table"),
    (None, "tcp_request_rule_list.*.track_table"),
    (None, "filter_list.*.table"),
)
"""Fields that hold the name of a stick table: its proxy's, or `PEERS/TABLE`."""
_RING = "ring@"
_BUILT_IN_RINGS = frozenset({"buf0"})
_BUILT_IN_RESOLVERS = "default"
"""HAProxy makes this one itself, from /etc/resolv.conf."""
_AUTH = re.compile(r"\bhttp_auth(?:_group)?\(\s*+([^()\s]*+)\s*+\)")
_AUTH_GROUP = re.compile(r"!?http_auth_group\(\s*+([^()\s]*+)\s*+\)")
_COUNTED = re.compile(r"\b(?:in_table|table_[a-z0-9_]+|src_[a-z0-9_]+|sc[0-9]?_[a-z0-9_]+)\(\s*([^()\s]+)\s*\)")
"""Fetches and converters whose last argument may be a table (manual, 7.3.1 "table_*", 7.3.3 "src_*", "sc_*")."""
_COUNTING = ("table", "src_", "sc_", "sc0_", "sc1_", "sc2_")
"""One of them stands in every text in which `_COUNTED` finds something."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_PROSE = frozenset({"description", "return_content", "auth_realm", "realm"})
"""Fields whose text is for people: a sample fetch in it is no reference."""
_QUOTES = frozenset("\"'$\\")
"""Signs of a name that HAProxy itself has yet to unfold."""
_DYNAMIC = "%["
"""A name that HAProxy works out for each request."""


@dataclass(frozen=True, slots=True)
class SectionReference:
    """A section that is referred to by name.

    Attributes:
        kind: of section.
        name: of section.
        path: where in the body.
        or_kind: another kind that a section of this name may have.
    """

    kind: SectionKind
    name: str
    path: Path
    or_kind: SectionKind | None = None


@dataclass(frozen=True, slots=True)
class GroupReference:
    """A group of a userlist."""

    userlist: str
    group: str
    path: Path


def sections(kind: SectionKind, body: JsonObject) -> Iterator[SectionReference]:
    """Every section that `body` refers to."""
    said = written(body)
    yield from _in_fields(body)
    yield from _errors_returned(body)
    yield from _tables(body)
    if any(word in said for word in _COUNTING):
        yield from _tables_in_expressions(body)
    yield from _rings(body)
    yield from _stores(body)
    if kind is not SectionKind.USERLIST and "http_auth" in said:
        for path, text in texts(body):
            if "http_auth" in text and path[-1] not in _PROSE:
                for name in _AUTH.findall(text):
                    yield SectionReference(SectionKind.USERLIST, name, path)


def _in_fields(body: JsonObject) -> Iterator[SectionReference]:
    for target, path, name in _FIELDS.found(body):
        if _DYNAMIC not in name and (target is not SectionKind.RESOLVERS or name != _BUILT_IN_RESOLVERS):
            yield SectionReference(target, name, path)


def _stores(body: JsonObject) -> Iterator[SectionReference]:
    """Certificates of a crt-store: `@STORE/CERTIFICATE`."""
    for path, name in certificate_fields(body):
        if name.startswith("@") and "/" in name and not name.startswith(CERTIFICATE_DIR):
            yield SectionReference(SectionKind.CRT_STORE, name[1:].partition("/")[0], path)


def _errors_returned(body: JsonObject) -> Iterator[SectionReference]:
    """`http-request return ... errorfiles NAME` and its like."""
    for field in _RULES:
        if field not in body:
            continue
        for path, word in matching(body, (field, "*", "return_content_format")):
            name = at(body, (*path[:-1], "return_content"))
            if word == "errorfiles" and isinstance(name, str):
                yield SectionReference(SectionKind.HTTP_ERRORS, name, (*path[:-1], "return_content"))


def _tables(body: JsonObject) -> Iterator[SectionReference]:
    for _, path, name in _TABLE_FIELDS.found(body):
        yield from _table(name, path)


def _tables_in_expressions(body: JsonObject) -> Iterator[SectionReference]:
    """`table_http_req_rate(st)`, `sc0_get_gpc0(st)`, `src_conn_cur(st)`; numbers are counters and indices."""
    for path, text in texts(body):
        if path[-1] in _PROSE or "(" not in text:
            continue
        for arguments in _COUNTED.findall(text):
            name = arguments.rpartition(",")[2]
            if name and not name.isdecimal() and _DYNAMIC not in name and not _QUOTES.intersection(name):
                yield from _table(name, path)


def _table(name: str, path: Path) -> Iterator[SectionReference]:
    section, slash, _ = name.partition("/")
    if slash:
        yield SectionReference(SectionKind.PEERS, section, path)
    else:
        yield SectionReference(SectionKind.BACKEND, name, path, SectionKind.FRONTEND)


def _rings(body: JsonObject) -> Iterator[SectionReference]:
    if "log_target_list" in body:
        for path, address in matching(body, ("log_target_list", "*", "address")):
            name = address.removeprefix(_RING)
            if name != address and name not in _BUILT_IN_RINGS:
                yield SectionReference(SectionKind.RING, name, path)


def certificates(body: JsonObject) -> Iterator[tuple[Path, str]]:
    """Every certificate that `body` refers to by the name of its document."""
    return ((path, name) for path, name in certificate_fields(body) if "/" not in name)


def certificate_fields(body: JsonObject) -> Iterator[tuple[Path, str]]:
    """Every field of `body` that holds a certificate, by name or by path."""
    return ((path, name) for _, path, name in _CERTIFICATE_FIELDS.found(body))


def groups(body: JsonObject) -> Iterator[GroupReference]:
    """Every group that ACLs and anonymous conditions compare with: `http_auth_group(USERLIST) GROUP...`."""
    if "http_auth_group" not in written(body):
        return
    for path, criterion in matching(body, ("acl_list", "*", "criterion")):
        found = _AUTH_GROUP.fullmatch(criterion)
        rule = _item(body, path)
        value = rule.get("value")
        if found and isinstance(value, str):
            yield from (GroupReference(found[1], group, (*path[:-1], "value")) for group in _names(value.split()))
    for path, text in texts(body):
        if "http_auth_group" not in text or path[-1] in _PROSE:
            continue
        for inside in _BRACES.findall(text):
            words = inside.split()
            if words and (found := _AUTH_GROUP.fullmatch(words[0])):
                yield from (GroupReference(found[1], group, path) for group in _names(words[1:]))


def _item(body: JsonObject, path: Path) -> Mapping[str, Json]:
    """The object that holds the field at `path`, in a list below `body`."""
    items = body[str(path[0])]
    item = items[int(path[1])] if isinstance(items, Sequence) and not isinstance(items, str) else None
    return item if isinstance(item, Mapping) else {}


def _names(words: Sequence[str]) -> Iterator[str]:
    """The patterns after the flags, when they are compared as whole strings; nothing when they are something else."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        if word == "-m":
            if next(rest, "") != "str":
                return
        elif word in {"-f", "-M"}:
            return
        elif not word.startswith("-"):
            yield word
            break
    yield from rest
