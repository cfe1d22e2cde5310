"""Rules on connections and on content below HTTP."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.values import (
    Condition,
    IpFamily,
    LogLevel,
    MarkValue,
    Metadata,
    SampleExpression,
    SectionModel,
    Since,
    Word,
)

TcpRequestAction = Literal[
    "accept",
    "attach-srv",
    "capture",
    "do-resolve",
    "expect-netscaler-cip",
    "expect-proxy",
    "lua",
    "reject",
    "sc-add-gpc",
    "sc-inc-gpc",
    "sc-inc-gpc0",
    "sc-inc-gpc1",
    "sc-set-gpt",
    "sc-set-gpt0",
    "send-spoe-group",
    "set-bandwidth-limit",
    "set-bc-mark",
    "set-bc-tos",
    "set-dst-port",
    "set-dst",
    "set-fc-mark",
    "set-fc-tos",
    "set-log-level",
    "set-mark",
    "set-nice",
    "set-priority-class",
    "set-priority-offset",
    "set-src",
    "set-src-port",
    "set-tos",
    "set-var",
    "set-var-fmt",
    "silent-drop",
    "switch-mode",
    "track-sc",
    "unset-var",
    "use-service",
    "set-retries",
    "do-log",
]


class TcpRequestRule(SectionModel):
    """`tcp-request`: one rule."""

    action: TcpRequestAction | None = None
    bandwidth_limit_limit: str | None = None
    bandwidth_limit_name: str | None = None
    bandwidth_limit_period: str | None = None
    capture_len: int | None = None
    capture_sample: SampleExpression | None = None
    cond: Condition | None = None
    cond_test: str | None = None
    expr: str | None = None
    gpt_value: str | None = None
    log_level: LogLevel | None = None
    log_profile: Annotated[str | None, Since("3.4")] = None
    lua_action: Word | None = None
    lua_params: str | None = None
    mark_value: MarkValue | None = None
    metadata: Metadata | None = None
    nice_value: Annotated[int, Field(ge=-1024, le=1024)] | None = None
    resolve_protocol: IpFamily | None = None
    resolve_resolvers: str | None = None
    resolve_var: str | None = None
    rst_ttl: int | None = None
    sc_idx: str | None = None
    sc_inc_id: str | None = None
    sc_int: int | None = None
    server_name: str | None = None
    service_name: str | None = None
    spoe_engine_name: str | None = None
    spoe_group_name: str | None = None
    switch_mode_proto: str | None = None
    timeout: int | None = None
    tos_value: MarkValue | None = None
    track_key: str | None = None
    track_stick_counter: int | None = None
    track_table: str | None = None
    type: Literal["connection", "content", "inspect-delay", "session"]
    var_format: str | None = None
    var_name: Word | None = None
    var_scope: Word | None = None


TcpResponseAction = Literal[
    "accept",
    "close",
    "lua",
    "reject",
    "sc-add-gpc",
    "sc-inc-gpc",
    "sc-inc-gpc0",
    "sc-inc-gpc1",
    "sc-set-gpt",
    "sc-set-gpt0",
    "send-spoe-group",
    "set-bandwidth-limit",
    "set-fc-mark",
    "set-fc-tos",
    "set-log-level",
    "set-mark",
    "set-nice",
    "set-tos",
    "set-var",
    "set-var-fmt",
    "silent-drop",
    "unset-var",
    "do-log",
]


class TcpResponseRule(SectionModel):
    """`tcp-response`: one rule."""

    action: TcpResponseAction | None = None
    bandwidth_limit_limit: str | None = None
    bandwidth_limit_name: str | None = None
    bandwidth_limit_period: str | None = None
    cond: Condition | None = None
    cond_test: str | None = None
    expr: str | None = None
    log_level: LogLevel | None = None
    log_profile: Annotated[str | None, Since("3.4")] = None
    lua_action: Word | None = None
    lua_params: str | None = None
    mark_value: MarkValue | None = None
    metadata: Metadata | None = None
    nice_value: Annotated[int, Field(ge=-1024, le=1024)] | None = None
    rst_ttl: int | None = None
    sc_expr: str | None = None
    sc_id: int | None = None
    sc_idx: int | None = None
    sc_int: int | None = None
    spoe_engine: Word | None = None
    spoe_group: Word | None = None
    timeout: int | None = None
    tos_value: MarkValue | None = None
    type: Literal["content", "inspect-delay"]
    var_format: str | None = None
    var_name: Word | None = None
    var_scope: Word | None = None


class QuicInitialRule(SectionModel):
    """`quic-initial`: one rule on the first packet of a QUIC connection."""

    cond: Condition | None = None
    cond_test: str | None = None
    metadata: Metadata | None = None
    type: Literal["reject", "accept", "send-retry", "dgram-drop"]
