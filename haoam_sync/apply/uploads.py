"""Files on an instance: those that are new before everything else, those that are not used any more at the end."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography import x509

from haoam_sync.apply.journal import Journal
from haoam_sync.apply.progress import Progress
from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import StoredCertificate
from haoam_sync.errors import ConflictError, HaoamError, InstanceError, RefusedError
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, CertificateChange, FileUpload, InstancePlan
from haoam_sync.model.stored import (
    CertificateFacts,
    FileKind,
    FileStore,
    StoredFiles,
    crt_lists,
    names_directory,
    text_in_directories,
)


def upload(
    client: Client, plan: InstancePlan, live: Live, progress: Progress, journal: Journal
) -> Mapping[FileStore, str]:
    """I6: store what is new, and repair what does not hold what its name says; the directories that are known then.

    The journal has what is about to be stored, since a kill leaves files that nobody else knows to be ours; and only
    that, since what somebody else has stored meanwhile is not ours, and must not be taken for it later.

    Raises:
        RefusedError: another file is stored under a name that is made of the content of ours.
        InstanceError: the instance refuses, or cannot be reached any more.
    """
    directories = dict(live.directories)
    new = _new(plan)
    if new:
        journal.storing(plan.id, new)
    try:
        _store(client, plan, live, directories, progress)
    finally:
        journal.not_stored(plan.id, new - set(stored_names(progress)))
    return directories


def stored_names(progress: Progress) -> tuple[str, ...]:
    """`STORAGE/NAME` of what is, or may be, there by our doing."""
    return (
        *(f"{FileStore.CERTIFICATES}/{name}" for name in progress.uploaded),
        *(f"{store}/{name}" for store, name in progress.files),
    )


def _new(plan: InstancePlan) -> frozenset[str]:
    certificates = {f"{FileStore.CERTIFICATES}/{c.name}" for c in plan.certificates if c.action is Action.CREATE}
    return frozenset(certificates | {f"{f.store}/{f.name}" for f in plan.files if f.action is Action.CREATE})


def _store(
    client: Client, plan: InstancePlan, live: Live, directories: dict[FileStore, str], progress: Progress
) -> None:
    for certificate in plan.certificates:
        if certificate.action is not Action.DELETE:
            directory = _certificate(client, certificate, progress)
            _require_one_place(FileStore.CERTIFICATES, directory, directories, client)
            directories[FileStore.CERTIFICATES] = directory
    # a crt-list names files of the others, so it comes last
    for file in sorted(plan.files, key=lambda one: one.file is not None and one.file.kind is FileKind.CRT_LIST):
        if file.action is not Action.DELETE:
            there = live.files.get(file.store, StoredFiles()).names
            _file(client, file, directories, progress, there)


def _certificate(client: Client, change: CertificateChange, progress: Progress) -> str:
    """Store a certificate; the directory it lies in."""
    if change.name in progress.uploaded:
        return client.certificate(change.name).directory
    if change.content is None:
        raise HaoamError(f"the content of certificate {change.name} is not resolved", where=str(client.id))
    if change.action is Action.UPDATE:
        progress.writing = True
        client.repair_file(FileStore.CERTIFICATES, change.name, change.content)
        progress.reloaded = True
        stored = client.certificate(change.name)
        _require_same(stored, change.content, client)
        return stored.directory
    was = progress.writing
    progress.writing = True
    progress.uploaded.append(change.name)  # before the answer: it may be lost, and the file there all the same
    try:
        stored = client.upload_certificate(change.name, change.content)
    except ConflictError:
        # Names are made of the content, so one that is there already is the same file: unless somebody lied.
        progress.writing = was
        progress.uploaded.remove(change.name)
        stored = client.certificate(change.name)
        _require_same(stored, change.content, client)
    if stored.name != change.name:
        raise RefusedError(
            f"the instance stored certificate {change.name} under another name, {stored.name}",
            where=str(client.id),
            code="E_NONSENSE",
        )
    return stored.directory


def _require_same(stored: StoredCertificate, content: bytes, client: Client) -> None:
    """Content cannot be read back: size, serial and end are what the instance tells."""
    first = x509.load_pem_x509_certificates(content)[0]
    wanted = CertificateFacts(str(first.serial_number), f"{first.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}", len(content))
    if stored.facts is None or stored.facts.contradicts(wanted):
        raise _another(stored.name, client)


def _file(
    client: Client,
    change: FileUpload,
    directories: dict[FileStore, str],
    progress: Progress,
    there: tuple[str, ...],
) -> None:
    """Store or repair another file; `there` is what lay beside it before."""
    if (change.store, change.name) in progress.files:
        return
    if change.content is None:
        raise HaoamError(f"the content of {change} is not resolved", where=str(client.id))
    text = text_in_directories(change.content.decode(), directories)
    if names_directory(text):
        raise InstanceError(
            f"{change} names a file, and the instance does not tell where it keeps such files",
            code="E_NONSENSE",
            where=str(client.id),
        )
    content = text.encode()
    if change.action is Action.UPDATE:
        progress.writing = True
        client.repair_file(change.store, change.name, content, secret=change.secret)
        progress.reloaded = True
        return
    was = progress.writing
    progress.writing = True
    progress.files.append((change.store, change.name))
    try:
        stored = client.upload_file(change.store, change.name, content, secret=change.secret)
    except ConflictError as error:
        progress.writing = was
        progress.files.remove((change.store, change.name))
        if client.content(change.store, change.name) != content:
            raise _another(change.name, client) from error
        if change.store in directories:
            return
        stored = next(one for one in client.files(change.store) if one.name == change.name)
    if stored.name != change.name:
        if stored.name not in there:  # one that was there before is somebody else's, whatever the answer says
            progress.files.append((change.store, stored.name))
        raise RefusedError(
            f"the instance stored {change} under another name, {stored.name}", where=str(client.id), code="E_NONSENSE"
        )
    _require_one_place(change.store, stored.directory, directories, client)
    directories[change.store] = stored.directory


def _require_one_place(store: FileStore, directory: str, directories: Mapping[FileStore, str], client: Client) -> None:
    """Sections name files by their directory: an instance that tells another one than before is not believed."""
    if directories.get(store, directory) != directory:
        raise InstanceError(
            "the files of one storage lie in several directories", code="E_NONSENSE", where=str(client.id)
        )


def _another(name: str, client: Client) -> RefusedError:
    return RefusedError(
        f"another file is stored under the name {name}, which is made of the content of ours",
        code="E_FILE_TAKEN",
        where=str(client.id),
        hint="find out who stored it, and delete it when nothing uses it",
    )


def delete_unused(client: Client, plan: InstancePlan, live: Live) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """I10: files deleted, and notes about those that could not be.

    The apply stands without it: what is left over is found by the next plan.
    """
    deleted: list[str] = []
    notes: list[str] = []
    for file in plan.files:
        if file.action is Action.DELETE:
            _delete(client, file.store, file.name, str(file), live, deleted, notes)
    for change in plan.certificates:
        if change.action is Action.DELETE:
            shown = f"certificate/{change.name}"
            _delete(client, FileStore.CERTIFICATES, change.name, shown, live, deleted, notes)
    return tuple(deleted), tuple(notes)


def delete_stored(client: Client, plan: InstancePlan, progress: Progress, journal: Journal) -> None:
    """Take back what `upload` stored; what cannot be taken back is noted, and stays in the journal."""
    gone = set(stored_names(progress))
    for name in progress.uploaded:
        try:
            client.delete_certificate(name)
        except HaoamError as error:
            gone.discard(f"{FileStore.CERTIFICATES}/{name}")
            progress.notes.append(f"certificate {name} is left over: {error.message}")
    for store, name in reversed(progress.files):
        try:
            client.delete_file(store, name)
        except HaoamError as error:
            gone.discard(f"{store}/{name}")
            progress.notes.append(f"{store}/{name} is left over: {error.message}")
    journal.not_stored(plan.id, gone)


def _in_a_list(name: str, live: Live) -> bool:
    """Whether a crt-list that the configuration names has the file: that, the server does not see."""
    general = live.files.get(FileStore.GENERAL, StoredFiles())
    lists, _ = crt_lists(live.text, general.directory)
    return any(name.encode() in general.contents.get(one, b"") for one in lists)


def _delete(
    client: Client, store: FileStore, name: str, shown: str, live: Live, deleted: list[str], notes: list[str]
) -> None:
    if name in live.text or _in_a_list(name, live):
        notes.append(f"{shown.replace('/', ' ', 1)} is still named in the configuration, and was kept")
        return
    try:
        there = client.delete_certificate(name) if store is FileStore.CERTIFICATES else client.delete_file(store, name)
        if there:
            deleted.append(shown)
    except HaoamError as error:
        notes.append(f"{shown.replace('/', ' ', 1)} could not be deleted: {error.message}")
