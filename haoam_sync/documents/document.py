"""The documents of a file, each with a way to where its values stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from haoam_sync.documents.building import Builder, Source
from haoam_sync.documents.text import decoded
from haoam_sync.documents.values import DEFAULT_BOUNDS, Bounds, Path, Value
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.position import Position


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in its file's text, for edits that leave everything else as it is.

    Attributes:
        start: of its first character, counted from 0.
        end: behind its last one; of a collection in block style, behind its last scalar.
        flow: whether it stands in brackets.
    """

    start: int
    end: int
    flow: bool


@dataclass(frozen=True)
class Document:
    """One document of a file.

    Attributes:
        value: its content: dict, list, str, int, float, bool, None. Never the empty document.
        file: path in the repository.
        start: where it begins.
        index: its place in the file, empty documents counted.
    """

    value: Value
    file: str
    start: Position
    _source: Source = field(repr=False, compare=False)
    index: int = field(repr=False)

    def position(self, path: Path = ()) -> Position:
        """Where the value at `path` begins; where there is none, the nearest thing that encloses it."""
        if not path:
            return self.start
        return self._find(self._source.places[self.index].values, path)

    def key_position(self, path: Path = ()) -> Position:
        """Where the key that leads to `path` begins; an item of a list has no key, so its own beginning."""
        if path and isinstance(path[-1], int):
            return self.position(path)
        return self._find(self._source.places[self.index].keys, path)

    def span(self, path: Path) -> Span:
        """Where the value at `path` stands; there must be one."""
        places = self._source.places[self.index]
        start, end = places.spans[path]
        inside = (last for other, (_, last) in places.spans.items() if other[: len(path)] == path)
        return Span(start, max(end, *inside), path in places.flow)

    def _find(self, places: dict[Path, Position], path: Path) -> Position:
        while path and path not in places:
            path = path[:-1]
        return places.get(path, Position(self.file))


def load(data: bytes, file: str, bounds: Bounds = DEFAULT_BOUNDS) -> tuple[Document, ...]:
    """Every document of a file that is not empty.

    Args:
        data: the file's bytes, UTF-8.
        file: its path in the repository, for messages.
        bounds: how much it may hold.

    Raises:
        InvalidDesiredError: with everything that is wrong with it, each at its position.
    """
    source = Source(decoded(data, file, bounds), file, bounds)
    builder = Builder(source)
    values = builder.run()
    if builder.problems:
        raise InvalidDesiredError(tuple(builder.problems))
    found = enumerate(zip(values, builder.starts, strict=True))
    return tuple(Document(value, file, start, source, index) for index, (value, start) in found if value is not None)


def to_remember(found: Sequence[Document]) -> list[list[Value]]:
    """The documents of a file as JSON that `recall` makes the same documents of."""
    return [[one.index, one.start.line, one.start.column, one.value] for one in found]


def recall(data: bytes, file: str, parts: Sequence[Sequence[Value]]) -> tuple[Document, ...]:
    """The documents of a file that was read before.

    Args:
        data: the file's bytes, the same as then.
        file: its path now.
        parts: what `to_remember` made of its documents then.

    Raises:
        ValueError, TypeError, IndexError: `parts` is nothing of the kind.
    """
    source = Source(data.decode(), file, DEFAULT_BOUNDS)
    found = []
    for index, line, column, value in parts:
        if not isinstance(index, int) or not isinstance(line, int) or not isinstance(column, int):
            raise TypeError("a place is three numbers")
        found.append(Document(value, file, Position(file, line, column), source, index))
    return tuple(found)
