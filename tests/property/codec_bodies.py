"""Strategies for whole sections as JSON, made from the models that the server declares."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from haoam_sync.haproxycfg.actions import Actions
from haoam_sync.haproxycfg.tables import checks, http_rules, lists, tcp_rules
from haoam_sync.model.section import SectionKind

DATA = Path(__file__).parents[1] / "data"
MODELS = {
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
_WORDS = (
    *("alpha", "x1", "be-ta", "/a/b", "10.0.0.1", "10.0.0.1:80", "7", "1-3", "1s", "10k", "sample:7", "a@b.c", "txn"),
    *("by-thread", "ipv4", "0x10", "enabled", "rdp-cookie", "allow-dup-ip", "clientip"),
)
_NUMBERS = (1, 5, 7, 30, 100, 443, 1000, 1024, 1500, 2000, 2048, 60000, 90000, 3600000, 86400000)
_NAMES = ("n1", "n10", "n2", "z")
_KEYS = ("name", "prefix", "username", "certificate")
"""Fields of a child that hold its key in the object that it stands in."""


def bodies(kind: SectionKind, version: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of a kind: each valid by its model, rules with fields of their action."""
    return _object(version, MODELS[kind]).map(lambda body: {**body, "name": "section"})


@cache
def _models(version: str) -> Mapping[str, Any]:
    models: Mapping[str, Any] = json.loads((DATA / f"fields-{version}.json").read_text(encoding="utf-8"))
    return models


@cache
def actions(version: str) -> Mapping[str, Actions]:
    """What each kind of rule may be, by the name of its model."""
    new = version == "3.4"
    return {
        "http_request_rule": http_rules.request(new=new),
        "http_response_rule": http_rules.response(new=new),
        "http_after_response_rule": http_rules.after_response(new=new),
        "http_check": checks.HTTP_CHECK,
        "tcp_check": checks.TCP_CHECK,
        "filter": lists.filters(new=new),
        "tcp_request_rule": tcp_rules.TCP_REQUEST_ACTIONS,
        "tcp_response_rule": tcp_rules.TCP_RESPONSE_ACTIONS,
    }


def _fields(version: str, schema: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    properties, required = dict(schema.get("properties", {})), set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        inner = _models(version)[part["$ref"].rsplit("/", 1)[-1]] if "$ref" in part else part
        more, needed = _fields(version, inner)
        properties.update(more)
        required |= needed
    properties.pop("metadata", None)
    properties.pop("from", None)
    return properties, required


@cache
def _object(version: str, model: str) -> st.SearchStrategy[dict[str, Any]]:
    properties, required = _fields(version, _models(version)[model])
    known = actions(version).get(model)
    if known is None:
        return _some(version, properties, required)
    kinds = [name for name in properties[known.key]["enum"] if name in known.by_name]
    return st.sampled_from(kinds).flatmap(lambda name: _rule(version, properties, known, name))


def _rule(version: str, properties: Mapping[str, Any], known: Actions, name: str) -> st.SearchStrategy[dict[str, Any]]:
    own = {field: schema for field, schema in properties.items() if field in known.by_name[name].fields}
    own.pop(known.key, None)
    fixed = {known.key: st.just(name)}
    if known.key == "action" and "type" in properties:
        fixed["type"] = st.sampled_from(properties["type"]["enum"]).filter(lambda kind: kind != "inspect-delay")
    return st.fixed_dictionaries({**fixed, **{field: _value(version, schema) for field, schema in own.items()}})


def _some(version: str, properties: Mapping[str, Any], required: set[str]) -> st.SearchStrategy[dict[str, Any]]:
    """A handful of the fields, and those that must be there."""
    optional = sorted(properties.keys() - required)
    chosen = st.lists(st.sampled_from(optional), max_size=5, unique=True) if optional else st.just([])
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries(
            {name: _value(version, properties[name]) for name in sorted({*names, *(required & properties.keys())})}
        )
    )


def _value(version: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        model = schema["$ref"].rsplit("/", 1)[-1]
        inner = _models(version)[model]
        if inner.get("properties") or inner.get("allOf"):
            return _object(version, model)
        return _value(version, inner)
    if schema.get("enum"):
        return st.sampled_from(schema["enum"])
    if "items" in schema:
        return st.lists(_value(version, schema["items"]), min_size=1, max_size=2)
    if schema.get("properties") or schema.get("allOf"):
        return _some(version, *_fields(version, schema))
    if isinstance(schema.get("additionalProperties"), Mapping):
        children = st.dictionaries(
            st.sampled_from(_NAMES), _value(version, schema["additionalProperties"]), min_size=1, max_size=3
        )
        return children.map(_keyed)
    return _scalar(schema)


def _keyed(children: dict[str, Any]) -> dict[str, Any]:
    keyed = {}
    for name, child in children.items():
        key = next((field for field in _KEYS if field in child), "name")
        keyed[name] = {**child, key: name}
    return keyed


def _scalar(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    match schema.get("type"):
        case "boolean":
            return st.booleans()
        case "integer":
            low, high = schema.get("minimum", 0), schema.get("maximum", 10**9)
            return st.sampled_from([number for number in (low, *_NUMBERS) if low <= number <= high])
        case _:
            pattern = schema.get("pattern", "")
            fitting = [word for word in _WORDS if re.search(pattern, word)]
            return st.sampled_from(fitting or ["x"])
