"""Collecting everything that is wrong with a commit, so that it is all said at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from haoam_sync.documents import Document, Path
from haoam_sync.errors import InvalidDesiredError, Problem
from haoam_sync.model.position import Position


class Problems:
    """What was found so far; the same thing found twice counts once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(self, position: Position, message: str, hint: str = "", code: str = "E_INVALID") -> None:
        """Note one problem at a position; line 0 means the file as a whole."""
        self._found[Problem(position.file, position.line, position.column, message, hint, code)] = None

    def file(self, file: str, message: str, hint: str = "") -> None:
        """Note one problem with a whole file."""
        self._found[Problem(file, 0, 0, message, hint)] = None

    def value(self, document: Document, path: Path, message: str, hint: str = "", code: str = "E_INVALID") -> None:
        """Note one problem with the value at `path`."""
        self.add(document.position(path), message, hint, code)

    def key(self, document: Document, path: Path, message: str, hint: str = "") -> None:
        """Note one problem with the key that leads to `path`, or with the object behind it as a whole."""
        self.add(document.key_position(path) if path else document.position(), message, hint)

    def take(self, error: InvalidDesiredError) -> None:
        """Take over the problems of one file."""
        self._found.update(dict.fromkeys(error.problems))

    def take_new(self, others: Problems, said: set[Position]) -> None:
        """Take over what `others` found, one problem for each position that is not in `said`, and add it there."""
        for problem in others._found:
            place = Position(problem.file, problem.line, problem.column)
            if place not in said:
                self._found[problem] = None
        said.update(Position(problem.file, problem.line, problem.column) for problem in others._found)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._found)

    def refuse(self) -> None:
        """End here when there is any.

        Raises:
            InvalidDesiredError: with all of them, sorted.
        """
        if self._found:
            raise InvalidDesiredError(tuple(self._found))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` where one of `known` is near, else the empty string."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def choice(word: str, known: Iterable[str]) -> str:
    """A hint for a word that is none of `known`: the near one, or all of them when they are few."""
    names = sorted(known)
    if near := did_you_mean(word, names):
        return near
    return f"known: {', '.join(names)}" if 0 < len(names) <= _FEW else ""


_FEW = 12
"""So many names are listed in a hint; more would hide the message."""
