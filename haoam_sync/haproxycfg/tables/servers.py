"""Arguments of `server`, `server-template` and `default-server`, in the order in which the server writes them.

What they mean is in the manual, section 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from haoam_sync.haproxycfg.arguments import Arguments, count, flag, number, switch, time, word
from haoam_sync.haproxycfg.endpoints import Endpoint
from haoam_sync.haproxycfg.parts import Ignored, Joined, Lost, Part, Positional, Switch
from haoam_sync.haproxycfg.tables.tls import VERSIONS, QuicCongestion, ServerTlsVersion
from haoam_sync.haproxycfg.tables.versions import NEW_SERVER_FIELDS
from haoam_sync.haproxycfg.words import Obj


@dataclass(frozen=True, slots=True)
class ProxyTlv:
    """`set-proxy-v2-tlv-fmt(ID) FORMAT`."""

    lead: bool = False
    fields: tuple[str, ...] = ("set-proxy-v2-tlv-fmt",)
    starts: tuple[str, ...] = ("set-proxy-v2-tlv-fmt(",)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get("set-proxy-v2-tlv-fmt")
        if value:
            out.append(f"set-proxy-v2-tlv-fmt({value['id']})")
            out.append(value["value"])

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        identity = words[at].partition("(")[2].removesuffix(")")
        obj["set-proxy-v2-tlv-fmt"] = {"id": identity, "value": words[at + 1]}
        return at + 2


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """`source ADDRESS [usesrc ADDRESS] [interface NAME]`, all of it in one JSON field."""

    lead: bool = False
    fields: tuple[str, ...] = ("source",)
    starts: tuple[str, ...] = ("source",)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        if obj.get("source"):
            out += ["source", obj["source"]]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        end = at + 2
        while end + 1 < len(words) and words[end] in {"usesrc", "interface"}:
            end += 2
        obj["source"] = " ".join(words[at + 1 : end])
        if not obj["source"]:
            raise ValueError("source without an address")
        return end


PARAMETERS: tuple[Part, ...] = (
    switch("agent-check"),
    flag("allow_0rtt"),
    switch("backup"),
    switch("check"),
    switch("check-send-proxy"),
    switch("check-ssl"),
    word("check-pool-conn-name"),
    switch("check-reuse-pool"),
    Switch("check_via_socks4", "check-via-socks4"),
    switch("renegotiate"),
    *(ServerTlsVersion(version) for version in VERSIONS),
    *(Lost(f"no_{version}", f"{version}: disabled") for version in VERSIONS if version != "sslv3"),
    Switch("maintenance", "disabled", off="enabled"),
    switch("send-proxy"),
    switch("send-proxy-v2"),
    switch("send_proxy_v2_ssl"),
    switch("send_proxy_v2_ssl_cn"),
    switch("sni_auto"),
    switch("check_sni_auto"),
    switch("ssl"),
    switch("ssl_reuse"),
    switch("tls_tickets"),
    Switch("stick", "stick", off="non-stick"),
    flag("strict-maxconn"),
    switch("tfo"),
    word("agent-send"),
    time("agent-inter"),
    word("agent-addr"),
    number("agent-port"),
    word("alpn"),
    word("ssl_cafile", "ca-file"),
    word("cc"),
    word("check_alpn"),
    word("check_proto"),
    word("check-sni"),
    word("ciphers"),
    word("ciphersuites"),
    word("client_sigalgs"),
    word("cookie"),
    word("crl_file"),
    word("curves"),
    word("ssl_certificate", "crt"),
    count("error_limit"),
    word("guid"),
    number("fall"),
    time("idle_ping"),
    word("init-addr"),
    word("init-state"),
    time("inter"),
    time("fastinter"),
    time("downinter"),
    number("log-bufsize"),
    word("log_proto"),
    number("maxconn"),
    number("maxqueue"),
    number("max_reuse"),
    number("minconn"),
    word("namespace"),
    word("npn"),
    word("observe"),
    word("on-error"),
    word("on-marked-down"),
    word("on-marked-up"),
    number("pool_low_conn"),
    number("pool_max_conn"),
    time("pool_purge_delay"),
    word("health_check_address", "addr"),
    number("health_check_port", "port"),
    word("proto"),
    word("redir"),
    number("rise"),
    word("resolve_opts"),
    word("resolve-prefer"),
    word("resolve-net"),
    word("resolvers"),
    Joined("proxy-v2-options", "proxy-v2-options"),
    count("shard"),
    word("sigalgs"),
    time("slowstart"),
    word("sni"),
    SourceAddress(),
    word("ssl_max_ver"),
    word("ssl_min_ver"),
    word("socks4"),
    ProxyTlv(),
    time("tcp_ut"),
    word("track"),
    word("verify"),
    word("verifyhost"),
    Switch("no_verifyhost", "no-verifyhost"),
    number("weight"),
    word("ws"),
    word("pool_conn_name"),
    word("hash_key"),
    word("tcp_md5sig"),
    word("ktls"),
    QuicCongestion(burst=False),
)
_DEFAULT_SERVER = Arguments(*PARAMETERS, strict=True)
_SERVER = Arguments(Positional("name", lead=True), Endpoint(brackets=True), *PARAMETERS, number("id"), strict=True)
_SERVER_TEMPLATE = Arguments(
    Positional("prefix", lead=True),
    Positional("num_or_range", lead=True),
    Endpoint("fqdn"),
    *PARAMETERS,
    Lost("id"),
    Ignored("id"),
    strict=True,
)


_SERVER_TEMPLATE_BEFORE = Arguments(
    *_SERVER_TEMPLATE.without(NEW_SERVER_FIELDS).parts, defaults={"port": 0}, strict=True
)
"""Up to API 3.3 a template without a port is read with port 0 (measured)."""


@cache
def _limited(arguments: Arguments) -> Arguments:
    return arguments.without(NEW_SERVER_FIELDS)


def default_server(*, new: bool) -> Arguments:
    """`default-server ...`."""
    return _DEFAULT_SERVER if new else _limited(_DEFAULT_SERVER)


def server(*, new: bool) -> Arguments:
    """`server NAME ADDRESS ...`."""
    return _SERVER if new else _limited(_SERVER)


def server_template(*, new: bool) -> Arguments:
    """`server-template PREFIX COUNT NAME ...`."""
    return _SERVER_TEMPLATE if new else _SERVER_TEMPLATE_BEFORE
