"""Naming commits and stretches of history: `COMMIT`, `COMMIT~N`, `A..B`. Nothing else is understood, nor handed to git.

`COMMIT` is what `Repository.resolve` takes: an id, a branch, `HEAD`, `pr/12`. `~N` goes back N first parents.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from haoam_sync.errors import UsageError
from haoam_sync.model.host_root import HostRoot
from haoam_sync.repository import Repository
from haoam_sync.trust.graph import Graph

_REVISION = re.compile(r"(?P<name>[A-Za-z0-9_#][A-Za-z0-9_.+/-]{0,254})?(?:~(?P<back>[0-9]{1,6}))?")


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit, as a person names it.

    Attributes:
        name: for `Repository.resolve`; "" for the tip of the policy's branch.
        back: so many first parents before it.
    """

    name: str
    back: int = 0

    @classmethod
    def parse(cls, text: str) -> Revision:
        """Read `COMMIT` or `COMMIT~N`.

        Raises:
            UsageError: E_RANGE, it is neither.
        """
        found = _REVISION.fullmatch(text)
        name = (found["name"] or "") if found is not None else ""
        if found is None or ".." in name:
            raise _no_range(text)
        return cls(name, int(found["back"] or 0))

    def find(self, repository: Repository, root: HostRoot) -> str:
        """The id of the commit.

        Raises:
            UsageError: E_NO_COMMIT, there is none; E_RANGE, history is shorter.
        """
        head = repository.resolve(self.name)
        if not self.back:
            return head
        found = next(islice(Graph(repository, root.introduction).line(head), self.back, None), "")
        if not found:
            raise UsageError(
                f"{head} has fewer than {self.back} first parents since the introduction commit",
                code="E_RANGE",
                where=head,
                hint=f"the first commit that means something is {root.introduction}",
            )
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of history.

    Attributes:
        after: the commit before its first one; None where none was named.
        end: its last commit.
        whole: whether it begins at the introduction commit.
    """

    after: Revision | None
    end: Revision
    whole: bool = False

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read `A..B`, `A..`, `..B` or `B`; what is left out of `A..` is the branch's tip.

        `..B` begins at the introduction commit.

        Raises:
            UsageError: E_RANGE, it is none of these.
        """
        before, dots, after = text.partition("..")
        if not dots:
            return cls(None, Revision.parse(text))
        if not before:
            return cls(None, Revision.parse(after), whole=True)
        return cls(Revision.parse(before), Revision.parse(after))


def line_between(repository: Repository, root: HostRoot, after: str, head: str) -> frozenset[str]:
    """The commits from the one after `after` to `head`, by first parents; from the introduction on when it is "".

    Raises:
        UsageError: E_RANGE, `after` is no first parent on the way to `head`.
    """
    found: set[str] = set()
    for oid in Graph(repository, root.introduction).line(head):
        if oid == after:
            return frozenset(found)
        found.add(oid)
    if not after:
        return frozenset(found)
    raise UsageError(
        f"{after} is no first parent on the way from the introduction commit to {head}",
        code="E_RANGE",
        where=head,
        hint="name two commits of the policy's branch, the older one first",
    )


def not_in_history(repository: Repository, root: HostRoot, head: str, commits: Collection[str]) -> frozenset[str]:
    """Those of `commits` (any text) that are neither `head` nor among its first parents since the introduction.

    What was accepted and applied is always one of these. The walk ends where the last one is found.

    Raises:
        NotTrustedError: E_LIMIT, E_REPO_STATE, E_OID_MISMATCH.
    """
    left = set(commits)
    if left:
        for oid in Graph(repository, root.introduction).line(head):
            left.discard(oid)
            if not left:
                break
    return frozenset(left)


def holds(repository: Repository, root: HostRoot, head: str, commit: str) -> bool:
    """Whether `head` is the commit, or has it somewhere in its history."""
    return Graph(repository, root.introduction).reaches(head, commit)


def _no_range(text: str) -> UsageError:
    return UsageError(
        f"{text!a} names no commit and no range of commits",
        code="E_RANGE",
        hint="write COMMIT, A..B, A.. or ..B; a commit is an id, a branch, HEAD or pr/12, and ~3 goes back three",
    )
