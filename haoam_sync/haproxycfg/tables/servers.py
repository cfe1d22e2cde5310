"""Arguments of `server`, `server-template` and `default-server`, in the order of the manual's section 5.2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from haoam_sync.haproxycfg.arguments import (
    Arguments,
    Joined,
    Lost,
    Part,
    Positional,
    Switch,
    flag,
    number,
    switch,
    time,
    word,
)
from haoam_sync.haproxycfg.endpoints import Endpoint
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


PARAMETERS: tuple[Part, ...] = (
    word("health_check_address", "addr"),
    switch("agent-check"),
    word("agent-send"),
    time("agent-inter"),
    word("agent-addr"),
    number("agent-port"),
    flag("allow_0rtt"),
    word("alpn"),
    switch("backup"),
    word("ssl_cafile", "ca-file"),
    word("cc"),
    switch("check"),
    switch("check-reuse-pool"),
    switch("check-send-proxy"),
    word("check_alpn"),
    word("check-pool-conn-name"),
    word("check_proto"),
    switch("check_sni_auto"),
    word("check-sni"),
    switch("check-ssl"),
    Switch("check_via_socks4", "check-via-socks4"),
    word("ciphers"),
    word("ciphersuites"),
    word("client_sigalgs"),
    word("cookie"),
    word("crl_file"),
    word("ssl_certificate", "crt"),
    word("curves"),
    Switch("maintenance", "disabled", off="enabled"),
    number("error_limit"),
    number("fall"),
    *(ServerTlsVersion(version) for version in VERSIONS),
    *(Lost(f"no_{version}", f"{version}: disabled") for version in VERSIONS if version != "sslv3"),
    word("guid"),
    word("hash_key"),
    time("idle_ping"),
    word("init-addr"),
    time("inter"),
    time("fastinter"),
    time("downinter"),
    word("init-state"),
    word("ktls"),
    number("log-bufsize"),
    word("log_proto"),
    number("maxconn"),
    number("maxqueue"),
    number("max_reuse"),
    number("minconn"),
    word("namespace"),
    Switch("no_verifyhost", "no-verifyhost"),
    Switch("stick", "stick", off="non-stick"),
    word("npn"),
    word("observe"),
    word("on-error"),
    word("on-marked-down"),
    word("on-marked-up"),
    word("pool_conn_name"),
    number("pool_low_conn"),
    number("pool_max_conn"),
    time("pool_purge_delay"),
    number("health_check_port", "port"),
    word("proto"),
    QuicCongestion(burst=False),
    word("redir"),
    switch("renegotiate"),
    number("rise"),
    word("resolve_opts"),
    word("resolve-prefer"),
    word("resolve-net"),
    word("resolvers"),
    switch("send-proxy"),
    switch("send-proxy-v2"),
    Joined("proxy-v2-options", "proxy-v2-options"),
    switch("send_proxy_v2_ssl"),
    switch("send_proxy_v2_ssl_cn"),
    ProxyTlv(),
    number("shard"),
    word("sigalgs"),
    time("slowstart"),
    word("sni"),
    switch("sni_auto"),
    word("socks4"),
    word("source"),
    switch("ssl"),
    word("ssl_max_ver"),
    word("ssl_min_ver"),
    switch("ssl_reuse"),
    flag("strict-maxconn"),
    word("tcp_md5sig"),
    time("tcp_ut"),
    switch("tfo"),
    switch("tls_tickets"),
    word("track"),
    word("verify"),
    word("verifyhost"),
    number("weight"),
    word("ws"),
)

_DEFAULT_SERVER = Arguments(*PARAMETERS)
_SERVER = Arguments(Positional("name", lead=True), Endpoint(), number("id"), *PARAMETERS)
_SERVER_TEMPLATE = Arguments(
    Positional("prefix", lead=True),
    Positional("num_or_range", lead=True),
    Endpoint("fqdn"),
    number("id"),
    *PARAMETERS,
)


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
    return _SERVER_TEMPLATE if new else _limited(_SERVER_TEMPLATE)
