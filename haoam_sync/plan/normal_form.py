"""The first write to an instance brings its file into the server's normal form (rule P7; FACTS: "Reading")."""

from __future__ import annotations

import difflib
from dataclasses import replace

from haoam_sync import haproxycfg
from haoam_sync.errors import OverLimitError
from haoam_sync.haproxycfg.secrets import masked
from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.section import SectionKind


def first_write(live: Live) -> str | None:
    """P7: the text to write first, None when the file is in normal form.

    Raises:
        OverLimitError: a write would break what the file holds, whatever is written.
    """
    if haproxycfg.ConfigFile.parse(live.text).holds_conditionals:
        raise OverLimitError(
            "the configuration holds .if blocks, which the server's first write would break",
            code="E_CONDITIONALS",
            where=str(live.id),
            hint="take .if and .endif out of haproxy.cfg on the instance, or leave the instance out of the fleet",
        )
    broken = haproxycfg.unwritable(live.text, live.api)
    if broken:
        raise OverLimitError(
            "; ".join(f"{one.heading}: {one.reason}" for one in broken),
            code="E_UNWRITABLE",
            where=str(live.id),
            hint="on the instance, before anything is applied to it: " + "; ".join(one.instead for one in broken),
        )
    normal = haproxycfg.normal_form(haproxycfg.with_explicit_defaults(live.text), live.api)
    return normal if normal != live.text and _trimmed(normal) != _trimmed(live.text) else None


def explicit(wanted: DesiredInstance, live: Live) -> Live:
    """P7: `live` with the `from` that the first write gives to proxies whose documents name one, and its own defaults.

    A proxy that names the defaults in force at its place says nothing new.
    """
    silent = {
        identity
        for identity, section in wanted.sections.items()
        if "from" in section.body and identity in live.sections and "from" not in live.sections[identity].body
    }
    absent = {i for i in wanted.sections if i.kind is SectionKind.DEFAULTS and i not in live.sections}
    if not silent and not absent:
        return live
    try:
        file = haproxycfg.ConfigFile.parse(haproxycfg.with_explicit_defaults(live.text))
    except haproxycfg.CodecError:
        return live  # what is wrong with it is said when something is to be written
    now = haproxycfg.ConfigFile.parse(live.text)
    absent = {identity for identity in absent if now.find(identity.kind, identity.name) is None}
    sections = dict(live.sections)
    for section in file:
        identity = section.id
        if identity in silent or identity in absent:
            body = haproxycfg.parse(section.text.partition("\n")[0], live.api).body
            there = live.sections.get(identity)
            rest = there.body if there is not None else {"name": identity.name}
            source = {"from": body["from"]} if "from" in body else {}
            sections[identity] = LiveSection(identity, {**rest, **source}, there.mark if there is not None else None)
    return replace(live, sections=sections)


def _trimmed(text: str) -> list[str]:
    """The lines without white space at their ends: the server itself leaves some behind empty arguments."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def text_diff(before: str, after: str) -> str:
    """Unified diff of two configurations, passwords masked."""
    lines = difflib.unified_diff(
        masked(before).splitlines(),
        masked(after).splitlines(),
        "haproxy.cfg",
        "haproxy.cfg in normal form",
        lineterm="",
    )
    return "\n".join(lines)
