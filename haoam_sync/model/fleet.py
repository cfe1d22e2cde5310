"""Clusters and instances, as haoam.yaml names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference


@dataclass(frozen=True, slots=True, order=True)
class InstanceId:
    """Identity of an instance: the key everywhere."""

    cluster: str
    name: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.name}"


@dataclass(frozen=True, slots=True)
class Instance:
    """One HAProxy with its Data Plane API.

    Attributes:
        id: cluster and name.
        url: base URL of the API, `/v3` included.
        user: name for basic authentication.
        password: where its password is found.
        ca: PEM of the authority that signs the API's certificate; None for the system's authorities.
        vars: values for `${instance.vars.X}`.
        position: where haoam.yaml says so.
    """

    id: InstanceId
    url: str
    user: str
    password: SecretReference
    ca: bytes | None
    vars: Mapping[str, str | int | bool]
    position: Position


@dataclass(frozen=True, slots=True)
class Cluster:
    """Instances that share one configuration.

    Attributes:
        name: unique in the fleet.
        labels: what selectors match.
        vars: values for `${cluster.vars.X}`.
        wave: clusters of wave 1 are applied before those of wave 2.
        instances: in the order of haoam.yaml; the first one is the canary.
    """

    name: str
    labels: Mapping[str, str]
    vars: Mapping[str, str | int | bool]
    wave: int
    instances: tuple[Instance, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan may not go over; DESIGN section "Plan". Percentages are whole numbers, 0 to 100.

    Attributes:
        changed_percent: most of an instance's owned sections that one plan may change.
        deleted_percent: most of them that it may delete.
        from_sections: the two percentages count from this many owned sections on.
        capacity_left_percent: least share of a backend's weight that must stay.
        delete_frontends: whether frontends and defaults may be deleted at all.
    """

    changed_percent: int = 50
    deleted_percent: int = 20
    from_sections: int = 10
    capacity_left_percent: int = 50
    delete_frontends: bool = False


@dataclass(frozen=True, slots=True)
class Fleet:
    """All clusters.

    Attributes:
        name: the fleet's name.
        clusters: by name.
        management_networks: networks (CIDR) in which endpoints may lie.
        limits: what plans may not go over.
    """

    name: str
    clusters: Mapping[str, Cluster]
    management_networks: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def instances(self) -> tuple[Instance, ...]:
        """Every instance, by cluster and name."""
        return tuple(sorted((i for c in self.clusters.values() for i in c.instances), key=lambda i: i.id))
