"""Attacks on history: what builds on what, and merges that hold more than their sides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from trust_world import World, git, policy_document

from haoam_sync.model.host_root import HostRoot
from haoam_sync.trust import ssh


def _branch(world: World, path: str = "docs/web.md", content: bytes = b"side\n", base: str = "") -> str:
    """A signed commit on a side branch, started from the introduction commit unless told."""
    side = world.commit(world.with_file(path, content), [base or world.introduction], "dave")
    return world.move(side, "refs/heads/side")


def _merged(world: World, base: str, side: str, files: dict[str, Any], signer: str = "bob") -> str:
    return world.move(world.commit(files, [base, side], signer))


# --- controls --------------------------------------------------------------------------------------------------------


def test_control_a_merge_of_a_reviewed_branch(world: World) -> None:
    """A branch that builds on the base, reviewed by its head, is merged by a third person, who contributes nothing."""
    side = _branch(world)
    world.review("bob", world.introduction, side)
    head = _merged(world, world.introduction, side, world.with_file(content=b"side\n"))
    commit = world.verify().commit
    assert (commit.id, commit.author, commit.committer, commit.reviewers) == (head, "dave", "bob", ("bob",))


def test_control_several_commits_under_one_review(world: World) -> None:
    """Commits pushed together are one step when a review binds their two ends."""
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction])
    second = world.move(world.commit(world.with_file(content=b"2\n"), [first]))
    world.review("bob", world.introduction, second)
    accepted = world.verify()
    assert [step.id for step in accepted.steps] == [world.introduction, second]
    assert len(accepted.commit.signers) == 2


def test_control_a_revert(world: World) -> None:
    """Going back is a new commit, signed and reviewed."""
    head = world.accepted_change()
    revert = world.move(world.commit(world.files, [head]))
    world.review("bob", head, revert)
    assert world.verify().commit.id == revert


def test_control_two_branches_reviewed_on_one_base(world: World) -> None:
    """Two branches from one base, whose paths are disjoint, merge one after the other without a second review."""
    one = _branch(world, "docs/one.md")
    two = world.move(world.commit(world.with_file("docs/two.md"), [world.introduction], "carol"), "refs/heads/two")
    world.review("bob", world.introduction, one)
    world.review("bob", world.introduction, two)
    files = world.with_file("docs/one.md", b"side\n")
    first = _merged(world, world.introduction, one, files)
    second = _merged(world, first, two, {**files, "docs/two.md": b"two\n"})
    assert [step.id for step in world.verify().steps] == [world.introduction, first, second]


# --- E_PARENTS -------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_PARENTS")
def test_an_octopus_merge(world: World) -> None:
    """A merge of more than two branches can not be reviewed."""
    base = world.introduction
    sides = [world.commit(world.with_file(f"haproxy/{name}.yaml"), [base]) for name in ("a", "b")]
    head = world.move(world.commit(world.with_file(), [base, *sides]))
    world.review_raw("bob", base, head)
    assert world.refused("E_PARENTS").where == head


@pytest.mark.attack("E_PARENTS")
def test_a_merge_the_wrong_way_round(world: World) -> None:
    """A merge of the policy's branch into another one does not carry it on."""
    trusted = world.accepted_change()
    side = _branch(world, "docs/side.md")
    head = _merged(world, side, trusted, {**world.with_file(), "docs/side.md": b"side\n"})
    world.review("carol", trusted, head)
    world.refused("E_PARENTS")


# --- E_TREE_MISMATCH, E_NOT_UP_TO_DATE -------------------------------------------------------------------------------


@pytest.mark.attack("E_TREE_MISMATCH")
def test_an_evil_merge(world: World) -> None:
    """A merge that holds something that its reviewed branch has not is refused."""
    side = _branch(world)
    world.review("carol", world.introduction, side)
    _merged(world, world.introduction, side, world.with_file(content=b"evil\n"))
    world.refused("E_TREE_MISMATCH")


@pytest.mark.attack("E_TREE_MISMATCH")
def test_an_evil_merge_of_disjoint_branches(world: World) -> None:
    """A merge of two sides that touch different files must be exactly both."""
    trusted = world.accepted_change()
    side = _branch(world, "docs/side.md")
    world.review("carol", world.introduction, side)
    _merged(world, trusted, side, {**world.with_file(content=b"evil\n"), "docs/side.md": b"side\n"})
    world.refused("E_TREE_MISMATCH")


@pytest.mark.attack("E_TREE_MISMATCH")
def test_a_merger_who_is_no_author_adds_something(world: World, publics: dict[str, str]) -> None:
    """Whoever may only merge may not write, reviewed or not."""
    spec = policy_document(publics)
    spec["principals"]["erin"] = {"keys": [{"id": "erin-1", "type": "ssh", "public": publics["erin"]}]}
    spec["roles"]["merger"]["members"].append("erin")
    world = world.other(spec)
    side = _branch(world)
    head = _merged(world, world.introduction, side, world.with_file(content=b"mine\n"), "erin")
    world.review("bob", world.introduction, head)
    world.refused("E_TREE_MISMATCH")


def test_control_a_merger_who_is_no_author(world: World, publics: dict[str, str]) -> None:
    """Whoever may only merge merges what was reviewed."""
    spec = policy_document(publics)
    spec["principals"]["erin"] = {"keys": [{"id": "erin-1", "type": "ssh", "public": publics["erin"]}]}
    spec["roles"]["merger"]["members"].append("erin")
    world = world.other(spec)
    side = _branch(world)
    world.review("bob", world.introduction, side)
    head = _merged(world, world.introduction, side, world.with_file(content=b"side\n"), "erin")
    commit = world.verify().commit
    assert (commit.id, commit.committer, commit.author) == (head, "erin", "dave")


