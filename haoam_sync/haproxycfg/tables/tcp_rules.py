"""`tcp-request`, `tcp-response` and `quic-initial` rules (manual, section 4.3 "Actions")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from haoam_sync.haproxycfg.actions import Action, Actions
from haoam_sync.haproxycfg.arguments import Arguments, count, word
from haoam_sync.haproxycfg.parts import CONDITION, Literal, Lost, Part, Positional, Rest
from haoam_sync.haproxycfg.tables.rule_parts import AlwaysKeyed, IntegerOrExpression, MarkOrExpression
from haoam_sync.haproxycfg.tables.versions import NEW_RULE_FIELDS
from haoam_sync.haproxycfg.values import COUNT, TIME
from haoam_sync.haproxycfg.words import Obj


def _action(name: str, *parts: Part) -> Action:
    return Action(name, Arguments(*parts, CONDITION, strict=True))


def _counter(name: str, *call: str, value: Part | None = None) -> Action:
    parts = (value, CONDITION) if value else (CONDITION,)
    return Action(name, Arguments(*parts, strict=True), call=call, places=len(call))


def _number(name: str, *counters: str, value: Part | None = None) -> Action:
    parts = (value, CONDITION) if value else (CONDITION,)
    return Action(name, Arguments(*parts, strict=True), counters=counters)


def _variable(name: str, *parts: Part) -> Action:
    return Action(name, Arguments(*parts, CONDITION, strict=True), variable=True)


_BOTH_WAYS = (
    _action("accept"),
    _action("reject"),
    Action("lua", Arguments(Rest("lua_params", keep=False), CONDITION), prefix="lua_action"),
    _action(
        "set-bandwidth-limit",
        Positional("bandwidth_limit_name"),
        Rest("bandwidth_limit_limit", "limit"),
        Rest("bandwidth_limit_period", "period"),
    ),
    _action("set-fc-mark", MarkOrExpression("mark_value")),
    _action("set-fc-tos", MarkOrExpression("tos_value")),
    _action("set-log-level", Positional("log_level")),
    _action("set-mark", Positional("mark_value")),
    _action("set-nice", Positional("nice_value", shape=COUNT, empty="0")),
    _action("set-tos", Positional("tos_value")),
    _variable("set-var", Rest("expr")),
    _variable("set-var-fmt", Rest("var_format")),
    _action("silent-drop", count("rst_ttl")),
    _variable("unset-var"),
    _action("do-log", word("log_profile", "profile")),
)


@dataclass(frozen=True, slots=True)
class GptValue:
    """The value of `sc-set-gpt0`: written from `expr` alone, read into `sc_int`, or as text.

    The text is `expr` in a rule of type `connection` and `gpt_value` in others (measured).
    """

    lead: bool = False
    fields: tuple[str, ...] = ("expr", "sc_int", "gpt_value")
    starts: tuple[str, ...] = ()

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out.append(obj.get("expr") or "")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        text = "expr" if obj.get("type") == "connection" else "gpt_value"
        return IntegerOrExpression("sc_int", text).read(words, at, obj, stops)


@dataclass(frozen=True, slots=True)
class SetGpt(Action):
    """`sc-set-gpt(COUNTER,INDEX)`: the index is text in JSON, a number in the file, 0 for any other text (measured)."""

    def _head(self, obj: Mapping[str, Any]) -> str:
        index = str(obj.get("sc_idx") or "")
        return f"{self.name}({obj.get('sc_inc_id') or ''},{index if index.isdecimal() else 0})"


_VALUE = IntegerOrExpression("sc_int", "expr")
TCP_REQUEST_ACTIONS = Actions(
    "action",
    *_BOTH_WAYS,
    _action("attach-srv", Positional("server_name"), Rest("expr", "name")),
    _action(
        "capture", Rest("expr"), AlwaysKeyed("capture_len", "len", COUNT, empty="0"), Lost("capture_sample", "expr")
    ),
    Action(
        "do-resolve",
        Arguments(Rest("expr"), Lost("resolve_var", "var_name"), Lost("var_scope"), CONDITION),
        call=("var_name", "resolve_resolvers", "resolve_protocol"),
        places=2,
    ),
    _action("expect-netscaler-cip", Literal("layer4")),
    _action("expect-proxy", Literal("layer4")),
    _counter("sc-add-gpc", "sc_idx", "sc_inc_id", value=_VALUE),
    _counter("sc-inc-gpc", "sc_idx", "sc_inc_id"),
    _counter("sc-inc-gpc0", "sc_inc_id"),
    _counter("sc-inc-gpc1", "sc_inc_id"),
    SetGpt("sc-set-gpt", Arguments(_VALUE, CONDITION, strict=True), call=("sc_inc_id", "sc_idx"), places=2),
    Action("sc-set-gpt0", Arguments(GptValue(), CONDITION, strict=True), call=("sc_inc_id",)),
    _action("send-spoe-group", Positional("spoe_engine_name"), Positional("spoe_group_name")),
    _action("set-bc-mark", MarkOrExpression("mark_value")),
    _action("set-bc-tos", MarkOrExpression("tos_value")),
    _action("set-dst", Rest("expr")),
    _action("set-dst-port", Rest("expr")),
    _action("set-priority-class", Rest("expr")),
    _action("set-priority-offset", Rest("expr")),
    _action("set-src", Rest("expr")),
    _action("set-src-port", Rest("expr")),
    _action("switch-mode", Literal("http"), word("switch_mode_proto", "proto")),
    Action(
        "track-sc",
        Arguments(Rest("track_key"), word("track_table", "table"), CONDITION),
        suffix="track_stick_counter",
    ),
    _action("use-service", Positional("service_name")),
    _action("set-retries", Rest("expr")),
)
TCP_RESPONSE_ACTIONS = Actions(
    "action",
    *_BOTH_WAYS,
    _action("close"),
    _number("sc-add-gpc", "sc_idx", "sc_id", value=_VALUE),
    _number("sc-inc-gpc", "sc_idx", "sc_id"),
    _number("sc-inc-gpc0", "sc_id"),
    _number("sc-inc-gpc1", "sc_id"),
    _number("sc-set-gpt", "sc_id", "sc_idx", value=_VALUE),
    _number("sc-set-gpt0", "sc_id", value=_VALUE),
    _action("send-spoe-group", Positional("spoe_engine"), Positional("spoe_group")),
)
_DELAY = Arguments(Positional("timeout", shape=TIME))


UNSUPPORTED: Mapping[str, frozenset[str]] = {
    "connection": frozenset(
        {
            "attach-srv",
            "do-resolve",
            "send-spoe-group",
            "set-bandwidth-limit",
            "set-bc-mark",
            "set-bc-tos",
            "set-log-level",
            "set-nice",
            "set-priority-class",
            "set-priority-offset",
            "set-retries",
            "switch-mode",
            "use-service",
        }
    ),
    "session": frozenset(
        {
            "capture",
            "do-resolve",
            "expect-netscaler-cip",
            "expect-proxy",
            "lua",
            "send-spoe-group",
            "set-bandwidth-limit",
            "set-bc-mark",
            "set-bc-tos",
            "set-log-level",
            "set-nice",
            "set-priority-class",
            "set-priority-offset",
            "set-retries",
            "switch-mode",
            "use-service",
        }
    ),
    "content": frozenset({"attach-srv", "expect-netscaler-cip", "expect-proxy"}),
}
"""Actions that the server refuses, by type of `tcp-request` rule."""
MISTAKEN: Mapping[tuple[str, str], tuple[str, str]] = {
    ("session", "sc-add-gpc"): ("connection", "sc-add-gpc"),
    ("session", "sc-inc-gpc"): ("connection", "sc-inc-gpc"),
    ("session", "set-mark"): ("session", "set-dst-port"),
}
"""Type and action that the server writes in place of those that were sent (measured): a trap, `lost` names it."""
MISREAD: Mapping[tuple[str, str], tuple[str, str]] = {("session", "reject"): ("session", "accept")}
"""Type and action that the server reads in place of those that stand in the text (measured)."""


UNREAD = frozenset({("content", "set-src")})
"""Type and action of lines that the server writes and does not show (measured): `lost` names them."""


class TcpRequest:
    """`connection|content|session ACTION ...`, or `inspect-delay TIME`, which takes no condition."""

    types: ClassVar[frozenset[str]] = frozenset({"connection", "content", "session", "inspect-delay"})
    mistaken: ClassVar[Mapping[tuple[str, str], tuple[str, str]]] = MISTAKEN
    misread: ClassVar[Mapping[tuple[str, str], tuple[str, str]]] = MISREAD
    unread: ClassVar[frozenset[tuple[str, str]]] = UNREAD

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self.fields = actions.fields | {"type", "timeout"}
        self.parts: tuple[Part, ...] = actions.parts

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`."""
        if obj["type"] == "inspect-delay":
            out.append("inspect-delay")
            _DELAY.write(obj, out)
            return
        wanted = (obj["type"], obj["action"])
        kind, action = self.mistaken.get(wanted, wanted)
        out.append(kind)
        self._actions.write(obj if action == obj["action"] else {**obj, "action": action}, out)

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`.

        Raises:
            ValueError, IndexError: no such action, or its arguments are wrong.
        """
        kind = words[at]
        if kind not in self.types:
            raise ValueError(f"unknown type {kind!r}")
        obj["type"] = kind
        if kind == "inspect-delay":
            _DELAY.read(words, at + 1, obj)
            return
        self._actions.read(words, at + 1, obj)
        if (kind, obj["action"]) in self.unread:
            raise ValueError(f"the server does not show {kind} {obj['action']}")
        obj["type"], obj["action"] = self.misread.get((kind, obj["action"]), (kind, obj["action"]))


class TcpResponse(TcpRequest):
    """`content ACTION ...`, or `inspect-delay TIME`."""

    types = frozenset({"content", "inspect-delay"})
    mistaken = MappingProxyType({})
    misread = MappingProxyType({("content", name): ("", name) for name in ("set-var", "set-var-fmt")})
    unread = frozenset()


def request(*, new: bool) -> TcpRequest:
    """`tcp-request ...`; `new` for API 3.4."""
    return TcpRequest(TCP_REQUEST_ACTIONS if new else TCP_REQUEST_ACTIONS.without(NEW_RULE_FIELDS))


def response(*, new: bool) -> TcpResponse:
    """`tcp-response ...`."""
    return TcpResponse(TCP_RESPONSE_ACTIONS if new else TCP_RESPONSE_ACTIONS.without(NEW_RULE_FIELDS))


QUIC_INITIAL = Actions("type", *(_action(name) for name in ("reject", "accept", "send-retry", "dgram-drop")))
