"""`http-request`, `http-response` and `http-after-response` rules (manual, section 4.3 "Actions")."""

from __future__ import annotations

from haoam_sync.haproxycfg.actions import Action, Actions
from haoam_sync.haproxycfg.arguments import Arguments, count, flag, number, word
from haoam_sync.haproxycfg.parts import CONDITION, Keyed, Lost, Part, Positional, Rest
from haoam_sync.haproxycfg.tables.rule_parts import (
    AlwaysKeyed,
    IntegerOrExpression,
    MarkOrExpression,
    RedirectOption,
    RedirectTarget,
    ReturnContent,
    ReturnHeaders,
    Status,
)
from haoam_sync.haproxycfg.tables.versions import NEW_RULE_FIELDS
from haoam_sync.haproxycfg.values import COUNT, NUMBER, SIZE, TIME

_EMPTY_TYPE = {"return_content_type": ""}
"""What response rules have when they are read back, if nothing else (measured)."""


def _action(name: str, *parts: Part) -> Action:
    return Action(name, Arguments(*parts, CONDITION, strict=True))


def _lead(field: str) -> Positional:
    return Positional(field, lead=True)


def _file(name: str, file: str, *parts: Part) -> Action:
    return Action(name, Arguments(*parts, CONDITION, strict=True), call=(file,))


def _counter(name: str, *call: str, value: bool = False) -> Action:
    parts: tuple[Part, ...] = (IntegerOrExpression("sc_int", "sc_expr"),) if value else ()
    return Action(name, Arguments(*parts, CONDITION, strict=True), counters=call)


def _variable(name: str, *parts: Part) -> Action:
    return Action(name, Arguments(*parts, CONDITION, strict=True), variable=True)


_HEADERS = (
    _action("add-header", _lead("hdr_name"), Rest("hdr_format")),
    _action("del-header", _lead("hdr_name"), word("hdr_method", "-m")),
    _action("replace-header", _lead("hdr_name"), _lead("hdr_match"), Rest("hdr_format")),
    _action("replace-value", _lead("hdr_name"), _lead("hdr_match"), Rest("hdr_format")),
    _action("set-header", _lead("hdr_name"), Rest("hdr_format")),
    _action("add-headers-bin", Rest("hdr_expr"), word("hdr_prefix", "prefix")),
    _action("del-headers-bin", Rest("hdr_expr"), word("hdr_method", "-m")),
    _action("set-headers-bin", Rest("hdr_expr"), word("hdr_prefix", "prefix")),
)
_MAPS = (
    _file("del-acl", "acl_file", Rest("acl_keyfmt", keep=False)),
    _file("del-map", "map_file", Rest("map_keyfmt", keep=False)),
    _file("set-map", "map_file", Positional("map_keyfmt", keep=False), Rest("map_valuefmt", keep=False)),
)
_COUNTERS = (
    _counter("sc-add-gpc", "sc_idx", "sc_id", value=True),
    _counter("sc-inc-gpc", "sc_idx", "sc_id"),
    _counter("sc-inc-gpc0", "sc_id"),
    _counter("sc-inc-gpc1", "sc_id"),
    _counter("sc-set-gpt", "sc_id", "sc_idx", value=True),
    _counter("sc-set-gpt0", "sc_id", value=True),
)
_EVERYWHERE = (
    *_HEADERS,
    *_MAPS,
    *_COUNTERS,
    _action("allow"),
    _action("set-log-level", Positional("log_level")),
    _variable("set-var", Rest("var_expr")),
    _variable("set-var-fmt", Rest("var_format")),
    _variable("unset-var"),
    _action("strict-mode", Positional("strict_mode")),
    _action("do-log", word("log_profile", "profile")),
)
_REDIRECT = _action(
    "redirect",
    RedirectTarget(),
    number("redir_code", "code"),
    RedirectOption(),
)
_BOTH_WAYS = (
    *_EVERYWHERE,
    _file("add-acl", "acl_file", Rest("acl_keyfmt", keep=False)),
    Action("lua", Arguments(Rest("lua_params", keep=False), CONDITION), prefix="lua_action"),
    _action("pause", Rest("expr")),
    _REDIRECT,
    _action("send-spoe-group", Positional("spoe_engine"), Positional("spoe_group")),
    _action("set-fc-mark", MarkOrExpression("mark_value")),
    _action("set-fc-tos", MarkOrExpression("tos_value")),
    _action("set-mark", Positional("mark_value")),
    _action("set-nice", Positional("nice_value", shape=COUNT, empty="0")),
    _action("set-timeout", Positional("timeout_type"), Rest("timeout")),
    _action("set-tos", Positional("tos_value")),
    _action("silent-drop", count("rst_ttl")),
    Action(
        "track-sc",
        Arguments(Rest("track_sc_key"), word("track_sc_table", "table"), CONDITION),
        suffix="track_sc_stick_counter",
    ),
    _action("wait-for-body", AlwaysKeyed("wait_time", "time", TIME), Keyed("wait_at_least", "at-least", shape=SIZE)),
    _action(
        "set-bandwidth-limit",
        Positional("bandwidth_limit_name"),
        Rest("bandwidth_limit_limit", "limit"),
        Rest("bandwidth_limit_period", "period"),
    ),
)


