"""The measured samples of whole sections: what was sent, the text that it made, what was read back, or the refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

DATA = Path(__file__).parents[2] / "data"
VERSIONS = ("3.2", "3.4")
_KINDS = {
    "backends": SectionKind.BACKEND,
    "frontends": SectionKind.FRONTEND,
    "defaults": SectionKind.DEFAULTS,
    "resolvers": SectionKind.RESOLVERS,
    "caches": SectionKind.CACHE,
    "rings": SectionKind.RING,
    "log_forwards": SectionKind.LOG_FORWARD,
    "crt_stores": SectionKind.CRT_STORE,
    "userlists": SectionKind.USERLIST,
    "peer_section": SectionKind.PEERS,
    "fcgi_apps": SectionKind.FCGI_APP,
    "mailers_section": SectionKind.MAILERS,
    "http_errors_sections": SectionKind.HTTP_ERRORS,
    "global": SectionKind.GLOBAL,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement."""

    model: str
    kind: SectionKind
    api: ApiVersion
    body: Mapping[str, Any]
    text: str
    back: Mapping[str, Any]
    refused: bool


def samples(version: str, name: str = "syntax") -> Iterator[Sample]:
    """All samples of an API version, of one of the two recordings (`tests/data/README.md`)."""
    content = json.loads((DATA / f"{name}-{version}.json").read_text(encoding="utf-8"))
    api = ApiVersion.parse(version)
    for model, group in content.items():
        for raw in group["samples"]:
            refused = "refused" in raw
            yield Sample(
                model,
                _KINDS[group["path"]],
                api,
                raw["body"],
                "" if refused else raw["text"],
                {} if refused else raw["back"],
                refused,
            )


def models(version: str) -> Mapping[str, Any]:
    """The models of an API version, as the server declares them."""
    content: Mapping[str, Any] = json.loads((DATA / f"fields-{version}.json").read_text(encoding="utf-8"))
    return content
