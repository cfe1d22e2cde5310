"""What a server's own words for a file leave out: its preview of the next write beside the file that is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from haoam_sync.haproxycfg.faithful import same_words
from haoam_sync.haproxycfg.file import ConfigFile, FileSection
from haoam_sync.haproxycfg.secrets import masked
from haoam_sync.haproxycfg.table import table
from haoam_sync.haproxycfg.unwritable import ONE_SETTING, PROXIES, Unwritable
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import ApiVersion


def not_kept(text: str, rewritten: str, api: ApiVersion) -> tuple[Unwritable, ...]:
    """The sections and lines of `text` that are not in `rewritten`, in the order of the file.

    The order of sections, lines and words, other spellings and comments are no matter. Of two lines for one setting of
    a proxy HAProxy obeys the last, which is the one that a server keeps.

    Args:
        text: of the file.
        rewritten: what the server would write for it.
        api: of the server.

    Raises:
        CodecError: one of them is no haproxy.cfg.
    """
    after: dict[tuple[str, str], Counter[str]] = {}
    for section in ConfigFile.parse(rewritten):
        after.setdefault((section.keyword, section.name), Counter()).update(_lines(section))
    return tuple(one for section in ConfigFile.parse(text) for one in _gone(section, after, api))


def _gone(section: FileSection, after: dict[tuple[str, str], Counter[str]], api: ApiVersion) -> Iterator[Unwritable]:
    heading = f"{section.keyword} {section.name}".strip()
    lines = _lines(section)
    there = after.get((section.keyword, section.name))
    if there is None:
        if lines:
            yield Unwritable(heading, "the server would lose the section", "take it out, and do it by other means")
        return
    for place, line in enumerate(lines):
        twin = line if there[line] > 0 else next((one for one in +there if same_words(line, one)), None)
        if twin is not None:
            there[twin] -= 1
        elif not _overridden(section, lines, place, api):
            yield Unwritable(heading, f"the server would not keep `{masked(line)}`", "write the line otherwise")


def _lines(section: FileSection) -> list[str]:
    return [" ".join(words) for line in section.text.split("\n")[1:] if (words := split(line)[0])]


def _overridden(section: FileSection, lines: list[str], place: int, api: ApiVersion) -> bool:
    """Whether a later line of a proxy says what counts for the setting of this one."""
    if section.kind not in PROXIES or section.kind is None:
        return False
    known = table(section.kind, api)
    row = known.row(split(lines[place])[0])
    return isinstance(row, ONE_SETTING) and any(known.row(split(line)[0]) is row for line in lines[place + 1 :])
