"""What `import` and `adopt` print."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from haoam_sync.model.results.shape import SHAPE


@with_config(SHAPE)
class OwnedSection(TypedDict):
    """A section that a document was written for."""

    section: str
    file: str


@with_config(SHAPE)
class ForeignSection(TypedDict):
    """A section that stays foreign."""

    section: str
    reason: str


@with_config(SHAPE)
class SecretUse(TypedDict):
    """A secret reference that the host root file must allow."""

    reference: str
    kind: str
    field: str


@with_config(SHAPE)
class ImportResult(TypedDict):
    """`import` and `adopt`."""

    owned: int
    foreign: int
    sections: list[OwnedSection]
    foreign_sections: list[ForeignSection]
    warnings: list[str]
    files: list[str]
    secrets: str | None
    """The file outside the repository that holds the values; null for none."""
    secret_uses: list[SecretUse]
