"""Statements that come back, and reviews that are older than what is built on them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from trust_world import World

from haoam_sync.model.evidence import encode_statement, format_time


def _change(world: World) -> str:
    return world.move(world.commit(world.with_file("docs/web.md", b"two\n"), [world.introduction], "alice"))


def _said(world: World, head: str, **changes: str) -> bytes:
    return world.envelope(encode_statement(world.predicate("bob", world.introduction, head, changes)), "bob")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
@pytest.mark.parametrize("decision", ["withdraw", "reject"])
def test_an_approval_pushed_again_after_the_no(world: World, decision: str) -> None:
    """An approval that its author took back stays taken back when somebody pushes the old envelope again."""
    head = _change(world)
    approval = _said(world, head)
    world.attest(approval)
    world.attest(_said(world, head, decision=decision))
    world.refused("E_REVIEW_WITHDRAWN")
    world.attest(approval)
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_an_approval_that_was_held_back_until_after_the_no(world: World) -> None:
    """An approval signed before the rejection, and first pushed after it, is no change of mind."""
    head = _change(world)
    world.attest(_said(world, head, decision="reject"))
    world.attest(_said(world, head, issued=format_time(world.now - timedelta(hours=2))))
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_REVIEW_EXPIRED")
def test_an_expired_approval_under_a_later_step(world: World) -> None:
    """On a host that remembers, an approval that expired does not count because something else was merged on top."""
    world.verify()
    c = world.move(world.commit(world.with_file(content=b"evil\n"), [world.introduction], "alice"))
    old = world.now - timedelta(days=30)
    world.review("bob", world.introduction, c, issued=format_time(old), expires=format_time(old + timedelta(days=7)))
    world.refused("E_REVIEW_EXPIRED")
    b = world.commit(world.with_file("docs/x.md", b"x\n"), [world.introduction], "alice")
    world.review("carol", world.introduction, b)
    both = {**world.with_file(content=b"evil\n"), "docs/x.md": b"x\n"}
    world.move(world.commit(both, [c, b], "alice"))
    world.refused("E_REVIEW_EXPIRED")
