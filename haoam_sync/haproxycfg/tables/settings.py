"""Settings of a proxy that are one object on one line: balance, cookie, source, health check, statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.arguments import Arguments, count, flag, word
from haoam_sync.haproxycfg.endpoints import read_endpoint, write_endpoint
from haoam_sync.haproxycfg.parts import Part, Positional, Rest
from haoam_sync.haproxycfg.values import NUMBER
from haoam_sync.haproxycfg.words import Obj

_ALGORITHMS = frozenset(
    {
        *("first", "hash", "hdr", "leastconn", "random", "rdp-cookie", "roundrobin", "source", "static-rr", "uri"),
        "url_param",
    }
)


class Balance:
    """`balance ALGORITHM ...` (manual, section 4.2 "balance"); options of another algorithm are lost."""

    _OPTIONS: Mapping[str, Arguments] = {
        "uri": Arguments(
            count("uri_depth", "depth"),
            count("uri_len", "len"),
            flag("uri_whole", "whole"),
            flag("uri_path_only", "path-only"),
        ),
        "url_param": Arguments(
            Positional("url_param", keep=False),
            count("url_param_check_post", "check_post"),
            count("url_param_max_wait", "max_wait"),
        ),
        "hdr": Arguments(flag("hdr_use_domain_only", "use_domain_only")),
        "hash": Arguments(Rest("hash_expression")),
    }
    _NONE = Arguments()
    _CALLS: Mapping[str, str] = {"hdr": "hdr_name", "random": "random_draws", "rdp-cookie": "rdp_cookie_name"}

    parts: tuple[Part, ...] = ()
    fields = frozenset({"algorithm", *_CALLS.values()}.union(*(options.fields for options in _OPTIONS.values())))

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`."""
        algorithm = obj["algorithm"]
        inner = obj.get(self._CALLS.get(algorithm, ""))
        out.append(f"{algorithm}({inner})" if inner else algorithm)
        self._OPTIONS.get(algorithm, self._NONE).write(obj, out)

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`."""
        algorithm, bracket, inner = words[at].partition("(")
        if algorithm not in _ALGORITHMS:
            raise ValueError(f"unknown algorithm {algorithm!r}")
        obj["algorithm"] = algorithm
        if bracket and algorithm in self._CALLS:
            value = inner.removesuffix(")")
            obj[self._CALLS[algorithm]] = int(value) if algorithm == "random" else value
        self._OPTIONS.get(algorithm, self._NONE).read(words, at + 1, obj)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A word out of a list, at any place."""

    field: str
    choices: tuple[str, ...]
    lead: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return self.choices

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get(self.field)
        if value:
            out.append(value)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj[self.field] = words[at]
        return at + 1


@dataclass(frozen=True, slots=True)
class Values:
    """`KEYWORD VALUE` once for each `{"value": ...}` of an array; the value may be missing."""

    field: str
    lead: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        for item in obj.get(self.field) or ():
            out += [self.field, item.get("value") or ""]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        items: list[Obj] = obj.setdefault(self.field, [])
        if at + 1 < len(words) and words[at + 1] not in stops:
            items.append({"value": words[at + 1]})
            return at + 2
        items.append({})
        return at + 1


HASH_TYPE = Arguments(
    OneOf("method", ("map-based", "consistent")),
    OneOf("function", ("sdbm", "djb2", "wt6", "crc32", "none")),
    OneOf("modifier", ("avalanche",)),
    strict=True,
)
COOKIE = Arguments(
    Positional("name", lead=True),
    Values("domain"),
    Values("attr"),
    flag("dynamic"),
    flag("httponly"),
    flag("indirect"),
    count("maxidle"),
    count("maxlife"),
    flag("nocache"),
    flag("postonly"),
    flag("preserve"),
    OneOf("type", ("rewrite", "insert", "prefix")),
    flag("secure"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """`source ADDRESS[:PORT] [usesrc ...] [interface NAME]` (manual, section 4.2 "source")."""

    parts: tuple[Part, ...] = ()
    fields: frozenset[str] = frozenset(
        {"address", "port", "usesrc", "address_second", "port_second", "hdr", "occ", "interface"}
    )

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`."""
        out.append(write_endpoint(obj.get("address") or "", obj.get("port")))
        origin = obj.get("usesrc")
        second = obj.get("address_second")
        if origin in {"client", "clientip"}:
            out += ["usesrc", origin]
        elif origin == "hdr_ip":
            occurrence = f",{obj['occ']}" if obj.get("occ") else ""
            inner = f"{obj.get('hdr') or ''}{occurrence}"
            out += ["usesrc", f"hdr_ip({inner})"]
        elif second:
            out += ["usesrc", write_endpoint(second, obj.get("port_second"))]
        if obj.get("interface"):
            out += ["interface", obj["interface"]]

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`."""
        address, _, port = words[at].partition(":")
        obj["address"] = address
        if port.isdigit():
            obj["port"] = int(port)
        for place in range(at + 1, len(words) - 1):
            if words[place] == "interface":
                obj["interface"] = words[place + 1]
            elif words[place] == "usesrc":
                self._read_origin(words[place + 1], obj)

    @staticmethod
    def _read_origin(word: str, obj: Obj) -> None:
        if word in {"client", "clientip"}:
            obj["usesrc"] = word
        elif word.startswith("hdr_ip("):
            obj["usesrc"] = "hdr_ip"
            header, _, occurrence = word[len("hdr_ip(") :].removesuffix(")").partition(",")
            if header:
                obj["hdr"] = header
            if occurrence:
                obj["occ"] = occurrence
        else:
            obj["usesrc"] = "address"
            second, port, _ = read_endpoint(word)
            obj["address_second"] = second
            if port is not None:
                obj["port_second"] = port


FORWARDFOR = Arguments(word("except"), word("header"), flag("ifnone", "if-none"))
ORIGINALTO = Arguments(word("except"), word("header"))
REDISPATCH = Arguments(Positional("interval", shape=NUMBER, keep=False))
SMALL_BUFFERS = Arguments(flag("queue"), flag("l7_retries"), flag("check"))


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """`URI`, or `METHOD URI [VERSION [HOST]]`: a single word is the URI."""

    lead: bool = False
    fields: tuple[str, ...] = ("method", "uri", "version", "host")
    starts: tuple[str, ...] = ()

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out += [obj[field] for field in self.fields if obj.get(field)]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if len(words) - at == 1:
            obj["uri"] = words[at]
        else:
            obj.update(zip(self.fields, words[at:], strict=False))
        return len(words)


HTTPCHK = Arguments(CheckRequest())
MYSQL_CHECK = Arguments(word("username", "user"), OneOf("client_version", ("pre-41", "post-41")))
PGSQL_CHECK = Arguments(word("username", "user"))


@dataclass(frozen=True, slots=True)
class Greeting:
    """`HELLO DOMAIN` of `option smtpchk`; the domain is lost without the greeting (measured)."""

    lead: bool = False
    fields: tuple[str, ...] = ("hello", "domain")
    starts: tuple[str, ...] = ()

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        if obj.get("hello"):
            out += [obj[field] for field in self.fields if obj.get(field)]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj.update(zip(self.fields, words[at:], strict=False))
        return len(words)


SMTPCHK = Arguments(Greeting())
FORWARDED = (
    "enabled",
    "proto",
    "host",
    "host_expr",
    "by",
    "by_expr",
    "by_port",
    "by_port_expr",
    "for",
    "for_expr",
    "for_port",
    "for_port_expr",
)
"""Fields of `option forwarded` (RFC 7239): the server accepts them and leaves no trace of them (measured)."""
