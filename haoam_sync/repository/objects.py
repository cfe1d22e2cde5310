"""Objects of our own repository by id: each is hashed again before anybody sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.git_object import object_id, require_id
from haoam_sync.model.tree import TreeEntry, parse_tree
from haoam_sync.repository.process import GitFailedError, GitProcess

_FULL_ID = re.compile(r"[0-9a-f]{40}")
_MOST_FILES: Final = 200_000
_MOST_DEPTH: Final = 32
_MOST_TOGETHER: Final = 256 << 20
_READ_AT_ONCE: Final = 1000


class Objects:
    """Commits, trees and blobs.

    Attributes:
        directory: our own bare repository.
        replaced: ids that a replace ref of the source stands in front of: what people see there is another object.
    """

    def __init__(self, git: GitProcess, directory: Path) -> None:
        """What `git` reads from the repository in `directory`."""
        self._git = git
        self.directory = directory
        self.replaced: frozenset[str] = frozenset()

    def read(self, oid: str, kind: str) -> bytes:
        """One object's bytes, hashed again.

        Raises:
            NotTrustedError: E_OID_MISMATCH; E_REPO_STATE when it is not there or of another kind.
        """
        return self.read_many([oid], kind)[0]

    def read_many(self, ids: Sequence[str], kind: str) -> list[bytes]:
        """The bytes of several objects of one kind, in the order of `ids`, each hashed again; in one batch.

        Raises:
            NotTrustedError: as for `read`.
        """
        try:
            answers = self._git.objects(ids)
        except GitFailedError as error:
            raise NotTrustedError(
                f"the object store cannot be read: {error.words}",
                code="E_REPO_STATE",
                where=str(self.directory),
                hint="remove that directory; it is fetched again on the next run",
            ) from error
        return [self._checked(oid, kind, answer) for oid, answer in zip(ids, answers, strict=True)]

    def commit(self, oid: str) -> bytes:
        """A commit's raw bytes."""
        return self.read(oid, "commit")

    def files(self, commit: str) -> Mapping[str, TreeEntry]:
        """Every entry below the commit's tree that is no directory, by path. Grammar checked, content not read.

        Raises:
            NotTrustedError: E_TREE_ENTRY, E_PATH, E_OID_MISMATCH, E_REPO_STATE; E_LIMIT, there are too many.
        """
        raw = self.commit(commit)
        if not (raw.startswith(b"tree ") and _FULL_ID.fullmatch(raw[5:45].decode("ascii", "replace"))):
            raise NotTrustedError("the commit has no tree in its first line", code="E_COMMIT_FORMAT", where=commit)
        found: dict[str, TreeEntry] = {}
        depth = 0
        level = [("", raw[5:45].decode("ascii"))]
        while level:
            below: list[tuple[str, str]] = []
            distinct = list(dict.fromkeys(oid for _, oid in level))
            trees = dict(zip(distinct, self.read_many(distinct, "tree"), strict=True))
            entries = {oid: parse_tree(data, where=commit) for oid, data in trees.items()}
            for prefix, oid in level:
                for entry in entries[oid]:
                    path = prefix + entry.name
                    if entry.is_tree:
                        below.append((path + "/", entry.oid))
                    else:
                        found[path] = entry
                if len(found) + len(below) > _MOST_FILES or depth > _MOST_DEPTH:
                    raise NotTrustedError(
                        f"the commit holds more than {_MOST_FILES} files, or directories {_MOST_DEPTH} deep",
                        code="E_LIMIT",
                        where=commit,
                        hint="a tree of shared trees can be made to unfold without end; nobody means that",
                    )
            level, depth = below, depth + 1
        return dict(sorted(found.items()))

    def blobs(self, commit: str) -> Mapping[str, bytes]:
        """The content of every plain file of a commit, by path, sorted. 10,000 files take about 0.2 s.

        Entries that are no plain files (links, submodules) are left out: `trust` refuses commits that have any.

        Raises:
            NotTrustedError: as for `files`.
        """
        plain = {path: entry.oid for path, entry in self.files(commit).items() if entry.is_plain}
        distinct = list(dict.fromkeys(plain.values()))
        contents: dict[str, bytes] = {}
        size = 0
        for start in range(0, len(distinct), _READ_AT_ONCE):
            part = distinct[start : start + _READ_AT_ONCE]
            for oid, content in zip(part, self.read_many(part, "blob"), strict=True):
                contents[oid] = content
                size += len(content)
            if size > _MOST_TOGETHER:
                raise NotTrustedError(
                    f"the files of the commit have more than {_MOST_TOGETHER} bytes together",
                    code="E_LIMIT",
                    where=commit,
                    hint="take large files out of the repository",
                )
        return {path: contents[oid] for path, oid in plain.items()}

    def store(self, kind: str, content: bytes) -> str:
        """Write one object; its id.

        Raises:
            NotTrustedError: E_OID_MISMATCH, git names it otherwise.
        """
        oid = self._git.run("hash-object", "-w", "-t", kind, "--stdin", stdin=content).decode().strip()
        expected = object_id(kind, content)
        if oid != expected:
            raise NotTrustedError(f"git stored {expected} as {oid}", code="E_OID_MISMATCH", where=expected)
        return oid

    def _checked(self, oid: str, kind: str, answer: tuple[str, bytes] | None) -> bytes:
        if answer is None:
            raise NotTrustedError(
                f"{kind} {oid} is not there",
                code="E_REPO_STATE",
                where=oid,
                hint=f"fetch the whole history, or remove {self.directory}; it is fetched again on the next run",
            )
        found, data = answer
        require_id(oid, found, data)
        if oid in self.replaced:
            raise NotTrustedError(
                f"a replace ref stands in front of {oid}: people with git see another object than the one checked",
                code="E_OID_MISMATCH",
                where=oid,
                hint=f"delete it in the source: git push --delete ORIGIN refs/replace/{oid}",
            )
        if found != kind:
            raise NotTrustedError(f"object {oid} is a {found}, not a {kind}", code="E_REPO_STATE", where=oid)
        return data