@pytest.mark.attack("E_NOT_UP_TO_DATE")
def test_a_clean_merge_on_a_base_that_moved(world: World, publics: dict[str, str]) -> None:
    """Where branches must be up to date, a review on an older base does not count, however clean the merge."""
    world = world.other(
        policy_document(publics, merge={"methods": ["fast-forward", "merge"], "up_to_date": "required"})
    )
    side = _branch(world, "docs/side.md")
    world.review("carol", world.introduction, side)
    trusted = world.accepted_change()
    _merged(world, trusted, side, {**world.with_file(), "docs/side.md": b"side\n"})
    world.refused("E_NOT_UP_TO_DATE")


@pytest.mark.attack("E_NOT_UP_TO_DATE")
def test_a_merge_of_branches_that_touch_the_same_file(world: World) -> None:
    """Two changes of one file were never seen together by any reviewer."""
    side = _branch(world)
    world.review("carol", world.introduction, side)
    trusted = world.accepted_change(content=b"ours\n")
    _merged(world, trusted, side, world.with_file(content=b"side\n"))
    world.refused("E_NOT_UP_TO_DATE")


@pytest.mark.attack("E_NOT_UP_TO_DATE")
def test_a_branch_that_does_not_build_on_the_base_it_was_judged_against(world: World) -> None:
    """A branch from before the base would take the base's change back: a review of its head does not say that."""
    side = _branch(world, "docs/side.md")
    trusted = world.accepted_change()
    world.review("carol", trusted, side)
    _merged(world, trusted, side, {**world.files, "docs/side.md": b"side\n"})
    world.refused("E_NOT_UP_TO_DATE")


@pytest.mark.attack("E_CHANGE_MISMATCH")
def test_a_disjoint_merge_that_does_another_change(world: World) -> None:
    """Disjoint files can still do something else together: the change digest of the merge must be the reviewed one."""
    side = _branch(world, "docs/side.md")
    world.review("carol", world.introduction, side)
    trusted = world.accepted_change()
    head = _merged(world, trusted, side, {**world.with_file(), "docs/side.md": b"side\n"})
    world.digests[trusted, head] = "sha256:" + "0" * 64
    world.refused("E_CHANGE_MISMATCH")


# --- E_NOT_FAST_FORWARD, E_NOT_DESCENDANT ----------------------------------------------------------------------------


@pytest.mark.attack("E_NOT_FAST_FORWARD")
def test_the_branch_reset_to_an_older_trusted_commit(world: World) -> None:
    """What was accepted once is not accepted again after something newer."""
    world.accepted_change()
    world.move(world.introduction)
    assert "older" in world.refused("E_NOT_FAST_FORWARD").message


@pytest.mark.attack("E_NOT_FAST_FORWARD")
def test_a_sibling_history_all_signed_and_reviewed(world: World) -> None:
    """Another history from the same beginning is refused, and both ids are named."""
    trusted = world.accepted_change()
    other = world.move(world.commit(world.with_file(content=b"other\n"), [world.introduction]))
    world.review("bob", world.introduction, other)
    refusal = world.refused("E_NOT_FAST_FORWARD")
    assert trusted in refusal.message
    assert other in refusal.message


@pytest.mark.attack("E_NOT_DESCENDANT")
def test_a_history_from_before_the_introduction(world: World) -> None:
    """What descends only from an ancestor of the introduction commit has no meaning."""
    before = world.introduction
    world.introduction = world.move(world.commit(world.with_file(), [before]))
    world.root = _root(world)
    other = world.move(world.commit(world.with_file(content=b"other\n"), [before]))
    world.review_raw("bob", before, other)
    world.refused("E_NOT_DESCENDANT")


@pytest.mark.attack("E_NOT_DESCENDANT")
def test_a_merge_of_a_branch_from_before_the_introduction(world: World) -> None:
    """A branch that goes around the introduction commit brings unchecked history in."""
    before = world.introduction
    world.introduction = world.move(world.commit(world.with_file(), [before]))
    world.root = _root(world)
    side = _branch(world, "docs/side.md", base=before)
    head = _merged(world, world.introduction, side, {**world.with_file(), "docs/side.md": b"side\n"})
    world.review("carol", world.introduction, head)
    world.refused("E_NOT_DESCENDANT")


@pytest.mark.attack("E_NOT_DESCENDANT")
def test_a_merge_of_an_unrelated_history(world: World) -> None:
    """A branch without any common commit is refused."""
    side = world.commit({"docs/side.md": b"side\n"}, [], "dave")
    head = _merged(world, world.introduction, side, {**world.files, "docs/side.md": b"side\n"})
    world.review("carol", world.introduction, head)
    world.refused("E_NOT_DESCENDANT")


def _root(world: World) -> HostRoot:
    return replace(world.root, introduction=world.introduction)


@pytest.mark.attack("E_LIMIT")
def test_more_commits_in_one_step_than_the_policy_allows(world: World, publics: dict[str, str]) -> None:
    """A step that nobody can oversee is refused."""
    world = world.other(policy_document(publics, limits={"commits": 2}))
    head = world.introduction
    for number in range(3):
        head = world.commit(world.with_file(content=b"%d\n" % number), [head])
    world.move(head)
    world.review("bob", world.introduction, head)
    world.refused("E_LIMIT")


def test_what_is_accepted_is_good_for_git_too(world: World) -> None:
    """Differential: every accepted commit verifies with git itself, and fsck finds nothing."""
    world.accepted_change()
    head = world.accepted_change(content=b"three\n")
    signers = world.place / "allowed"
    signers.write_text("".join(f"{name} {ssh.public_of(key)}\n" for name, key in world.keys.items()))
    git(world.repo, "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", head, f"{head}~1", f"{head}~2")
    git(world.repo, "fsck", "--strict", "--full")
