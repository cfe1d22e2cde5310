"""What the server refuses by itself, before HAProxy is asked: known from the samples, told offline.

Types, enumerations, patterns and bounds are the models' business; here is what is left, the combinations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from haoam_sync.haproxycfg.rows import Composite, Entries, Items
from haoam_sync.haproxycfg.table import table
from haoam_sync.haproxycfg.tables.rule_parts import ERROR_CODES, PAYLOADS
from haoam_sync.haproxycfg.tables.small import ReadOnly
from haoam_sync.haproxycfg.tables.tcp_rules import UNSUPPORTED
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionKind


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """Something that the server answers with 4xx or 5xx.

    Attributes:
        path: dotted, from the section's body down; numbers for places in an array.
        message: what is wrong and what would be right.
    """

    path: str
    message: str


def refused(
    kind: SectionKind, body: JsonObject, api: ApiVersion, *, defaults: Collection[str] | None = None
) -> tuple[Refusal, ...]:
    """Everything in `body` that the server would refuse, sorted by path; empty when it would take it.

    Args:
        kind: of section.
        body: as it would be sent.
        api: of the server.
        defaults: names of the `defaults` sections that are there; None when that is not known: then `from` is not
            checked.
    """
    found = [*_wrong_types(kind, body, api)]
    if not found:
        found += _section(kind, body)
        found += _values(body)
        found += _rules(body, api)
        if kind is SectionKind.USERLIST and body.get("metadata") and api >= ApiVersion(3, 4):
            found.append(Refusal("metadata", f"API {api} takes no metadata on a userlist"))
        source = body.get("from")
        if source and defaults is not None and source not in defaults:
            found.append(Refusal("from", f"there is no defaults section {source!r}"))
    return tuple(sorted(found))


def _wrong_types(kind: SectionKind, body: JsonObject, api: ApiVersion) -> Iterator[Refusal]:
    """Children that have the wrong JSON type, and metadata that is no object."""
    if not isinstance(body.get("metadata", {}), Mapping):
        yield Refusal("metadata", "metadata must be an object")
    holding = _holding(kind, api)
    for row in (row for field in body for row in holding.get(field, ())):
        value = _at(body, row.path)
        if value is None:
            continue
        if isinstance(row, Items):
            yield from _children(row.path, value, Sequence, "an array of objects")
        elif isinstance(row, Entries):
            yield from _children(row.path, value, Mapping, "an object of objects, keyed by name")
        elif not isinstance(value, Mapping):
            yield Refusal(row.path, "it must be an object")
        else:
            yield from _metadata(row.path, value)


@cache
def _holding(kind: SectionKind, api: ApiVersion) -> Mapping[str, tuple[Composite | Items | Entries, ...]]:
    """The rows that stand for objects, by the top-level field in which those are."""
    found: dict[str, list[Composite | Items | Entries]] = {}
    for outer in table(kind, api).rows:
        row = outer.row if isinstance(outer, ReadOnly) else outer
        if isinstance(row, Composite | Items | Entries):
            found.setdefault(row.path.partition(".")[0], []).append(row)
    return {field: tuple(rows) for field, rows in found.items()}


_Children = Sequence[Any] | Mapping[str, Any]


def _children(path: str, value: Any, holder: type[_Children], expected: str) -> Iterator[Refusal]:
    if not isinstance(value, holder) or isinstance(value, str):
        yield Refusal(path, f"it must be {expected}")
        return
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, child in pairs:
        if not isinstance(child, Mapping):
            yield Refusal(f"{path}.{key}", "it must be an object")
        else:
            yield from _metadata(f"{path}.{key}", child)


def _metadata(path: str, value: Mapping[str, Any]) -> Iterator[Refusal]:
    if not isinstance(value.get("metadata") or {}, Mapping):
        yield Refusal(f"{path}.metadata", "metadata must be an object")


def _at(body: JsonObject, path: str) -> Any:
    value: Any = body
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _section(kind: SectionKind, body: JsonObject) -> Iterator[Refusal]:
    if body.get("adv_check") == "pgsql-check" and not _at(body, "pgsql_check_params.username"):
        yield Refusal("adv_check", "pgsql-check needs pgsql_check_params.username")
    if _at(body, "stats_options.stats_realm") and not _at(body, "stats_options.stats_realm_realm"):
        yield Refusal("stats_options.stats_realm", "it needs stats_realm_realm; the server breaks on it alone")
    if kind is SectionKind.FRONTEND and _at(body, "compression.direction"):
        yield Refusal("compression.direction", "a frontend has no direction of compression")
    for place, rule in enumerate(_at(body, "http_error_rule_list") or ()):
        if rule.get("status") is None:
            yield Refusal(f"http_error_rule_list.{place}", "it needs status")
    for place, entry in enumerate(_at(body, "cpu_set") or ()):
        if (entry.get("directive") == "reset") is bool(entry.get("set")):
            yield Refusal(f"cpu_set.{place}.set", "reset takes no set, and every other directive needs one")
    for place, engine in enumerate(_at(body, "ssl_options.engines") or ()):
        if engine.get("algorithms") is None:
            yield Refusal(
                f"ssl_options.engines.{place}", "it needs algorithms beside the name; the server breaks on it alone"
            )


def _values(body: JsonObject) -> Iterator[Refusal]:
    """Values that no model refuses: a secret's, which it does not see, and numbers that depend on others."""
    if any(letter.isspace() for letter in str(body.get("dynamic_cookie_key") or "")):
        yield Refusal("dynamic_cookie_key", "the server takes no white space in it, quoted or not")
    least, most = (_at(body, f"ocsp_update_options.{name}delay") for name in ("min", "max"))
    if least and most and least > most:
        yield Refusal("ocsp_update_options.mindelay", "it must not be greater than maxdelay")
    for place, capture in enumerate(_at(body, "capture_list") or ()):
        if capture.get("length") == 0:
            yield Refusal(f"capture_list.{place}.length", "it must be greater than 0")


