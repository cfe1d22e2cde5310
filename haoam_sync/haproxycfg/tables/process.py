"""`global`, in the order in which the server writes its lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.arguments import Arguments, Positional, Rest
from haoam_sync.haproxycfg.rows import Composite, Items, Line, Present, Row, Toggle, Words
from haoam_sync.haproxycfg.tables import binds, lists, options
from haoam_sync.haproxycfg.values import BOOL_ONOFF, NUMBER, ONOFF, TIME
from haoam_sync.haproxycfg.words import Obj


def _key(path: str, key: str) -> str:
    return key or path.rpartition(".")[2].replace("_", "-")


def _text(path: str, key: str = "") -> Line:
    return Line(path, _key(path, key))


def _number(path: str, key: str = "") -> Line:
    return Line(path, _key(path, key), shape=NUMBER)


def _time(path: str, key: str = "") -> Line:
    return Line(path, _key(path, key), shape=TIME)


def _onoff(path: str, key: str = "") -> Line:
    return Line(path, _key(path, key), shape=ONOFF)


def _present(path: str, key: str = "") -> Present:
    return Present(path, _key(path, key))


def _tune(group: str, prefix: str, *rows: tuple[str, str, str]) -> tuple[Row, ...]:
    """Rows of one `tune_*` object: JSON field, keyword behind the prefix, and the shape's letter."""
    make: dict[str, Callable[[str, str], Row]] = {"n": _number, "t": _time, "o": _onoff, "w": _text, "p": _present}
    return tuple(make[shape](f"{group}.{field}", f"{prefix}{keyword}") for field, keyword, shape in rows)


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
        address, _, port = words[1].partition(":")
        if address:
            proxy: Obj = {"address": address}
            if port:
                proxy["port"] = int(port)
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
        _text(f"{group}resetenv"),
        Items(f"{group}setenv", "setenv", arguments=_pair("name", "value")),
        _text(f"{group}unsetenv"),
    )


def _before_sockets() -> tuple[Row, ...]:
    perf, ssl = "performance_options.", "ssl_options."
    return (
        *_environment(),
        DefaultPath(),
        _present("daemon"),
        _text("localpeer"),
        _text("chroot"),
        _number("uid"),
        _text("user"),
        _number("gid"),
        _text("group"),
        _text(f"{ssl}ca_base"),
        _text(f"{ssl}crt_base"),
        _present("master-worker"),
        _number("mworker_max_reloads"),
        _present("external_check"),
        _number("nbthread"),
        Items("cpu_maps", "cpu-map", arguments=_pair("process", "cpu_set")),
        Composite("cpu_affinity", "cpu-affinity", arguments=_pair("affinity", "argument", keep=False)),
        _text("cpu_policy"),
        Items("cpu_set", "cpu-set", arguments=_pair("directive", "set", keep=False)),
        _number(f"{perf}fd_hard_limit"),
        _number(f"{perf}maxconn"),
        _number(f"{perf}maxconnrate"),
        _number(f"{perf}maxcomprate"),
        _number(f"{perf}maxcompcpuusage"),
        _number(f"{perf}maxpipes"),
        _number(f"{perf}maxsessrate"),
        _number(f"{ssl}maxsslconn"),
        _number(f"{ssl}maxsslrate"),
        _number(f"{perf}maxzlibmem"),
        _text("pidfile"),
        Items("set_var", "set-var", arguments=_pair("name", "expr")),
        Items("set_var_fmt", "set-var-fmt", arguments=_pair("name", "format")),
    )


