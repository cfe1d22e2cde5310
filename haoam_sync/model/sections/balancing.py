"""How a backend spreads requests, keeps clients on a server, and talks to what stands around it."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.values import Enabled, Metadata, Port, SectionModel, Switch, SyslogLevel, Word

BalanceAlgorithm = Literal[
    "first", "hash", "hdr", "leastconn", "random", "rdp-cookie", "roundrobin", "source", "static-rr", "uri", "url_param"
]


class Balance(SectionModel):
    """`balance`: the algorithm and its arguments."""

    algorithm: BalanceAlgorithm
    hash_expression: str | None = None
    hdr_name: str | None = None
    hdr_use_domain_only: bool | None = None
    random_draws: int | None = None
    rdp_cookie_name: Word | None = None
    uri_depth: int | None = None
    uri_len: int | None = None
    uri_path_only: bool | None = None
    uri_whole: bool | None = None
    url_param: Word | None = None
    url_param_check_post: int | None = None
    url_param_max_wait: int | None = None


class HashType(SectionModel):
    """`hash-type`: how hashes map to servers."""

    function: Literal["sdbm", "djb2", "wt6", "crc32", "none"] | None = None
    method: Literal["map-based", "consistent"] | None = None
    modifier: Literal["avalanche"] | None = None


class CookieAttribute(SectionModel):
    """An `attr` of a persistence cookie."""

    value: Word | None = None


class CookieDomain(SectionModel):
    """A `domain` of a persistence cookie."""

    value: Word | None = None


class Cookie(SectionModel):
    """`cookie`: persistence by cookie."""

    attr: list[CookieAttribute] | None = None
    domain: list[CookieDomain] | None = None
    dynamic: bool | None = None
    httponly: bool | None = None
    indirect: bool | None = None
    maxidle: int | None = None
    maxlife: int | None = None
    name: Word
    nocache: bool | None = None
    postonly: bool | None = None
    preserve: bool | None = None
    secure: bool | None = None
    type: Literal["rewrite", "insert", "prefix"] | None = None


class Forwarded(SectionModel):
    """`option forwarded`: the header of RFC 7239."""

    by: bool | None = None
    by_expr: str | None = None
    by_port: bool | None = None
    by_port_expr: str | None = None
    enabled: Switch
    for_: bool | None = Field(None, alias="for")
    for_expr: str | None = None
    for_port: bool | None = None
    for_port_expr: str | None = None
    host: bool | None = None
    host_expr: str | None = None
    proto: bool | None = None


class Forwardfor(SectionModel):
    """`option forwardfor`: the header `X-Forwarded-For`."""

    enabled: Enabled
    except_: Word | None = Field(None, alias="except")
    header: Word | None = None
    ifnone: bool | None = None


class Originalto(SectionModel):
    """`option originalto`: the header `X-Original-To`."""

    enabled: Enabled
    except_: Word | None = Field(None, alias="except")
    header: Word | None = None


class Redispatch(SectionModel):
    """`option redispatch`: another server after failed attempts."""

    enabled: Switch
    interval: int | None = None


class PersistRule(SectionModel):
    """`persist`: persistence by RDP cookie."""

    rdp_cookie_name: Word | None = None
    type: Literal["rdp-cookie"]


class Source(SectionModel):
    """`source`: the address from which HAProxy connects."""

    address: str
    address_second: str | None = None
    hdr: str | None = None
    interface: str | None = None
    occ: str | None = None
    port: Port | None = None
    port_second: Port | None = None
    usesrc: Literal["address", "client", "clientip", "hdr_ip"] | None = None


class EmailAlert(SectionModel):
    """`email-alert`: mail when a server changes state."""

    from_: Annotated[str, Field(pattern=r"^\S+@\S+$")] = Field(alias="from")
    level: SyslogLevel | None = None
    mailers: str
    metadata: Metadata | None = None
    myhostname: str | None = None
    to: Annotated[str, Field(pattern=r"^\S+@\S+$")]


class UseSmallBuffers(SectionModel):
    """`use-small-buffers`: small buffers where they suffice."""

    check: bool | None = None
    enabled: Switch
    l7_retries: bool | None = None
    queue: bool | None = None


class ConfigStickTable(SectionModel):
    """`stick-table`: the table of a proxy."""

    expire: int | None = None
    keylen: int | None = None
    metadata: Metadata | None = None
    nopurge: bool | None = None
    peers: Word | None = None
    recv_only: bool | None = None
    size: int | None = None
    srvkey: Literal["addr", "name"] | None = None
    store: Word | None = None
    type: Literal["ip", "ipv6", "integer", "string", "binary"] | None = None
    write_to: Word | None = None
