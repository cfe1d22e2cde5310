"""What is asked, remembered and noticed of the files beside the configuration of an instance."""

from __future__ import annotations

from collections.abc import Collection

from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.outcome import InstanceOutcome
from haoam_sync.model.plan import InstancePlan
from haoam_sync.model.stored import FilesAsked, FileStore, KnownFiles

_CERTIFICATE = "certificate/"


def asked(wanted: DesiredInstance | None, applied: DesiredInstance | None, known: KnownFiles | None) -> FilesAsked:
    """What a snapshot is to say of the files of an instance.

    Args:
        wanted: of it.
        applied: what the commit applied last wanted of it.
        known: what the record says of it.
    """
    secret: set[str] = set()
    contents: dict[FileStore, set[str]] = {FileStore.GENERAL: set(), FileStore.MAPS: set()}
    ours = known.ours if known is not None else frozenset()
    listed = {store for store, _ in ours} - {FileStore.CERTIFICATES}
    for one in applied.files.values() if applied is not None else ():
        listed.add(one.id.kind.store)
    for one in wanted.files.values() if wanted is not None else ():
        contents[one.id.kind.store].add(one.storage_name)
        secret |= {one.storage_name} if one.reference is not None else set()
    certificates = wanted.certificates.values() if wanted is not None else ()
    documents = [one for side in (wanted, applied) if side is not None for one in side.files.values()]
    for identity in (one.id for one in documents if one.reference is not None):
        # what the secret was before is one too, and must be known to be kept out of messages
        earlier = {name for store, name in ours if store is identity.kind.store and identity.names(name)}
        contents[identity.kind.store] |= earlier
        secret |= earlier
    unused = known is None or not ours <= (keys(wanted) if wanted is not None else set())
    if unused:
        listed.add(FileStore.GENERAL)
    return FilesAsked(
        certificates=frozenset(one.storage_name for one in certificates),
        general=frozenset(contents[FileStore.GENERAL]),
        maps=frozenset(contents[FileStore.MAPS]),
        listed=frozenset(listed),
        secret=frozenset(secret),
        lists=unused,
    )


def known(files: Collection[str] | None, found: Collection[str] = (), left: Collection[str] = ()) -> KnownFiles | None:
    """`Seen.files` and `Seen.found` as the plan stage wants them.

    Args:
        files: stored by us; None when that is not known.
        found: used, and there before us.
        left: what applies before may have stored, and never said so.
    """
    if files is None:
        return None
    ours = _keys({*files, *left})
    return KnownFiles(ours, _keys(found) - ours)


def renewed(wanted: DesiredInstance, known: KnownFiles | None) -> bool:
    """Whether the contents that the commit applied last names are not those that were there then."""
    return known is not None and not keys(wanted) <= known.ours | known.found


def keys(wanted: DesiredInstance) -> frozenset[tuple[FileStore, str]]:
    """Storage and storage name of each file that an instance should hold."""
    certificates = {(FileStore.CERTIFICATES, one.storage_name) for one in wanted.certificates.values()}
    return frozenset(certificates | {(one.id.kind.store, one.storage_name) for one in wanted.files.values()})


def names(wanted: DesiredInstance) -> set[str]:
    """The same as `STORAGE/NAME`."""
    return {f"{store}/{name}" for store, name in keys(wanted)}


def remembered(
    files: Collection[str] | None,
    plan: InstancePlan | None,
    wanted: DesiredInstance | None,
    outcome: InstanceOutcome,
    *,
    left: Collection[str] = (),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`Seen.files` and `Seen.found` after an apply that reached an instance.

    Ours is what was stored, and what could not be deleted. What was there before is used, and belongs to who stored it.

    Args:
        files: as it was before.
        plan: that was applied; None when nothing had to be done.
        wanted: what the instance should hold now.
        outcome: how it came out.
        left: what applies before this one may have stored, and never said so.
    """
    needed = names(wanted) if wanted is not None else set()
    ours = {*(files or ()), *left, *(name for one in outcome.created if (name := _stored(one)))}
    if files is None:  # before there was a record, what lay there under our names was ours
        deleted = plan.certificates if plan is not None else ()
        ours |= needed | {f"{FileStore.CERTIFICATES}/{one.name}" for one in deleted}
    ours -= {_stored(one) for one in outcome.deleted}
    return tuple(sorted(ours)), tuple(sorted(needed - ours))


def _stored(name: str) -> str:
    """A name of an outcome as `STORAGE/NAME`; "" for a section."""
    if name.startswith(_CERTIFICATE):
        return f"{FileStore.CERTIFICATES}/{name.removeprefix(_CERTIFICATE)}"
    return name if name.partition("/")[0] in set(FileStore) else ""


def _keys(names: Collection[str]) -> frozenset[tuple[FileStore, str]]:
    parts = (name.partition("/") for name in names)
    return frozenset((FileStore(store), name) for store, _, name in parts)
