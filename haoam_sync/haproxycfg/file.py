"""A whole haproxy.cfg as a sequence of sections, every byte kept."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from haoam_sync.haproxycfg.inheritance import parents_first, source_of
from haoam_sync.haproxycfg.section import CodecError
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.section import SectionId, SectionKind

_KINDS = {kind.value: kind for kind in SectionKind}
LISTEN = "listen"
SECTION_WORDS = frozenset({*_KINDS, LISTEN, "program", "traces", "log-profile", "acme", "healthcheck"})
"""What begins a section (manual, sections 2.1, 3 and 4). Anything else is a line of the section it stands in."""
_PROXIES = frozenset({"defaults", "frontend", "backend", LISTEN})
_DIRECTIVES = frozenset({".if", ".elif", ".else", ".endif", ".notice", ".warning", ".alert", ".diag"})
_HASH, _VERSION = "# _md5hash=", "# _version="


@dataclass(frozen=True, slots=True)
class FileSection:
    """One section of a file, verbatim.

    Attributes:
        keyword: the word that begins it.
        name: "" when it has none.
        lead: everything between the last line of the section before and this one: blank lines and comments that are not
            indented, each with its newline.
        text: from its first line to its last, which may be an indented comment; no newline at the end.
    """

    keyword: str
    name: str
    lead: str = field(repr=False)
    text: str = field(repr=False)

    @property
    def kind(self) -> SectionKind | None:
        """Its kind; None for `listen` and for sections that this tool does not know."""
        return _KINDS.get(self.keyword)

    @property
    def id(self) -> SectionId | None:
        """Its identity; None for `listen` and for sections that this tool does not know."""
        kind = self.kind
        return None if kind is None else SectionId(kind, self.name)

    @property
    def comments(self) -> tuple[str, ...]:
        """The comment lines in front of it."""
        return tuple(line.strip() for line in self.lead.splitlines() if line.strip())


class ConfigFile:
    """The sections of a haproxy.cfg, in order. Reading and writing take time in proportion to its size.

    Attributes:
        header: the server's own lines at the top (`# _md5hash=`, `# _version=`) without newlines, in order.
        sections: every section, in order.
        tail: what stands behind the last section.
    """

    def __init__(self, header: tuple[str, ...], sections: list[FileSection], tail: str) -> None:
        self.header = header
        self.sections = sections
        self.tail = tail
        self._places = {(section.keyword, section.name): place for place, section in enumerate(sections)}

    @classmethod
    def parse(cls, text: str) -> ConfigFile:
        """Split `text`.

        Raises:
            CodecError: there are lines in front of the first section that are no comments.
        """
        header, sections, tail = _parsed(text)
        return cls(header, list(sections), tail)

    def text(self) -> str:
        """The file; what `parse` read, byte for byte, when nothing was changed.

        Only the newline behind a last line of a section is put there where it was missing: HAProxy wants it.
        """
        parts = [f"{line}\n" for line in self.header]
        for section in self.sections:
            parts += (section.lead, section.text, "\n")
        parts.append(self.tail)
        return "".join(parts)

    @property
    def version(self) -> int | None:
        """The server's version of the file, None when it does not say."""
        for line in self.header:
            number = line.removeprefix(_VERSION)
            if number != line and number.strip().isdigit():
                return int(number)
        return None

    @property
    def holds_conditionals(self) -> bool:
        """Whether it holds `.if` or its like, which the server's first write would break (FACTS.md)."""
        return any(
            line.lstrip().split(None, 1)[:1] and line.lstrip().split(None, 1)[0] in _DIRECTIVES
            for line in self.text().split("\n")
            if "." in line[:40] and line.lstrip().startswith(".")
        )

    def find(self, kind: SectionKind, name: str) -> FileSection | None:
        """The section of that kind and name."""
        place = self._places.get((kind.value, name))
        return None if place is None else self.sections[place]

    def replace(self, kind: SectionKind, name: str, text: str) -> None:
        """Put `text` in place of a section; the comments in front of it stay.

        Raises:
            CodecError: there is no such section.
        """
        place = self._place(kind, name)
        self.sections[place] = replace(self.sections[place], text=text)

    def insert(self, kind: SectionKind, name: str, text: str) -> None:
        """Add a section at the place where the server would write it: by kind, and by name as text.

        Raises:
            CodecError: it is there already.
        """
        self.insert_all({SectionId(kind, name): text})

    def insert_all(self, texts: dict[SectionId, str]) -> None:
        """Add many sections, in one pass.

        Raises:
            CodecError: one is there already.
        """
        for identity in texts:
            if (identity.kind.value, identity.name) in self._places:
                raise CodecError("this section exists already", where=str(identity))
        slots: dict[int, list[FileSection]] = {}
        slot = _Slots(self.sections)
        for identity in sorted(texts):
            new = FileSection(identity.kind.value, identity.name, "\n", texts[identity])
            slots.setdefault(slot(identity), []).append(new)
        merged: list[FileSection] = []
        for place in range(len(self.sections) + 1):
            merged += slots.get(place, ())
            if place < len(self.sections):
                merged.append(self.sections[place])
        if merged and not self.header and merged[0].lead == "\n":
            merged[0] = replace(merged[0], lead="")
            if len(merged) > 1 and not merged[1].lead:
                merged[1] = replace(merged[1], lead="\n")
        self._set(merged)

    def put_parents_first(self) -> None:
        """Put each `defaults` that stands in front of the one it is made from right behind that one, as servers do."""
        places = [place for place, section in enumerate(self.sections) if section.kind is SectionKind.DEFAULTS]
        sources = {self.sections[place].name: source_of(self.sections[place].text) for place in places}
        names = [self.sections[place].name for place in places]
        ordered = parents_first(names, sources)
        if ordered == names or len(sources) != len(names):
            return
        by_name = {self.sections[place].name: self.sections[place] for place in places}
        sections = list(self.sections)
        for place, name in zip(places, ordered, strict=True):
            sections[place] = by_name[name]
        self._set(sections)

    def remove(self, kind: SectionKind, name: str) -> None:
        """Take a section out, with the comments in front of it.

        Raises:
            CodecError: there is no such section.
        """
        self.remove_all({SectionId(kind, name)})

    def remove_all(self, identities: set[SectionId]) -> None:
        """Take many sections out, in one pass.

        Raises:
            CodecError: one is not there.
        """
        places = {self._place(identity.kind, identity.name) for identity in identities}
        self._set([section for place, section in enumerate(self.sections) if place not in places])

    def __iter__(self) -> Iterator[FileSection]:
        return iter(self.sections)

    def _set(self, sections: list[FileSection]) -> None:
        self.sections = sections
        self._places = {(section.keyword, section.name): place for place, section in enumerate(sections)}

    def _place(self, kind: SectionKind, name: str) -> int:
        place = self._places.get((kind.value, name))
        if place is None:
            raise CodecError("there is no such section in the file", where=str(SectionId(kind, name)))
        return place


