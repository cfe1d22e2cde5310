"""Does an object hold every line of a section? Rule I4 of imports, and what an API does not show of a file.

Lines are compared word by word. What the server spells otherwise without changing its meaning counts as the same:
the order of arguments, `30000` and `30s`, `deny status` and `deny deny_status`, the name that a bind gets.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from haoam_sync.haproxycfg.secrets import masked
from haoam_sync.haproxycfg.section import CodecError, parse, render
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionKind

_QUANTITY = re.compile(r"([0-9]+)([a-zA-Z]*)")
_MILLISECONDS = {
    "us": Fraction(1, 1000),
    "ms": Fraction(1),
    "s": Fraction(1000),
    "m": Fraction(60_000),
    "h": Fraction(3_600_000),
    "d": Fraction(86_400_000),
}
_BYTES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SAME_WORD = {"deny_status": "status"}
"""Two spellings of one argument (manual, `http-request deny`)."""

_DEFAULTS: Mapping[SectionKind, frozenset[str]] = {SectionKind.FCGI_APP: frozenset({"option max-reqs 1"})}
"""Lines that the server always writes, and that say what HAProxy does without them (manual, section 10.1)."""
_BINDS = frozenset({"bind", "dgram-bind"})
_TWICE = frozenset({"no-sslv3"})
"""Flags that the server writes a second time (measured on servers)."""


def differences(kind: SectionKind, lines: Sequence[str], body: JsonObject, api: ApiVersion) -> Iterator[str]:
    """What writing `body` would do to a section beyond order and spelling, one clause each.

    Args:
        kind: of the section.
        lines: as they stand in the file, the first one of the section among them.
        body: what `parse` made of them, perhaps with things taken out.
        api: of the server.
    """
    comparison = _Comparison(kind, lines, _made(kind, body, api), api)
    for line, reason in comparison.left():
        yield reason or f"no field of the API holds `{masked(line)}`"
    for line in comparison.added.elements():
        if line not in _DEFAULTS.get(kind, ()):
            yield f"`{masked(line)}` would be added"


def unshown(kind: SectionKind, text: str, body: JsonObject, api: ApiVersion) -> tuple[str, ...]:
    """The lines of a section that its object does not hold: unknown to the API, or shown by it as something else.

    HAProxy obeys them all the same, so that whoever looks at objects alone sees nothing of them.

    Args:
        kind: of the section.
        text: as it stands in the file, its first line among it.
        body: as the API shows it.
        api: of the server.
    """
    try:
        made = render(kind, body, api, complete=True)
    except CodecError:
        made = ""
    if text.partition("\n")[2] == made.partition("\n")[2]:
        return ()  # as the server writes it: most sections
    lines = Counter(_plain(line) for line in made.split("\n")[1:])
    return tuple(line for line, _ in _Comparison(kind, text.split("\n"), lines, api).left())


def _made(kind: SectionKind, body: JsonObject, api: ApiVersion) -> Counter[str]:
    return Counter(_plain(line) for line in render(kind, body, api, complete=True).split("\n")[1:])


class _Comparison:
    """The lines of a section beside those that an object makes.

    Attributes:
        added: made, and not there.
    """

    def __init__(self, kind: SectionKind, lines: Sequence[str], made: Counter[str], api: ApiVersion) -> None:
        header, *inside = lines
        there = Counter(_plain(line) for line in inside)
        there.pop("", None)
        self._kind, self._header, self._api = kind, header, api
        self._made = made
        self._left = there - made
        self.added = made - there

    def left(self) -> Iterator[tuple[str, str]]:
        """Each line that the object does not hold, with the reason; "" when no field holds it."""
        for line, count in self._left.items():
            again = _alone(self._kind, self._header, line, self._api)
            for _ in range(count):
                reason = self._missing(line, again)
                if reason is not None:
                    yield line, reason

    def _missing(self, line: str, again: list[str]) -> str | None:
        """None when `line` is there in another spelling, which is then used up."""
        if not again:
            return ""
        words = [word for one in again for word in one.split(" ")]
        if not _same(line.split(" "), words):
            return f"`{masked(line)}` would become `{'`, `'.join(masked(one) for one in again)}`"
        for one in again:
            if self.added[one] > 0:
                self.added[one] -= 1
            elif line in again and self._made[line] == 0:
                return f"`{masked(line)}` would be lost beside the other lines of its kind"
            else:
                return f"`{masked(line)}` is not the only one of its kind, and only one would be left"
        return None


def _plain(line: str) -> str:
    words, _ = split(line)
    return " ".join(words)


def _alone(kind: SectionKind, header: str, line: str, api: ApiVersion) -> list[str]:
    """The lines that a section of this one line makes."""
    parsed = parse(f"{_plain(header)}\n  {line}", api, complete=True)
    try:
        return [_plain(one) for one in render(kind, parsed.body, api, complete=True).split("\n")[1:]]
    except CodecError:
        return []


def same_words(line: str, other: str) -> bool:
    """Whether two lines say the same: the same words in whatever order, some of them in another spelling."""
    return _same(line.split(" "), other.split(" "))


def _same(before: list[str], after: list[str]) -> bool:
    left = Counter(_spelled(word) for word in before)
    more = Counter(_spelled(word) for word in after)
    left, more = left - more, more - left
    if before[0] in _BINDS and more["name"] == 1 and "name" not in before:
        more -= Counter(["name", _spelled(before[1])])
    if before[0] == "filter" and before[1].startswith("bwlim-") and "min-size" not in before:
        more -= Counter(["min-size", "0"])  # the server writes the default
    rest = [word for word in more.elements() if word not in _TWICE or word not in before]
    for word in left.elements():
        twin = next((other for other in rest if _readings(word) & _readings(other)), None)
        if twin is None:
            return False
        rest.remove(twin)
    return not rest


def _spelled(word: str) -> str:
    """One spelling of words that have two: `:::443` is `[::]:443` (manual, section 11)."""
    return f"[::]:{word[3:]}" if word.startswith(":::") else _SAME_WORD.get(word, word)


def _readings(word: str) -> set[tuple[str, Fraction]]:
    """What a number can mean: HAProxy's units of time (manual, 2.5) and of size; without one, any of them."""
    found = _QUANTITY.fullmatch(word)
    if found is None:
        return set()
    number, unit = Fraction(int(found[1])), found[2]
    readings = set()
    if not unit:
        readings |= {("time", number), ("time", number * 1000), ("size", number)}
    if unit in _MILLISECONDS:
        readings.add(("time", number * _MILLISECONDS[unit]))
    if unit.lower() in _BYTES:
        readings.add(("size", number * _BYTES[unit.lower()]))
    return readings
