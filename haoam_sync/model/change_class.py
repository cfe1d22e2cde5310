"""A class of changes that were agreed on beforehand: they need no review where the trust policy waives it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from haoam_sync.model import glob
from haoam_sync.model.section import SectionKind


@dataclass(frozen=True)
class ChangeClass:
    """What a change must be, wholly, to belong to it.

    Attributes:
        id: as `waive` in trust.yaml names it.
        kinds: of sections that may change.
        names: patterns of their names, `*` for anything; empty for any name.
        clusters: names of the clusters whose instances may change.
        fields: dotted paths that may change, `*` for any name.
        capacity_left: percent of a backend's weight that must stay.
    """

    id: str
    kinds: frozenset[SectionKind]
    names: tuple[str, ...]
    clusters: frozenset[str]
    fields: tuple[str, ...]
    capacity_left: int

    @cached_property
    def _names(self) -> re.Pattern[str]:
        return re.compile("|".join(glob.expression(name, ".") for name in self.names or ("*",)))

    def may_change(self, kind: SectionKind, name: str) -> bool:
        """Whether a section is one of those meant."""
        return kind in self.kinds and self._names.fullmatch(name) is not None

    def allows(self, path: tuple[str, ...]) -> bool:
        """Whether the field at `path` may change."""
        return any(_matches(field.split("."), path) for field in self.fields)


def _matches(pattern: list[str], path: tuple[str, ...]) -> bool:
    """`*` stands for one name; a name may hold dots itself, and is one step of the path."""
    return len(pattern) == len(path) and all(p in {"*", step} for p, step in zip(pattern, path, strict=True))
