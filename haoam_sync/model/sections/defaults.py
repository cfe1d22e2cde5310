"""`defaults`: what proxies that name it by `from` start with."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.balancing import (
    Balance,
    Cookie,
    EmailAlert,
    Forwarded,
    Forwardfor,
    HashType,
    Originalto,
    PersistRule,
    Redispatch,
    Source,
    UseSmallBuffers,
)
from haoam_sync.model.sections.checks import (
    HttpCheck,
    HttpchkParams,
    MysqlCheckParams,
    PgsqlCheckParams,
    SmtpchkParams,
    TcpCheck,
)
from haoam_sync.model.sections.errors import Errorfile, Errorfiles, Errorloc, HttpErrorRule
from haoam_sync.model.sections.http_request import HttpRequestRule
from haoam_sync.model.sections.http_response import HttpAfterResponseRule, HttpResponseRule
from haoam_sync.model.sections.proxy_options import Compression, LogTarget, StatsOptions
from haoam_sync.model.sections.servers import DefaultServer
from haoam_sync.model.sections.switching import Acl
from haoam_sync.model.sections.tcp_rules import QuicInitialRule, TcpRequestRule, TcpResponseRule
from haoam_sync.model.sections.values import (
    AdvancedCheck,
    Enabled,
    HttpConnectionMode,
    LogStep,
    Metadata,
    Name,
    OrderOf,
    RestrictedHeaderNames,
    SectionModel,
    Since,
    Switch,
    Until,
    Word,
)


class Defaults(SectionModel):
    """`defaults`: what proxies that name it by `from` start with."""

    abortonclose: Switch | None = None
    accept_invalid_http_request: Switch | None = None
    accept_invalid_http_response: Switch | None = None
    accept_unsafe_violations_in_http_request: Switch | None = None
    accept_unsafe_violations_in_http_response: Switch | None = None
    adv_check: AdvancedCheck | None = None
    allbackups: Switch | None = None
    backlog: int | None = None
    balance: Balance | None = None
    check_timeout: int | None = None
    checkcache: Switch | None = None
    clflog: bool | None = None
    client_fin_timeout: int | None = None
    client_timeout: int | None = None
    clitcpka: Switch | None = None
    clitcpka_cnt: int | None = None
    clitcpka_idle: int | None = None
    clitcpka_intvl: int | None = None
    compression: Compression | None = None
    connect_timeout: int | None = None
    contstats: Enabled | None = None
    cookie: Cookie | None = None
    default_backend: Name | None = None
    default_server: DefaultServer | None = None
    disable_h2_upgrade: Switch | None = None
    disabled: bool | None = None
    dontlog_normal: Switch | None = None
    dontlognull: Switch | None = None
    dynamic_cookie_key: Word | None = None
    email_alert: EmailAlert | None = None
    enabled: bool | None = None
    error_files: list[Errorfile] | None = None
    error_log_format: str | None = None
    errorfiles_from_http_errors: list[Errorfiles] | None = None
    errorloc302: Errorloc | None = None
    errorloc303: Errorloc | None = None
    external_check: Switch | None = None
    external_check_command: Word | None = None
    external_check_path: Word | None = None
    forwarded: Forwarded | None = None
    forwardfor: Forwardfor | None = None
    from_: Name | None = Field(None, alias="from")
    fullconn: int | None = None
    h1_case_adjust_bogus_client: Switch | None = None
    h1_case_adjust_bogus_server: Switch | None = None
    hash_balance_factor: int | None = None
    hash_preserve_affinity: Literal["always", "maxconn", "maxqueue"] | None = None
    hash_type: HashType | None = None
    http_buffer_request: Switch | None = Field(None, alias="http-buffer-request")
    http_drop_request_trailers: Switch | None = Field(None, alias="http-drop-request-trailers")
    http_drop_response_trailers: Switch | None = Field(None, alias="http-drop-response-trailers")
    http_use_htx: Annotated[Switch | None, Until("3.2")] = Field(None, alias="http-use-htx")
    http_connection_mode: HttpConnectionMode | None = None
    http_ignore_probes: Switch | None = None
    http_keep_alive_timeout: int | None = None
    http_no_delay: Switch | None = None
    http_pretend_keepalive: Switch | None = None
    http_request_timeout: int | None = None
    http_restrict_req_hdr_names: RestrictedHeaderNames | None = None
    http_reuse: Literal["aggressive", "always", "never", "safe"] | None = None
    http_send_name_header: str | None = None
    http_use_proxy_header: Switch | None = None
    httpchk_params: HttpchkParams | None = None
    httplog: bool | None = None
    httpslog: Switch | None = None
    idle_close_on_response: Switch | None = None
    independent_streams: Switch | None = None
    load_server_state_from_file: Literal["global", "local", "none"] | None = None
    log_format: str | None = None
    log_format_sd: str | None = None
    log_health_checks: Switch | None = None
    log_separate_errors: Switch | None = None
    log_steps: list[LogStep] | None = None
    log_tag: Word | None = None
    logasap: Switch | None = None
    max_keep_alive_queue: int | None = None
    maxconn: int | None = None
    metadata: Metadata | None = None
    mode: Annotated[Literal["tcp", "http", "log"], OrderOf("Defaults")] | None = None
    monitor_uri: str | None = None
    mysql_check_params: MysqlCheckParams | None = None
    name: Name
    nolinger: Switch | None = None
    originalto: Originalto | None = None
    persist: Switch | None = None
    persist_rule: PersistRule | None = None
    pgsql_check_params: PgsqlCheckParams | None = None
    prefer_last_server: Switch | None = None
    queue_timeout: int | None = None
    redispatch: Redispatch | None = None
    retries: int | None = None
    retry_on: str | None = None
    server_fin_timeout: int | None = None
    server_timeout: int | None = None
    smtpchk_params: SmtpchkParams | None = None
    socket_stats: Switch | None = None
    source: Source | None = None
    splice_auto: Switch | None = None
    splice_request: Switch | None = None
    splice_response: Switch | None = None
    srvtcpka: Switch | None = None
    srvtcpka_cnt: int | None = None
    srvtcpka_idle: int | None = None
    srvtcpka_intvl: int | None = None
    stats_options: StatsOptions | None = None
    tarpit_timeout: int | None = None
    tcp_smart_accept: Switch | None = None
    tcp_smart_connect: Switch | None = None
    tcpka: Switch | None = None
    tcplog: bool | None = None
    transparent: Switch | None = None
    tunnel_timeout: int | None = None
    unique_id_format: str | None = None
    unique_id_header: str | None = None
    use_small_buffers: Annotated[UseSmallBuffers | None, Since("3.4")] = None
    acl_list: list[Acl] | None = None
    http_after_response_rule_list: list[HttpAfterResponseRule] | None = None
    http_check_list: list[HttpCheck] | None = None
    http_error_rule_list: list[HttpErrorRule] | None = None
    http_request_rule_list: list[HttpRequestRule] | None = None
    http_response_rule_list: list[HttpResponseRule] | None = None
    log_target_list: list[LogTarget] | None = None
    quic_initial_rule_list: list[QuicInitialRule] | None = None
    tcp_check_rule_list: list[TcpCheck] | None = None
    tcp_request_rule_list: list[TcpRequestRule] | None = None
    tcp_response_rule_list: list[TcpResponseRule] | None = None
