"""The requests that change an instance: repair, certificates, normal form, sections. Steps I5 to I8 and I10."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

from cryptography import x509

from haoam_sync.apply import bulk
from haoam_sync.apply.bodies import in_directory, names_directory
from haoam_sync.apply.progress import Progress
from haoam_sync.apply.tools import Tools
from haoam_sync.apply.writer import Writer, actions, choose
from haoam_sync.dataplane import Client, Transaction
from haoam_sync.dataplane.answers import Raw, StoredCertificate
from haoam_sync.errors import ConflictError, HaoamError, RefusedError
from haoam_sync.model.json import JsonObject
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, CertificateChange, Change, InstancePlan
from haoam_sync.model.section import SectionId


def write_all(client: Client, plan: InstancePlan, live: Live, progress: Progress, tools: Tools) -> None:
    """I5 to I8: everything the plan says, except deleting certificates.

    Raises:
        ConflictError: somebody else wrote since `live` was read; what was done so far is in `progress`.
        InstanceError: the instance refuses, or cannot be reached any more.
    """
    version = live.version
    if plan.repair:
        version = _write_text(client, live.text, version, progress)
        progress.repaired = True
    directory = _upload(client, plan.certificates, progress) or live.certificate_dir
    bodies = {change.section: _body(change, directory, client) for change in plan.changes if change.body is not None}
    writer = choose(plan, live) if plan.changes else None
    normal = plan.normal_form
    if writer is Writer.BULK:
        text = bulk.text_of(normal if normal is not None else live.text, plan.changes, bodies, live.api)
        client.validate_raw(text, version=version)
        progress.committing = True
        try:
            _write_text(client, text, version, progress)
        except ConflictError:
            progress.committing = False
            raise
        return
    if normal is not None:
        version = _write_text(client, normal, version, progress)
        progress.normalised = True
    if writer is Writer.DIRECT:
        _at_run_time(client, plan, live, bulk.text_of(live.text, plan.changes, bodies, live.api), progress)
    elif writer is Writer.TRANSACTION:
        _transaction(client, version, progress, tools, lambda transaction: _write_changes(transaction, plan, bodies))


def _at_run_time(client: Client, plan: InstancePlan, live: Live, text: str, progress: Progress) -> None:
    """The file and, by the same request, the worker. One version, and nothing of it when somebody else was first."""
    was = progress.writing
    progress.writing = progress.committing = True
    try:
        client.write_raw_at_run_time(text, version=live.version, actions=actions(plan, live))
    except ConflictError:
        progress.writing, progress.committing = was, False
        raise


def _write_text(client: Client, text: str, version: int, progress: Progress) -> int:
    """Replace the whole text; the version that this made."""
    was = progress.writing
    progress.writing = True
    try:
        raw: Raw = client.write_raw(text, version=version)
    except ConflictError:
        progress.writing = was
        raise
    progress.reloaded = True
    written = raw.file_version if raw.file_version is not None else raw.version
    return written if written is not None else client.version()


def _upload(client: Client, changes: tuple[CertificateChange, ...], progress: Progress) -> str | None:
    """Store the new certificates; the directory they lie in, None when nothing told."""
    directory = None
    for change in changes:
        if change.action is not Action.CREATE:
            continue
        if change.name in progress.uploaded:
            directory = client.certificate(change.name).directory
            continue
        if change.content is None:
            raise HaoamError(f"the content of certificate {change.name} is not resolved", where=str(client.id))
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
        directory = stored.directory
    return directory


def _require_same(stored: StoredCertificate, content: bytes, client: Client) -> None:
    """Content cannot be read back: size, serial and end are what the instance tells."""
    certificate = x509.load_pem_x509_certificates(content)[0]
    same = stored.serial == str(certificate.serial_number) and stored.size in (None, len(content))
    if stored.not_after:
        same = same and _moment(stored.not_after) == certificate.not_valid_after_utc
    if not same:
        raise RefusedError(
            f"another file is stored under the name {stored.name}, which is made of the content of ours",
            where=str(client.id),
            hint="find out who stored it, and delete it when nothing uses it",
        )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
    except ValueError:
        return None


def _body(change: Change, directory: str | None, client: Client) -> JsonObject:
    body = change.body or {}
    if not names_directory(body):
        return body
    if directory is None:
        raise HaoamError(
            f"{change.section} names a certificate, and the instance does not tell where it keeps certificates",
            code="E_NONSENSE",
            where=str(client.id),
        )
    return in_directory(body, directory)


def _transaction(
    client: Client, version: int, progress: Progress, tools: Tools, write: Callable[[Transaction], None]
) -> None:
    """Open, note, write, commit; whatever happens, the transaction is gone afterwards or the journal knows of it."""
    opened: Transaction | None = None
    try:
        with ExitStack() as stack:
            with tools.interrupts.held():
                opened = stack.enter_context(client.transaction(version))
                tools.journal.opened(client.id, opened.id)
            write(opened)
            was = progress.writing
            progress.writing = progress.committing = True
            try:
                opened.commit()
            except ConflictError:
                progress.writing, progress.committing = was, False
                raise
            progress.reloaded = True
    finally:
        if opened is not None and opened.closed:
            tools.journal.closed(client.id, opened.id)


def _write_changes(transaction: Transaction, plan: InstancePlan, bodies: Mapping[SectionId, JsonObject]) -> None:
    for change in plan.changes:
        match change.action:
            case Action.CREATE:
                transaction.create(change.section, bodies[change.section])
            case Action.UPDATE:
                transaction.replace(change.section, bodies[change.section])
            case Action.DELETE:
                transaction.delete(change.section)


def delete_unused(client: Client, plan: InstancePlan, live: Live) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """I10: certificates deleted, and notes about those that could not be.

    The apply stands without it: what is left over is found by the next plan.
    """
    deleted, notes = [], []
    for change in plan.certificates:
        if change.action is not Action.DELETE:
            continue
        if change.name in live.text:
            notes.append(f"certificate {change.name} is still named in the configuration, and was kept")
            continue
        try:
            if client.delete_certificate(change.name):
                deleted.append(change.name)
        except HaoamError as error:
            notes.append(f"certificate {change.name} could not be deleted: {error.message}")
    return tuple(deleted), tuple(notes)
