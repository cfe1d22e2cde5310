"""Health checks: how a backend asks its servers whether they are well."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.errors import ReturnHeader
from haoam_sync.model.sections.values import (
    CheckErrorStatus,
    CheckOkStatus,
    CheckTimeoutStatus,
    HttpMethod,
    Metadata,
    Port,
    SectionModel,
    Word,
)


class HttpchkParams(SectionModel):
    """`option httpchk`: method, URI, version."""

    host: str | None = None
    method: HttpMethod | None = None
    uri: Annotated[str, Field(pattern="^[^ ]*$")] | None = None
    version: str | None = None


class MysqlCheckParams(SectionModel):
    """`option mysql-check`."""

    client_version: Literal["pre-41", "post-41"] | None = None
    username: str | None = None


class PgsqlCheckParams(SectionModel):
    """`option pgsql-check`."""

    username: str | None = None


class SmtpchkParams(SectionModel):
    """`option smtpchk`."""

    domain: str | None = None
    hello: str | None = None


HttpCheckType = Literal[
    "comment", "connect", "disable-on-404", "expect", "send", "send-state", "set-var", "set-var-fmt", "unset-var"
]


class HttpCheck(SectionModel):
    """`http-check`: one step of an HTTP health check."""

    addr: Word | None = None
    alpn: Word | None = None
    body: str | None = None
    body_log_format: str | None = None
    check_comment: str | None = None
    default: bool | None = None
    error_status: CheckErrorStatus | None = None
    exclamation_mark: bool | None = None
    headers: list[ReturnHeader] | None = None
    linger: bool | None = None
    match: Literal["status", "rstatus", "hdr", "fhdr", "string", "rstring"] | None = None
    metadata: Metadata | None = None
    method: HttpMethod | None = None
    min_recv: int | None = None
    ok_status: CheckOkStatus | None = None
    on_error: str | None = None
    on_success: str | None = None
    pattern: str | None = None
    port: Port | None = None
    port_string: str | None = None
    proto: str | None = None
    send_proxy: bool | None = None
    sni: str | None = None
    ssl: bool | None = None
    status_code: str | None = Field(None, alias="status-code")
    tout_status: CheckTimeoutStatus | None = None
    type: HttpCheckType
    uri: str | None = None
    uri_log_format: str | None = None
    var_expr: str | None = None
    var_format: str | None = None
    var_name: Word | None = None
    var_scope: Word | None = None
    version: str | None = None
    via_socks4: bool | None = None


TcpCheckAction = Literal[
    "comment",
    "connect",
    "expect",
    "send",
    "send-lf",
    "send-binary",
    "send-binary-lf",
    "set-var",
    "set-var-fmt",
    "unset-var",
]


class TcpCheck(SectionModel):
    """`tcp-check`: one step of a TCP health check."""

    action: TcpCheckAction
    addr: Word | None = None
    alpn: Word | None = None
    check_comment: str | None = None
    data: str | None = None
    default: bool | None = None
    error_status: CheckErrorStatus | None = None
    exclamation_mark: bool | None = None
    fmt: str | None = None
    hex_fmt: str | None = None
    hex_string: str | None = None
    linger: bool | None = None
    match: Literal["string", "rstring", "string-lf", "binary", "rbinary", "binary-lf"] | None = None
    metadata: Metadata | None = None
    min_recv: int | None = None
    ok_status: CheckOkStatus | None = None
    on_error: str | None = None
    on_success: str | None = None
    pattern: str | None = None
    port: Port | None = None
    port_string: str | None = None
    proto: str | None = None
    send_proxy: bool | None = None
    sni: str | None = None
    ssl: bool | None = None
    status_code: str | None = Field(None, alias="status-code")
    tout_status: CheckTimeoutStatus | None = None
    var_expr: str | None = None
    var_fmt: str | None = None
    var_name: Word | None = None
    var_scope: Word | None = None
    via_socks4: bool | None = None
