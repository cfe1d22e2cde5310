"""Positive controls: what must be accepted, so that the attacks are refused for the right reason."""

from __future__ import annotations

from trust_world import World


def test_the_introduction_commit_is_accepted(world: World) -> None:
    """A host that has seen nothing accepts the commit that its root file names."""
    accepted = world.verify()
    assert accepted.commit.id == world.introduction
    assert [step.id for step in accepted.steps] == [world.introduction]


def test_a_fast_forward_is_accepted(world: World) -> None:
    """A signed commit, reviewed by another person, is accepted with its author and reviewer."""
    base = world.introduction
    head = world.move(world.commit(world.with_file(), [base], "dave"))
    world.review("bob", base, head)
    commit = world.verify().commit
    assert (commit.id, commit.base, commit.author, commit.reviewers) == (head, base, "dave", ("bob",))
    assert commit.change_digest == world.change_digest(base, head)


def test_a_second_verification_finds_nothing_new(world: World) -> None:
    """What is accepted stays accepted, without a new step."""
    head = world.accepted_change()
    again = world.verify()
    assert again.commit.id == head
    assert again.steps == ()
