"""Whether a change belongs, wholly, to a class that was agreed on beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from haoam_sync.desired.change import change
from haoam_sync.model.capacity import capacity_left
from haoam_sync.model.change_class import ChangeClass
from haoam_sync.model.desired import Desired
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionId, SectionKind


def pre_approved(classes: Iterable[ChangeClass], reviewed: Desired, head: Desired) -> frozenset[str]:
    """The ids of those of `classes` that a change belongs to, wholly.

    A class holds a change that touches nothing but sections it means, of clusters it means, on both sides there, and of
    those nothing but fields it names; every backend keeps the share of its capacity that the class asks for. A change
    of nothing belongs to no class: what it changes in git, this cannot see.

    Args:
        classes: those of the commit that the change builds on.
        reviewed: desired state of the commit that people reviewed last. Changes since then count together, so that five
            small steps are one large one.
        head: desired state of the commit in question.
    """
    found = change(reviewed, head)
    instances = found["instances"]
    if found["fleet"] or not instances or not isinstance(instances, Mapping):
        return frozenset()
    return frozenset(one.id for one in classes if all(_instance(one, str(k), v) for k, v in instances.items()))


def _instance(one: ChangeClass, identity: str, parts: Json) -> bool:
    if not isinstance(parts, Mapping) or set(parts) != {"sections"} or not isinstance(parts["sections"], Mapping):
        return False  # files changed, too
    if identity.partition("/")[0] not in one.clusters:
        return False
    return all(_section(one, key, sides) for key, sides in parts["sections"].items())


def _section(one: ChangeClass, key: str, sides: Json) -> bool:
    section = SectionId.parse(key)
    before, after = _side(sides, "before"), _side(sides, "after")
    if before is None or after is None or not one.may_change(section.kind, section.name):
        return False
    old, new = before["spec"], after["spec"]
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return False
    if any(before[name] != after[name] for name in before if name != "spec"):
        return False  # who owns what, and what is protected, is for people
    if not all(one.allows(path) for path in _changed(old, new)):
        return False
    left = capacity_left(old, new) if section.kind is SectionKind.BACKEND else None
    return left is None or left >= one.capacity_left


def _side(sides: Json, name: str) -> JsonObject | None:
    side = sides.get(name) if isinstance(sides, Mapping) else None
    return side if isinstance(side, Mapping) else None


def _changed(old: Json, new: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where two bodies differ: objects are walked while both are there, everything else is one value."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _changed(old.get(key), new.get(key), (*path, key))
    else:
        yield path
