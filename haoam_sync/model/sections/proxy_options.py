"""Small groups of settings that proxies of every kind share."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.values import (
    CompressionAlgorithm,
    Condition,
    Metadata,
    SectionModel,
    Since,
    SyslogLevel,
    ValuesSince,
    Word,
)


class Compression(SectionModel):
    """`compression`: what is compressed, and how."""

    algo_req: CompressionAlgorithm | None = Field(None, alias="algo-req")
    algorithms: list[CompressionAlgorithm] | None = None
    algos_res: list[CompressionAlgorithm] | None = Field(None, alias="algos-res")
    direction: Literal["request", "response", "both"] | None = None
    minsize_req: int | None = None
    minsize_res: int | None = None
    offload: bool | None = None
    types: list[str] | None = None
    types_req: list[str] | None = Field(None, alias="types-req")
    types_res: list[str] | None = Field(None, alias="types-res")


class HttpCodes(SectionModel):
    """Codes of `http-err-codes` and `http-fail-codes`."""

    value: Annotated[str, Field(pattern=r"^[a-zA-Z0-9 +\-,]+$")]


class MonitorFail(SectionModel):
    """`monitor fail`: when the monitor answers with an error."""

    cond: Condition
    cond_test: str


SyslogFacility = Literal[
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "auth2",
    "ftp",
    "ntp",
    "audit",
    "alert",
    "cron2",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
]


LogTargetFormat = Literal["local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"]


class LogTarget(SectionModel):
    """`log`: where logs go."""

    address: Word | None = None
    facility: SyslogFacility | None = None
    format: LogTargetFormat | None = None
    global_: bool | None = Field(None, alias="global")
    length: int | None = None
    level: SyslogLevel | None = None
    metadata: Metadata | None = None
    minlevel: SyslogLevel | None = None
    nolog: bool | None = None
    profile: str | None = None
    sample_range: str | None = None
    sample_size: int | None = None


class Capture(SectionModel):
    """`declare capture`: a slot for captured text."""

    length: int
    metadata: Metadata | None = None
    type: Literal["request", "response"]


FilterType = Literal[
    "bwlim-in", "bwlim-out", "cache", "compression", "comp-req", "comp-res", "fcgi-app", "spoe", "trace"
]


class Filter(SectionModel):
    """`filter`: compression, SPOE, cache, bandwidth limits, traces."""

    app_name: Word | None = None
    bandwidth_limit_name: Word | None = None
    cache_name: Word | None = None
    default_limit: int | None = None
    default_period: int | None = None
    key: str | None = None
    limit: int | None = None
    metadata: Metadata | None = None
    min_size: int | None = None
    spoe_config: Word | None = None
    spoe_engine: Word | None = None
    table: str | None = None
    trace_hexdump: bool | None = None
    trace_max_fwd: Annotated[int | None, Since("3.4")] = None
    trace_name: Word | None = None
    trace_rnd_forwarding: bool | None = None
    trace_rnd_parsing: bool | None = None
    type: Annotated[FilterType, ValuesSince("3.4", ("comp-req", "comp-res"))]


class FilterSequence(SectionModel):
    """`filter-sequence`: the order of filters in one direction."""

    direction: Literal["request", "response"]
    filters: list[str]
    metadata: Metadata | None = None


class StatsAuth(SectionModel):
    """`stats auth`: a user of the statistics page. `passwd` is secret."""

    passwd: str
    user: str


class StatsHttpRequest(SectionModel):
    """`stats http-request`: who may see the statistics page."""

    cond: str | None = None
    cond_test: str | None = None
    realm: str | None = None
    type: Literal["allow", "deny", "auth"]


class StatsOptions(SectionModel):
    """`stats`: the statistics page of a proxy."""

    stats_admin: bool | None = None
    stats_admin_cond: Condition | None = None
    stats_admin_cond_test: str | None = None
    stats_auths: list[StatsAuth] | None = None
    stats_enable: bool | None = None
    stats_hide_version: bool | None = None
    stats_http_requests: list[StatsHttpRequest] | None = None
    stats_maxconn: Annotated[int, Field(ge=1)] | None = None
    stats_realm: bool | None = None
    stats_realm_realm: str | None = None
    stats_refresh_delay: int | None = None
    stats_show_desc: str | None = None
    stats_show_legends: bool | None = None
    stats_show_modules: bool | None = None
    stats_show_node_name: Word | None = None
    stats_show_version: Annotated[bool | None, Since("3.4")] = None
    stats_uri_prefix: Word | None = None
