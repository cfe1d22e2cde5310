"""The server's normal form of a whole file, and the `from` that each proxy needs before it (FACTS.md, "Reading").

The first write through the API regroups sections by kind, sorts them by name, regroups the lines of each by keyword and
names every unnamed `defaults`. A proxy that got its defaults by its position then gets those of another section, so
`with_explicit_defaults` says first which ones are meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from haoam_sync.haproxycfg.file import LISTEN, ConfigFile, FileSection
from haoam_sync.haproxycfg.inheritance import parents_first, source_of
from haoam_sync.haproxycfg.section import CodecError
from haoam_sync.haproxycfg.table import Table, table
from haoam_sync.haproxycfg.words import Obj, split
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

_PROXIES = frozenset({SectionKind.FRONTEND.value, SectionKind.BACKEND.value, LISTEN})
_FAMILIES: Mapping[str, tuple[str, str]] = {
    "stats": ("stats", "enable"),
    "compression": ("compression", "algo"),
    "email-alert": ("email-alert", "from"),
}
"""Keywords of proxies whose lines keep their order among themselves, with the line that says where they stand."""
_ODD = ('"', "'", "\\", "#", "  ", " redirect")
"""What makes a section one whose normal form has to be worked out."""
_ACL_WITHOUT_VALUE = 3
"""Words of `acl NAME CRITERION`."""
_NO_EMPTY_VALUES = ApiVersion(3, 4)
"""From here on an ACL without a value ends with its criterion."""
_NO_DEFAULTS = "no_defaults"
"""Name of the empty section for proxies that stand before every `defaults`."""


def normal_form(text: str, api: ApiVersion) -> str:
    """`text` as the server's first write makes it; the normal form of a normal form is itself.

    Sections of the kinds that the API knows come first, by kind and by name as text (`defaults` behind those that they
    are made from), then `listen` by name, then the others in their order. The server's own lines at the top are kept as
    they are.

    Args:
        text: of the file.
        api: of the server; what a version writes otherwise is measured.

    Raises:
        CodecError: `text` is no haproxy.cfg.
    """
    file = ConfigFile.parse(text)
    top, sections = _top(_with_tail(file.sections, file.tail))
    sections = [_normal_section(section, api) for section in _named(_merged(sections))]
    defaults = {section.name: source_of(section.text) for section in sections if section.kind is SectionKind.DEFAULTS}
    places = {name: place for place, name in enumerate(parents_first(sorted(defaults), defaults))}
    ordered = [section for _, section in sorted(enumerate(sections), key=lambda item: _order(item, places))]
    parts = [f"{line}\n" for line in (*file.header, *top)]
    if ordered and (parts or ordered[0].lead):
        parts.append("\n")  # so that a comment about the first section does not become one about the file
    parts.append("\n".join(f"{section.lead}{section.text}\n" for section in ordered))
    return "".join(parts)


def _with_tail(sections: list[FileSection], tail: str) -> list[FileSection]:
    """Comments at the end of the file become the last section's (measured)."""
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    if not lines or not sections:
        return sections
    return [*sections[:-1], replace(sections[-1], text="\n".join([sections[-1].text, *lines]))]


def _top(sections: list[FileSection]) -> tuple[list[str], list[FileSection]]:
    """The comments that head the file, up to the first blank line, as they stand; and the sections without them."""
    if not sections:
        return [], sections
    lines = sections[0].lead.split("\n")[:-1]
    blank = next((place for place, line in enumerate(lines) if not line.strip()), len(lines))
    rest = "".join(f"{line}\n" for line in lines[blank:])
    return [line.strip() for line in lines[:blank]], [replace(sections[0], lead=rest), *sections[1:]]


def _order(item: tuple[int, FileSection], defaults: Mapping[str, int]) -> tuple[int, int, str, int]:
    place, section = item
    if section.kind is not None:
        among = defaults[section.name] if section.kind is SectionKind.DEFAULTS else 0
        return section.kind.rank, among, section.name, place
    beyond = len(SectionKind)
    return (beyond, 0, section.name, place) if section.keyword == LISTEN else (beyond + 1, 0, "", place)


def _merged(sections: list[FileSection]) -> Iterator[FileSection]:
    """Several `global` sections are one to HAProxy."""
    rest = [section for section in sections if section.kind is not SectionKind.GLOBAL]
    own = [section for section in sections if section.kind is SectionKind.GLOBAL]
    if own:
        lines = [own[0].text, *(more.text.partition("\n")[2] for more in own[1:])]
        yield replace(own[0], lead="".join(section.lead for section in own), text="\n".join(filter(None, lines)))
    yield from rest


def _named(sections: Iterator[FileSection]) -> Iterator[FileSection]:
    """Give unnamed `defaults` the names that the server gives them."""
    unnamed = 0
    for section in sections:
        if section.kind is SectionKind.DEFAULTS and not section.name:
            unnamed += 1
            yield _with_name(section, f"unnamed_defaults_{unnamed}")
        else:
            yield section


def _with_name(section: FileSection, name: str) -> FileSection:
    first, newline, rest = section.text.partition("\n")
    indent = first[: len(first) - len(first.lstrip())]
    behind = first.lstrip()[len(section.keyword) :].strip()
    header = f"{indent}{section.keyword} {name}{f' {behind}' if behind else ''}"
    return replace(section, name=name, text=f"{header}{newline}{rest}")


