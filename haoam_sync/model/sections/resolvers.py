"""`resolvers`: name servers that HAProxy asks at run time."""

from typing import Annotated

from pydantic import Field

from haoam_sync.model.sections.values import Metadata, Name, NameOrVariable, Port, SectionModel, Word


class Nameserver(SectionModel):
    """`nameserver`: one name server."""

    address: Word
    metadata: Metadata | None = None
    name: NameOrVariable
    port: Port | None = None


class Resolvers(SectionModel):
    """`resolvers`: name servers, and how they are asked."""

    accepted_payload_size: Annotated[int, Field(ge=512, le=8192)] | None = None
    hold_nx: int | None = None
    hold_obsolete: int | None = None
    hold_other: int | None = None
    hold_refused: int | None = None
    hold_timeout: int | None = None
    hold_valid: int | None = None
    metadata: Metadata | None = None
    name: Name
    parse_resolv_conf: bool | None = Field(None, alias="parse-resolv-conf")
    resolve_retries: Annotated[int, Field(ge=1)] | None = None
    timeout_resolve: int | None = None
    timeout_retry: int | None = None
    nameservers: dict[str, Nameserver] | None = None
