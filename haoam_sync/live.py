"""Stage: an instance becomes a `Live`, a consistent snapshot of what its Data Plane API says.

The requests, in this order: /info, one for each of the kinds of which there are many (`API_KINDS`), the list of
certificates, the files that were asked for, the raw text last. Sections of the other kinds are read from the raw
text, as the API would read them: it costs no request, and reading rings through the API breaks it. The snapshot
counts only when every answer carried one `Configuration-Version`; otherwise somebody wrote in between and everything
is read again. The text inside says which version the file holds: when that is lower, the instance is *phantom*
(FACTS.md, "Validation and reloads"): the API shows what neither the file holds nor the worker runs. Then the sections
of the snapshot are those of the text, for that is what runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import cast

from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import Raw, Sections, StoredCertificate, StoredFile
from haoam_sync.errors import ConflictError, InstanceError, MissingObjectError
from haoam_sync.haproxycfg import CodecError, ConfigFile, parse
from haoam_sync.haproxycfg.reading import sections_in
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import Json, JsonObject, digest_bytes
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.mark import Mark
from haoam_sync.model.section import API_KINDS, MANAGED_KINDS, SectionId, SectionKind
from haoam_sync.model.stored import NO_FILES, CertificateFacts, FilesAsked, FileStore, StoredFiles, crt_lists

FEW = 40
"""So many sections are asked for by name at most."""

READS = 3
"""How often a torn read is tried before giving up."""


def read(client: Client, instance: InstanceId, asked: FilesAsked = NO_FILES) -> Live:
    """A consistent snapshot; 3 requests and one for each of `API_KINDS`, unless somebody writes meanwhile.

    And one for each further storage in which something is `asked` for, and each file of it that is there.

    Raises:
        InstanceError: E_API_VERSION, E_NONSENSE and whatever `dataplane.failures` says.
        ConflictError: somebody wrote during each of three attempts.
    """
    before = client.requests
    info = client.info()
    for _ in range(READS):
        kinds = {kind: client.sections(kind) for kind in API_KINDS}
        certificates = client.certificates()
        files, facts = _files(client, asked, instance), _facts(client, asked, certificates)
        raw = client.raw()
        files = _with_lists(client, asked, files, raw.text)
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
            files=files,
            certificate_facts=facts,
        )
    raise ConflictError(
        f"the configuration changed during each of {READS} attempts to read it",
        where=str(instance),
        hint="wait until nobody else writes to the instance",
    )


class Reader:
    """Reads instances that were read before: only what is not as it was then is asked for again.

    A section whose lines are the same reads the same, so its body is the one of the snapshot before. Those whose lines
    changed are asked for by name while they are few. Of many, the lines say what they are, as they do to the API, which
    is asked for some of them by name, evenly spread: it must show the same, at the same version. Everything else (a
    phantom, two sections of one name, a section that reads otherwise, somebody writing in between) is read in full.

    Args:
        snapshots: the newest ones known.
        asked: what is to be read of each instance's files.
    """

    def __init__(
        self, snapshots: Mapping[InstanceId, Live], asked: Mapping[InstanceId, FilesAsked] | None = None
    ) -> None:
        self._newest = dict(snapshots)
        self._asked = asked or {}

    def __call__(self, client: Client, instance: InstanceId) -> Live:
        """A consistent snapshot; see `read`."""
        earlier = self._newest.get(instance)
        asked = self._asked.get(instance, NO_FILES)
        found = _read_again(client, earlier, asked) if earlier is not None else None
        self._newest[instance] = found if found is not None else read(client, instance, asked)
        return self._newest[instance]


def _read_again(client: Client, earlier: Live, asked: FilesAsked) -> Live | None:
    """What changed since; None when that does not do."""
    before, instance = client.requests, earlier.id
    raw = client.raw()
    if earlier.phantom or raw.version is None or raw.file_version not in (None, raw.version):
        return None
    sections: Mapping[SectionId, LiveSection] | None = earlier.sections
    foreign = earlier.foreign_texts
    if raw.text != earlier.text:
        sections = _changed_sections(client, earlier, raw)
        foreign = _foreign(raw.text, instance)
    if sections is None:
        return None
    certificates = client.certificates()
    return replace(
        earlier,
        version=raw.version,
        checksum=checksum_of(raw.text),
        text=raw.text,
        sections=sections,
        foreign_texts=foreign,
        certificates=tuple(sorted(certificate.name for certificate in certificates)),
        certificate_dir=_directory(certificates, instance),
        file_version=raw.version,
        files=_with_lists(client, asked, _files(client, asked, instance), raw.text),
        certificate_facts=_facts(client, asked, certificates),
        requests=client.requests - before,
    )


def _changed_sections(client: Client, earlier: Live, raw: Raw) -> Mapping[SectionId, LiveSection] | None:
    """The sections of `raw`, those asked for again whose lines are not as they were."""
    then, now = _texts(earlier.text, earlier.id), _texts(raw.text, earlier.id)
    if then is None or now is None or then.keys() != earlier.sections.keys():
        return None
    others = sorted(section for section, text in now.items() if then.get(section) != text)
    if any(section.kind not in API_KINDS for section in others):
        return None
    sections = {section: earlier.sections[section] for section in now if section in then}
    asked = others if len(others) <= FEW else [others[place * len(others) // FEW] for place in range(FEW)]
    if len(others) > FEW:
        for section in others:
            sections[section] = _section(section.kind, parse(now[section], earlier.api).body)
    for section in asked:
        try:
            found = client.section(section)
        except MissingObjectError:
            return None
        if found.version != raw.version or len(found.bodies) != 1:
            return None
        shown = _section(section.kind, found.bodies[0])
        if len(others) > FEW and shown != sections[section]:
            return None
        sections[section] = shown
    return _sorted(sections.values())


def _texts(text: str, instance: InstanceId) -> Mapping[SectionId, str] | None:
    """The lines of each section that can be owned; None when two have one name, or one has none."""
    try:
        sections = [section for section in ConfigFile.parse(text) if section.kind in MANAGED_KINDS]
    except CodecError as error:
        raise _unreadable(error, instance) from error
    texts = {section.id: section.text for section in sections if section.id is not None}
    named = all(section.name or section.kind is SectionKind.GLOBAL for section in sections)
    return texts if named and len(texts) == len(sections) else None


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
    """The mark of ownership, ours or another's, and the body without it. Other metadata stays, and what is no mark."""
    match body.get("metadata"):
        case {"haoam": value, **others} if (mark := Mark.parse(value)) is not None:
            rest: dict[str, Json] = {key: value for key, value in body.items() if key != "metadata"}
            if others:
                rest["metadata"] = {str(key): cast("Json", value) for key, value in others.items()}
            return mark, rest
    return None, body


