"""The document `Fleet`, haoam.yaml."""

from typing import Annotated

from pydantic import Field

from haoam_sync.model.documents.values import DocumentModel, Line, ObjectName, SecretObject, Variable, VariableName

Percent = Annotated[int, Field(ge=0, le=100)]


class InstanceSpec(DocumentModel):
    """One HAProxy with its Data Plane API.

    Attributes:
        url: of the API, up to and with `/v3`. Plain http to loopback only.
        user: for basic authentication.
        password: a reference.
        ca_file: path in this repository of the authorities that sign the API's certificate; absent for the system's.
        vars: for `${instance.vars.NAME}`.
    """

    url: str
    user: Annotated[str, Field(pattern=r"^[^\s:]+$")]
    password: SecretObject
    ca_file: str | None = None
    vars: dict[VariableName, Variable] | None = None


class ClusterSpec(DocumentModel):
    """Instances that share one configuration.

    Attributes:
        labels: what selectors match, and `${cluster.labels.NAME}`.
        vars: for `${cluster.vars.NAME}`.
        wave: clusters of wave 1 are applied before those of wave 2.
        instances: by name; the first one is the canary.
    """

    labels: dict[VariableName, Line] | None = None
    vars: dict[VariableName, Variable] | None = None
    wave: Annotated[int, Field(ge=1, le=1000)] = 1
    instances: dict[ObjectName, InstanceSpec]


class LimitsSpec(DocumentModel):
    """What a plan may not go over.

    Attributes:
        changed_percent: most of an instance's owned sections that one plan may change.
        deleted_percent: most of them that it may delete.
        from_sections: the two percentages count from this many owned sections on.
        capacity_left_percent: least share of a backend's weight that must stay.
        delete_frontends: whether frontends and defaults may be deleted at all.
    """

    changed_percent: Percent | None = None
    deleted_percent: Percent | None = None
    from_sections: Annotated[int, Field(ge=0)] | None = None
    capacity_left_percent: Percent | None = None
    delete_frontends: bool | None = None


class FleetSpec(DocumentModel):
    """All clusters.

    Attributes:
        management_networks: networks (`10.0.0.0/8`), and names of hosts where endpoints have names, in which every one
            must lie; absent for no such rule.
        limits: what plans may not go over.
        clusters: by name.
    """

    management_networks: list[str] | None = None
    limits: LimitsSpec | None = None
    clusters: dict[ObjectName, ClusterSpec]
