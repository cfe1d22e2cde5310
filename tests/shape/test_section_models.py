"""The section models are what the Data Plane API itself declares, field by field, for both versions measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from haoam_sync.model.api_version import NEWEST, OLDEST, ApiVersion
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections import fields_missing_in, section_model
from haoam_sync.model.sections.errors import Error
from haoam_sync.model.sections.runtime import Reload, RuntimeServer, Transaction
from haoam_sync.model.sections.structure import fields
from haoam_sync.model.sections.values import Since, Until, ValuesSince

DATA = Path(__file__).parents[1] / "data"
DECLARED: dict[ApiVersion, dict[str, Any]] = {
    version: json.loads((DATA / f"fields-{version}.json").read_text()) for version in (OLDEST, NEWEST)
}
DEFINITIONS: dict[str, type[BaseModel]] = {
    "global": section_model(SectionKind.GLOBAL),
    "defaults": section_model(SectionKind.DEFAULTS),
    "userlist": section_model(SectionKind.USERLIST),
    "peer_section": section_model(SectionKind.PEERS),
    "mailers_section": section_model(SectionKind.MAILERS),
    "resolver": section_model(SectionKind.RESOLVERS),
    "cache": section_model(SectionKind.CACHE),
    "ring": section_model(SectionKind.RING),
    "http_errors_section": section_model(SectionKind.HTTP_ERRORS),
    "log_forward": section_model(SectionKind.LOG_FORWARD),
    "fcgi_app": section_model(SectionKind.FCGI_APP),
    "crt_store": section_model(SectionKind.CRT_STORE),
    "frontend": section_model(SectionKind.FRONTEND),
    "backend": section_model(SectionKind.BACKEND),
    "runtime_server": RuntimeServer,
    "transaction": Transaction,
    "reload": Reload,
    "error": Error,
}


def flat(definition: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """A definition with its references followed and its parts put together."""
    if "$ref" in definition:
        return flat(names[definition["$ref"].rpartition("/")[2]], names)
    whole = dict(definition)
    for part in whole.pop("allOf", []):
        found = flat(part, names)
        whole["properties"] = {**whole.get("properties", {}), **found.get("properties", {})}
        whole["required"] = [*whole.get("required", []), *found.get("required", [])]
    return whole


def wanted(declared: dict[str, Any], names: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a definition demands of a value, in the words of JSON Schema."""
    plain = flat(declared, names)
    if "properties" in plain:
        yield "fields", {name: dict(wanted(part, names)) for name, part in plain["properties"].items()}
        yield "required", sorted(plain.get("required", []))
        return
    extra = plain.get("additionalProperties")
    if extra and extra != {"type": "object"}:
        yield "named", dict(wanted(extra, names))
    elif extra:
        yield "type", "free"
    elif plain.get("type") == "array":
        yield "items", dict(wanted(plain["items"], names))
    else:
        if "enum" not in plain:
            yield "type", plain["type"]
        yield from ((key, plain[key]) for key in ("enum", "minimum", "maximum") if key in plain)
        if "pattern" in plain and "enum" not in plain:  # an enumeration says it all
            yield "pattern", plain["pattern"]


