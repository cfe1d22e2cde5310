"""What JSON a model takes, read from its annotations once: types, enumerations, patterns, bounds, nested models.

The server judges a body in a fixed order: the fields of the model it extends first, then its own, as they are declared;
each field by presence, length, pattern, enumeration and bounds. The models keep that order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.sections import SectionModel
from haoam_sync.model.sections.values import Since, Until, ValuesSince


class JsonType(Enum):
    """What stands in a field."""

    STRING = "string"
    INTEGER = "int64"
    BOOLEAN = "bool"
    OBJECT = "object"
    ARRAY = "array"
    MAP = "map"
    FREE = "map[string]interface {}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What may stand in one place.

    Attributes:
        kind: of the value.
        required: whether it must be there (and a string must not be empty).
        values: the enumeration, in the server's order; () for any.
        pattern: regular expression, "" for any.
        least: smallest integer, None for any.
        most: greatest integer, None for any.
        shortest: least length of a string, 0 for any.
        longest: greatest length of a string, None for any.
        model: of an object, or of the elements of an array or map.
        element: of an array or map of scalars.
    """

    kind: JsonType
    required: bool = False
    values: tuple[str | int, ...] = ()
    pattern: str = ""
    least: int | None = None
    most: int | None = None
    shortest: int = 0
    longest: int | None = None
    model: type[SectionModel] | None = None
    element: JsonType | None = None


_REQUIRED_SINCE_34 = frozenset({("Bind", "name"), ("DgramBind", "name"), ("Table", "name"), ("Defaults", "name")})
_BOUNDS = {"least": "ge", "most": "le", "shortest": "min_length", "longest": "max_length", "pattern": "pattern"}
"""Attributes of a Rule, by what pydantic's marks call them."""


@cache
def rules(model: type[SectionModel], api: ApiVersion) -> dict[str, Rule]:
    """The fields of a model that an API of this version has, by their own names, in the order they are judged in."""
    found: dict[str, Rule] = {}
    for name, info in model.model_fields.items():
        marks = tuple(info.metadata)
        if any(isinstance(mark, Since) and api < ApiVersion.parse(mark.version) for mark in marks):
            continue
        if any(isinstance(mark, Until) and api > ApiVersion.parse(mark.version) for mark in marks):
            continue
        rule = _rule(info, marks, api)
        if (model.__name__, name) in _REQUIRED_SINCE_34:
            rule = replace(rule, required=api >= NEWEST)
        found[info.alias or name] = rule
    return found


@cache
def folded(model: type[SectionModel], api: ApiVersion) -> dict[str, str]:
    """Field names by their lower case: the server does not care about case in keys."""
    return {name.lower(): name for name in rules(model, api)}


@cache
def inherited(model: type[SectionModel]) -> dict[str, str]:
    """For each field that comes from the model that this one extends: that model's name."""
    return {
        info.alias or name: base.__name__
        for base in model.__mro__[1:]
        if issubclass(base, SectionModel) and base is not SectionModel
        for name, info in base.model_fields.items()
    }


def _rule(info: FieldInfo, marks: tuple[Any, ...], api: ApiVersion) -> Rule:
    rule = _of_annotation(info.annotation)
    rule = _bounded(rule, marks)
    newer = {
        value
        for mark in marks
        if isinstance(mark, ValuesSince) and api < ApiVersion.parse(mark.version)
        for value in mark.values
    }
    return replace(rule, required=info.is_required(), values=tuple(v for v in rule.values if v not in newer))


def _of_annotation(annotation: Any) -> Rule:
    if isinstance(annotation, type):
        return _of_class(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bounded(_of_annotation(arguments[0]), arguments[1:])
    if origin in {Union, UnionType}:
        return _of_annotation(next(part for part in arguments if part is not type(None)))
    if origin is Literal:
        kind = JsonType.INTEGER if isinstance(arguments[0], int) else JsonType.STRING
        return Rule(kind, values=arguments)
    if origin is list:
        element = _of_annotation(arguments[0])
        return Rule(JsonType.ARRAY, model=element.model, element=element.kind, values=element.values)
    if origin is dict:
        if arguments[1] in {object, Any}:
            return Rule(JsonType.FREE)
        element = _of_annotation(arguments[1])
        return Rule(JsonType.MAP, model=element.model, element=element.kind)
    raise TypeError(f"a model field of a kind that the lab does not know: {annotation!r}")


def _of_class(annotation: type) -> Rule:
    if issubclass(annotation, SectionModel):
        return Rule(JsonType.OBJECT, model=annotation)
    if issubclass(annotation, bool):
        return Rule(JsonType.BOOLEAN)
    if issubclass(annotation, int):
        return Rule(JsonType.INTEGER)
    if issubclass(annotation, str):
        return Rule(JsonType.STRING)
    raise TypeError(f"a model field of a kind that the lab does not know: {annotation!r}")


def _bounded(rule: Rule, marks: tuple[Any, ...]) -> Rule:
    """`rule` with what the marks of an annotation add; pydantic packs some of them in a FieldInfo."""
    for mark in marks:
        if isinstance(mark, FieldInfo):
            rule = _bounded(rule, tuple(mark.metadata))
            continue
        bounds = {name: getattr(mark, theirs) for name, theirs in _BOUNDS.items() if hasattr(mark, theirs)}
        rule = replace(rule, **{name: bound for name, bound in bounds.items() if bound is not None})
    return rule
