"""Settings that the server accepts and loses: read back, nothing shows that they were ever sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from haoam_sync.haproxycfg import parts, turned
from haoam_sync.haproxycfg.rows import Composite, Entries, Items, Row
from haoam_sync.haproxycfg.section import canonical
from haoam_sync.haproxycfg.table import table
from haoam_sync.haproxycfg.tables.options import LostFields, Unread
from haoam_sync.haproxycfg.tables.small import ReadOnly
from haoam_sync.haproxycfg.tables.stats import Marked
from haoam_sync.haproxycfg.unread import unread
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import MARKED_KINDS, SectionKind


@dataclass(frozen=True, slots=True, order=True)
class Lost:
    """A setting that the server accepts and then does not have.

    Attributes:
        path: dotted, from the section's body down; numbers for places in an array.
        reason: why it is lost, one clause.
        instead: the setting that works, "" when there is none.
    """

    path: str
    reason: str
    instead: str = ""


def lost(kind: SectionKind, body: JsonObject, api: ApiVersion, *, back: JsonObject | None = None) -> tuple[Lost, ...]:
    """Every set field of `body` that its canonical form does not have in any form, sorted by path.

    What asks for nothing (`false`, `disabled`, an empty text or list) cannot be lost. A number that comes back as
    another and a text that comes back cut off are lost, too, and so is whatever is read back as something else
    (`turned.py`).

    Args:
        kind: of section.
        body: as it would be sent.
        api: of the server.
        back: its canonical form, where the caller has it already.

    Raises:
        CodecError: `body` has no text at all.
    """
    if back is None:
        back = canonical(kind, body, api)
    always = [*_odd_options(body), *_without_value(body), *(Lost(u.path, u.reason, u.instead) for u in unread(body))]
    if body == back:  # for most sections; what follows is about what differs
        return tuple(sorted(always))
    notes = _notes(kind, api)
    missing = [_lost(path, body, notes, kind, api) for path in _missing(body, back, ())]
    found = [*missing, *_changed(body, back, ""), *always]
    known = {one.path for one in found}
    others = (one for one in turned.turned(kind, body, back, api) if one.rule or not _within(one.path, known))
    return tuple(sorted([*found, *(Lost(one.path, one.reason, one.instead) for one in others)]))


def _within(path: str, known: Collection[str]) -> bool:
    """Whether something at `path`, or below it, is known to be lost."""
    return any(f"{other}.".startswith(f"{path}.") or f"{path}.".startswith(f"{other}.") for other in known)


_COUNTERS = frozenset({"sc-add-gpc", "sc-set-gpt", "sc-set-gpt0"})


def _without_value(body: JsonObject) -> Iterator[Lost]:
    """Rules of TCP that set a counter to nothing: written, and shown in no answer (measured)."""
    rules = body.get("tcp_request_rule_list")
    for place, rule in enumerate(rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ()):
        if not isinstance(rule, Mapping) or rule.get("action") not in _COUNTERS:
            continue
        if rule.get("sc_int") is None and not rule.get("expr") and not rule.get("gpt_value"):
            reason = "the server writes a rule without a value, and shows it in no answer"
            yield Lost(f"tcp_request_rule_list.{place}.action", reason, "sc_int or expr, beside it")


def _odd_options(body: JsonObject) -> Iterator[Lost]:
    """Options of a redirection are written as they are, and read from the file two words at a time (measured)."""
    for field in ("http_request_rule_list", "http_response_rule_list"):
        rules = body.get(field)
        for place, rule in enumerate(rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ()):
            option = rule.get("redir_option") if isinstance(rule, Mapping) else None
            if isinstance(option, str) and len(option.split()) % 2:
                reason = "the server does not read a redirection with an odd number of words as options"
                yield Lost(f"{field}.{place}.redir_option", reason)


def _changed(sent: Json, back: Json, path: str) -> Iterator[Lost]:
    """Numbers that come back as others, and texts that come back cut off: a trap as bad as a loss.

    A text in another spelling (an IPv6 address written out) is no loss: the canonical form takes care of it.
    """
    if sent == back:
        return
    match sent:
        case Mapping() if isinstance(back, Mapping):
            for key in sent.keys() & back.keys():
                yield from _changed(sent[key], back[key], f"{path}.{key}" if path else key)
        case Sequence() if not isinstance(sent, str) and isinstance(back, Sequence) and not isinstance(back, str):
            for place, (item, other) in enumerate(zip(sent, back, strict=False)):
                yield from _changed(item, other, f"{path}.{place}")
        case bool() | int() | float() if sent != back:
            yield Lost(path, f"it comes back as {back!r}")
        case str() if isinstance(back, str) and len(back) < len(sent) and sent.startswith(back):
            yield Lost(path, f"it is cut off, and comes back as {back!r}")


_Path = tuple["str | int", ...]


def _missing(sent: Json, back: Json, path: _Path) -> Iterator[_Path]:
    """The paths of what is set in `sent` and not there in `back`."""
    if sent == back:
        return
    match sent:
        case Mapping():
            there = back if isinstance(back, Mapping) else {}
            for key, value in sent.items():
                if _asks(value):
                    yield from _missing_at(value, key in there, there.get(key), (*path, key))
        case Sequence() if not isinstance(sent, str):
            items = back if isinstance(back, Sequence) and not isinstance(back, str) else ()
            for place, value in enumerate(sent):
                if _asks(value):
                    item = items[place] if place < len(items) else None
                    yield from _missing_at(value, place < len(items), item, (*path, place))


def _missing_at(value: Json, present: bool, there: Json, path: _Path) -> Iterator[_Path]:  # noqa: FBT001 - internal
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        if path[-1] == "metadata":
            if not present:
                yield path
            return
        yield from _missing(value, there, path)
    elif not present and not (value == 0 and path[-1] in _FIRST_COUNTER):
        yield path


_FIRST_COUNTER = frozenset({"sc_id", "sc_idx"})
"""Numbers whose 0 is written and read back as nothing: the first counter either way."""


def _asks(value: Json) -> bool:
    """Whether a value asks for anything."""
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        return bool(value)
    return value is not None and value is not False and value not in {"", "disabled"}


def _lost(
    path: _Path, body: JsonObject, notes: Mapping[str, tuple[str, str]], kind: SectionKind, api: ApiVersion
) -> Lost:
    dotted = ".".join(str(step) for step in path)
    field = str(path[-1])
    holder = _holder(body, path)
    if field == "metadata" and len(path) == 1 and kind not in MARKED_KINDS:
        return Lost(dotted, f"the API keeps no metadata on {kind.value} sections")
    if field == "cond_test" and not holder.get("cond"):
        return Lost(dotted, "a test without its condition is dropped", "cond: if, beside it")
    for pattern, note in notes.items():
        if _matches(path, pattern):
            return Lost(dotted, *note)
    needed = next((setting for pattern, setting in _NEEDS.items() if _matches(path, pattern)), None)
    if needed:
        return Lost(dotted, "nothing is written for it without the setting it belongs to", f"{needed}, beside it")
    action = holder.get("action") or holder.get("type")
    if isinstance(action, str) and len(path) > 1:
        return Lost(dotted, f"{action} has no such argument")
    if not _known(path, kind, api):
        return Lost(dotted, f"API {api} has no such field and drops it without a word")
    return Lost(dotted, "nothing is written for it beside these other settings")


_NEEDS: Mapping[str, str] = {
    **{f"httpchk_params.{name}": "adv_check: httpchk" for name in ("method", "uri", "version", "host")},
    **{f"mysql_check_params.{name}": "adv_check: mysql-check" for name in ("username", "client_version")},
    "pgsql_check_params.username": "adv_check: pgsql-check",
    **{f"smtpchk_params.{name}": "adv_check: smtpchk" for name in ("hello", "domain")},
    "stats_options.stats_admin_cond": "stats_admin: true",
    "stats_options.stats_admin_cond_test": "stats_admin: true",
    "stats_options.stats_realm_realm": "stats_realm: true",
    "source.usesrc": "address_second",
    "source.hdr": "usesrc: hdr_ip",
    "source.occ": "usesrc: hdr_ip",
    "source.port_second": "address_second",
    "default_path.path": "type: origin",
    "log_send_hostname.param": "enabled: enabled",
    **{
        f"{holder}.{field}": "quic-cc-algo"
        for holder in ("servers.*", "server_templates.*", "default_server", "binds.*", "default_bind")
        for field in ("quic_cc_algo_max_window", "quic_cc_algo_burst_size")
    },
    **{
        f"balance.{field}": f"algorithm: {algorithm}"
        for field, algorithm in (
            ("hash_expression", "hash"),
            ("hdr_name", "hdr"),
            ("hdr_use_domain_only", "hdr"),
            ("random_draws", "random"),
            ("rdp_cookie_name", "rdp-cookie"),
            ("uri_depth", "uri"),
            ("uri_len", "uri"),
            ("uri_path_only", "uri"),
            ("uri_whole", "uri"),
            ("url_param", "url_param"),
            ("url_param_check_post", "url_param"),
            ("url_param_max_wait", "url_param"),
        )
    },
}
"""Fields that are written only beside another setting."""


def _holder(body: JsonObject, path: _Path) -> Mapping[str, Any]:
    value: Any = body
    for step in path[:-1]:
        value = value[step]
    return value if isinstance(value, Mapping) else {}


def _matches(path: _Path, pattern: str) -> bool:
    steps = pattern.split(".")
    return len(steps) <= len(path) and all(
        step in {"*", str(actual)} for step, actual in zip(steps, path, strict=False)
    )


def _known(path: _Path, kind: SectionKind, api: ApiVersion) -> bool:
    return any(_matches(path, known) for row in table(kind, api).rows for known in row.paths)


@cache
def _notes(kind: SectionKind, api: ApiVersion) -> Mapping[str, tuple[str, str]]:
    """What the table itself says about fields that are lost: reason and remedy by path."""
    notes: dict[str, tuple[str, str]] = {}
    for row in table(kind, api).rows:
        notes.update(_notes_of(row))
    return notes


def _notes_of(row: Row) -> Iterator[tuple[str, tuple[str, str]]]:
    inner = row.row if isinstance(row, Marked) else row
    match inner:
        case Unread():
            reason = "it is written and never read back, so that nobody could see it drift"
            yield from ((path, (reason, "")) for path in inner.paths)
        case ReadOnly():
            reason = "this API version drops it when a whole section is written"
            yield from ((path, (reason, "")) for path in inner.paths)
        case LostFields():
            yield from ((path, ("the server leaves no trace of it", inner.instead)) for path in inner.paths)
        case Composite() | Items() | Entries():
            prefix = inner.path if isinstance(inner, Composite) else f"{inner.path}.*"
            for part in inner.arguments.parts:
                if isinstance(part, parts.Lost):
                    yield f"{prefix}.{part.field}", ("the server leaves no trace of it", part.instead)
