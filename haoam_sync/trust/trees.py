"""What a tree holds, and what changes between two trees. Pure.

S4 of `core.py`: plain files only, names that look like what they are, sizes and counts bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.git_object import object_sha256
from haoam_sync.model.tree import TreeEntry
from haoam_sync.model.trust_policy import TrustLimits
from haoam_sync.trust.graph import Graph, Recent

_NAME = re.compile(r"[A-Za-z0-9._@+=,~](?:[A-Za-z0-9._@+=,~ -]*[A-Za-z0-9_@+=,~-])?")
_NAME_BYTES = 128
_PATH_BYTES = 512
_DEPTH = 16
_FORBIDDEN = frozenset({".gitattributes", ".gitmodules", ".lfsconfig", ".mailmap"})
_LFS = b"version https://git-lfs.github.com/spec/"
_KINDS = {"100755": "an executable file", "120000": "a symbolic link", "160000": "a submodule"}
_KEPT_FILES = 65_536
_READ_AT_ONCE = 1000

Changes = Mapping[str, tuple[TreeEntry | None, TreeEntry | None]]
"""Paths that differ between two trees, with the entry before and after; None where there is none."""


@dataclass(frozen=True, slots=True)
class TreeFacts:
    """What is known of a tree that S4 allows.

    Attributes:
        sha256: its id in git's SHA-256 format.
        files: number of files below it.
        size: bytes of all files below it.
        largest: bytes of the largest file.
        longest: bytes of the longest path below it.
        depth: directories inside each other.
    """

    sha256: bytes
    files: int = 0
    size: int = 0
    largest: int = 0
    longest: int = 0
    depth: int = 0


class Trees:
    """Facts about trees, kept by id, so that a step costs what it changed and not what there is."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._facts = Recent[TreeFacts]()
        self._files = Recent[TreeFacts](_KEPT_FILES)

    def require(self, tree: str, limits: TrustLimits, where: str) -> TreeFacts:
        """S4: the facts of a tree that holds only what is allowed.

        Args:
            tree: its id.
            limits: of the policy that judges it.
            where: the commit, for messages.

        Raises:
            NotTrustedError: E_TREE_ENTRY, E_PATH, E_LIMIT.
        """
        facts = self._tree(tree, "", where, 0)
        counts = (
            (facts.files, limits.files, "files"),
            (facts.size, limits.tree_bytes, "bytes"),
            (facts.largest, limits.file_bytes, "bytes in one file"),
        )
        for found, limit, what in counts:
            if found > limit:
                raise NotTrustedError(
                    f"the tree has {found} {what}, more than {limit}",
                    code="E_LIMIT",
                    where=where,
                    hint="make it smaller, or raise the limit under `limits` in trust.yaml, in a change of its own",
                )
        return facts

    def sha256(self, tree: str, where: str) -> str:
        """The id of a tree in git's SHA-256 format: what it would be in `git init --object-format=sha256`."""
        return self._tree(tree, "", where, 0).sha256.hex()

    def _tree(self, oid: str, prefix: str, where: str, depth: int) -> TreeFacts:
        if depth > _DEPTH:
            raise _path(prefix, where, f"it lies more than {_DEPTH} directories deep")
        facts = self._facts.get(oid, lambda: self._compute(oid, prefix, where, depth))
        if len(prefix) + facts.longest > _PATH_BYTES or depth + facts.depth > _DEPTH:
            raise _path(prefix, where, f"paths below it have more than {_PATH_BYTES} bytes or {_DEPTH} directories")
        return facts

    def _compute(self, oid: str, prefix: str, where: str, depth: int) -> TreeFacts:
        entries = self._graph.tree(oid, where)
        twins: dict[str, str] = {}
        for entry in entries:
            _require_entry(entry, prefix, where)
            twin = twins.setdefault(entry.name.casefold(), entry.name)
            if twin != entry.name:
                raise _path(prefix + entry.name, where, f"it differs from {twin} in upper and lower case only")
        plain = self._plain([entry for entry in entries if not entry.is_tree], prefix, where)
        content: list[bytes] = []
        files, size, largest, longest, deepest = 0, 0, 0, 0, 0
        for entry in entries:
            name = len(entry.name)
            if entry.is_tree:
                facts = self._tree(entry.oid, f"{prefix}{entry.name}/", where, depth + 1)
                longest, deepest = max(longest, name + 1 + facts.longest), max(deepest, facts.depth + 1)
            else:
                facts = plain[entry.oid]
                longest = max(longest, name)
            files, size, largest = files + facts.files, size + facts.size, max(largest, facts.largest)
            content.append(f"{entry.mode} {entry.name}\0".encode() + facts.sha256)
        return TreeFacts(object_sha256("tree", b"".join(content)), files, size, largest, longest, deepest)

    def _plain(self, entries: list[TreeEntry], prefix: str, where: str) -> dict[str, TreeFacts]:
        """Facts about the files of one directory, by id; those that are new are read."""
        facts = {entry.oid: self._files[entry.oid] for entry in entries if entry.oid in self._files}
        unknown = {entry.oid: entry.name for entry in entries if entry.oid not in facts}
        ids = list(unknown)
        for start in range(0, len(ids), _READ_AT_ONCE):
            part = ids[start : start + _READ_AT_ONCE]
            for oid, content in zip(part, self._graph.blobs(part), strict=True):
                if content.startswith(_LFS):
                    raise _entry(prefix + unknown[oid], where, "a pointer to a file of Git LFS")
                size = len(content)
                facts[oid] = TreeFacts(object_sha256("blob", content), 1, size, size)
        for oid, known in facts.items():
            self._files.put(oid, known)
        return facts

    def changes(self, before: str, after: str, where: str) -> Changes:
        """Every path that differs, sorted; a file that became a directory counts as deleted and added.

        Raises:
            NotTrustedError: E_TREE_ENTRY, E_PATH.
        """
        found: dict[str, tuple[TreeEntry | None, TreeEntry | None]] = {}
        self._compare(before, after, "", where, found)
        return dict(sorted(found.items()))

    def _compare(
        self,
        before: str | None,
        after: str | None,
        prefix: str,
        where: str,
        found: dict[str, tuple[TreeEntry | None, TreeEntry | None]],
    ) -> None:
        if before == after:
            return
        old = {entry.name: entry for entry in (self._graph.tree(before, where) if before else ())}
        new = {entry.name: entry for entry in (self._graph.tree(after, where) if after else ())}
        for name in old.keys() | new.keys():
            one, two = old.get(name), new.get(name)
            if one == two:
                continue
            path = prefix + name
            trees = [entry.oid if entry is not None and entry.is_tree else None for entry in (one, two)]
            if any(trees):
                if path.count("/") > _DEPTH:
                    raise _path(path, where, f"it lies more than {_DEPTH} directories deep")
                self._compare(trees[0], trees[1], path + "/", where, found)
            files = [entry if entry is not None and not entry.is_tree else None for entry in (one, two)]
            if any(files):
                found[path] = (files[0], files[1])


