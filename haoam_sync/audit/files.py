"""What the log needs of the file system beyond reading and writing."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import Final

from haoam_sync.errors import AuditError, LockedError

LOCK_FILE: Final = "audit.lock"
_OTHERS_MAY_WRITE: Final = 0o002


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
        AuditError: everybody may write in it.
    """
    if not directory.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(directory.parent)
    if stat.S_IMODE(directory.stat().st_mode) & _OTHERS_MAY_WRITE:
        raise AuditError(
            "everybody may write in this directory, so nothing in it proves anything",
            code="E_AUDIT_WRITE",
            where=str(directory),
            hint=f"chmod o-w {directory}, or name a directory inside it: it is made with the right mode",
        )


def lock_directory(directory: Path) -> int:
    """Keep every other writer out until the descriptor returned is closed, or this process ends.

    Raises:
        LockedError: another process, or another log of this one, writes there.
        OSError: the lock file cannot be opened.
    """
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
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
