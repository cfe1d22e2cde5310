"""What the document models are made of."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema


class DocumentModel(BaseModel):
    """Base of every model of a part of a document: strict, no unknown field, one spelling."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class SecretObject(DocumentModel):
    """Where a secret is to be found: `{secret: env/NAME}` or `{secret: file/PATH}`."""

    secret: Annotated[str, Field(pattern=r"^(env|file|command|sops)/\S+$")]


ObjectName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=63)]
"""Name of a cluster, an instance, a certificate: safe in paths, host names and `CLUSTER/INSTANCE`."""
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=63)]
"""Name of a label or a variable: what may stand between `${cluster.vars.` and `}`."""
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=4096)]
"""Text on one line."""

_LINE = re.compile(r"[^\x00-\x1f\x7f]*")


def _variable(value: object) -> object:
    if isinstance(value, bool | int) or (isinstance(value, str) and _LINE.fullmatch(value)):
        return value
    raise ValueError("expected text on one line, a whole number, true or false")


Variable = Annotated[
    str | int | bool, PlainValidator(_variable), WithJsonSchema({"type": ["string", "integer", "boolean"]})
]
"""Value of a variable."""


def _selector(value: object) -> object:
    match value:
        case list() if value and all(isinstance(name, str) for name in value):
            return value
        case dict() if value and all(isinstance(label, str) for label in value.values()):
            return value
    raise ValueError("expected labels such as {env: prod}, or a list of names such as [edge-eu]")


Selector = Annotated[
    dict[str, str] | list[str],
    PlainValidator(_selector),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]
"""Which clusters a document is for."""
