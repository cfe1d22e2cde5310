"""What differs between two bodies of one section, field by field, secrets by their place and never by their value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from haoam_sync.haproxycfg.secrets import masked
from haoam_sync.model.desired import DesiredSection
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.plan import UNSHOWN, FieldChange
from haoam_sync.model.secret import secret_paths
from haoam_sync.model.section import SectionKind
from haoam_sync.plan.bodies import Path, replaced


def field_changes(
    kind: SectionKind, before: JsonObject, after: JsonObject, section: DesiredSection | None
) -> tuple[FieldChange, ...]:
    """What differs, by dotted path; objects are walked, lists and scalars are one value."""
    references = {use.path: str(use.reference) for use in section.secrets} if section else {}
    secrets = {*secret_paths(kind, before), *secret_paths(kind, after), *references}
    changes: list[FieldChange] = []

    def walk(path: Path, old: Json, new: Json) -> None:
        if old == new:
            return
        if path in secrets:
            changes.append(
                FieldChange(
                    _dotted(path),
                    None if old is None else {"secret": "current"},
                    None if new is None else {"secret": references.get(path, "given")},
                    secret=True,
                )
            )
        elif isinstance(old, Mapping | None) and isinstance(new, Mapping | None) and (old or new):
            for key in sorted({*(old or {}), *(new or {})}):
                walk((*path, key), (old or {}).get(key), (new or {}).get(key))
        else:
            changes.append(FieldChange(_dotted(path), _masked(path, old), _masked(path, new)))

    def _masked(path: Path, value: Json) -> Json:
        """A list is one value; secrets inside it are masked by their place."""
        inside = [secret[len(path) :] for secret in secrets if secret[: len(path)] == path]
        return replaced(value, inside, {"secret": "given"}) if inside else value

    for key in sorted({*before, *after}):
        walk((key,), before.get(key), after.get(key))
    return tuple(changes)


def unshown_lines(lines: Iterable[str]) -> FieldChange:
    """Lines of the file that the API does not show, as one field of a change: they go away."""
    return FieldChange(UNSHOWN, [masked(line) for line in lines], None)


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)
