"""The JSON Schemas in schemas/ are made from the models, and accept what the loader accepts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from haoam_sync import desired, documents
from haoam_sync.report.schemas import schemas

ROOT = Path(__file__).parents[2]
SCHEMAS = {name: json.loads(content) for name, content in desired.schemas().items()}


def test_schemas_are_those_of_the_models() -> None:
    """`haoam-sync schema` was run after the models changed: each of its files is there, byte for byte."""
    made = {**desired.schemas(), **schemas()}
    for name, content in made.items():
        assert (ROOT / "schemas" / name).read_bytes() == content, f"{name}: run `haoam-sync schema`"
    assert {path.name for path in (ROOT / "schemas").iterdir()} == set(made)


KNOWN = {
    *("$ref", "$defs", "$schema", "title", "description", "default", "type", "const", "enum", "anyOf", "oneOf"),
    *("pattern", "minimum", "maximum", "maxLength", "items", "minItems", "uniqueItems", "properties", "required"),
    *("additionalProperties", "patternProperties", "propertyNames", "minProperties"),
}
TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}


def mismatches(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "") -> list[str]:
    """What a value breaks of a schema: the keywords that our schemas use, and no other."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        return mismatches(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, path)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema and all(mismatches(value, one, root, path) for one in schema[keyword]):
            return [f"{path}: none of {keyword}"]
    if not _has_type(value, schema.get("type")):
        return [f"{path}: type"]
    broken = {
        "const": value != schema.get("const", value),
        "enum": value not in schema.get("enum", [value]),
        "pattern": isinstance(value, str) and not re.search(schema.get("pattern", ""), value),
        "range": isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value),
    }
    found = [f"{path}: {keyword}" for keyword, is_broken in broken.items() if is_broken]
    if isinstance(value, list):
        items = schema.get("items", {})
        found += (m for index, item in enumerate(value) for m in mismatches(item, items, root, f"{path}.{index}"))
    if isinstance(value, dict):
        found += (f"{path}.{name}: required" for name in schema.get("required", []) if name not in value)
        found += (m for key, item in value.items() for m in _member(key, item, schema, root, f"{path}.{key}"))
    return found


def _has_type(value: Any, names: str | list[str] | None) -> bool:
    if names is None:
        return True
    kinds = [TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    return type(value) in kinds


def _member(key: str, item: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> list[str]:
    if key in schema.get("properties", {}):
        return mismatches(item, schema["properties"][key], root, path)
    for pattern, inner in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return mismatches(item, inner, root, path)
    extra = schema.get("additionalProperties", True)
    if extra is False:
        return [f"{path}: unknown"]
    return mismatches(item, extra, root, path) if isinstance(extra, dict) else []


def of_kind(kind: str) -> dict[str, Any]:
    """The schema of a kind of document."""
    return SCHEMAS[f"{kind.lower()}.schema.json"]


EXAMPLES = [
    document
    for path in sorted((ROOT / "example-repo").rglob("*.yaml"))
    for document in documents.load(path.read_bytes(), path.name)
]


@pytest.mark.parametrize("document", EXAMPLES, ids=lambda d: f"{d.file}:{d.start.line}")
def test_the_example_fits_its_schemas(document: documents.Document) -> None:
    """What the loader accepts, an editor that uses the schemas accepts: variables and references included."""
    schema = of_kind(document.value["kind"])  # type: ignore[call-overload, index]
    assert mismatches(document.value, schema, schema) == []


def web(**spec: Any) -> dict[str, Any]:
    """A document of kind Backend."""
    return {"apiVersion": "haoam/v1", "kind": "Backend", "metadata": {"name": "web"}, "spec": spec}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (web(moed="http"), [".spec.moed: unknown"]),
        (web(mode="htpp"), [".spec.mode: none of anyOf"]),
        (web(mode="${cluster.vars.mode}"), []),
        (web(retries="3"), [".spec.retries: none of anyOf"]),
        (web(retries="${cluster.vars.retries}"), []),
        (web(name="web"), [".spec.name: unknown"]),
        (web(metadata={}), [".spec.metadata: unknown"]),
        (web(servers={"s": {"address": "a"}}), []),
        (web(servers={"s": {}}), [".spec.servers.s.address: required"]),
        (web(servers={"s": {"name": "s", "address": "a"}}), [".spec.servers.s.name: unknown"]),
        (web(dynamic_cookie_key="x"), [".spec.dynamic_cookie_key: type"]),
        (web(dynamic_cookie_key={"secret": "env/X"}), []),
        (
            web(stats_options={"stats_auths": [{"user": "u", "passwd": "x"}]}),
            [".spec.stats_options.stats_auths.0.passwd: type"],
        ),
        ({**web(), "kind": "Frontend"}, [".kind: const"]),
        ({**web(), "metadata": {"name": "web", "clusters": "eu"}}, [".metadata.clusters: none of oneOf"]),
        ({**web(), "metadata": {"name": "web", "clusters": {"env": "prod"}}}, []),
    ],
)
def test_schemas_refuse_what_an_editor_can_see(document: dict[str, Any], expected: list[str]) -> None:
    """Unknown fields, wrong types and values, names said twice, passwords in clear: seen while typing."""
    schema = of_kind("Backend")
    assert mismatches(document, schema, schema) == expected


def test_one_schema_for_all_of_haproxy() -> None:
    """An editor needs one schema for haproxy/*.yaml: one of the kinds that may stand there."""
    kinds = [one["$ref"] for one in SCHEMAS["haproxy.schema.json"]["oneOf"]]
    assert set(kinds) == set(SCHEMAS) - {"fleet.schema.json", "haproxy.schema.json", "changepolicy.schema.json"}


def test_fields_say_which_version_has_them() -> None:
    """A field that only some versions have says so where an editor shows it."""
    backend = of_kind("Backend")
    assert backend["$defs"]["Server"]["properties"]["ktls"]["description"] == "API 3.4 and newer"
    assert backend["properties"]["spec"]["properties"]["http_proxy"]["description"] == "up to API 3.2"
