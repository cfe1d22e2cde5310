"""Statements that come back, and reviews that are older than what is built on them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from trust_world import World, policy_bytes

from haoam_sync.model.evidence import encode_statement, format_time
from haoam_sync.model.json import digest_bytes


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


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_no_behind_a_statement_of_an_old_key_with_its_id(world: World) -> None:
    """Who holds a reviewer's retired key, and the branch of the statements, does not silence the reviewer."""
    principals = json.loads(json.dumps(world.spec["principals"]))
    old = principals["bob"]["keys"][0] | {"status": "retired"}
    principals["bob"]["keys"] = [old, {"id": "bob-2", "type": "ssh", "public": world.publics["bob-new"]}]
    spec = world.spec | {"principals": principals, "serial": 2, "previous": digest_bytes(policy_bytes(world.spec))}
    world.files = {**world.files, "trust.yaml": policy_bytes(spec)}
    base = world.move(world.commit(world.files, [world.introduction]))
    world.review("carol", world.introduction, base)
    world.verify()
    head = world.move(world.commit(world.with_file(), [base], "dave"))
    world.review("carol", base, head)
    world.review("bob", base, head, decision="reject", id="0" * 32)
    world.review("bob", base, head, decision="reject", id="0" * 32, key="bob-new", key_id="bob-2")
    world.refused("E_REVIEW_WITHDRAWN")
