"""Somebody with a shell on an instance, or with a document, makes a rule say its opposite: it is refused, or seen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from apply_lab import free_port
from flow_attack import ANY_DIGEST, Site, document
from import_lab import Adopted, adopted
from trust_world import closed_api, policy_document

from haoam_sync.model.outcome import Result
from haoam_sync.model.plan import UNSHOWN, Reason
from haoam_sync.model.section import SectionId, SectionKind


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Site]:
    """A world whose API only counts."""
    with closed_api() as api:
        yield Site(tmp_path, keys, policy_document(publics), gate=api)


def _edge(rule: Mapping[str, Any]) -> bytes:
    return document("Frontend", "edge", {"mode": "tcp", "tcp_request_rule_list": [dict(rule)]})


def _reviewed(site: Site, rule: Mapping[str, Any]) -> None:
    head = site.move(site.commit(site.with_file("haproxy/edge.yaml", _edge(rule)), [site.introduction]))
    site.digests[site.introduction, head] = ANY_DIGEST  # there is none of what has no canonical form of its own
    site.review("bob", site.introduction, head)


@pytest.mark.attack("E_INVALID")
@pytest.mark.parametrize(
    ("rule", "turned", "works"),
    [
        pytest.param(
            {"type": "session", "action": "reject", "cond": "if", "cond_test": "{ src 192.0.2.1 }"},
            "it comes back as session accept",
            "type: content, or connection, with action: reject",
            id="a rejection that is an acceptance",
        ),
        pytest.param(
            {"type": "session", "action": "set-mark", "mark_value": "7"},
            "it comes back as session set-dst-port",
            "type: connection",
            id="a mark that is a port",
        ),
    ],
)
def test_a_rule_that_reads_back_as_another(site: Site, rule: Mapping[str, Any], turned: str, works: str) -> None:
    """A signed and reviewed rule that the API shows as another one is refused offline, with the setting that works."""
    _reviewed(site, rule)
    site.gate.forget()
    ran = site.must(3, "apply", ANY_DIGEST)
    assert "E_INVALID: " in ran.err
    assert (site.gate.connections, site.gate.requests) == (0, [])
    assert turned in ran.err
    assert works in ran.err


def test_control_the_rule_that_works(site: Site) -> None:
    """The same rejection as a rule of the connection is planned: the instance is asked."""
    _reviewed(site, {"type": "connection", "action": "reject", "cond": "if", "cond_test": "{ src 192.0.2.1 }"})
    ran = site.cli("plan", "--output", "json")
    assert (ran.code, site.gate.connections > 0) == (7, True), ran.said


_CONFIG = """\
global
  master-worker
  stats socket ${{DIR}}/admin.sock mode 600 level admin

defaults base
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s

frontend edge
  bind 127.0.0.1:{port}
  tcp-request session accept if {{ src 192.0.2.1 }}
  tcp-request content reject if {{ src 192.0.2.2 }}
  default_backend web

backend web
  server s1 127.0.0.1:8001
"""


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Adopted]:
    """An instance whose sections were imported and adopted."""
    short = Path(tempfile.mkdtemp(prefix="haoam-"))
    with adopted(short / "lb", tmp_path, _CONFIG.format(port=free_port())) as one:
        one.imported()
        assert one.apply().result is Result.APPLIED
        assert one.plan().empty
        yield one
    shutil.rmtree(short)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "session accept if { src 192.0.2.1 }", "session reject if { src 192.0.2.1 }", id="shown as its opposite"
        ),
        pytest.param("  default_backend web\n", "  default_backend web\n  rate-limit sessions 1\n", id="not shown"),
        pytest.param(
            "  default_backend web\n", "  default_backend web\n  errorloc 503 http://192.0.2.9/\n", id="somewhere else"
        ),
    ],
)
def test_a_line_that_the_api_does_not_show_is_drift(edge: Adopted, before: str, after: str) -> None:
    """What somebody writes into an owned section is drift, though the API shows nothing of it, and goes away."""
    clean = edge.lab.file
    assert before in clean
    _by_hand(edge, before, after)
    shown = edge.lab.read().sections[SectionId(SectionKind.FRONTEND, "edge")].body
    (change,) = edge.plan().changes
    assert (change.reason, [one.path for one in change.fields]) == (Reason.DRIFT, [UNSHOWN])
    line = next(line.strip() for line in after.splitlines() if line not in before)
    assert any(line in str(one) for one in change.fields[0].before or ()), shown  # type: ignore[union-attr]
    assert edge.apply().result is Result.APPLIED
    assert edge.plan().empty
    assert _lines(edge.lab.file) == _lines(clean)


@pytest.mark.e2e
def test_a_rejection_made_an_acceptance_is_drift(edge: Adopted) -> None:
    """A rule that was turned round by hand, in a way that the API shows, is drift, and is turned back."""
    clean = edge.lab.file
    _by_hand(edge, "content reject if { src 192.0.2.2 }", "session accept if { src 192.0.2.2 }")
    (change,) = edge.plan().changes
    assert (change.reason, [one.path for one in change.fields]) == (Reason.DRIFT, ["tcp_request_rule_list"])
    assert edge.apply().result is Result.APPLIED
    assert _lines(edge.lab.file) == _lines(clean)


def _by_hand(edge: Adopted, before: str, after: str) -> None:
    """Somebody with a login changes the file."""
    client = edge.lab.client()
    try:
        now = client.raw()
        client.write_raw(now.text.replace(before, after, 1), version=now.version or 0)
    finally:
        client.close()


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if not line.startswith("# _")]