def is_disjoint_merge(ours: Changes, theirs: Changes, merged: Changes) -> bool:
    """Whether `merged` is `ours` and `theirs` put together, none of which touches a path of the other.

    All three are changes from the same base: then the merge is mechanical, whoever made it.
    """
    return ours.keys().isdisjoint(theirs.keys()) and dict(merged) == {**ours, **theirs}


def _require_entry(entry: TreeEntry, prefix: str, where: str) -> None:
    path = prefix + entry.name
    if not (entry.is_plain or entry.is_tree):
        raise _entry(path, where, _KINDS.get(entry.mode, "a strange entry"))
    if entry.name.casefold() in _FORBIDDEN:
        raise _entry(path, where, "a file that tells git how to show other files")
    if len(entry.name) > _NAME_BYTES:
        raise _path(path, where, f"the name has more than {_NAME_BYTES} bytes")
    if _NAME.fullmatch(entry.name) is None:
        raise _path(path, where, "names hold ASCII letters, digits, spaces inside, and . _ @ + = , ~ - only")


def _entry(path: str, where: str, what: str) -> NotTrustedError:
    return NotTrustedError(
        f"{path!a} is {what}",
        code="E_TREE_ENTRY",
        where=where,
        hint="take it out of the commit: only plain files are read, and reviewers must see what is read",
    )


def _path(path: str, where: str, why: str) -> NotTrustedError:
    return NotTrustedError(f"{path!a}: {why}", code="E_PATH", where=where, hint="rename it")
