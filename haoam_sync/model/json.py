"""JSON values as Python types, and the one canonical way to write them (RFC 8785)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import rfc8785

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]


def canonical_json(value: Json) -> bytes:
    """`value` in RFC 8785 form: sorted keys, no white space, UTF-8."""
    return rfc8785.dumps(cast("dict[str, object]", value))  # type: ignore[arg-type]


def digest(value: Json) -> str:
    """`sha256:` and the hex SHA-256 of the canonical JSON of `value`."""
    return digest_bytes(canonical_json(value))


def digest_bytes(data: bytes) -> str:
    """`sha256:` and the hex SHA-256 of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """Whether `text` looks like a digest of this module."""
    return _DIGEST.fullmatch(text) is not None
