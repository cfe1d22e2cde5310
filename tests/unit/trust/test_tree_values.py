"""Trees: their SHA-256 names, what changes between two, and when a merge is mechanical."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.git_object import object_id
from haoam_sync.model.tree import TreeEntry, parse_tree
from haoam_sync.model.trust_policy import Rule, TrustLimits
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.trees import Trees, is_disjoint_merge


class Memory:
    """Trees and files in a dictionary."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def read_many(self, ids: Sequence[str], kind: str) -> list[bytes]:
        """See `Objects`."""
        assert kind in {"tree", "blob"}
        return [self.contents[oid] for oid in ids]

    def store(self, kind: str, content: bytes) -> str:
        """Keep an object."""
        oid = object_id(kind, content)
        self.contents[oid] = content
        return oid

    def tree(self, files: Mapping[str, bytes]) -> str:
        """A tree of trees."""
        below: dict[str, dict[str, bytes]] = {}
        entries: dict[bytes, bytes] = {}
        for path, content in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = content
            else:
                oid = bytes.fromhex(self.store("blob", content))
                entries[name.encode()] = b"100644 " + name.encode() + b"\0" + oid
        for name, inside in below.items():
            entries[name.encode() + b"/"] = b"40000 " + name.encode() + b"\0" + bytes.fromhex(self.tree(inside))
        return self.store("tree", b"".join(entries[key] for key in sorted(entries)))


FILES = {"trust.yaml": b"a: 1\n", "haproxy/web.yaml": b"x" * 1000, "haproxy/deep/er.yaml": b"", "haproxy.yaml": b"y"}

names = st.sampled_from(["a", "b", "c/x", "c/y", "d/e/f", "g"])
contents = st.binary(max_size=3)
trees = st.dictionaries(names, contents, max_size=6)


def test_the_sha256_name_is_gits_own(tmp_path: Path) -> None:
    """A tree's SHA-256 name is what `git write-tree` says in a repository of that format."""
    subprocess.run(["git", "init", "-q", "--object-format=sha256", str(tmp_path)], check=True)  # noqa: S607
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "add", "."], check=True)
    expected = subprocess.run([*git, "write-tree"], check=True, capture_output=True, text=True).stdout.strip()
    memory = Memory()
    assert Trees(Graph(memory, "")).sha256(memory.tree(FILES), "x") == expected


