"""What an import reads and makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionId

Path = tuple[str | int, ...]
"""Keys and indexes from a section's body down to a value."""


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of a section, each without its `#`.

    Attributes:
        lead: those in front of it and on its first line.
        above: those in front of a line and at its end, by the path of what the line says.
        tail: those behind its last line.
    """

    lead: tuple[str, ...] = ()
    above: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A section that a document can declare without losing anything of it.

    Attributes:
        id: kind and name.
        body: as the API reads it back, without any `metadata`. May hold secrets in clear.
        comments: what people wrote beside it.
        warnings: things to know that stop nothing.
    """

    id: SectionId
    body: JsonObject = field(repr=False)
    comments: Comments = field(repr=False, default_factory=Comments)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Foreign:
    """A section that stays as it is.

    Attributes:
        heading: as haproxy.cfg has it (`listen stats`, `global`).
        reason: why no document declares it, with the line where one line is the reason.
    """

    heading: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A haproxy.cfg, sorted into what can be owned and what cannot.

    Attributes:
        text: the file with the `from` that the first write gives every proxy.
        candidates: what can be owned, in the order of plans.
        foreign: the rest, in the order of the file.
        warnings: things to know that stop nothing.
    """

    text: str = field(repr=False)
    candidates: tuple[Candidate, ...]
    foreign: tuple[Foreign, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """Files to write, and the secrets that stand outside of them.

    Attributes:
        files: content by path in the repository.
        places: the path of each section's document.
        secrets: values by the text of their reference. Never printed.
        uses: what the host must allow, sorted: reference, document kind, field.
    """

    files: Mapping[str, bytes] = field(repr=False)
    places: Mapping[SectionId, str]
    secrets: Mapping[str, str] = field(repr=False)
    uses: tuple[tuple[str, str, str], ...] = ()
