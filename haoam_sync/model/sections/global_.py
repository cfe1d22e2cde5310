"""`global`: the process itself."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.binds import BindParams
from haoam_sync.model.sections.process import (
    DebugOptions,
    DeviceAtlasOptions,
    EnvironmentOptions,
    FiftyOneDegreesOptions,
    HttpClientOptions,
    LuaOptions,
    OcspUpdateOptions,
    PerformanceOptions,
    SslOptions,
    WurflOptions,
)
from haoam_sync.model.sections.proxy_options import HttpCodes, LogTarget
from haoam_sync.model.sections.tuning import (
    TuneBufferOptions,
    TuneLuaOptions,
    TuneOptions,
    TuneQuicOptions,
    TuneSslOptions,
    TuneVarsOptions,
    TuneZlibOptions,
)
from haoam_sync.model.sections.values import Metadata, SectionModel, Since, Switch, Word

CpuSetDirective = Literal[
    "reset",
    "drop-cpu",
    "only-cpu",
    "drop-node",
    "only-node",
    "drop-cluster",
    "only-cluster",
    "drop-core",
    "only-core",
    "drop-thread",
    "only-thread",
]


CpuPolicy = Literal[
    "none",
    "efficiency",
    "first-usable-node",
    "group-by-2-ccx",
    "group-by-2-clusters",
    "group-by-3-ccx",
    "group-by-3-clusters",
    "group-by-4-ccx",
    "group-by-4-cluster",
    "group-by-ccx",
    "group-by-cluster",
    "performance",
    "resource",
]


class CpuAffinity(SectionModel):
    """`cpu-affinity`."""

    affinity: Literal["per-core", "per-group", "auto", "per-thread", "per-ccx"]
    argument: Literal["auto", "loose"] | None = None


class CpuMap(SectionModel):
    """`cpu-map`: threads to processors."""

    cpu_set: str
    process: str


class CpuSet(SectionModel):
    """`cpu-set`: which processors may be used."""

    directive: CpuSetDirective
    set: str | None = None


class DefaultPath(SectionModel):
    """`default-path`: what relative paths are relative to."""

    path: Word | None = None
    type: Literal["current", "config", "parent", "origin"]


class H1CaseAdjust(SectionModel):
    """`h1-case-adjust`: the spelling of a header."""

    from_: str = Field(alias="from")
    to: str


class RejectPrivilegedPorts(SectionModel):
    """`harden.reject-privileged-ports`: clients whose port is below 1024."""

    quic: Switch | None = None
    tcp: Switch | None = None


class Harden(SectionModel):
    """`harden`: what is refused on principle."""

    reject_privileged_ports: RejectPrivilegedPorts | None = None


class LogSendHostname(SectionModel):
    """`log-send-hostname`."""

    enabled: Switch
    param: Word | None = None


class RuntimeApi(BindParams):
    """`stats socket`: a socket for commands at run time."""

    address: Word
    name: Word | None = None


class ProcessVariable(SectionModel):
    """`set-var`: a variable of the process."""

    expr: str
    name: str


class ProcessVariableFormat(SectionModel):
    """`set-var-fmt`: a variable of the process, formatted."""

    format: str
    name: str


class ThreadGroup(SectionModel):
    """`thread-group`: threads of a group."""

    group: str
    num_or_range: str


class Global(SectionModel):
    """`global`: the process itself."""

    chroot: Word | None = None
    close_spread_time: int | None = None
    cluster_secret: str | None = None
    cpu_affinity: Annotated[CpuAffinity | None, Since("3.4")] = None
    cpu_maps: list[CpuMap] | None = None
    cpu_policy: CpuPolicy | None = None
    cpu_set: list[CpuSet] | None = None
    daemon: bool | None = None
    debug_options: DebugOptions | None = None
    default_path: DefaultPath | None = None
    description: str | None = None
    device_atlas_options: DeviceAtlasOptions | None = None
    dns_accept_family: Word | None = None
    environment_options: EnvironmentOptions | None = None
    expose_deprecated_directives: bool | None = None
    expose_experimental_directives: bool | None = None
    external_check: bool | None = None
    fifty_one_degrees_options: FiftyOneDegreesOptions | None = None
    force_cfg_parser_pause: int | None = None
    gid: int | None = None
    grace: int | None = None
    group: Word | None = None
    h1_accept_payload_with_any_method: bool | None = None
    h1_case_adjust: list[H1CaseAdjust] | None = None
    h1_case_adjust_file: str | None = None
    h1_do_not_close_on_insecure_transfer_encoding: bool | None = None
    h2_workaround_bogus_websocket_clients: bool | None = None
    hard_stop_after: int | None = None
    harden: Harden | None = None
    http_client_options: HttpClientOptions | None = None
    http_err_codes: list[HttpCodes] | None = None
    http_fail_codes: list[HttpCodes] | None = None
    insecure_fork_wanted: bool | None = None
    insecure_setuid_wanted: bool | None = None
    limited_quic: bool | None = None
    localpeer: Word | None = None
    log_send_hostname: LogSendHostname | None = None
    lua_options: LuaOptions | None = None
    master_worker: bool | None = Field(None, alias="master-worker")
    max_threads_per_group: Annotated[Annotated[int, Field(ge=1)] | None, Since("3.4")] = None
    metadata: Metadata | None = None
    mworker_max_reloads: int | None = None
    nbthread: int | None = None
    no_quic: bool | None = None
    node: str | None = None
    numa_cpu_mapping: Switch | None = None
    ocsp_update_options: OcspUpdateOptions | None = None
    performance_options: PerformanceOptions | None = None
    pidfile: str | None = None
    pp2_never_send_local: bool | None = None
    prealloc_fd: bool | None = None
    runtime_apis: list[RuntimeApi] | None = None
    set_dumpable: bool | None = None
    set_var: list[ProcessVariable] | None = None
    set_var_fmt: list[ProcessVariableFormat] | None = None
    setcap: Word | None = None
    shm_stats_file: Annotated[Word | None, Since("3.4")] = None
    shm_stats_file_max_objects: Annotated[int | None, Since("3.4")] = None
    ssl_options: SslOptions | None = None
    stats_calculate_max_counters: Annotated[Switch | None, Since("3.4")] = None
    stats_file: str | None = None
    stats_maxconn: int | None = None
    stats_timeout: int | None = None
    strict_limits: bool | None = None
    thread_group_lines: list[ThreadGroup] | None = None
    thread_groups: int | None = None
    tune_buffer_options: TuneBufferOptions | None = None
    tune_lua_options: TuneLuaOptions | None = None
    tune_options: TuneOptions | None = None
    tune_quic_options: TuneQuicOptions | None = None
    tune_ssl_options: TuneSslOptions | None = None
    tune_vars_options: TuneVarsOptions | None = None
    tune_zlib_options: TuneZlibOptions | None = None
    uid: int | None = None
    ulimit_n: int | None = None
    user: Word | None = None
    warn_blocked_traffic_after: Annotated[int, Field(ge=1)] | None = None
    wurfl_options: WurflOptions | None = None
    log_target_list: list[LogTarget] | None = None