@lru_cache(maxsize=4)
def _parsed(text: str) -> tuple[tuple[str, ...], tuple[FileSection, ...], str]:
    """Header, sections and tail: one plan, and one apply, ask for the same two or three texts ten times."""
    lines = text.split("\n")
    header, at = _header(lines)
    sections: list[FileSection] = []
    lead_from = at
    start = -1
    last = at - 1
    for place in range(at, len(lines)):
        line = lines[place]
        word = line.split(None, 1)[0] if line and not line.isspace() else ""
        if not word:
            continue
        if word[0] == "#":
            if start >= 0 and line[0].isspace():
                last = place
            continue
        if word in SECTION_WORDS:
            if start >= 0:
                sections.append(_cut(lines, lead_from, start, last))
                lead_from = last + 1
            start = place
        elif start < 0 and word not in _DIRECTIVES:
            raise CodecError(f"line {place + 1} stands in no section", where=word, hint="put it below `global`")
        last = place
    if start >= 0:
        sections.append(_cut(lines, lead_from, start, last))
        lead_from = last + 1
    return header, tuple(sections), "\n".join(lines[lead_from:])


class _Slots:
    """Where new sections belong, each kind looked up once: many may be added to many."""

    def __init__(self, sections: list[FileSection]) -> None:
        self._sections = sections
        self._same: dict[str, tuple[list[str], list[int], bool]] = {}
        self._first: dict[str, int] = {}

    def __call__(self, identity: SectionId) -> int:
        """The index in the sections before which a new one belongs."""
        keyword = identity.kind.value
        if keyword not in self._same:
            places = [place for place, section in enumerate(self._sections) if section.keyword == keyword]
            names = [self._sections[place].name for place in places]
            self._same[keyword] = (names, places, names == sorted(names))
        names, places, in_order = self._same[keyword]
        if not places:
            return self._first_of(identity.kind)
        at = bisect_left(names, identity.name) if in_order else len(names)
        return places[at] if at < len(places) else places[-1] + 1

    def _first_of(self, kind: SectionKind) -> int:
        """Behind every section of a kind that comes before."""
        if kind.value not in self._first:
            places = enumerate(self._sections)
            before = (place for place, s in places if s.kind is not None and s.kind.rank < kind.rank)
            self._first[kind.value] = max(before, default=-1) + 1
        return self._first[kind.value]


def _header(lines: list[str]) -> tuple[tuple[str, ...], int]:
    at = 0
    while at < len(lines) and lines[at].startswith((_HASH, _VERSION)):
        at += 1
    return tuple(lines[:at]), at


def _cut(lines: list[str], lead_from: int, start: int, last: int) -> FileSection:
    words, _ = split(lines[start])
    name = words[1] if len(words) > 1 else ""
    if name == "from" and words[0] in _PROXIES and len(words) > len(("defaults", "from")):
        name = ""
    lead = "".join(f"{line}\n" for line in lines[lead_from:start])
    return FileSection(words[0], name if words[0] != "global" else "", lead, "\n".join(lines[start : last + 1]))
