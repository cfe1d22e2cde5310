"""`defaults`, `frontend` and `backend`: every row, with the kinds that have it. `order` says where they stand."""

from __future__ import annotations

from haoam_sync.haproxycfg.rows import Composite, Entries, Items, Line, Present, Row, Toggle, Words
from haoam_sync.haproxycfg.tables import (
    binds,
    checks,
    http_rules,
    lists,
    logs,
    options,
    servers,
    settings,
    stats,
    tcp_rules,
)
from haoam_sync.haproxycfg.values import COUNTED_SIZE, NUMBER, TIME, WORD, Shape
from haoam_sync.model.section import SectionKind

DEFAULTS, FRONTEND, BACKEND = "D", "F", "B"
_LETTER = {SectionKind.DEFAULTS: DEFAULTS, SectionKind.FRONTEND: FRONTEND, SectionKind.BACKEND: BACKEND}


def _dashed(field: str) -> str:
    return field.replace("_", "-")


def _option(path: str, key: str = "") -> Toggle:
    return Toggle(path, f"option {key or _dashed(path)}")


def _line(path: str, key: str = "") -> Line:
    return Line(path, key or _dashed(path))


def _number(path: str, key: str = "") -> Line:
    return Line(path, key or _dashed(path), shape=NUMBER)


def _time(path: str, key: str = "", shape: Shape = TIME) -> Line:
    return Line(path, key or _dashed(path), shape=shape)


def _timeout(path: str) -> Line:
    return Line(path, f"timeout {_dashed(path.removesuffix('_timeout'))}", shape=TIME)


def _compression() -> tuple[Row, ...]:
    group = "compression."
    return (
        Words(f"{group}algorithms", "compression algo"),
        Line(f"{group}algo-req", "compression algo-req"),
        Words(f"{group}algos-res", "compression algo-res"),
        Words(f"{group}types", "compression type"),
        Words(f"{group}types-req", "compression type-req"),
        Words(f"{group}types-res", "compression type-res"),
        Line(f"{group}direction", "compression direction"),
        Present(f"{group}offload", "compression offload"),
        Line(f"{group}minsize_req", "compression minsize-req", shape=COUNTED_SIZE),
        Line(f"{group}minsize_res", "compression minsize-res", shape=COUNTED_SIZE),
    )


_CONNECTIONS = ("httpclose", "http-server-close", "http-keep-alive")
_WITHOUT_METADATA = (
    "email_alert.metadata",
    "errorloc302.metadata",
    "errorloc303.metadata",
    "errorfiles_from_http_errors.*.metadata",
    "stick_table.metadata",
)
"""Objects with a field for metadata that is lost (measured)."""


