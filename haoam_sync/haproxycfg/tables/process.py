"""`global`: every row but the `tune.` ones. `order` says where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.arguments import Arguments
from haoam_sync.haproxycfg.endpoints import read_endpoint, unbracketed
from haoam_sync.haproxycfg.parts import Positional, Rest
from haoam_sync.haproxycfg.rows import Composite, Items, Line, Row, Toggle
from haoam_sync.haproxycfg.tables import binds, logs, options, tuning
from haoam_sync.haproxycfg.tables.single import count, number, onoff, present, text, time
from haoam_sync.haproxycfg.values import BOOL_ONOFF
from haoam_sync.haproxycfg.words import Obj


@dataclass(frozen=True, slots=True)
class OcspProxy:
    """`ocsp-update.httpproxy ADDRESS[:PORT]`; without an address it is written and not read (measured)."""

    keys: tuple[str, ...] = ("ocsp-update.httpproxy",)
    paths: tuple[str, ...] = ("ocsp_update_options.httpproxy.address", "ocsp_update_options.httpproxy.port")
    roots: tuple[str, ...] = ("ocsp_update_options",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        proxy = body["ocsp_update_options"].get("httpproxy")
        if proxy:
            port = proxy.get("port")
            out.append(f"{self.keys[0]} {proxy.get('address') or ''}{'' if port is None else f':{port}'}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        address, port, _ = read_endpoint(words[1])
        if address:
            proxy: Obj = {"address": unbracketed(address)}
            if port is not None:
                proxy["port"] = port
            body.setdefault("ocsp_update_options", {})["httpproxy"] = proxy


@dataclass(frozen=True, slots=True)
class OcspDisable:
    """`ocsp-update.disable on|off`; API 3.4 writes `off` beside any other of these options (measured)."""

    always: bool
    keys: tuple[str, ...] = ("ocsp-update.disable",)
    paths: tuple[str, ...] = ("ocsp_update_options.disable",)
    roots: tuple[str, ...] = ("ocsp_update_options",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        value = body["ocsp_update_options"].get("disable")
        if value is not None or self.always:
            out.append(f"{self.keys[0]} {BOOL_ONOFF.show(value)}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        body.setdefault("ocsp_update_options", {})["disable"] = BOOL_ONOFF.read(words[1])


@dataclass(frozen=True, slots=True)
class SendHostname:
    """`log-send-hostname [NAME]`, an object with `enabled`; `disabled` leaves no trace."""

    keys: tuple[str, ...] = ("log-send-hostname",)
    paths: tuple[str, ...] = ("log_send_hostname.enabled", "log_send_hostname.param")
    roots: tuple[str, ...] = ("log_send_hostname",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        value = body["log_send_hostname"]
        if value and value.get("enabled") == "enabled":
            out.append(f"{self.keys[0]} {value.get('param') or ''}".rstrip())

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        body["log_send_hostname"] = {"enabled": "enabled"}
        if len(words) > 1:
            body["log_send_hostname"]["param"] = words[1]


@dataclass(frozen=True, slots=True)
class DefaultPath:
    """`default-path current|config|parent` or `default-path origin PATH`; a path elsewhere is lost."""

    keys: tuple[str, ...] = ("default-path",)
    paths: tuple[str, ...] = ("default_path.type", "default_path.path")
    roots: tuple[str, ...] = ("default_path",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        value = body["default_path"]
        if value:
            path = f" {value.get('path') or ''}" if value["type"] == "origin" else ""
            out.append(f"default-path {value['type']}{path}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        value: Obj = {"type": words[1]}
        if words[2:]:
            value["path"] = words[2]
        body["default_path"] = value


def _pair(first: str, second: str, *, keep: bool = True) -> Arguments:
    return Arguments(Positional(first, lead=True), Rest(second, keep=keep))


def _environment() -> tuple[Row, ...]:
    group = "environment_options."
    return (
        Items(f"{group}presetenv", "presetenv", arguments=_pair("name", "value")),
        text(f"{group}resetenv"),
        Items(f"{group}setenv", "setenv", arguments=_pair("name", "value")),
        text(f"{group}unsetenv"),
    )


def _before_sockets() -> tuple[Row, ...]:
    perf, ssl = "performance_options.", "ssl_options."
    return (
        *_environment(),
        DefaultPath(),
        present("daemon"),
        text("localpeer"),
        text("chroot"),
        count("uid"),
        text("user"),
        count("gid"),
        text("group"),
        text(f"{ssl}ca_base"),
        text(f"{ssl}crt_base"),
        present("master-worker"),
        number("mworker_max_reloads"),
        present("external_check"),
        count("nbthread"),
        Items("cpu_maps", "cpu-map", arguments=_pair("process", "cpu_set")),
        Composite("cpu_affinity", "cpu-affinity", arguments=_pair("affinity", "argument", keep=False)),
        text("cpu_policy"),
        Items("cpu_set", "cpu-set", arguments=_pair("directive", "set", keep=False)),
        number(f"{perf}fd_hard_limit"),
        count(f"{perf}maxconn"),
        count(f"{perf}maxconnrate"),
        count(f"{perf}maxcomprate"),
        count(f"{perf}maxcompcpuusage"),
        count(f"{perf}maxpipes"),
        count(f"{perf}maxsessrate"),
        count(f"{ssl}maxsslconn"),
        count(f"{ssl}maxsslrate"),
        count(f"{perf}maxzlibmem"),
        text("pidfile"),
        Items("set_var", "set-var", arguments=_pair("name", "expr")),
        Items("set_var_fmt", "set-var-fmt", arguments=_pair("name", "format")),
    )


_ENGINE = Arguments(
    Positional("name", lead=True), Positional("algorithms", keep=False), defaults={"algorithms": ""}, strict=True
)
"""The server knows no keyword in front of the algorithms, and breaks on a name alone (measured)."""


def _ssl() -> tuple[Row, ...]:
    group = "ssl_options."
    return (
        *(
            text(f"{group}default_{side}_{name}", f"ssl-default-{side}-{name.replace('_', '-')}")
            for side, names in (
                ("bind", ("options", "ciphers", "ciphersuites", "curves", "sigalgs", "client_sigalgs")),
                ("server", ("options", "ciphers", "ciphersuites", "curves", "sigalgs", "client_sigalgs")),
            )
            for name in names
        ),
        text(f"{group}acme_scheduler", "acme.scheduler"),
        text(f"{group}dh_param_file", "ssl-dh-param-file"),
        Items(
            f"{group}engines",
            "ssl-engine",
            arguments=_ENGINE,
        ),
        text(f"{group}issuers_chain_path"),
        text(f"{group}load_extra_files", "ssl-load-extra-files"),
        Toggle(f"{group}mode_async", "ssl-mode-async", quiet=True),
        text(f"{group}passphrase_cmd", "ssl-passphrase-cmd"),
        text(f"{group}propquery", "ssl-propquery"),
        text(f"{group}provider", "ssl-provider"),
        text(f"{group}provider_path", "ssl-provider-path"),
        number(f"{group}security_level", "ssl-security-level"),
        text(f"{group}server_verify", "ssl-server-verify"),
        present(f"{group}skip_self_issued_ca", "ssl-skip-self-issued-ca"),
    )


def _performance() -> tuple[Row, ...]:
    group = "performance_options."
    return (
        present(f"{group}busy_polling"),
        time(f"{group}max_spread_checks"),
        *(
            present(f"{group}{name}")
            for name in (
                "noepoll",
                "noevports",
                "nogetaddrinfo",
                "nokqueue",
                "noktls",
                "nopoll",
                "noreuseport",
                "nosplice",
            )
        ),
        onoff(f"{group}profiling_memory", "profiling.memory"),
        onoff(f"{group}profiling_tasks", "profiling.tasks"),
        text(f"{group}server_state_base"),
        text(f"{group}server_state_file"),
        count(f"{group}spread_checks"),
        number(f"{group}thread_hard_limit"),
    )


def _vendors() -> tuple[Row, ...]:
    return (
        *(
            text(f"device_atlas_options.{name}", f"deviceatlas-{name.replace('_', '-')}")
            for name in ("json_file", "log_level", "properties_cookie", "separator")
        ),
        count("fifty_one_degrees_options.cache_size", "51degrees-cache-size"),
        *(
            text(f"fifty_one_degrees_options.{name}", f"51degrees-{name.replace('_', '-')}")
            for name in ("data_file", "property_name_list", "property_separator")
        ),
        count("wurfl_options.cache_size", "wurfl-cache-size"),
        *(
            text(f"wurfl_options.{name}", f"wurfl-{name.replace('_', '-')}")
            for name in ("data_file", "information_list", "information_list_separator", "patch_file")
        ),
    )


def _http_client() -> tuple[Row, ...]:
    group, key = "http_client_options.", "httpclient."
    return (
        onoff(f"{group}resolvers_disabled", f"{key}resolvers.disabled"),
        text(f"{group}resolvers_id", f"{key}resolvers.id"),
        text(f"{group}resolvers_prefer", f"{key}resolvers.prefer"),
        count(f"{group}retries", f"{key}retries"),
        text(f"{group}ssl_ca_file", f"{key}ssl.ca-file"),
        Line(f"{group}ssl_verify", f"{key}ssl.verify", empty=True),
        time(f"{group}timeout_connect", f"{key}timeout.connect"),
    )


def _after_sockets() -> tuple[Row, ...]:
    return (
        time("stats_timeout", "stats timeout"),
        number("stats_maxconn", "stats maxconn"),
        onoff("stats_calculate_max_counters", "stats calculate-max-counters"),
        text("stats_file"),
        *tuning.rows(),
        present("limited_quic"),
        present("no_quic"),
        *_ssl(),
        time("hard_stop_after"),
        logs.LogTargets(),
        SendHostname(),
    )


def _others(*, new: bool) -> tuple[Row, ...]:
    lua, debug, ocsp = "lua_options.", "debug_options.", "ocsp_update_options."
    ports = "harden.reject_privileged_ports."
    return (
        text("node"),
        text("description"),
        *_performance(),
        time("grace"),
        time("close_spread_time"),
        text("cluster_secret"),
        text("dns_accept_family"),
        present("expose_deprecated_directives"),
        present("expose_experimental_directives"),
        time("force_cfg_parser_pause"),
        present("h1_accept_payload_with_any_method"),
        Items("h1_case_adjust", "h1-case-adjust", arguments=_pair("from", "to")),
        text("h1_case_adjust_file"),
        present("h1_do_not_close_on_insecure_transfer_encoding"),
        present("h2_workaround_bogus_websocket_clients"),
        onoff(f"{ports}tcp", "harden.reject-privileged-ports.tcp"),
        onoff(f"{ports}quic", "harden.reject-privileged-ports.quic"),
        Items("http_err_codes", "http-err-codes", arguments=Arguments(Rest("value"))),
        Items("http_fail_codes", "http-fail-codes", arguments=Arguments(Rest("value"))),
        present("insecure_fork_wanted"),
        present("insecure_setuid_wanted"),
        Items(f"{lua}prepend_path", "lua-prepend-path", arguments=_pair("path", "type", keep=False)),
        Items(f"{lua}loads", "lua-load", arguments=Arguments(Rest("file"))),
        text(f"{lua}load_per_thread", "lua-load-per-thread"),
        number("max_threads_per_group"),
        Toggle("numa_cpu_mapping", "numa-cpu-mapping"),
        OcspDisable(always=new),
        OcspProxy(),
        number(f"{ocsp}maxdelay", "ocsp-update.maxdelay"),
        number(f"{ocsp}mindelay", "ocsp-update.mindelay"),
        onoff(f"{ocsp}mode", "ocsp-update.mode"),
        present("pp2_never_send_local"),
        present("prealloc_fd"),
        present("set_dumpable"),
        text("setcap"),
        text("shm_stats_file"),
        number("shm_stats_file_max_objects"),
        present("strict_limits"),
        Items("thread_group_lines", "thread-group", arguments=_pair("group", "num_or_range")),
        count("thread_groups"),
        count("ulimit_n"),
        time("warn_blocked_traffic_after"),
        number(f"{debug}anonkey"),
        present(f"{debug}quiet"),
        number(f"{debug}stress_level"),
        present(f"{debug}zero_warning"),
        *_vendors(),
        *_http_client(),
    )


def rows(*, new: bool) -> tuple[Row, ...]:
    """The rows of `global`; `new` for API 3.4."""
    return (
        *_before_sockets(),
        Items("runtime_apis", "stats socket", arguments=binds.stats_socket(new=new)),
        *_after_sockets(),
        *_others(new=new),
        options.LostFields(("metadata",)),
    )
