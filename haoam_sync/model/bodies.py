"""Section bodies as JSON, and the `metadata` in them: comments and marks, which are no configuration.

`metadata` is a field of sections and of their children. Where children stand by their name (`servers`, `users`), it is
a name like any other: a server may be called `metadata`, and is a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haoam_sync.model.json import Json, JsonObject

METADATA = "metadata"
NAMED_FIELDS = frozenset(
    {
        "binds",
        "crt_loads",
        "dgram_binds",
        "groups",
        "mailer_entries",
        "nameservers",
        "peer_entries",
        "server_templates",
        "servers",
        "tables",
        "users",
    }
)
"""Fields whose objects stand by name; tests/shape holds this equal to the models."""


_SCALARS = frozenset({str, int, bool, float, type(None)})


def without_metadata(body: JsonObject) -> JsonObject:
    """`body` without the metadata of the section and of everything in it; itself when it has none."""
    return _stripped(body) if _has_metadata(body) else body


def _has_metadata(value: Json) -> bool:
    """Whether anything in `value` is called metadata: looking costs a third of copying."""
    if type(value) in _SCALARS:
        return False
    if type(value) is dict or isinstance(value, Mapping):
        if METADATA in value:
            return True
        for inner in value.values():  # noqa: SIM110  # a generator costs more than the work, ten thousand times
            if type(inner) not in _SCALARS and _has_metadata(inner):
                return True
        return False
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(_has_metadata(inner) for inner in value)
    return False


def _stripped(value: JsonObject) -> dict[str, Json]:
    return {key: _inner(inner, named=key in NAMED_FIELDS) for key, inner in value.items() if key != METADATA}


def _inner(value: Json, *, named: bool) -> Json:
    if type(value) in _SCALARS:  # most values are; asking abstract classes takes far longer
        return value
    if isinstance(value, Mapping):
        return {name: _inner(child, named=False) for name, child in value.items()} if named else _stripped(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_inner(item, named=False) for item in value]
    return value


def with_metadata(target: JsonObject, there: JsonObject | None) -> dict[str, Json]:
    """`target` with the metadata that `there` has, on the section and on what is still in it."""
    return dict(target) if there is None or not _has_metadata(there) else _merged(target, there)


def _merged(wanted: JsonObject, current: JsonObject) -> dict[str, Json]:
    merged = {key: _both(value, current.get(key), named=key in NAMED_FIELDS) for key, value in wanted.items()}
    if isinstance(current.get(METADATA), Mapping):
        merged[METADATA] = current[METADATA]
    return merged


def _both(wanted: Json, current: Json, *, named: bool) -> Json:
    if isinstance(wanted, Mapping) and isinstance(current, Mapping):
        if named:
            return {name: _both(child, current.get(name), named=False) for name, child in wanted.items()}
        return _merged(wanted, current)
    if _is_list(wanted) and _is_list(current):
        return _lists(wanted, current)
    return wanted


def _lists(wanted: Json, current: Json) -> Json:
    """Entries of lists have no names: one that is still there as it was keeps its metadata."""
    left = list(current) if isinstance(current, Sequence) else []
    merged = []
    for item in wanted if isinstance(wanted, Sequence) else ():
        twin = next((other for other in left if isinstance(other, Mapping) and _stripped(other) == item), None)
        if twin is None:
            merged.append(item)
        else:
            left.remove(twin)
            merged.append(twin)
    return merged


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