def _everywhere(kind: str, *, new: bool) -> list[tuple[str, Row]]:
    """The rows of all three kinds, each with the kinds that have it."""
    d, f, b = DEFAULTS, FRONTEND, BACKEND
    all_three = d + f + b
    option = _option
    rules = "http_request_rule_list", "http_response_rule_list", "http_after_response_rule_list"
    after = http_rules.after_response(new=new)
    return [
        (f + b, _line("description")),
        (f + b, _number("id")),
        (all_three, _line("mode")),
        (f + b, _line("guid")),
        (d + f, _number("maxconn")),
        (d + f, _number("backlog")),
        (d + b, _number("fullconn")),
        (d + b, Composite("balance", "balance", arguments=settings.Balance())),
        (d + b, Composite("hash_type", "hash-type", arguments=settings.HASH_TYPE)),
        (d + b, _number("hash_balance_factor")),
        (d + b, _line("hash_preserve_affinity")),
        (f, Entries("binds", "bind", arguments=binds.bind(new=new))),
        (f, Items("ssl_front_use_list", "ssl-f-use", arguments=lists.SSL_FRONT_USE, metadata=True)),
        (all_three, Present("enabled", "enabled")),
        (all_three, Present("disabled", "disabled")),
        (all_three, logs.LogTargets()),
        (all_three, Line("log_tag", "log-tag", shape=WORD)),
        (d + f, _line("log_format")),
        (d + f, _line("error_log_format")),
        (d + f, _line("log_format_sd")),
        (d + f, Words("log_steps", "log-steps", separator=",")),
        (all_three, Items("acl_list", "acl", arguments=lists.acl(new=new), metadata=True)),
        (f + b, Items("filter_list", "filter", arguments=lists.filters(new=new), metadata=True, forgets=True)),
        (f + b, Items("filter_sequence_list", "filter-sequence", arguments=lists.FILTER_SEQUENCE, metadata=True)),
        (d + b, options.Check("httpchk", "httpchk_params", settings.HTTPCHK)),
        (d + b, options.Check("ldap-check")),
        (d + b, options.Check("mysql-check", "mysql_check_params", settings.MYSQL_CHECK)),
        (d + b, options.Check("pgsql-check", "pgsql_check_params", settings.PGSQL_CHECK)),
        (d + b, options.Check("redis-check")),
        (d + b, options.Check("smtpchk", "smtpchk_params", settings.SMTPCHK)),
        (d + b, options.Check("ssl-hello-chk")),
        (d + b, options.Check("tcp-check")),
        (d + f, options.LogFormatOptions()),
        (d + f, option("httpslog")),
        (d + f, Present("tcplog", "option tcplog")),
        (d + f, Toggle("contstats", "option contstats")),
        (all_three, option("abortonclose")),
        (d + f, option("accept_invalid_http_request")),
        (d + b, option("accept_invalid_http_response")),
        (d + f, option("accept_unsafe_violations_in_http_request")),
        (d + b, option("accept_unsafe_violations_in_http_response")),
        (d + b, option("allbackups")),
        (d + b, option("checkcache")),
        (d + f, option("clitcpka")),
        (d + f, option("disable_h2_upgrade")),
        (d + f, option("dontlog_normal")),
        (d + f, option("dontlognull")),
        (d + b, option("external_check")),
        (all_three, options.EnabledOption("forwardfor", "option forwardfor", settings.FORWARDFOR)),
        (all_three, options.LostFields(tuple(f"forwarded.{name}" for name in settings.FORWARDED), "forwardfor")),
        (d + f, option("h1_case_adjust_bogus_client")),
        (d + b, option("h1_case_adjust_bogus_server")),
        (all_three, option("http-buffer-request")),
        (d + b, option("http-drop-request-trailers")),
        (d + f, option("http-drop-response-trailers")),
        (b, option("http-no-delay")),
        (all_three, option("http-use-htx")),
        (all_three, options.ValueLine("http_connection_mode", "httpclose", _CONNECTIONS)),
        (all_three, options.ValueLine("http_connection_mode", "http-server-close", _CONNECTIONS)),
        (all_three, options.ValueLine("http_connection_mode", "http-keep-alive", _CONNECTIONS)),
        (d + f, option("http_ignore_probes")),
        (d + f, option("http_no_delay")),
        (d + b, option("http_pretend_keepalive")),
        (b, option("http_proxy")),
        (all_three, _line("http_restrict_req_hdr_names", "option http-restrict-req-hdr-names")),
        (d + f, option("http_use_proxy_header")),
        (d + f, option("idle_close_on_response")),
        (all_three, option("independent_streams")),
        (d + b, option("log_health_checks")),
        (d + f, option("log_separate_errors")),
        (d + f, option("logasap")),
        (all_three, option("nolinger")),
        (all_three, options.EnabledOption("originalto", "option originalto", settings.ORIGINALTO)),
        (d + b, option("persist")),
        (d + b, option("prefer_last_server")),
        (
            d + b,
            options.EnabledOption("redispatch", "option redispatch", settings.REDISPATCH, disables=True, bare=True),
        ),
        (d + f, option("socket_stats")),
        (all_three, option("splice_auto")),
        (all_three, option("splice_request")),
        (all_three, option("splice_response")),
        (b, option("spop_check")),
        (d + b, option("srvtcpka")),
        (d + f, option("tcp_smart_accept")),
        (d + b, option("tcp_smart_connect")),
        (all_three, option("tcpka")),
        (d + b, option("transparent")),
        (
            d + b,
            options.EnabledOption(
                "use_small_buffers", "option use-small-buffers", settings.SMALL_BUFFERS, disables=True
            ),
        ),
        (all_three, _timeout("http_request_timeout")),
        (d + b, _timeout("check_timeout")),
        (d + b, _timeout("connect_timeout")),
        (d + f, _timeout("client_timeout")),
        (d + f, _timeout("client_fin_timeout")),
        (d + b, _timeout("queue_timeout")),
        (d + b, _timeout("server_timeout")),
        (d + b, _timeout("server_fin_timeout")),
        (all_three, _timeout("tarpit_timeout")),
        (d + b, _timeout("tunnel_timeout")),
        (all_three, _timeout("http_keep_alive_timeout")),
        (d + f, _number("clitcpka_cnt")),
        (d + f, _time("clitcpka_idle")),
        (d + f, _time("clitcpka_intvl")),
        (d + b, _number("srvtcpka_cnt")),
        (d + b, _time("srvtcpka_idle")),
        (d + b, _time("srvtcpka_intvl")),
        (d + b, Composite("cookie", "cookie", arguments=settings.COOKIE)),
        (d + b, _line("dynamic_cookie_key")),
        (d + b, _line("external_check_command", "external-check command")),
        (d + b, _line("external_check_path", "external-check path")),
        (d + b, _line("http_reuse")),
        (d + b, _line("http_send_name_header")),
        (d + b, _line("load_server_state_from_file")),
        (b, _line("server_state_file_name")),
        (d + b, _number("max_keep_alive_queue")),
        (d + b, _number("retries")),
        (d + b, _line("retry_on")),
        (d + b, options.PersistRule()),
        (b, options.Conditions("force_persist", "force-persist", single=not new)),
        (b, options.Conditions("ignore_persist", "ignore-persist", single=True)),
        (d + b, Composite("source", "source", arguments=settings.Source())),
        (d + f, _line("unique_id_format")),
        (d + f, options.Unread(_line("unique_id_header"))),
        (f, Composite("monitor_fail", "monitor fail", arguments=lists.FORCED)),
        (d + f, _line("monitor_uri")),
        (b, _line("use_fcgi_app")),
        *((all_three, row) for row in stats.rows(backend=kind == BACKEND)),
        *((all_three, row) for row in _compression()),
        (all_three, options.EmailAlert(Line("email_alert.from", "email-alert from"))),
        (all_three, options.EmailAlert(Line("email_alert.to", "email-alert to"))),
        (all_three, options.EmailAlert(Line("email_alert.level", "email-alert level"))),
        (all_three, options.EmailAlert(Line("email_alert.myhostname", "email-alert myhostname"))),
        (all_three, options.EmailAlert(Line("email_alert.mailers", "email-alert mailers"))),
        (all_three, options.LostFields(_WITHOUT_METADATA)),
        (all_three, Items("error_files", "errorfile", arguments=lists.ERROR_FILE)),
        (all_three, Items("errorfiles_from_http_errors", "errorfiles", arguments=lists.ERROR_FILES)),
        (all_three, Composite("errorloc302", "errorloc302", arguments=lists.ERROR_LOCATION)),
        (all_three, Composite("errorloc303", "errorloc303", arguments=lists.ERROR_LOCATION)),
        (f, Items("capture_list", "declare capture", arguments=lists.CAPTURE, metadata=True)),
        (d + f, Items("quic_initial_rule_list", "quic-initial", arguments=tcp_rules.QUIC_INITIAL, metadata=True)),
        (
            all_three,
            Items(
                "tcp_request_rule_list",
                "tcp-request",
                arguments=tcp_rules.request(new=new),
                metadata=True,
                silent=frozenset({"expect-netscaler-cip"}),
            ),
        ),
        (
            all_three,
            Items(
                rules[0],
                "http-request",
                arguments=http_rules.request(new=new),
                metadata=True,
                silent=frozenset({"set-mark"}),
            ),
        ),
        (f, Items("backend_switching_rule_list", "use_backend", arguments=lists.BACKEND_SWITCHING, metadata=True)),
        (f, Items("force_be_switch_list", "force-be-switch", arguments=lists.FORCED, metadata=True)),
        (d + f, _line("default_backend", "default_backend")),
        (b, Items("server_switching_rule_list", "use-server", arguments=lists.SERVER_SWITCHING, metadata=True)),
        (d + b, Items("tcp_response_rule_list", "tcp-response", arguments=tcp_rules.response(new=new), metadata=True)),
        (all_three, Items(rules[1], "http-response", arguments=http_rules.response(new=new), metadata=True)),
        (
            all_three,
            Items(rules[2], "http-after-response", arguments=after, metadata=True),
        ),
        (all_three, Items("http_error_rule_list", "http-error", arguments=http_rules.HTTP_ERROR, metadata=True)),
        (d + b, Items("http_check_list", "http-check", arguments=checks.HTTP_CHECK, metadata=True)),
        (d + b, Items("tcp_check_rule_list", "tcp-check", arguments=checks.TCP_CHECK, metadata=True)),
        (d + b, Composite("default_server", "default-server", arguments=servers.default_server(new=new), bare=True)),
        (b, Items("stick_rule_list", "stick", arguments=lists.STICK_RULE, metadata=True)),
        (f + b, Composite("stick_table", "stick-table", arguments=lists.STICK_TABLE)),
        (b, Entries("server_templates", "server-template", arguments=servers.server_template(new=new), name="prefix")),
        (b, Entries("servers", "server", arguments=servers.server(new=new))),
    ]


def rows(kind: SectionKind, *, new: bool) -> tuple[Row, ...]:
    """The rows of one kind of proxy; `new` for API 3.4."""
    letter = _LETTER[kind]
    return tuple(row for letters, row in _everywhere(letter, new=new) if letter in letters)
