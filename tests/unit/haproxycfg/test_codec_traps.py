"""What the server refuses, loses or turns into something else, told before it is asked."""

from __future__ import annotations

from typing import Any

import pytest

from haoam_sync.haproxycfg import CodecError, canonical, lost, parse, refused, render
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

OLD, NEW = ApiVersion(3, 2), ApiVersion(3, 4)
TCP = "tcp_request_rule_list"
REQUEST = "http_request_rule_list"


@pytest.mark.parametrize(
    ("field", "rule", "message"),
    [
        (TCP, {"type": "content"}, "needs an action"),
        (TCP, {"type": "inspect-delay"}, "needs timeout"),
        (TCP, {"type": "session", "action": "use-service", "service_name": "s"}, "no action use-service"),
        (TCP, {"type": "content", "action": "track-sc", "track_key": "src"}, "needs track_stick_counter"),
        (REQUEST, {"type": "capture", "capture_sample": "src"}, "one of capture_len and capture_id"),
        (REQUEST, {"type": "sc-set-gpt0", "sc_id": 1, "sc_int": 1, "sc_expr": "src"}, "exclude each other"),
        (REQUEST, {"type": "sc-set-gpt0", "sc_id": 1}, "needs sc_int or sc_expr"),
        (
            REQUEST,
            {"type": "deny", "deny_status": 418, "return_content_format": "errorfiles"},
            "no page for the status",
        ),
        ("http_error_rule_list", {"type": "status"}, "needs status"),
        ("http_response_rule_list", {"type": "wait-for-body", "wait_time": 5}, "wait_at_least"),
    ],
)
def test_refused_rules(field: str, rule: dict[str, Any], message: str) -> None:
    """A rule that the server refuses is named by its place, with what is wrong."""
    (refusal,) = refused(SectionKind.FRONTEND, {"name": "f", field: [rule]}, NEW)
    assert refusal.path == f"{field}.0"
    assert message in refusal.message


def test_missing_defaults_are_refused() -> None:
    """A `from` that names no defaults is refused where the names are known, and not judged where they are not."""
    body: dict[str, Any] = {"name": "b", "from": "base"}
    assert [refusal.path for refusal in refused(SectionKind.BACKEND, body, NEW, defaults=("other",))] == ["from"]
    assert not refused(SectionKind.BACKEND, body, NEW, defaults=("base",))
    assert not refused(SectionKind.BACKEND, body, NEW)


