"""`trust rotate`: the next policy, written into a work tree for people to agree to."""

from __future__ import annotations

import stat
from pathlib import Path

from haoam_sync import trust
from haoam_sync.errors import UsageError
from haoam_sync.pipeline.opening import opened
from haoam_sync.settings import Settings
from haoam_sync.state import write_synced

_MOST_BYTES = 1 << 20


def rotate(settings: Settings, directory: Path, change: trust.Change) -> trust.Rotation:
    """Write the policy after a change of somebody's keys into a work tree. Nothing is committed, nothing is trusted.

    Args:
        settings: the four places.
        directory: top of the work tree, at the commit accepted last or a later one with the same policy.
        change: what is to become of the keys.

    Raises:
        NotTrustedError: nothing is accepted, or the new policy would not hold together.
        UsageError: as for `trust.rotation`; or a file can not be written.
    """
    with opened(settings) as here:
        accepted = here.speaking()[0]  # also where a key that it rests on was stolen: then it is time to rotate
        found = trust.rotation(
            here.repository, here.root, accepted, change, lambda path: _read(directory / path), here.now
        )
    for path, content in sorted(found.files.items()):
        target = directory / path
        if target.parent.is_symlink():
            raise UsageError(
                f"{target.parent} is a link: nothing is written through it", code="E_WORK_TREE", where=path
            )
        try:
            target.parent.mkdir(exist_ok=True)
            write_synced(target, content, mode=0o644)
        except OSError as error:
            raise UsageError(
                f"{path} can not be written: {error.strerror}", code="E_WORK_TREE", where=str(target)
            ) from error
    return found


def _read(path: Path) -> bytes | None:
    """A plain file of the work tree; a link is none, and so is what is larger than any policy."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            return None
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(
            f"it can not be read: {error.strerror}",
            code="E_WORK_TREE",
            where=str(path),
            hint="name the top of the work tree with --directory",
        ) from error
