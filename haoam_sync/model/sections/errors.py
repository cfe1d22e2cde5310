"""What a client gets instead of an answer of a server."""

from typing import Literal

from haoam_sync.model.sections.values import HttpErrorCode, Metadata, ReturnContentFormat, SectionModel


class ReturnHeader(SectionModel):
    """`hdr` of a rule that returns an answer."""

    fmt: str
    name: str


class HttpErrorRule(SectionModel):
    """`http-error`: the answer for a status."""

    metadata: Metadata | None = None
    return_content: str | None = None
    return_content_format: ReturnContentFormat | None = None
    return_content_type: str | None = None
    return_hdrs: list[ReturnHeader] | None = None
    status: HttpErrorCode
    type: Literal["status"]


class Errorfile(SectionModel):
    """`errorfile`: a file with the answer for a status."""

    code: HttpErrorCode | None = None
    file: str | None = None


class Errorfiles(SectionModel):
    """`errorfiles`: answers from an `http-errors` section."""

    codes: list[HttpErrorCode] | None = None
    metadata: Metadata | None = None
    name: str | None = None


class Errorloc(SectionModel):
    """`errorloc302` and `errorloc303`: a redirect for a status."""

    code: HttpErrorCode
    metadata: Metadata | None = None
    url: str


class Error(SectionModel):
    """What the API answers when it refuses."""

    code: int
    message: str
