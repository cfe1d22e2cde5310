"""JSON Schemas of the documents, made from the models, for editors and other tools."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from haoam_sync.desired.declaration import named_children
from haoam_sync.desired.envelope import API_VERSION, CERTIFICATE, CHANGE_POLICY, FLEET, SECTION_KINDS
from haoam_sync.model.documents.certificate import CertificateSpec
from haoam_sync.model.documents.change_policy import ChangePolicyMetadata, ChangePolicySpec
from haoam_sync.model.documents.file import CAFileSpec, CrtListSpec, FileMetadata, FileSpec, MapSpec
from haoam_sync.model.documents.fleet import FleetSpec
from haoam_sync.model.documents.metadata import CertificateMetadata, FleetMetadata, GlobalMetadata, SectionMetadata
from haoam_sync.model.documents.values import SecretObject
from haoam_sync.model.secret import SECRET_FIELDS
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections import section_model
from haoam_sync.model.sections.structure import OWN_NAME

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE_NAME = "Variable"
_VARIABLE = {
    "description": "A variable of the cluster or the instance.",
    "type": "string",
    "pattern": r"\$\{(cluster\.name|cluster\.(labels|vars)\.[A-Za-z_][A-Za-z0-9_-]*"
    r"|instance\.name|instance\.vars\.[A-Za-z_][A-Za-z0-9_-]*)\}",
}
_NAMED = "additionalProperties"
Schema = dict[str, Any]
"""A JSON Schema: JSON of no fixed shape, which is what Any says."""


def schemas() -> Mapping[str, bytes]:
    """One schema for each kind of document, by file name, and `haproxy.schema.json` for any document of haproxy/.

    They say less than the loader checks (no cross references, no selectors, no lost settings), and never more.
    """
    documents = {kind: _section_document(kind, section) for kind, section in SECTION_KINDS.items()}
    documents[CERTIFICATE] = _document(CERTIFICATE, CertificateMetadata, _schema(CertificateSpec))
    for kind, model in (("CAFile", CAFileSpec), ("CrtList", CrtListSpec), ("Map", MapSpec), ("File", FileSpec)):
        documents[kind] = _document(kind, FileMetadata, _schema(model))
    files = {
        **documents,
        FLEET: _document(FLEET, FleetMetadata, _schema(FleetSpec)),
        CHANGE_POLICY: _document(CHANGE_POLICY, ChangePolicyMetadata, _schema(ChangePolicySpec)),
    }
    found = {f"{kind.lower()}.schema.json": _bytes(schema) for kind, schema in files.items()}
    found["haproxy.schema.json"] = _bytes(
        {
            "$schema": _DIALECT,
            "title": "a document of haproxy/",
            "oneOf": [{"$ref": f"{kind.lower()}.schema.json"} for kind in documents],
        }
    )
    return found


def _section_document(kind: str, section: SectionKind) -> Schema:
    model = section_model(section)
    spec = _schema(model)
    _without(spec, "name")
    for schema in (spec, *spec.get("$defs", {}).values()):
        _without(schema, "metadata")
    for name in named_children(section):
        child = spec["properties"][name][_NAMED]["$ref"].rpartition("/")[2]
        _without(spec["$defs"][child], OWN_NAME.get(name, "name"))
    for schema in (spec, *spec.get("$defs", {}).values()):
        _allow_variables(schema)
    spec.setdefault("$defs", {})[_VARIABLE_NAME] = _VARIABLE
    for pattern in SECRET_FIELDS.get(section, ()):
        _make_secret(spec, pattern.split("."))
    metadata = GlobalMetadata if section is SectionKind.GLOBAL else SectionMetadata
    return _document(kind, metadata, spec)


def _document(kind: str, metadata: type[BaseModel], spec: Schema) -> Schema:
    outside = _schema(metadata)
    definitions = {**outside.pop("$defs", {}), **spec.pop("$defs", {})}
    if any("#/$defs/SecretObject" in _text(part) for part in (spec, definitions)):
        definitions["SecretObject"] = _schema(SecretObject)
    return {
        "$schema": _DIALECT,
        "title": kind,
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind},
            "metadata": outside,
            "spec": spec,
        },
        "$defs": definitions,
    }


def _schema(model: type[BaseModel]) -> Schema:
    """The schema of a model, without null (no document says it), null defaults, and titles that repeat names."""
    return _plain_object(model.model_json_schema(by_alias=True))


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    return _plain_object(schema) if isinstance(schema, dict) else schema


def _plain_object(schema: Schema) -> Schema:
    kept = {key: value for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    if kept.get("default", "") is None:
        del kept["default"]
    if isinstance(kept.get("description"), str):
        kept = _described(kept)
    choices = kept.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        left = [choice for choice in choices if choice != {"type": "null"}]
        del kept["anyOf"]
        kept = {**left[0], **kept} if len(left) == 1 else {**kept, "anyOf": left}
        return _plain_object(kept)
    return {key: _plain(value) for key, value in kept.items()}


def _described(schema: Schema) -> Schema:
    """A docstring's attributes as descriptions of the properties."""
    text, _, attributes = schema["description"].partition("\n\nAttributes:\n")
    properties = dict(schema.get("properties", {}))
    for name, words in re.findall(r"^    (\w+): (.+(?:\n        .+)*)$", attributes, re.MULTILINE):
        if isinstance(properties.get(name), dict):
            properties[name] = {**properties[name], "description": " ".join(words.split())}
    described = {**schema, "description": text}
    return {**described, "properties": properties} if properties else described


def _without(schema: Schema, field: str) -> None:
    """Take a field out that the document says elsewhere."""
    schema.get("properties", {}).pop(field, None)
    required = [name for name in schema.get("required", []) if name != field]
    schema.pop("required", None)
    if required:
        schema["required"] = required


def _allow_variables(schema: Schema) -> None:
    """A variable may stand in every scalar; plain text allows it anyway."""
    properties = schema.get("properties", {})
    for name, value in properties.items():
        properties[name] = _with_variable(value)


def _with_variable(value: Schema) -> Schema:
    if value.get("type") == "array":
        return {**value, "items": _with_variable(value["items"])}
    narrow = value.get("type") in {"integer", "boolean"} or "pattern" in value or "enum" in value or "const" in value
    if not narrow:
        return value
    words = {"description": value["description"]} if "description" in value else {}
    plain = {key: part for key, part in value.items() if key != "description"}
    return {**words, "anyOf": [plain, {"$ref": f"#/$defs/{_VARIABLE_NAME}"}]}


def _make_secret(spec: Schema, pattern: list[str]) -> None:
    """Put the schema of a reference in place of a secret-typed field."""
    owner = spec
    for step in pattern[:-1]:
        owner = owner["properties"][step] if step != "*" else owner["items" if "items" in owner else _NAMED]
        if "$ref" in owner:
            owner = spec["$defs"][owner["$ref"].rpartition("/")[2]]
    owner["properties"][pattern[-1]] = {"$ref": "#/$defs/SecretObject"}


def _text(value: object) -> str:
    return json.dumps(value)


def _bytes(schema: Schema) -> bytes:
    return (json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
