"""Bodies of sections as the documents of a commit, read by the stage that reads commits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from apply_lab import LB1
from model_items import child_key, keyed
from test_apply_then_plan import FLEET

from haoam_sync import desired
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.secret import secret_paths
from haoam_sync.model.section import SectionKind

EXTERNAL = (
    *(
        "defaults/base",
        "backend/other",
        "backend/agents",
        "backend/seen",
        "backend/counted",
        "resolvers/dns",
        "cache/stored",
    ),
    *("peers/mesh", "mailers/post", "ring/logs", "http-errors/pages", "fcgi-app/php", "userlist/controller"),
)
"""What is on the instance already, and nobody's but its own."""


def load(sections: Mapping[tuple[SectionKind, str], Mapping[str, Any]], api: ApiVersion) -> DesiredInstance:
    """The stage that reads a commit, on sections as documents."""
    documents = [_document(kind, name, body) for (kind, name), body in sections.items()]
    files = {"haoam.yaml": FLEET, "haproxy/all.yaml": "\n---\n".join(map(json.dumps, documents)).encode()}
    return desired.load("c" * 40, files, lambda _use: "any-password", api=api).instances[LB1]


def _document(kind: SectionKind, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    proxy = {"from": "base"} if kind in (SectionKind.FRONTEND, SectionKind.BACKEND) else {}
    spec = deepcopy({**proxy, **body})
    for path in list(secret_paths(kind, spec)):
        holder: Any = spec
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = {"secret": "env/ANY"}
    for field in keyed(kind) & spec.keys():
        own = child_key(field)
        spec[field] = {key: {name: v for name, v in child.items() if name != own} for key, child in spec[field].items()}
    metadata = {"external": list(EXTERNAL)} | ({} if kind is SectionKind.GLOBAL else {"name": name})
    return {"apiVersion": "haoam/v1", "kind": kind.document_kind, "metadata": metadata, "spec": spec}
