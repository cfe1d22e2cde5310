"""Arguments of the other lists that sections hold: ACLs, switching, sticking, filters, logs, captures, error files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.actions import Action, Actions
from haoam_sync.haproxycfg.arguments import Arguments, count, flag, number, word
from haoam_sync.haproxycfg.parts import CONDITION, Joined, Keyed, Positional, Rest
from haoam_sync.haproxycfg.tables.rule_parts import AlwaysKeyed
from haoam_sync.haproxycfg.tables.versions import NEW_FILTER_FIELDS, NEW_FILTERS
from haoam_sync.haproxycfg.values import NUMBER, ONOFF, SIZE, TIME
from haoam_sync.haproxycfg.words import Obj


def acl(*, new: bool) -> Arguments:
    """`acl NAME CRITERION VALUE`; up to API 3.3 a blank stands in place of a missing value (measured)."""
    return Arguments(Positional("acl_name", lead=True), Positional("criterion", lead=True), Rest("value", keep=not new))


BACKEND_SWITCHING = Arguments(Positional("name", lead=True), CONDITION)
STICK_RULE = Arguments(Positional("type", lead=True), Rest("pattern"), word("table"), CONDITION)
CAPTURE = Arguments(Positional("type", lead=True), number("length", "len"))
FORCED = Arguments(CONDITION)


@dataclass(frozen=True, slots=True)
class LooseCondition:
    """A condition whose words the server writes without looking, `if` or not (measured on `use-server`)."""

    lead: bool = False
    fields: tuple[str, ...] = ("cond", "cond_test")
    starts: tuple[str, ...] = ()

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out.append(obj.get("cond") or "")
        out.append(obj.get("cond_test") or "")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if words[at] in {"if", "unless"}:
            obj["cond"] = words[at]
            at += 1
        test = " ".join(words[at:])
        if test:
            obj["cond_test"] = test
        return len(words)


SERVER_SWITCHING = Arguments(Positional("target_server", lead=True), LooseCondition())


@dataclass(frozen=True, slots=True)
class BandwidthLimit:
    """What follows the name of a bandwidth limitation: for each stream by default, by key when `key` is set.

    The server writes every number, 0 for those not set, and reads 0 as not set (measured).
    """

    lead: bool = False
    fields: tuple[str, ...] = ("default_limit", "default_period", "limit", "key", "table", "min_size")
    starts: tuple[str, ...] = ("default-limit", "default-period", "limit", "key", "table", "min-size")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        if obj.get("key"):
            out += ["limit", SIZE.show(obj.get("limit") or 0), "key", obj["key"], "table", obj.get("table") or ""]
        else:
            out += ["default-limit", SIZE.show(obj.get("default_limit") or 0)]
            out += ["default-period", TIME.show(obj.get("default_period") or 0)]
        out += ["min-size", SIZE.show(obj.get("min_size") or 0)]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        keyword = words[at]
        value = words[at + 1]
        if keyword == "table" and value in stops:
            return at + 1
        if keyword in {"key", "table"}:
            obj[keyword] = value
            return at + 2
        number = TIME.read(value) if keyword == "default-period" else SIZE.read(value)
        if number:
            obj[keyword.replace("-", "_")] = number
        return at + 2


_BANDWIDTH = Arguments(Positional("bandwidth_limit_name"), BandwidthLimit())
_FILTER = Actions(
    "type",
    Action("bwlim-in", _BANDWIDTH),
    Action("bwlim-out", _BANDWIDTH),
    Action("cache", Arguments(Positional("cache_name", keep=False))),
    Action("compression"),
    Action("comp-req"),
    Action("comp-res"),
    Action("fcgi-app", Arguments(Positional("app_name", keep=False))),
    Action("spoe", Arguments(word("spoe_engine", "engine"), AlwaysKeyed("spoe_config", "config"))),
    Action(
        "trace",
        Arguments(
            word("trace_name", "name"),
            flag("trace_rnd_parsing", "random-parsing"),
            flag("trace_rnd_forwarding", "random-forwarding"),
            number("trace_max_fwd", "max-fwd"),
            flag("trace_hexdump", "hexdump"),
            strict=True,
        ),
    ),
)


def filters(*, new: bool) -> Actions:
    """`filter NAME ...`; `new` for API 3.4."""
    return _FILTER if new else _FILTER.without(NEW_FILTER_FIELDS, NEW_FILTERS, ignored=False)


@dataclass(frozen=True, slots=True)
class CommaList:
    """`a,b,c` known by its place."""

    field: str
    lead: bool = False
    starts: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out.append(",".join(obj.get(self.field) or ()))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj[self.field] = words[at].split(",")
        return at + 1


@dataclass(frozen=True, slots=True)
class Codes:
    """Status codes to the end of the line."""

    lead: bool = False
    fields: tuple[str, ...] = ("codes",)
    starts: tuple[str, ...] = ()

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out += [str(code) for code in obj.get("codes") or ()]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj["codes"] = [int(code) for code in words[at:]]
        return len(words)


@dataclass(frozen=True, slots=True)
class ErrorsName:
    """The name of an `http-errors` section; a number in its place is a status code already."""

    lead: bool = True
    fields: tuple[str, ...] = ("name",)
    starts: tuple[str, ...] = ()

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out.append(obj.get("name") or "")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if words[at].isdigit():
            return at
        obj["name"] = words[at]
        return at + 1


ERROR_FILE = Arguments(Positional("code", lead=True, shape=NUMBER, empty="0"), Positional("file"))
ERROR_FILES = Arguments(ErrorsName(), Codes())
ERROR_LOCATION = Arguments(Positional("code", lead=True, shape=NUMBER), Rest("url"))
FILTER_SEQUENCE = Arguments(Positional("direction", lead=True), CommaList("filters"))
TABLE = Arguments(
    Positional("name", lead=True),
    AlwaysKeyed("type", "type"),
    count("type_len", "len"),
    word("size"),
    word("expire"),
    word("write_to"),
    flag("no_purge", "nopurge"),
    word("store"),
    flag("recv_only"),
)
STICK_TABLE = Arguments(
    AlwaysKeyed("type", "type"),
    number("keylen", "len"),
    Keyed("size", "size", shape=SIZE),
    Keyed("expire", "expire", shape=TIME),
    flag("nopurge"),
    word("peers"),
    word("srvkey"),
    word("write_to"),
    word("store"),
    flag("recv_only"),
)
SSL_FRONT_USE = Arguments(
    word("certificate", "crt"),
    word("ca_file"),
    word("verify"),
    word("alpn"),
    flag("allow_0rtt"),
    word("curves"),
    word("ecdhe"),
    word("ciphers"),
    word("ciphersuites"),
    word("client_sigalgs"),
    word("crl_file"),
    flag("no_ca_names"),
    word("npn"),
    word("sigalgs"),
    word("ssl_max_ver"),
    word("ssl_min_ver"),
    flag("no_alpn"),
    word("key"),
    word("issuer"),
    word("ocsp"),
    word("sctl"),
    Keyed("ocsp_update", "ocsp-update", shape=ONOFF),
)
CRT_LOAD = Arguments(
    word("certificate", "crt"),
    word("acme"),
    word("alias"),
    word("key"),
    word("ocsp"),
    word("issuer"),
    word("sctl"),
    Keyed("ocsp_update", "ocsp-update", shape=ONOFF),
    Joined("domains", "domains"),
)
