"""What the section models are made of: scalars, enumerations used more than once, and marks of API versions.

Names, patterns and bounds are the Data Plane API's own, as the server declares them. A pattern is matched by the rules
of Rust's `regex` (linear time, `$` is the end of the text).
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class SectionModel(BaseModel):
    """Base of every model of a section or a part of one.

    Strict: no conversion, no unknown field, one spelling (the API's own, also where Python needs another name). Absent
    and null are the same, as on the server; documents in git may not say null. Validators are built at the first use,
    so that importing all models stays cheap.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class Since:
    """Marks a field that older API versions do not have."""

    version: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "description": f"API {self.version} and newer"}


@dataclass(frozen=True, slots=True)
class Until:
    """Marks a field that newer API versions no longer have; `version` is the last one that does."""

    version: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "description": f"up to API {self.version}"}


@dataclass(frozen=True, slots=True)
class ValuesSince:
    """Marks values of an enumeration that older API versions do not have.

    Attributes:
        version: the first one that has them.
        values: what is new in it.
        older: the values before, in their order, where that is another one; empty where it is the same.
    """

    version: str
    values: tuple[str, ...]
    older: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderOf:
    """Keeps an enumeration apart from another one that has the same values in another order.

    `typing` takes two such `Literal` for equal and gives the first one for both, and the order is part of messages.
    """

    model: str


Metadata = dict[str, object]
"""JSON that the API keeps as a comment on the line. Not for documents in git: the mark of ownership lives there."""

Word = Annotated[str, Field(pattern=r"^[^\s]+$")]
"""Text without white space."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9-_.:]+$")]
NameOrVariable = Annotated[str, Field(pattern=r'^[A-Za-z0-9-_.:${}"]+$')]
"""A name, or HAProxy's own `"${VARIABLE}"`."""
MarkValue = Annotated[str, Field(pattern=r"^(0x[0-9A-Fa-f]+|[0-9]+)$")]
SampleExpression = Annotated[str, Field(pattern=r'^(?:[A-Za-z]+\("([A-Za-z\s]+)"\)|[A-Za-z]+)')]
Port = Annotated[int, Field(ge=1, le=65535)]

Switch = Literal["enabled", "disabled"]
Enabled = Literal["enabled"]
OnOff = Literal["on", "off"]
Condition = Literal["if", "unless"]
IpFamily = Literal["ipv4", "ipv6"]
TlsVersion = Literal["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
TlsVerifyClient = Literal["none", "optional", "required"]
QuicCongestionControl = Literal["cubic", "newreno", "bbr", "nocc"]
LogLevel = Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "silent"]
SyslogLevel = Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
LogStep = Literal["accept", "request", "connect", "response", "close", "error", "any"]
HttpMethod = Literal["HEAD", "PUT", "POST", "GET", "TRACE", "PATCH", "DELETE", "CONNECT", "OPTIONS"]
HttpErrorCode = Literal[200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, 429, 500, 501, 502, 503, 504]
HttpConnectionMode = Literal["httpclose", "http-server-close", "http-keep-alive"]
RestrictedHeaderNames = Literal["preserve", "delete", "reject"]
ReturnContentFormat = Literal["default-errorfiles", "errorfile", "errorfiles", "file", "lf-file", "string", "lf-string"]
CompressionAlgorithm = Literal["identity", "gzip", "deflate", "raw-deflate"]
AdvancedCheck = Literal[
    "httpchk", "ldap-check", "mysql-check", "pgsql-check", "redis-check", "smtpchk", "ssl-hello-chk", "tcp-check"
]
CheckOkStatus = Literal["L7OK", "L7OKC", "L6OK", "L4OK"]
CheckErrorStatus = Literal["L7OKC", "L7RSP", "L7STS", "L6RSP", "L4CON"]
CheckTimeoutStatus = Literal["L7TOUT", "L6TOUT", "L4TOUT"]
