"""Which defaults are in force for each proxy, and whether that stays so (rule I3).

HAProxy gives a proxy the `defaults` that it names with `from`, else the last one in front of it; a `defaults` section
starts from nothing unless it names another one itself (manual, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping

from haoam_sync import haproxycfg
from haoam_sync.haproxycfg.file import LISTEN, ConfigFile, FileSection
from haoam_sync.haproxycfg.inheritance import source_of
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

_PROXIES = frozenset({SectionKind.FRONTEND.value, SectionKind.BACKEND.value, LISTEN})
_Settings = tuple[str, ...]
"""Lines of defaults sections, as the server spells them, sorted within each section of a chain."""


def moved_defaults(before: str, after: str, api: ApiVersion) -> tuple[str, ...]:
    """Headings of the proxies whose effective defaults differ between two texts, sorted. Should be empty.

    Raises:
        CodecError: one of them is no haproxy.cfg.
    """
    old, new = _effective(before, api), _effective(after, api)
    return tuple(sorted(heading for heading in old if old[heading] != new.get(heading)))


def _effective(text: str, api: ApiVersion) -> Mapping[str, _Settings]:
    named: dict[str, _Settings] = {}
    latest: _Settings = ()
    found: dict[str, _Settings] = {}
    for section in ConfigFile.parse(text):
        source = source_of(section.text)
        if section.kind is SectionKind.DEFAULTS:
            latest = (*(named.get(source, ()) if source else ()), *_settings(section, api))
            named[section.name] = latest
        elif section.keyword in _PROXIES:
            found[f"{section.keyword} {section.name}"] = named.get(source, ()) if source else latest
    return found


def _settings(section: FileSection, api: ApiVersion) -> _Settings:
    """Its lines, in the server's spelling where it has one."""
    lines = []
    for line in section.text.split("\n")[1:]:
        words, _ = split(line)
        if not words:
            continue
        plain = " ".join(words)
        parsed = haproxycfg.parse(f"defaults x\n  {plain}", api)
        again = haproxycfg.render(SectionKind.DEFAULTS, parsed.body, api).split("\n")[1:]
        lines += [" ".join(split(one)[0]) for one in again] or [plain]
    return tuple(sorted(lines))
