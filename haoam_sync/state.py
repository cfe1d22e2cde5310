"""Adapter: the state directory. What was applied last, and who holds the lock of a cluster.

::

    STATE/
        applied/CLUSTER.json     the commit applied last to each instance, and the configuration it left there
        locks/CLUSTER.lock       held while a cluster is being applied
        audit.key                keyed digests of the audit log (audit stage)
        cache/                   what blobs were read to (`remembered`); can be deleted at any time
        journal/                 what an apply in progress must be able to undo (apply stage)
        ...                      accepted commit and repository (trust stage, repository adapter)

Files are written beside their place, synced and renamed: after a crash there is the old one or the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haoam_sync.errors import HaoamError, LockedError, UsageError
from haoam_sync.model.json import canonical_json


@dataclass(frozen=True, slots=True)
class Seen:
    """What an apply brought an instance to, and the identity of the configuration that it left there.

    Attributes:
        version: `Configuration-Version`; None when a later apply failed there and what it left is not known. Commit and
            files still say what is ours.
        checksum: `Live.checksum`; "" then.
        commit: 40 hex digits.
        files: what we have stored beside the configuration and not deleted, `STORAGE/NAME`, sorted; None when it is not
            known, since an earlier version applied.
        found: what that commit wants there and somebody else had stored before: used, and not ours.
    """

    version: int | None
    checksum: str
    commit: str
    files: tuple[str, ...] | None = None
    found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What was applied to a cluster last, instance by instance: an apply may have stopped half-way.

    Attributes:
        commit: the commit that every instance of the cluster was brought to last, 40 hex digits; "" when they never
            were all brought to one.
        instances: by instance name; one that nothing was applied to is not there.
    """

    commit: str
    instances: Mapping[str, Seen]


class StateDirectory:
    """The operator's `--state`."""

    def __init__(self, directory: Path) -> None:
        """Open `directory`, made with mode 0700 when it is not there.

        Raises:
            UsageError: it cannot be made or written, or others may write it.
        """
        self.directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = directory.stat()
        except OSError as error:
            raise UsageError(
                f"the state directory cannot be used: {error.strerror}",
                code="E_STATE",
                where=str(directory),
                hint="name a directory of your own with --state or HAOAM_STATE",
            ) from error
        if status.st_uid not in {os.geteuid(), 0} or status.st_mode & 0o022:
            raise UsageError(
                "others may write the state directory",
                code="E_STATE",
                where=str(directory),
                hint=f"chmod go-w {directory}, and make it your own",
            )

    def applied(self, cluster: str) -> Applied | None:
        """What was applied to `cluster` last, None when nothing was.

        Raises:
            HaoamError: the record is there and cannot be read: absence is not assumed.
        """
        file = self.directory / "applied" / f"{cluster}.json"
        try:
            return applied_of_json(json.loads(file.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HaoamError(
                f"the record of what was applied to {cluster} cannot be read",
                code="E_STATE",
                where=str(file),
                hint="restore the file from a backup; without it, ownership comes from the marks alone",
            ) from error

    def all_applied(self) -> Mapping[str, Applied]:
        """What was applied to every cluster that has a record, by name.

        Raises:
            HaoamError: a record cannot be read.
        """
        names = sorted(file.stem for file in (self.directory / "applied").glob("*.json"))
        return {name: record for name in names if (record := self.applied(name)) is not None}

    def record_applied(self, cluster: str, applied: Applied) -> None:
        """Write what was applied to `cluster`."""
        folder = self.directory / "applied"
        folder.mkdir(mode=0o700, exist_ok=True)
        write_synced(folder / f"{cluster}.json", canonical_json(applied_as_json(applied)))

    @contextlib.contextmanager
    def locked(self, cluster: str) -> Iterator[None]:
        """Hold the lock of `cluster`. The kernel lets it go when the process ends, however it ends.

        Raises:
            LockedError: another process holds it.
        """
        folder = self.directory / "locks"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / f"{cluster}.lock"
        with file.open("a+", encoding="ascii") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                handle.seek(0)
                holder = handle.read().strip() or "unknown"
                raise LockedError(
                    f"another process applies to {cluster} (pid {holder})",
                    where=str(file),
                    hint="wait until it has ended, then plan again",
                ) from error
            handle.seek(0)
            handle.truncate()
            handle.write(f"{os.getpid()}\n")
            handle.flush()
            yield


def applied_as_json(applied: Applied) -> dict[str, Any]:
    """What is kept of it, wherever it is kept."""
    return {
        "commit": applied.commit,
        "instances": {
            name: {
                "version": seen.version,
                "checksum": seen.checksum,
                "commit": seen.commit,
                **({"files": list(seen.files)} if seen.files is not None else {}),
                **({"found": list(seen.found)} if seen.found else {}),
            }
            for name, seen in applied.instances.items()
        },
    }


def applied_of_json(value: Any) -> Applied:
    """What `applied_as_json` made.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is something else.
    """
    commit = str(value["commit"])
    return Applied(
        commit,
        {
            # Before records were kept for each instance, the cluster's commit was that of all of them.
            str(name): Seen(
                None if seen["version"] is None else int(seen["version"]),
                str(seen["checksum"]),
                str(seen.get("commit", commit)),
                _files(seen, "files"),
                _files(seen, "found") or (),
            )
            for name, seen in value["instances"].items()
        },
    )


def _files(seen: Mapping[str, object], key: str) -> tuple[str, ...] | None:
    """`Seen.files` or `Seen.found` as it was written.

    Raises:
        TypeError: it is no list of names.
    """
    files = seen.get(key)
    if files is None:
        return None
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
        raise TypeError("not a list of names")
    return tuple(files)


def write_synced(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace `file` by `content`: written beside it, synced, renamed, the directory synced."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
