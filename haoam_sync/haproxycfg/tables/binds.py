"""Arguments of `bind`, `default-bind`, `stats socket` and `dgram-bind`, in the order in which the server writes them.

What they mean is in the manual, section 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.arguments import Arguments, count, flag, number, time, word
from haoam_sync.haproxycfg.endpoints import Endpoint
from haoam_sync.haproxycfg.parts import Ignored, Keyed, Part, Positional, Repeated
from haoam_sync.haproxycfg.tables.tls import VERSIONS, BindStrictSni, BindTickets, BindTlsVersion, QuicCongestion
from haoam_sync.haproxycfg.tables.versions import NEW_BIND_FIELDS
from haoam_sync.haproxycfg.values import PLAIN_TIME
from haoam_sync.haproxycfg.words import Obj


@dataclass(frozen=True, slots=True)
class ExposeFd:
    """`expose-fd listeners`."""

    lead: bool = False
    fields: tuple[str, ...] = ("expose_fd_listeners",)
    starts: tuple[str, ...] = ("expose-fd",)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        if obj.get("expose_fd_listeners"):
            out.append("expose-fd listeners")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if words[at + 1] != "listeners":
            return at + 1
        obj["expose_fd_listeners"] = True
        return at + 2


@dataclass(frozen=True, slots=True)
class Certificates:
    """`crt PATH`, several of them joined by colons in one JSON field; API 3.2 writes them as one (measured)."""

    split: bool
    lead: bool = False
    fields: tuple[str, ...] = ("ssl_certificate",)
    starts: tuple[str, ...] = ("crt",)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get("ssl_certificate")
        if value:
            for path in value.split(":") if self.split else (value,):
                out += ["crt", path]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        before = obj.get("ssl_certificate") if self.split else None
        obj["ssl_certificate"] = f"{before}:{words[at + 1]}" if before else words[at + 1]
        return at + 2


def parameters(*, new: bool) -> tuple[Part, ...]:
    """Arguments that every bind has; `new` for API 3.4."""
    return tuple(part for part in _parameters(new=new) if new or NEW_BIND_FIELDS.isdisjoint(part.fields))


def _parameters(*, new: bool) -> tuple[Part, ...]:
    return (
        Certificates(split=new),
        word("ssl_cafile", "ca-file"),
        word("ca_verify_file"),
        number("tcp_ss"),
        Keyed("tcp_user_timeout", "tcp-ut", shape=PLAIN_TIME),
        word("tcp_md5sig"),
        flag("ssl"),
        flag("v4v6"),
        word("verify"),
        word("alpn"),
        flag("transparent"),
        flag("accept_proxy"),
        flag("allow_0rtt"),
        count("accept_netscaler_cip"),
        word("backlog"),
        word("curves"),
        word("ecdhe"),
        word("ca_ignore_err"),
        word("ca_sign_file"),
        word("ca_sign_pass"),
        word("cc"),
        word("ciphers"),
        word("ciphersuites"),
        word("client_sigalgs"),
        word("crl_file"),
        word("crt_ignore_err"),
        word("crt_list"),
        Repeated("default_crt_list", "default-crt"),
        flag("defer_accept"),
        ExposeFd(),
        *(BindTlsVersion(version) for version in VERSIONS),
        BindTickets(inverted=not new),
        flag("generate_certificates"),
        count("gid"),
        word("group"),
        word("guid_prefix"),
        word("id"),
        time("idle_ping"),
        word("interface"),
        word("label"),
        word("level"),
        word("severity_output"),
        count("maxconn"),
        word("mode"),
        word("mss"),
        word("namespace"),
        count("nbconn"),
        flag("no_ca_names"),
        word("npn"),
        flag("prefer_client_ciphers"),
        word("proto"),
        word("shards"),
        word("sigalgs"),
        word("ssl_max_ver"),
        word("ssl_min_ver"),
        BindStrictSni(),
        flag("tfo"),
        word("thread"),
        word("tls_ticket_keys"),
        flag("v6only"),
        word("uid"),
        word("user"),
        QuicCongestion(burst=True),
        flag("quic-force-retry"),
        word("quic-socket"),
        flag("no_alpn"),
        count("nice"),
        word("ktls"),
        Ignored("process"),
    )


def bind(*, new: bool) -> Arguments:
    """`bind ADDRESS name NAME ...`."""
    return Arguments(Endpoint(brackets=True, ranged=True, names=True), word("name"), *parameters(new=new), strict=True)


def default_bind(*, new: bool) -> Arguments:
    """`default-bind ...`."""
    return Arguments(word("name"), *parameters(new=new), strict=True)


def stats_socket(*, new: bool) -> Arguments:
    """`stats socket ADDRESS ...`; the address keeps its port."""
    return Arguments(Positional("address", lead=True), word("name"), *parameters(new=new), strict=True)


DGRAM_BIND = Arguments(
    Endpoint(ranged=True, forgets=True, names=True),
    word("name"),
    flag("transparent"),
    word("interface"),
    word("namespace"),
)
