"""Values deep inside JSON, by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from haoam_sync.documents import Path
from haoam_sync.model.json import Json, JsonObject


def dotted(path: Path) -> str:
    """`servers.s1.port`."""
    return ".".join(str(step) for step in path)


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
    if not pattern:
        if isinstance(value, str):
            yield path, value
        return
    head, rest = pattern[0], pattern[1:]
    if isinstance(value, Mapping):
        for key in value if head == "*" else (head,):
            if key in value:
                yield from matching(value[key], rest, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and head == "*":
        for index, item in enumerate(value):
            yield from matching(item, rest, (*path, index))


def texts(value: Json, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in `value`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))
