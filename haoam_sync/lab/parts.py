"""Which parts of a section have endpoints of their own, and how the server speaks of them.

Two shapes: *named* parts (servers, binds, ...) are objects keyed by a name of their own; *listed* parts (ACLs, rules,
...) are arrays whose order matters and whose index is their name. Everything else in a section is its *own*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from haoam_sync.model.section import SectionKind


@dataclass(frozen=True, slots=True)
class Listed:
    """Parts in an array.

    Attributes:
        endpoint: path element.
        field: key in the `full_section` document.
        keywords: first words of their lines; each a word or words with a space.
        empty_without_parent: whether API 3.2 gives an empty list for a section that is not there (else 400).
    """

    endpoint: str
    field: str
    keywords: tuple[str, ...]
    empty_without_parent: bool = True


@dataclass(frozen=True, slots=True)
class Named:
    """Parts keyed by a name.

    Attributes:
        endpoint: path element.
        field: key in the `full_section` document.
        key: the field that holds the name.
        keywords: first words of their lines.
        parent_parameter: query parameter that names the section; "" when the path does.
        absent: words of 404, with `{name}` and `{parent}`.
        absent_for_put: the same for PUT, where it differs.
        taken: words of 409.
        parent_word: what the section is called when it is missing.
        empty_without_parent: whether the list of a section that is not there is empty (else 400).
    """

    endpoint: str
    field: str
    key: str
    keywords: tuple[str, ...]
    absent: str
    taken: str
    parent_word: str
    parent_parameter: str = ""
    absent_for_put: str = ""
    empty_without_parent: bool = True


_ACLS = Listed("acls", "acl_list", ("acl",))
_FILTERS = Listed("filters", "filter_list", ("filter",))
_HTTP_AFTER = Listed(
    "http_after_response_rules",
    "http_after_response_rule_list",
    ("http-after-response",),
    empty_without_parent=False,
)
_HTTP_CHECKS = Listed("http_checks", "http_check_list", ("http-check",))
_HTTP_ERRORS = Listed("http_error_rules", "http_error_rule_list", ("http-error",))
_HTTP_REQUEST = Listed("http_request_rules", "http_request_rule_list", ("http-request",))
_HTTP_RESPONSE = Listed("http_response_rules", "http_response_rule_list", ("http-response",))
_LOGS = Listed("log_targets", "log_target_list", ("log", "no log"))
_QUIC = Listed("quic_initial_rules", "quic_initial_rule_list", ("quic-initial",), empty_without_parent=False)
_TCP_CHECKS = Listed("tcp_checks", "tcp_check_rule_list", ("tcp-check",))
_TCP_REQUEST = Listed("tcp_request_rules", "tcp_request_rule_list", ("tcp-request",))
_TCP_RESPONSE = Listed("tcp_response_rules", "tcp_response_rule_list", ("tcp-response",))

LISTED: Mapping[SectionKind, tuple[Listed, ...]] = {
    SectionKind.GLOBAL: (_LOGS,),
    SectionKind.DEFAULTS: (
        _ACLS,
        _HTTP_AFTER,
        _HTTP_CHECKS,
        _HTTP_ERRORS,
        _HTTP_REQUEST,
        _HTTP_RESPONSE,
        _LOGS,
        _QUIC,
        _TCP_CHECKS,
        _TCP_REQUEST,
        _TCP_RESPONSE,
    ),
    SectionKind.FRONTEND: (
        _ACLS,
        Listed("backend_switching_rules", "backend_switching_rule_list", ("use_backend",)),
        Listed("captures", "capture_list", ("declare capture",)),
        _FILTERS,
        _HTTP_AFTER,
        _HTTP_ERRORS,
        _HTTP_REQUEST,
        _HTTP_RESPONSE,
        _LOGS,
        _QUIC,
        _TCP_REQUEST,
    ),
    SectionKind.BACKEND: (
        _ACLS,
        _FILTERS,
        _HTTP_AFTER,
        _HTTP_CHECKS,
        _HTTP_ERRORS,
        _HTTP_REQUEST,
        _HTTP_RESPONSE,
        _LOGS,
        Listed("server_switching_rules", "server_switching_rule_list", ("use-server",)),
        Listed(
            "stick_rules", "stick_rule_list", ("stick match", "stick on", "stick store-request", "stick store-response")
        ),
        _TCP_CHECKS,
        _TCP_REQUEST,
        _TCP_RESPONSE,
    ),
    SectionKind.FCGI_APP: (_ACLS,),
    SectionKind.LOG_FORWARD: (_LOGS,),
    SectionKind.PEERS: (_LOGS,),
}
"""Parts by index. Paths: `{collection}/{section}/{endpoint}` and `.../{index}`."""

PARENT_PATH: Mapping[SectionKind, str] = {
    SectionKind.DEFAULTS: "defaults",
    SectionKind.FRONTEND: "frontends",
    SectionKind.BACKEND: "backends",
    SectionKind.FCGI_APP: "fcgi_apps",
    SectionKind.LOG_FORWARD: "log_forwards",
    SectionKind.PEERS: "peers",
    SectionKind.RING: "rings",
    SectionKind.CRT_STORE: "crt_stores",
}
"""First path element above parts; a peers section has another there than for itself."""

_SPOKEN: Mapping[SectionKind, str] = {SectionKind.LOG_FORWARD: "log_forward"}


def spoken(kind: SectionKind) -> str:
    """What a section of this kind is called where its listed parts are refused."""
    return _SPOKEN.get(kind, kind.value)


def _binds(kind: SectionKind) -> Named:
    word = spoken(kind)
    return Named(
        "binds",
        "binds",
        "name",
        ("bind",),
        absent=f"Bind {{name}} does not exist in {{parent}} {word}",
        taken=f"bind {{name}} already exists in {{parent}} {word}",
        parent_word=word,
    )


def _servers(kind: SectionKind) -> Named:
    word = spoken(kind)
    return Named(
        "servers",
        "servers",
        "name",
        ("server",),
        absent=f"server {{name}} does not exist in {{parent}} {word}",
        taken=f"server {{name}} already exists in {{parent}} {word}",
        parent_word=word,
    )


NAMED: Mapping[SectionKind, tuple[Named, ...]] = {
    SectionKind.FRONTEND: (_binds(SectionKind.FRONTEND),),
    SectionKind.BACKEND: (
        _servers(SectionKind.BACKEND),
        Named(
            "server_templates",
            "server_templates",
            "prefix",
            ("server-template",),
            absent="Server template {name} does not exist in backend {parent}",
            taken="Server template {name} already exists in backend {parent}",
            parent_word="backend",
        ),
    ),
    SectionKind.LOG_FORWARD: (
        _binds(SectionKind.LOG_FORWARD),
        Named(
            "dgram_binds",
            "dgram_binds",
            "name",
            ("dgram-bind",),
            absent="DgramBind {name} does not exist in log-forward {parent}",
            taken="DgramBind {name} already exists in log-forward {parent}",
            parent_word="log-forward",
            empty_without_parent=False,
        ),
    ),
    SectionKind.RING: (_servers(SectionKind.RING),),
    SectionKind.PEERS: (
        Named(
            "peer_entries",
            "peer_entries",
            "name",
            ("peer",),
            absent="PeerEntry {name} does not exist in peer section {parent}",
            taken="PeerEntry {name} already exists in peer section {parent}",
            parent_word="peers",
            parent_parameter="peer_section",
            empty_without_parent=False,
        ),
        _binds(SectionKind.PEERS),
        _servers(SectionKind.PEERS),
        Named(
            "tables",
            "tables",
            "name",
            ("table",),
            absent="Table {name} does not exist in {parent} peers section",
            taken="Table {name} already exists in {parent} peers section",
            parent_word="peers",
            empty_without_parent=False,
        ),
    ),
    SectionKind.RESOLVERS: (
        Named(
            "nameservers",
            "nameservers",
            "name",
            ("nameserver",),
            absent="Nameserver {name} does not exist in resolvers section {parent}",
            taken="Nameserver {name} already exists in resolvers section {parent}",
            parent_word="resolvers",
            parent_parameter="resolver",
            empty_without_parent=False,
        ),
    ),
    SectionKind.MAILERS: (
        Named(
            "mailer_entries",
            "mailer_entries",
            "name",
            ("mailer",),
            absent="MailerEntry {name} does not exist in mailers section {parent}",
            absent_for_put="MailerEntry {name} does not exist in peer section {parent}",
            taken="MailerEntry {name} already exists in peer section {parent}",
            parent_word="mailers",
            parent_parameter="mailers_section",
            empty_without_parent=False,
        ),
    ),
    SectionKind.USERLIST: (
        Named(
            "users",
            "users",
            "username",
            ("user",),
            absent="",
            taken="user {name} already exists",
            parent_word="userlist",
            parent_parameter="userlist",
            empty_without_parent=False,
        ),
        Named(
            "groups",
            "groups",
            "name",
            ("group",),
            absent="group {name} does not exist",
            taken="group {name} already exists",
            parent_word="userlist",
            parent_parameter="userlist",
            empty_without_parent=False,
        ),
    ),
    SectionKind.CRT_STORE: (
        Named(
            "crt_loads",
            "crt_loads",
            "certificate",
            ("load",),
            absent="load {name} does not exist in crt-store {parent}",
            taken="load {name} already exists in crt-store {parent}",
            parent_word="crt-store",
            empty_without_parent=False,
        ),
    ),
}
"""Parts by name. Paths: `{collection}/{section}/{endpoint}`, or `{endpoint}?{parent_parameter}={section}`."""

_PARTS: Mapping[SectionKind, tuple[Listed | Named, ...]] = {
    kind: (*LISTED.get(kind, ()), *NAMED.get(kind, ())) for kind in SectionKind
}

PART_FIELDS: Mapping[SectionKind, frozenset[str]] = {
    kind: frozenset(part.field for part in parts) for kind, parts in _PARTS.items()
}
"""Fields of a section that are parts: only a `full_section` write or read has them."""

PART_KEYWORDS: Mapping[SectionKind, tuple[str, ...]] = {
    kind: tuple(word for part in parts for word in part.keywords) for kind, parts in _PARTS.items()
}


def begins_with(line: str, keywords: tuple[str, ...]) -> bool:
    """Whether `line` (indented or not) begins with one of these words."""
    words = line.split(None, 2)
    if not words:
        return False
    return words[0] in keywords or (len(words) > 1 and f"{words[0]} {words[1]}" in keywords)
