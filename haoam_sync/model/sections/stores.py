"""`cache`, `ring`, `log-forward`, `http-errors`, `crt-store`: what HAProxy keeps or hands on."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.binds import Bind, DgramBind
from haoam_sync.model.sections.errors import Errorfile
from haoam_sync.model.sections.proxy_options import LogTarget
from haoam_sync.model.sections.servers import Server
from haoam_sync.model.sections.values import Metadata, Name, OrderOf, SectionModel, Switch


class Cache(SectionModel):
    """`cache`: small answers kept in memory."""

    max_age: int | None = None
    max_object_size: int | None = None
    max_secondary_entries: int | None = None
    metadata: Metadata | None = None
    name: Name
    process_vary: bool | None = None
    total_max_size: Annotated[int, Field(ge=1, le=4095)] | None = None


RingFormat = Literal["iso", "local", "raw", "rfc3164", "rfc5424", "short", "priority", "timed"]


class Ring(SectionModel):
    """`ring`: a buffer for logs and traces."""

    description: str | None = None
    format: Annotated[RingFormat, OrderOf("Ring")] | None = None
    maxlen: int | None = None
    metadata: Metadata | None = None
    name: Name
    size: int | None = None
    timeout_connect: int | None = None
    timeout_server: int | None = None
    servers: dict[str, Server] | None = None


class LogForward(SectionModel):
    """`log-forward`: logs received and handed on."""

    assume_rfc6587_ntf: bool | None = Field(None, alias="assume-rfc6587-ntf")
    backlog: int | None = None
    dont_parse_log: bool | None = Field(None, alias="dont-parse-log")
    maxconn: int | None = None
    metadata: Metadata | None = None
    name: Name
    timeout_client: Annotated[int, Field(le=2147483647)] | None = None
    binds: dict[str, Bind] | None = None
    dgram_binds: dict[str, DgramBind] | None = None
    log_target_list: list[LogTarget] | None = None


class HttpErrors(SectionModel):
    """`http-errors`: answers for statuses, to be referred to by name."""

    error_files: list[Errorfile]
    metadata: Metadata | None = None
    name: Annotated[str, Field(pattern="^[A-Za-z0-9-_]+$")]


class CrtLoad(SectionModel):
    """`load`: one certificate of a store."""

    acme: str | None = None
    alias: str | None = None
    certificate: str
    domains: list[str] | None = None
    issuer: str | None = None
    key: str | None = None
    metadata: Metadata | None = None
    ocsp: str | None = None
    ocsp_update: Switch | None = None
    sctl: str | None = None


class CrtStore(SectionModel):
    """`crt-store`: certificates by name."""

    crt_base: str | None = None
    key_base: str | None = None
    metadata: Metadata | None = None
    name: Annotated[str, Field(pattern="^[A-Za-z0-9-_]+$")]
    crt_loads: dict[str, CrtLoad] | None = None