@pytest.mark.parametrize(("entry", "wrong"), [({"directive": "reset"}, False), ({"directive": "only-cpu"}, True)])
def test_cpu_sets(entry: dict[str, str], wrong: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """`reset` stands alone, and every other directive of a cpu-set needs a set."""
    assert bool(refused(SectionKind.GLOBAL, {"cpu_set": [entry]}, NEW)) is wrong
    assert bool(refused(SectionKind.GLOBAL, {"cpu_set": [{**entry, "set": "0-3"}]}, NEW)) is not wrong


def test_a_disabled_redispatch_is_bare() -> None:
    """The interval of a redispatch that is switched off is not written, and so it is lost."""
    body: dict[str, Any] = {"name": "b", "redispatch": {"enabled": "disabled", "interval": 5}}
    assert render(SectionKind.BACKEND, body, OLD) == "backend b\n  no option redispatch"
    assert [item.path for item in lost(SectionKind.BACKEND, body, OLD)] == ["redispatch.interval"]


def test_lost_with_its_remedy() -> None:
    """Parameters of a health check are lost without its kind, and the loss says what to set beside them."""
    body: dict[str, Any] = {"name": "b", "httpchk_params": {"method": "GET", "uri": "/"}}
    found = lost(SectionKind.BACKEND, body, OLD)
    assert [(item.path, item.instead) for item in found] == [
        ("httpchk_params.method", "adv_check: httpchk, beside it"),
        ("httpchk_params.uri", "adv_check: httpchk, beside it"),
    ]


@pytest.mark.parametrize("nothing", [False, "", "disabled"])
def test_what_asks_for_nothing_is_not_lost(nothing: Any) -> None:
    """A value that switches something off which is off anyway is no loss."""
    assert not lost(SectionKind.BACKEND, {"name": "b", "forwardfor": {"enabled": "enabled", "ifnone": nothing}}, OLD)


def test_fields_of_a_newer_api() -> None:
    """A field that only a newer API has is lost, with the version that drops it."""
    body: dict[str, Any] = {"name": "b", "use_small_buffers": {"enabled": "enabled"}}
    assert not lost(SectionKind.BACKEND, body, NEW)
    (item,) = lost(SectionKind.BACKEND, body, OLD)
    assert item.path == "use_small_buffers.enabled"
    assert "3.2" in item.reason


def test_first_counter_may_be_unsaid() -> None:
    """The counter 0 is read back as nothing, which means the same."""
    body: dict[str, Any] = {"name": "f", REQUEST: [{"type": "sc-inc-gpc0", "sc_id": 0}]}
    assert not lost(SectionKind.FRONTEND, body, NEW)


def test_servers_are_sorted_by_name_as_text() -> None:
    """Servers stand in the order of their names as text, whatever the order in the object."""
    servers = {name: {"name": name, "address": "10.0.0.1", "port": 80} for name in ("s2", "s10", "s1")}
    assert render(SectionKind.BACKEND, {"name": "b", "servers": servers}, OLD).split("\n")[1:] == [
        "  server s1 10.0.0.1:80",
        "  server s10 10.0.0.1:80",
        "  server s2 10.0.0.1:80",
    ]


def test_comments_and_unknown_lines_stay_out_of_the_object() -> None:
    """Comments and keywords that the API does not know are no part of what it reads back."""
    section = parse("backend b # note\n  # comment\n  mode tcp\n  frobnicate 1\n", OLD)
    assert section.body == {"name": "b", "metadata": {"comment": "note"}, "mode": "tcp"}


def test_texts_that_are_no_section() -> None:
    """Text without a known section in it is an error."""
    with pytest.raises(CodecError, match="no section in this text"):
        parse("# nothing\n", OLD)
    with pytest.raises(CodecError, match="listen"):
        parse("listen x\n", OLD)


def test_objects_that_have_no_text() -> None:
    """An object without what its line needs is an error that names the section."""
    with pytest.raises(CodecError) as error:
        render(SectionKind.BACKEND, {"name": "b", TCP: [{"type": "content", "action": "fly"}]}, OLD)
    assert "backend b" in str(error.value.where)


def test_rules_that_the_server_does_not_show() -> None:
    """`set-src` in a rule of type `content` is written and never read back: it is lost, and named."""
    rule = {"type": "content", "action": "set-src", "expr": "src"}
    body: dict[str, Any] = {"name": "f", TCP: [rule]}
    assert render(SectionKind.FRONTEND, body, NEW).endswith("tcp-request content set-src src")
    assert lost(SectionKind.FRONTEND, body, NEW)
    assert not lost(SectionKind.FRONTEND, {"name": "f", TCP: [{**rule, "type": "connection"}]}, NEW)


def test_a_status_without_a_page_is_lost() -> None:
    """A status from 510 on is not written, and so it is lost."""
    body: dict[str, Any] = {"name": "f", REQUEST: [{"type": "deny", "deny_status": 511}]}
    assert [item.path for item in lost(SectionKind.FRONTEND, body, NEW)] == [f"{REQUEST}.0.deny_status"]


def test_a_range_of_one_port() -> None:
    """A listener from a port to the same one has no end of a range when it is read."""
    bind = {"name": "b", "address": "127.0.0.1", "port": 80, "port-range-end": 80}
    body: dict[str, Any] = {"name": "f", "binds": {"b": bind}}
    assert "port-range-end" not in canonical(SectionKind.FRONTEND, body, NEW)["binds"]["b"]


@pytest.mark.parametrize("action", ["sc-add-gpc", "sc-set-gpt", "sc-set-gpt0"])
def test_a_counter_set_to_nothing(action: str) -> None:
    """A rule of TCP that gives a counter no value is written and never read back: it is lost, and named."""
    rule: dict[str, Any] = {"type": "connection", "action": action, "sc_inc_id": "0"}
    said = [one.path for one in lost(SectionKind.FRONTEND, {"name": "f", TCP: [rule]}, NEW)]
    assert f"{TCP}.0.action" in said
    assert not lost(SectionKind.FRONTEND, {"name": "f", TCP: [{**rule, "expr": "int(1)"}]}, NEW)
