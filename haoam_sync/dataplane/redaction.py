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

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(.*?)(?=-----END|\Z)", re.DOTALL)
_PIECE = 8
"""Base64 digits of a key that are worth a mask: less of it says nothing, and could be a word."""
_TOKENS = re.compile(r"[^\s\"'()<>{}\[\],;=]+")
_WORD = 6
"""Characters of a word of a secret file that are worth a mask."""
REDACTED: JsonObject = {"secret": "redacted"}


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


def private_keys_in(pem: bytes) -> Iterator[str]:
    """The private keys in a PEM file, whole and line by line: an answer may break them where it likes."""
    for found in _PRIVATE_KEY.finditer(pem.decode("latin-1")):
        whole = found[1].strip()
        lines = [line for line in whole.split() if len(line) >= _PIECE]
        yield from (text for text in (whole, "".join(whole.split()), *lines) if len(text) >= _PIECE)


def words_in(content: bytes) -> Iterator[str]:
    """The lines of a file that is a secret, and their words: whoever reads it quotes one or the other."""
    for line in content.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if len(text) >= _PIECE:
            yield text
        yield from (word for word in (*text.split(), *_TOKENS.findall(text)) if len(word) >= _WORD)


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
