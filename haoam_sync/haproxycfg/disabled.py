"""The proxies of a text that HAProxy reads and does not start. Pure."""

from __future__ import annotations

from haoam_sync.haproxycfg.file import LISTEN, ConfigFile, FileSection
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.section import SectionKind

_SAYS = {"disabled": True, "enabled": False}


def disabled_proxies(text: str) -> frozenset[tuple[str, str]]:
    """Keyword and name of every frontend, backend and listen that is `disabled`, itself or by its `defaults`.

    The worker's statistics show nothing of such a proxy, while its servers are listed all the same (configuration
    manual, "disabled"; measured on 2.8). The last `disabled` or `enabled` of a section
    counts, its own before that of its defaults.

    Raises:
        CodecError: `text` is no haproxy.cfg.
    """
    if "disabled" not in text:
        return frozenset()
    named: dict[str, bool] = {}
    latest = False
    found = set()
    for section in ConfigFile.parse(text):
        if section.kind is SectionKind.DEFAULTS:
            source = _source(section)
            latest = _own(section, inherited=named.get(source, False))
            named[section.name] = latest
        elif section.keyword in (SectionKind.FRONTEND.value, SectionKind.BACKEND.value, LISTEN):
            source = _source(section)
            if _own(section, inherited=named.get(source, False) if source else latest):
                found.add((section.keyword, section.name))
    return frozenset(found)


def _own(section: FileSection, *, inherited: bool) -> bool:
    says = inherited
    for line in section.text.split("\n")[1:]:
        word = line.split(None, 1)[:1]
        if word:
            says = _SAYS.get(word[0], says)
    return says


def _source(section: FileSection) -> str:
    words, _ = split(section.text.partition("\n")[0])
    at = words.index("from") if "from" in words[1:] else len(words)
    return words[at + 1] if at + 1 < len(words) else ""
