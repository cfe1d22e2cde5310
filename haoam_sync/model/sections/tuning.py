"""`global`: the `tune.*` keywords, by group."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.values import OrderOf, SectionModel, Since, Switch


class TuneOptions(SectionModel):
    """`tune.*`: what belongs to no smaller group."""

    applet_zero_copy_forwarding: Switch | None = None
    cli_max_payload_size: Annotated[int | None, Since("3.4")] = None
    comp_maxlevel: int | None = None
    defaults_purge: Annotated[bool | None, Since("3.4")] = None
    disable_fast_forward: bool | None = None
    disable_zero_copy_forwarding: bool | None = None
    epoll_mask_events: list[Literal["err", "hup", "rdhup"]] | None = None
    events_max_events_at_once: Annotated[int, Field(ge=1, le=10000)] | None = None
    fail_alloc: bool | None = None
    fd_edge_triggered: Switch | None = None
    glitches_kill_cpu_usage: Annotated[int, Field(le=100)] | None = None
    h1_be_glitches_threshold: Annotated[int | None, Since("3.4")] = None
    h1_fe_glitches_threshold: Annotated[int | None, Since("3.4")] = None
    h1_zero_copy_fwd_recv: Switch | None = None
    h1_zero_copy_fwd_send: Switch | None = None
    h2_be_glitches_threshold: int | None = None
    h2_be_initial_window_size: int | None = None
    h2_be_max_concurrent_streams: int | None = None
    h2_be_max_frames_at_once: Annotated[int | None, Since("3.4")] = None
    h2_be_rxbuf: int | None = None
    h2_fe_glitches_threshold: int | None = None
    h2_fe_initial_window_size: int | None = None
    h2_fe_max_concurrent_streams: int | None = None
    h2_fe_max_frames_at_once: Annotated[int | None, Since("3.4")] = None
    h2_fe_max_rst_at_once: Annotated[int | None, Since("3.4")] = None
    h2_fe_max_total_streams: int | None = None
    h2_fe_rxbuf: int | None = None
    h2_header_table_size: Annotated[int, Field(le=65535)] | None = None
    h2_initial_window_size: int | None = None
    h2_log_errors: Annotated[Literal["none", "connection", "stream"] | None, Since("3.4")] = None
    h2_max_concurrent_streams: int | None = None
    h2_max_frame_size: int | None = None
    h2_zero_copy_fwd_send: Switch | None = None
    http_cookielen: int | None = None
    http_logurilen: int | None = None
    http_maxhdr: Annotated[int, Field(ge=1, le=32767)] | None = None
    idle_pool_shared: Switch | None = None
    idletimer: Annotated[int, Field(le=65535)] | None = None
    listener_default_shards: Literal["by-process", "by-thread", "by-group"] | None = None
    listener_multi_queue: Switch | None = None
    max_checks_per_thread: int | None = None
    max_rules_at_once: int | None = None
    maxaccept: int | None = None
    maxpollevents: int | None = None
    maxrewrite: int | None = None
    memory_hot_size: int | None = None
    notsent_lowat_client: int | None = None
    notsent_lowat_server: int | None = None
    pattern_cache_size: int | None = None
    peers_max_updates_at_once: int | None = None
    pool_high_fd_ratio: int | None = None
    pool_low_fd_ratio: int | None = None
    pt_zero_copy_forwarding: Switch | None = None
    renice_runtime: Annotated[int, Field(ge=-20, le=19)] | None = None
    renice_startup: Annotated[int, Field(ge=-20, le=19)] | None = None
    ring_queues: int | None = None
    runqueue_depth: int | None = None
    sched_low_latency: Switch | None = None
    stick_counters: int | None = None
    takeover_other_tg_connections: Literal["none", "restricted", "full"] | None = None


class TuneBufferOptions(SectionModel):
    """`tune.bufsize`, `tune.pipesize` and the like."""

    buffers_limit: int | None = None
    buffers_reserve: Annotated[int, Field(ge=2)] | None = None
    bufsize: int | None = None
    bufsize_large: Annotated[int | None, Since("3.4")] = None
    bufsize_small: Annotated[int, Field(ge=1)] | None = None
    pipesize: int | None = None
    rcvbuf_backend: int | None = None
    rcvbuf_client: int | None = None
    rcvbuf_frontend: int | None = None
    rcvbuf_server: int | None = None
    recv_enough: int | None = None
    sndbuf_backend: int | None = None
    sndbuf_client: int | None = None
    sndbuf_frontend: int | None = None
    sndbuf_server: int | None = None


class TuneLuaOptions(SectionModel):
    """`tune.lua.*`."""

    bool_sample_conversion: Literal["normal", "pre-3.1-bug"] | None = None
    burst_timeout: int | None = None
    forced_yield: int | None = None
    log_loggers: Switch | None = None
    log_stderr: Literal["auto", "enabled", "disabled"] | None = None
    maxmem: int | None = None
    openlibs: Annotated[str | None, Since("3.4")] = None
    service_timeout: int | None = None
    session_timeout: int | None = None
    task_timeout: int | None = None


class TuneQuicOptions(SectionModel):
    """`tune.quic.*`."""

    frontend_conn_tx_buffers_limit: int | None = None
    frontend_max_idle_timeout: int | None = None
    frontend_max_streams_bidi: int | None = None
    frontend_max_tx_memory: int | None = None
    frontend_stream_max_total: Annotated[int | None, Since("3.4")] = None
    max_frame_loss: int | None = None
    reorder_ratio: Annotated[int, Field(le=100)] | None = None
    retry_threshold: int | None = None
    socket_owner: Annotated[Literal["listener", "connection"], OrderOf("TuneQuicOptions")] | None = None
    zero_copy_fwd_send: Switch | None = None


class TuneSslOptions(SectionModel):
    """`tune.ssl.*`."""

    cachesize: int | None = None
    capture_buffer_size: int | None = None
    certificate_compression: Annotated[Literal["auto", "disabled"] | None, Since("3.4")] = None
    ctx_cache_size: int | None = None
    default_dh_param: int | None = None
    force_private_cache: bool | None = None
    keylog: Switch | None = None
    lifetime: int | None = None
    maxrecord: int | None = None
    ocsp_update_max_delay: int | None = None
    ocsp_update_min_delay: int | None = None


class TuneVarsOptions(SectionModel):
    """`tune.vars.*`."""

    global_max_size: int | None = None
    proc_max_size: int | None = None
    reqres_max_size: int | None = None
    sess_max_size: int | None = None
    txn_max_size: int | None = None


class TuneZlibOptions(SectionModel):
    """`tune.zlib.*`."""

    memlevel: Annotated[int, Field(ge=1, le=9)] | None = None
    windowsize: Annotated[int, Field(ge=8, le=15)] | None = None
