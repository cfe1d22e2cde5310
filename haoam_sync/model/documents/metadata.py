"""The `metadata` of every kind of document."""

from typing import Annotated

from pydantic import Field

from haoam_sync.model.documents.values import DocumentModel, ObjectName, Selector


class FleetMetadata(DocumentModel):
    """Of the fleet: its name."""

    name: ObjectName


class SectionMetadata(DocumentModel):
    """Of a HAProxy section.

    Attributes:
        name: of the section.
        clusters: labels, all of which a cluster must have, or names; absent for every cluster.
        protected: deleting the section needs its own reviewed change first.
        ignore: dotted paths of fields that somebody else owns, `*` for any name: never compared, never written.
        external: what the section refers to and git does not declare, `KIND/NAME`.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9-_.:]+$")]
    clusters: Selector | None = None
    protected: bool | None = None
    ignore: list[str] | None = None
    external: list[str] | None = None


class GlobalMetadata(SectionMetadata):
    """Of `global`, which has no name: one given here is for people only."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9-_.:]+$")] = "global"


class CertificateMetadata(DocumentModel):
    """Of a certificate: the name by which binds refer to it, and the clusters that get it."""

    name: ObjectName
    clusters: Selector | None = None
