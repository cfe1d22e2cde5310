"""How models are built of each other: read from their annotations, once for each model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from haoam_sync.model.sections.values import Since, Until, ValuesSince

OWN_NAME: Mapping[str, str] = {"users": "username", "server_templates": "prefix", "crt_loads": "certificate"}
"""Children whose name is not in the field `name`, by the field that holds them."""


class Shape(Enum):
    """How many objects of a model stand in a field."""

    ONE = "object"
    NAMED = "objects by name"
    LISTED = "list of objects"


@dataclass(frozen=True, slots=True)
class FieldShape:
    """What stands in a field.

    Attributes:
        model: of the objects in it; None for scalars, lists of scalars, and free JSON.
        shape: how many objects; meaningless without a model.
        marks: which API versions have it.
    """

    model: type[BaseModel] | None
    shape: Shape
    marks: tuple[Since | Until | ValuesSince, ...]


@cache
def fields(model: type[BaseModel]) -> Mapping[str, FieldShape]:
    """The fields of a model by the API's own names, in the order declared."""
    shapes = {}
    for name, info in model.model_fields.items():
        marks = tuple(mark for mark in info.metadata if isinstance(mark, Since | Until | ValuesSince))
        found = next(_models(info.annotation, Shape.ONE), (None, Shape.ONE))
        shapes[info.alias or name] = FieldShape(found[0], found[1], marks)
    return shapes


def _models(annotation: object, shape: Shape) -> Iterator[tuple[type[BaseModel], Shape]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, shape
        return
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _models(get_args(annotation)[0], shape)
    elif origin in {Union, UnionType}:
        for part in get_args(annotation):
            yield from _models(part, shape)
    elif origin is list:
        yield from _models(get_args(annotation)[0], Shape.LISTED)
    elif origin is dict:
        yield from _models(get_args(annotation)[1], Shape.NAMED)


@cache
def versioned(model: type[BaseModel]) -> Mapping[str, FieldShape]:
    """Those fields of a model in which, at any depth, something is not in every API version."""
    return {
        name: field
        for name, field in fields(model).items()
        if field.marks or (field.model is not None and versioned(field.model))
    }
