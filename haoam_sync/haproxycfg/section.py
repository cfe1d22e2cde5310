"""One section: JSON to text and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from haoam_sync.errors import HaoamError
from haoam_sync.haproxycfg.table import table
from haoam_sync.haproxycfg.words import Obj, ended, read_metadata, split
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.desired import DesiredSection
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import MARKED_KINDS, SectionKind

CODEC_VERSION = "2"
"""Part of change digests; raised whenever the canonical form of anything changes."""

_KINDS = {kind.value: kind for kind in SectionKind}
_INHERITING = frozenset({SectionKind.DEFAULTS, SectionKind.FRONTEND, SectionKind.BACKEND})


class CodecError(HaoamError):
    """A section that is no section, or an object that has no text."""

    exit = 3
    default_code = "E_CODEC"


@dataclass(frozen=True, slots=True)
class Section:
    """A section as the Data Plane API would read it back.

    Attributes:
        kind: of section.
        name: "" for `global`.
        body: the `full_section` object.
    """

    kind: SectionKind
    name: str
    body: JsonObject = field(repr=False)


def render(kind: SectionKind, body: JsonObject, api: ApiVersion, *, complete: bool = False) -> str:
    """The text of a section as the server writes it: lines in its order, indented by two, no newline at the end.

    Fields that the server accepts and loses leave no trace here either; `lost` names them. With `complete`, those parts
    are there that it drops from a whole section and takes by themselves (see `table`).

    Raises:
        CodecError: the object has no name, or a rule has no such action.
    """
    lines: list[str] = []
    try:
        lines.append(_header(kind, body))
        table(kind, api, complete=complete).write(cast("Mapping[str, Any]", body), lines)
    except (KeyError, TypeError, AttributeError) as error:
        where = f"{kind.value} {body.get('name', '')}".strip()
        raise CodecError(
            f"this object has no text: {error.__class__.__name__} {error}", where=where, hint="check it with validate"
        ) from error
    return "\n  ".join(lines)


def _header(kind: SectionKind, body: Mapping[str, Any]) -> str:
    if kind is SectionKind.GLOBAL:
        return kind.value
    words = [kind.value, str(body["name"])]
    if body.get("from") and kind in _INHERITING:
        words += ["from", str(body["from"])]
    return ended(words, body.get("metadata") if kind in MARKED_KINDS else None)


def parse(text: str, api: ApiVersion, *, complete: bool = False) -> Section:
    """The section in `text`, as the server would read it back.

    Comments and lines that no row knows stay out of the JSON; they live on in the text. With `complete`, parts are
    there that it shows only when they are asked for by themselves.

    Raises:
        CodecError: `text` does not begin with a known section.
    """
    lines = text.split("\n")
    at = next((place for place, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), None)
    if at is None:
        raise CodecError("there is no section in this text", hint="it must begin with a line such as `backend NAME`")
    words, comment = split(lines[at])
    kind = _KINDS.get(words[0])
    if kind is None:
        raise CodecError(f"{words[0]!r} is no section that this tool knows", where=" ".join(words[:2]))
    body = read_header(kind, words, comment)
    known = table(kind, api, complete=complete)
    for line in lines[at + 1 :]:
        if line:
            read_line(known, line, body)
    return Section(kind, body.get("name", ""), body)


def read_header(kind: SectionKind, words: list[str], comment: str | None) -> Obj:
    """The body that the first line of a section makes."""
    body: Obj = {}
    if kind is SectionKind.GLOBAL:
        return body
    if len(words) > 1:
        body["name"] = words[1]
    if words[2:3] == ["from"] and len(words) > len(("kind", "name", "from")) and kind in _INHERITING:
        body["from"] = words[3]
    if comment and kind in MARKED_KINDS:
        body["metadata"] = read_metadata(comment)
    return body


def read_line(known: Any, line: str, body: Obj) -> None:
    """Put what one line of a section says into `body`."""
    words, comment = split(line)
    row = known.row(words)
    if row is None:
        return
    try:
        row.read(words, comment, body)
    except (ValueError, LookupError, StopIteration):
        return  # the server keeps such a line as text, too


def canonical(kind: SectionKind, body: JsonObject, api: ApiVersion) -> JsonObject:
    """What the server will have after `body` was written, every part of it, whichever requests that takes."""
    return parse(render(kind, body, api, complete=True), api, complete=True).body


def canonical_of(section: DesiredSection, api: ApiVersion) -> JsonObject:
    """`canonical` of a declared section's body, worked out once for each object.

    Proving a commit, planning it and applying it ask for the same sections one after the other.
    """
    found = section.forms.get(api)
    if found is None:
        found = section.forms[api] = canonical(section.id.kind, section.body, api)
    return found
