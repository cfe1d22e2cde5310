"""Where HAProxy listens, and with which TLS settings."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.values import (
    Metadata,
    Name,
    OnOff,
    Port,
    QuicCongestionControl,
    SectionModel,
    Since,
    Switch,
    TlsVerifyClient,
    TlsVersion,
    Word,
)


class BindParams(SectionModel):
    """What every `bind` may say."""

    accept_netscaler_cip: int | None = None
    accept_proxy: bool | None = None
    allow_0rtt: bool | None = None
    alpn: Word | None = None
    backlog: str | None = None
    ca_ignore_err: str | None = None
    ca_sign_file: str | None = None
    ca_sign_pass: str | None = None
    ca_verify_file: str | None = None
    cc: Annotated[str | None, Since("3.4")] = None
    ciphers: str | None = None
    ciphersuites: str | None = None
    client_sigalgs: str | None = None
    crl_file: str | None = None
    crt_ignore_err: str | None = None
    crt_list: str | None = None
    curves: str | None = None
    default_crt_list: list[Word] | None = None
    defer_accept: bool | None = None
    ecdhe: str | None = None
    expose_fd_listeners: bool | None = None
    force_sslv3: bool | None = None
    force_strict_sni: Switch | None = None
    force_tlsv10: bool | None = None
    force_tlsv11: bool | None = None
    force_tlsv12: bool | None = None
    force_tlsv13: bool | None = None
    generate_certificates: bool | None = None
    gid: int | None = None
    group: str | None = None
    guid_prefix: Name | None = None
    id: str | None = None
    idle_ping: int | None = None
    interface: str | None = None
    ktls: Annotated[OnOff | None, Since("3.4")] = None
    label: Annotated[str | None, Since("3.4")] = None
    level: Literal["user", "operator", "admin"] | None = None
    maxconn: int | None = None
    mode: str | None = None
    mss: str | None = None
    namespace: str | None = None
    nbconn: int | None = None
    nice: int | None = None
    no_alpn: bool | None = None
    no_ca_names: bool | None = None
    no_sslv3: bool | None = None
    no_strict_sni: bool | None = None
    no_tls_tickets: bool | None = None
    no_tlsv10: bool | None = None
    no_tlsv11: bool | None = None
    no_tlsv12: bool | None = None
    no_tlsv13: bool | None = None
    npn: str | None = None
    prefer_client_ciphers: bool | None = None
    proto: str | None = None
    quic_cc_algo: QuicCongestionControl | None = Field(None, alias="quic-cc-algo")
    quic_force_retry: bool | None = Field(None, alias="quic-force-retry")
    quic_socket: Literal["connection", "listener"] | None = Field(None, alias="quic-socket")
    quic_cc_algo_burst_size: Annotated[int, Field(le=1024)] | None = None
    quic_cc_algo_max_window: Annotated[int, Field(ge=10, le=4194304)] | None = None
    severity_output: Literal["none", "number", "string"] | None = None
    shards: Annotated[str, Field(pattern="^(by-thread|by-group|[0-9]+)$")] | None = None
    sigalgs: str | None = None
    ssl: bool | None = None
    ssl_cafile: Word | None = None
    ssl_certificate: Word | None = None
    ssl_max_ver: TlsVersion | None = None
    ssl_min_ver: TlsVersion | None = None
    sslv3: Switch | None = None
    strict_sni: bool | None = None
    tcp_md5sig: Annotated[Word | None, Since("3.4")] = None
    tcp_ss: Annotated[Literal[1, 2, 3] | None, Since("3.4")] = None
    tcp_user_timeout: int | None = None
    tfo: bool | None = None
    thread: str | None = None
    tls_ticket_keys: str | None = None
    tls_tickets: Switch | None = None
    tlsv10: Switch | None = None
    tlsv11: Switch | None = None
    tlsv12: Switch | None = None
    tlsv13: Switch | None = None
    transparent: bool | None = None
    uid: str | None = None
    user: str | None = None
    v4v6: bool | None = None
    v6only: bool | None = None
    verify: TlsVerifyClient | None = None


class Bind(BindParams):
    """`bind`: an address to listen on."""

    address: Word | None = None
    metadata: Metadata | None = None
    name: Word
    port: Port | None = None
    port_range_end: Port | None = Field(None, alias="port-range-end")


class DefaultBind(BindParams):
    """`default-bind`: what the binds of a section start with."""

    metadata: Metadata | None = None
    name: Word | None = None


class DgramBind(SectionModel):
    """`dgram-bind`: an address to receive datagrams on."""

    address: Word | None = None
    interface: str | None = None
    metadata: Metadata | None = None
    name: Word
    namespace: str | None = None
    port: Port | None = None
    port_range_end: Port | None = Field(None, alias="port-range-end")
    transparent: bool | None = None


class SslFrontUse(SectionModel):
    """`ssl-f-use`: a certificate of a frontend."""

    allow_0rtt: bool | None = None
    alpn: str | None = None
    ca_file: str | None = None
    certificate: Word
    ciphers: str | None = None
    ciphersuites: str | None = None
    client_sigalgs: str | None = None
    crl_file: str | None = None
    curves: str | None = None
    ecdhe: str | None = None
    issuer: str | None = None
    key: str | None = None
    metadata: Metadata | None = None
    no_alpn: bool | None = None
    no_ca_names: bool | None = None
    npn: str | None = None
    ocsp: str | None = None
    ocsp_update: Switch | None = None
    sctl: str | None = None
    sigalgs: str | None = None
    ssl_max_ver: TlsVersion | None = None
    ssl_min_ver: TlsVersion | None = None
    verify: TlsVerifyClient | None = None
