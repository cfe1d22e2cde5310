"""Section bodies as JSON: pure changes of shape that the plan needs. Nothing here knows what a plan is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.secret import secret_paths
from haoam_sync.model.section import SectionKind

Path = tuple[str | int, ...]


def take(target: dict[str, Json], there: JsonObject, path: Path) -> dict[str, Json]:
    """`target` with the values at `path` (with `*`) as they are in `there`, absent where they are absent there.

    A number in the path is a place in a list: of two lists, entries at the same place are taken for the same.
    """
    head, rest = path[0], path[1:]
    result = dict(target)
    keys: Iterable[str] = {*target, *there} if head == "*" else (str(head),)
    for key in keys:
        if not rest:
            if key in there:
                result[key] = there[key]
            else:
                result.pop(key, None)
            continue
        wanted, current = target.get(key), there.get(key)
        if isinstance(wanted, Mapping):
            result[key] = take(dict(wanted), current if isinstance(current, Mapping) else {}, rest)
        elif is_list(wanted) and is_list(current) and isinstance(rest[0], int) and len(rest) > 1:
            result[key] = _take_in_list(wanted, current, rest[0], rest[1:])
    return result


def _take_in_list(target: Json, there: Json, place: int, path: Path) -> Json:
    """A list whose entry at `place` has the value at `path` as it is in the other list."""
    wanted, current = at(target, (place,)), at(there, (place,))
    if not isinstance(wanted, Mapping) or not isinstance(current, Mapping):
        return target
    return replaced(target, [(place,)], take(dict(wanted), current, path))


def mapped(value: JsonObject, change: Callable[[str], str]) -> dict[str, Json]:
    """`value` with every text replaced by `change(text)`."""

    def walk(item: Json) -> Json:
        if isinstance(item, str):
            return change(item)
        if isinstance(item, Mapping):
            return {key: walk(inner) for key, inner in item.items()}
        if isinstance(item, Sequence):
            return [walk(inner) for inner in item]
        return item

    return {key: walk(inner) for key, inner in value.items()}


def replaced(value: Json, paths: Sequence[Path], by: Json) -> Json:
    """`value` with what stands at each of `paths` replaced."""
    if any(not path for path in paths):
        return by
    if isinstance(value, Mapping):
        return {
            key: replaced(inner, [path[1:] for path in paths if path[0] == key], by) for key, inner in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [
            replaced(inner, [path[1:] for path in paths if path[0] == index], by) for index, inner in enumerate(value)
        ]
    return value


def at(value: Json, path: Path) -> Json:
    """What stands at `path`, None where nothing does."""
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def without_secrets(kind: SectionKind, body: JsonObject, target: JsonObject | None) -> JsonObject:
    """`body` with each secret replaced by whether it is the wanted one: a digest of it is no oracle for passwords."""
    result: Json = body
    for path in secret_paths(kind, body):
        verdict = "secret"
        if target is not None:
            verdict = "matches" if at(target, path) == at(body, path) else "differs"
        result = replaced(result, [path], verdict)
    return result if isinstance(result, Mapping) else body


def is_list(value: Json) -> bool:
    """Whether `value` is a JSON array."""
    return isinstance(value, Sequence) and not isinstance(value, str)
