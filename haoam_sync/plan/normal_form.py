"""The first write to an instance brings its file into the server's normal form (rule P7; FACTS: "Reading")."""

from __future__ import annotations

import difflib

from haoam_sync import haproxycfg
from haoam_sync.errors import OverLimitError
from haoam_sync.haproxycfg.secrets import masked
from haoam_sync.model.live import Live


def first_write(live: Live) -> str | None:
    """P7: the text to write first, None when the file is in normal form."""
    if haproxycfg.ConfigFile.parse(live.text).holds_conditionals:
        raise OverLimitError(
            "the configuration holds .if blocks, which the server's first write would break",
            code="E_CONDITIONALS",
            where=str(live.id),
            hint="take .if and .endif out of haproxy.cfg on the instance, or leave the instance out of the fleet",
        )
    normal = haproxycfg.normal_form(haproxycfg.with_explicit_defaults(live.text))
    return normal if _trimmed(normal) != _trimmed(live.text) else None


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
