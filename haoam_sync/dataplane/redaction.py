"""What is secret in what goes to and comes from an instance, by field type.

Sections are JSON, so their secrets are found by `model.secret.SECRET_FIELDS`. Raw text is whole: of it nothing is ever
shown, and the values after HAProxy's own secret keywords are collected so that error messages can be masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.secret import secret_paths
from haoam_sync.model.section import SectionKind

REDACTED: JsonObject = {"secret": "redacted"}
_IN_TEXT = re.compile(
    r"(?:^[ \t]*(?:user[ \t]+\S+[ \t]+(?:insecure-)?password[ \t]|stats[ \t]+auth[ \t]+[^\s:]+:)"
    r"|\b(?:dynamic-cookie-key|cluster-secret|ca-sign-pass)[ \t])[ \t]*(\"[^\"]*\"|\S+)",
    re.MULTILINE,
)


def redacted(kind: SectionKind, body: JsonObject) -> JsonObject:
    """`body` with every secret-typed value replaced by `{"secret": "redacted"}`."""
    shown: Json = body
    for path in secret_paths(kind, body):
        shown = _replaced(shown, path)
    return shown if isinstance(shown, Mapping) else REDACTED


def secrets_in(kind: SectionKind, body: JsonObject) -> Iterator[str]:
    """The secret-typed values in `body`."""
    for path in secret_paths(kind, body):
        value: Json = body
        for key in path:
            match value, key:
                case Mapping(), str():
                    value = value[key]
                case Sequence(), int():
                    value = value[key]
        if isinstance(value, str):
            yield value


def secrets_in_text(text: str) -> Iterator[str]:
    """The values after secret keywords in the text of a haproxy.cfg, in whatever section they stand."""
    for found in _IN_TEXT.finditer(text):
        yield found[1]
        yield found[1].strip('"')


def _replaced(value: Json, path: tuple[str | int, ...]) -> Json:
    if not path:
        return REDACTED
    head, rest = path[0], path[1:]
    match value, head:
        case Mapping(), str():
            return {**value, head: _replaced(value[head], rest)}
        case Sequence(), int():
            return [*value[:head], _replaced(value[head], rest), *value[head + 1 :]]
        case _:
            return REDACTED
