"""`backend`: where requests go."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.balancing import (
    Balance,
    ConfigStickTable,
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
from haoam_sync.model.sections.proxy_options import Compression, Filter, FilterSequence, LogTarget, StatsOptions
from haoam_sync.model.sections.servers import DefaultServer, Server, ServerTemplate
from haoam_sync.model.sections.switching import Acl, ServerSwitchingRule, StickRule
from haoam_sync.model.sections.tcp_rules import TcpRequestRule, TcpResponseRule
from haoam_sync.model.sections.values import (
    AdvancedCheck,
    Condition,
    HttpConnectionMode,
    Metadata,
    Name,
    RestrictedHeaderNames,
    SectionModel,
    Since,
    Switch,
    Until,
    Word,
)


class PersistCondition(SectionModel):
    """`force-persist` and `ignore-persist`: when persistence holds."""

    cond: Condition
    cond_test: str


class Backend(SectionModel):
    """`backend`: where requests go."""

    abortonclose: Switch | None = None
    accept_invalid_http_response: Switch | None = None
    accept_unsafe_violations_in_http_response: Switch | None = None
    adv_check: AdvancedCheck | None = None
    allbackups: Switch | None = None
    balance: Balance | None = None
    check_timeout: int | None = None
    checkcache: Switch | None = None
    compression: Compression | None = None
    connect_timeout: int | None = None
    cookie: Cookie | None = None
    default_server: DefaultServer | None = None
    description: str | None = None
    disabled: bool | None = None
    dynamic_cookie_key: Word | None = None
    email_alert: EmailAlert | None = None
    enabled: bool | None = None
    error_files: list[Errorfile] | None = None
    errorfiles_from_http_errors: list[Errorfiles] | None = None
    errorloc302: Errorloc | None = None
    errorloc303: Errorloc | None = None
    external_check: Switch | None = None
    external_check_command: Word | None = None
    external_check_path: Word | None = None
    force_persist: PersistCondition | None = None
    force_persist_list: list[PersistCondition] | None = None
    forwarded: Forwarded | None = None
    forwardfor: Forwardfor | None = None
    from_: Name | None = Field(None, alias="from")
    fullconn: int | None = None
    guid: Name | None = None
    h1_case_adjust_bogus_server: Switch | None = None
    hash_balance_factor: int | None = None
    hash_preserve_affinity: Literal["always", "maxconn", "maxqueue"] | None = None
    hash_type: HashType | None = None
    http_buffer_request: Switch | None = Field(None, alias="http-buffer-request")
    http_drop_request_trailers: Switch | None = Field(None, alias="http-drop-request-trailers")
    http_no_delay: Switch | None = Field(None, alias="http-no-delay")
    http_use_htx: Annotated[Switch | None, Until("3.2")] = Field(None, alias="http-use-htx")
    http_connection_mode: HttpConnectionMode | None = None
    http_keep_alive_timeout: int | None = None
    http_pretend_keepalive: Switch | None = None
    http_proxy: Annotated[Switch | None, Until("3.2")] = None
    http_request_timeout: int | None = None
    http_restrict_req_hdr_names: RestrictedHeaderNames | None = None
    http_reuse: Literal["aggressive", "always", "never", "safe"] | None = None
    http_send_name_header: str | None = None
    httpchk_params: HttpchkParams | None = None
    id: int | None = None
    ignore_persist: PersistCondition | None = None
    ignore_persist_list: list[PersistCondition] | None = None
    independent_streams: Switch | None = None
    load_server_state_from_file: Literal["global", "local", "none"] | None = None
    log_health_checks: Switch | None = None
    log_tag: Word | None = None
    max_keep_alive_queue: int | None = None
    metadata: Metadata | None = None
    mode: Literal["http", "tcp", "log"] | None = None
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
    server_state_file_name: str | None = None
    server_timeout: int | None = None
    smtpchk_params: SmtpchkParams | None = None
    source: Source | None = None
    splice_auto: Switch | None = None
    splice_request: Switch | None = None
    splice_response: Switch | None = None
    spop_check: Switch | None = None
    srvtcpka: Switch | None = None
    srvtcpka_cnt: int | None = None
    srvtcpka_idle: int | None = None
    srvtcpka_intvl: int | None = None
    stats_options: StatsOptions | None = None
    stick_table: ConfigStickTable | None = None
    tarpit_timeout: int | None = None
    tcp_smart_connect: Switch | None = None
    tcpka: Switch | None = None
    transparent: Switch | None = None
    tunnel_timeout: int | None = None
    use_fcgi_app: str | None = None
    use_small_buffers: Annotated[UseSmallBuffers | None, Since("3.4")] = None
    acl_list: list[Acl] | None = None
    filter_list: list[Filter] | None = None
    filter_sequence_list: Annotated[list[FilterSequence] | None, Since("3.4")] = None
    http_after_response_rule_list: list[HttpAfterResponseRule] | None = None
    http_check_list: list[HttpCheck] | None = None
    http_error_rule_list: list[HttpErrorRule] | None = None
    http_request_rule_list: list[HttpRequestRule] | None = None
    http_response_rule_list: list[HttpResponseRule] | None = None
    log_target_list: list[LogTarget] | None = None
    server_switching_rule_list: list[ServerSwitchingRule] | None = None
    server_templates: dict[str, ServerTemplate] | None = None
    servers: dict[str, Server] | None = None
    stick_rule_list: list[StickRule] | None = None
    tcp_check_rule_list: list[TcpCheck] | None = None
    tcp_request_rule_list: list[TcpRequestRule] | None = None
    tcp_response_rule_list: list[TcpResponseRule] | None = None
