"""The canonical form of one object is worked out once, and is never that of another."""

from __future__ import annotations

import pytest

from haoam_sync import haproxycfg
from haoam_sync.haproxycfg import section
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionKind

BODY: JsonObject = {"name": "b", "mode": "http", "servers": {"s": {"name": "s", "address": "::1", "port": 80}}}


def test_it_is_the_canonical_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what `canonical` says, for the kind and the version that are asked for, and asked of it once."""
    asked: list[tuple[SectionKind, ApiVersion]] = []
    really = section.canonical

    def counted(kind: SectionKind, body: JsonObject, api: ApiVersion) -> JsonObject:
        asked.append((kind, api))
        return really(kind, body, api)

    monkeypatch.setattr(section, "canonical", counted)
    for api in (NEWEST, ApiVersion(3, 2)):
        for kind in (SectionKind.BACKEND, SectionKind.DEFAULTS):
            for _ in range(2):
                assert haproxycfg.canonical_once(kind, BODY, api) == really(kind, BODY, api)
    assert len(asked) == 4


def test_another_object_of_the_same_identity_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept holds its object, so that no other one gets its identity; beyond a number, all are forgotten."""
    monkeypatch.setattr(section, "_MOST_KEPT", 3)
    for number in range(100):
        body: JsonObject = {"name": f"b{number}", "mode": "http"}
        assert haproxycfg.canonical_once(SectionKind.BACKEND, body, NEWEST)["name"] == f"b{number}"
        del body
    assert len(section._kept) <= 3
