"""Request bodies: read, judged and echoed as the server does it.

Unknown fields are dropped without a word, keys match in any case of letters (the last one wins), `null` is as good as
absent. A value of the wrong type is 400, one that breaks a rule is 422: API 3.2 names the first, with a code for the
kind of rule, 3.4 names all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from http import HTTPStatus
from typing import Any

from haoam_sync.lab.document import Body
from haoam_sync.lab.json_errors import go_name, list_error, syntax_error, type_error
from haoam_sync.lab.parts import PART_FIELDS
from haoam_sync.lab.refusal import Refusal
from haoam_sync.lab.wire import JsonType, Rule, folded, inherited, rules
from haoam_sync.lab.zeros import is_nothing
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections import SectionModel, section_model

_GREATEST = 2**63 - 1
_DEFAULTS: Mapping[str, Body] = {"FcgiApp": {"max_reqs": 1}}
"""What API 3.4 fills in, by model."""


class Broken(IntEnum):
    """Which kind of rule a value breaks, as API 3.2 numbers them."""

    TYPE = 601
    REQUIRED = 602
    TOO_LONG = 603
    TOO_SHORT = 604
    PATTERN = 605
    ENUMERATION = 606
    TOO_GREAT = 608
    TOO_SMALL = 609


@dataclass(frozen=True, slots=True)
class Complaint:
    """One broken rule."""

    broken: Broken
    message: str


def read_object(raw: bytes, model: type[SectionModel], api: ApiVersion) -> Body:
    """The object in a request's body, with the fields that `model` knows and nothing that is empty.

    Raises:
        Refusal: it is none, or breaks a rule.
    """
    value = _decoded(raw, api)
    if value is None:
        value = _null({}, api)
    if not isinstance(value, dict):
        raise type_error(raw, api, value, "", f"models.{_outermost(model)}")
    body = _typed(value, model, api, raw)
    if api >= NEWEST:
        body = {**_DEFAULTS.get(model.__name__, {}), **body}
    _refuse(tuple(_judge(body, model, api, "")), api)
    return body


def read_list(raw: bytes, model: type[SectionModel], api: ApiVersion) -> list[Body]:
    """The array of objects in a request's body. See `read_object`."""
    value = _decoded(raw, api)
    if value is None:
        value = _null([], api)
    if not isinstance(value, list):
        raise list_error(raw, api, go_name(model.__name__))
    bodies = []
    for item in value:
        if not isinstance(item, dict):
            raise list_error(raw, api, go_name(model.__name__), wrong=item)
        bodies.append(_typed(item, model, api, raw))
    complaints = [c for index, body in enumerate(bodies) for c in _judge(body, model, api, f"{index}.")]
    _refuse(tuple(complaints), api)
    return bodies


def _decoded(raw: bytes, api: ApiVersion) -> Any:
    if not raw:
        raise _no_body(api)
    text = raw.decode(errors="replace")
    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except ValueError:
        raise syntax_error(text, api) from None
    return value


def _null(empty: Any, api: ApiVersion) -> Any:
    """What a body of `null` is: as good as an empty one to API 3.2.

    Raises:
        Refusal: API 3.4 does not take it.
    """
    if api >= NEWEST:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "Value is not nullable")
    return empty


def _no_body(api: ApiVersion) -> Refusal:
    if api >= NEWEST:
        return Refusal(HTTPStatus.BAD_REQUEST, "value is required but missing")
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "data in body is required", code=Broken.REQUIRED)


# ---- types


def _typed(value: Mapping[str, Any], model: type[SectionModel], api: ApiVersion, raw: bytes, path: str = "") -> Body:
    """`value` with the fields of `model` only, each of its type.

    Raises:
        Refusal: a value has another type.
    """
    known, names = rules(model, api), folded(model, api)
    found: Body = {}
    for key, item in value.items():
        name = key if key in known else names.get(key.lower())
        if name is None or item is None:
            continue
        where = f"{path}.{name}" if path else name
        struct = inherited(model).get(name, go_name(model.__name__) if path else _own_struct(model, name))
        typed = _of_type(item, known[name], api, raw, struct, where)
        if not is_nothing(model.__name__, name, known[name].kind, typed):
            found[name] = typed
        else:
            found.pop(name, None)
    return found


def _own_struct(model: type[SectionModel], name: str) -> str:
    """What the server calls the half of a section that a field belongs to; parts of it have no name."""
    kind = _KIND_OF_MODEL.get(model)
    if kind in _HALVED and name not in PART_FIELDS[kind]:
        return f"{go_name(model.__name__)}Base"
    return "" if kind in _HALVED or _extended(model) else go_name(model.__name__)


def _outermost(model: type[SectionModel]) -> str:
    """What the server reads first of a body: the model that this one extends."""
    if extended := _extended(model):
        return extended
    kind = _KIND_OF_MODEL.get(model)
    return f"{go_name(model.__name__)}Base" if kind in _HALVED else go_name(model.__name__)


def _extended(model: type[SectionModel]) -> str:
    """The name of the model that this one extends, "" for none."""
    bases = (base for base in model.__mro__[1:] if issubclass(base, SectionModel) and base is not SectionModel)
    return next((base.__name__ for base in bases), "")


