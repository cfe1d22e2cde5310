"""Every field, and every value of an enumeration, that the server's models have: as names, and in a section's body.

`servers.weight`; `balance.algorithm=hdr`; `http_request_rule_list[type=set-header].hdr_name`: names do not depend on
the names of children, and the fields of a rule are told apart by what the rule is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from codec_bodies import DATA, MODELS, actions

from haoam_sync.model.section import SectionKind

Body = Mapping[str, Any]
_CHILD_KEYS = {"users": "username", "server_templates": "prefix", "loads": "certificate"}
_RULE_KEYS = ("type", "action")
_CONDITION = ("cond", "cond_test")
_IGNORED = frozenset({"metadata"})
_OF_A_SECTION = frozenset({"name", "from"})
RULES: Mapping[str, str] = {
    "http_request_rule_list": "http_request_rule",
    "http_response_rule_list": "http_response_rule",
    "http_after_response_rule_list": "http_after_response_rule",
    "tcp_request_rule_list": "tcp_request_rule",
    "tcp_response_rule_list": "tcp_response_rule",
    "http_check_list": "http_check",
    "tcp_check_rule_list": "tcp_check",
    "filter_list": "filter",
}
"""Arrays whose entries are of different kinds: `type` or `action`, or both, tell which fields there are."""


@dataclass(frozen=True, slots=True)
class Item:
    """A field or one value of it.

    Attributes:
        name: as above.
        steps: the fields that lead to the object that holds it, from the section's body down.
        rule: what the rule is that holds it, empty when none does.
        field: its own name.
        value: of the enumeration; None for a field that has none.
        schema: of the field.
    """

    name: str
    steps: tuple[tuple[str, str], ...] = field(compare=False)
    rule: Mapping[str, str] = field(compare=False)
    field: str
    value: str | None
    schema: Mapping[str, Any] = field(compare=False)


@cache
def items(kind: SectionKind, version: str) -> Mapping[str, Item]:
    """All of a kind of section, by name."""
    return {item.name: item for item in _Walk(version).section(kind)}


class _Walk:
    """Through the models of one version."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._models: Mapping[str, Any] = _models(version)

    def section(self, kind: SectionKind) -> Iterator[Item]:
        schema = self._models[MODELS[kind]]
        fields = {name: inner for name, inner in self._fields(schema).items() if name not in _OF_A_SECTION}
        yield from self._object(fields, (), {}, "")

    def _object(
        self, fields: Mapping[str, Any], steps: tuple[tuple[str, str], ...], rule: Mapping[str, str], prefix: str
    ) -> Iterator[Item]:
        for name, given in fields.items():
            if name in _IGNORED:
                continue
            schema = self._resolved(given)
            children = schema.get("additionalProperties")
            entries = self._resolved(schema.get("items", {}))
            if isinstance(children, Mapping) and "$ref" in children:
                inner = {
                    key: value
                    for key, value in self._fields(self._resolved(children)).items()
                    if key != child_key(name)
                }
                yield from self._object(inner, (*steps, (name, "keyed")), {}, f"{prefix}{name}.")
            elif name in RULES and not steps:
                yield from self._rules(name, self._fields(entries))
            elif self._fields(entries):
                yield from self._object(self._fields(entries), (*steps, (name, "list")), rule, f"{prefix}{name}.")
            elif self._fields(schema):
                yield from self._object(self._fields(schema), (*steps, (name, "object")), rule, f"{prefix}{name}.")
            else:
                yield from _leaf(name, entries if "items" in schema else schema, steps, rule, prefix, schema)

    def _rules(self, name: str, fields: Mapping[str, Any]) -> Iterator[Item]:
        known = actions(self._version)[RULES[name]]
        for rule in rules(name, self._version):
            allowed = {"timeout"}
            if known.key in rule:
                action = known.by_name.get(rule[known.key])
                allowed = set() if action is None else {*action.fields, *_CONDITION}
            inner = {key: value for key, value in fields.items() if key in allowed and key not in _RULE_KEYS}
            prefix = f"{name}{label(rule)}"
            yield Item(prefix, ((name, "list"),), rule, "", None, {})
            yield from self._object(inner, ((name, "list"),), rule, f"{prefix}.")

    def _fields(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            found |= self._fields(self._resolved(part))
        return found

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._models[schema["$ref"].rsplit("/", 1)[-1]]
        return schema


def _leaf(
    name: str,
    schema: Mapping[str, Any],
    steps: tuple[tuple[str, str], ...],
    rule: Mapping[str, str],
    prefix: str,
    whole: Mapping[str, Any],
) -> Iterator[Item]:
    if schema.get("enum"):
        for value in schema["enum"]:
            yield Item(f"{prefix}{name}={value}", steps, rule, name, value, whole)
    else:
        yield Item(f"{prefix}{name}", steps, rule, name, None, whole)


@cache
def rules(name: str, version: str) -> tuple[Mapping[str, str], ...]:
    """What an entry of such a list may be: every value of `type`, of `action`, or of both."""
    fields = _models(version)[RULES[name]]["properties"]
    if RULES[name] not in {"tcp_request_rule", "tcp_response_rule"}:
        return tuple({key: value} for key in _RULE_KEYS if key in fields for value in fields[key]["enum"])
    found: list[Mapping[str, str]] = []
    for kind in fields["type"]["enum"]:
        if kind == "inspect-delay":
            found.append({"type": kind})
        else:
            found += [{"type": kind, "action": action} for action in fields["action"]["enum"]]
    return tuple(found)


def properties(model: str, version: str) -> frozenset[str]:
    """The fields of a model."""
    return frozenset(_models(version)[model]["properties"])


def label(rule: Mapping[str, Any]) -> str:
    """What a rule is, in a name."""
    return f"[{','.join(f'{key}={rule[key]}' for key in _RULE_KEYS if key in rule)}]"


def child_key(name: str) -> str:
    """The field of a child that is its key in the object `name` that it stands in."""
    return _CHILD_KEYS.get(name, "name")


def held(kind: SectionKind, body: Body, version: str) -> frozenset[str]:
    """The names of the items that a body holds; what is `false` asks for nothing."""
    return frozenset(item for item, _, _ in _holders(kind, body, version))


def without(kind: SectionKind, body: Body, item: str, version: str) -> Body:
    """The body with the item taken out, wherever it stands."""
    copied: dict[str, Any] = json.loads(json.dumps(body))
    for name, holder, key in list(_holders(kind, copied, version)):
        if name == item:
            holder.pop(key, None)
    return copied


def _holders(kind: SectionKind, body: Body, version: str) -> Iterator[tuple[str, MutableMapping[str, Any], str]]:
    """Each item with the object and the key that hold it."""
    known = items(kind, version)
    for item, holder, key in _inside(body, "", version):
        if item in known:
            yield item, holder, key


def _inside(holder: Any, prefix: str, version: str) -> Iterator[tuple[str, MutableMapping[str, Any], str]]:
    for key, value in holder.items():
        if key in _IGNORED or value is False or value is None:
            continue
        inner = [(f"{prefix}{key}.", child) for child in _children(key, value, version)]
        if key in RULES and not prefix:
            inner = [(f"{key}{label(rule)}.", rule) for _, rule in inner]
            yield from ((name.removesuffix("."), {}, "") for name, _ in inner)
        for name, child in inner:
            yield from _inside(child, name, version)
        if not inner:
            yield from (
                (f"{prefix}{key}={one}", holder, key) for one in (value if isinstance(value, list) else [value])
            )
            yield f"{prefix}{key}", holder, key


def _children(key: str, value: Any, version: str) -> list[Mapping[str, Any]]:
    """The objects in a field's value."""
    if isinstance(value, Mapping):
        return list(value.values()) if key in _keyed(version) else [value]
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


@cache
def _keyed(version: str) -> frozenset[str]:
    return frozenset(
        name
        for model in _models(version).values()
        for part in [model, *model.get("allOf", ())]
        for name, schema in part.get("properties", {}).items()
        if isinstance(schema.get("additionalProperties"), Mapping) and "$ref" in schema["additionalProperties"]
    )


@cache
def keyed(kind: SectionKind) -> frozenset[str]:
    """The fields of a kind that are objects keyed by a child's name, in any version."""
    return frozenset(
        item.steps[0][0]
        for version in ("3.2", "3.4")
        for item in items(kind, version).values()
        if item.steps and item.steps[0][1] == "keyed"
    )


@cache
def _models(version: str) -> Mapping[str, Any]:
    models: Mapping[str, Any] = json.loads((DATA / f"fields-{version}.json").read_text(encoding="utf-8"))
    return models


def put(body: Body, item: Item, value: Any) -> dict[str, Any]:
    """A copy of the body in which the first object that can hold the item does, made where there is none."""
    copied: dict[str, Any] = json.loads(json.dumps(body))
    holder: dict[str, Any] = copied
    for place, (name, how) in enumerate(item.steps):
        if how == "object":
            holder = holder.setdefault(name, {})
        elif how == "keyed":
            children = holder.setdefault(name, {})
            if not children:
                children["n1"] = {child_key(name): "n1"}
            holder = next(iter(children.values()))
        else:
            entries: list[dict[str, Any]] = holder.setdefault(name, [])
            rule = item.rule if place == 0 else {}
            found = next((entry for entry in entries if rule.items() <= entry.items()), None)
            if found is None:
                found = dict(rule)
                entries.append(found)
            holder = found
    if value is None:
        holder.pop(item.field, None)
    elif item.field:
        holder[item.field] = value
    return copied
