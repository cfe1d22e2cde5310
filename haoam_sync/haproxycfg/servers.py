"""The servers of every proxy in a text, in the order in which HAProxy lists them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from haoam_sync.haproxycfg.file import SECTION_WORDS

_PROXIES = frozenset({"backend", "listen"})
"""What has servers of its own in `show servers state`: those of peers, rings and resolvers are not listed there."""


def servers_by_proxy(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Name and servers of each `backend` and `listen` that has any, in the order of `text`.

    `server-template PREFIX 1-3` stands for three servers (configuration manual, "server-template").
    """
    found: list[tuple[str, list[str]]] = []
    inside: list[str] | None = None
    for line in text.split("\n"):
        words = line.split(None, 3)
        if not words:
            continue
        if words[0] in SECTION_WORDS:
            inside = [] if words[0] in _PROXIES else None
            if inside is not None:
                found.append((words[1] if len(words) > 1 else "", inside))
        elif inside is not None and len(words) > 1:
            if words[0] == "server":
                inside.append(words[1])
            elif words[0] == "server-template":
                inside += _of_template(words[1], words[2] if len(words) > 2 else "")  # noqa: PLR2004 - PREFIX RANGE
    return tuple((name, tuple(servers)) for name, servers in found if servers)


def _of_template(prefix: str, numbers: str) -> Iterator[str]:
    low, dash, high = numbers.partition("-")
    first, last = (low, high) if dash else ("1", low)
    if first.isdecimal() and last.isdecimal():
        yield from (f"{prefix}{number}" for number in range(int(first), min(int(last), int(first) + 100_000) + 1))
