"""The text to put back: the earlier one; where somebody else has written since, theirs with our sections as before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from haoam_sync.haproxycfg import ConfigFile, normal_form, with_explicit_defaults
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionId


@dataclass(frozen=True, slots=True)
class Earlier:
    """What to write.

    Attributes:
        text: the whole configuration.
        others: headings of the sections that somebody else has changed, added or taken away; they stay as they are now.
    """

    text: str = field(repr=False)
    others: tuple[str, ...] = ()


def text_to_restore(before: str, now: str, ours: Collection[SectionId], api: ApiVersion) -> Earlier:
    """Work out what takes back our changes, and nobody else's.

    Both texts are compared in normal form, since our own first write may have brought the file into it.

    Args:
        before: the text before our first write.
        now: the text that the file holds.
        ours: the sections that we changed.
        api: of the server, for its normal form.

    Raises:
        CodecError: one of the texts is no haproxy.cfg.
    """
    then, current = _normal(before, api), _normal(now, api)
    foreign_then, foreign_now = _foreign(then, ours), _foreign(current, ours)
    others = {key for key in {*foreign_then, *foreign_now} if foreign_then.get(key) != foreign_now.get(key)}
    if not others:
        return Earlier(_writable(before, api))
    there = {section for section in ours if current.find(section.kind, section.name) is not None}
    wanted = {section: found.text for section in ours if (found := then.find(section.kind, section.name)) is not None}
    for section in there & set(wanted):
        current.replace(section.kind, section.name, wanted[section])
    current.remove_all(there - set(wanted))
    current.insert_all({section: text for section, text in wanted.items() if section not in there})
    return Earlier(current.text(), tuple(sorted(" ".join(filter(None, key)) for key in others)))


def same(one: str, other: str, api: ApiVersion) -> bool:
    """Whether two texts are one configuration: the server's normal form, blanks at the ends of lines aside."""
    return one.strip("\n") == other.strip("\n") or _trimmed(_normal(one, api).text()) == _trimmed(
        _normal(other, api).text()
    )


def reads_back(written: str, found: str, api: ApiVersion) -> bool:
    """Whether `found` is how the server reads back `written`: it orders the words of some lines its own way.

    Only for a text that was just written: two different lines may have the same words.

    Raises:
        CodecError: one of the texts is no haproxy.cfg.
    """
    return same(written, found, api) or _words(_normal(written, api)) == _words(_normal(found, api))


def _words(file: ConfigFile) -> list[tuple[str, str, Mapping[str, list[list[str]]]]]:
    """Each section's lines by their first word, in their order, the words of each sorted."""
    sections: list[tuple[str, str, Mapping[str, list[list[str]]]]] = []
    for section in file:
        header, *rest = section.text.split("\n")
        lines: dict[str, list[list[str]]] = {"": [header.split()]}
        for line in rest:
            if words := line.split():
                lines.setdefault(words[0], []).append(sorted(words))
        sections.append((section.keyword, section.name, lines))
    return sections


def _writable(text: str, api: ApiVersion) -> str:
    """The text itself where every proxy names its defaults; else in normal form, with names.

    The server sorts the sections of a text that is sent to it and gives its proxies no `from` (FACTS.md): what they
    have by their places would be another section's.
    """
    explicit = with_explicit_defaults(text)
    return text if explicit == text else normal_form(explicit, api)


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _normal(text: str, api: ApiVersion) -> ConfigFile:
    return ConfigFile.parse(normal_form(with_explicit_defaults(text), api))


def _foreign(file: ConfigFile, ours: Collection[SectionId]) -> dict[tuple[str, str], tuple[object, str]]:
    return {
        (section.keyword, section.name): (section.comments, section.text) for section in file if section.id not in ours
    }
