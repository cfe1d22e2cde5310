"""Attacks on freezes: one root holds everything, and only a quorum of the roots lets go."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from root_words import a_freeze, compromise, freeze, say, thaw
from trust_world import World, git, policy_bytes, policy_document

from haoam_sync import trust
from haoam_sync.model.evidence import Policy, Seen, format_time
from haoam_sync.model.json import digest_bytes


def _reviewed(world: World, signer: str = "alice", reviewer: str = "bob") -> str:
    head = world.move(world.commit(world.with_file(), [world.introduction], signer))
    world.review(reviewer, world.introduction, head)
    return head


def _anew(world: World, head: str) -> trust.Accepted:
    """What a host without a memory finds."""
    repository = world.open()
    try:
        begun = trust.TrustState(world.introduction, world.root.ref)
        return trust.verify(trust.Grounds(repository, world.root, begun, world.now, world.change_digest), head)
    finally:
        repository.close()


@pytest.mark.attack("E_FROZEN")
def test_a_second_freeze_with_the_id_of_the_first(world: World) -> None:
    """A freeze is named by its content: a new one that takes a lifted one's id over holds."""
    _reviewed(world)
    first = freeze(world, "alice")
    for name in ("bob", "carol"):
        thaw(world, name, first)
    second = freeze(world, "alice", id=first.id, reason="another one")
    world.refused("E_FROZEN")
    for name in ("bob", "carol"):
        thaw(world, name, second)
    world.verify()


def test_a_lifted_freeze_pushed_again_says_nothing_new(world: World) -> None:
    """Whoever may push can not freeze by pushing an old freeze again."""
    head = _reviewed(world)
    first = freeze(world, "alice")
    for name in ("bob", "carol"):
        thaw(world, name, first)
    say(world, first)
    assert world.verify().commit.id == head


@pytest.mark.attack("E_FROZEN")
@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "1" * 40},
        {"ref": "refs/heads/other"},
        {"freeze": "0" * 32},
        {"issued": "2099-01-01T00:00:00Z"},
    ],
    ids=lambda changes: next(iter(changes)) + str(next(iter(changes.values())))[:4],
)
def test_a_thaw_that_belongs_elsewhere(world: World, changes: dict[str, Any]) -> None:
    """A thaw for another repository, branch or freeze, or of the future, lifts nothing."""
    _reviewed(world)
    frozen = freeze(world, "alice")
    thaw(world, "bob", frozen)
    thaw(world, "carol", frozen, **changes)
    world.refused("E_FROZEN")
    thaw(world, "carol", frozen)
    world.verify()


@pytest.mark.attack("E_FROZEN")
def test_a_freeze_of_the_future_and_one_of_long_ago(world: World) -> None:
    """Time does not lift a freeze, and neither does a clock that goes wrong."""
    _reviewed(world)
    freeze(world, "alice", issued=format_time(world.now + timedelta(days=400)))
    world.refused("E_FROZEN")
    freeze(world, "bob", issued=format_time(world.now - timedelta(days=4000)))
    world.refused("E_FROZEN")


def test_a_freeze_in_the_name_of_next_year_can_be_lifted(world: World) -> None:
    """One root stops everything, and never for good: a quorum lifts it today, and next year it is lifted, too."""
    head = _reviewed(world)
    late = freeze(world, "alice", issued=format_time(world.now + timedelta(days=400)))
    world.refused("E_FROZEN")
    thaw(world, "bob", late, issued=format_time(world.now))
    world.refused("E_FROZEN")
    thaw(world, "carol", late, issued=format_time(world.now))
    assert world.verify().commit.id == head
    world.now += timedelta(days=401)
    assert world.verify().commit.id == head


@pytest.mark.attack("E_FROZEN")
def test_a_thaw_by_keys_that_ended_in_the_name_of_last_year(world: World, publics: dict[str, str]) -> None:
    """A quorum of keys that nobody may use any more lifts nothing, whatever time it writes."""
    spec = policy_document(publics)
    for name in ("bob", "carol"):
        spec["principals"][name]["keys"][0]["not_after"] = "2027-03-02"
    world = world.other(spec)
    head = _reviewed(world, "dave", "bob")
    world.verify()
    world.now += timedelta(days=3)
    frozen = freeze(world, "alice")
    for name in ("bob", "carol"):
        thaw(world, name, frozen, issued=format_time(world.now - timedelta(days=30)))
    world.refused("E_FROZEN", head)


