"""What is sent so that the server takes what was planned."""

from __future__ import annotations

import pytest
from codec_samples import VERSIONS

from haoam_sync.haproxycfg import canonical, render, sendable
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

_TEMPLATE = {"prefix": "web", "num_or_range": "1-3", "fqdn": "web.example"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_template_without_a_port(version: str) -> None:
    """API 3.2 reads it back with the port 0, and takes no such port: it is sent without, and says the same."""
    api = ApiVersion.parse(version)
    body = {"name": "b", "server_templates": {"web": _TEMPLATE, "port": {**_TEMPLATE, "prefix": "port", "port": 80}}}
    planned = canonical(SectionKind.BACKEND, body, api)
    sent = sendable(planned)
    assert sent["server_templates"] == {
        "web": _TEMPLATE,
        "port": {**_TEMPLATE, "prefix": "port", "port": 80},
    }
    assert render(SectionKind.BACKEND, sent, api) == render(SectionKind.BACKEND, body, api)
    assert canonical(SectionKind.BACKEND, sent, api) == planned


def test_everything_else_is_sent_as_it_is() -> None:
    """A section without templates is the object that was planned."""
    body = {"name": "b", "servers": {"s": {"name": "s", "address": "192.0.2.1", "port": 80}}}
    assert sendable(body) is body
