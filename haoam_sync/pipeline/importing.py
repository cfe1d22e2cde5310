"""`import` and `adopt`: what runs becomes documents, and proves that a plan for them changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from haoam_sync import desired, haproxycfg, importing, live
from haoam_sync import plan as plans
from haoam_sync.dataplane import connect
from haoam_sync.desired import file_references, references
from haoam_sync.desired.endpoint import EndpointError
from haoam_sync.desired.endpoint import check as endpoint_check
from haoam_sync.errors import HaoamError, InvalidDesiredError, UsageError
from haoam_sync.haproxycfg.file import ConfigFile
from haoam_sync.importing import Choice, Foreign, Reading, Tree
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.fleet import Instance, InstanceId
from haoam_sync.model.json import JsonObject
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.mark import Owner
from haoam_sync.model.plan import InstancePlan, Reason
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.stored import FilesAsked, FileStore
from haoam_sync.pipeline import connecting, import_files, import_stored
from haoam_sync.pipeline.import_files import Imported, Target
from haoam_sync.pipeline.opening import opened
from haoam_sync.settings import Settings

_FLEET = "haoam.yaml"
_FOLDER = "haproxy"
_FILES = FilesAsked(listed=frozenset({FileStore.GENERAL, FileStore.MAPS}))
_NOBODY = Owner("", "")
"""There is no repository yet; what is compared carries no marks."""
_SOMEWHERE = "http://127.0.0.1:5555/v3"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a configuration is read from, when it is not read from a file.

    Attributes:
        url: of the Data Plane API, `/v3` included.
        user: that logs in.
        password_env: variable of the environment that holds the password.
        ca: file of the authority that signs the API's certificate; None for the system's.
    """

    url: str
    user: str
    password_env: str
    ca: Path | None


def import_file(source: Path, api: ApiVersion, target: Target, choice: Choice) -> Imported:
    """Documents for a haproxy.cfg on disk.

    Args:
        source: the file.
        api: version of the Data Plane API that will stand in front of it.
        target: where they go.
        choice: what is asked for.

    Raises:
        CodecError: it is no haproxy.cfg.
        UsageError: it cannot be read, or something that is there already would be overwritten.
    """
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(f"{source} cannot be read: {why}", hint="give --file a haproxy.cfg") from error
    return _import(_from_text(text, api, InstanceId(target.cluster, target.instance)), target, choice, {})


def import_instance(endpoint: Endpoint, environment: Mapping[str, str], target: Target, choice: Choice) -> Imported:
    """Documents for an instance that runs, read through its Data Plane API, and haoam.yaml if there is none.

    Args:
        endpoint: of its API.
        environment: where the password is found.
        target: where they go.
        choice: what is asked for.

    Raises:
        InstanceError: it cannot be read.
        UsageError: E_URL, the API is not one that we talk to; there is no password; or something that is there already
            would be overwritten.
    """
    try:
        endpoint_check(endpoint.url, None)
    except EndpointError as error:
        raise UsageError(f"--url: {error.message}", code="E_URL", hint=error.hint) from error
    password = environment.get(endpoint.password_env)
    if password is None:
        raise UsageError(
            f"the environment has no variable {endpoint.password_env}",
            code="E_SECRET_MISSING",
            hint="put the password of the API's user into it, and run again",
        )
    ca = _ca(endpoint.ca)
    identity = InstanceId(target.cluster, target.instance)
    reference = SecretReference("env", endpoint.password_env)
    instance = Instance(identity, endpoint.url, endpoint.user, reference, ca, {}, Position("--url"))
    with connect(instance, password, Unrecorded()) as api:
        found = import_stored.with_contents(api, live.read(api, identity, _FILES))
    extra: dict[str, bytes] = {}
    uses: tuple[tuple[str, str, str], ...] = ()
    if not (target.directory / _FLEET).exists():
        ca_file = f"certs/{target.cluster}-ca.pem" if ca is not None else ""
        document = importing.fleet_document(
            target.cluster, target.instance, endpoint.url, endpoint.user, endpoint.password_env, ca_file
        )
        extra[_FLEET] = document.encode()
        if ca is not None:
            extra[ca_file] = ca
        uses = ((str(reference), "Fleet", "clusters.*.instances.*.password"),)
    done = _import(found, target, replace(choice, user=endpoint.user), extra)
    return replace(done, uses=(*uses, *done.uses))


