"""Rows with one value, and their keywords: what `global` has most of."""

from __future__ import annotations

from haoam_sync.haproxycfg.rows import Line, Present
from haoam_sync.haproxycfg.values import COUNT, COUNTED_SIZE, NUMBER, ONOFF, TIME


def _key(path: str, key: str) -> str:
    """The field's own name with dashes, unless `key` says otherwise."""
    return key or path.rpartition(".")[2].replace("_", "-")


def text(path: str, key: str = "") -> Line:
    """`KEY WORDS`."""
    return Line(path, _key(path, key))


def number(path: str, key: str = "") -> Line:
    """`KEY NUMBER`."""
    return Line(path, _key(path, key), shape=NUMBER)


def count(path: str, key: str = "") -> Line:
    """`KEY NUMBER`, not written for 0."""
    return Line(path, _key(path, key), shape=COUNT)


def size(path: str, key: str = "") -> Line:
    """`KEY SIZE`, not written for 0."""
    return Line(path, _key(path, key), shape=COUNTED_SIZE)


def time(path: str, key: str = "") -> Line:
    """`KEY TIME`."""
    return Line(path, _key(path, key), shape=TIME)


def onoff(path: str, key: str = "") -> Line:
    """`KEY on|off` for enabled and disabled."""
    return Line(path, _key(path, key), shape=ONOFF)


def present(path: str, key: str = "") -> Present:
    """`KEY`, there or not."""
    return Present(path, _key(path, key))