def _files(client: Client, asked: FilesAsked, instance: InstanceId) -> Mapping[FileStore, StoredFiles]:
    """The storages in which something is asked for, with the contents of those files that are there."""
    found: dict[FileStore, StoredFiles] = {}
    for store, wanted in ((FileStore.GENERAL, asked.general), (FileStore.MAPS, asked.maps)):
        if not wanted and store not in asked.listed:
            continue
        files = client.files(store)
        contents = {}
        for name in sorted(wanted & {file.name for file in files}):
            with contextlib.suppress(MissingObjectError):
                contents[name] = client.content(store, name, secret=name in asked.secret)
        found[store] = StoredFiles(tuple(sorted(f.name for f in files)), _directory(files, instance), contents)
    return found


def _with_lists(
    client: Client, asked: FilesAsked, files: Mapping[FileStore, StoredFiles], text: str
) -> Mapping[FileStore, StoredFiles]:
    """`files` with the contents of the crt-lists that the configuration names, as far as the API has them."""
    general = files.get(FileStore.GENERAL)
    if not asked.lists or general is None:
        return files
    named, _ = crt_lists(text, general.directory)
    contents = dict(general.contents)
    for name in named:
        if name in general.names and name not in contents:
            with contextlib.suppress(MissingObjectError):
                contents[name] = client.content(FileStore.GENERAL, name)
    return {**files, FileStore.GENERAL: replace(general, contents=contents)}


def _facts(
    client: Client, asked: FilesAsked, certificates: tuple[StoredCertificate, ...]
) -> Mapping[str, CertificateFacts]:
    found = {}
    for name in sorted(asked.certificates & {certificate.name for certificate in certificates}):
        with contextlib.suppress(MissingObjectError):
            facts = client.certificate(name).facts
            if facts is not None:
                found[name] = facts
    return found


def _directory(certificates: tuple[StoredCertificate | StoredFile, ...], instance: InstanceId) -> str | None:
    directories = {certificate.directory for certificate in certificates}
    if len(directories) > 1:
        raise InstanceError(
            "the files of one storage lie in several directories", code="E_NONSENSE", where=str(instance)
        )
    return next(iter(directories), None)