def adopt(
    settings: Settings, instance: str, sections: Collection[SectionId], directory: Path, secrets: Path | None
) -> Imported:
    """Documents for named sections of an instance of the accepted fleet.

    Args:
        settings: the four places.
        instance: `CLUSTER/INSTANCE`.
        sections: to adopt.
        directory: the top of the desired-state repository's work tree, or its haproxy/ folder.
        secrets: as for an import.

    Raises:
        UsageError: there is no such instance or section; E_ADOPT, one of them cannot be owned.
        HaoamError: as for each stage.
    """
    with opened(settings) as here:
        fleet = here.fleet(here.accepted())
        known = {str(one.id): one for one in fleet.instances()}
        if instance not in known:
            raise UsageError(
                f"there is no instance {instance!r}", hint=f"the accepted fleet has {', '.join(sorted(known))}"
            )
        one = known[instance]
        with connecting.client(one, here.reveal, Unrecorded()) as api:
            found = live.read(api, one.id)
    file = ConfigFile.parse(haproxycfg.with_explicit_defaults(found.text))
    missing = [section for section in sections if file.find(section.kind, section.name) is None]
    if missing:
        there = sorted(str(one.id) for one in file if one.id is not None)
        raise UsageError(
            f"{instance} has no section {missing[0]}", code="E_NO_SECTION", hint=f"it has {', '.join(there)}"
        )
    _refuse_ours(sections, found, instance)
    root = directory.parent if directory.absolute().name == _FOLDER else directory
    target = Target(one.id.cluster, one.id.name, root, secrets)
    reading, tree = _prepared(found, target, Choice(only=frozenset(sections), user=one.user))
    if reading.foreign:
        worst = reading.foreign[0]
        raise UsageError(f"{worst.heading} cannot be adopted: {worst.reason}", code="E_ADOPT", where=instance)
    return import_files.write(reading, tree, target, {})


def _refuse_ours(sections: Collection[SectionId], found: Live, instance: str) -> None:
    for identity in sections:
        there = found.sections.get(identity)
        if there is not None and there.mark is not None:
            raise UsageError(
                f"{identity} is ours already, declared in {there.mark.file}",
                code="E_ADOPT",
                where=instance,
                hint="change that document, or look at `haoam-sync plan`",
            )


def _import(found: Live, target: Target, choice: Choice, extra: Mapping[str, bytes]) -> Imported:
    reading, tree = _prepared(found, target, choice, whole=True)
    marked = (one for one in found.sections.values() if one.mark is not None)
    warnings = [f"{one.id} is ours already, declared in {one.mark.file}" for one in marked if one.mark]
    if found.phantom:
        warnings.append(
            "the API shows what the file does not hold (phantom): the file was imported, for that is what runs"
        )
    warnings += _fleet_warnings(target, extra)
    return import_files.write(replace(reading, warnings=(*reading.warnings, *warnings)), tree, target, extra)


def _fleet_warnings(target: Target, extra: Mapping[str, bytes]) -> Iterable[str]:
    """What is wrong with haoam.yaml, written or there already, for what was imported."""
    place = target.directory / _FLEET
    if _FLEET in extra:
        blobs = extra
    elif place.exists():
        files = (file for file in target.directory.rglob("*") if file.is_file() and ".git" not in file.parts)
        blobs = {str(file.relative_to(target.directory)): file.read_bytes() for file in files}
    else:
        yield f"there is no {_FLEET} yet: a fleet with the cluster {target.cluster} has to be declared there"
        return
    try:
        clusters = desired.load_fleet(blobs).clusters
    except InvalidDesiredError as error:
        yield f"{_FLEET} has to be put right before anything can be planned: {error.message}"
        return
    if target.cluster not in clusters:
        yield f"{_FLEET} declares no cluster {target.cluster}: the documents are refused until it does"


def _from_text(text: str, api: ApiVersion, identity: InstanceId) -> Live:
    """What the Data Plane API would say of a file."""
    return Live(
        id=identity,
        api=api,
        version=1,
        checksum=live.checksum_of(text),
        text=text,
        sections={},
        foreign_texts=(),
        certificates=(),
        certificate_dir=None,
        phantom=False,
        file_version=1,
        requests=0,
    )


def _prepared(found: Live, target: Target, choice: Choice, *, whole: bool = False) -> tuple[Reading, Tree]:
    """Read, and leave out what does not hold, until the rest loads and plans to nothing; with files when `whole`."""
    reading = importing.read(found.text, found.api, choice)
    bodies = {one.id: one.body for one in reading.candidates}
    stored: tuple[importing.StoredDocument, ...] = ()
    if whole:
        if found.files:
            taken = import_stored.take(reading, found)
            reading, stored, said = taken.reading, taken.documents, taken.warnings
        else:
            said = import_stored.left(reading)
        reading = replace(reading, warnings=(*reading.warnings, *said))
    declared = tuple(str(one.id) for one in stored)
    scheme = "file" if target.secrets is not None and target.secrets.is_dir() else "env"
    while True:
        tree = importing.tree(reading.candidates, target.cluster, _references, secrets=scheme, declared=declared)
        tree = replace(tree, files={**importing.stored_files(stored, target.cluster), **tree.files})
        refused = _refused(reading, tree, target, found)
        if not refused:
            break
        left = tuple(one for one in reading.candidates if one.id not in refused)
        gone = tuple(Foreign(_heading(identity), reason) for identity, reason in sorted(refused.items()))
        reading = replace(reading, candidates=left, foreign=(*reading.foreign, *gone))
    _keep_defaults(found, reading, bodies)
    return reading, tree


