"""`peers` and `mailers`: who else is told."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.binds import Bind, DefaultBind
from haoam_sync.model.sections.proxy_options import LogTarget
from haoam_sync.model.sections.servers import DefaultServer, Server
from haoam_sync.model.sections.values import Metadata, Name, NameOrVariable, Port, SectionModel, Word


class PeerEntry(SectionModel):
    """`peer`: one peer."""

    address: Word
    metadata: Metadata | None = None
    name: NameOrVariable
    port: Port
    shard: int | None = None


class Table(SectionModel):
    """`table`: a stick table that the section holds."""

    expire: Annotated[str, Field(pattern=r"^\d+(ms|s|m|h|d)?$")] | None = None
    metadata: Metadata | None = None
    name: str
    no_purge: bool | None = None
    recv_only: bool | None = None
    size: Annotated[str, Field(pattern=r"^\d+(k|K|m|M|g|G)?$")] | None = None
    store: str | None = None
    type: Literal["ip", "integer", "string", "binary"] | None = None
    type_len: int | None = None
    write_to: str | None = None


class Peers(SectionModel):
    """`peers`: instances that share stick tables."""

    default_bind: DefaultBind | None = None
    default_server: DefaultServer | None = None
    disabled: bool | None = None
    enabled: bool | None = None
    metadata: Metadata | None = None
    name: Name
    shards: int | None = None
    binds: dict[str, Bind] | None = None
    log_target_list: list[LogTarget] | None = None
    peer_entries: dict[str, PeerEntry] | None = None
    servers: dict[str, Server] | None = None
    tables: dict[str, Table] | None = None


class MailerEntry(SectionModel):
    """`mailer`: one mail server."""

    address: Annotated[str, Field(pattern=r"^\S+$")]
    metadata: Metadata | None = None
    name: Annotated[str, Field(pattern='^[A-Za-z0-9-_${}"]+$')]
    port: Port


class Mailers(SectionModel):
    """`mailers`: mail servers for alerts."""

    metadata: Metadata | None = None
    name: Annotated[str, Field(pattern="^[A-Za-z0-9-_]+$")]
    timeout: int | None = None
    mailer_entries: dict[str, MailerEntry] | None = None