@pytest.mark.parametrize("status", ["retired", "compromised"])
@pytest.mark.parametrize("what", ["freeze", "compromise"])
def test_a_key_that_never_was_active_says_nothing(
    world: World, publics: dict[str, str], status: str, what: str
) -> None:
    """A root's key that no accepted policy ever called active neither stops anything nor calls keys stolen."""
    spec = policy_document(publics)
    old = {"id": "alice-0", "type": "ssh", "public": publics["alice-new"], "status": status}
    spec["principals"]["alice"]["keys"].append(old)
    world = world.other(spec)
    head = _reviewed(world)
    if what == "freeze":
        freeze(world, "alice", "alice-new", key_id="alice-0")
    else:
        compromise(world, "alice", "bob", "alice-new", key_id="alice-0")
    assert world.verify().commit.id == head


@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31"])
def test_a_freeze_of_a_time_near_which_nothing_can_be_reckoned(world: World, year: str) -> None:
    """What one root says of the year 1 or 9999 can not be read: it holds nothing, and breaks no thaw."""
    head = _reviewed(world)
    odd = a_freeze(world, "alice").model_copy(update={"issued": f"{year}T00:00:00Z"})
    say(world, odd)
    for name in ("bob", "carol"):
        thaw(world, name, odd)
    assert world.verify().commit.id == head


def _rotated(world: World, base: str, **changes: Any) -> str:
    """A new policy by alice, agreed on by bob and carol, with `changes` in its spec."""
    before = git(world.repo, "cat-file", "blob", f"{base}:trust.yaml")
    spec = json.loads(before)["spec"]
    spec |= {"serial": spec["serial"] + 1, "previous": digest_bytes(before)} | changes
    world.files = {**world.files, "trust.yaml": policy_bytes(spec)}
    head = world.move(world.commit(world.files, [base]))
    for name in ("bob", "carol"):
        world.review(name, base, head)
    return head


def _without(world: World, name: str, status: str) -> dict[str, Any]:
    principals = json.loads(json.dumps(world.spec["principals"]))
    new = {"id": f"{name}-2", "type": "ssh", "public": world.publics[f"{name}-new"]}
    principals[name]["keys"] = [principals[name]["keys"][0] | {"status": status}, new]
    return principals  # type: ignore[no-any-return]


@pytest.mark.attack("E_FROZEN")
def test_a_freeze_by_a_key_that_was_retired_later(world: World) -> None:
    """The rotation of the key that froze lifts nothing: neither merged before the host looks, nor known before."""
    head = _rotated(world, world.introduction, principals=_without(world, "alice", "retired"))
    frozen = freeze(world, "alice")
    world.refused("E_FROZEN", head)
    for name in ("bob", "carol"):
        thaw(world, name, frozen)
    world.verify(head)
    freeze(world, "alice")
    world.refused("E_FROZEN", head)


def test_control_a_lifted_freeze_stays_lifted_when_keys_are_retired(world: World) -> None:
    """Rotation after a thaw does not freeze again: for the host that saw it, and for one that begins."""
    frozen = freeze(world, "alice")
    for name in ("alice", "bob"):
        thaw(world, name, frozen)
    world.verify()
    head = _rotated(world, world.introduction, principals=_without(world, "bob", "retired"))
    assert world.verify(head).commit.id == head
    last = world.move(world.commit({**world.files, "docs/x.md": b"x\n"}, [head]))
    world.review("carol", head, last)
    assert world.verify(last).commit.id == last
    assert _anew(world, last).commit.id == last


@pytest.mark.attack("E_FROZEN")
def test_a_thaw_by_a_retired_key_or_a_former_root(world: World) -> None:
    """Under a policy without them, the key that was retired and the root who left lift nothing."""
    roles = json.loads(json.dumps(world.spec["roles"]))
    roles["root"]["members"] = ["alice", "bob", "dave"]
    head = _rotated(world, world.introduction, roles=roles, principals=_without(world, "bob", "retired"))
    world.review("dave", world.introduction, head)
    world.verify(head)
    policy = git(world.repo, "cat-file", "blob", f"{head}:trust.yaml")
    frozen = freeze(world, "alice", policy={"serial": 2, "digest": digest_bytes(policy)})
    for name in ("bob", "carol", "alice"):
        thaw(world, name, frozen)
    world.refused("E_FROZEN", head)
    thaw(world, "dave", frozen)
    world.verify(head)


