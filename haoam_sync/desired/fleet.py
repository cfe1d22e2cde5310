"""haoam.yaml: clusters, instances, where they are, and what plans may not go over."""

from __future__ import annotations

import re
from collections.abc import Mapping

from haoam_sync import documents
from haoam_sync.desired import endpoint, envelope, explain, secret_text, variables
from haoam_sync.desired.endpoint import EndpointError, Networks
from haoam_sync.desired.envelope import FLEET
from haoam_sync.desired.problems import Problems
from haoam_sync.documents import Document, Path
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.documents.fleet import ClusterSpec, FleetSpec, InstanceSpec, LimitsSpec
from haoam_sync.model.documents.metadata import FleetMetadata
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId, Limits
from haoam_sync.model.secret import SecretReference

FILE = "haoam.yaml"
_CLUSTERS: Path = ("spec", "clusters")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def read(blobs: Mapping[str, bytes], problems: Problems) -> Fleet | None:
    """The fleet of a commit, or None, and what is wrong with it is noted."""
    if FILE not in blobs:
        problems.file(FILE, "the file is missing", "a desired-state repository names its fleet there")
        return None
    try:
        found = documents.load(blobs[FILE], FILE)
    except InvalidDesiredError as error:
        problems.take(error)
        return None
    if len(found) != 1:
        problems.file(FILE, f"expected one document of kind {FLEET}, found {len(found)}")
        return None
    outside = envelope.read(found[0], {FLEET}, problems)
    if outside is None:
        return None
    explain.no_nulls(outside.document, outside.spec, ("spec",), problems)
    metadata = explain.validate(FleetMetadata, outside.metadata, outside.document, ("metadata",), problems)
    spec = explain.validate(FleetSpec, outside.spec, outside.document, ("spec",), problems)
    if not isinstance(metadata, FleetMetadata) or not isinstance(spec, FleetSpec):
        return None
    return _Reader(outside.document, blobs, problems).fleet(metadata.name, spec)


class _Reader:
    """A fleet whose fields are in order, to values; what they say together is checked here."""

    def __init__(self, document: Document, blobs: Mapping[str, bytes], problems: Problems) -> None:
        self._document = document
        self._blobs = blobs
        self._problems = problems
        self._endpoints: dict[str, InstanceId] = {}

    def fleet(self, name: str, spec: FleetSpec) -> Fleet | None:
        before = self._problems.count
        networks = self._networks(spec.management_networks)
        if not spec.clusters:
            self._problems.value(self._document, _CLUSTERS, "the fleet has no cluster", "name one, with its instances")
        clusters = {key: self._cluster(key, cluster, networks) for key, cluster in spec.clusters.items()}
        if self._problems.count > before:
            return None
        limits = _limits(spec.limits) if spec.limits is not None else Limits()
        return Fleet(name, clusters, tuple(spec.management_networks or ()), limits)

    def _networks(self, texts: list[str] | None) -> Networks | None:
        path: Path = ("spec", "management_networks")
        if texts is None:
            return None
        if not texts:
            self._problems.value(self._document, path, "the list is empty: no endpoint could lie in it", "delete it")
        good = []
        for index, text in enumerate(texts):
            try:
                Networks.parse((text,))
                good.append(text)
            except EndpointError as error:
                self._problems.value(self._document, (*path, index), error.message, error.hint)
        return Networks.parse(tuple(good)) if len(good) == len(texts) else None

    def _cluster(self, name: str, spec: ClusterSpec, networks: Networks | None) -> Cluster:
        path: Path = (*_CLUSTERS, name)
        if not spec.instances:
            message = f"cluster `{name}` has no instance"
            self._problems.key(self._document, (*path, "instances"), message, "name one, or delete the cluster")
        self._no_references(spec.labels or {}, (*path, "labels"))
        self._no_references(spec.vars or {}, (*path, "vars"))
        return Cluster(
            name=name,
            labels=dict(spec.labels or {}),
            vars=dict(spec.vars or {}),
            wave=spec.wave,
            instances=tuple(self._instance(InstanceId(name, key), i, networks) for key, i in spec.instances.items()),
            position=self._document.key_position(path),
        )

    def _instance(self, identity: InstanceId, spec: InstanceSpec, networks: Networks | None) -> Instance:
        path: Path = (*_CLUSTERS, identity.cluster, "instances", identity.name)
        try:
            place = endpoint.check(spec.url, networks)
        except EndpointError as error:
            self._problems.value(self._document, (*path, "url"), error.message, error.hint)
        else:
            other = self._endpoints.setdefault(place, identity)
            if other != identity:
                message = f"the endpoint of {identity} is that of {other} too"
                self._problems.value(self._document, (*path, "url"), message, "give each instance its own")
        self._no_references(spec.vars or {}, (*path, "vars"))
        refusal = secret_text.refusal(spec.password.secret)
        if refusal is not None:
            at: Path = (*path, "password", "secret")
            self._problems.value(self._document, at, refusal, secret_text.HINT)
        return Instance(
            id=identity,
            url=spec.url,
            user=spec.user,
            password=SecretReference.parse(spec.password.secret),
            ca=self._ca(spec, path),
            vars=dict(spec.vars or {}),
            position=self._document.key_position(path),
        )

    def _ca(self, spec: InstanceSpec, path: Path) -> bytes | None:
        if spec.ca_file is None:
            return None
        at: Path = (*path, "ca_file")
        if spec.url.startswith("http:"):
            self._problems.value(self._document, at, "an endpoint of http:// has no certificate", "delete ca_file")
        content = self._blobs.get(spec.ca_file)
        if content is None:
            message = f"the repository has no file `{spec.ca_file}`"
            self._problems.value(self._document, at, message, "write its path from the repository's top, without ./")
        elif b"PRIVATE KEY" in content:
            self._problems.value(self._document, at, f"`{spec.ca_file}` holds a private key", "take it out of git")
        elif not _PEM.search(content):
            self._problems.value(self._document, at, f"`{spec.ca_file}` holds no certificate in PEM form")
        return content

    def _no_references(self, values: Mapping[str, object], path: Path) -> None:
        for key, value in values.items():
            if isinstance(value, str) and variables.OURS.search(value):
                self._problems.value(self._document, (*path, key), "a variable cannot refer to another one")


def _limits(spec: LimitsSpec) -> Limits:
    given = {name: value for name, value in spec if value is not None}
    return Limits(**given)
