"""Section bodies as they are compared and written. Pure."""

from __future__ import annotations

from haoam_sync import haproxycfg
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.bodies import without_metadata
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionKind


def comparable(kind: SectionKind, body: JsonObject, api: ApiVersion) -> JsonObject:
    """`body` in canonical form, without any `metadata`: comments and marks are no configuration."""
    return without_metadata(haproxycfg.canonical(kind, without_metadata(body), api))
