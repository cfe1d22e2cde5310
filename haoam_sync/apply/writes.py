"""The requests that change an instance: repair, files, normal form, sections. Steps I5 to I8."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from haoam_sync import haproxycfg
from haoam_sync.apply import bulk
from haoam_sync.apply.progress import Progress
from haoam_sync.apply.tools import Tools
from haoam_sync.apply.uploads import upload
from haoam_sync.apply.writer import Writer, actions, choose
from haoam_sync.dataplane import Client, Transaction
from haoam_sync.dataplane.answers import Raw
from haoam_sync.errors import ConflictError, HaoamError, OverLimitError
from haoam_sync.haproxycfg import not_kept
from haoam_sync.haproxycfg.inheritance import parents_first
from haoam_sync.model.json import JsonObject
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, Change, InstancePlan
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.stored import FileStore, in_directories, names_directory


def write_all(client: Client, plan: InstancePlan, live: Live, progress: Progress, tools: Tools) -> None:
    """I5 to I8: everything the plan says, except deleting files.

    Raises:
        ConflictError: somebody else wrote since `live` was read; what was done so far is in `progress`.
        InstanceError: the instance refuses, or cannot be reached any more.
    """
    version = live.version
    if plan.normal_form is not None and not plan.repair:
        _refuse_losses(client, plan.normal_form, live, tools)
    if plan.repair:
        version = _write_text(client, live.text, version, progress)
        progress.repaired = True
    directories = upload(client, plan, live, progress, tools.journal)
    bodies = {
        change.section: haproxycfg.sendable(_body(change, directories, client))
        for change in plan.changes
        if change.body is not None
    }
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


def _refuse_losses(client: Client, normal: str, live: Live, tools: Tools) -> None:
    """Before the first write: what the server itself would make of the file, and whether HAProxy takes that.

    A transaction in which nothing is written shows it, and is deleted. So no version is made, and nothing reloads.

    Raises:
        OverLimitError: E_UNWRITABLE, lines would be lost whatever is written.
        InstanceError: HAProxy refuses the file as the server would write it.
    """
    opened: Transaction | None = None
    try:
        with ExitStack() as stack:
            with tools.interrupts.held():
                opened = stack.enter_context(client.transaction(live.version))
                tools.journal.opened(client.id, opened.id)
            preview = opened.preview()
    finally:
        if opened is not None and opened.closed:
            tools.journal.closed(client.id, opened.id)
    gone = not_kept(normal, preview, live.api)
    if gone:
        raise OverLimitError(
            "; ".join(f"{one.heading}: {one.reason}" for one in gone),
            code="E_UNWRITABLE",
            where=str(client.id),
            hint="on the instance, before anything is applied to it: put these lines right; nothing was written",
        )
    client.validate_raw(preview, version=live.version)


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


def _body(change: Change, directories: Mapping[FileStore, str], client: Client) -> JsonObject:
    body = in_directories(change.body or {}, directories)
    if body is not change.body and names_directory(body):
        raise HaoamError(
            f"{change.section} names a file, and the instance does not tell where it keeps such files",
            code="E_NONSENSE",
            where=str(client.id),
        )
    return body


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


def _in_order(changes: Sequence[Change], bodies: Mapping[SectionId, JsonObject]) -> list[Change]:
    """Each `defaults` behind the one that it is made from: a server refuses one that is made from nothing it has."""
    mine = {
        change.section.name: change
        for change in changes
        if change.section.kind is SectionKind.DEFAULTS and change.action is not Action.DELETE
    }
    sources = {name: str(bodies[change.section].get("from", "")) for name, change in mine.items()}
    ordered = iter([mine[name] for name in parents_first(list(mine), sources)])
    return [next(ordered) if mine.get(change.section.name) is change else change for change in changes]


def _write_changes(transaction: Transaction, plan: InstancePlan, bodies: Mapping[SectionId, JsonObject]) -> None:
    for change in _in_order(plan.changes, bodies):
        match change.action:
            case Action.CREATE:
                transaction.create(change.section, bodies[change.section])
            case Action.UPDATE:
                transaction.replace(change.section, bodies[change.section])
            case Action.DELETE:
                transaction.delete(change.section)
