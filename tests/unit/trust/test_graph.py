"""Walking over history: who is whose ancestor, and what a step brings in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.git_object import object_id
from haoam_sync.trust.graph import Graph, Recent

TREE = object_id("tree", b"")


class Memory:
    """Commits in a dictionary; `shape` gives for each commit the places of its parents."""

    def __init__(self, shape: Sequence[Sequence[int]]) -> None:
        self.ids: list[str] = []
        self.contents: dict[str, bytes] = {}
        for number, parents in enumerate(shape):
            lines = [f"tree {TREE}", *(f"parent {self.ids[parent]}" for parent in parents)]
            content = ("\n".join(lines) + f"\nauthor a <a> {number} +0000\ncommitter a <a> 0 +0000\n\n").encode()
            self.ids.append(object_id("commit", content))
            self.contents[self.ids[-1]] = content
        self.parents = {self.ids[n]: [self.ids[p] for p in parents] for n, parents in enumerate(shape)}

    def read_many(self, ids: Sequence[str], kind: str) -> list[bytes]:
        """See `Objects`."""
        assert kind == "commit"
        return [self.contents[oid] for oid in ids]


def ancestors(parents: Mapping[str, Sequence[str]], oid: str, introduction: str) -> set[str]:
    """The slow way: everything reachable, the commit itself too; nothing behind the introduction."""
    found, stack = set(), [oid]
    while stack:
        here = stack.pop()
        if here not in found:
            found.add(here)
            stack += parents[here] if here != introduction else []
    return found


@st.composite
def histories(draw: st.DrawFn) -> list[list[int]]:
    """Histories of up to 14 commits that all descend from the first one."""
    shape: list[list[int]] = [[]]
    for number in range(1, draw(st.integers(2, 20))):
        count = draw(st.integers(1, min(2, number)))
        near = st.integers(max(0, number - 3), number - 1)  # long histories, not only wide ones
        shape.append(draw(st.lists(near, min_size=1, max_size=count, unique=True)))
    return shape


@given(histories(), st.data())
def test_a_step_brings_in_exactly_what_its_base_does_not_reach(shape: list[list[int]], data: st.DataObject) -> None:
    """`between` is the set difference of two closures, parents before children."""
    memory = Memory(shape)
    base = memory.ids[data.draw(st.integers(0, len(shape) - 1))]
    head = memory.ids[data.draw(st.integers(0, len(shape) - 1))]
    graph = Graph(memory, memory.ids[0])
    found = graph.between(base, head)
    root = memory.ids[0]
    assert set(found) == ancestors(memory.parents, head, root) - ancestors(memory.parents, base, root)
    assert len(found) == len(set(found))
    for place, oid in enumerate(found):
        assert not set(memory.parents[oid]) & set(found[place:])
    assert graph.reaches(head, base) == (base in ancestors(memory.parents, head, root))


@given(histories(), st.data())
def test_the_first_parent_chain(shape: list[list[int]], data: st.DataObject) -> None:
    """The chain follows first parents only, and is None when it misses the base."""
    memory = Memory(shape)
    head = memory.ids[data.draw(st.integers(0, len(shape) - 1))]
    base = memory.ids[data.draw(st.integers(0, len(shape) - 1))]
    chain, here = [], head
    while here != base and memory.parents[here]:
        chain.append(here)
        here = memory.parents[here][0]
    expected = tuple(reversed(chain)) if here == base else None
    assert Graph(memory, memory.ids[0]).first_parents(base, head) == expected


def test_a_base_far_ahead_of_where_the_branch_began() -> None:
    """What the branch's side walked first is walked on from by the base's side."""
    memory = Memory([[], [0], [1], [2], [3], [4], [2]])
    graph = Graph(memory, memory.ids[0])
    assert graph.between(memory.ids[5], memory.ids[6]) == (memory.ids[6],)


def test_a_way_around_the_introduction_is_refused() -> None:
    """A branch that reaches a commit before the introduction does not descend from it."""
    memory = Memory([[], [0], [0], [1, 2]])
    graph = Graph(memory, memory.ids[1])
    with pytest.raises(NotTrustedError) as caught:
        graph.between(memory.ids[1], memory.ids[3])
    assert caught.value.code == "E_NOT_DESCENDANT"


def test_bytes_that_do_not_hash_to_their_id_are_refused() -> None:
    """Whoever gives the objects, their bytes are hashed."""
    memory = Memory([[], [0]])
    memory.contents[memory.ids[1]] += b"x"
    with pytest.raises(NotTrustedError) as caught:
        Graph(memory, memory.ids[0]).raw(memory.ids[1])
    assert caught.value.code == "E_OID_MISMATCH"


def test_walks_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a history somebody pushes: each walk through it ends, and what it did not see is not believed."""
    memory = Memory([[], *([number] for number in range(20))])
    first, last = memory.ids[0], memory.ids[-1]
    other = Graph(memory, first)
    assert len(other.first_parents(first, last) or ()) == len(other.between(first, last)) == 20
    monkeypatch.setattr("haoam_sync.trust.graph.MOST_WALKED", 5)
    graph = Graph(memory, first)
    assert graph.first_parents(first, last) is None
    assert graph.first_parents(memory.ids[-4], last) is not None
    walks = (
        lambda: list(graph.line(last)),
        lambda: graph.between(first, last),
        lambda: graph.ancestors(last),
        lambda: graph.reaches(last, first),
    )
    for walk in walks:
        with pytest.raises(NotTrustedError) as caught:
            walk()
        assert caught.value.code == "E_LIMIT"
    assert len(list(graph.line(memory.ids[3]))) == len(graph.ancestors(memory.ids[3])) == 4


class Objects:
    """Objects of every kind, by id."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def put(self, kind: str, content: bytes) -> str:
        """Keep an object."""
        oid = object_id(kind, content)
        self.contents[oid] = content
        return oid

    def read_many(self, ids: Sequence[str], kind: str) -> list[bytes]:
        """See `Objects`."""
        assert kind
        return [self.contents[oid] for oid in ids]


def test_a_file_is_a_plain_one() -> None:
    """Neither a link's target, nor what lies below a file, is the content of a file."""
    objects = Objects()
    blob = objects.put("blob", b"elsewhere")
    raw = bytes.fromhex(blob)
    below = objects.put("tree", b"100644 file\0" + raw + b"120000 link\0" + raw)
    tree = objects.put("tree", b"40000 keys\0" + bytes.fromhex(below) + b"100644 plain\0" + raw)
    person = "a <a> 0 +0000"
    commit = objects.put("commit", f"tree {tree}\nauthor {person}\ncommitter {person}\n\nx\n".encode())
    graph = Graph(objects, commit)
    assert graph.file(commit, "keys/file") == graph.file(commit, "plain") == b"elsewhere"
    for path in ("keys/link", "keys", "plain/file", "keys/file/file", "missing"):
        assert graph.file(commit, path) is None


def test_only_what_was_used_last_is_kept() -> None:
    """Memory does not grow with history."""
    recent = Recent[int](kept=2)
    made = [recent.get(name, lambda number=number: number) for number, name in enumerate(("a", "b", "a", "c"))]
    assert made == [0, 1, 0, 3]
    assert set(recent) == {"a", "c"}
