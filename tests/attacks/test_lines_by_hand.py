"""Somebody with a shell on an instance, or with a document, makes a rule say its opposite: it is refused, or seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flow_attack import ANY_DIGEST, Site, document
from trust_world import closed_api, policy_document


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
