"""How a single value is written and read: words, numbers, times, sizes, switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

_MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))
_SIZES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True, slots=True)
class Shape:
    """How one value looks in haproxy.cfg.

    Attributes:
        show: value to word.
        read: word to value. Raises ValueError when the word is no such value: the server then keeps the line as text
            that it does not understand, and so do we.
        zero: whether 0 is written; else it is as good as not set.
    """

    show: Callable[[Any], str]
    read: Callable[[str], Any]
    zero: bool = True

    def missing(self, value: object) -> bool:
        """Whether `value` leaves no trace."""
        return value is None or value == "" or (not self.zero and value == 0)


def show_time(milliseconds: int) -> str:
    """`milliseconds` in the largest unit that divides it: 2000 is `2s`, 7 is `7ms`."""
    if milliseconds:
        for unit, size in _UNITS:
            if milliseconds % size == 0:
                return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def read_time(word: str) -> int:
    """Milliseconds of `5s`, rounded up; a bare number is milliseconds (manual, section 2.5)."""
    if word.isdigit():
        return int(word)
    digits = word.rstrip("abcdefghijklmnopqrstuvwxyz")
    factor = _MILLISECONDS.get(word[len(digits) :])
    if factor is None:
        raise ValueError(f"not a time: {word!r}")
    return ceil(int(digits) * factor)


def read_size(word: str) -> int:
    """Bytes or entries of `100k`, `1m`, `2g`, or a bare number (manual, section 2.6)."""
    factor = _SIZES.get(word[-1:].lower())
    return int(word[:-1]) * factor if factor else int(word)


def show_size(number: int) -> str:
    """`number` with the largest unit that divides it: 2048 is `2k`, 3000 is `3000`."""
    if number:
        for unit in ("g", "m", "k"):
            if number % _SIZES[unit] == 0:
                return f"{number // _SIZES[unit]}{unit}"
    return str(number)


def _read_onoff(word: str) -> str:
    if word == "on":
        return "enabled"
    if word == "off":
        return "disabled"
    return word


def _show_onoff(value: str) -> str:
    return {"enabled": "on", "disabled": "off"}.get(value, value)


def _read_bool_onoff(word: str) -> bool:
    if word not in {"on", "off"}:
        raise ValueError(f"neither on nor off: {word!r}")
    return word == "on"


TEXT = Shape(str, str)
"""A word as it stands."""
WORD = Shape(str, str)
"""The same where the server reads one word of the line only."""
NUMBER = Shape(str, int)
TIME = Shape(show_time, read_time)
"""Milliseconds in JSON, a unit in the text."""
PLAIN_TIME = Shape(str, read_time)
"""Milliseconds in JSON and in the text."""
SIZE = Shape(show_size, read_size)
COUNT = Shape(str, int, zero=False)
"""A number that the server writes only when it is not 0 (measured, field by field)."""
COUNTED_SIZE = Shape(show_size, read_size, zero=False)
COUNTED_TIME = Shape(show_time, read_time, zero=False)
ONOFF = Shape(_show_onoff, _read_onoff)
"""enabled/disabled in JSON, on/off in the text."""
BOOL_ONOFF = Shape(lambda value: "on" if value else "off", _read_bool_onoff)
"""true/false in JSON, on/off in the text."""
