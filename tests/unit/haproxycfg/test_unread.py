"""What the server shows right after a write and not once it has read its file; and values that no model refuses."""

from __future__ import annotations

from typing import Any

import pytest

from haoam_sync.haproxycfg import lost, refused
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

VERSIONS = [ApiVersion(3, 2), ApiVersion(3, 4)]
PAGES = {"return_content_format": "default-errorfiles"}
UNREAD: list[tuple[SectionKind, dict[str, Any], str]] = [
    (
        SectionKind.FRONTEND,
        {"http_request_rule_list": [{"type": "deny", **PAGES}]},
        "http_request_rule_list.0.return_content_format",
    ),
    (
        SectionKind.BACKEND,
        {"http_response_rule_list": [{"type": "return", **PAGES}]},
        "http_response_rule_list.0.return_content_format",
    ),
    (
        SectionKind.BACKEND,
        {"tcp_response_rule_list": [{"type": "content", "action": "send-spoe-group"}]},
        "tcp_response_rule_list.0.action",
    ),
    (SectionKind.DEFAULTS, {"errorfiles_from_http_errors": [{"codes": [503]}]}, "errorfiles_from_http_errors.0"),
    (SectionKind.FCGI_APP, {"docroot": "/d", "pass_headers": [{"cond": "if", "cond_test": "TRUE"}]}, "pass_headers.0"),
]
READ: list[tuple[SectionKind, dict[str, Any]]] = [
    (SectionKind.FRONTEND, {"http_request_rule_list": [{"type": "deny", "deny_status": 503, **PAGES}]}),
    (SectionKind.BACKEND, {"http_response_rule_list": [{"type": "return", "return_status_code": 503, **PAGES}]}),
    (SectionKind.DEFAULTS, {"errorfiles_from_http_errors": [{"name": "pages", "codes": [503]}]}),
    (SectionKind.FCGI_APP, {"docroot": "/d", "pass_headers": [{"name": "x-a"}]}),
]
REFUSED: list[tuple[SectionKind, dict[str, Any], str]] = [
    (SectionKind.BACKEND, {"dynamic_cookie_key": '"two words"'}, "dynamic_cookie_key"),
    (
        SectionKind.GLOBAL,
        {"ocsp_update_options": {"mindelay": 600, "maxdelay": 300}},
        "ocsp_update_options.mindelay",
    ),
    (SectionKind.FRONTEND, {"capture_list": [{"type": "request", "length": 0}]}, "capture_list.0.length"),
    (
        SectionKind.FRONTEND,
        {"http_request_rule_list": [{"type": "capture", "capture_sample": "src", "capture_len": 0}]},
        "http_request_rule_list.0",
    ),
]
TAKEN: list[tuple[SectionKind, dict[str, Any]]] = [
    (SectionKind.BACKEND, {"dynamic_cookie_key": "word"}),
    (SectionKind.GLOBAL, {"ocsp_update_options": {"mindelay": 300, "maxdelay": 300}}),
    (SectionKind.GLOBAL, {"ocsp_update_options": {"mindelay": 300}}),
    (SectionKind.FRONTEND, {"capture_list": [{"type": "request", "length": 1}]}),
]


@pytest.mark.parametrize("api", VERSIONS, ids=str)
@pytest.mark.parametrize(("kind", "body", "path"), UNREAD, ids=[path for _, _, path in UNREAD])
def test_what_is_not_read_from_the_file_is_lost(
    kind: SectionKind, body: dict[str, Any], path: str, api: ApiVersion
) -> None:
    """A setting that is gone from every read after a restart is named as lost, with what works instead."""
    found = {one.path: one.instead for one in lost(kind, {"name": "n", **body}, api)}
    assert found[path]


@pytest.mark.parametrize("api", VERSIONS, ids=str)
@pytest.mark.parametrize(("kind", "body"), READ, ids=[str(kind) for kind, _ in READ])
def test_what_is_read_is_not_lost(kind: SectionKind, body: dict[str, Any], api: ApiVersion) -> None:
    """The same settings, written as the server reads them, are no losses."""
    assert lost(kind, {"name": "n", **body}, api) == ()


@pytest.mark.parametrize("api", VERSIONS, ids=str)
@pytest.mark.parametrize(("kind", "body", "path"), REFUSED, ids=[path for _, _, path in REFUSED])
def test_values_that_no_model_refuses(kind: SectionKind, body: dict[str, Any], path: str, api: ApiVersion) -> None:
    """What the server answers with 4xx or 5xx for its value is refused offline."""
    assert path in {one.path for one in refused(kind, body, api)}


@pytest.mark.parametrize("api", VERSIONS, ids=str)
@pytest.mark.parametrize(("kind", "body"), TAKEN, ids=[str(body) for _, body in TAKEN])
def test_values_that_are_taken(kind: SectionKind, body: dict[str, Any], api: ApiVersion) -> None:
    """The nearest values that the server takes are not refused."""
    assert refused(kind, body, api) == ()
