"""Which files a commit changes, and what a reviewer must read of them as text."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.tree import TreeEntry

MOST_BYTES = 262_144
"""Nobody reads a larger file before signing."""
_DESIRED = ("haproxy/", "haoam.yaml")


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs between two commits.

    Attributes:
        path: in the repository.
        action: `add`, `change` or `remove`.
        diff: unified diff; "" for files whose meaning is shown otherwise (the desired state).
    """

    path: str
    action: str
    diff: str


def changed(before: Mapping[str, TreeEntry], after: Mapping[str, TreeEntry]) -> tuple[str, ...]:
    """Paths whose content or mode differs, sorted."""
    return tuple(path for path in sorted({*before, *after}) if before.get(path) != after.get(path))


def changes(
    paths: Collection[str], before: Mapping[str, bytes], after: Mapping[str, bytes], *, where: str
) -> tuple[FileChange, ...]:
    """Every file of `paths`, with its diff where it is not part of the desired state.

    Args:
        paths: what differs.
        before: content of the plain files before.
        after: content of the plain files after.
        where: the commit, for messages.

    Raises:
        NotTrustedError: E_UNREADABLE, a file cannot be shown as text, so it cannot be signed.
    """
    return tuple(_change(path, before.get(path), after.get(path), where) for path in paths)


def _change(path: str, before: bytes | None, after: bytes | None, where: str) -> FileChange:
    action = "add" if before is None else "remove" if after is None else "change"
    if path.startswith(_DESIRED):
        return FileChange(path, action, "")
    lines = difflib.unified_diff(
        _lines(path, before, where), _lines(path, after, where), f"a/{path}", f"b/{path}", lineterm=""
    )
    return FileChange(path, action, "\n".join(lines))


def _lines(path: str, content: bytes | None, where: str) -> list[str]:
    """Its lines, by line feeds only: other signs that end lines somewhere are shown as what they are, never lost."""
    data = content or b""
    if len(data) > MOST_BYTES:
        raise _unreadable(path, f"it has more than {MOST_BYTES} bytes", where)
    try:
        return data.decode("utf-8").split("\n") if content is not None else []
    except UnicodeDecodeError as error:
        raise _unreadable(path, "it is not text", where) from error


def _unreadable(path: str, why: str, where: str) -> NotTrustedError:
    return NotTrustedError(
        f"{path} cannot be shown: {why}",
        code="E_UNREADABLE",
        where=where,
        hint="what cannot be shown completely is not signed; leave the file out of the commit",
    )
