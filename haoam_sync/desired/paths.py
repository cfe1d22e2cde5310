"""Values deep inside JSON, by path.

The walks that every document goes through ask for `dict` and `list`, which is what YAML is read into and what variables
are filled into: asking for any mapping takes twice as long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from haoam_sync.documents import Path
from haoam_sync.model.json import Json, JsonObject

T = TypeVar("T")


def dotted(path: Path) -> str:
    """`servers.s1.port`."""
    return ".".join(str(step) for step in path)


def undotted(value: Json, text: str) -> Path:
    """The path that `dotted` made `text` of, as far as it leads into `value`; names may hold dots themselves."""
    parts = text.split(".")
    path: list[str | int] = []
    while parts:
        step: str | int = parts[0]
        used = 1
        if isinstance(value, Mapping):
            whole = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
            known = next((key for key in whole if key in value), None)
            if known is None:
                return (*path, *parts)
            step, used, value = known, known.count(".") + 1, value[known]
        elif isinstance(value, Sequence) and not isinstance(value, str) and parts[0].isdecimal():
            step = int(parts[0])
            value = value[step] if step < len(value) else None
        path.append(step)
        parts = parts[used:]
    return tuple(path)


def put(value: Json, path: Path, new: Json) -> Json:
    """`value` with what stands at `path` replaced; only what leads there is copied."""
    if not path:
        return new
    head, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        return {key: put(item, rest, new) if key == head else item for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [put(item, rest, new) if index == head else item for index, item in enumerate(value)]
    return value


def put_in(value: JsonObject, path: Path, new: Json) -> JsonObject:
    """The same for an object, at a path that is not empty."""
    return {key: put(item, path[1:], new) if key == path[0] else item for key, item in value.items()}


def at(value: Json, path: Path) -> Json:
    """What stands at `path`; None where nothing does."""
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(str(step))
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(step, int):
            value = value[step]
        else:
            return None
    return value


def matching(value: Json, pattern: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text at a path of this pattern: `*` stands for every key of an object and every index of a list."""
    reached: list[tuple[Path, Json]] = [(path, value)]
    for step in pattern:  # level by level, in the order of the document: most patterns end where a field is missing
        further: list[tuple[Path, Json]] = []
        for way, found in reached:
            if isinstance(found, dict):
                if step == "*":
                    further += [((*way, key), item) for key, item in found.items()]
                elif step in found:
                    further.append(((*way, step), found[step]))
            elif isinstance(found, list) and step == "*":
                further += [((*way, index), item) for index, item in enumerate(found)]
        if not further:
            return
        reached = further
    for way, found in reached:
        if isinstance(found, str):
            yield way, found


def written(value: Json) -> str:
    """`value` as JSON, to be searched for words of letters, digits, `_` and `-` that may stand in a text or key of it.

    By an encoder in C, which costs a tenth of walking through it. What was written last is kept: one value is searched
    for many things, one after the other. Values are never changed once they are read.
    """
    last, text = _written[0]
    if last is not value:
        text = json.dumps(value, default=dict)
        _written[0] = value, text
    return text


_written: list[tuple[Json, str]] = [(None, "null")]


class Patterns(Generic[T]):
    """Fields of a section that mean something, each a dotted path with `*` for any name or index.

    Most bodies hold few of them: which begin in a body is worked out once for each set of its fields.

    Args:
        fields: what each of them means, and its path.
    """

    def __init__(self, *fields: tuple[T, str]) -> None:
        self._fields = tuple((meaning, tuple(path.split("."))) for meaning, path in fields)
        self._beginning: dict[tuple[str, ...], tuple[tuple[T, tuple[str, ...]], ...]] = {}

    def found(self, body: JsonObject) -> Iterator[tuple[T, Path, str]]:
        """Every text at one of them: what it means, where it is, and the text."""
        names = tuple(body)
        fields = self._beginning.get(names)
        if fields is None:
            fields = tuple(field for field in self._fields if field[1][0] in body)
            if len(self._beginning) < _MOST_KEPT:
                self._beginning[names] = fields
        for meaning, pattern in fields:
            if (pattern[-1] if pattern[-1] != "*" else pattern[-2]) in written(body):
                for path, text in matching(body, pattern):
                    yield meaning, path, text


_MOST_KEPT = 4096


def texts(value: Json, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in `value`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))
