"""The server's words for a body that is no JSON, or JSON of the wrong type."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from haoam_sync.lab.refusal import Refusal
from haoam_sync.model.api_version import NEWEST, ApiVersion

_NEAR, _FAR = 10, 50
"""How many bytes on each side the server shows of what it stumbled over."""
_BEYOND = 2**63
_ESCAPES = frozenset('"\\/bfnrtu')


def type_error(raw: bytes, api: ApiVersion, value: Any, field: str, wanted: str) -> Refusal:
    """400 (for 3.4, a body that is no object at all: 422) for a value of another type than the model's."""
    into = f"Go struct field {field}" if field else f"Go value of type {wanted}"
    of_type = f" of type {wanted}" if field else ""
    text = raw.decode(errors="replace").rstrip()
    words = (
        f"unmarshalerDecoder: json: cannot unmarshal {_called(value)} into {into}{of_type}, {_near(text, len(text))}"
    )
    if api >= NEWEST:
        if not field:
            return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "value must be an object")
        return Refusal(HTTPStatus.BAD_REQUEST, words)
    return Refusal(HTTPStatus.BAD_REQUEST, f'parsing data body from "" failed, because {words}')


def list_error(raw: bytes, api: ApiVersion, element: str, *, wrong: Any = None) -> Refusal:
    """The same for a body that is no array, or an array in which `wrong` is no object."""
    if api >= NEWEST:
        words = "value must be an array" if wrong is None else "value must be an object"
        return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, words)
    text = raw.decode(errors="replace")
    name = f"models.{'Acl' if element == 'ACL' else element}s"
    if wrong is None:
        at = len(text) - len(text.lstrip())
        words = f"{name}: decode slice: expect [ or n, but found {text[at]}, {_near(text, at + 1)}"
    else:
        begin = json.dumps(wrong)[0]
        at = text.index(begin, text.index("[") + 1)
        words = f"{name}: readObjectStart: expect {{ or n, but found {begin}, {_near(text, at + 1)}"
    return Refusal(HTTPStatus.BAD_REQUEST, f'parsing data body from "" failed, because {words}')


def go_name(model: str) -> str:
    """A model's name as the server spells it in messages."""
    for ours, theirs in (("Http", "HTTP"), ("Tcp", "TCP"), ("Acl", "ACL"), ("Fcgi", "FCGI"), ("Ssl", "SSL")):
        if model.startswith(ours):
            return theirs + model[len(ours) :]
    return _OTHER_NAMES.get(model, model)


_OTHER_NAMES = {"Peers": "PeerSection", "Resolvers": "Resolver", "Mailers": "MailersSection"}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _called(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case float():
            return f"number {value}"
        case int():
            return "number" if abs(value) < _BEYOND else f"number {value}"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def syntax_error(text: str, api: ApiVersion) -> Refusal:
    """400 for a body that is no JSON."""
    if api >= NEWEST:
        return Refusal(HTTPStatus.BAD_REQUEST, f"failed to decode request body: {_go_words(text)}")
    operation, words, at = _stumble(text)
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f'parsing data body from "" failed, because {operation}: {words}, {_near(text, at)}',
    )


def _near(text: str, head: int) -> str:
    begin, end = max(head - _NEAR, 0), min(head + _NEAR, len(text))
    far_begin, far_end = max(head - _FAR, 0), min(head + _FAR, len(text))
    return (
        f"error found in #{head - begin} byte of ...|{text[begin:end]}|..., "
        f"bigger context ...|{text[far_begin:far_end]}|..."
    )


class _Stumbled(Exception):  # noqa: N818 - how the reader below says where it stopped
    def __init__(self, operation: str, words: str, at: int, go: str) -> None:
        super().__init__(words)
        self.operation, self.words, self.at, self.go = operation, words, at, go


def _stumble(text: str) -> tuple[str, str, int]:
    """Where and why API 3.2 stops reading: what it was doing, what it met, how many bytes it had read."""
    try:
        _Reader(text).value()
    except _Stumbled as stumbled:
        return stumbled.operation, stumbled.words, stumbled.at
    return "Skip", "do not know how to skip: 0", len(text)


