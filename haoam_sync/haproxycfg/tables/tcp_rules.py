"""`tcp-request`, `tcp-response` and `quic-initial` rules (manual, section 4.3 "Actions")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haoam_sync.haproxycfg.actions import Action, Actions
from haoam_sync.haproxycfg.arguments import CONDITION, Arguments, Literal, Lost, Part, Positional, Rest, number, word
from haoam_sync.haproxycfg.tables.rule_parts import IntegerOrExpression
from haoam_sync.haproxycfg.tables.versions import NEW_RULE_FIELDS
from haoam_sync.haproxycfg.values import NUMBER, TEXT, TIME, Shape
from haoam_sync.haproxycfg.words import Obj


def _action(name: str, *parts: Part) -> Action:
    return Action(name, Arguments(*parts, CONDITION))


def _counter(name: str, *call: str, value: tuple[str, str] | None = None, shape: Shape = NUMBER) -> Action:
    parts: tuple[Part, ...] = (IntegerOrExpression(*value),) if value else ()
    return Action(name, Arguments(*parts, CONDITION), call=call, shape=shape)


def _variable(name: str, *parts: Part) -> Action:
    return Action(name, Arguments(*parts, CONDITION), variable=True)


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
    _action("set-fc-mark", Rest("expr")),
    _action("set-fc-tos", Rest("expr")),
    _action("set-log-level", Positional("log_level")),
    _action("set-mark", Positional("mark_value")),
    _action("set-nice", Positional("nice_value", shape=NUMBER)),
    _action("set-tos", Positional("tos_value")),
    _variable("set-var", Rest("expr")),
    _variable("set-var-fmt", Rest("var_format")),
    _action("silent-drop", number("rst_ttl")),
    _variable("unset-var"),
    _action("do-log", word("log_profile", "profile")),
)
_REQUEST_VALUE = ("sc_int", "expr")
_RESPONSE_VALUE = ("sc_int", "sc_expr")
TCP_REQUEST_ACTIONS = Actions(
    "action",
    *_BOTH_WAYS,
    _action("attach-srv", Positional("server_name"), Rest("expr", "name")),
    _action("capture", Rest("capture_sample"), number("capture_len", "len")),
    Action(
        "do-resolve",
        Arguments(Rest("expr"), CONDITION),
        call=("resolve_var", "resolve_resolvers", "resolve_protocol"),
    ),
    _action("expect-netscaler-cip", Literal("layer4")),
    _action("expect-proxy", Literal("layer4")),
    _counter("sc-add-gpc", "sc_inc_id", "sc_idx", value=_REQUEST_VALUE, shape=TEXT),
    _counter("sc-inc-gpc", "sc_inc_id", "sc_idx", shape=TEXT),
    _counter("sc-inc-gpc0", "sc_inc_id", shape=TEXT),
    _counter("sc-inc-gpc1", "sc_inc_id", shape=TEXT),
    _counter("sc-set-gpt", "sc_inc_id", "sc_idx", value=_REQUEST_VALUE, shape=TEXT),
    _counter("sc-set-gpt0", "sc_inc_id", value=_REQUEST_VALUE, shape=TEXT),
    _action("send-spoe-group", Positional("spoe_engine_name"), Positional("spoe_group_name")),
    _action("set-bc-mark", Rest("expr")),
    _action("set-bc-tos", Rest("expr")),
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
    _counter("sc-add-gpc", "sc_id", "sc_idx", value=_RESPONSE_VALUE),
    _counter("sc-inc-gpc", "sc_id", "sc_idx"),
    _counter("sc-inc-gpc0", "sc_id"),
    _counter("sc-inc-gpc1", "sc_id"),
    _counter("sc-set-gpt", "sc_id", "sc_idx", value=_RESPONSE_VALUE),
    _counter("sc-set-gpt0", "sc_id", value=_RESPONSE_VALUE),
    _action("send-spoe-group", Positional("spoe_engine"), Positional("spoe_group")),
)
_DELAY = Arguments(Positional("timeout", shape=TIME))


class TcpRules:
    """`connection|content|session ACTION ...`, or `inspect-delay TIME`, which takes no condition."""

    def __init__(self, actions: Actions, *lost: str) -> None:
        self._actions = actions
        self.fields = actions.fields | {"type", "timeout", *lost}
        self.parts: tuple[Part, ...] = (*actions.parts, *(Lost(name, "sc_int") for name in lost))

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`."""
        out.append(obj["type"])
        if obj["type"] == "inspect-delay":
            _DELAY.write(obj, out)
        else:
            self._actions.write(obj, out)

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`.

        Raises:
            ValueError, IndexError: no such action, or its arguments are wrong.
        """
        obj["type"] = words[at]
        if words[at] == "inspect-delay":
            _DELAY.read(words, at + 1, obj)
        else:
            self._actions.read(words, at + 1, obj)


def request(*, new: bool) -> TcpRules:
    """`tcp-request ...`; `new` for API 3.4."""
    return TcpRules(TCP_REQUEST_ACTIONS if new else TCP_REQUEST_ACTIONS.without(NEW_RULE_FIELDS), "gpt_value")


def response(*, new: bool) -> TcpRules:
    """`tcp-response ...`."""
    return TcpRules(TCP_RESPONSE_ACTIONS if new else TCP_RESPONSE_ACTIONS.without(NEW_RULE_FIELDS))


QUIC_INITIAL = Actions("type", *(_action(name) for name in ("reject", "accept", "send-retry", "dgram-drop")))
