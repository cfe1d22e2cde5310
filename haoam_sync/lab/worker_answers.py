"""What `show info` and `show stat` say, under the API's names (HAProxy management guide, section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STATS_KINDS = ("frontend", "backend", "server")
_KIND_OF_TYPE = {"0": "frontend", "1": "backend", "2": "server"}
_RENAMED = {
    "CompressBpsIn": "compress_bps_in",
    "CompressBpsOut": "compress_bps_out",
    "CompressBpsRateLim": "compress_bps_rate_lim",
    "CumConns": "cum_conns",
    "CumReq": "cum_req",
    "CumSslConns": "cum_ssl_conns",
    "CurrConns": "curr_conns",
    "CurrSslConns": "curr_ssl_conns",
    "Hard_maxconn": "hard_max_conn",
    "MaxConnRate": "max_conn_rate",
    "MaxSessRate": "max_sess_rate",
    "MaxSslConns": "max_ssl_conns",
    "MaxSslRate": "max_ssl_rate",
    "Maxconn": "max_conn",
    "Maxpipes": "max_pipes",
    "Maxsock": "max_sock",
    "Memmax_MB": "mem_max_mb",
    "PipesFree": "pipes_free",
    "PipesUsed": "pipes_used",
    "PoolAlloc_MB": "pool_alloc_mb",
    "PoolFailed": "pool_failed",
    "PoolUsed_MB": "pool_used_mb",
    "Process_num": "process_num",
    "Nbproc": "processes",
    "Nbthread": "nbthread",
    "Run_queue": "run_queue",
    "SessRate": "sess_rate",
    "SessRateLimit": "sess_rate_limit",
    "ConnRate": "conn_rate",
    "ConnRateLimit": "conn_rate_limit",
    "ConnectedPeers": "connected_peers",
    "ActivePeers": "active_peers",
    "BytesOutRate": "bytes_out_rate",
    "BusyPolling": "busy_polling",
    "DroppedLogs": "dropped_logs",
    "FailedResolutions": "failed_resolutions",
    "Idle_pct": "idle_pct",
    "Jobs": "jobs",
    "Listeners": "listeners",
    "Pid": "pid",
    "SslBackendKeyRate": "ssl_backend_key_rate",
    "SslBackendMaxKeyRate": "ssl_backend_max_key_rate",
    "SslCacheLookups": "ssl_cache_lookups",
    "SslCacheMisses": "ssl_cache_misses",
    "SslFrontendKeyRate": "ssl_frontend_key_rate",
    "SslFrontendMaxKeyRate": "ssl_frontend_max_key_rate",
    "SslFrontendSessionReuse_pct": "ssl_frontend_session_reuse",
    "SslRate": "ssl_rate",
    "SslRateLimit": "ssl_rate_limit",
    "Stopping": "stopping",
    "Tasks": "tasks",
    "TotalBytesOut": "total_bytes_out",
    "Ulimit-n": "ulimit_n",
    "Unstoppable Jobs": "unstoppable",
    "Uptime_sec": "uptime",
    "ZlibMemUsage": "zlib_mem_usage",
    "MaxZlibMemUsage": "max_zlib_mem_usage",
}
"""Names of `show info` as the API has them."""


def process_figures(answer: str) -> Iterator[tuple[str, Any]]:
    """Name and value of each figure in the answer to `show info` that the API has."""
    for line in answer.splitlines():
        name, _, value = line.partition(":")
        value = value.strip()
        if name in _RENAMED:
            yield _RENAMED[name], int(value) if value.lstrip("-").isdigit() else 0
        elif name == "Release_date":
            yield "release_date", value.replace("/", "-")
        elif name == "Version":
            yield "version", value
        elif name == "node":
            yield "node", value


_HIDDEN_STATS = frozenset({"pxname", "svname", "type"})


def statistics_row(row: Mapping[str, str | None]) -> dict[str, Any] | None:
    """One row of `show stat`; None for listeners."""
    kind = _KIND_OF_TYPE.get(row.get("type") or "")
    if kind is None:
        return None
    known = _STATS_FIELDS
    values: dict[str, Any] = {}
    for name, text in row.items():
        if name is None or not text or name not in known:
            continue
        values[name] = int(text) if text.lstrip("-").isdigit() else text
    item: dict[str, Any] = {"name": row["pxname"] if kind != "server" else row["svname"], "stats": values, "type": kind}
    if kind == "server":
        item["backend_name"] = row["pxname"]
    return item


_STATS_FIELDS = frozenset(
    [
        "act",
        "addr",
        "agent_code",
        "agent_desc",
        "agent_duration",
        "agent_fall",
        "agent_health",
        "agent_rise",
        "agent_status",
        "algo",
        "bck",
        "bin",
        "bout",
        "check_code",
        "check_desc",
        "check_duration",
        "check_fall",
        "check_health",
        "check_rise",
        "check_status",
        "chkdown",
        "chkfail",
        "cli_abrt",
        "comp_byp",
        "comp_in",
        "comp_out",
        "comp_rsp",
        "conn_rate",
        "conn_rate_max",
        "conn_tot",
        "cookie",
        "ctime",
        "dcon",
        "downtime",
        "dreq",
        "dresp",
        "dses",
        "econ",
        "ereq",
        "eresp",
        "hanafail",
        "hrsp_1xx",
        "hrsp_2xx",
        "hrsp_3xx",
        "hrsp_4xx",
        "hrsp_5xx",
        "hrsp_other",
        "iid",
        "intercepted",
        "last_agt",
        "last_chk",
        "lastchg",
        "lastsess",
        "lbtot",
        "mode",
        "pid",
        "qcur",
        "qlimit",
        "qmax",
        "qtime",
        "rate",
        "rate_lim",
        "rate_max",
        "req_rate",
        "req_rate_max",
        "req_tot",
        "rtime",
        "scur",
        "sid",
        "slim",
        "smax",
        "srv_abrt",
        "status",
        "stot",
        "throttle",
        "tracked",
        "ttime",
        "weight",
        "wredis",
        "wretr",
    ]
)
