"""Arguments of the other lists that sections hold: ACLs, switching, sticking, filters, logs, captures, error files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.actions import Action, Actions
from haoam_sync.haproxycfg.arguments import (
    CONDITION,
    Arguments,
    Joined,
    Keyed,
    Part,
    Positional,
    Rest,
    flag,
    number,
    word,
)
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


@dataclass(frozen=True, slots=True)
class AlwaysKeyed:
    """`KEYWORD VALUE`, written even when there is no value."""

    field: str
    keyword: str
    lead: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return (self.keyword,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out.append(self.keyword)
        out.append(obj.get(self.field) or "")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        if at + 1 < len(words) and words[at + 1] not in stops:
            obj[self.field] = words[at + 1]
            return at + 2
        return at + 1


SERVER_SWITCHING = Arguments(Positional("target_server", lead=True), LooseCondition())

_FACILITIES = frozenset(
    {
        *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp"),
        *("audit", "alert", "cron2"),
        *(f"local{number}" for number in range(8)),
    }
)
_LEVELS = frozenset({"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"})


class LogTarget:
    """`log global`, or `log ADDRESS [len N] [format F] [sample RANGE:SIZE] [profile P] FACILITY [LEVEL [MINLEVEL]]`."""

    def __init__(self, length: str, *, nested: bool) -> None:
        self._length = length
        self._nested = nested
        self.parts: tuple[Part, ...] = ()
        sample = {"sample"} if nested else {"sample_range", "sample_size", "nolog", "profile"}
        self.fields = frozenset({"global", "address", length, "format", "facility", "level", "minlevel"} | sample)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`."""
        if obj.get("global"):
            out.append("global")
            return
        out.append(obj.get("address") or "")
        for field, keyword in ((self._length, "len"), ("format", "format")):
            if obj.get(field):
                out += [keyword, str(obj[field])]
        sample = obj.get("sample") if self._nested else None
        ranges, size = (
            (sample.get("ranges"), sample.get("size")) if sample else (obj.get("sample_range"), obj.get("sample_size"))
        )
        if ranges and size is not None:
            out += ["sample", f"{ranges}:{size}"]
        if obj.get("profile"):
            out += ["profile", obj["profile"]]
        if self._nested:
            out += [obj[field] for field in ("facility", "level", "minlevel") if obj.get(field)]
            return
        out.append(obj.get("facility") or "")
        for field in ("level", "minlevel"):
            if obj.get(field):
                out.append(obj[field])

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`."""
        if at == len(words):
            return
        if words[at] == "global":
            obj["global"] = True
            return
        if not self._is_end(words[at], words[at + 1 :]):
            obj["address"] = words[at]
            at += 1
        while at < len(words):
            if words[at] in {"len", "format", "sample", "profile"}:
                self._read_option(words[at], words[at + 1], obj)
                at += 2
            else:
                self._read_end(words[at:], obj)
                return

    def _read_option(self, keyword: str, value: str, obj: Obj) -> None:
        if keyword == "len":
            obj[self._length] = int(value)
        elif keyword == "sample":
            ranges, _, size = value.rpartition(":")
            if self._nested:
                obj["sample"] = {"ranges": ranges, "size": int(size)}
            else:
                obj["sample_range"] = ranges
                obj["sample_size"] = int(size)
        else:
            obj[keyword] = value

    @staticmethod
    def _is_end(word: str, following: Sequence[str]) -> bool:
        """Whether `word` cannot be an address: the server writes lines without one too."""
        return word in {"len", "format", "sample"} or (not following and (word in _FACILITIES or word in _LEVELS))

    @staticmethod
    def _read_end(words: Sequence[str], obj: Obj) -> None:
        names = ["facility", "level", "minlevel"]
        if words[0] not in _FACILITIES and words[0] in _LEVELS:
            names.pop(0)
        obj.update(zip(names, words, strict=False))


LOG_TARGET = LogTarget("length", nested=False)
LOG_STDERR = LogTarget("len", nested=True)


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
            out += ["limit", str(obj.get("limit") or 0), "key", obj["key"], "table", obj.get("table") or ""]
        else:
            out += ["default-limit", str(obj.get("default_limit") or 0)]
            out += ["default-period", TIME.show(obj.get("default_period") or 0)]
        out += ["min-size", str(obj.get("min_size") or 0)]

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
        ),
    ),
)


def filters(*, new: bool) -> Actions:
    """`filter NAME ...`; `new` for API 3.4."""
    return _FILTER if new else _FILTER.without(NEW_FILTER_FIELDS, NEW_FILTERS)


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


ERROR_FILE = Arguments(Positional("code", lead=True, shape=NUMBER), Positional("file"))
ERROR_FILES = Arguments(ErrorsName(), Codes())
ERROR_LOCATION = Arguments(Positional("code", lead=True, shape=NUMBER), Rest("url"))
FILTER_SEQUENCE = Arguments(Positional("direction", lead=True), CommaList("filters"))
TABLE = Arguments(
    Positional("name", lead=True),
    word("type"),
    number("type_len", "len"),
    word("size"),
    word("expire"),
    flag("no_purge", "nopurge"),
    flag("recv_only"),
    word("write_to"),
    word("store"),
)
STICK_TABLE = Arguments(
    AlwaysKeyed("type", "type"),
    number("keylen", "len"),
    Keyed("size", "size", shape=SIZE),
    Keyed("expire", "expire", shape=TIME),
    flag("nopurge"),
    word("peers"),
    flag("recv_only"),
    word("srvkey"),
    word("write_to"),
    word("store"),
)
SSL_FRONT_USE = Arguments(
    word("certificate", "crt"),
    word("key"),
    word("ocsp"),
    word("issuer"),
    word("sctl"),
    Keyed("ocsp_update", "ocsp-update", shape=ONOFF),
    flag("allow_0rtt"),
    word("alpn"),
    word("ca_file"),
    word("ciphers"),
    word("ciphersuites"),
    word("client_sigalgs"),
    word("crl_file"),
    word("curves"),
    word("ecdhe"),
    flag("no_alpn"),
    flag("no_ca_names"),
    word("npn"),
    word("sigalgs"),
    word("ssl_max_ver"),
    word("ssl_min_ver"),
    word("verify"),
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
