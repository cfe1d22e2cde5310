"""What is asked, remembered and noticed of the files beside the configuration of an instance."""

from __future__ import annotations

from collections.abc import Collection

from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.outcome import InstanceOutcome, Result
from haoam_sync.model.plan import Action, InstancePlan
from haoam_sync.model.stored import FilesAsked, FileStore

_CERTIFICATE = "certificate/"


def asked(wanted: DesiredInstance | None, applied: DesiredInstance | None, files: Collection[str] | None) -> FilesAsked:
    """What a snapshot is to say of the files of an instance.

    Args:
        wanted: of it.
        applied: what the commit applied last wanted of it.
        files: `Seen.files`.
    """
    contents: dict[FileStore, set[str]] = {FileStore.GENERAL: set(), FileStore.MAPS: set()}
    listed = {store for store in contents for name in files or () if name.startswith(f"{store}/")}
    for one in applied.files.values() if applied is not None else ():
        listed.add(one.id.kind.store)
    for one in wanted.files.values() if wanted is not None else ():
        contents[one.id.kind.store].add(one.storage_name)
    certificates = wanted.certificates.values() if wanted is not None else ()
    return FilesAsked(
        certificates=frozenset(one.storage_name for one in certificates),
        general=frozenset(contents[FileStore.GENERAL]),
        maps=frozenset(contents[FileStore.MAPS]),
        listed=frozenset(listed),
    )


def uploaded(files: Collection[str] | None) -> frozenset[tuple[FileStore, str]] | None:
    """`Seen.files` as the plan stage wants it."""
    if files is None:
        return None
    parts = (name.partition("/") for name in files)
    return frozenset((FileStore(store), name) for store, _, name in parts)


def renewed(wanted: DesiredInstance, files: Collection[str] | None) -> bool:
    """Whether the contents that the commit applied last names are not those that were stored then."""
    return files is not None and not names(wanted) <= set(files)


def names(wanted: DesiredInstance) -> set[str]:
    """`STORAGE/NAME` of each file that an instance should hold."""
    found = {f"{FileStore.CERTIFICATES}/{one.storage_name}" for one in wanted.certificates.values()}
    return found | {f"{one.id.kind.store}/{one.storage_name}" for one in wanted.files.values()}


def created(plan: InstancePlan) -> frozenset[str]:
    """`STORAGE/NAME` of each file that a plan stores anew."""
    certificates = {f"{FileStore.CERTIFICATES}/{c.name}" for c in plan.certificates if c.action is Action.CREATE}
    return frozenset(certificates | {f"{f.store}/{f.name}" for f in plan.files if f.action is Action.CREATE})


def remembered(
    files: Collection[str] | None,
    plan: InstancePlan | None,
    wanted: DesiredInstance | None,
    outcome: InstanceOutcome,
    *,
    left: Collection[str] = (),
) -> tuple[str, ...]:
    """`Seen.files` after an apply. What could not be deleted is still ours.

    Args:
        files: as it was before.
        plan: that was applied; None when nothing had to be done.
        wanted: what the instance should hold now.
        outcome: how it came out.
        left: what applies before this one may have stored, and never said so.
    """
    known = {*(files or ()), *left}
    changes = [(FileStore.CERTIFICATES, one.name, one.action) for one in plan.certificates] if plan is not None else []
    changes += [(one.store, one.name, one.action) for one in plan.files] if plan is not None else []
    # before there was a record, the plan alone says what is ours and could not be deleted
    known |= {f"{store}/{name}" for store, name, action in changes if action is not Action.DELETE or files is None}
    if outcome.result in {Result.APPLIED, Result.UNCHANGED} and wanted is not None:
        known |= names(wanted)
    gone = {_stored(name) for name in outcome.deleted}
    return tuple(sorted(known - gone))


def _stored(name: str) -> str:
    """A name of an outcome as `STORAGE/NAME`."""
    if name.startswith(_CERTIFICATE):
        return f"{FileStore.CERTIFICATES}/{name.removeprefix(_CERTIFICATE)}"
    return name
