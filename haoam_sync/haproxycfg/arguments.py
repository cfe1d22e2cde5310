"""The arguments of one line, as a row of parts: each part knows its JSON fields and how they are written and read.

A line is written part by part, in order. It is read word by word: `lead` parts take the first words whatever they are
(a server may be called `check`); after them a word that begins a part belongs to it, and any other word goes to the
next part that is known by its place. A word that nobody knows is passed over: it stays in the file and does not show in
the JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from haoam_sync.haproxycfg.parts import Flag, Ignored, Keyed, Lost, Part, Switch
from haoam_sync.haproxycfg.values import COUNT, NUMBER, TIME
from haoam_sync.haproxycfg.words import Obj


class LineShape(Protocol):
    """What stands behind the keyword of a line: parts in a row, or something that decides by itself."""

    @property
    def fields(self) -> frozenset[str]:
        """Every JSON field that it stands for."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that it may be made of."""

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`."""

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`."""


_Write: TypeAlias = "Callable[[Mapping[str, Any], list[str]], None]"
_MOST_SHAPES = 512
"""So many sets of fields are remembered for each kind of line: objects of one kind mostly set the same few."""


class Arguments:
    """The parts of a line, compiled for reading and writing.

    Attributes:
        parts: in the order in which they are written.
        fields: every JSON field that some part stands for.

    With `strict`, a word that nobody knows makes the whole line text to the server; else it passes the word over
    (measured, line by line).
    """

    __slots__ = (
        "_always",
        "_by_field",
        "_defaults",
        "_keyed",
        "_lead",
        "_places",
        "_stops",
        "_strict",
        "_writers",
        "fields",
        "parts",
    )

    def __init__(self, *parts: Part, defaults: Mapping[str, Any] | None = None, strict: bool = False) -> None:
        self.parts = parts
        self._defaults = defaults
        self._strict = strict
        self.fields = frozenset(field for part in parts for field in part.fields)
        self._lead = tuple(part for part in parts if part.lead)
        self._places = tuple(part for part in parts if not (part.lead or part.starts or isinstance(part, Lost)))
        self._keyed = {word: part for part in parts if not part.lead for word in part.starts}
        self._stops = frozenset(self._keyed)
        self._by_field: dict[str, list[int]] = {}
        always: list[int] = []
        for place, part in enumerate(parts):
            if _writes_of_itself(part):
                always.append(place)
            for field in part.fields:
                self._by_field.setdefault(field, []).append(place)
        self._always = tuple(always)
        self._writers: dict[tuple[str, ...], tuple[_Write, ...]] = {}

    def without(self, fields: frozenset[str], *, ignored: bool = False) -> Arguments:
        """The same line in an API version that does not have `fields`; it passes over their words when `ignored`."""
        kept: list[Part] = []
        for part in self.parts:
            if fields.isdisjoint(part.fields):
                kept.append(part)
            elif ignored and isinstance(part, Keyed):
                kept.append(Ignored(part.keyword))
        return Arguments(*kept, defaults=self._defaults, strict=self._strict)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`."""
        # A server knows more than a hundred parts and sets five: only those that something was set for are asked.
        fields = tuple(obj)
        writers = self._writers.get(fields)
        if writers is None:
            places = set(self._always)
            for field in fields:
                places.update(self._by_field.get(field, ()))
            writers = tuple(self.parts[place].write for place in sorted(places))
            if len(self._writers) < _MOST_SHAPES:
                self._writers[fields] = writers
        for write in writers:
            write(obj, out)

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`.

        Raises:
            ValueError: a word is no value of its field.
            IndexError: a keyword at the end lacks its value.
        """
        if self._defaults:
            obj.update(self._defaults)
        end = len(words)
        keyed = self._keyed
        stops = self._stops
        for part in self._lead:
            if at >= end:
                return
            at = part.read(words, at, obj, stops)
        place = 0
        while at < end:
            known = keyed.get(words[at])
            if known is None and "(" in words[at]:
                known = keyed.get(words[at][: words[at].index("(") + 1])
            if known is not None:
                at = known.read(words, at, obj, stops)
            elif place < len(self._places):
                at = self._places[place].read(words, at, obj, stops)
                place += 1
            elif self._strict:
                raise ValueError(f"unknown word {words[at]!r}")
            else:
                at += 1


def _writes_of_itself(part: Part) -> bool:
    """Whether it writes something (or has an opinion) when none of its fields is set."""
    out: list[str] = []
    try:
        part.write({}, out)
    except (KeyError, TypeError, AttributeError):
        return True
    return bool(out)


def word(field: str, keyword: str = "") -> Keyed:
    """`KEYWORD WORD`; the keyword is the field's name with dashes unless given."""
    return Keyed(field, keyword or field.replace("_", "-"))


def number(field: str, keyword: str = "") -> Keyed:
    """`KEYWORD NUMBER`."""
    return Keyed(field, keyword or field.replace("_", "-"), shape=NUMBER)


def count(field: str, keyword: str = "") -> Keyed:
    """`KEYWORD NUMBER`, not written for 0."""
    return Keyed(field, keyword or field.replace("_", "-"), shape=COUNT)


def time(field: str, keyword: str = "") -> Keyed:
    """`KEYWORD TIME`."""
    return Keyed(field, keyword or field.replace("_", "-"), shape=TIME)


def flag(field: str, keyword: str = "") -> Flag:
    """A word that is there or not."""
    return Flag(field, keyword or field.replace("_", "-"))


def switch(field: str, keyword: str = "") -> Switch:
    """`KEYWORD` or `no-KEYWORD`."""
    on = keyword or field.replace("_", "-")
    return Switch(field, on, off=f"no-{on}")
