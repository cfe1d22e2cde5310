"""What pydantic refuses, in the words of the document: what, where, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from haoam_sync.desired import secret_text
from haoam_sync.desired.paths import at as at_path
from haoam_sync.desired.paths import dotted
from haoam_sync.desired.problems import Problems, did_you_mean
from haoam_sync.documents import Document, Path, Value
from haoam_sync.model.documents.values import SecretObject
from haoam_sync.model.json import Json
from haoam_sync.model.sections.structure import Shape, fields

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NULL_HINT = "give a value, or delete the field"
_SHOWN = 60
_WORD = r"^[^\s]+$"
_PATTERNS: Mapping[str, str] = {
    _WORD: "no white space is allowed in it",
    r"^[A-Za-z0-9-_.:]+$": "letters, digits, - _ . : only",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": "letters, digits, - _ . only, beginning with a letter or digit",
    r"^[A-Za-z_][A-Za-z0-9_-]*$": "letters, digits, - _ only, beginning with a letter",
    r"^[^\x00-\x1f\x7f]*$": "write it on one line, without control characters",
}
_TYPES: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def validate(
    model: type[BaseModel], value: Mapping[str, Json], document: Document, at: Path, problems: Problems
) -> BaseModel | None:
    """`value` as a `model`, or None, and what is wrong with it is noted.

    Args:
        model: what it should be.
        value: plain JSON values, as they stand in the document below `at` (names filled in may be missing there).
        document: for positions.
        at: path in the document.
        problems: where to note.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _note(model, details, document, at, problems)
        return None


def _note(model: type[BaseModel], details: ErrorDetails, document: Document, at: Path, problems: Problems) -> None:
    kind, location = details["type"], details["loc"]
    is_key = bool(location) and location[-1] == "[key]"
    inside = location[:-1] if is_key else location
    path = (*at, *inside)
    if kind in _TYPES and details["input"] is None:
        return  # null is refused on its own, wherever it stands
    if _is_secret(model, inside):
        problems.value(
            document, path, f"{dotted(path)} is secret: its value may not stand in git", secret_text.LITERAL_HINT
        )
    elif _is_secret(model, inside[:-1]) and kind == "string_pattern_mismatch":
        problems.value(document, path, f"{dotted(path)}: this is no secret reference", secret_text.HINT)
    elif kind == "extra_forbidden":
        last = str(inside[-1])
        owner = model_at(model, inside[:-1])
        known = list(fields(owner)) if owner is not None else []
        hint = did_you_mean(last, known) or did_you_mean(last.replace("-", "_"), known)
        problems.key(document, path, f"unknown field `{last}`{_in(path[:-1])}", hint)
    elif kind == "missing":
        problems.key(document, path[:-1], f"field `{inside[-1]}` is missing{_in(path[:-1])}")
    elif is_key:
        message, hint = _words(details)
        problems.key(document, path, f"the name {message}", hint)
    else:
        message, hint = _words(details)
        written = at_path(document.value, path)
        if isinstance(written, str) and "${" in written and details["type"] in _TYPES:
            hint = f"this is the value of {written}; give it as {_TYPES[details['type']]} in haoam.yaml"
        problems.value(document, path, f"{dotted(path)}: {message}", hint)


def no_nulls(document: Document, value: Value, path: Path, problems: Problems) -> None:
    """Note every null below `path`: what is absent is left out."""
    if value is None:
        problems.value(document, path, f"{dotted(path)}: null is no value", NULL_HINT)
    elif isinstance(value, dict):
        for key, item in value.items():
            no_nulls(document, item, (*path, key), problems)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            no_nulls(document, item, (*path, index), problems)


def _is_secret(model: type[BaseModel], path: Path) -> bool:
    return bool(path) and model_at(model, path) is SecretObject


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model of the object at `path` below an object of `model`; None where no model's object can be."""
    current: type[BaseModel] | None = model
    steps = iter(path)
    for step in steps:
        if current is None:
            return None
        field = fields(current).get(str(step))
        if field is None:
            return None
        if field.shape is not Shape.ONE:
            next(steps, None)  # the name, or the index
        current = field.model
    return current


def _words(details: ErrorDetails) -> tuple[str, str]:
    """Message and hint for a value that is wrong."""
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    shown = _shown(value)
    if kind in _TYPES:
        return f"expected {_TYPES[kind]}, found {shown}", _conversion(kind, value)
    if kind == "literal_error":
        known = _literals(context.get("expected", ""))
        return f"{shown} is none of {', '.join(known)}", did_you_mean(str(value), known)
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        return f"{shown} does not match {pattern}", _PATTERNS.get(pattern, "")
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return f"{shown} is out of range, expected {bound}", ""
    if kind == "string_too_long":
        return f"the text has more than {context.get('max_length')} characters", ""
    if kind == "value_error":
        return f"{context.get('error')}, found {shown}", ""
    return f"{details['msg']}, found {shown}", ""


def _conversion(kind: str, value: object) -> str:
    match kind, value:
        case "string_type", bool() | int() | float():
            return f'quote it: "{str(value).lower() if isinstance(value, bool) else value}"'
        case "int_type", str() if value.lstrip("-").isdecimal():
            return "write it without quotes"
        case "bool_type", str() if value in {"true", "false"}:
            return "write it without quotes"
        case "bool_type", str() if value in {"enabled", "disabled"}:
            return f"write {'true' if value == 'enabled' else 'false'}"
    return ""


def _literals(expected: str) -> list[str]:
    """What pydantic writes as `'a', 'b' or 'c'` as a list."""
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(", ")]


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"`{value[:_SHOWN]}{'...' if len(value) > _SHOWN else ''}`"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "an object"
        case None:
            return "nothing"
    return "something else"


def _in(path: Path) -> str:
    return f" in {dotted(path)}" if path else ""