def _tunes() -> tuple[Row, ...]:
    return (
        *_tune(
            "tune_options",
            "tune.",
            ("applet_zero_copy_forwarding", "applet.zero-copy-forwarding", "o"),
            ("cli_max_payload_size", "cli.max-payload-size", "n"),
            ("comp_maxlevel", "comp.maxlevel", "n"),
            ("defaults_purge", "defaults.purge", "p"),
            ("disable_fast_forward", "disable-fast-forward", "p"),
            ("disable_zero_copy_forwarding", "disable-zero-copy-forwarding", "p"),
            ("events_max_events_at_once", "events.max-events-at-once", "n"),
            ("fail_alloc", "fail-alloc", "p"),
            ("fd_edge_triggered", "fd.edge-triggered", "o"),
            ("h1_be_glitches_threshold", "h1.be.glitches-threshold", "n"),
            ("h1_fe_glitches_threshold", "h1.fe.glitches-threshold", "n"),
            ("h1_zero_copy_fwd_recv", "h1.zero-copy-fwd-recv", "o"),
            ("h1_zero_copy_fwd_send", "h1.zero-copy-fwd-send", "o"),
            ("h2_be_glitches_threshold", "h2.be.glitches-threshold", "n"),
            ("h2_be_initial_window_size", "h2.be.initial-window-size", "n"),
            ("h2_be_max_concurrent_streams", "h2.be.max-concurrent-streams", "n"),
            ("h2_be_max_frames_at_once", "h2.be.max-frames-at-once", "n"),
            ("h2_be_rxbuf", "h2.be.rxbuf", "n"),
            ("h2_fe_glitches_threshold", "h2.fe.glitches-threshold", "n"),
            ("h2_fe_initial_window_size", "h2.fe.initial-window-size", "n"),
            ("h2_fe_max_concurrent_streams", "h2.fe.max-concurrent-streams", "n"),
            ("h2_fe_max_frames_at_once", "h2.fe.max-frames-at-once", "n"),
            ("h2_fe_max_rst_at_once", "h2.fe.max-rst-at-once", "n"),
            ("h2_fe_max_total_streams", "h2.fe.max-total-streams", "n"),
            ("h2_fe_rxbuf", "h2.fe.rxbuf", "n"),
            ("h2_header_table_size", "h2.header-table-size", "n"),
            ("h2_initial_window_size", "h2.initial-window-size", "n"),
            ("h2_log_errors", "h2.log-errors", "w"),
            ("h2_max_concurrent_streams", "h2.max-concurrent-streams", "n"),
            ("h2_max_frame_size", "h2.max-frame-size", "n"),
            ("h2_zero_copy_fwd_send", "h2.zero-copy-fwd-send", "o"),
            ("http_cookielen", "http.cookielen", "n"),
            ("http_logurilen", "http.logurilen", "n"),
            ("http_maxhdr", "http.maxhdr", "n"),
            ("idle_pool_shared", "idle-pool.shared", "o"),
            ("idletimer", "idletimer", "n"),
            ("listener_default_shards", "listener.default-shards", "w"),
            ("listener_multi_queue", "listener.multi-queue", "o"),
            ("max_checks_per_thread", "max-checks-per-thread", "n"),
            ("max_rules_at_once", "max-rules-at-once", "n"),
            ("maxaccept", "maxaccept", "n"),
            ("maxpollevents", "maxpollevents", "n"),
            ("maxrewrite", "maxrewrite", "n"),
            ("memory_hot_size", "memory.hot-size", "n"),
            ("notsent_lowat_client", "notsent-lowat.client", "n"),
            ("notsent_lowat_server", "notsent-lowat.server", "n"),
            ("pattern_cache_size", "pattern.cache-size", "n"),
            ("peers_max_updates_at_once", "peers.max-updates-at-once", "n"),
            ("pool_high_fd_ratio", "pool-high-fd-ratio", "n"),
            ("pool_low_fd_ratio", "pool-low-fd-ratio", "n"),
            ("pt_zero_copy_forwarding", "pt.zero-copy-forwarding", "o"),
            ("renice_runtime", "renice.runtime", "n"),
            ("renice_startup", "renice.startup", "n"),
            ("ring_queues", "ring.queues", "n"),
            ("runqueue_depth", "runqueue-depth", "n"),
            ("sched_low_latency", "sched.low-latency", "o"),
            ("stick_counters", "stick-counters", "n"),
            ("takeover_other_tg_connections", "takeover-other-tg-connections", "w"),
        ),
        Words("tune_options.epoll_mask_events", "tune.epoll.mask-events", separator=","),
        options.Unread(_number("tune_options.glitches_kill_cpu_usage", "tune.glitches.kill.cpu-usage")),
        *_tune(
            "tune_buffer_options",
            "tune.",
            ("buffers_limit", "buffers.limit", "n"),
            ("buffers_reserve", "buffers.reserve", "n"),
            ("bufsize", "bufsize", "n"),
            ("bufsize_large", "bufsize.large", "n"),
            ("bufsize_small", "bufsize.small", "n"),
            ("pipesize", "pipesize", "n"),
            ("rcvbuf_backend", "rcvbuf.backend", "n"),
            ("rcvbuf_client", "rcvbuf.client", "n"),
            ("rcvbuf_frontend", "rcvbuf.frontend", "n"),
            ("rcvbuf_server", "rcvbuf.server", "n"),
            ("recv_enough", "recv_enough", "n"),
            ("sndbuf_backend", "sndbuf.backend", "n"),
            ("sndbuf_client", "sndbuf.client", "n"),
            ("sndbuf_frontend", "sndbuf.frontend", "n"),
            ("sndbuf_server", "sndbuf.server", "n"),
        ),
        *_tune(
            "tune_lua_options",
            "tune.lua.",
            ("bool_sample_conversion", "bool-sample-conversion", "w"),
            ("burst_timeout", "burst-timeout", "t"),
            ("forced_yield", "forced-yield", "n"),
            ("log_loggers", "log.loggers", "o"),
            ("log_stderr", "log.stderr", "o"),
            ("maxmem", "maxmem", "n"),
            ("openlibs", "openlibs", "w"),
            ("service_timeout", "service-timeout", "t"),
            ("session_timeout", "session-timeout", "t"),
            ("task_timeout", "task-timeout", "t"),
        ),
        *_tune(
            "tune_quic_options",
            "tune.quic.",
            ("frontend_conn_tx_buffers_limit", "frontend.conn-tx-buffers.limit", "n"),
            ("frontend_max_idle_timeout", "frontend.max-idle-timeout", "t"),
            ("frontend_max_streams_bidi", "frontend.max-streams-bidi", "n"),
            ("frontend_max_tx_memory", "frontend.max-tx-mem", "n"),
            ("frontend_stream_max_total", "frontend.stream-max-total", "n"),
            ("max_frame_loss", "max-frame-loss", "n"),
            ("reorder_ratio", "reorder-ratio", "n"),
            ("retry_threshold", "retry-threshold", "n"),
            ("socket_owner", "socket-owner", "w"),
            ("zero_copy_fwd_send", "zero-copy-fwd-send", "o"),
        ),
        *_tune(
            "tune_ssl_options",
            "tune.ssl.",
            ("cachesize", "cachesize", "n"),
            ("capture_buffer_size", "capture-buffer-size", "n"),
            ("certificate_compression", "certificate-compression", "o"),
            ("ctx_cache_size", "ssl-ctx-cache-size", "n"),
            ("default_dh_param", "default-dh-param", "n"),
            ("force_private_cache", "force-private-cache", "p"),
            ("keylog", "keylog", "o"),
            ("lifetime", "lifetime", "t"),
            ("maxrecord", "maxrecord", "n"),
            ("ocsp_update_max_delay", "ocsp-update.maxdelay", "n"),
            ("ocsp_update_min_delay", "ocsp-update.mindelay", "n"),
        ),
        *_tune(
            "tune_vars_options",
            "tune.vars.",
            ("global_max_size", "global-max-size", "n"),
            ("proc_max_size", "proc-max-size", "n"),
            ("reqres_max_size", "reqres-max-size", "n"),
            ("sess_max_size", "sess-max-size", "n"),
            ("txn_max_size", "txn-max-size", "n"),
        ),
        *_tune("tune_zlib_options", "tune.zlib.", ("memlevel", "memlevel", "n"), ("windowsize", "windowsize", "n")),
    )


