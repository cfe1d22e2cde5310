"""What API 3.4 has and 3.2 has not, and the other way round: where the two servers' own models differ."""

from __future__ import annotations

NEW_ROWS = frozenset(
    {
        "cpu_affinity",
        "filter_sequence_list",
        "force_be_switch_list",
        "max_threads_per_group",
        "performance_options.noktls",
        "shm_stats_file",
        "shm_stats_file_max_objects",
        "ssl_options.passphrase_cmd",
        "stats_calculate_max_counters",
        "stats_options.stats_show_version",
        "tune_buffer_options.bufsize_large",
        "tune_lua_options.openlibs",
        "tune_options.cli_max_payload_size",
        "tune_options.defaults_purge",
        "tune_options.h1_be_glitches_threshold",
        "tune_options.h1_fe_glitches_threshold",
        "tune_options.h2_be_max_frames_at_once",
        "tune_options.h2_fe_max_frames_at_once",
        "tune_options.h2_fe_max_rst_at_once",
        "tune_options.h2_log_errors",
        "tune_quic_options.frontend_stream_max_total",
        "tune_ssl_options.certificate_compression",
        "use_small_buffers",
    }
)
"""Rows of every kind that are new, by the path of the field or of the object or array that holds it."""
NEW_FRONTEND_ROWS = frozenset({"abortonclose"})
OLD_ROWS = frozenset({"http-use-htx", "http_proxy"})
"""Rows that 3.4 dropped."""
NEW_SERVER_FIELDS = frozenset(
    {
        "cc",
        "check_sni_auto",
        "ktls",
        "quic-cc-algo",
        "quic_cc_algo_max_window",
        "renegotiate",
        "sni_auto",
        "tcp_md5sig",
    }
)
NEW_BIND_FIELDS = frozenset({"cc", "ktls", "label", "tcp_md5sig", "tcp_ss"})
NEW_RULE_FIELDS = frozenset({"hdr_expr", "hdr_prefix", "log_profile"})
NEW_FILTERS = frozenset({"comp-req", "comp-res"})
NEW_FILTER_FIELDS = frozenset({"trace_max_fwd"})
