"""What the API says about the running process; nothing of it is configuration."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.values import Port, SectionModel, Since, Word


class RuntimeServer(SectionModel):
    """A server as the worker runs it."""

    address: Word | None = None
    admin_state: Literal["ready", "maint", "drain"] | None = None
    agent_addr: Annotated[str | None, Since("3.4")] = None
    agent_port: Annotated[Annotated[int, Field(le=65535)] | None, Since("3.4")] = None
    agent_state: Annotated[int | None, Since("3.4")] = None
    backend_forced_id: Annotated[int | None, Since("3.4")] = None
    backend_id: Annotated[int | None, Since("3.4")] = None
    backend_name: Annotated[str | None, Since("3.4")] = None
    check_addr: Annotated[str | None, Since("3.4")] = None
    check_health: Annotated[int | None, Since("3.4")] = None
    check_port: Annotated[Annotated[int, Field(le=65535)] | None, Since("3.4")] = None
    check_result: Annotated[int | None, Since("3.4")] = None
    check_state: Annotated[int | None, Since("3.4")] = None
    check_status: Annotated[int | None, Since("3.4")] = None
    forced_id: Annotated[int | None, Since("3.4")] = None
    fqdn: Annotated[str | None, Since("3.4")] = None
    id: str | None = None
    iweight: Annotated[int | None, Since("3.4")] = None
    last_time_change: Annotated[int | None, Since("3.4")] = None
    name: str | None = None
    operational_state: Literal["up", "down", "stopping"] | None = None
    port: Port | None = None
    srvrecord: Annotated[str | None, Since("3.4")] = None
    use_ssl: Annotated[bool | None, Since("3.4")] = None
    uweight: Annotated[int | None, Since("3.4")] = None
    weight: Annotated[int | None, Since("3.4")] = None


class Transaction(SectionModel):
    """A transaction as the API lists it."""

    version: int | None = Field(None, alias="_version")
    id: Word | None = None
    status: Literal["failed", "outdated", "in_progress", "success"] | None = None


class Reload(SectionModel):
    """A reload as the API reports it."""

    id: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}-\d+$")] | None = None
    reload_timestamp: int | None = None
    response: str | None = None
    status: Literal["failed", "in_progress", "succeeded"] | None = None
