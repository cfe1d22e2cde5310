"""Settings that a server reads back as others: refused, for every table, so that one canonical form has one meaning."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from codec_samples import VERSIONS, samples

from haoam_sync.haproxycfg import CodecError, canonical, lost, refused, render
from haoam_sync.haproxycfg.actions import Actions
from haoam_sync.haproxycfg.tables import checks, http_rules, lists, tcp_rules
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.section import SectionKind

REQUEST, RESPONSE = "tcp_request_rule_list", "tcp_response_rule_list"


@pytest.mark.parametrize(
    ("field", "rule", "reason", "instead"),
    [
        (REQUEST, {"type": "session", "action": "reject"}, "it comes back as session accept", "type: content"),
        (
            REQUEST,
            {"type": "session", "action": "sc-inc-gpc", "sc_idx": "1", "sc_inc_id": "2"},
            "it comes back as connection sc-inc-gpc",
            "type: connection",
        ),
        (
            REQUEST,
            {"type": "session", "action": "set-mark", "mark_value": "7"},
            "it comes back as session set-dst-port",
            "type: connection",
        ),
        (
            RESPONSE,
            {"type": "content", "action": "set-var", "var_scope": "txn", "var_name": "x", "expr": "src"},
            "it comes back as set-var",
            "http_response_rule_list",
        ),
    ],
)
def test_rules_that_turn_into_others(field: str, rule: dict[str, Any], reason: str, instead: str) -> None:
    """A rule that comes back with another type or action is lost, with what it turns into and what works."""
    found = lost(SectionKind.BACKEND, {"name": "b", field: [rule]}, NEWEST)
    assert [reason] == [one.reason for one in found if one.path == f"{field}.0"]
    assert any(instead in one.instead for one in found)


def test_a_bind_that_turns_its_tickets_round() -> None:
    """API 3.2 reads the opposite of `no-tls-tickets` beside it: lost there, kept by 3.4."""
    body = {"name": "f", "binds": {"b": {"name": "b", "address": "*", "port": 443, "no_tls_tickets": True}}}
    (found,) = lost(SectionKind.FRONTEND, body, ApiVersion(3, 2))
    assert found.path == "binds.b"
    assert "no-tls-tickets tls-tickets`" in found.reason
    assert lost(SectionKind.FRONTEND, body, NEWEST) == ()


def test_reasons_show_no_secret() -> None:
    """The lines in a reason are shown without passwords."""
    bind = {"name": "b", "address": "*", "port": 443, "no_tls_tickets": True, "ca_sign_pass": "hunter2"}
    (found,) = lost(SectionKind.FRONTEND, {"name": "f", "binds": {"b": bind}}, ApiVersion(3, 2))
    assert "ca-sign-pass <secret>" in found.reason
    assert "hunter2" not in found.reason


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("recording", ["syntax", "measured"])
def test_one_canonical_form_has_one_text(version: str, recording: str) -> None:
    """Of all measured objects that are accepted, no two with different lines have one canonical form."""
    texts: dict[str, set[str]] = defaultdict(set)
    for sample in samples(version, recording):
        if not sample.refused and not _refused(sample.kind, dict(sample.body), sample.api):
            form = canonical(sample.kind, sample.body, sample.api)
            texts[f"{sample.kind} {json.dumps(form, sort_keys=True)}"].add(
                _meaning(render(sample.kind, sample.body, sample.api, complete=True))
            )
    assert len(texts) > 500
    assert {form: found for form, found in texts.items() if len(found) > 1} == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_rule_is_itself_or_refused(version: str) -> None:
    """Every type and action of every table of rules comes back as itself, or is refused before it is written."""
    api = ApiVersion.parse(version)
    turned, seen = set(), 0
    for field, rule in _every_rule(new=version == "3.4"):
        body = {"name": "x", field: [rule]}
        if refused(SectionKind.BACKEND, body, api):
            continue
        seen += 1
        (back,) = canonical(SectionKind.BACKEND, body, api).get(field) or ({},)
        if (back.get("type"), back.get("action")) != (rule.get("type"), rule.get("action")):
            turned.add(f"{rule['type']} {rule.get('action', '')}".strip())
            assert lost(SectionKind.BACKEND, body, api), rule
    assert seen > 200
    assert "session reject" in turned


def _refused(kind: SectionKind, body: dict[str, Any], api: ApiVersion) -> bool:
    return bool(refused(kind, body, api) or lost(kind, body, api))


def _meaning(text: str) -> str:
    """Its lines without comments; a flag that the server writes twice counts once."""
    return "\n".join(" ".join(split(line)[0]) for line in text.split("\n")).replace("no-sslv3 no-sslv3", "no-sslv3")


def _every_rule(*, new: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    tables: tuple[tuple[str, Actions, tuple[str, ...]], ...] = (
        ("http_request_rule_list", http_rules.request(new=new), ()),
        ("http_response_rule_list", http_rules.response(new=new), ()),
        ("http_after_response_rule_list", http_rules.after_response(new=new), ()),
        ("http_checks", checks.HTTP_CHECK, ()),
        ("tcp_check_rule_list", checks.TCP_CHECK, ()),
        ("filter_list", lists.filters(new=new), ()),
        (REQUEST, tcp_rules.TCP_REQUEST_ACTIONS, ("connection", "content", "session")),
        (RESPONSE, tcp_rules.TCP_RESPONSE_ACTIONS, ("content",)),
    )
    for field, actions, types in tables:
        for name, action in actions.by_name.items():
            filled = {one: value for one in sorted(action.fields) for value in [_filler(field, actions, name, one)]}
            for kind in types or ("",):
                yield field, {**filled, **({"type": kind} if kind else {}), actions.key: name}


def _filler(field: str, actions: Actions, name: str, one: str) -> Any:
    """Something that this field of this action takes: a word, or else a number."""
    if one in {"cond", "cond_test"}:
        return {"cond": "if", "cond_test": "TRUE"}[one]
    if one.endswith(("limit", "period", "size")):
        return 1
    body = {"name": "x", field: [{"type": "content", one: "1", actions.key: name}]}
    try:
        return "1" if canonical(SectionKind.BACKEND, body, NEWEST)[field][0].get(one, "1") == "1" else 1
    except (CodecError, KeyError):
        return 1
