"""No field of the API is without a row in the codec's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from codec_samples import VERSIONS, models

from haoam_sync.haproxycfg.table import table
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

_MODELS = {
    SectionKind.GLOBAL: "global",
    SectionKind.DEFAULTS: "defaults",
    SectionKind.FRONTEND: "frontend",
    SectionKind.BACKEND: "backend",
    SectionKind.RESOLVERS: "resolver",
    SectionKind.CACHE: "cache",
    SectionKind.RING: "ring",
    SectionKind.LOG_FORWARD: "log_forward",
    SectionKind.PEERS: "peer_section",
    SectionKind.USERLIST: "userlist",
    SectionKind.CRT_STORE: "crt_store",
    SectionKind.MAILERS: "mailers_section",
    SectionKind.FCGI_APP: "fcgi_app",
    SectionKind.HTTP_ERRORS: "http_errors_section",
}
_PROXIES = frozenset({SectionKind.DEFAULTS, SectionKind.FRONTEND, SectionKind.BACKEND})
_HEADER = frozenset({"name", "from", "metadata"})
"""Fields of the first line of a section; metadata stands in a comment behind any line."""
_OF_NO_ACTION = frozenset({"http_after_response_rule_list.*.var_format", "tcp_response_rule_list.*.sc_expr"})
"""Declared, and written for no action: API 3.2 refuses set-var-fmt after a response; tcp-response reads `expr`."""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", _MODELS, ids=lambda kind: kind.value)
def test_every_field_has_a_row(version: str, kind: SectionKind) -> None:
    """Every field that the server declares for a kind, down to the last nested one, is covered by some row."""
    known = [tuple(path.split(".")) for row in table(kind, ApiVersion.parse(version)).rows for path in row.paths]
    fields = models(version)
    missing = [
        ".".join(path)
        for path in _paths(fields, fields[_MODELS[kind]], ())
        if path[0] not in _HEADER and "metadata" not in path and not any(_covers(row, path) for row in known)
    ]
    assert set(missing) <= (_OF_NO_ACTION if kind in _PROXIES else set())


def _covers(row: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(row) <= len(path) and all(step in {"*", actual} for step, actual in zip(row, path, strict=False))


def _paths(fields: Mapping[str, Any], schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths of all leaves of a schema; `*` for a place in an array or a key of a map."""
    if "$ref" in schema:
        yield from _paths(fields, fields[schema["$ref"].rsplit("/", 1)[-1]], path)
        return
    inner = [("*", schema[word]) for word in ("items", "additionalProperties") if isinstance(schema.get(word), Mapping)]
    for part in schema.get("allOf", ()):
        yield from _paths(fields, part, path)
    for name, child in [*schema.get("properties", {}).items(), *inner]:
        yield from _paths(fields, child, (*path, name))
    if not (inner or schema.get("allOf") or schema.get("properties")) and path:
        yield path
