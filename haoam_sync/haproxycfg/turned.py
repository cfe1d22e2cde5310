"""Settings that the server takes for others: what it reads back asks HAProxy for something else than what was sent.

Most dangerous of all losses: `tcp-request session reject` is read back as `accept`, so that a rejection turned into an
acceptance by hand would be no drift, and writing what was read would open what was closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from haoam_sync.haproxycfg.secrets import masked
from haoam_sync.haproxycfg.section import render
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.bodies import without_metadata
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionKind


@dataclass(frozen=True, slots=True)
class Turned:
    """A setting that comes back as another.

    Attributes:
        path: dotted, from the section's body down; numbers for places in an array.
        reason: what becomes of it, one clause.
        instead: the setting that works, "" when there is none.
        rule: it is a rule that comes back with another type or action.
    """

    path: str
    reason: str
    instead: str = ""
    rule: bool = False


_TWICE = frozenset({"no-sslv3"})
"""Words that the server writes a second time, which changes nothing (measured)."""
_INSTEAD: Mapping[tuple[str, str, str], str] = {
    ("tcp_request_rule_list", "session", "reject"): "type: content, or connection, with action: reject",
    ("tcp_request_rule_list", "session", "sc-add-gpc"): "type: connection",
    ("tcp_request_rule_list", "session", "sc-inc-gpc"): "type: connection",
    ("tcp_request_rule_list", "session", "set-mark"): "type: connection",
    ("tcp_response_rule_list", "content", "set-var"): "the same rule in http_response_rule_list",
    ("tcp_response_rule_list", "content", "set-var-fmt"): "the same rule in http_response_rule_list",
}
"""The setting that works, by list, type and action."""


def turned(kind: SectionKind, body: JsonObject, back: JsonObject, api: ApiVersion) -> tuple[Turned, ...]:
    """What of `body` its canonical form `back` has as something else: by its kind, or by the lines that it makes.

    Two objects whose lines differ never have one canonical form unless one of them is named here: an object passes
    only when its canonical form makes its own lines again.
    """
    found = [*_kinds(body, back)]
    if _lines(kind, body, api) != _lines(kind, back, api):
        found += _otherwise(kind, without_metadata(body), without_metadata(back), api)
    return tuple({one.path: one for one in reversed(found)}.values())


def _kinds(body: JsonObject, back: JsonObject) -> Iterator[Turned]:
    """Rules that come back with another type or action."""
    for field, sent in body.items():
        for place, (rule, other) in enumerate(zip(_list(sent), _list(back.get(field)), strict=False)):
            if not isinstance(rule, Mapping) or not isinstance(other, Mapping):
                continue
            wanted, got = _kind(rule), _kind(other)
            if wanted != got:
                yield Turned(
                    f"{field}.{place}",
                    f"it comes back as {_spoken(got)}",
                    _INSTEAD.get((field, *wanted), ""),
                    rule=True,
                )


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _kind(rule: Mapping[str, Json]) -> tuple[str, str]:
    return str(rule.get("type") or ""), str(rule.get("action") or "")


def _spoken(kind: tuple[str, str]) -> str:
    return " ".join(filter(None, kind)) or "nothing"


def _lines(kind: SectionKind, body: JsonObject, api: ApiVersion) -> list[str]:
    return render(kind, body, api, complete=True).split("\n")[1:]


def _plain(lines: Sequence[str]) -> list[list[str]]:
    """The words of each line, those left out that stand there a second time and mean nothing."""
    found = []
    for line in lines:
        words, _ = split(line)
        found.append([word for place, word in enumerate(words) if word not in _TWICE or word not in words[:place]])
    return found


def _otherwise(kind: SectionKind, body: JsonObject, back: JsonObject, api: ApiVersion) -> Iterator[Turned]:
    """The parts of the section whose lines are others when they are made of what was read back."""
    if _plain(_lines(kind, body, api)) == _plain(_lines(kind, back, api)):
        return
    alone = False
    for path, sent, other in _parts(body, back):
        wanted, got = (_lines(kind, {**_named(body), **part}, api) for part in (sent, other))
        if _plain(wanted) != _plain(got):
            alone = True
            yield Turned(path, f"it comes back as `{_shown(got)}`, not as `{_shown(wanted)}`")
    if not alone:
        wanted, got = _lines(kind, body, api), _lines(kind, back, api)
        left, new = ([line for line in one if line not in two] for one, two in ((wanted, got), (got, wanted)))
        yield Turned(next(iter(body)), f"it comes back with `{_shown(new)}` in place of `{_shown(left)}`")


def _named(body: JsonObject) -> dict[str, Json]:
    return {"name": body["name"]} if "name" in body else {}


def _shown(lines: Sequence[str]) -> str:
    return "; ".join(masked(line.strip()) for line in lines) or "nothing"


def _parts(body: JsonObject, back: JsonObject) -> Iterator[tuple[str, dict[str, Json], dict[str, Json]]]:
    """Each field by itself, each rule and each entry by itself: its path, and it alone on both sides."""
    for field, sent in body.items():
        other = back.get(field)
        if field in {"name", "from"}:
            continue
        rules = _list(sent)
        if rules and all(isinstance(one, Mapping) for one in rules):
            for place, one in enumerate(rules):
                yield f"{field}.{place}", {field: [one]}, {field: list(_list(other)[place : place + 1])}
        elif isinstance(sent, Mapping) and sent and all(isinstance(one, Mapping) for one in sent.values()):
            entries = other if isinstance(other, Mapping) else {}
            for name, one in sent.items():
                yield f"{field}.{name}", {field: {name: one}}, {field: {name: entries[name]} if name in entries else {}}
        else:
            yield field, {field: sent}, {field: other} if field in back else {}
