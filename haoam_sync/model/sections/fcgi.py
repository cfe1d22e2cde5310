"""`fcgi-app`: applications that speak FastCGI."""

from typing import Annotated

from pydantic import Field

from haoam_sync.model.sections.switching import Acl
from haoam_sync.model.sections.values import Condition, Metadata, SectionModel, Switch, Word


class FcgiLogSample(SectionModel):
    """`sample`: which share of the messages is logged."""

    ranges: str
    size: int


class FcgiLogStderr(SectionModel):
    """`log-stderr`: where the application's errors go."""

    address: str | None = None
    facility: str | None = None
    format: str | None = None
    global_: bool | None = Field(None, alias="global")
    len: int | None = None
    level: str | None = None
    minlevel: str | None = None
    sample: FcgiLogSample | None = None


class FcgiPassHeader(SectionModel):
    """`pass-header`: a header that the application sees."""

    cond: Condition | None = None
    cond_test: str | None = None
    name: str | None = None


class FcgiSetParam(SectionModel):
    """`set-param`: a parameter for the application."""

    cond: Condition | None = None
    cond_test: str | None = None
    format: str | None = None
    name: str | None = None


class FcgiApp(SectionModel):
    """`fcgi-app`: one application."""

    docroot: str
    get_values: Switch | None = None
    index: str | None = None
    keep_conn: Switch | None = None
    log_stderrs: list[FcgiLogStderr] | None = None
    max_reqs: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    mpxs_conns: Switch | None = None
    name: Word
    pass_headers: list[FcgiPassHeader] | None = None
    path_info: str | None = None
    set_params: list[FcgiSetParam] | None = None
    acl_list: list[Acl] | None = None
