"""The blobs of a commit to its desired state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from haoam_sync.desired import certificates as certificate_documents
from haoam_sync.desired import change_policies, declaration, envelope, resolution, stored_files
from haoam_sync.desired import fleet as fleet_document
from haoam_sync.desired.certificates import CertificateDeclaration
from haoam_sync.desired.crosscheck import CrossCheck
from haoam_sync.desired.declaration import Declaration
from haoam_sync.desired.envelope import CERTIFICATE, CHANGE_POLICY, SECTION_KINDS, Envelope
from haoam_sync.desired.external import CERTIFICATE as CERTIFICATE_WORD
from haoam_sync.desired.naming import Reads
from haoam_sync.desired.problems import Problems
from haoam_sync.desired.recalled import Made, Memory, Recall
from haoam_sync.desired.sections import Declared, Fixed, Held, OfDeclaration, Sections
from haoam_sync.desired.selection import select
from haoam_sync.desired.stored_files import FileDeclaration
from haoam_sync.desired.variables import Scope
from haoam_sync.documents import Document
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.change_class import ChangeClass
from haoam_sync.model.desired import Desired, DesiredCertificate, DesiredFile, DesiredInstance, DesiredSection
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId
from haoam_sync.model.secret import SecretUse
from haoam_sync.model.section import SectionId
from haoam_sync.model.stored import FILE_KINDS, FileId, FileKind, FileStore

_FOLDER = "haproxy/"
_ACCESS = "access/"
_KINDS = frozenset({*SECTION_KINDS, *FILE_KINDS, CERTIFICATE})
_ACCESS_KINDS = frozenset({CHANGE_POLICY})


def load(
    commit: str,
    blobs: Mapping[str, bytes],
    reveal: Callable[[SecretUse], str] | None,
    api: ApiVersion = NEWEST,
    fleet: Fleet | None = None,
    *,
    memory: Memory | None = None,
    keep: bool = False,
    made: Made | None = None,
) -> Desired:
    """What a commit says every instance should be.

    Everything is checked before the first secret is resolved. Files other than haoam.yaml, haproxy/, access/ and those
    that documents name (`ca_file`, `chain_file`, `content_file`) are not looked at; trust.yaml belongs to the trust
    stage.

    Args:
        commit: id of the commit.
        blobs: its files, by path.
        reveal: where to get secrets; None leaves the texts of the references in their place.
        api: version of the API whose fields may be used.
        fleet: for a commit that is only proposed, the fleet of the accepted one. Labels, variables and waves are then
            the proposed commit's own, so that the plan shows what would happen; urls, users, passwords, authorities,
            management networks and limits are the accepted one's. An instance that only one of the two has is left
            out: it is not known where it is, or it would not be ours any more. A new cluster stands there without
            instances.
        memory: of blobs that were read before.
        keep: whether what is new may be put there; never for a commit that nobody trusts (yet).
        made: what this run has made of files before; what is new is put there.

    Raises:
        InvalidDesiredError: with everything that is wrong.
        NotTrustedError: E_SECRET_REFERENCE from `reveal`.
        UsageError: a secret is not there, or is none that could be written (`reveal` is given).
        ValueError: `fleet` and `reveal` are both given: the secrets of a proposed commit are never resolved.
    """
    if fleet is not None and reveal is not None:
        raise ValueError("the secrets of a proposed commit are never resolved")
    recall = Recall(memory, api, keep=keep)
    desired = _Loader(commit, blobs, api, recall, made if made is not None else Made()).desired(fleet)
    return resolution.resolve(desired, reveal) if reveal is not None else desired


def load_fleet(blobs: Mapping[str, bytes]) -> Fleet:
    """The fleet of a commit alone.

    Raises:
        InvalidDesiredError: with everything that is wrong with haoam.yaml.
    """
    problems = Problems()
    found = fleet_document.read(blobs, problems)
    problems.refuse()
    if found is None:
        raise AssertionError("a fleet is there, or a problem says why not")
    return found


class _Loader:
    """One commit on its way."""

    def __init__(self, commit: str, blobs: Mapping[str, bytes], api: ApiVersion, recall: Recall, made: Made) -> None:
        self._commit = commit
        self._recall = recall
        self._made = made
        made.begin()
        self._new: list[tuple[str, bytes, tuple[Fixed, ...]]] = []
        self._blobs = blobs
        self._reads = Reads(blobs)
        self._api = api
        self._problems = Problems()
        self._crosscheck = CrossCheck(self._problems)
        self._sections: dict[str, list[OfDeclaration]] = {}  # by cluster
        self._selected: dict[str, tuple[Cluster, ...]] = {}
        self._certificates: dict[str, list[CertificateDeclaration]] = {}  # by cluster
        self._classes: dict[str, ChangeClass] = {}
        self._files: dict[str, list[FileDeclaration]] = {}  # by cluster
        self._repeated: dict[tuple[int, int], tuple[Document, str, Document, list[str]]] = {}
        self._complete = True  # whether every document could be read; when not, what is missing cannot be told

    def desired(self, accepted: Fleet | None) -> Desired:
        own = fleet_document.read(self._reads.of(fleet_document.FILE), self._problems)
        self._declarations(own)
        instances: dict[InstanceId, DesiredInstance] = {}
        for cluster in own.clusters.values() if own is not None else ():
            instances.update(self._cluster(cluster))
        self._note_repeated()
        if self._complete:
            self._crosscheck.finish()
        self._problems.refuse()
        self._recall.finish()
        for path, data, fixed in self._new:
            self._made.put(self._api, path, data, fixed)
        if own is None:
            raise AssertionError("a fleet is there, or a problem says why not")
        fleet = own if accepted is None else _with_endpoints(own, accepted)
        held = {i.id: instances[i.id] for i in fleet.instances()}
        classes = tuple(self._classes[name] for name in sorted(self._classes))
        return Desired(self._commit, fleet, held, classes, self._reads.named)

    def _declarations(self, fleet: Fleet | None) -> None:
        """Every document of haproxy/ and access/; without a fleet as far as they can be checked alone."""
        for path in self._paths():
            data = self._blobs[path]
            fixed = self._made.get(self._api, path, data)
            if fixed is None or not self._recall.has(data):
                self._file(path, data, fleet)
                continue
            for one in fixed:
                self._keep(one, fleet)

    def _paths(self) -> Iterator[str]:
        for path in sorted(self._blobs):
            if not path.startswith((_FOLDER, _ACCESS)):
                continue
            if not path.endswith(".yaml"):
                hint = f"rename it to {path.removesuffix('.yml')}.yaml" if path.endswith(".yml") else "move it away"
                self._problems.file(path, "only *.yaml files may stand here", hint)
                continue
            yield path

    def _file(self, path: str, data: bytes, fleet: Fleet | None) -> None:
        access = path.startswith(_ACCESS)
        kinds = _ACCESS_KINDS if access else _KINDS
        try:
            documents = self._recall.documents(data, path)
        except InvalidDesiredError as error:
            self._problems.take(error)
            self._complete = False
            return
        for document in documents:
            good = self._recall.good(document) if not access else None
            if good is not None:
                self._keep(good.fixed or Sections(good.declaration, self._api, self._problems, good), fleet)
                continue
            outside = envelope.read(document, kinds, self._problems)
            if outside is None or not self._declaration(outside, fleet):
                self._complete = False
        fixed = [good.fixed for good in map(self._recall.good, documents) if good is not None and good.fixed]
        if len(fixed) == len(documents):
            self._new.append((path, data, tuple(fixed)))

    def _keep(self, sections: OfDeclaration, fleet: Fleet | None) -> None:
        """Keep the sections of one declaration for the clusters that it is for."""
        for cluster in self._clusters(sections.declaration, fleet):
            self._sections.setdefault(cluster.name, []).append(sections)

    def _clusters(self, declaration: Declaration, fleet: Fleet | None) -> tuple[Cluster, ...]:
        """Those that a selector means; one with which something is wrong is looked at for each document anew."""
        key = repr(declaration.selector)
        found = self._selected.get(key)
        if found is None:
            before = self._problems.count
            found = select(declaration.selector, fleet, declaration.document, self._problems)
            if self._problems.count == before:
                self._selected[key] = found
        return found

    def _declaration(self, outside: Envelope, fleet: Fleet | None) -> bool:
        """Keep what a document declares; False when it declares nothing that could be read."""
        if outside.kind == CHANGE_POLICY:
            return self._change_policy(outside, fleet)
        if outside.kind == CERTIFICATE:
            certificate = certificate_documents.read(outside, fleet, self._reads.of(_path(outside)), self._problems)
            if certificate is None:
                return False
            for cluster in certificate.clusters:
                self._certificates.setdefault(cluster.name, []).append(certificate)
            return True
        if outside.kind in FILE_KINDS:
            file = stored_files.read(outside, fleet, self._reads.of(_path(outside)), self._problems)
            if file is None:
                return False
            for cluster in file.clusters:
                self._files.setdefault(cluster.name, []).append(file)
            return True
        found = declaration.read(outside, self._problems)
        if found is None:
            return False
        sections = Sections(found, self._api, self._problems)
        good = sections.check()
        if good is not None:
            self._recall.judged(outside.document, good)
        self._keep((good.fixed if good is not None else None) or sections, fleet)
        return True

    def _change_policy(self, outside: Envelope, fleet: Fleet | None) -> bool:
        found = change_policies.read(outside, fleet, self._problems)
        for index, one in enumerate(found or ()):
            if one.id in self._classes:
                message = f"class {one.id} is named twice"
                self._problems.value(outside.document, ("spec", "rules", index, "id"), message, "give it another id")
            self._classes[one.id] = one
        return found is not None

    def _cluster(self, cluster: Cluster) -> dict[InstanceId, DesiredInstance]:
        """The instances of a cluster. What none of them changes, all of them share."""
        here = self._unique(self._sections.get(cluster.name, []), cluster)
        certificates = self._certificates.get(cluster.name, [])
        files = self._unique_files(self._files.get(cluster.name, []), cluster)
        names = _names(here, self._unique_certificates(certificates, cluster), {file.id for file in files})
        self._crosscheck.files(files, cluster, names)
        found: dict[InstanceId, DesiredInstance] = {}
        shared: tuple[Mapping[SectionId, Declared], Mapping[SectionId, DesiredSection]] | None = None
        shares = not (any(s.per_instance for s in here) or any(c.per_instance for c in certificates))
        shares = shares and not any(file.per_instance for file in files)
        held = Held({}, {})
        for instance in cluster.instances:
            scope = Scope(cluster, instance)
            if shared is None or not shares:
                held = self._held(certificates, files, scope)
                declared = self._declared(here, scope, held)
                shared = declared, {identity: one.section for identity, one in declared.items()}
            self._crosscheck.instance(cluster, shared[0], names)
            found[instance.id] = DesiredInstance(instance.id, shared[1], held.certificates, held.files)
        return found

    def _declared(self, here: list[OfDeclaration], scope: Scope, held: Held) -> dict[SectionId, Declared]:
        declared = {}
        for sections in here:
            one = sections.section(scope, held)
            if one is not None:
                declared[one.section.id] = one
        return declared

    def _held(self, certificates: list[CertificateDeclaration], files: list[FileDeclaration], scope: Scope) -> Held:
        """Certificates first, then authorities, then the lists that name both."""
        made = (certificate.certificate(scope, self._problems) for certificate in certificates)
        held: dict[str, DesiredCertificate] = {one.name: one for one in made if one is not None}
        paths = {FileStore.CERTIFICATES.placeholder + name: one.path for name, one in held.items()}
        found: dict[FileId, DesiredFile] = {}
        for file in sorted(files, key=lambda one: (one.id.kind is FileKind.CRT_LIST, one.id)):
            one = file.file(scope, paths, self._problems)
            if one is not None:
                found[one.id] = one
                if one.id.kind is FileKind.CA_FILE:
                    paths[one.id.kind.store.placeholder + one.id.name] = one.path
        return Held(held, found)

    def _unique(self, sections: list[OfDeclaration], cluster: Cluster) -> list[OfDeclaration]:
        """One declaration of each section, in the order of plans; the second one of a cluster is a problem."""
        first: dict[SectionId, OfDeclaration] = {}
        for one in sections:
            other = first.setdefault(one.declaration.id, one)
            if other is not one:
                self._twice(one.declaration.document, str(one.declaration.id), other.declaration.document, cluster)
        return [first[identity] for identity in sorted(first)]

    def _unique_files(self, files: list[FileDeclaration], cluster: Cluster) -> list[FileDeclaration]:
        first: dict[FileId, FileDeclaration] = {}
        for one in files:
            other = first.setdefault(one.id, one)
            if other is not one:
                self._twice(one.document, str(one.id), other.document, cluster)
        return [first[identity] for identity in sorted(first)]

    def _unique_certificates(self, certificates: list[CertificateDeclaration], cluster: Cluster) -> set[str]:
        first: dict[str, CertificateDeclaration] = {}
        for one in certificates:
            other = first.setdefault(one.name, one)
            if other is not one:
                self._twice(one.document, f"certificate {one.name}", other.document, cluster)
        return set(first)

    def _twice(self, document: Document, what: str, first: Document, cluster: Cluster) -> None:
        self._repeated.setdefault((id(document), id(first)), (document, what, first, []))[3].append(cluster.name)

    def _note_repeated(self) -> None:
        for document, what, first, clusters in self._repeated.values():
            where = first.position(("metadata", "name"))
            message = f"{what} is declared twice for {', '.join(clusters)}, first at {where}"
            hint = "rename one, or give them clusters that do not overlap"
            self._problems.value(document, ("metadata", "name"), message, hint)


def _path(outside: Envelope) -> str:
    return outside.document.start.file


def _names(sections: list[OfDeclaration], certificates: set[str], files: set[FileId]) -> dict[str, Collection[str]]:
    names: dict[str, set[str]] = {CERTIFICATE_WORD: certificates}
    for file in files:
        names.setdefault(file.kind.value, set()).add(file.name)
    for one in sections:
        names.setdefault(one.declaration.id.kind.value, set()).add(one.declaration.id.name)
    return {**names}


def _with_endpoints(proposed: Fleet, accepted: Fleet) -> Fleet:
    """`proposed`, but where instances are, and how to log in, is what was accepted."""
    known = {instance.id: instance for instance in accepted.instances()}

    def cluster(one: Cluster) -> Cluster:
        instances = (_with_endpoint(i, known[i.id]) for i in one.instances if i.id in known)
        return replace(one, instances=tuple(instances))

    return Fleet(
        name=accepted.name,
        clusters={name: cluster(one) for name, one in proposed.clusters.items()},
        management_networks=accepted.management_networks,
        limits=accepted.limits,
    )


def _with_endpoint(proposed: Instance, accepted: Instance) -> Instance:
    return replace(proposed, url=accepted.url, user=accepted.user, password=accepted.password, ca=accepted.ca)
