"""Configuration text as the lab holds it: sections in normal form, edited one at a time, all others as they were.

A `Document` is a value: every edit makes a new one that shares the sections it did not touch, so that twenty
transactions on ten thousand backends cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias, cast

from haoam_sync.haproxycfg import normal_form, parse, render
from haoam_sync.haproxycfg.inheritance import parents_first, source_of
from haoam_sync.haproxycfg.words import ended, read_metadata, split
from haoam_sync.lab.parts import PART_FIELDS, PART_KEYWORDS, begins_with
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionId, SectionKind

Body: TypeAlias = dict[str, Any]
"""A section or a part of one, as JSON with the API's field names."""

_KNOWN_KINDS = {kind.value: kind for kind in SectionKind}
_FOREIGN_RANK = len(SectionKind)
_CACHED_SECTIONS = 65_536
_TWO_WORDS = frozenset({"option", "no", "timeout", "stats", "errorfile"})
_COMMENT_IS_READ = frozenset(
    {
        SectionKind.RESOLVERS,
        SectionKind.PEERS,
        SectionKind.MAILERS,
        SectionKind.HTTP_ERRORS,
        SectionKind.LOG_FORWARD,
        SectionKind.FCGI_APP,
    }
)
"""Kinds beside frontend, backend and defaults for which the comment on the first line is `metadata`."""
_COMMENT_IS_WRITTEN = _COMMENT_IS_READ | {SectionKind.CACHE, SectionKind.RING}
"""Kinds for which `metadata` becomes that comment; for these two it is not read back."""

