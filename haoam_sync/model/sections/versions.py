"""What of a section an API version does not have."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import BaseModel

from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.sections.structure import Shape, versioned
from haoam_sync.model.sections.values import Since, Until, ValuesSince


def missing(model: type[BaseModel], body: JsonObject, api: ApiVersion, prefix: str = "") -> Iterator[str]:
    """Dotted paths used in `body` that `api` lacks; `PATH=VALUE` where it has the field but not this value."""
    for name, field in versioned(model).items():
        if name not in body:
            continue
        path, value = f"{prefix}{name}", body[name]
        for mark in field.marks:
            yield from _marked(mark, value, api, path)
        if field.model is not None:
            for child, child_path in _objects(field.shape, value, path):
                yield from missing(field.model, child, api, f"{child_path}.")


def _marked(mark: Since | Until | ValuesSince, value: Json, api: ApiVersion, path: str) -> Iterator[str]:
    version = ApiVersion.parse(mark.version)
    match mark:
        case Since() if api < version:
            yield path
        case Until() if api > version:
            yield path
        case ValuesSince(values=values) if api < version and value in values:
            yield f"{path}={value}"


def _objects(shape: Shape, value: Json, path: str) -> Iterator[tuple[JsonObject, str]]:
    """The objects in a field, each with its dotted path. What has another shape is for the validation to refuse."""
    pairs: Iterable[tuple[str, Json]] = ()
    if shape is Shape.ONE:
        pairs = ((path, value),)
    elif shape is Shape.NAMED and isinstance(value, Mapping):
        pairs = ((f"{path}.{key}", child) for key, child in value.items())
    elif shape is Shape.LISTED and isinstance(value, Sequence) and not isinstance(value, str):
        pairs = ((f"{path}.{index}", child) for index, child in enumerate(value))
    return ((child, child_path) for child_path, child in pairs if isinstance(child, Mapping))
