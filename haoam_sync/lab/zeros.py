"""What the server takes for "not there": zero, false and the empty string, mostly.

Whether it tells a zero from nothing differs from field to field. The tables are the exceptions: integers for which
zero is nothing (for all others it is a value), strings and booleans for which empty and false are values (for all
others they are nothing).
"""

from __future__ import annotations

from collections.abc import Mapping

from haoam_sync.lab.wire import JsonType

_ZERO_IS_NOTHING: Mapping[str, str] = {
    "Balance": "random_draws uri_depth uri_len url_param_check_post url_param_max_wait",
    "Bind": "accept_netscaler_cip gid maxconn nbconn nice tcp_ss",
    "Cache": "max_age max_object_size max_secondary_entries total_max_size",
    "Capture": "length",
    "Compression": "minsize_req minsize_res",
    "Cookie": "maxidle maxlife",
    "DefaultBind": "accept_netscaler_cip gid maxconn nbconn nice tcp_ss",
    "DefaultServer": "error_limit shard",
    "Errorfile": "code",
    "FcgiApp": "max_reqs",
    "FcgiLogStderr": "len",
    "FiftyOneDegreesOptions": "cache_size",
    "Filter": "default_limit default_period limit min_size",
    "Global": "gid nbthread thread_groups uid ulimit_n",
    "HttpAfterResponseRule": "capture_len sc_id sc_idx status",
    "HttpClientOptions": "retries",
    "HttpErrorRule": "status",
    "HttpRequestRule": "capture_len nice_value rst_ttl sc_id sc_idx",
    "HttpResponseRule": "nice_value rst_ttl sc_id sc_idx status",
    "LogTarget": "length sample_size",
    "MailerEntry": "port",
    "PeerEntry": "shard",
    "Peers": "shards",
    "PerformanceOptions": (
        "maxcompcpuusage maxcomprate maxconn maxconnrate maxpipes maxsessrate maxzlibmem spread_checks"
    ),
    "Resolvers": "accepted_payload_size resolve_retries timeout_resolve timeout_retry",
    "RuntimeApi": "accept_netscaler_cip gid maxconn nbconn nice tcp_ss",
    "Server": "error_limit shard",
    "ServerTemplate": "error_limit shard",
    "Source": "port port_second",
    "SslOptions": "maxsslconn maxsslrate",
    "StatsOptions": "stats_maxconn",
    "TcpCheck": "min_recv",
    "TcpRequestRule": "capture_len nice_value rst_ttl",
    "TcpResponseRule": "nice_value rst_ttl sc_id sc_idx",
    "TuneBufferOptions": "buffers_reserve bufsize pipesize recv_enough",
    "TuneLuaOptions": "forced_yield",
    "TuneOptions": (
        "comp_maxlevel events_max_events_at_once h1_be_glitches_threshold h1_fe_glitches_threshold "
        "h2_be_initial_window_size h2_be_max_concurrent_streams h2_be_max_frames_at_once "
        "h2_fe_initial_window_size h2_fe_max_concurrent_streams h2_fe_max_frames_at_once "
        "h2_fe_max_rst_at_once h2_header_table_size h2_max_concurrent_streams h2_max_frame_size "
        "http_cookielen http_logurilen http_maxhdr maxaccept maxpollevents maxrewrite "
        "peers_max_updates_at_once pool_high_fd_ratio pool_low_fd_ratio runqueue_depth"
    ),
    "TuneSslOptions": "ctx_cache_size default_dh_param",
    "TuneZlibOptions": "memlevel windowsize",
    "WurflOptions": "cache_size",
}
"""Integers, by model."""
_EMPTY_IS_SOMETHING: Mapping[str, str] = {
    "Backend": "http_send_name_header",
    "Balance": "algorithm",
    "Cache": "name",
    "ConfigStickTable": "srvkey write_to",
    "Cookie": "name",
    "CpuAffinity": "affinity",
    "CpuMap": "cpu_set process",
    "CpuSet": "directive",
    "DefaultServer": "init-addr",
    "Defaults": "http_send_name_header",
    "EmailAlert": "from mailers to",
    "EnvironmentVariable": "name value",
    "Errorloc": "url",
    "FcgiApp": "docroot",
    "FcgiLogSample": "ranges",
    "FilterSequence": "direction",
    "ForceBeSwitch": "cond cond_test",
    "Forwarded": "enabled",
    "Forwardfor": "enabled",
    "H1CaseAdjust": "from to",
    "HttpClientOptions": "ssl_verify",
    "HttpCodes": "value",
    "HttpErrorRule": "return_content_type",
    "HttpRequestRule": "return_content_type",
    "HttpResponseRule": "return_content_type",
    "LogSendHostname": "enabled",
    "LuaLoad": "file",
    "LuaPrependPath": "path",
    "MonitorFail": "cond cond_test",
    "Nameserver": "address",
    "Originalto": "enabled",
    "PeerEntry": "address",
    "PersistCondition": "cond cond_test",
    "PersistRule": "type",
    "ProcessVariable": "expr name",
    "ProcessVariableFormat": "format name",
    "ProxyV2Tlv": "id value",
    "Redispatch": "enabled",
    "ReturnHeader": "fmt name",
    "RuntimeApi": "address",
    "Server": "init-addr",
    "ServerTemplate": "init-addr",
    "Source": "address",
    "SslEngine": "algorithms name",
    "StatsAuth": "passwd user",
    "StatsHttpRequest": "type",
    "StatsOptions": "stats_realm_realm stats_show_desc stats_show_node_name",
    "Table": "expire write_to",
    "ThreadGroup": "group num_or_range",
    "UseSmallBuffers": "enabled",
}
"""Strings, by model."""
_FALSE_IS_SOMETHING: Mapping[str, str] = {
    "Cache": "process_vary",
    "OcspUpdateOptions": "disable",
    "User": "secure_password",
}
"""Booleans, by model."""


def is_nothing(model: str, field: str, kind: JsonType, value: object) -> bool:
    """Whether the server takes `value` in this field of this model as if the field were not there."""
    if value:
        return False
    match kind:
        case JsonType.INTEGER:
            return field in _ZERO_IS_NOTHING.get(model, "").split()
        case JsonType.STRING:
            return field not in _EMPTY_IS_SOMETHING.get(model, "").split()
        case JsonType.BOOLEAN:
            return field not in _FALSE_IS_SOMETHING.get(model, "").split()
        case JsonType.OBJECT:
            return False
        case _:
            return True
