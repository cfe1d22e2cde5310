"""One argument of a line, or a few that belong together: its JSON fields, how it is written and how it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from haoam_sync.haproxycfg.values import TEXT, Shape
from haoam_sync.haproxycfg.words import Obj

_NO_STOPS: frozenset[str] = frozenset()


class Part(Protocol):
    """One argument, or a few that belong together."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The JSON fields that it stands for."""

    @property
    def starts(self) -> tuple[str, ...]:
        """The words that begin it (`word(` for one with parentheses); none when it is known by its place."""

    @property
    def lead(self) -> bool:
        """Whether it takes its words before any keyword is looked for."""

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for its fields of `obj`."""

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """Put what stands at `words[at]` into `obj`; the index of the first word that is not its own."""


@dataclass(frozen=True, slots=True)
class _OneField:
    """What parts with one JSON field share."""

    field: str
    keyword: str = ""
    lead: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    @property
    def starts(self) -> tuple[str, ...]:
        return (self.keyword,) if self.keyword else ()


@dataclass(frozen=True, slots=True)
class Positional(_OneField):
    """A word known by its place. With `keep`, `empty` is written for a field that is not set: the server does."""

    shape: Shape = TEXT
    keep: bool = True
    empty: str = ""

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get(self.field)
        if not self.shape.missing(value):
            out.append(self.shape.show(value))
        elif self.keep:
            out.append(self.empty)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        value = self.shape.read(words[at])
        if value != 0 or self.shape.zero:
            obj[self.field] = value
        return at + 1


@dataclass(frozen=True, slots=True)
class Rest(_OneField):
    """All words up to the next keyword or condition; behind a keyword of its own, if it has one."""

    keep: bool = True

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get(self.field)
        if value is not None and value != "":
            if self.keyword:
                out.append(self.keyword)
            out.append(str(value))
        elif self.keep and not self.keyword:
            out.append("")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:
        """See Part."""
        begin = at + 1 if self.keyword else at
        end = begin + 1
        while end < len(words) and words[end] not in stops:
            end += 1
        obj[self.field] = " ".join(words[begin:end])
        return end


@dataclass(frozen=True, slots=True)
class Keyed(_OneField):
    """`KEYWORD VALUE`."""

    shape: Shape = TEXT

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get(self.field)
        if not self.shape.missing(value):
            out.append(self.keyword)
            out.append(self.shape.show(value))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        value = self.shape.read(words[at + 1])
        if value != 0 or self.shape.zero:
            obj[self.field] = value
        return at + 2


@dataclass(frozen=True, slots=True)
class Ignored:
    """`KEYWORD VALUE` that the server passes over."""

    keyword: str
    lead: bool = False
    fields: tuple[str, ...] = ()

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return (self.keyword,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        return at + 2


@dataclass(frozen=True, slots=True)
class Flag(_OneField):
    """A word that is there when the boolean field is true."""

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        if obj.get(self.field):
            out.append(self.keyword)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj[self.field] = True
        return at + 1


@dataclass(frozen=True, slots=True)
class Switch(_OneField):
    """One word for `enabled`, another for `disabled`; the second may be missing: then `disabled` leaves no trace."""

    off: str = ""

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return (self.keyword, self.off) if self.off else (self.keyword,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get(self.field)
        if value == "enabled":
            out.append(self.keyword)
        elif value == "disabled" and self.off:
            out.append(self.off)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj[self.field] = "enabled" if words[at] == self.keyword else "disabled"
        return at + 1


@dataclass(frozen=True, slots=True)
class Joined(_OneField):
    """`KEYWORD a,b,c` for an array."""

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        values = obj.get(self.field)
        if values:
            out.append(self.keyword)
            out.append(",".join(values))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj[self.field] = words[at + 1].split(",")
        return at + 2


@dataclass(frozen=True, slots=True)
class Repeated(_OneField):
    """`KEYWORD VALUE` once for each element of an array."""

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        for value in obj.get(self.field) or ():
            out.append(self.keyword)
            out.append(str(value))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj.setdefault(self.field, []).append(words[at + 1])
        return at + 2


@dataclass(frozen=True, slots=True)
class Literal:
    """A word that is always there and says nothing."""

    keyword: str
    lead: bool = False
    fields: tuple[str, ...] = ()

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return (self.keyword,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:  # noqa: ARG002 - Part
        """See Part."""
        out.append(self.keyword)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        return at + 1


@dataclass(frozen=True, slots=True)
class Lost:
    """A field that the server accepts and never writes.

    Attributes:
        field: its name.
        instead: the setting that works, "" when there is none.
    """

    field: str
    instead: str = ""
    lead: bool = False
    starts: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        return at + 1


@dataclass(frozen=True, slots=True)
class Condition:
    """`if TEST` or `unless TEST`, always last. A test without its `if` is not written: the server drops it."""

    lead: bool = False
    fields: tuple[str, ...] = ("cond", "cond_test")
    starts: tuple[str, ...] = ("if", "unless")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        cond = obj.get("cond")
        if cond:
            out.append(cond)
            out.append(obj.get("cond_test") or "")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str] = _NO_STOPS) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj["cond"] = words[at]
        test = " ".join(words[at + 1 :])
        if test:
            obj["cond_test"] = test
        return len(words)


CONDITION = Condition()