_Rule = Mapping[str, Any]
_RuleCheck = Callable[[str, _Rule, ApiVersion], str]
"""(name of the list, rule, API version) to what is wrong with the rule, "" for nothing."""


def _rules(body: JsonObject, api: ApiVersion) -> Iterator[Refusal]:
    for field, value in body.items():
        if not field.endswith("_rule_list"):
            continue
        for place, rule in enumerate(cast("Sequence[_Rule]", value or ())):
            message = _tcp(field, rule) if field.startswith("tcp_re") else ""
            check = _CHECKS.get(str(rule.get("action") or rule.get("type")))
            if check and not message:
                message = check(field, rule, api)
            if message:
                yield Refusal(f"{field}.{place}", message)


def _tcp(field: str, rule: _Rule) -> str:
    kind, action = rule.get("type"), rule.get("action")
    if kind == "inspect-delay":
        return "" if rule.get("timeout") is not None else "inspect-delay needs timeout"
    if not action:
        return f"{kind} needs an action"
    if field == "tcp_request_rule_list" and action in UNSUPPORTED.get(str(kind), ()):
        return f"{kind} has no action {action}"
    return ""


def _counter(field: str, rule: _Rule, api: ApiVersion) -> str:  # noqa: ARG001 - _RuleCheck
    if field == "tcp_request_rule_list":
        return ""
    expression = "expr" if field == "tcp_response_rule_list" else "sc_expr"
    number, text = rule.get("sc_int") is not None, bool(rule.get(expression))
    if number and text:
        return f"sc_int and {expression} exclude each other"
    if not (number or text):
        return f"it needs sc_int or {expression}"
    return ""


def _track(field: str, rule: _Rule, api: ApiVersion) -> str:  # noqa: ARG001 - _RuleCheck
    counter = "track_stick_counter" if field.startswith("tcp_") else "track_sc_stick_counter"
    return "" if rule.get(counter) is not None else f"it needs {counter}"


def _wait(field: str, rule: _Rule, api: ApiVersion) -> str:  # noqa: ARG001 - _RuleCheck
    if field == "http_response_rule_list" and None in {rule.get("wait_time"), rule.get("wait_at_least")}:
        return "in a response it needs wait_time and wait_at_least; the server breaks without them"
    return ""


def _capture(field: str, rule: _Rule, api: ApiVersion) -> str:  # noqa: ARG001 - _RuleCheck
    if field == "http_after_response_rule_list":
        return "the server takes no capture after a response"
    if field == "http_request_rule_list" and (rule.get("capture_len") is None) is (rule.get("capture_id") is None):
        return "it needs one of capture_len and capture_id"
    if field == "http_request_rule_list" and rule.get("capture_len") == 0:
        return "capture_len must be greater than 0"
    return ""


def _format(field: str, rule: _Rule, api: ApiVersion) -> str:  # noqa: ARG001 - _RuleCheck
    if field == "http_after_response_rule_list" and api < ApiVersion(3, 4):
        return f"API {api} does not take set-var-fmt after a response; use set-var"
    return ""


def _answer(field: str, rule: _Rule, api: ApiVersion) -> str:  # noqa: ARG001 - _RuleCheck
    form = rule.get("return_content_format") or ""
    code = rule.get("deny_status") if rule.get("type") == "deny" else rule.get("return_status_code")
    if form not in PAYLOADS and code is not None and code not in ERROR_CODES:
        return f"{form} has no page for the status {code}"
    return ""


_CHECKS: Mapping[str, _RuleCheck] = {
    "deny": _answer,
    "return": _answer,
    "sc-add-gpc": _counter,
    "sc-set-gpt": _counter,
    "sc-set-gpt0": _counter,
    "track-sc": _track,
    "wait-for-body": _wait,
    "capture": _capture,
    "set-var-fmt": _format,
}
