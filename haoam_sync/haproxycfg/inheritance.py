"""The order of `defaults` that are made from other `defaults`: HAProxy reads a file once, and wants those first.

Measured on 3.2.15 and 3.4.2: the server sorts them by name, and then puts each that stands in front of the one it is
made from right behind that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haoam_sync.haproxycfg.words import split

_FROM = "from"


def source_of(text: str) -> str:
    """The `defaults` that the first line of a section names with `from`; "" when it names none."""
    words, _ = split(text.partition("\n")[0])
    at = words.index(_FROM) if _FROM in words[1:] else len(words)
    return words[at + 1] if at + 1 < len(words) else ""


def parents_first(names: Sequence[str], sources: Mapping[str, str]) -> list[str]:
    """`names` in their order, each behind the one that it is made from.

    What is made from itself, over however many others, is left where it is: HAProxy refuses that wherever it stands.

    Args:
        names: of `defaults` sections, each once.
        sources: by name, the one that it is made from; "" or nothing for those that are made from none.
    """
    known = set(names)
    if not any(sources.get(name) in known for name in names) or _endless(names, sources):
        return list(names)
    behind: dict[str | None, str] = dict(zip([None, *names], names, strict=False))
    """Who stands behind whom, of those that have no place yet; None is in front of all."""
    placed: dict[str, None] = {}
    while None in behind:
        name = behind.pop(None)
        if name in behind:
            behind[None] = behind.pop(name)
        source = sources.get(name)
        if source in known and source not in placed:
            if source in behind:
                behind[name] = behind[source]
            behind[source] = name
        else:
            placed[name] = None
    return list(placed)


def _endless(names: Sequence[str], sources: Mapping[str, str]) -> bool:
    """Whether following `from` never ends somewhere."""
    done: set[str] = set()
    for start in names:
        path: set[str] = set()
        name = start
        while name and name not in done:
            if name in path:
                return True
            path.add(name)
            name = sources.get(name, "")
        done |= path
    return False
