"""Stage: an instance becomes a `Live`, a consistent snapshot of what its Data Plane API says.

The requests, in this order: /info, one for each of the kinds of which there are many (`API_KINDS`), the list of
certificates, the raw text last. Sections of the other kinds are read from the raw text, as the API would read them: it
costs no request, and reading rings through the API breaks it. The snapshot counts only when every answer carried one
`Configuration-Version`; otherwise somebody wrote in between and everything is read again. The text inside says which
version the file holds: when that is lower, the instance is *phantom* (FACTS.md, "Validation and reloads"): the API
shows what neither the file holds nor the worker runs. Then the sections of the snapshot are those of the text, for that
is what runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import Raw, Sections, StoredCertificate
from haoam_sync.errors import ConflictError, InstanceError
from haoam_sync.haproxycfg import CodecError, ConfigFile, parse
from haoam_sync.haproxycfg.reading import sections_in
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import Json, JsonObject, digest_bytes
from haoam_sync.model.live import Live, LiveSection, Mark
from haoam_sync.model.section import API_KINDS, MANAGED_KINDS, SectionId, SectionKind

READS = 3
"""How often a torn read is tried before giving up."""


def read(client: Client, instance: InstanceId) -> Live:
    """A consistent snapshot; 3 requests and one for each of `API_KINDS`, unless somebody writes meanwhile.

    Raises:
        InstanceError: E_API_VERSION, E_NONSENSE and whatever `dataplane.failures` says.
        ConflictError: somebody wrote during each of three attempts.
    """
    before = client.requests
    info = client.info()
    for _ in range(READS):
        kinds = {kind: client.sections(kind) for kind in API_KINDS}
        certificates = client.certificates()
        raw = client.raw()
        version = _one_version(kinds, raw, instance)
        if version is None or (raw.file_version is not None and raw.file_version > version):
            continue
        file_version = version if raw.file_version is None else raw.file_version
        phantom = file_version < version
        return Live(
            id=instance,
            api=info.version,
            version=version,
            checksum=checksum_of(raw.text),
            text=raw.text,
            sections=_from_text(raw.text, info.version, instance)
            if phantom
            else _sorted([*_from_api(kinds), *_small(raw.text, info.version, instance)]),
            foreign_texts=_foreign(raw.text, instance),
            certificates=tuple(sorted(certificate.name for certificate in certificates)),
            certificate_dir=_directory(certificates, instance),
            phantom=phantom,
            file_version=file_version,
            requests=client.requests - before,
            warnings=(info.warning,) if info.warning else (),
        )
    raise ConflictError(
        f"the configuration changed during each of {READS} attempts to read it",
        where=str(instance),
        hint="wait until nobody else writes to the instance",
    )


def unchanged(client: Client, version: int, checksum: str) -> bool:
    """Whether the configuration still is the one with this version and checksum (`Live`), in one request.

    Version and checksum both: a raw write can keep the version, an edit on disk can bring an old one back.
    """
    raw = client.raw()
    return raw.version == version and raw.file_version in (None, version) and checksum_of(raw.text) == checksum


def checksum_of(text: str) -> str:
    """`Live.checksum` of a text."""
    return digest_bytes(text.encode())


def _one_version(kinds: Mapping[SectionKind, Sections], raw: Raw, instance: InstanceId) -> int | None:
    """The version that every answer carries; None when they differ."""
    if raw.version is None:
        raise InstanceError(
            "the raw configuration came without Configuration-Version",
            code="E_NONSENSE",
            where=str(instance),
            hint="check that nothing between here and the instance takes headers away",
        )
    versions = {found.version for found in kinds.values()} | {raw.version}
    return raw.version if len(versions) == 1 else None


def _from_api(kinds: Mapping[SectionKind, Sections]) -> Iterator[LiveSection]:
    return (_section(kind, body) for kind, sections in kinds.items() for body in sections.bodies)


def _small(text: str, api: ApiVersion, instance: InstanceId) -> Iterator[LiveSection]:
    """The sections of the kinds that are not read through the API."""
    try:
        for section in ConfigFile.parse(text):
            kind = section.kind
            if kind is not None and kind not in API_KINDS and section.name:
                yield _section(kind, parse(section.text, api, complete=True).body)
    except CodecError as error:
        raise _unreadable(error, instance) from error


def _sorted(found: Iterable[LiveSection]) -> Mapping[SectionId, LiveSection]:
    return {section.id: section for section in sorted(found, key=lambda section: section.id)}


def _from_text(text: str, api: ApiVersion, instance: InstanceId) -> Mapping[SectionId, LiveSection]:
    try:
        bodies = sections_in(text, api)
    except CodecError as error:
        raise _unreadable(error, instance) from error
    return _sorted(_section(identity.kind, body) for identity, body in bodies.items())


def _foreign(text: str, instance: InstanceId) -> tuple[str, ...]:
    """Headings of the sections that can not be owned."""
    try:
        sections = list(ConfigFile.parse(text))
    except CodecError as error:
        raise _unreadable(error, instance) from error
    headings = (
        f"{section.keyword} {section.name}".strip() for section in sections if section.kind not in MANAGED_KINDS
    )
    return tuple(sorted(headings))


def _unreadable(error: CodecError, instance: InstanceId) -> InstanceError:
    return InstanceError(
        f"haproxy.cfg cannot be read: {error.message}",
        code="E_NONSENSE",
        where=f"{instance}/{error.where}",
        hint=error.hint,
    )


def _section(kind: SectionKind, body: JsonObject) -> LiveSection:
    name = "" if kind is SectionKind.GLOBAL else str(body["name"])
    mark, rest = split_mark(body)
    return LiveSection(SectionId(kind, name), rest, mark)


def split_mark(body: JsonObject) -> tuple[Mark | None, JsonObject]:
    """Our mark, and the body without it. Metadata that is not ours stays, a mark of another shape included."""
    match body.get("metadata"):
        case {"haoam": {"file": str(file), "digest": str(digest)}, **others}:
            rest: dict[str, Json] = {key: value for key, value in body.items() if key != "metadata"}
            if others:
                rest["metadata"] = {str(key): cast("Json", value) for key, value in others.items()}
            return Mark(file, digest), rest
    return None, body


def _directory(certificates: tuple[StoredCertificate, ...], instance: InstanceId) -> str | None:
    directories = {certificate.directory for certificate in certificates}
    if len(directories) > 1:
        raise InstanceError("the certificates lie in several directories", code="E_NONSENSE", where=str(instance))
    return next(iter(directories), None)
