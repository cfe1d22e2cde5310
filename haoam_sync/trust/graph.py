"""Commits, trees and files as verified values, read from objects that nobody believes. No I/O of its own, no clock.

Also the walks over history: which commits a step brings in (`W` of docs/trust.md), and who is whose ancestor. They stop
at the introduction commit: nothing before it has any meaning here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.git_object import Objects, require_id
from haoam_sync.model.tree import TreeEntry, parse_tree
from haoam_sync.trust.grammar import ParsedCommit, parents_of, parse_commit

MOST_WALKED = 200_000
"""So many commits are walked through at most to learn one relation; far beyond any limit of a policy."""
_KEPT = 4096
"""So many commits and trees are kept in memory, the ones used last."""
_DETOUR = 256
"""So many commits behind the base are looked at beyond need, for merges of old branches."""

_Value = TypeVar("_Value")


class Graph:
    """What is verified of a repository, kept while it is used.

    Attributes:
        introduction: id of the introduction commit, where history begins.
    """

    def __init__(self, objects: Objects, introduction: str) -> None:
        self.introduction = introduction
        self._objects = objects
        self._commits = Recent[bytes]()
        self._trees = Recent[tuple[TreeEntry, ...]]()

    def raw(self, oid: str) -> bytes:
        """A commit's bytes.

        Raises:
            NotTrustedError: E_OID_MISMATCH, E_REPO_STATE.
        """
        return self._commits.get(oid, lambda: self._read([oid], "commit")[0])

    def commit(self, oid: str) -> ParsedCommit:
        """A commit in canonical form.

        Raises:
            NotTrustedError: E_COMMIT_FORMAT, E_SIG_ARMOR, E_SIG_MULTIPLE, E_PARENTS, E_OID_MISMATCH, E_REPO_STATE.
        """
        return parse_commit(oid, self.raw(oid))

    def parents(self, oid: str) -> tuple[str, ...]:
        """A commit's parents; none for the introduction. The commit need not be canonical."""
        return () if oid == self.introduction else parents_of(oid, self.raw(oid))

    def tree(self, oid: str, where: str) -> tuple[TreeEntry, ...]:
        """The entries of a tree; `where` is for messages.

        Raises:
            NotTrustedError: E_TREE_ENTRY, E_PATH, E_OID_MISMATCH, E_REPO_STATE.
        """
        return self._trees.get(oid, lambda: parse_tree(self._read([oid], "tree")[0], where=where))

    def fetch_trees(self, ids: Sequence[str]) -> None:
        """Read trees that will be asked for in one go. What is wrong with one is said when it is asked for."""
        left = [oid for oid in dict.fromkeys(ids) if oid not in self._trees]
        try:
            for oid, content in zip(left, self._read(left, "tree"), strict=True):
                self._trees.put(oid, parse_tree(content, where=oid))
        except NotTrustedError:
            return

    def blobs(self, ids: Sequence[str]) -> list[bytes]:
        """The content of files.

        Raises:
            NotTrustedError: E_OID_MISMATCH, E_REPO_STATE.
        """
        return self._read(ids, "blob")

    def entry(self, tree: str, path: str, where: str) -> TreeEntry | None:
        """What stands at `path` below a tree; None when nothing does."""
        found: TreeEntry | None = None
        oid = tree
        names = path.split("/")
        for index, name in enumerate(names):
            found = next((entry for entry in self.tree(oid, where) if entry.name == name), None)
            if found is None or (index < len(names) - 1 and not found.is_tree):
                return None
            oid = found.oid
        return found

    def file(self, commit: str, path: str) -> bytes | None:
        """The content of a plain file in a commit's tree; None when there is none, or it is no plain file.

        Raises:
            NotTrustedError: E_TREE_ENTRY, E_PATH, E_OID_MISMATCH, E_REPO_STATE.
        """
        entry = self.entry(self.commit(commit).tree, path, commit)
        return self.blobs([entry.oid])[0] if entry is not None and entry.is_plain else None

    def first_parents(self, base: str, head: str) -> tuple[str, ...] | None:
        """The first-parent chain from the commit after `base` to `head`, oldest first; None when it misses `base`."""
        chain: list[str] = []
        oid = head
        while oid != base:
            chain.append(oid)
            parents = self.parents(oid)
            if not parents or len(chain) > MOST_WALKED:
                return None
            oid = parents[0]
        return tuple(reversed(chain))

    def line(self, head: str) -> Iterator[str]:
        """`head` and its first parents, newest first, down to the introduction commit.

        Raises:
            NotTrustedError: E_LIMIT.
        """
        oid = head
        for _ in range(MOST_WALKED):
            yield oid
            parents = self.parents(oid)
            if not parents:
                return
            oid = parents[0]
        raise _too_many(head)

    def reaches(self, head: str, ancestor: str) -> bool:
        """Whether `ancestor` is `head`, or is reached from it by parents, at or after the introduction."""
        return any(oid == ancestor for oid in self._walk([head], set()))

    def ancestors(self, head: str) -> frozenset[str]:
        """`head` and everything that is reached from it, at or after the introduction.

        Raises:
            NotTrustedError: E_LIMIT.
        """
        return frozenset(self._walk([head], set()))

    def between(self, base: str, head: str) -> tuple[str, ...]:
        """Every commit reachable from `head` and not from `base`, parents before children, `head` last.

        Both sides are walked back in turn, a generation at a time, and a commit is left out only once a way to it
        from `base` was found: dates and git's own opinion play no part. A commit that `base` reaches only by a detour
        of several hundred commits may stay in, which errs to the safe side: it is checked once more.

        Raises:
            NotTrustedError: E_NOT_DESCENDANT, a way from `head` ends in a commit without parents, or goes around the
                introduction; E_LIMIT.
        """
        old, old_front = {base}, [base]
        new: dict[str, tuple[str, ...]] = {}
        new_front = [] if head == base else [head]
        spare = _DETOUR
        while new_front or (old_front and (_orphan(new) or (spare > 0 and not _all_above(new, base, head)))):
            spare -= 0 if new_front else len(old_front)
            for oid in new_front:
                new[oid] = self.parents(oid)
            below = [parent for oid in new_front for parent in new[oid]]
            old_front = self._generation(old_front, old)
            old_front += _forget(new, old, old_front)
            new_front = [oid for oid in dict.fromkeys(below) if oid not in old and oid not in new]
            if len(new) + len(old) > MOST_WALKED:
                raise _too_many(head)
        if orphan := _orphan(new):
            raise NotTrustedError(
                f"commit {orphan} has no way to the introduction commit {self.introduction}",
                code="E_NOT_DESCENDANT",
                where=head,
                hint="merge only branches that were started from this branch, at or after the introduction commit",
            )
        return _sorted(new, head)

    def _generation(self, front: Iterable[str], seen: set[str]) -> list[str]:
        below = [parent for oid in front for parent in self.parents(oid) if parent not in seen]
        seen.update(below)
        return list(dict.fromkeys(below))

    def _walk(self, front: Sequence[str], seen: set[str]) -> Iterable[str]:
        seen.update(front)
        while front:
            yield from front
            front = self._generation(front, seen)
            if len(seen) > MOST_WALKED:
                raise _too_many(front[0] if front else "")

    def _read(self, ids: Sequence[str], kind: str) -> list[bytes]:
        contents = self._objects.read_many(ids, kind)
        for oid, content in zip(ids, contents, strict=True):
            require_id(oid, kind, content)
        return contents