def _ssl() -> tuple[Row, ...]:
    group = "ssl_options."
    return (
        *(
            _text(f"{group}default_{side}_{name}", f"ssl-default-{side}-{name.replace('_', '-')}")
            for side, names in (
                ("bind", ("options", "ciphers", "ciphersuites", "curves", "sigalgs", "client_sigalgs")),
                ("server", ("options", "ciphers", "ciphersuites", "curves", "sigalgs", "client_sigalgs")),
            )
            for name in names
        ),
        _text(f"{group}acme_scheduler", "acme.scheduler"),
        _text(f"{group}dh_param_file", "ssl-dh-param-file"),
        Items(
            f"{group}engines",
            "ssl-engine",
            arguments=Arguments(Positional("name", lead=True), Rest("algorithms", "algo")),
        ),
        _text(f"{group}issuers_chain_path"),
        _text(f"{group}load_extra_files", "ssl-load-extra-files"),
        Toggle(f"{group}mode_async", "ssl-mode-async", quiet=True),
        _text(f"{group}passphrase_cmd", "ssl-passphrase-cmd"),
        _text(f"{group}propquery", "ssl-propquery"),
        _text(f"{group}provider", "ssl-provider"),
        _text(f"{group}provider_path", "ssl-provider-path"),
        _number(f"{group}security_level", "ssl-security-level"),
        _text(f"{group}server_verify", "ssl-server-verify"),
        _present(f"{group}skip_self_issued_ca", "ssl-skip-self-issued-ca"),
    )


