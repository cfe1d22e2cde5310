"""Where the order of lines decides what HAProxy does, and writing changes that order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from haoam_sync import haproxycfg
from haoam_sync.haproxycfg.file import ConfigFile
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionId, SectionKind

_BY_ORDER = frozenset({"first", "source", "hash", "hdr", "rdp-cookie", "uri", "url_param"})
"""Algorithms that choose by the place of a server in the list (manual, `balance` and `hash-type`)."""


def algorithms(file: ConfigFile, api: ApiVersion) -> Mapping[str, str]:
    """The balance algorithm that each `defaults` section gives, itself or through its own `from`."""
    found: dict[str, str] = {}
    for section in file:
        if section.kind is SectionKind.DEFAULTS:
            body = haproxycfg.parse(section.text, api).body
            found[section.name] = _algorithm(body) or found.get(str(body.get("from", "")), "")
    return found


def warnings(identity: SectionId, body: JsonObject, lines: Sequence[str], defaults: Mapping[str, str]) -> Iterator[str]:
    """What writing `body` does to the balancing of a section that stood in a file as `lines`."""
    if identity.kind is not SectionKind.BACKEND:
        return
    algorithm = _algorithm(body) or defaults.get(str(body.get("from", "")), "")
    if algorithm not in _BY_ORDER:
        return
    heads = [words for line in lines if (words := split(line)[0])[:1] == ["server"]]
    names = [words[1] for words in heads]
    if names != sorted(names) and not _numbered(heads, body):
        yield (
            f"{identity}: balance {algorithm} depends on the order of servers, and writing sorts them by name "
            f"({', '.join(names)} becomes {', '.join(sorted(names))}): clients may reach other servers than before; "
            "rename the servers in the order of their places to prevent it"
        )


def _numbered(heads: Sequence[Sequence[str]], body: JsonObject) -> bool:
    """Whether the places come from ids that are written down: consistent hashing takes them, the map does not."""
    hashing = body.get("hash_type")
    consistent = isinstance(hashing, Mapping) and hashing.get("method") == "consistent"
    return consistent and all("id" in words for words in heads)


def _algorithm(body: JsonObject) -> str:
    balance = body.get("balance")
    return str(balance.get("algorithm", "")) if isinstance(balance, Mapping) else ""