class Recent(OrderedDict[str, _Value]):
    """Values by id; only the ones used last are kept, so that memory does not grow with history."""

    def __init__(self, kept: int = _KEPT) -> None:
        super().__init__()
        self._most = kept

    def get(self, oid: str, make: Callable[[], _Value]) -> _Value:  # type: ignore[override]  # never without a maker
        """The value of `oid`, made when it is not there."""
        if oid in self:
            self.move_to_end(oid)
            return self[oid]
        value = make()
        self.put(oid, value)
        return value

    def put(self, oid: str, value: _Value) -> None:
        """Keep a value, as the one used last."""
        self[oid] = value
        self.move_to_end(oid)
        if len(self) > self._most:
            self.popitem(last=False)


def _orphan(new: dict[str, tuple[str, ...]]) -> str:
    """A commit without parents, "" when there is none."""
    return next((oid for oid, parents in new.items() if not parents), "")


def _all_above(new: dict[str, tuple[str, ...]], base: str, head: str) -> bool:
    """Whether each of them descends from `base`: then none can be its ancestor."""
    above = {base}
    for oid in _sorted(new, head):
        if above.isdisjoint(new[oid]):
            return False
        above.add(oid)
    return True


def _forget(new: dict[str, tuple[str, ...]], old: set[str], fresh: Iterable[str]) -> list[str]:
    """Take out of `new` what turned out to be reachable from the base (`fresh`), and all that is below it.

    What is below was not walked from the base's side yet: it is returned, to be walked on from.
    """
    stack = [oid for oid in fresh if oid in new]
    below: list[str] = []
    while stack:
        parents = [parent for parent in new.pop(stack.pop(), ()) if parent in new]
        stack += parents
        below += [parent for parent in parents if parent not in old]
        old.update(parents)
    return below


def _sorted(new: dict[str, tuple[str, ...]], head: str) -> tuple[str, ...]:
    """Parents before children."""
    order: dict[str, None] = {}
    stack = [head] if head in new else []
    while stack:
        oid = stack[-1]
        waiting = [parent for parent in new[oid] if parent in new and parent not in order]
        if waiting:
            stack += waiting
        else:
            order.setdefault(stack.pop())
    return tuple(order)


def _too_many(where: str) -> NotTrustedError:
    return NotTrustedError(
        f"more than {MOST_WALKED} commits lie between the commits compared",
        code="E_LIMIT",
        where=where,
        hint="start from a newer introduction commit",
    )
