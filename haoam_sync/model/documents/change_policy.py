"""The document `ChangePolicy`: classes of change that are agreed on beforehand."""

from typing import Annotated

from pydantic import Field

from haoam_sync.model.documents.values import DocumentModel, ObjectName, Selector

ClassId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{0,31}$")]
"""Name of a class of changes, as `waive` in trust.yaml writes it."""
NamePattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:*-]+$", max_length=128)]
"""Name of a section; `*` stands for anything."""


class ChangePolicyMetadata(DocumentModel):
    """Of a change policy: its name, for people only."""

    name: ObjectName


class MatchSpec(DocumentModel):
    """What a change must be, wholly, to belong to a class.

    Attributes:
        fields: dotted paths of fields that may change, `*` for any name (`servers.*.weight`).
        kinds: of the sections; `Backend` when absent.
        names: of the sections; any when absent.
        clusters: labels or names; every cluster when absent.
        capacity_left: share of a backend's weight that must stay of what it had when people reviewed last;
            `>=50%` when absent.
    """

    fields: Annotated[list[str], Field(min_length=1)]
    kinds: Annotated[list[str], Field(min_length=1)] | None = None
    names: Annotated[list[NamePattern], Field(min_length=1)] | None = None
    clusters: Selector | None = None
    capacity_left: Annotated[str, Field(pattern=r"^>=(100|[1-9]?[0-9])%$")] | None = None


class RuleSpec(DocumentModel):
    """A class of changes that needs no review where trust.yaml waives it by its id.

    Attributes:
        id: of the class.
        match: what belongs to it.
        require: nothing, written `[]`: what a change needs beyond that stands in trust.yaml.
    """

    id: ClassId
    match: MatchSpec
    require: Annotated[list[str], Field(max_length=0)]


class ChangePolicySpec(DocumentModel):
    """The classes."""

    rules: Annotated[list[RuleSpec], Field(min_length=1)]