def _deny(name: str, status: str, field: str, *, defaults: dict[str, str] | None) -> Action:
    return Action(
        name,
        Arguments(
            Status(field, status),
            word("return_content_type", "content-type"),
            ReturnContent(),
            ReturnHeaders(),
            CONDITION,
            defaults=defaults,
            strict=True,
        ),
    )


_LOST_OF_TARPIT = ("return_content_type", "return_content_format", "return_content", "return_hdrs")

_REQUEST = Actions(
    "type",
    *_BOTH_WAYS,
    _action("auth", word("auth_realm", "realm")),
    _action("cache-use", Positional("cache_name")),
    _action("capture", Rest("capture_sample"), number("capture_len", "len"), number("capture_id", "id")),
    _deny("deny", "deny_status", "deny_status", defaults=None),
    _action("disable-l7-retry"),
    Action("do-resolve", Arguments(Rest("expr"), CONDITION), call=("var_name", "resolvers", "protocol"), places=2),
    _action("early-hint", _lead("hint_name"), Rest("hint_format")),
    _action(
        "normalize-uri", Positional("normalizer"), flag("normalizer_strict", "strict"), flag("normalizer_full", "full")
    ),
    _action("reject"),
    _action("replace-path", _lead("path_match"), Rest("path_fmt")),
    _action("replace-pathq", _lead("path_match"), Rest("path_fmt")),
    _action("replace-uri", _lead("uri-match"), Rest("uri-fmt")),
    _deny("return", "status", "return_status_code", defaults=None),
    _action("set-bc-mark", MarkOrExpression("mark_value")),
    _action("set-bc-tos", MarkOrExpression("tos_value")),
    _action("set-dst", Rest("expr")),
    _action("set-dst-port", Rest("expr")),
    _action("set-method", Rest("method_fmt")),
    _action("set-path", Rest("path_fmt"), Lost("path_match")),
    _action("set-pathq", Rest("path_fmt"), Lost("path_match")),
    _action("set-priority-class", Rest("expr")),
    _action("set-priority-offset", Rest("expr")),
    _action("set-query", Rest("hdr_format"), Lost("query-fmt", "hdr_format")),
    _action("set-src", Rest("expr")),
    _action("set-src-port", Rest("expr")),
    _action("set-uri", Rest("uri-fmt")),
    _action("tarpit", Status("deny_status", "deny_status"), *(Lost(name) for name in _LOST_OF_TARPIT)),
    _action("use-service", Positional("service_name")),
    _action("wait-for-handshake"),
    _action("set-retries", Rest("expr")),
)
_RESPONSE = Actions(
    "type",
    *_BOTH_WAYS,
    _action("cache-store", Positional("cache_name")),
    _action("capture", Rest("capture_sample"), number("capture_id", "id")),
    _deny("deny", "deny_status", "deny_status", defaults=_EMPTY_TYPE),
    _deny("return", "status", "return_status_code", defaults=_EMPTY_TYPE),
    _action("set-status", Positional("status", shape=NUMBER), Rest("status_reason", "reason")),
)
_AFTER_RESPONSE = Actions(
    "type",
    *_EVERYWHERE,
    _action("capture", Rest("capture_sample"), number("capture_len", "len"), number("capture_id", "id")),
    _action("set-status", Positional("status", shape=NUMBER), Rest("status_reason", "reason")),
)
HTTP_ERROR = Actions(
    "type",
    Action(
        "status",
        Arguments(
            Positional("status", shape=NUMBER),
            word("return_content_type", "content-type"),
            ReturnContent(),
            ReturnHeaders(),
            defaults=_EMPTY_TYPE,
        ),
    ),
)


_NEW_ACTIONS = frozenset({"add-headers-bin", "del-headers-bin", "set-headers-bin"})


def _limited(actions: Actions, *, new: bool) -> Actions:
    return actions if new else actions.without(NEW_RULE_FIELDS, _NEW_ACTIONS)


def request(*, new: bool) -> Actions:
    """`http-request ACTION ...`; `new` for API 3.4."""
    return _limited(_REQUEST, new=new)


def response(*, new: bool) -> Actions:
    """`http-response ACTION ...`."""
    return _limited(_RESPONSE, new=new)


def after_response(*, new: bool) -> Actions:
    """`http-after-response ACTION ...`."""
    if new:
        return _AFTER_RESPONSE
    return _AFTER_RESPONSE.without(NEW_RULE_FIELDS, _NEW_ACTIONS | {"set-var-fmt"})
