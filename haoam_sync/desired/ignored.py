"""`metadata.ignore`: which fields of a section somebody else owns."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from haoam_sync.desired.problems import Problems, did_you_mean
from haoam_sync.documents import Document, Path
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections import section_model
from haoam_sync.model.sections.structure import Shape, fields

_NAMES = frozenset({"name", "username", "prefix", "metadata"})
"""What identifies an object, or says whose it is, cannot be ignored."""


def check(
    kind: SectionKind,
    paths: Sequence[str],
    document: Document,
    problems: Problems,
    at: Path = ("metadata", "ignore"),
) -> tuple[str, ...]:
    """The paths as they stand, at `at` of the document; those that lead nowhere are noted.

    A path is dotted and names fields; where objects stand by name the next step is a name or `*` (a name that holds a
    dot can be reached by `*` only). Lists are ignored as a whole: their items have no identity.
    """
    for index, path in enumerate(paths):
        refusal = _refusal(section_model(kind), path.split("."))
        if refusal is not None:
            message = f"`{path}` cannot be {'ignored' if at[-1] == 'ignore' else 'named'}: {refusal[0]}"
            problems.value(document, (*at, index), message, refusal[1])
    return tuple(paths)


def _refusal(model: type[BaseModel], steps: Sequence[str]) -> tuple[str, str] | None:
    step, rest = steps[0], steps[1:]
    known = fields(model)
    field = known.get(step)
    if step in _NAMES:
        return f"`{step}` is part of the identity", ""
    if field is None:
        return f"{model.__name__} has no field `{step}`", did_you_mean(step, known)
    if not rest:
        return None
    if field.model is None:
        return f"there is nothing below `{step}`", ""
    if field.shape is Shape.LISTED:
        return f"`{step}` is a list, and is compared as a whole", f"ignore `{step}`"
    if field.shape is Shape.NAMED:
        rest = rest[1:]
    return _refusal(field.model, rest) if rest else None