def given(schema: dict[str, Any], names: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The same of a model's own schema."""
    if "$ref" in schema:
        yield from given(names[schema["$ref"].rpartition("/")[2]], names)
    elif "anyOf" in schema:
        (part,) = (one for one in schema["anyOf"] if one != {"type": "null"})
        yield from given(part, names)
    elif "properties" in schema:
        assert schema["additionalProperties"] is False
        yield "fields", {name: dict(given(part, names)) for name, part in schema["properties"].items()}
        yield "required", sorted(schema.get("required", []))
    elif schema.get("type") == "object":
        free = schema["additionalProperties"] in (True, {})
        yield ("type", "free") if free else ("named", dict(given(schema["additionalProperties"], names)))
    elif schema.get("type") == "array":
        yield "items", dict(given(schema["items"], names))
    elif "const" in schema:
        yield "enum", [schema["const"]]
    else:
        if "enum" not in schema:
            yield "type", schema["type"]
        yield from ((key, schema[key]) for key in ("enum", "minimum", "maximum", "pattern") if key in schema)


def of_version(model: type[BaseModel], shape: dict[str, Any], version: ApiVersion) -> dict[str, Any]:
    """A model's shape without what a version does not have, by the marks on its fields."""
    kept = {}
    for name, field in fields(model).items():
        part = shape["fields"][name]
        for mark in field.marks:
            named = ApiVersion.parse(mark.version)
            if (isinstance(mark, Since) and version < named) or (isinstance(mark, Until) and version > named):
                part = None
            elif isinstance(mark, ValuesSince) and version < named:
                older = [value for value in part["enum"] if value not in mark.values]
                assert not mark.older or sorted(mark.older) == sorted(older)
                part = {**part, "enum": list(mark.older) or older}
        if part is None:
            continue
        kept[name] = _inner(field.model, part, version) if field.model is not None else part
    return {"fields": kept, "required": shape["required"]}


def _inner(model: type[BaseModel], part: dict[str, Any], version: ApiVersion) -> dict[str, Any]:
    for wrapper in ("items", "named"):
        if wrapper in part:
            return {wrapper: of_version(model, part[wrapper], version)}
    return of_version(model, part, version)


@pytest.mark.parametrize("version", [OLDEST, NEWEST], ids=str)
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_every_field_is_what_the_server_declares(definition: str, version: ApiVersion) -> None:
    """Fields, types, enumerations in their order, patterns and bounds are the server's, and nothing else is there."""
    model = DEFINITIONS[definition]
    schema = model.model_json_schema(by_alias=True)
    declared = dict(wanted(DECLARED[version][definition], DECLARED[version]))
    ours = of_version(model, dict(given(schema, schema.get("$defs", {}))), version)
    if version == OLDEST:
        _forget_later_required(declared)
        _forget_later_required(ours)
    assert ours == declared


def _forget_later_required(shape: dict[str, Any]) -> None:
    """3.4 requires the name of defaults, tables and datagram binds, 3.2 does not."""
    for value in (shape, *(part.get("named", {}) for part in shape["fields"].values())):
        if "required" in value:
            value["required"] = [name for name in value["required"] if name != "name"]


def test_all_models_of_the_server_are_there() -> None:
    """Every definition of both versions is reached from a section, or from what the runtime answers."""
    for names in DECLARED.values():
        reached = set(DEFINITIONS)

        def follow(part: object, names: dict[str, Any] = names, reached: set[str] = reached) -> None:
            if isinstance(part, dict):
                name = str(part.get("$ref", "")).rpartition("/")[2]
                if name and name not in reached:
                    reached.add(name)
                    follow(names[name])
                for value in part.values():
                    follow(value)
            elif isinstance(part, list):
                for value in part:
                    follow(value)

        for definition in DEFINITIONS:
            follow(names[definition])
        assert set(names) == reached


def test_strict() -> None:
    """No conversion, no other spelling, and the error says what the server would: values in order, pattern, bound."""
    backend = section_model(SectionKind.BACKEND)
    with pytest.raises(ValidationError) as caught:
        backend.model_validate(
            {
                "name": "a b",
                "mode": "udp",
                "retries": "3",
                "from_": "x",
                "disabled": 1,
                "servers": {"s": {"name": "s", "address": "a", "port": 0, "send_proxy": "enabled"}},
            }
        )
    found = {error["loc"]: (error["type"], error.get("ctx")) for error in caught.value.errors()}
    assert found == {
        ("name",): ("string_pattern_mismatch", {"pattern": "^[A-Za-z0-9-_.:]+$"}),
        ("mode",): ("literal_error", {"expected": "'http', 'tcp' or 'log'"}),
        ("retries",): ("int_type", None),
        ("disabled",): ("bool_type", None),
        ("from_",): ("extra_forbidden", None),
        ("servers", "s", "port"): ("greater_than_equal", {"ge": 1}),
        ("servers", "s", "send_proxy"): ("extra_forbidden", None),
    }


def test_fields_missing_in_a_version() -> None:
    """What a version lacks is named by path; where it has the field but not the value, by path and value."""
    body = {
        "name": "web",
        "http_proxy": "enabled",
        "servers": {"s.1": {"name": "s.1", "address": "a", "ktls": "on"}},
        "http_request_rule_list": [{"type": "deny"}, {"type": "set-headers-bin", "hdr_expr": "x"}],
        "use_small_buffers": {"enabled": "enabled"},
    }
    assert fields_missing_in(SectionKind.BACKEND, body, OLDEST) == (
        "http_request_rule_list.1.hdr_expr",
        "http_request_rule_list.1.type=set-headers-bin",
        "servers.s.1.ktls",
        "use_small_buffers",
    )
    assert fields_missing_in(SectionKind.BACKEND, body, NEWEST) == ("http_proxy",)
    assert fields_missing_in(SectionKind.BACKEND, {"name": "web", "servers": [1], "acl_list": {"x": 1}}, OLDEST) == ()


def test_importing_all_models_is_cheap() -> None:
    """Every command pays for this import: validators are built at the first use."""
    script = """
import gc
import pydantic
import haoam_sync.model.sections
models = [m for m in gc.get_objects() if isinstance(m, type) and issubclass(m, pydantic.BaseModel)]
ours = [m for m in models if m.__module__.startswith("haoam_sync.model.sections.")]
print(len(ours), sum(bool(m.__pydantic_complete__) for m in ours))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    count, built = map(int, run.stdout.split())
    assert count > 100
    assert built == 0