def _heading(identity: SectionId) -> str:
    return f"{identity.kind.value} {identity.name}".strip()


def _references(kind: SectionKind, body: JsonObject) -> Iterable[str]:
    for section in references.sections(kind, body):
        yield f"{section.kind.value}/{section.name}"
    for _, name in references.certificates(body):
        yield f"certificate/{name}"
    for name in file_references.crt_loads(body):
        yield f"certificate/{name}"
    for found in file_references.files(body):
        yield f"{found.kind.value}/{found.name}"


def _refused(reading: Reading, tree: Tree, target: Target, found: Live) -> Mapping[SectionId, str]:
    """Sections whose documents do not load, or whose plan is not empty, each with the reason."""
    places = {path: identity for identity, path in tree.places.items()}
    fleet = importing.fleet_document(target.cluster, target.instance, _SOMEWHERE, "admin", "PASSWORD", "")
    blobs = {**tree.files, _FLEET: fleet.encode()}
    try:
        wanted = desired.load("import", blobs, _revealing(tree))
    except InvalidDesiredError as error:
        problems = {places[one.file]: f"{one.message}" for one in reversed(error.problems) if one.file in places}
        if not problems:  # of haoam.yaml, which holds nothing but the names given
            raise UsageError(
                error.problems[0].message, hint="give --cluster and --instance names that a fleet can have"
            ) from error
        return problems
    identity = InstanceId(target.cluster, target.instance)
    planned = plans.compute_instance(wanted.instances[identity], _as_after_first_write(reading, found), None, _NOBODY)
    if planned.files:
        raise HaoamError(
            f"{planned.files[0]} would be written",
            code="E_ADOPT",
            where=str(identity),
            hint="this is a defect of haoam-sync: nothing was written; report it with the haproxy.cfg",
        )
    return dict(_changed(planned))


def _revealing(tree: Tree) -> Callable[[SecretUse], str]:
    return lambda use: tree.secrets.get(str(use.reference), "unused")


def _as_after_first_write(reading: Reading, found: Live) -> Live:
    """What the API says of the sections once every proxy has its `from`. The text plays no part in it."""
    return replace(
        found,
        text="",
        sections={section.id: section for section in _sections(reading, found)},
        certificate_dir=None,
    )


def _sections(reading: Reading, found: Live) -> Iterable[LiveSection]:
    for section in ConfigFile.parse(reading.text):
        identity = section.id
        if identity is None:
            continue
        body = haproxycfg.parse(section.text, found.api).body
        told = found.sections.get(identity)
        if told is not None:
            body = {**told.body, **({"from": body["from"]} if "from" in body else {})}
        yield LiveSection(identity, body)


def _changed(planned: InstancePlan) -> Iterable[tuple[SectionId, str]]:
    for change in planned.changes:
        if change.reason is not Reason.ADOPT or change.fields:
            fields = ", ".join(field.path for field in change.fields)
            yield change.section, f"the instance reads it back otherwise: {fields or change.reason.value}"


def _keep_defaults(found: Live, reading: Reading, bodies: Mapping[SectionId, JsonObject]) -> None:
    """Prove that every proxy keeps its effective defaults through the first write.

    Args:
        found: the instance.
        reading: of it.
        bodies: of its sections, files by their paths as the instance has them.

    Raises:
        HaoamError: E_ADOPT, one does not.
    """
    if ConfigFile.parse(found.text).holds_conditionals:
        return  # nothing is written to such an instance
    after = ConfigFile.parse(haproxycfg.normal_form(reading.text, found.api))
    for candidate in reading.candidates:
        after.replace(
            candidate.id.kind, candidate.id.name, haproxycfg.render(candidate.id.kind, bodies[candidate.id], found.api)
        )
    moved = importing.moved_defaults(found.text, after.text(), found.api)
    if moved:
        raise HaoamError(
            f"{', '.join(moved)} would get other defaults than now",
            code="E_ADOPT",
            where=str(found.id),
            hint="this is a defect of haoam-sync: nothing was written; report it with the haproxy.cfg",
        )


def _ca(place: Path | None) -> bytes | None:
    if place is None:
        return None
    try:
        return place.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the authority {place} cannot be read: {error.strerror}", hint="give --ca a PEM file"
        ) from error
