"""What the log needs of the file system beyond reading and writing."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import Final

from haoam_sync.errors import AuditError, LockedError

LOCK_FILE: Final = "audit.lock"
_OTHERS_MAY_WRITE: Final = 0o022


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` last through a crash.

    Raises:
        OSError: it cannot be synced.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def own_directory(directory: Path) -> None:
    """Make `directory` with mode 0700 if it is not there.

    Raises:
        OSError: it cannot be made.
        AuditError: it is somebody else's, or others may write in it.
    """
    if not directory.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(directory.parent)
    if not is_ours(directory.stat()):
        raise AuditError(
            "others may write in this directory, so nothing in it proves anything",
            code="E_AUDIT_WRITE",
            where=str(directory),
            hint=f"chmod go-w {directory}, and make it your own; or name a directory inside it: it is made with the "
            "right mode",
        )


def is_ours(status: os.stat_result) -> bool:
    """Whether nobody else, root aside, can write what `status` is of."""
    return status.st_uid in {os.geteuid(), 0} and not status.st_mode & _OTHERS_MAY_WRITE


def require_ours(descriptor: int, path: Path) -> None:
    """A file that records are added to, or that keeps others out, is a plain one that nobody else can write.

    Raises:
        AuditError: it is not.
        OSError: its status cannot be read.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or not is_ours(status):
        raise AuditError(
            "others may write this file of the audit log, so it proves nothing",
            code="E_AUDIT_WRITE",
            where=str(path),
            hint=f"find out who could, run `haoam-sync audit verify`, then chmod go-w {path}, and make it your own",
        )


def lock_directory(directory: Path) -> int:
    """Keep every other writer out until the descriptor returned is closed, or this process ends.

    Raises:
        LockedError: another process, or another log of this one, writes there.
        AuditError: the lock file is others' to write.
        OSError: the lock file cannot be opened.
    """
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        require_ours(descriptor, directory / LOCK_FILE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise LockedError(
            "another run writes this audit log",
            where=str(directory),
            hint="wait until it has ended, or give each runner an audit directory of its own",
        ) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
