"""JSON values as Python types, and the one canonical way to write them (RFC 8785)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import rfc8785

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]


_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"')
_UNLIKE = re.compile(r"[0-9][.eE]|[0-9]{16}|[NI]")
"""What, outside texts, Python may write otherwise than RFC 8785, or RFC 8785 not at all: fractions, integers beyond
2^53, NaN and Infinity."""
_MAYBE_UNLIKE = re.compile(r"[:,\[]-?(?:[0-9]+(?:[.eE]|(?<=[0-9]{16}))|[NI])")
"""Where it may stand: a number follows one of these signs. Found inside texts as well (`:80.`), so that `_UNLIKE` must
look; not found, there is nothing, which most objects are told by in a third of the time."""


def canonical_json(value: Json) -> bytes:
    """`value` in RFC 8785 form: sorted keys, no white space, UTF-8.

    Python's own encoder, which is written in C, gives the same bytes for ASCII texts and small integers: for most of
    what there is, ten times as fast as `rfc8785`, which does the rest. `tests/property/test_canonical_json.py` holds
    the two equal.
    """
    try:
        text = _encoded(value)
    except (TypeError, ValueError, RecursionError):
        text = ""
    if text.isascii() and text and not _unlike(text):
        return text.encode("ascii")
    return rfc8785.dumps(cast("dict[str, object]", value))  # type: ignore[arg-type]


def _unlike(text: str) -> bool:
    if text[0] in "{[" and not _MAYBE_UNLIKE.search(text):
        return False
    return _UNLIKE.search(_TEXTS.sub("", text)) is not None


_encoded = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


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
