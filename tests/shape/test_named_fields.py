"""What stands by name, in the models and where bodies are compared."""

from __future__ import annotations

from pydantic import BaseModel

from haoam_sync.model.bodies import NAMED_FIELDS
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections import section_model
from haoam_sync.model.sections.structure import Shape, fields


def test_named_fields_are_those_of_the_models() -> None:
    """Every field whose objects stand by name is known as such, and no field of another shape has such a name."""
    shapes: dict[str, set[Shape]] = {}
    seen: set[type[BaseModel]] = set()

    def walk(model: type[BaseModel]) -> None:
        if model in seen:
            return
        seen.add(model)
        for name, field in fields(model).items():
            if field.model is not None:
                shapes.setdefault(name, set()).add(field.shape)
                walk(field.model)

    for kind in SectionKind:
        walk(section_model(kind))
    assert {name for name, found in shapes.items() if Shape.NAMED in found} == NAMED_FIELDS
    assert all(shapes[name] == {Shape.NAMED} for name in NAMED_FIELDS)
