"""Where HAProxy connects to."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.values import (
    IpFamily,
    Metadata,
    Name,
    OnOff,
    Port,
    QuicCongestionControl,
    SectionModel,
    Since,
    Switch,
    TlsVersion,
    Word,
)

ProxyV2Option = Literal["authority", "cert-cn", "cert-key", "cert-sig", "crc32c", "ssl", "ssl-cipher", "unique-id"]


class ProxyV2Tlv(SectionModel):
    """`set-proxy-v2-tlv-fmt`: a field of the PROXY protocol."""

    id: str
    value: str


class ServerParams(SectionModel):
    """What every `server` may say."""

    agent_addr: Word | None = Field(None, alias="agent-addr")
    agent_check: Switch | None = Field(None, alias="agent-check")
    agent_inter: int | None = Field(None, alias="agent-inter")
    agent_port: Port | None = Field(None, alias="agent-port")
    agent_send: str | None = Field(None, alias="agent-send")
    allow_0rtt: bool | None = None
    alpn: Word | None = None
    backup: Switch | None = None
    cc: Annotated[str | None, Since("3.4")] = None
    check: Switch | None = None
    check_pool_conn_name: Word | None = Field(None, alias="check-pool-conn-name")
    check_reuse_pool: Switch | None = Field(None, alias="check-reuse-pool")
    check_send_proxy: Switch | None = Field(None, alias="check-send-proxy")
    check_sni: Word | None = Field(None, alias="check-sni")
    check_ssl: Switch | None = Field(None, alias="check-ssl")
    check_alpn: Word | None = None
    check_proto: Word | None = None
    check_sni_auto: Annotated[Switch | None, Since("3.4")] = None
    check_via_socks4: Switch | None = None
    ciphers: str | None = None
    ciphersuites: str | None = None
    client_sigalgs: str | None = None
    cookie: Word | None = None
    crl_file: str | None = None
    curves: str | None = None
    downinter: int | None = None
    error_limit: int | None = None
    fall: int | None = None
    fastinter: int | None = None
    force_sslv3: Switch | None = None
    force_tlsv10: Switch | None = None
    force_tlsv11: Switch | None = None
    force_tlsv12: Switch | None = None
    force_tlsv13: Switch | None = None
    guid: Name | None = None
    hash_key: Word | None = None
    health_check_address: Word | None = None
    health_check_port: Port | None = None
    idle_ping: int | None = None
    init_addr: Word | None = Field(None, alias="init-addr")
    init_state: Literal["fully-up", "up", "down", "fully-down"] | None = Field(None, alias="init-state")
    inter: int | None = None
    ktls: Annotated[OnOff | None, Since("3.4")] = None
    log_bufsize: int | None = Field(None, alias="log-bufsize")
    log_proto: Literal["legacy", "octet-count"] | None = None
    maintenance: Switch | None = None
    max_reuse: int | None = None
    maxconn: int | None = None
    maxqueue: int | None = None
    minconn: int | None = None
    namespace: str | None = None
    no_sslv3: Switch | None = None
    no_tlsv10: Switch | None = None
    no_tlsv11: Switch | None = None
    no_tlsv12: Switch | None = None
    no_tlsv13: Switch | None = None
    no_verifyhost: Switch | None = None
    npn: str | None = None
    observe: Literal["layer4", "layer7"] | None = None
    on_error: Literal["fastinter", "fail-check", "sudden-death", "mark-down"] | None = Field(None, alias="on-error")
    on_marked_down: Literal["shutdown-sessions"] | None = Field(None, alias="on-marked-down")
    on_marked_up: Literal["shutdown-backup-sessions"] | None = Field(None, alias="on-marked-up")
    pool_conn_name: Word | None = None
    pool_low_conn: int | None = None
    pool_max_conn: int | None = None
    pool_purge_delay: int | None = None
    proto: Word | None = None
    proxy_v2_options: list[ProxyV2Option] | None = Field(None, alias="proxy-v2-options")
    quic_cc_algo: Annotated[QuicCongestionControl | None, Since("3.4")] = Field(None, alias="quic-cc-algo")
    quic_cc_algo_max_window: Annotated[Annotated[int, Field(ge=10, le=4194304)] | None, Since("3.4")] = None
    redir: str | None = None
    renegotiate: Annotated[Switch | None, Since("3.4")] = None
    resolve_net: Annotated[str, Field(pattern="^([A-Za-z0-9.:/]+)(,[A-Za-z0-9.:/]+)*$")] | None = Field(
        None, alias="resolve-net"
    )
    resolve_prefer: IpFamily | None = Field(None, alias="resolve-prefer")
    resolve_opts: (
        Annotated[
            str,
            Field(
                pattern="^(allow-dup-ip|ignore-weight|prevent-dup-ip)(,(allow-dup-ip|ignore-weight|prevent-dup-ip))*$"
            ),
        ]
        | None
    ) = None
    resolvers: Word | None = None
    rise: int | None = None
    send_proxy: Switch | None = Field(None, alias="send-proxy")
    send_proxy_v2: Switch | None = Field(None, alias="send-proxy-v2")
    send_proxy_v2_ssl: Switch | None = None
    send_proxy_v2_ssl_cn: Switch | None = None
    set_proxy_v2_tlv_fmt: ProxyV2Tlv | None = Field(None, alias="set-proxy-v2-tlv-fmt")
    shard: int | None = None
    sigalgs: str | None = None
    slowstart: int | None = None
    sni: Word | None = None
    sni_auto: Annotated[Switch | None, Since("3.4")] = None
    socks4: Word | None = None
    source: str | None = None
    ssl: Switch | None = None
    ssl_cafile: Word | None = None
    ssl_certificate: Word | None = None
    ssl_max_ver: TlsVersion | None = None
    ssl_min_ver: TlsVersion | None = None
    ssl_reuse: Switch | None = None
    sslv3: Switch | None = None
    stick: Switch | None = None
    strict_maxconn: bool | None = Field(None, alias="strict-maxconn")
    tcp_md5sig: Annotated[Word | None, Since("3.4")] = None
    tcp_ut: int | None = None
    tfo: Switch | None = None
    tls_tickets: Switch | None = None
    tlsv10: Switch | None = None
    tlsv11: Switch | None = None
    tlsv12: Switch | None = None
    tlsv13: Switch | None = None
    track: str | None = None
    verify: Literal["none", "required"] | None = None
    verifyhost: str | None = None
    weight: int | None = None
    ws: Literal["auto", "h1", "h2"] | None = None


class Server(ServerParams):
    """`server`: one server."""

    address: Word
    id: int | None = None
    metadata: Metadata | None = None
    name: Word
    port: Port | None = None


class DefaultServer(ServerParams):
    """`default-server`: what the servers of a section start with."""


class ServerTemplate(ServerParams):
    """`server-template`: several servers of one name."""

    fqdn: str
    id: int | None = None
    metadata: Metadata | None = None
    num_or_range: str
    port: Port | None = None
    prefix: Word
