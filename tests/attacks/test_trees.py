"""Attacks on what a tree holds: names and entries that are not what they look like."""

from __future__ import annotations

import pytest
from trust_world import World, policy_bytes, policy_document, with_signature

from haoam_sync.errors import NotTrustedError


def _reviewed(world: World, tree: str) -> str:
    """A signed and reviewed commit with this tree."""
    head = world.move(_signed(world, tree))
    world.review_raw("bob", world.introduction, head)
    return head


def _signed(world: World, tree: str) -> str:
    payload = world.payload(tree, [world.introduction])
    return world.store("commit", with_signature(payload, world.armor(payload, "alice")))


@pytest.mark.attack("E_TREE_ENTRY")
@pytest.mark.parametrize("mode", ["120000", "100755", "160000", "100664", "040000"])
def test_an_entry_that_is_no_plain_file(world: World, mode: str) -> None:
    """Links, submodules, executables and modes that git itself would not write are refused."""
    made = {"160000": world.introduction, "040000": world.tree({"a": b"a"})}
    oid = made.get(mode) or world.store("blob", b"docs/web.md")
    inner = world.raw_tree([(mode, "entry", oid)])
    _reviewed(world, world.tree({"trust.yaml": world.files["trust.yaml"], "haproxy": ("40000", inner)}))
    world.refused("E_TREE_ENTRY")


@pytest.mark.attack("E_TREE_ENTRY")
@pytest.mark.parametrize("name", [".gitattributes", ".gitmodules", ".GitAttributes", "haproxy/.gitattributes"])
def test_a_file_that_changes_how_git_shows_others(world: World, name: str) -> None:
    """Reviewers must see what is read: files that tell git otherwise are refused."""
    _reviewed(world, world.tree(world.with_file(name)))
    world.refused("E_TREE_ENTRY")


@pytest.mark.attack("E_TREE_ENTRY")
def test_a_pointer_of_git_lfs(world: World) -> None:
    """A pointer's content is somewhere else, where nobody signed it."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
    _reviewed(world, world.tree(world.with_file(content=pointer)))
    world.refused("E_TREE_ENTRY")


@pytest.mark.attack("E_TREE_ENTRY")
def test_a_tree_that_is_not_in_order(world: World) -> None:
    """A tree that names one file twice, or out of order, shows different things to different readers."""
    one, two = world.store("blob", b"1\n"), world.store("blob", b"2\n")
    inner = world.raw_tree([("100644", "web.yaml", one), ("100644", "web.yaml", two)])
    _reviewed(world, world.tree({"trust.yaml": world.files["trust.yaml"], "haproxy": ("40000", inner)}))
    world.refused("E_TREE_ENTRY")


@pytest.mark.attack("E_PATH")
@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        ".git",
        ".GIT",
        "\N{RIGHT-TO-LEFT OVERRIDE}web.yaml",
        "w\N{CYRILLIC SMALL LETTER IE}b.yaml",
        "we\N{COMBINING ACUTE ACCENT}b.yaml",
        "web.yaml ",
        "web\n.yaml",
        "web\x7f.yaml",
        "a" * 200,
        "web.yaml.",
        "a\\b",
    ],
)
def test_a_name_that_is_not_what_it_looks_like(world: World, name: str) -> None:
    """Names leave nothing to imagine: no way out of the tree, no twins, nothing that does not show."""
    inner = world.raw_tree(sorted([("100644", name, world.store("blob", b"2\n"))]))
    _reviewed(world, world.tree({"trust.yaml": world.files["trust.yaml"], "haproxy": ("40000", inner)}))
    world.refused("E_PATH")


@pytest.mark.attack("E_PATH")
def test_names_that_differ_in_case_only(world: World) -> None:
    """Two files that are one on some machines are refused."""
    _reviewed(world, world.tree(world.with_file("docs/WEB.md")))
    world.refused("E_PATH")


@pytest.mark.attack("E_PATH")
def test_a_path_that_is_very_long(world: World) -> None:
    """Paths are bounded, in depth and in length."""
    _reviewed(world, world.tree(world.with_file("haproxy/" + "d/" * 30 + "web.yaml")))
    world.refused("E_PATH")


@pytest.mark.attack("E_LIMIT")
def test_a_tree_that_unfolds_without_end(world: World) -> None:
    """Trees that share trees can name a billion files in a few kilobytes: counted, they are refused at once."""
    inner = world.tree({"a": b"a"})
    for _ in range(9):
        inner = world.raw_tree([("40000", f"d{number}", inner) for number in range(10)])
    tree = world.tree({"trust.yaml": world.files["trust.yaml"], "haproxy": ("40000", inner)})
    head = world.move(_signed(world, tree))  # nobody reviews it: git itself would never come to an end with it
    world.refused("E_LIMIT")
    repository = world.open()
    with pytest.raises(NotTrustedError) as caught:
        repository.blobs(head)  # as a plan of a proposed commit would
    repository.close()
    assert caught.value.code == "E_LIMIT"


@pytest.mark.attack("E_LIMIT")
def test_a_file_too_large_to_be_read_at_all(world: World) -> None:
    """A file of 50 MB is refused by its size, before its bytes are read."""
    _reviewed(world, world.tree(world.with_file(content=b"0" * 50_000_000)))
    assert "more than" in world.refused("E_LIMIT").message


@pytest.mark.attack("E_TREE_ENTRY")
def test_a_link_in_the_branch_that_the_merge_does_not_have(world: World) -> None:
    """What is read of a branch to judge its merge is held to the same rules."""
    base = world.introduction
    tree = world.tree({**world.files, "docs/a": ("120000", world.store("blob", b"a"))})
    payload = world.payload(tree, [base])
    side = world.store("commit", with_signature(payload, world.armor(payload, "alice")))
    head = world.move(world.commit(world.files, [base, side], "bob"))
    world.review_raw("carol", base, head)
    world.refused("E_TREE_ENTRY")


@pytest.mark.attack("E_TREE_ENTRY")
def test_a_link_in_a_commit_that_was_pushed_with_others(world: World) -> None:
    """Each commit of a group lies on the branch: one that held a link for a moment is refused, reviewed or not."""
    base = world.introduction
    tree = world.tree({**world.files, "docs/a": ("120000", world.store("blob", b"a"))})
    first = world.signed(world.payload(tree, [base]), "alice")
    head = world.move(world.commit(world.with_file(), [first]))
    world.review_raw("carol", base, head)
    assert world.refused("E_TREE_ENTRY").message.startswith("'docs/a' is a symbolic link")


@pytest.mark.attack("E_LIMIT")
@pytest.mark.parametrize("limit", ["file_bytes", "tree_bytes", "files"])
def test_a_tree_larger_than_the_policy_allows(world: World, limit: str) -> None:
    """Files and trees are bounded by the policy in force; up to the bound they are accepted."""
    policy = len(policy_bytes(policy_document(world.publics, limits={limit: 1000})))
    fleet = len(world.files["haoam.yaml"])
    most = {"file_bytes": policy + 100, "tree_bytes": policy + fleet + 100, "files": 4}
    world = world.other(policy_document(world.publics, limits={limit: most[limit]}))
    small = world.move(world.commit(world.with_file("docs/a", b"a"), [world.introduction]))
    world.review("bob", world.introduction, small)
    assert world.verify().commit.id == small
    files = {**world.with_file("docs/a", b"x" * most["file_bytes"] + b"x"), "docs/b": b"b"}
    large = world.move(world.commit(files, [small]))
    world.review("bob", small, large)
    world.refused("E_LIMIT")
