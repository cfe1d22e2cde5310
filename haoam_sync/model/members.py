"""Strict reading of a JSON object, member by member."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from haoam_sync.model.json import Json

_Part = TypeVar("_Part")


class Members:
    """The members of a JSON object, taken one by one by type, so that at the end none may be left.

    Every method that takes one raises ValueError when it is not of the type asked for.
    """

    __slots__ = ("_left", "_where")

    def __init__(self, value: Json, where: str) -> None:
        if not isinstance(value, Mapping):
            raise ValueError(f"{where}: expected an object")  # noqa: TRY004  # one exception for all that is malformed
        self._left = dict(value)
        self._where = where

    def whole(self, part: _Part) -> _Part:
        """`part`, when every member was taken.

        Raises:
            ValueError: a member is left that nobody knows.
        """
        if self._left:
            raise ValueError(f"{self._where}: unknown member {min(self._left)!r}")
        return part

    def json(self, name: str) -> Json:
        """Any value; None when absent."""
        return self._left.pop(name, None)

    def text(self, name: str) -> str:
        """A string; "" when absent."""
        value = self._left.pop(name, "")
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def need_text(self, name: str) -> str:
        """A string that must be there and say something."""
        value = self.text(name)
        if not value:
            raise self._wrong(name, "a string")
        return value

    def number(self, name: str) -> int | None:
        """A whole number that is not negative; None when absent."""
        value = self._left.pop(name, None)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise self._wrong(name, "a whole number")
        return value

    def need_number(self, name: str) -> int:
        """A whole number that must be there."""
        value = self.number(name)
        if value is None:
            raise self._wrong(name, "a whole number")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty when absent."""
        return tuple(item if isinstance(item, str) else self._refuse(name, "strings") for item in self._list(name))

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """A list of pairs of strings; empty when absent."""
        found: list[tuple[str, str]] = []
        for item in self._list(name):
            match item:
                case [str(first), str(second)]:
                    found.append((first, second))
                case _:
                    raise self._wrong(name, "pairs of strings")
        return tuple(found)

    def part(self, name: str, parse: Callable[[Json], _Part]) -> _Part | None:
        """A part that `parse` reads; None when absent."""
        value = self._left.pop(name, None)
        return parse(value) if value is not None else None

    def parts(self, name: str, parse: Callable[[Json], _Part]) -> tuple[_Part, ...]:
        """A list of such parts; empty when absent."""
        return tuple(parse(item) for item in self._list(name))

    def _list(self, name: str) -> Sequence[Json]:
        value = self._left.pop(name, ())
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self._wrong(name, "a list")
        return value

    def _wrong(self, name: str, expected: str) -> ValueError:
        return ValueError(f"{self._where}: {name!r} must be {expected}")

    def _refuse(self, name: str, expected: str) -> str:
        raise self._wrong(name, expected)