@given(trees, trees)
def test_changes_are_the_paths_that_differ(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """Every path whose content differs is found, and no other."""
    memory = Memory()
    changes = Trees(Graph(memory, "")).changes(memory.tree(before), memory.tree(after), "x")
    assert set(changes) == {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    for path, (old, new) in changes.items():
        assert (old is not None, new is not None) == (path in before, path in after)


@given(trees, trees, trees, trees)
def test_a_mechanical_merge_is_both_changes_and_nothing_else(
    ground: dict[str, bytes], ours: dict[str, bytes], theirs: dict[str, bytes], merged: dict[str, bytes]
) -> None:
    """A merge of disjoint changes is the base with both, path by path; anything else is not mechanical."""
    memory = Memory()
    found = Trees(Graph(memory, ""))
    base = memory.tree(ground)
    change = {name: found.changes(base, memory.tree(files), "x") for name, files in (("o", ours), ("t", theirs))}
    both: dict[str, bytes] = {}
    for path in ground.keys() | ours.keys() | theirs.keys():
        side = ours if path in change["o"] else theirs if path in change["t"] else ground
        if path in side:
            both[path] = side[path]
    disjoint = not change["o"].keys() & change["t"].keys()
    for candidate in (both, merged):
        verdict = is_disjoint_merge(change["o"], change["t"], found.changes(base, memory.tree(candidate), "x"))
        assert verdict == (disjoint and candidate == both)


def test_facts_are_remembered_by_id() -> None:
    """A second look at a tree reads nothing."""
    memory = Memory()
    tree = memory.tree(FILES)
    found = Trees(Graph(memory, ""))
    facts = found.require(tree, TrustLimits(), "x")
    assert (facts.files, facts.size, facts.largest) == (4, 1006, 1000)
    memory.contents.clear()
    assert found.require(tree, TrustLimits(), "x") == facts


@given(st.binary(max_size=120))
def test_any_bytes_of_a_tree_are_read_or_refused(data: bytes) -> None:
    """A tree's bytes are entries in git's order, or a refusal."""
    try:
        entries = parse_tree(data, where="x")
    except NotTrustedError:
        return
    written = b"".join(f"{e.mode} {e.name}\0".encode() + bytes.fromhex(e.oid) for e in entries)
    assert written == data


def test_the_order_of_a_tree_is_gits() -> None:
    """A directory sorts as if its name ended in a slash."""
    oid = b"\0" * 20
    good = b"100644 a.b\0" + oid + b"40000 a\0" + oid + b"100644 a0\0" + oid
    assert parse_tree(good, where="x")[1] == TreeEntry("40000", "a", "0" * 40)
    with pytest.raises(NotTrustedError):
        parse_tree(b"40000 a\0" + oid + b"100644 a.b\0" + oid, where="x")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("trust.yaml", ["trust.yaml"], ["x/trust.yaml", "trust.yamlx", "trustxyaml"]),
        ("keys/**", ["keys/a", "keys/a/b"], ["keys", "keysx/a", "a/keys/b"]),
        ("*.md", ["README.md", ".md"], ["docs/a.md"]),
        ("haproxy/*/x.yaml", ["haproxy/a/x.yaml"], ["haproxy/x.yaml", "haproxy/a/b/x.yaml"]),
        ("**/x.yaml", ["x.yaml", "a/x.yaml", "a/b/x.yaml"], ["a/xx.yaml"]),
        ("**", ["a", "a/b"], []),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]),
    ],
)
def test_path_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    """`*` stands within a name, `**` for any number of names, and a pattern matches whole paths."""
    rule = Rule(paths=(pattern,), require={"reviewer": 1})
    assert [path for path in (*yes, *no) if rule.matches(path)] == yes


@pytest.mark.parametrize("pattern", ["", "/a", "a/", "a//b", "../a", "a/./b", "a**", "[ab]", "a?", "a b", "a\\*"])
def test_patterns_that_could_be_misread(pattern: str) -> None:
    """Patterns have no other signs."""
    with pytest.raises(ValueError, match=r"pattern|names"):
        Rule(paths=(pattern,), require={"reviewer": 1})


def _nested(memory: Memory, inner: str, names: Sequence[str]) -> str:
    """A tree inside of trees; the last name is the outermost."""
    for name in names:
        inner = memory.store("tree", f"40000 {name}\0".encode() + bytes.fromhex(inner))
    return inner


@pytest.mark.parametrize("how", ["at once", "put into a deeper place later", "without end", "long names"])
def test_paths_are_bounded(how: str) -> None:
    """In depth and in length, also where the lower part was seen before in another place; no recursion overflows."""
    memory = Memory()
    trees = Trees(Graph(memory, ""))
    file = memory.tree({"f": b"1"})
    fits = _nested(memory, file, ["d"] * 16)
    assert trees.sha256(fits, "x")
    tree = {
        "at once": _nested(memory, file, ["d"] * 17),
        "put into a deeper place later": _nested(memory, _nested(memory, file, ["e"] * 10), ["d"] * 10),
        "without end": _nested(memory, file, ["d"] * 5000),
        "long names": _nested(memory, file, ["d" * 120] * 5),
    }[how]
    if how == "put into a deeper place later":
        assert trees.sha256(_nested(memory, file, ["e"] * 10), "x")
    with pytest.raises(NotTrustedError) as caught:
        trees.sha256(tree, "x")
    assert caught.value.code == "E_PATH"
    if how == "without end":
        with pytest.raises(NotTrustedError) as caught:
            trees.changes(file, tree, "x")
        assert caught.value.code == "E_PATH"