def _performance() -> tuple[Row, ...]:
    group = "performance_options."
    return (
        _present(f"{group}busy_polling"),
        _time(f"{group}max_spread_checks"),
        *(
            _present(f"{group}{name}")
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
        _onoff(f"{group}profiling_memory", "profiling.memory"),
        _onoff(f"{group}profiling_tasks", "profiling.tasks"),
        _text(f"{group}server_state_base"),
        _text(f"{group}server_state_file"),
        _number(f"{group}spread_checks"),
        _number(f"{group}thread_hard_limit"),
    )


def _vendors() -> tuple[Row, ...]:
    return (
        *(
            _text(f"device_atlas_options.{name}", f"deviceatlas-{name.replace('_', '-')}")
            for name in ("json_file", "log_level", "properties_cookie", "separator")
        ),
        _number("fifty_one_degrees_options.cache_size", "51degrees-cache-size"),
        *(
            _text(f"fifty_one_degrees_options.{name}", f"51degrees-{name.replace('_', '-')}")
            for name in ("data_file", "property_name_list", "property_separator")
        ),
        _number("wurfl_options.cache_size", "wurfl-cache-size"),
        *(
            _text(f"wurfl_options.{name}", f"wurfl-{name.replace('_', '-')}")
            for name in ("data_file", "information_list", "information_list_separator", "patch_file")
        ),
    )


def _http_client() -> tuple[Row, ...]:
    group, key = "http_client_options.", "httpclient."
    return (
        _onoff(f"{group}resolvers_disabled", f"{key}resolvers.disabled"),
        _text(f"{group}resolvers_id", f"{key}resolvers.id"),
        _text(f"{group}resolvers_prefer", f"{key}resolvers.prefer"),
        _number(f"{group}retries", f"{key}retries"),
        _text(f"{group}ssl_ca_file", f"{key}ssl.ca-file"),
        Line(f"{group}ssl_verify", f"{key}ssl.verify", empty=True),
        _time(f"{group}timeout_connect", f"{key}timeout.connect"),
    )


def _others(*, new: bool) -> tuple[Row, ...]:
    lua, debug, ocsp = "lua_options.", "debug_options.", "ocsp_update_options."
    ports = "harden.reject_privileged_ports."
    return (
        _time("stats_timeout", "stats timeout"),
        _number("stats_maxconn", "stats maxconn"),
        _onoff("stats_calculate_max_counters", "stats calculate-max-counters"),
        _text("stats_file"),
        _text("node"),
        _text("description"),
        _time("hard_stop_after"),
        _time("grace"),
        _time("close_spread_time"),
        _text("cluster_secret"),
        _text("dns_accept_family"),
        _present("expose_deprecated_directives"),
        _present("expose_experimental_directives"),
        _time("force_cfg_parser_pause"),
        _present("h1_accept_payload_with_any_method"),
        Items("h1_case_adjust", "h1-case-adjust", arguments=_pair("from", "to")),
        _text("h1_case_adjust_file"),
        _present("h1_do_not_close_on_insecure_transfer_encoding"),
        _present("h2_workaround_bogus_websocket_clients"),
        _onoff(f"{ports}tcp", "harden.reject-privileged-ports.tcp"),
        _onoff(f"{ports}quic", "harden.reject-privileged-ports.quic"),
        Items("http_err_codes", "http-err-codes", arguments=Arguments(Rest("value"))),
        Items("http_fail_codes", "http-fail-codes", arguments=Arguments(Rest("value"))),
        _present("insecure_fork_wanted"),
        _present("insecure_setuid_wanted"),
        _present("limited_quic"),
        SendHostname(),
        Items("log_target_list", "log", arguments=lists.LOG_TARGET, metadata=True),
        options.NoLog(),
        _text(f"{lua}load_per_thread", "lua-load-per-thread"),
        Items(f"{lua}loads", "lua-load", arguments=Arguments(Rest("file"))),
        Items(f"{lua}prepend_path", "lua-prepend-path", arguments=_pair("path", "type", keep=False)),
        _number("max_threads_per_group"),
        _present("no_quic"),
        Toggle("numa_cpu_mapping", "numa-cpu-mapping"),
        OcspDisable(always=new),
        OcspProxy(),
        _number(f"{ocsp}maxdelay", "ocsp-update.maxdelay"),
        _number(f"{ocsp}mindelay", "ocsp-update.mindelay"),
        _onoff(f"{ocsp}mode", "ocsp-update.mode"),
        *_performance(),
        _present("pp2_never_send_local"),
        _present("prealloc_fd"),
        _present("set_dumpable"),
        _text("setcap"),
        _text("shm_stats_file"),
        _number("shm_stats_file_max_objects"),
        _present("strict_limits"),
        Items("thread_group_lines", "thread-group", arguments=_pair("group", "num_or_range")),
        _number("thread_groups"),
        _number("ulimit_n"),
        _time("warn_blocked_traffic_after"),
        _number(f"{debug}anonkey"),
        _present(f"{debug}quiet"),
        _number(f"{debug}stress_level"),
        _present(f"{debug}zero_warning"),
        *_vendors(),
        *_http_client(),
    )


def rows(*, new: bool) -> tuple[Row, ...]:
    """The rows of `global`; `new` for API 3.4."""
    return (
        *_before_sockets(),
        Items("runtime_apis", "stats socket", arguments=binds.stats_socket(new=new)),
        *_others(new=new),
        *_ssl(),
        *_tunes(),
        options.LostFields(("metadata",)),
    )