Key: TypeAlias = tuple[int, str, str]
"""Rank of the kind, keyword, name: sections of a kind are sorted by name, unknown kinds come last."""


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration without the two header lines.

    Attributes:
        preamble: comment lines above the first section, each ended by a newline; "" when there are none.
        sections: text of each section, with the comments in front of it, ended by a newline.
    """

    preamble: str
    sections: Mapping[Key, str]
    order: tuple[Key, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, text: str, api: ApiVersion) -> Document:
        """Bring `text` (header lines or not) into the normal form and cut it into sections.

        Comments above everything stay there, in front of whatever section comes first.

        Raises:
            CodecError: there are lines in no section.
        """
        preamble, rest = _above(without_header(text))
        normal = cls.of_normal(normal_form(rest, api))
        return cls(preamble + normal.preamble, normal.sections, normal.order)

    @classmethod
    def of_normal(cls, text: str) -> Document:
        """Cut text that is in normal form already."""
        preamble, blocks = _cut(text)
        sections: dict[Key, str] = {}
        for block in blocks:
            key = _key(block)
            sections[key] = f"{sections[key]}\n{block}" if key in sections else block
        return cls(preamble, sections, tuple(sections))

    def text(self) -> str:
        """The whole configuration, from the line after the header lines on."""
        body = "\n".join(self.sections[key] for key in self.order)
        separator = "\n" if body else ""
        return f"{self.preamble}{separator}{body}"

    def names(self, kind: SectionKind) -> tuple[str, ...]:
        """Names of the sections of a kind, in the order of the file."""
        return tuple(name for rank, _, name in self.order if rank == kind.rank)

    def has(self, section: SectionId) -> bool:
        """Whether there is such a section."""
        return _key_of(section) in self.sections

    def section_text(self, section: SectionId) -> str:
        """The lines of a section.

        Raises:
            KeyError: there is none.
        """
        return self.sections[_key_of(section)]

    def body(self, section: SectionId, api: ApiVersion) -> Body:
        """The whole section as JSON, parts included. Not to be changed: it is shared.

        Raises:
            KeyError: there is none.
        """
        return read_section(self.section_text(section), api)

    def put(self, section: SectionId, text: str) -> Document:
        """With this text for a section, in normal form already."""
        key = _key_of(section)
        sections = {**self.sections, key: text}
        order = self.order if key in self.sections else tuple(sorted((*self.order, key)))
        if section.kind is SectionKind.DEFAULTS:
            order = _parents_first(order, sections)
        return Document(self.preamble, sections, order)

    def put_body(self, section: SectionId, body: Body, api: ApiVersion) -> Document:
        """With a section that says what `body` says and nothing else; a `global` that says nothing is gone."""
        text = write_section(section.kind, body, api)
        if section.kind is SectionKind.GLOBAL and text == "global\n":
            return self.delete(section)
        return self.put(section, text)

    def put_own(self, section: SectionId, body: Body, api: ApiVersion) -> Document:
        """With the own fields of a section replaced; its parts stay, and lines that the API does not know."""
        header, kept, comments = _kept_lines(section.kind, self.section_text(section), api)
        own = {name: value for name, value in body.items() if name not in PART_FIELDS[section.kind]}
        rendered: list[str] = []
        for line in write_section(section.kind, own, api).splitlines():
            rendered += [*comments.pop(_keyword(line), ()), line]
        lines = [*header[:-1], *rendered, *kept]
        return self.put(section, _normal_section(lines, api))

    def put_lines(
        self, section: SectionId, keywords: tuple[str, ...], lines: Sequence[str], api: ApiVersion
    ) -> Document:
        """With these lines (indented) in place of those that begin with `keywords`; comments in front of them stay."""
        kept: list[str] = []
        comments: list[str] = []
        waiting: list[str] = []
        place = -1
        for line in self.section_text(section).splitlines():
            if line.lstrip().startswith("#"):
                waiting.append(line)
            elif line.startswith(" ") and begins_with(line, keywords):
                comments += waiting
                waiting = []
                if place < 0:
                    place = len(kept)
            else:
                kept += waiting
                waiting = []
                kept.append(line)
        kept += waiting
        if place < 0:
            place = len(kept)
        new = [*comments, *lines] if lines else []
        return self.put(section, _normal_section([*kept[:place], *new, *kept[place:]], api))

    def lines(self, section: SectionId, keywords: tuple[str, ...]) -> list[str]:
        """The lines (indented) that begin with `keywords`, without comment lines."""
        return [
            line
            for line in self.section_text(section).splitlines()
            if line.startswith(" ") and begins_with(line, keywords)
        ]

    def delete(self, section: SectionId) -> Document:
        """Without a section."""
        key = _key_of(section)
        sections = {other: text for other, text in self.sections.items() if other != key}
        return Document(self.preamble, sections, tuple(other for other in self.order if other != key))


def without_header(text: str) -> str:
    """`text` without `# _md5hash=` and `# _version=` in its first lines."""
    lines = text.split("\n")
    while lines and (lines[0].startswith(("# _md5hash=", "# _version="))):
        del lines[0]
    return "\n".join(lines)


def _above(text: str) -> tuple[str, str]:
    """The comment lines above the first line that is none, and what follows."""
    lines = text.splitlines()
    count = next((place for place, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    comments = "".join(f"{line}\n" for line in lines[:count] if line.strip())
    return comments, "\n".join([*lines[count:], ""])


def header_version(text: str) -> int:
    """The number in `# _version=` near the top of `text`; 0 when there is none."""
    for line in text.split("\n", 4)[:4]:
        if line.startswith("# _version="):
            number = line.removeprefix("# _version=").strip()
            return int(number) if number.isdecimal() else 0
    return 0


@lru_cache(maxsize=_CACHED_SECTIONS)
def read_section(text: str, api: ApiVersion) -> Body:
    """A section as JSON. Not to be changed: it is shared."""
    section = parse(text, api)
    body = cast("Body", section.body)
    if section.kind in _COMMENT_IS_READ and "metadata" not in body:
        comment = split(next(line for line in text.splitlines() if _is_own_line(line)))[1]
        if comment:
            body["metadata"] = read_metadata(comment)
    return body


def write_section(kind: SectionKind, body: Body, api: ApiVersion) -> str:
    """A section as text in normal form, ended by a newline."""
    text = render(kind, body, api)
    if body.get("metadata") and kind in _COMMENT_IS_WRITTEN:
        first, newline, rest = text.partition("\n")
        if split(first)[1] is None:
            text = f"{ended([first], body['metadata'])}{newline}{rest}"
    return f"{text}\n"


def _normal_section(lines: Iterable[str], api: ApiVersion) -> str:
    """One section's lines, brought into the server's order."""
    _, blocks = _cut(normal_form("\n".join(lines) + "\n", api))
    return blocks[0]


def _kept_lines(kind: SectionKind, text: str, api: ApiVersion) -> tuple[list[str], list[str], dict[str, list[str]]]:
    """What a replacement of a section's own fields leaves.

    Returns:
        Lines up to the section's first line; its parts and unknown lines; and, by keyword, the comments in front of its
        own lines: they stay when a line of that keyword does.
    """
    header: list[str] = []
    kept: list[str] = []
    comments: dict[str, list[str]] = {}
    waiting: list[str] = []
    for line in text.splitlines():
        if not header or not _is_own_line(header[-1]):
            header.append(line)
        elif line.lstrip().startswith("#"):
            waiting.append(line)
        elif begins_with(line, PART_KEYWORDS[kind]) or not _known(f"{header[-1]}\n{line}\n", api):
            kept += [*waiting, line]
            waiting = []
        else:
            comments.setdefault(_keyword(line), []).extend(waiting)
            waiting = []
    return header, kept, comments


def _keyword(line: str) -> str:
    """What an own line begins with: one word, or two where the first says little."""
    words = line.split(None, 2)
    return " ".join(words[:2]) if words and words[0] in _TWO_WORDS else "".join(words[:1])


@lru_cache(maxsize=4096)
def _known(text: str, api: ApiVersion) -> bool:
    """Whether the API sees anything in the one line of this section."""
    return bool(read_section(text, api).keys() - {"name", "from", "metadata"})


def _is_own_line(line: str) -> bool:
    return bool(line) and not line.startswith((" ", "#"))


def _cut(text: str) -> tuple[str, list[str]]:
    """The comments above everything, and the sections: each ended by a newline, with the comments right in front."""
    blocks: list[str] = []
    preamble: list[str] = []
    waiting: list[str] = []
    current: list[str] = []
    for line in text.splitlines():
        if not line.strip():
            if not blocks and not current and waiting:
                preamble += waiting
                waiting = []
        elif _is_own_line(line):
            if current:
                blocks.append("\n".join(current) + "\n")
            current = [*waiting, line]
            waiting = []
        elif line.startswith("#"):
            waiting.append(line)
        else:
            current += [*waiting, line]
            waiting = []
    if current:
        blocks.append("\n".join([*current, *waiting]) + "\n")
    else:
        preamble += waiting
    return "".join(f"{line}\n" for line in preamble), blocks


def _parents_first(order: tuple[Key, ...], sections: Mapping[Key, str]) -> tuple[Key, ...]:
    """The keys with `defaults` by name, each behind the one that it is made from."""
    rank, keyword = SectionKind.DEFAULTS.rank, SectionKind.DEFAULTS.value
    sources = {name: _source(sections[place, keyword, name]) for place, _, name in order if place == rank}
    keys = [(rank, keyword, name) for name in parents_first(sorted(sources), sources)]
    before = [key for key in order if key[0] < rank]
    return (*before, *keys, *(key for key in order if key[0] > rank))


def _source(block: str) -> str:
    return source_of(next(line for line in block.splitlines() if _is_own_line(line)))


def _key(block: str) -> Key:
    """Which section a block is."""
    line = next(line for line in block.splitlines() if _is_own_line(line))
    words = line.partition("#")[0].split()
    keyword = words[0]
    kind = _KNOWN_KINDS.get(keyword)
    name = words[1] if len(words) > 1 and kind is not SectionKind.GLOBAL else ""
    return (kind.rank if kind else _FOREIGN_RANK, keyword, name)


def _key_of(section: SectionId) -> Key:
    return (section.kind.rank, section.kind.value, section.name)
