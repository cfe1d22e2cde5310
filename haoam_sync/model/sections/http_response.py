"""Rules on responses, before and after HAProxy has made them its own."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.errors import ReturnHeader
from haoam_sync.model.sections.values import (
    Condition,
    LogLevel,
    MarkValue,
    Metadata,
    OnOff,
    ReturnContentFormat,
    SampleExpression,
    SectionModel,
    Since,
    ValuesSince,
    Word,
)

HttpResponseAction = Literal[
    "add-acl",
    "add-header",
    "add-headers-bin",
    "allow",
    "cache-store",
    "capture",
    "del-acl",
    "del-header",
    "del-headers-bin",
    "del-map",
    "deny",
    "lua",
    "pause",
    "redirect",
    "replace-header",
    "replace-value",
    "return",
    "sc-add-gpc",
    "sc-inc-gpc",
    "sc-inc-gpc0",
    "sc-inc-gpc1",
    "sc-set-gpt",
    "sc-set-gpt0",
    "send-spoe-group",
    "set-fc-mark",
    "set-fc-tos",
    "set-header",
    "set-headers-bin",
    "set-log-level",
    "set-map",
    "set-mark",
    "set-nice",
    "set-status",
    "set-timeout",
    "set-tos",
    "set-var",
    "set-var-fmt",
    "silent-drop",
    "strict-mode",
    "track-sc",
    "unset-var",
    "wait-for-body",
    "set-bandwidth-limit",
    "do-log",
]


class HttpResponseRule(SectionModel):
    """`http-response`: one rule."""

    acl_file: Word | None = None
    acl_keyfmt: Word | None = None
    bandwidth_limit_limit: str | None = None
    bandwidth_limit_name: str | None = None
    bandwidth_limit_period: str | None = None
    cache_name: Word | None = None
    capture_id: int | None = None
    capture_sample: Word | None = None
    cond: Condition | None = None
    cond_test: str | None = None
    deny_status: Annotated[int, Field(ge=200, le=599)] | None = None
    expr: str | None = None
    hdr_expr: Annotated[str | None, Since("3.4")] = None
    hdr_format: str | None = None
    hdr_match: str | None = None
    hdr_method: str | None = None
    hdr_name: str | None = None
    hdr_prefix: Annotated[str | None, Since("3.4")] = None
    log_level: LogLevel | None = None
    log_profile: Annotated[str | None, Since("3.4")] = None
    lua_action: Word | None = None
    lua_params: str | None = None
    map_file: Word | None = None
    map_keyfmt: Word | None = None
    map_valuefmt: Word | None = None
    mark_value: MarkValue | None = None
    metadata: Metadata | None = None
    nice_value: Annotated[int, Field(ge=-1024, le=1024)] | None = None
    redir_code: Literal[301, 302, 303, 307, 308] | None = None
    redir_option: str | None = None
    redir_type: Literal["location", "prefix", "scheme"] | None = None
    redir_value: Word | None = None
    return_content: str | None = None
    return_content_format: ReturnContentFormat | None = None
    return_content_type: str | None = None
    return_hdrs: list[ReturnHeader] | None = None
    return_status_code: Annotated[int, Field(ge=200, le=599)] | None = None
    rst_ttl: int | None = None
    sc_expr: str | None = None
    sc_id: int | None = None
    sc_idx: int | None = None
    sc_int: int | None = None
    spoe_engine: Word | None = None
    spoe_group: Word | None = None
    status: Annotated[int, Field(ge=100, le=999)] | None = None
    status_reason: str | None = None
    strict_mode: OnOff | None = None
    timeout: str | None = None
    timeout_type: Annotated[
        Literal["client", "connect", "queue", "server", "tarpit", "tunnel"] | None,
        ValuesSince("3.4", ("connect", "queue", "tarpit"), older=("server", "tunnel", "client")),
    ] = None
    tos_value: MarkValue | None = None
    track_sc_key: Word | None = None
    track_sc_stick_counter: int | None = None
    track_sc_table: Word | None = None
    type: Annotated[HttpResponseAction, ValuesSince("3.4", ("add-headers-bin", "del-headers-bin", "set-headers-bin"))]
    var_expr: str | None = None
    var_format: str | None = None
    var_name: Word | None = None
    var_scope: Word | None = None
    wait_at_least: int | None = None
    wait_time: int | None = None


HttpAfterResponseAction = Literal[
    "add-header",
    "add-headers-bin",
    "allow",
    "capture",
    "del-acl",
    "del-header",
    "del-headers-bin",
    "del-map",
    "replace-header",
    "replace-value",
    "sc-add-gpc",
    "sc-inc-gpc",
    "sc-inc-gpc0",
    "sc-inc-gpc1",
    "sc-set-gpt",
    "sc-set-gpt0",
    "set-header",
    "set-headers-bin",
    "set-log-level",
    "set-map",
    "set-status",
    "set-var",
    "set-var-fmt",
    "strict-mode",
    "unset-var",
    "do-log",
]


class HttpAfterResponseRule(SectionModel):
    """`http-after-response`: one rule, also on answers that HAProxy itself makes."""

    acl_file: Word | None = None
    acl_keyfmt: Word | None = None
    capture_id: int | None = None
    capture_len: int | None = None
    capture_sample: SampleExpression | None = None
    cond: Condition | None = None
    cond_test: str | None = None
    hdr_expr: Annotated[str | None, Since("3.4")] = None
    hdr_format: str | None = None
    hdr_match: str | None = None
    hdr_method: str | None = None
    hdr_name: str | None = None
    hdr_prefix: Annotated[str | None, Since("3.4")] = None
    log_level: LogLevel | None = None
    log_profile: Annotated[str | None, Since("3.4")] = None
    map_file: Word | None = None
    map_keyfmt: Word | None = None
    map_valuefmt: Word | None = None
    metadata: Metadata | None = None
    sc_expr: str | None = None
    sc_id: int | None = None
    sc_idx: int | None = None
    sc_int: int | None = None
    status: Annotated[int, Field(ge=100, le=999)] | None = None
    status_reason: str | None = None
    strict_mode: OnOff | None = None
    type: Annotated[
        HttpAfterResponseAction, ValuesSince("3.4", ("add-headers-bin", "del-headers-bin", "set-headers-bin"))
    ]
    var_expr: str | None = None
    var_format: str | None = None
    var_name: Word | None = None
    var_scope: Word | None = None
