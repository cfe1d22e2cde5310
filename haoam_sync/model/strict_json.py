"""What a peer answers, read strictly: whatever it says, reading it ends in a value or in ValueError.

An answer may come from anything that listens at the address. So numbers are ASCII digits of a bounded length, and JSON
is that of RFC 7493 (I-JSON): UTF-8, no name twice, no lone surrogate, no number that is not exact in 64-bit floating
point; and it is nested no deeper than anything that the Data Plane API or GitHub answers, so that nothing after this
module can run out of stack.
"""

from __future__ import annotations

import json
import math
import re
from typing import cast

from haoam_sync.model.json import Json

_DEEPEST = 64
_DIGITS = re.compile(r"[0-9]{1,15}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_EXACT = 2**53 - 1
_LONGEST_NUMBER = 400


def whole(text: str) -> int:
    """A number as the API writes its versions: at most 15 ASCII digits; ValueError when it is none."""
    if _DIGITS.fullmatch(text) is None:
        raise ValueError("not a whole number")
    return int(text)


def json_of(body: bytes) -> Json:
    """Any JSON value; ValueError when it is none, or none that can be handled safely."""
    try:
        text = body.decode()
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_constant,
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    _require_flat(document)
    if _SURROGATE.search(text) is not None:
        json.dumps(document, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return cast("Json", document)


def _require_flat(document: object) -> None:
    level = [document]
    for _ in range(_DEEPEST):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise ValueError("nested too deeply")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER or abs(number := int(text)) > _EXACT:
        raise ValueError("a number out of range")
    return number


def _fraction(text: str) -> float:
    if len(text) > _LONGEST_NUMBER or not math.isfinite(number := float(text)):
        raise ValueError("a number out of range")
    return number


def _constant(_text: str) -> float:
    raise ValueError("not a JSON number")