def _normal_section(section: FileSection, api: ApiVersion) -> FileSection:
    lead = "".join(f"{_joined(comment)}\n" for comment in section.comments) if section.lead.strip() else ""
    if section.kind is not None and _is_normal(section.text, table(section.kind, api)):
        return FileSection(section.keyword, section.name, lead, section.text)
    lines = section.text.split("\n")
    header = _joined(lines[0])
    kind = section.kind
    if section.keyword == LISTEN:
        body = _listening(lines[1:])
    elif kind is None:
        body = _indented(lines[1:])
    else:
        families = {} if kind is SectionKind.GLOBAL else _FAMILIES
        body = _grouped(lines[1:], table(kind, api), families, api)
    return replace(section, lead=lead, text="\n  ".join([header, *body]))


def _is_normal(text: str, known: Table) -> bool:
    """Whether it is plain that a section is in normal form: most are, and telling takes a fifth of making it so.

    Plain are lines of printable words without quotes and comments, one blank between two, each of a keyword that is
    told by its first word and whose line is never written otherwise, in the order of the table.
    """
    header, _, inside = text.partition("\n  ")
    inside = f"\n  {inside}" if len(header) < len(text) else ""
    joined = inside.replace("\n  ", "")
    if not joined.isprintable() or any(odd in joined for odd in _ODD) or " \n" in inside:
        return False
    if inside.endswith(" ") or _joined(header) != header:
        return False
    last = 0
    ranks = known.ranks_by_first_word
    for line in inside.split("\n  ")[1:]:
        rank = ranks.get(line.partition(" ")[0], -1)
        if rank < last:
            return False
        last = rank
    return True


def _joined(line: str) -> str:
    words, comment = split(line)
    joined = " ".join(words)
    return joined if comment is None else f"{joined} # {comment}".strip()


def _indented(lines: list[str]) -> list[str]:
    return [_joined(line) for line in lines if line.strip()]


def _listening(lines: list[str]) -> list[str]:
    """The lines of a `listen` section as they are, comments in front of all except those behind the last (measured)."""
    stripped = [line.strip() for line in lines if line.strip()]
    end = len(stripped)
    while end and stripped[end - 1].startswith("#"):
        end -= 1
    comments = [line for line in stripped[:end] if line.startswith("#")]
    own = [line for line in stripped[:end] if not line.startswith("#")]
    return [*comments, *own, *stripped[end:]]


def _grouped(lines: list[str], known: Table, families: Mapping[str, tuple[str, str]], api: ApiVersion) -> list[str]:
    """The lines by the table's order; comments go in front of the lines that they stood before, unknown lines last."""
    groups: dict[int, tuple[list[str], list[str]]] = {}
    waiting: list[str] = []
    beyond = len(known.rows)
    for line in lines:
        words, comment = split(line)
        if not words:
            if comment is not None:
                waiting.append(f"# {comment}" if comment else "#")
            continue
        rank = known.rank(families.get(words[0], words))
        comments, own = groups.setdefault(beyond if rank is None else rank, ([], []))
        comments += waiting
        waiting = []
        text = " ".join(_reordered(words, known))
        if words[0] == "acl" and len(words) == _ACL_WITHOUT_VALUE and api < _NO_EMPTY_VALUES:
            text += " "  # the server writes an empty value with the space in front of it
        own.append(text if comment is None else f"{text} # {comment}")
    out: list[str] = []
    for rank in sorted(groups):
        comments, own = groups[rank]
        out += comments
        out += own
    return out + waiting


def _reordered(words: list[str], known: Table) -> list[str]:
    """The words of a redirection or a cookie in the server's order (measured); it keeps those of other lines.

    No word is lost or changed here: a line that is not read and written with the same words stays as it is.
    """
    row = known.row(words)
    if row is None or not (words[0] == "cookie" or words[1:2] == ["redirect"]):
        return words
    body: Obj = {}
    lines: list[str] = []
    try:
        row.read(words, None, body)
        row.write(body, lines)
    except (ValueError, LookupError):
        return words
    written = split(lines[0])[0] if len(lines) == 1 else words
    return written if sorted(written) == sorted(words) else words


def with_explicit_defaults(text: str) -> str:
    """`text` with a `from` on every proxy that has none: the `defaults` in force at its place.

    Unnamed sections get the names that the server would give them. A proxy in front of every `defaults` has none; when
    one follows, it is sent to an empty section of its own. Nothing else is changed.

    Raises:
        CodecError: two `defaults` have one name, so that `from` could not say which is meant.
    """
    file = ConfigFile.parse(text)
    sections = list(_named(iter(file.sections)))
    names = [section.name for section in sections if section.kind is SectionKind.DEFAULTS]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise CodecError(
            f"two defaults sections are called {min(twice)!r}",
            where="haproxy.cfg",
            hint="give each a name of its own on the instance; the server keeps only one of them",
        )
    force = ""
    orphan = False
    for place, section in enumerate(sections):
        if section.kind is SectionKind.DEFAULTS:
            force = section.name
        elif section.keyword in _PROXIES and not _has_from(section):
            if not force and names:
                orphan = True
            if force or names:
                sections[place] = _with_from(section, force or _free(names))
    if orphan:
        sections.insert(_orphanage(sections), FileSection("defaults", _free(names), "\n", f"defaults {_free(names)}"))
    return ConfigFile(file.header, sections, file.tail).text()


def _free(names: list[str]) -> str:
    name = _NO_DEFAULTS
    while name in names:
        name += "_"
    return name


def _orphanage(sections: list[FileSection]) -> int:
    """In front of the first proxy."""
    return next(place for place, section in enumerate(sections) if section.keyword in _PROXIES)


def _has_from(section: FileSection) -> bool:
    words, _ = split(section.text.partition("\n")[0])
    return "from" in words[2:]


def _with_from(section: FileSection, name: str) -> FileSection:
    first, newline, rest = section.text.partition("\n")
    at = first.index(section.name, first.index(section.keyword) + len(section.keyword)) + len(section.name)
    return replace(section, text=f"{first[:at]} from {name}{first[at:]}{newline}{rest}")
