"""`frontend`: where clients come in."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.balancing import ConfigStickTable, EmailAlert, Forwarded, Forwardfor, Originalto
from haoam_sync.model.sections.binds import Bind, SslFrontUse
from haoam_sync.model.sections.errors import Errorfile, Errorfiles, Errorloc, HttpErrorRule
from haoam_sync.model.sections.http_request import HttpRequestRule
from haoam_sync.model.sections.http_response import HttpAfterResponseRule, HttpResponseRule
from haoam_sync.model.sections.proxy_options import (
    Capture,
    Compression,
    Filter,
    FilterSequence,
    LogTarget,
    MonitorFail,
    StatsOptions,
)
from haoam_sync.model.sections.switching import Acl, BackendSwitchingRule, ForceBeSwitch
from haoam_sync.model.sections.tcp_rules import QuicInitialRule, TcpRequestRule
from haoam_sync.model.sections.values import (
    Enabled,
    HttpConnectionMode,
    LogStep,
    Metadata,
    Name,
    NameOrVariable,
    RestrictedHeaderNames,
    SectionModel,
    Since,
    Switch,
    Until,
)


class Frontend(SectionModel):
    """`frontend`: where clients come in."""

    abortonclose: Annotated[Switch | None, Since("3.4")] = None
    accept_invalid_http_request: Switch | None = None
    accept_unsafe_violations_in_http_request: Switch | None = None
    backlog: int | None = None
    clflog: bool | None = None
    client_fin_timeout: int | None = None
    client_timeout: int | None = None
    clitcpka: Switch | None = None
    clitcpka_cnt: int | None = None
    clitcpka_idle: int | None = None
    clitcpka_intvl: int | None = None
    compression: Compression | None = None
    contstats: Enabled | None = None
    default_backend: Name | None = None
    description: str | None = None
    disable_h2_upgrade: Switch | None = None
    disabled: bool | None = None
    dontlog_normal: Switch | None = None
    dontlognull: Switch | None = None
    email_alert: EmailAlert | None = None
    enabled: bool | None = None
    error_files: list[Errorfile] | None = None
    error_log_format: str | None = None
    errorfiles_from_http_errors: list[Errorfiles] | None = None
    errorloc302: Errorloc | None = None
    errorloc303: Errorloc | None = None
    forwarded: Forwarded | None = None
    forwardfor: Forwardfor | None = None
    from_: Name | None = Field(None, alias="from")
    guid: Name | None = None
    h1_case_adjust_bogus_client: Switch | None = None
    http_buffer_request: Switch | None = Field(None, alias="http-buffer-request")
    http_drop_response_trailers: Switch | None = Field(None, alias="http-drop-response-trailers")
    http_use_htx: Annotated[Switch | None, Until("3.2")] = Field(None, alias="http-use-htx")
    http_connection_mode: HttpConnectionMode | None = None
    http_ignore_probes: Switch | None = None
    http_keep_alive_timeout: int | None = None
    http_no_delay: Switch | None = None
    http_request_timeout: int | None = None
    http_restrict_req_hdr_names: RestrictedHeaderNames | None = None
    http_use_proxy_header: Switch | None = None
    httplog: bool | None = None
    httpslog: Switch | None = None
    id: int | None = None
    idle_close_on_response: Switch | None = None
    independent_streams: Switch | None = None
    log_format: str | None = None
    log_format_sd: str | None = None
    log_separate_errors: Switch | None = None
    log_steps: list[LogStep] | None = None
    log_tag: NameOrVariable | None = None
    logasap: Switch | None = None
    maxconn: int | None = None
    metadata: Metadata | None = None
    mode: Literal["http", "tcp"] | None = None
    monitor_fail: MonitorFail | None = None
    monitor_uri: str | None = None
    name: Name
    nolinger: Switch | None = None
    originalto: Originalto | None = None
    socket_stats: Switch | None = None
    splice_auto: Switch | None = None
    splice_request: Switch | None = None
    splice_response: Switch | None = None
    stats_options: StatsOptions | None = None
    stick_table: ConfigStickTable | None = None
    tarpit_timeout: int | None = None
    tcp_smart_accept: Switch | None = None
    tcpka: Switch | None = None
    tcplog: bool | None = None
    unique_id_format: str | None = None
    unique_id_header: str | None = None
    acl_list: list[Acl] | None = None
    backend_switching_rule_list: list[BackendSwitchingRule] | None = None
    binds: dict[str, Bind] | None = None
    capture_list: list[Capture] | None = None
    filter_list: list[Filter] | None = None
    filter_sequence_list: Annotated[list[FilterSequence] | None, Since("3.4")] = None
    force_be_switch_list: Annotated[list[ForceBeSwitch] | None, Since("3.4")] = None
    http_after_response_rule_list: list[HttpAfterResponseRule] | None = None
    http_error_rule_list: list[HttpErrorRule] | None = None
    http_request_rule_list: list[HttpRequestRule] | None = None
    http_response_rule_list: list[HttpResponseRule] | None = None
    log_target_list: list[LogTarget] | None = None
    quic_initial_rule_list: list[QuicInitialRule] | None = None
    ssl_front_use_list: list[SslFrontUse] | None = None
    tcp_request_rule_list: list[TcpRequestRule] | None = None
