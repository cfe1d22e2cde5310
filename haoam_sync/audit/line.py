r"""A record as one line of bytes, both ways.

The line is the RFC 8785 form of the record and `\n`. Canonical means that there is one spelling only: duplicate
members, white space, other escapes and anything after the object make another line, and are refused.
"""

from __future__ import annotations

import json
from typing import Final, NoReturn, cast

import rfc8785

from haoam_sync.audit.codes import EVENT_OF_CODE
from haoam_sync.errors import AuditError
from haoam_sync.model.json import Json, canonical_json, digest_bytes
from haoam_sync.model.record import Entry, Record

NO_RECORD: Final = "sha256:" + "0" * 64
"""`prev` of the first record."""
MAX_LINE: Final = 64 * 1024 * 1024
"""Bytes, the newline included. Bounds what a hostile log can make its reader hold."""
_SAFE_INTEGER: Final = 2**53 - 1


class BrokenLineError(ValueError):
    """A line that is no record.

    Attributes:
        record: the record, where the line is well-formed and only its hash is wrong; else None.
    """

    def __init__(self, message: str, record: Record | None = None) -> None:
        super().__init__(message)
        self.record = record


def encode(entry: Entry, *, seq: int, time: str, prev: str) -> tuple[bytes, str]:
    """The line of a record, and its hash.

    Raises:
        AuditError: a value cannot be written in canonical JSON, or the line would be longer than MAX_LINE.
    """
    unhashed = Record(seq, time, entry, prev, "").unhashed()
    try:
        hashed = digest_bytes(canonical_json(unhashed))
        line = canonical_json({**unhashed, "hash": hashed}) + b"\n"
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise AuditError(
            f"a {entry.event} record cannot be written in canonical JSON: {error}", code="E_AUDIT_WRITE"
        ) from error
    if len(line) > MAX_LINE:
        raise AuditError(f"a {entry.event} record would take {len(line)} bytes", code="E_AUDIT_WRITE")
    return line, hashed


def decode(line: bytes) -> Record:
    """Read a line, without its newline.

    Raises:
        BrokenLineError: it is no record in canonical form, or does not give the hash that it carries.
    """
    try:
        members, plain = _members(line)
        record = Record.parse(members)
    except (ValueError, OverflowError, RecursionError) as error:
        raise BrokenLineError(str(error)) from error
    event = EVENT_OF_CODE.get(record.entry.code)
    if event is None or event.label != record.entry.event:
        raise BrokenLineError(f"no event is called {record.entry.event} with the code {record.entry.code}")
    unhashed = _canonical({name: value for name, value in members.items() if name != "hash"}, plain=plain)
    if not _is_line_without_hash(line, unhashed, record.hash):
        raise BrokenLineError("not in canonical form (RFC 8785)")
    if digest_bytes(unhashed) != record.hash:
        raise BrokenLineError("the content gives another hash than the record carries", record)
    return record


def _is_line_without_hash(line: bytes, unhashed: bytes, hashed: str) -> bool:
    """Whether `line` is `unhashed` with the member `hash` put in.

    Saves encoding the record twice. `hash` is never the first or last member, so a comma follows it; the same text may
    stand in a nested object, so every place is tried.
    """
    member = f'"hash":"{hashed}",'.encode()
    if len(line) != len(unhashed) + len(member):
        return False
    place = line.find(member)
    while place >= 0:
        if line.startswith(unhashed[:place]) and line.endswith(unhashed[place:]):
            return True
        place = line.find(member, place + 1)
    return False


def _members(line: bytes) -> tuple[dict[str, Json], bool]:
    """The members of the line, and whether the C encoder can give its canonical form.

    It can, and ten times faster, unless there are keys beyond ASCII (RFC 8785 sorts them by UTF-16) or doubles (written
    as ECMAScript does).
    """
    text = line.decode("utf-8", "strict")
    plain = text.isascii()
    try:
        value: Json = _PLAIN.decode(text)
    except _FractionFound:
        plain, value = False, _FULL.decode(text)
    if not isinstance(value, dict):
        raise ValueError("record: expected an object")  # noqa: TRY004  # one exception for all that is malformed
    return cast("dict[str, Json]", value), plain


def _canonical(value: dict[str, Json], *, plain: bool) -> bytes:
    try:
        return _ENCODER.encode(value).encode() if plain else canonical_json(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise BrokenLineError(f"not in canonical form (RFC 8785): {error}") from error


class _FractionFound(Exception):  # noqa: N818  # no error: it chooses the slower decoder
    """A number is not a whole one below 2**53."""


def _fraction(text: str) -> float:
    raise _FractionFound(text)


def _integer(text: str) -> int:
    value = int(text)
    if abs(value) > _SAFE_INTEGER:
        raise _FractionFound(text)
    return value


def _number(text: str) -> int | float:
    """As ECMAScript reads it: beyond 2**53 a number without a fraction is a double, too."""
    value = int(text)
    return value if abs(value) <= _SAFE_INTEGER else float(value)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


_PLAIN: Final = json.JSONDecoder(parse_float=_fraction, parse_int=_integer, parse_constant=_constant)
_FULL: Final = json.JSONDecoder(parse_int=_number, parse_constant=_constant)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"))
