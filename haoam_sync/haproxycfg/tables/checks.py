"""`http-check` and `tcp-check` rules (manual, section 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.actions import Action, Actions
from haoam_sync.haproxycfg.arguments import Arguments, flag, number, word
from haoam_sync.haproxycfg.parts import Lost, Part, Positional, Rest
from haoam_sync.haproxycfg.tables.rule_parts import ReturnHeaders
from haoam_sync.haproxycfg.words import Obj


@dataclass(frozen=True, slots=True)
class CheckPort:
    """`port NUMBER`, or `port EXPRESSION` in a field of its own; `tcp-check` writes the latter only (measured)."""

    numbers: bool
    lead: bool = False
    fields: tuple[str, ...] = ("port", "port_string")
    starts: tuple[str, ...] = ("port",)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get("port_string")
        if self.numbers and obj.get("port") is not None:
            value = obj["port"]
        if value is not None:
            out.append("port")
            out.append(str(value))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        value = words[at + 1]
        if value.isdigit() and self.numbers:
            obj["port"] = int(value)
        else:
            obj["port_string"] = value
        return at + 2


@dataclass(frozen=True, slots=True)
class Match:
    """`[!] MATCH PATTERN`, always last."""

    matches: tuple[str, ...]
    lead: bool = False
    fields: tuple[str, ...] = ("match", "pattern", "exclamation_mark")

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return ("!", *self.matches)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        if obj.get("exclamation_mark"):
            out.append("!")
        out += [obj[field] for field in ("match", "pattern") if obj.get(field)]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if words[at] == "!":
            obj["exclamation_mark"] = True
            at += 1
        obj["match"] = words[at]
        pattern = " ".join(words[at + 1 :])
        if pattern:
            obj["pattern"] = pattern
        return len(words)


_COMMENT = word("check_comment", "comment")


def _connect(*, numbers: bool) -> Arguments:
    return Arguments(
        flag("default"),
        CheckPort(numbers),
        word("addr"),
        flag("send_proxy"),
        flag("via_socks4"),
        flag("ssl"),
        word("sni"),
        word("alpn"),
        flag("linger"),
        word("proto"),
        _COMMENT,
    )


def _expect(*matches: str) -> Arguments:
    return Arguments(
        number("min_recv"),
        _COMMENT,
        word("ok_status"),
        word("error_status"),
        word("tout_status"),
        word("on_success"),
        word("on_error"),
        word("status-code"),
        Match(matches),
    )


def _data(name: str, field: str) -> Action:
    return Action(name, Arguments(Positional(field, lead=True), _COMMENT))


def _variable(name: str, *parts: Part) -> Action:
    return Action(name, Arguments(*parts), variable=True)


HTTP_CHECK = Actions(
    "type",
    Action("comment", Arguments(Rest("check_comment"))),
    Action("connect", _connect(numbers=True)),
    Action("disable-on-404"),
    Action("expect", _expect("status", "rstatus", "hdr", "fhdr", "string", "rstring")),
    Action(
        "send",
        Arguments(
            word("method", "meth"),
            word("uri"),
            word("uri_log_format", "uri-lf"),
            word("version", "ver"),
            ReturnHeaders("headers"),
            word("body"),
            word("body_log_format", "body-lf"),
            _COMMENT,
        ),
    ),
    Action("send-state"),
    _variable("set-var", Rest("var_expr")),
    _variable("set-var-fmt", Rest("var_expr"), Lost("var_format", "var_expr")),
    _variable("unset-var"),
)
TCP_CHECK = Actions(
    "action",
    Action("comment", Arguments(Rest("check_comment"))),
    Action("connect", _connect(numbers=False)),
    Action("expect", _expect("string", "rstring", "string-lf", "binary", "rbinary", "binary-lf")),
    _data("send", "data"),
    _data("send-lf", "fmt"),
    _data("send-binary", "hex_string"),
    _data("send-binary-lf", "hex_fmt"),
    _variable("set-var", Rest("var_expr")),
    _variable("set-var-fmt", Rest("var_fmt")),
    _variable("unset-var"),
)
