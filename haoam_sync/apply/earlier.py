"""The text to put back: the earlier one; where somebody else has written since, theirs with our sections as before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from haoam_sync.haproxycfg import ConfigFile, normal_form, with_explicit_defaults
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


def text_to_restore(before: str, now: str, ours: Collection[SectionId]) -> Earlier:
    """Work out what takes back our changes, and nobody else's.

    Both texts are compared in normal form, since our own first write may have brought the file into it.

    Args:
        before: the text before our first write.
        now: the text that the file holds.
        ours: the sections that we changed.

    Raises:
        CodecError: one of the texts is no haproxy.cfg.
    """
    then, current = _normal(before), _normal(now)
    foreign_then, foreign_now = _foreign(then, ours), _foreign(current, ours)
    others = {key for key in {*foreign_then, *foreign_now} if foreign_then.get(key) != foreign_now.get(key)}
    if not others:
        return Earlier(before)
    there = {section for section in ours if current.find(section.kind, section.name) is not None}
    wanted = {section: found.text for section in ours if (found := then.find(section.kind, section.name)) is not None}
    for section in there & set(wanted):
        current.replace(section.kind, section.name, wanted[section])
    current.remove_all(there - set(wanted))
    current.insert_all({section: text for section, text in wanted.items() if section not in there})
    return Earlier(current.text(), tuple(sorted(" ".join(filter(None, key)) for key in others)))


def _normal(text: str) -> ConfigFile:
    return ConfigFile.parse(normal_form(with_explicit_defaults(text)))


def _foreign(file: ConfigFile, ours: Collection[SectionId]) -> dict[tuple[str, str], tuple[object, str]]:
    return {
        (section.keyword, section.name): (section.comments, section.text) for section in file if section.id not in ours
    }