_KIND_OF_MODEL = {section_model(kind): kind for kind in SectionKind}
_HALVED = frozenset(kind for kind in SectionKind if PART_FIELDS[kind])


def _of_type(item: Any, rule: Rule, api: ApiVersion, raw: bytes, struct: str, path: str) -> Any:
    go_type = _type_name(rule)
    wrong = type_error(raw, api, item, f"{struct}.{path}", go_type)
    match rule.kind:
        case JsonType.STRING if isinstance(item, str):
            return item
        case JsonType.BOOLEAN if isinstance(item, bool):
            return item
        case JsonType.INTEGER if isinstance(item, int) and not isinstance(item, bool) and abs(item) <= _GREATEST:
            return item
        case JsonType.FREE if isinstance(item, dict):
            return item
        case JsonType.OBJECT if isinstance(item, dict) and rule.model is not None:
            return _typed(item, rule.model, api, raw, path)
        case JsonType.MAP if isinstance(item, dict):
            return {key: _element(child, rule, api, raw, struct, path) for key, child in item.items()}
        case JsonType.ARRAY if isinstance(item, list):
            return [_element(child, rule, api, raw, struct, path) for child in item]
    raise wrong


def _element(child: Any, rule: Rule, api: ApiVersion, raw: bytes, struct: str, path: str) -> Any:
    element = Rule(rule.element or JsonType.OBJECT, model=rule.model)
    if isinstance(child, str | int | list) and rule.model is not None:
        raise type_error(raw, api, child, f"{struct}.{path}", f"models.{_outermost(rule.model)}")
    return _of_type(child if child is not None else _zero(element), element, api, raw, struct, path)


def _zero(rule: Rule) -> Any:
    return {JsonType.STRING: "", JsonType.INTEGER: 0, JsonType.BOOLEAN: False}.get(rule.kind, {})


def _type_name(rule: Rule) -> str:
    model = f"models.{go_name(rule.model.__name__)}" if rule.model else ""
    match rule.kind:
        case JsonType.OBJECT:
            return model
        case JsonType.MAP:
            return f"map[string]{model or (rule.element or JsonType.STRING).value}"
        case JsonType.ARRAY:
            return f"[]*{model}" if model else f"[]{(rule.element or JsonType.STRING).value}"
        case _:
            return str(rule.kind.value)


# ---- rules


def _refuse(complaints: tuple[Complaint, ...], api: ApiVersion) -> None:
    if not complaints:
        return
    if api >= NEWEST:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "\n".join(c.message for c in complaints))
    first = complaints[0]
    raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, first.message, code=first.broken)


def _judge(body: Body, model: type[SectionModel], api: ApiVersion, prefix: str) -> Iterator[Complaint]:
    """What is wrong with `body`, in the order in which the server finds it."""
    for name, rule in rules(model, api).items():
        path = f"{prefix}{name}"
        value = body.get(name)
        if rule.required and value is None:
            yield Complaint(Broken.REQUIRED, f"{path} in body is required")
        elif value is not None:
            yield from _judge_value(value, rule, api, path)


def _judge_value(value: Any, rule: Rule, api: ApiVersion, path: str) -> Iterator[Complaint]:
    match rule.kind:
        case JsonType.OBJECT if rule.model is not None:
            yield from _judge(value, rule.model, api, f"{path}.")
        case JsonType.MAP if rule.model is not None:
            for key, item in value.items():
                if not item:
                    yield Complaint(Broken.REQUIRED, f"{path}.{key} in body is required")
                else:
                    yield from _judge(item, rule.model, api, f"{path}.{key}.")
        case JsonType.ARRAY if rule.model is not None:
            for index, item in enumerate(value):
                yield from _judge(item, rule.model, api, f"{path}.{index}.")
        case JsonType.ARRAY:
            for index, item in enumerate(value):
                yield from _judge_scalar(item, rule, f"{path}.{index}")
        case JsonType.STRING | JsonType.INTEGER:
            yield from _judge_scalar(value, rule, path)


def _judge_scalar(value: str | int, rule: Rule, path: str) -> Iterator[Complaint]:
    if rule.values and value not in rule.values:
        yield Complaint(Broken.ENUMERATION, f"{path} in body should be one of {_listed(rule.values)}")
    elif isinstance(value, str):
        if len(value) < rule.shortest:
            yield Complaint(Broken.TOO_SHORT, f"{path} in body should be at least {rule.shortest} chars long")
        elif rule.longest is not None and len(value) > rule.longest:
            yield Complaint(Broken.TOO_LONG, f"{path} in body should be at most {rule.longest} chars long")
        elif rule.pattern and not _compiled(rule.pattern).search(value):
            yield Complaint(Broken.PATTERN, f"{path} in body should match '{rule.pattern}'")
    elif rule.least is not None and value < rule.least:
        yield Complaint(Broken.TOO_SMALL, f"{path} in body should be greater than or equal to {rule.least}")
    elif rule.most is not None and value > rule.most:
        yield Complaint(Broken.TOO_GREAT, f"{path} in body should be less than or equal to {rule.most}")


def _listed(values: Sequence[str | int]) -> str:
    return f"[{' '.join(str(value) for value in values)}]"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """`$` ends the text, as in Go, and not before a last newline, as in Python."""
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))
