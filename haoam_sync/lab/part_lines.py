"""What the two shapes of parts share: their models, their lines, and the empty list."""

from __future__ import annotations

from haoam_sync.lab.document import Body, write_section
from haoam_sync.lab.engine import Engine
from haoam_sync.lab.parts import Listed, Named, begins_with
from haoam_sync.lab.wire import rules
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.sections import SectionModel, section_model


def model_of(engine: Engine, kind: SectionKind, field: str) -> type[SectionModel]:
    """The model of the parts in this field of a section.

    Raises:
        TypeError: there are no objects in it.
    """
    model = rules(section_model(kind), engine.api)[field].model
    if model is None:
        raise TypeError(f"{kind}.{field} holds no objects")
    return model


def nothing(engine: Engine) -> list[Body] | None:
    """A list of parts that has none: API 3.4 says null."""
    return None if engine.api >= NEWEST else []


def part_lines(engine: Engine, section: SectionId, part: Listed | Named, body: Body) -> list[str]:
    """The indented lines of a part, taken from a section that has nothing else."""
    named = {"name": section.name, **body} if section.name else body
    api = NEWEST if section.kind is SectionKind.RESOLVERS else engine.api
    lines = write_section(section.kind, named, api).splitlines()
    return [line for line in lines if line.startswith(" ") and begins_with(line, part.keywords)]