def test_a_former_root_freezes_nothing(world: World) -> None:
    """Who was taken out of the roots by their quorum holds nothing any more."""
    roles = json.loads(json.dumps(world.spec["roles"]))
    roles["root"]["members"] = ["alice", "bob", "dave"]
    head = _rotated(world, world.introduction, roles=roles)
    world.review("dave", world.introduction, head)
    world.verify(head)
    freeze(world, "carol")
    assert world.verify(head).commit.id == head
    freeze(world, "dave")
    world.refused("E_FROZEN", head)


def test_control_keys_that_came_after_the_commit_accepted_last_lift_a_freeze(world: World) -> None:
    """A new host, and one that lags behind a rotation, get on: the keys that lifted the freeze are on the way there."""
    world.verify()
    head = _rotated(world, world.introduction, principals=_without(world, "alice", "retired"))
    policy = git(world.repo, "cat-file", "blob", f"{head}:trust.yaml")
    named = Policy(serial=2, digest=digest_bytes(policy))
    frozen = freeze(world, "carol", policy=named)
    thaw(world, "bob", frozen, policy=named)
    world.refused("E_FROZEN", head)
    thaw(world, "alice", frozen, "alice-new", key_id="alice-2", policy=named)
    assert _anew(world, head).commit.id == head
    assert world.verify(head).commit.id == head


def test_control_a_freeze_stays_lifted_when_a_root_who_helped_leaves(world: World) -> None:
    """A change of the roots brings no old freeze back."""
    frozen = freeze(world, "alice")
    for name in ("alice", "carol"):
        thaw(world, name, frozen)
    world.verify()
    roles = json.loads(json.dumps(world.spec["roles"]))
    roles["root"]["members"] = ["alice", "bob", "dave"]
    head = _rotated(world, world.introduction, roles=roles)
    assert world.verify(head).commit.id == head
    assert world.verify(head).commit.id == head


@pytest.mark.attack("E_FROZEN")
def test_waiting_until_the_key_that_froze_expires(world: World, publics: dict[str, str]) -> None:
    """The end of a key lifts no freeze; and what was lifted in time stays lifted after it."""
    spec = policy_document(publics)
    for name in ("alice", "carol"):
        spec["principals"][name]["keys"][0]["not_after"] = "2027-03-02"
    world = world.other(spec)
    world.verify()
    head = _reviewed(world, "dave", "bob")
    frozen = freeze(world, "alice")
    world.now += timedelta(days=3)
    world.refused("E_FROZEN", head)
    thaw(world, "bob", frozen)
    thaw(world, "carol", frozen)
    world.refused("E_FROZEN", head)  # that key ended before
    world.now -= timedelta(days=3)
    thaw(world, "carol", frozen)
    world.now += timedelta(days=3)
    assert world.verify(head).commit.id == head


def test_a_root_who_left_cannot_hold_everything_by_what_he_saw(world: World) -> None:
    """A former root's statement that names what nobody has is passed over."""
    frozen = freeze(world, "alice")
    for name in ("alice", "bob"):
        thaw(world, name, frozen)
    roles = json.loads(json.dumps(world.spec["roles"]))
    roles["root"]["members"] = ["alice", "bob", "dave"]
    head = _rotated(world, world.introduction, roles=roles)
    world.verify(head)
    thaw(world, "carol", frozen, seen=Seen(attestations="2" * 40))
    assert world.verify(head).commit.id == head


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_root_silences_who_rejected_his_change(world: World) -> None:
    """The no of a reviewer holds when another root calls his key compromised: nobody silences him alone."""
    world.verify()
    head = _reviewed(world, "dave", "carol")
    world.review("bob", world.introduction, head, decision="reject")
    world.refused("E_REVIEW_WITHDRAWN", head)
    compromise(world, "carol", "bob")
    world.refused("E_REVIEW_WITHDRAWN", head)
    denylist = world.place / "denied"
    denylist.write_text("bob/bob-1\n")
    denylist.chmod(0o644)
    world.root = replace(world.root, denylist=denylist)
    assert world.verify(head).commit.id == head


@pytest.mark.attack("E_FROZEN")
def test_a_freeze_is_what_is_said_of_a_commit_that_is_wrong_too(world: World) -> None:
    """Whoever looks at a commit that would be refused anyway learns that everything is held."""
    world.verify()
    world.move(world.commit(world.with_file(), [world.introduction], None))
    world.refused("E_UNSIGNED")
    freeze(world)
    world.refused("E_FROZEN")
