"""What an unquoted scalar of YAML means: the same to every reader, or nothing that we accept.

YAML 1.1 (PyYAML, and what editors and most tools still use) and the core schema of YAML 1.2 read some scalars
differently. Here is what both read alike; everything else has to be quoted.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

Scalar: TypeAlias = bool | int | float | str | None
_SAFE_INTEGER = (1 << 53) - 1
"""RFC 8785 writes numbers as IEEE doubles; integers beyond this would not survive."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_OLD_BOOLEAN = re.compile(r"[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?")
_OTHER_NUMBERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), "infinity and not-a-number are no values here"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?", re.DOTALL), "some readers take this for a date"),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"), "some readers take this for a number of base 60"),
    (re.compile(r"[-+]?0[0-9_]+|[-+]?0o[0-7_]+"), "some readers take this for an octal number, others do not"),
    (re.compile(r"[-+]?0x[0-9a-fA-F_]+|[-+]?0b[01_]+"), "numbers are written in base 10"),
    (
        re.compile(r"[-+]?(?:[0-9_]+(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9_]+)?"),
        "some readers take this for a number, others do not",
    ),
)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A plain scalar that two readers would read as two things."""

    why: str


def unquoted(text: str) -> Scalar | Ambiguous:
    """What an unquoted scalar means: the same thing in YAML 1.1 and in the core schema of YAML 1.2, or ambiguous."""
    return _remembered(text) if len(text) <= _SHORT else _meaning(text)


def _meaning(text: str) -> Scalar | Ambiguous:
    first = text[:1]
    if first.isdigit() or first in {"-", "+", "."}:
        return _number(text)
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _OLD_BOOLEAN.fullmatch(text):
        return Ambiguous("some readers take this for a boolean, others for text")
    if text == "=":
        return Ambiguous("some readers take this for a tag")
    if text == "<<":
        return Ambiguous("some readers take this for a merge key, and those are not allowed")
    return text


_SHORT = 64
_remembered = lru_cache(maxsize=65_536)(_meaning)
"""Most scalars of a repository are the same few hundred words. Long ones are not kept: they would fill the memory."""


def _number(text: str) -> int | float | str | Ambiguous:
    if _INTEGER.fullmatch(text) and text != "-0":
        # int() itself takes quadratic time in the number of digits
        if len(text) > len(str(_SAFE_INTEGER)) + 1 or abs(int(text)) > _SAFE_INTEGER:
            return Ambiguous("this number is too large to be kept exactly")
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else Ambiguous("this number is too large")
    for pattern, why in _OTHER_NUMBERS:
        if pattern.fullmatch(text):
            return Ambiguous(why)
    return text
