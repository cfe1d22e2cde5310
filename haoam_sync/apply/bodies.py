"""Section bodies as they are compared and written. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haoam_sync import haproxycfg
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.bodies import without_metadata
from haoam_sync.model.desired import CERTIFICATE_DIR
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionKind


def names_directory(value: Json) -> bool:
    """Whether a certificate stands in it whose directory only the instance knows."""
    match value:
        case str():
            return value.startswith(CERTIFICATE_DIR)
        case Mapping():
            return any(names_directory(inner) for inner in value.values())
        case Sequence():
            return any(names_directory(inner) for inner in value)
        case _:
            return False


def in_directory(body: JsonObject, directory: str) -> JsonObject:
    """`body` with the instance's certificate directory filled in."""
    if not names_directory(body):
        return body

    def fill(value: Json) -> Json:
        match value:
            case str():
                return directory + value.removeprefix(CERTIFICATE_DIR) if value.startswith(CERTIFICATE_DIR) else value
            case Mapping():
                return {key: fill(inner) for key, inner in value.items()}
            case Sequence():
                return [fill(inner) for inner in value]
            case _:
                return value

    return {key: fill(value) for key, value in body.items()}


def comparable(kind: SectionKind, body: JsonObject, api: ApiVersion) -> JsonObject:
    """`body` in canonical form, without any `metadata`: comments and marks are no configuration."""
    return without_metadata(haproxycfg.canonical(kind, without_metadata(body), api))
