"""Parts of rules that more than one action has (manual, section 4.3 "Actions")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.parts import Rest
from haoam_sync.haproxycfg.values import TEXT, Shape
from haoam_sync.haproxycfg.words import Obj


@dataclass(frozen=True, slots=True)
class IntegerOrExpression:
    """A number in one field, or an expression in another; never both."""

    integer: str
    expression: str
    lead: bool = False
    starts: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.integer, self.expression)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get(self.integer)
        out.append(str(obj.get(self.expression) or "" if value is None else value))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        if words[at].lstrip("-").isdigit():
            obj[self.integer] = int(words[at])
            return at + 1
        return Rest(self.expression).read(words, at, obj, stops)


@dataclass(frozen=True, slots=True)
class AlwaysKeyed:
    """`KEYWORD VALUE`, written even when there is no value."""

    field: str
    keyword: str
    shape: Shape = TEXT
    empty: str = ""
    lead: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return (self.keyword,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get(self.field)
        out.append(self.keyword)
        out.append(self.empty if self.shape.missing(value) else self.shape.show(value))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        if at + 1 < len(words) and words[at + 1] not in stops:
            value = self.shape.read(words[at + 1])
            if value != 0 or self.shape.zero:
                obj[self.field] = value
            return at + 2
        return at + 1


PAYLOADS = frozenset({"", "string", "lf-string", "file", "lf-file"})
"""Formats of a returned content that take any status code; the others take those of error files."""
ERROR_CODES = frozenset({200, 400, 403, 404, 405, 407, 408, 410, 413, 425, 429, 500, 503, 504})
_CODES = range(200, 510)


@dataclass(frozen=True, slots=True)
class Status:
    """`deny_status CODE`, or `status CODE`: the older and the newer keyword of one field.

    A code from 510 on is accepted and not written (measured).
    """

    field: str
    keyword: str
    lead: bool = False
    starts: tuple[str, ...] = ("deny_status", "status")

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get(self.field)
        codes = _CODES if (obj.get("return_content_format") or "") in PAYLOADS else ERROR_CODES
        if value is not None and value in codes:
            out += [self.keyword, str(value)]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj[self.field] = int(words[at + 1])
        return at + 2


@dataclass(frozen=True, slots=True)
class RedirectTarget:
    """`location X`, `prefix X` or `scheme X`: written first, read wherever it stands (measured)."""

    lead: bool = False
    fields: tuple[str, ...] = ("redir_type", "redir_value")
    starts: tuple[str, ...] = ("location", "prefix", "scheme")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out += [obj.get("redir_type") or "", obj.get("redir_value") or ""]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj["redir_type"], obj["redir_value"] = words[at], words[at + 1]
        return at + 2


@dataclass(frozen=True, slots=True)
class RedirectOption:
    """What follows a redirection's target. The server reads two words at a time and keeps the last two (measured)."""

    lead: bool = False
    fields: tuple[str, ...] = ("redir_option",)
    starts: tuple[str, ...] = ()

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = obj.get("redir_option")
        if value:
            out.append(value)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        end = at + 1
        while end < len(words) and words[end] not in stops:
            end += 1
        count = end - at
        if count > 1 and count % 2:
            raise ValueError("an odd number of words")
        obj["redir_option"] = " ".join(words[max(at, end - 2) : end])
        return end


@dataclass(frozen=True, slots=True)
class MarkOrExpression:
    """The value of `set-fc-mark` and its like: an expression, and behind it the older literal field (measured)."""

    literal: str
    lead: bool = False
    starts: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return ("expr", self.literal)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        value = f"{obj.get('expr') or ''}{obj.get(self.literal) or ''}"
        if value:
            out.append(value)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        return Rest("expr").read(words, at, obj, stops)


_BEFORE_CONTENT = ("deny_status", "return_status_code", "return_content_type", "status")


@dataclass(frozen=True, slots=True)
class ReturnContent:
    """`default-errorfiles`, or a format and its content: `string "..."`, `file PATH`.

    The server does not read `default-errorfiles` when it is the first argument and others follow (measured).
    """

    lead: bool = False
    fields: tuple[str, ...] = ("return_content_format", "return_content")
    starts: tuple[str, ...] = (
        "default-errorfiles",
        "errorfile",
        "errorfiles",
        "file",
        "lf-file",
        "string",
        "lf-string",
    )

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        form = obj.get("return_content_format")
        if form:
            out.append(form)
            content = obj.get("return_content")
            if content and form != "default-errorfiles":
                out.append(content)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:
        """See Part."""
        following = at + 1
        if words[at] == "default-errorfiles":
            if following == len(words) or any(obj.get(field) for field in _BEFORE_CONTENT):
                obj["return_content_format"] = words[at]
            return following
        obj["return_content_format"] = words[at]
        if following == len(words) or words[following] in stops:
            return following
        obj["return_content"] = words[following]
        return following + 1


_WITHOUT_HEADERS = frozenset({"default-errorfiles", "errorfile", "errorfiles"})


@dataclass(frozen=True, slots=True)
class ReturnHeaders:
    """`hdr NAME FORMAT`, once for each header; they are lost beside error files (measured)."""

    field: str = "return_hdrs"
    lead: bool = False
    starts: tuple[str, ...] = ("hdr",)

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.field,)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        if obj.get("return_content_format") in _WITHOUT_HEADERS:
            return
        for header in obj.get(self.field) or ():
            out += ["hdr", header.get("name") or "", header.get("fmt") or ""]

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj.setdefault(self.field, []).append({"name": words[at + 1], "fmt": words[at + 2]})
        return at + 3