def _go_words(text: str) -> str:
    """What API 3.4 says of it."""
    try:
        _Reader(text).value()
    except _Stumbled as stumbled:
        return stumbled.go
    return "unexpected EOF"


class _Reader:
    """Reads JSON only to find out where it goes wrong."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _next(self) -> str:
        """The next byte that is no white space, read; NUL at the end."""
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character not in " \t\r\n":
                return character
        return "\0"

    def _fail(self, operation: str, words: str, character: str, expectation: str) -> _Stumbled:
        """Going wrong at `character`, the one just read."""
        if character == "\0":
            go = "EOF" if not self._text.strip() else "unexpected EOF"
        else:
            shown = "'\\''" if character == "'" else f"'{character}'"
            go = f"invalid character {shown} {expectation}"
        return _Stumbled(operation, words, self._at, go)

    def value(self) -> None:
        """One value."""
        character = self._next()
        match character:
            case "{":
                self._object()
            case "[":
                self._array()
            case '"':
                self._string(character)
            case "t" | "f" | "n":
                self._word({"t": "true", "f": "false", "n": "null"}[character])
            case _ if character in "-0123456789":
                self._number(character)
            case _:
                if character == "\0":
                    at = 0 if not self._text.strip() else self._at
                    raise _Stumbled("Skip", "do not know how to skip: 0", at, self._fail("", "", "\0", "").go)
                raise self._fail(
                    "Skip", f"do not know how to skip: {ord(character)}", character, "looking for beginning of value"
                )

    def _object(self) -> None:
        character = self._next()
        if character == "}":
            return
        if character != '"':
            raise self._fail(
                "ReadObjectCB",
                f'expect " after {{, but found {character}',
                character,
                "looking for beginning of object key string",
            )
        while True:
            self._string(character)
            character = self._next()
            if character != ":":
                raise self._fail(
                    "ReadObject", f"expect : after object field, but found {character}", character, "after object key"
                )
            self.value()
            character = self._next()
            if character == "}":
                return
            if character != ",":
                raise self._fail("ReadObjectCB", "object not ended with }", character, "after object key:value pair")
            character = self._next()
            if character != '"':
                raise self._fail(
                    "ReadString",
                    f'expects " or n, but found {character}',
                    character,
                    "looking for beginning of object key string",
                )

    def _array(self) -> None:
        if self._text[self._at :].lstrip().startswith("]"):
            self._next()
            return
        while True:
            self.value()
            character = self._next()
            if character == "]":
                return
            if character != ",":
                raise self._fail(
                    "ReadArrayCB", f"expect ] in the end, but found {character}", character, "after array element"
                )

    def _number(self, first: str) -> None:
        begin = self._at
        while self._at < len(self._text) and self._text[self._at] in "0123456789+-.eE":
            self._at += 1
        if first == "-" and self._at == begin:
            found = self._text[begin : begin + 1]
            go = f"invalid character '{found}' in numeric literal" if found else "unexpected EOF"
            raise _Stumbled("readNumberAsString", "invalid number", begin, go)

    def _string(self, quote: str) -> None:
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == "\\":
                escape = self._text[self._at : self._at + 1]
                self._at += 1
                if escape and escape not in _ESCAPES:
                    words = "invalid escape char after \\"
                    go = f"invalid character '{escape}' in string escape code"
                    raise _Stumbled("readEscapedChar", words, self._at, go)
            elif character == quote:
                return
        raise _Stumbled("readStringSlowPath", "unexpected end of input", len(self._text), "unexpected EOF")

    def _word(self, word: str) -> None:
        rest = word[1:]
        if self._text[self._at : self._at + len(rest)] == rest:
            self._at += len(rest)
            return
        names = {3: "Three", 4: "Four"}
        at = min(self._at + len(rest), len(self._text))
        go = "unexpected EOF"
        for place, wanted in enumerate(rest, self._at):
            found = self._text[place : place + 1]
            if found and found != wanted:
                go = f"invalid character '{found}' in literal {word} (expecting '{wanted}')"
            if found != wanted:
                break
        raise _Stumbled(f"skip{names[len(rest)]}Bytes", f"expect {rest}", at, go)
