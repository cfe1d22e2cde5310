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
from haoam_sync.lab.json_errors import syntax_error, type_error
from haoam_sync.lab.refusal import Refusal
from haoam_sync.lab.wire import JsonType, Rule, folded, inherited, rules
from haoam_sync.lab.zeros import shows_zero
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.sections import SectionModel


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
    if not isinstance(value, dict):
        raise type_error(raw, api, value, "", f"models.{model.__name__}")
    body = _typed(value, model, api, raw)
    _refuse(tuple(_judge(body, model, api, "")), api)
    return body


def read_list(raw: bytes, model: type[SectionModel], api: ApiVersion) -> list[Body]:
    """The array of objects in a request's body. See `read_object`."""
    value = _decoded(raw, api)
    if not isinstance(value, list):
        raise type_error(raw, api, value, "", f"models.{model.__name__}s")
    bodies = [_typed(item, model, api, raw) for item in value if isinstance(item, dict)]
    if len(bodies) != len(value):
        wrong = next(item for item in value if not isinstance(item, dict))
        raise type_error(raw, api, wrong, "", f"models.{model.__name__}")
    complaints = [c for index, body in enumerate(bodies) for c in _judge(body, model, api, f"{index}.")]
    _refuse(tuple(complaints), api)
    return bodies


def read_runtime_object(raw: bytes, model: type[SectionModel], api: ApiVersion) -> Body:
    """Like `read_object`, for a model in which nothing is required."""
    return read_object(raw, model, api)


def echo(body: Body, model: type[SectionModel], api: ApiVersion) -> Body:
    """What a write answers with: what was sent, without what the server takes for empty."""
    shown: Body = {}
    for name, value in body.items():
        rule = rules(model, api)[name]
        match rule.kind:
            case JsonType.OBJECT if rule.model is not None:
                shown[name] = echo(value, rule.model, api)
            case JsonType.MAP if rule.model is not None and value:
                shown[name] = {key: echo(item, rule.model, api) for key, item in value.items()}
            case JsonType.ARRAY if rule.model is not None and value:
                shown[name] = [echo(item, rule.model, api) for item in value]
            case JsonType.MAP | JsonType.ARRAY | JsonType.FREE if not value:
                pass
            case _ if not value and not shows_zero(model.__name__, name, rule):
                pass
            case _:
                shown[name] = value
    return shown


def _decoded(raw: bytes, api: ApiVersion) -> Any:
    if not raw:
        raise _no_body(api)
    text = raw.decode(errors="replace")
    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except ValueError:
        raise syntax_error(text, api) from None
    if value is None:
        raise _no_body(api)
    return value


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
        struct = inherited(model).get(name, model.__name__ if path else "")
        found[name] = _of_type(item, known[name], api, raw, struct, where)
    return found


def _of_type(item: Any, rule: Rule, api: ApiVersion, raw: bytes, struct: str, path: str) -> Any:
    go_type = _type_name(rule)
    wrong = type_error(raw, api, item, f"{struct}.{path}", go_type)
    match rule.kind:
        case JsonType.STRING if isinstance(item, str):
            return item
        case JsonType.BOOLEAN if isinstance(item, bool):
            return item
        case JsonType.INTEGER if isinstance(item, int) and not isinstance(item, bool):
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
    return _of_type(child if child is not None else _zero(element), element, api, raw, struct, path)


def _zero(rule: Rule) -> Any:
    return {JsonType.STRING: "", JsonType.INTEGER: 0, JsonType.BOOLEAN: False}.get(rule.kind, {})


def _type_name(rule: Rule) -> str:
    model = f"models.{rule.model.__name__}" if rule.model else ""
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
        if rule.required and (value is None or value == ""):
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
        case JsonType.STRING | JsonType.INTEGER if value != "":
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
