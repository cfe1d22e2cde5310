"""Attacks with stolen keys: what rests on one holds everything, however old, until a quorum of the roots affirms it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from root_words import affirm, compromise, names, say
from trust_world import World, git, policy_bytes

from haoam_sync import trust
from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import format_time
from haoam_sync.model.json import digest_bytes
from haoam_sync.trust import compromises
from haoam_sync.trust.sshsig import fingerprint


def _next(world: World, base: str, content: bytes, signer: str = "alice", reviewers: tuple[str, ...] = ("bob",)) -> str:
    head = world.move(world.commit({**world.files, "docs/web.md": content}, [base], signer))
    for name in reviewers:
        world.review(name, base, head)
    return head


def _history(world: World, signer: str = "dave", reviewer: str = "bob") -> tuple[str, str]:
    """A step with the key in question, and one on top of it with other keys; both accepted."""
    first = _next(world, world.introduction, b"1\n", signer, (reviewer,))
    second = _next(world, first, b"2\n", "alice", ("carol",))
    world.verify(first)
    world.verify(second)
    return first, second


def _policy(world: World, base: str, signer: str, reviewers: tuple[str, ...], **changes: Any) -> str:
    """A new policy on top of `base`."""
    before = git(world.repo, "cat-file", "blob", f"{base}:trust.yaml")
    spec = json.loads(before)["spec"]
    spec |= {"serial": spec["serial"] + 1, "previous": digest_bytes(before)} | changes
    content = git(world.repo, "cat-file", "blob", f"{base}:docs/web.md")
    world.files = {**world.files, "docs/web.md": content, "trust.yaml": policy_bytes(spec)}
    head = world.move(world.commit(world.files, [base], signer))
    for name in reviewers:
        world.review(name, base, head)
    return head


def _deny(world: World, *lines: str) -> None:
    path = world.place / "denylist"
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(0o600)
    world.root = replace(world.root, denylist=path)


def _forget(world: World) -> None:
    """What a new host remembers: nothing."""
    folder = world.place / "state" / "trust"
    folder.rename(world.place / f"elsewhere-{len(list(world.place.iterdir()))}")


def _asked(world: World, what: str, **options: Any) -> trust.Accepted:
    with closing(world.open()) as repository:
        state = trust.load_state(world.place / "state", world.root)
        ask = {"advance": trust.advance, "kept": trust.kept}[what]
        return ask(trust.Grounds(repository, world.root, state, world.now, world.change_digest, **options))


# --- it holds --------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("owner", ["dave", "bob"])
@pytest.mark.parametrize("how", ["statement", "denylist", "name"])
def test_old_history_that_rests_on_a_stolen_key(world: World, owner: str, how: str) -> None:
    """Behind the commit accepted last, too: signed or reviewed with it; nothing new on top mends that."""
    first, second = _history(world)
    world.reaches_the_api()
    if how == "statement":
        compromise(world, "carol", owner)
    else:
        _deny(world, fingerprint(world.publics[owner]) if how == "denylist" else f"{owner}/{owner}-1")
    assert world.refused("E_KEY_REVOKED", second).where == first
    third = _next(world, second, b"3\n", "alice", ("carol",))
    assert world.refused("E_KEY_REVOKED", third).where == first
    unsigned = world.commit({**world.files, "docs/web.md": b"4\n"}, [second], None)
    assert world.refused("E_KEY_REVOKED", world.move(unsigned)).where == first  # said first, whatever else is wrong


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("what", ["advance", "kept"])
def test_endpoints_of_a_commit_that_rests_on_a_stolen_key(world: World, what: str) -> None:
    """Plans of proposals, drift and adoption take no endpoint and no login from it, nor from what builds on it."""
    first, second = _history(world)
    assert _asked(world, what).commit.id == second
    compromise(world, "carol", "dave")
    with pytest.raises(NotTrustedError) as caught:
        _asked(world, what)
    assert (caught.value.code, caught.value.where) == ("E_KEY_REVOKED", first)


@pytest.mark.attack("E_KEY_REVOKED")
def test_a_memory_that_began_after_the_theft(world: World) -> None:
    """What a host does not remember is judged again: an operator's word does not hide what a commit builds on."""
    first, second = _history(world)
    with closing(world.open()) as repository:
        begun = trust.load_state(world.place / "state", world.root).commit
        assert begun is not None
        state = trust.TrustState(world.introduction, world.root.ref, begun, "", 1, "x")

        def grounds() -> trust.Grounds:
            what = (repository, world.root, state, world.now, world.change_digest)
            return trust.Grounds(*what, past=lambda: (begun,))

        assert trust.verify(grounds(), second).commit.id == second
        _deny(world, fingerprint(world.publics["mallory"]))
        assert trust.verify(grounds(), second).commit.id == second
        for name in (fingerprint(world.publics["dave"]), "dave/dave-1"):
            _deny(world, name)
            with pytest.raises(NotTrustedError) as caught:
                trust.verify(grounds(), second)
            assert (caught.value.code, caught.value.where) == ("E_KEY_REVOKED", first)


@pytest.mark.attack("E_KEY_REVOKED")
def test_a_compromise_by_a_root_who_came_later(world: World) -> None:
    """A root of the newest policy is heard about the oldest step: by the host that remembers, and by a new one."""
    first, second = _history(world)
    roles = json.loads(json.dumps(world.spec["roles"]))
    roles["root"]["members"] = ["alice", "carol", "dave", "bob"]
    head = _policy(world, second, "alice", ("carol", "bob"), roles=roles)
    policy = git(world.repo, "cat-file", "blob", f"{head}:trust.yaml")
    compromise(world, "dave", "bob", policy={"serial": 2, "digest": digest_bytes(policy)})
    assert world.refused("E_KEY_REVOKED", head).where == first
    _forget(world)
    assert world.refused("E_KEY_REVOKED", head).where == first


def test_control_a_stolen_key_that_had_no_part_in_anything(world: World) -> None:
    """A key that signed nothing holds nothing, and neither does the one that signed the introduction commit alone."""
    first = _next(world, world.introduction, b"1\n", "dave", ("bob",))
    world.verify()
    compromise(world, "carol", "alice")
    _deny(world, "mallory/mallory-1")
    head = _next(world, first, b"2\n", "dave", ("carol",))
    world.verify(head)
    world.reaches_the_api()
    _forget(world)
    assert world.verify(head).commit.id == head


def test_control_a_superfluous_review_of_a_new_step(world: World) -> None:
    """A step that has enough reviews without the stolen key's does not rest on it."""
    head = _next(world, world.introduction, b"1\n", "dave", ("bob", "alice"))
    compromise(world, "carol", "bob")
    assert world.verify(head).commit.reviewers == ("alice",)
    assert world.verify(head).commit.id == head


# --- a quorum affirms it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", ["dave", "bob"])
@pytest.mark.parametrize("new", [False, True], ids=["a host that remembers", "a new host"])
def test_control_a_quorum_affirms_what_rests_on_a_stolen_key(world: World, owner: str, *, new: bool) -> None:
    """Two roots who looked let it stand, for every host; what the key signs afterwards counts for nothing."""
    _, second = _history(world)
    compromise(world, "carol", owner)
    for name in ("alice", "carol"):
        affirm(world, name, second, owner)
    if new:
        _forget(world)
    assert world.verify(second).commit.id == second
    world.reaches_the_api()
    third = _next(world, second, b"3\n", "alice", ("carol",))
    assert world.verify(third).commit.id == third
    signer, reviewer = ("dave", "carol") if owner == "dave" else ("dave", "bob")
    world.refused("E_KEY_REVOKED", _next(world, third, b"4\n", signer, (reviewer,)))


def test_control_a_quorum_affirms_what_is_not_accepted_yet(world: World) -> None:
    """A host that lags behind walks to the commit that was affirmed, and on from there."""
    world.verify()
    first = _next(world, world.introduction, b"1\n", "dave", ("bob",))
    compromise(world, "carol", "dave")
    world.refused("E_KEY_REVOKED", first)
    for name in ("bob", "carol"):
        affirm(world, name, first, "dave")
    assert world.verify(first).commit.id == first
    second = _next(world, first, b"2\n")
    assert world.verify(second).commit.id == second


def test_control_two_roots_who_affirm_different_commits(world: World) -> None:
    """Who lets a commit stand lets stand what it builds on: together they reach as far as the one who went less far."""
    first, second = _history(world)
    compromise(world, "carol", "dave")
    affirm(world, "alice", second, "dave")
    affirm(world, "carol", first, "dave")
    assert world.verify(second).commit.id == second


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize(
    "how", ["one root", "twice", "no root", "stolen key", "other key", "other name", "denied key", "earlier commit"]
)
def test_what_does_not_affirm_anything(world: World, how: str) -> None:
    """A quorum is so many different roots, each with a good key of their own, of the very step and key."""
    first, second = _history(world, "bob", "carol")
    compromise(world, "carol", "bob")
    affirm(world, "alice", second, "bob")
    match how:
        case "twice":
            affirm(world, "alice", second, "bob")
        case "no root":
            affirm(world, "dave", second, "bob")
        case "stolen key":
            affirm(world, "bob", second, "bob")
        case "other key":
            affirm(world, "carol", second, "dave")
        case "other name":
            affirm(world, "carol", second, "bob", key="mallory")
        case "denied key":
            _deny(world, fingerprint(world.publics["carol"]))
            affirm(world, "carol", second, "bob", "carol")
            affirm(world, "alice", second, "bob", "carol")
        case "earlier commit":
            affirm(world, "carol", world.introduction, "bob")
    assert world.refused("E_KEY_REVOKED", second).where == first


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize(
    "changes",
    [{"repository": "1" * 40}, {"ref": "refs/heads/other"}, {"tree_sha256": "0" * 64}, {"issued": ""}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_affirmation_that_belongs_elsewhere(world: World, changes: dict[str, Any]) -> None:
    """One for another repository, branch or tree, or of the future, lets nothing stand."""
    _, second = _history(world)
    compromise(world, "carol", "dave")
    affirm(world, "alice", second, "dave")
    if "issued" in changes:
        changes = {"issued": format_time(world.now + timedelta(hours=1))}
    affirm(world, "carol", second, "dave", **changes)
    world.refused("E_KEY_REVOKED", second)
    affirm(world, "carol", second, "dave")
    world.verify(second)


@pytest.mark.attack("E_KEY_REVOKED")
def test_a_key_that_is_found_out_after_an_affirmation(world: World) -> None:
    """The roots looked for what one key did: another stolen key holds again."""
    first, second = _history(world)
    compromise(world, "carol", "dave")
    for name in ("alice", "carol"):
        affirm(world, name, second, "dave")
    world.verify(second)
    compromise(world, "carol", "bob")
    assert world.refused("E_KEY_REVOKED", second).where == first


@pytest.mark.attack("E_KEY_REVOKED")
def test_a_root_who_helped_to_affirm_and_whose_key_was_stolen(world: World) -> None:
    """A quorum that needed a stolen key was none."""
    _, second = _history(world, "dave", "carol")
    compromise(world, "carol", "dave")
    for name in ("bob", "carol"):
        affirm(world, name, second, "dave")
    world.verify(second)
    compromise(world, "carol", "bob")
    world.refused("E_KEY_REVOKED", second)


@pytest.mark.attack("E_KEY_REVOKED")
def test_thieves_of_a_quorum_make_roots_who_affirm_them(world: World) -> None:
    """Roots whom stolen keys made affirm nothing; those of the last policy before the theft do."""
    principals = json.loads(json.dumps(world.spec["principals"]))
    for name in ("mallory", "erin"):
        principals[name] = {
            "kind": "human",
            "keys": [{"id": f"{name}-1", "type": "ssh", "public": world.publics[name]}],
        }
    roles = json.loads(json.dumps(world.spec["roles"]))
    roles["root"]["members"] = ["mallory", "erin", "dave", "bob", "carol"]
    head = _policy(world, world.introduction, "alice", ("bob",), principals=principals, roles=roles)
    for name in ("mallory", "erin", "dave"):
        world.review(name, world.introduction, head)
    world.verify(head)
    compromise(world, "carol", "alice")
    for name in ("mallory", "erin"):
        affirm(world, name, head, "alice", base=head)
    assert world.refused("E_KEY_REVOKED", head).where == head
    _forget(world)
    world.refused("E_KEY_REVOKED", head)
    for name in ("bob", "carol"):
        affirm(world, name, head, "alice")
    assert world.verify(head).commit.id == head


@pytest.mark.parametrize("new", [False, True], ids=["a host that remembers", "a new host"])
def test_control_roots_affirm_with_keys_that_came_after_the_theft(world: World, *, new: bool) -> None:
    """The owner of the stolen key gets another one, and may affirm with it, also for a host that lags behind."""
    first, second = _history(world, "bob", "carol")
    principals = json.loads(json.dumps(world.spec["principals"]))
    principals["bob"]["keys"] = [{"id": "bob-2", "type": "ssh", "public": world.publics["bob-new"]}]
    head = _policy(world, second, "alice", ("carol",), principals=principals)
    world.review("bob", second, head, key="bob-new", key_id="bob-2")
    compromise(world, "carol", "bob")
    assert world.refused("E_KEY_REVOKED", head).where == first
    affirm(world, "bob", head, "bob", key="bob-new", key_id="bob-2", base=head)
    world.refused("E_KEY_REVOKED", head)
    affirm(world, "alice", head, "bob", base=head)
    if new:
        _forget(world)
    assert world.verify(head).commit.id == head


@pytest.mark.attack("E_KEY_REVOKED")
def test_keys_that_were_retired_before_affirm_nothing(world: World) -> None:
    """Old root keys, put aside long ago, do not let stand what came after them; the thief's clock is no help."""
    principals = json.loads(json.dumps(world.spec["principals"]))
    for name in ("alice", "bob"):
        kept = principals[name]["keys"][0] | {"status": "retired"}
        principals[name]["keys"] = [kept, {"id": f"{name}-2", "type": "ssh", "public": world.publics[f"{name}-new"]}]
    head = _policy(world, world.introduction, "alice", ("bob",), principals=principals)
    for name in ("alice", "bob"):
        world.review(name, world.introduction, head, key=f"{name}-new", key_id=f"{name}-2")
    last = _next(world, head, b"1\n", "dave", ("carol",))
    world.verify(last)
    compromise(world, "carol", "dave", policy={"serial": 2, "digest": digest_bytes(world.files["trust.yaml"])})  # type: ignore[arg-type]
    for name in ("alice", "bob"):
        affirm(world, name, last, "dave", issued=format_time(world.now - timedelta(days=300)))
    assert world.refused("E_KEY_REVOKED", last).where == last
    for name in ("alice", "bob"):
        affirm(world, name, last, "dave", key=f"{name}-new", key_id=f"{name}-2", base=last)
    assert world.verify(last).commit.id == last


def test_rubbish_that_looks_like_an_affirmation_gives_a_stolen_key_no_voice(world: World) -> None:
    """Whoever may push can not make hosts listen to the thief's rejections."""
    world.verify()
    head = _next(world, world.introduction, b"1\n", "dave", ("carol",))
    compromise(world, "carol", "bob")
    world.review("bob", world.introduction, head, decision="reject")
    affirm(world, "mallory", head, "bob")
    assert world.verify(head).commit.id == head


@pytest.mark.attack("E_ROOT_QUORUM")
def test_an_affirmation_by_nobody_for_a_key_that_only_the_new_policy_has(world: World) -> None:
    """A new host takes no word of whoever may push for the quorum of the new roots; that of a quorum it does."""
    principals = json.loads(json.dumps(world.spec["principals"]))
    principals["bob"]["keys"] = [{"id": "bob-2", "type": "ssh", "public": world.publics["bob-new"]}]
    head = _policy(world, world.introduction, "alice", ("bob",), principals=principals)
    world.review("bob", world.introduction, head, key="bob-new", key_id="bob-2")
    stolen = fingerprint(world.publics["bob-new"])
    _deny(world, stolen)
    world.refused("E_ROOT_QUORUM")
    affirm(world, "mallory", head, "bob", keys=(stolen,))
    affirm(world, "alice", head, "bob", keys=(stolen,))
    world.refused("E_ROOT_QUORUM")
    affirm(world, "carol", head, "bob", keys=(stolen,))
    assert world.verify().commit.id == head


def test_an_affirmation_that_is_pushed_again_and_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may push can copy a root's word a thousand times: it is looked at once."""
    first, second = _history(world)
    compromise(world, "carol", "dave")
    said = affirm(world, "alice", second, "dave")
    looked: list[str] = []
    counts = compromises._counts

    def watched(*arguments: Any) -> bool:
        looked.append(arguments[3].id)
        return counts(*arguments)

    monkeypatch.setattr(compromises, "_counts", watched)
    world.refused("E_KEY_REVOKED", second)
    once = len(looked)
    for _ in range(3):
        say(world, said)
    looked.clear()
    assert world.refused("E_KEY_REVOKED", second).where == first
    assert len(looked) == once > 0


# --- the last commit beyond doubt ------------------------------------------------------------------------------------


def test_control_a_key_that_was_stolen_after_all_that_it_did(world: World) -> None:
    """What the key did up to the commit that the root names stands, on every host, and nothing after it."""
    first, second = _history(world)
    compromise(world, "carol", "dave", since=first)
    assert world.verify(second).commit.id == second
    world.reaches_the_api()
    third = _next(world, second, b"3\n", "dave", ("carol",))
    world.refused("E_KEY_REVOKED", third)
    _forget(world)
    assert world.verify(second).commit.id == second


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("how", ["before", "elsewhere", "another root", "another root before", "denylist"])
def test_a_commit_beyond_doubt_that_helps_nothing(world: World, how: str) -> None:
    """A commit before the step, or of no history, is no help; neither is one root's word against another's or ours."""
    first, second = _history(world)
    since = {"before": world.introduction, "elsewhere": "0" * 40}.get(how, second)
    if how == "another root before":
        compromise(world, "bob", "dave")
    compromise(world, "carol", "dave", since=since)
    if how == "another root":
        compromise(world, "bob", "dave")
    if how == "denylist":
        _deny(world, fingerprint(world.publics["dave"]))
    assert world.refused("E_KEY_REVOKED", second).where == first


def test_names_of_keys_are_sorted_in_an_affirmation(world: World) -> None:
    """A statement that could be written in two ways is none."""
    said = affirm(world, "alice", world.introduction, "dave")
    assert list(said.keys) == sorted(said.keys) == list(names(world, "dave"))
    with pytest.raises(ValueError, match="sorted"):
        type(said).model_validate(said.model_dump() | {"keys": tuple(reversed(said.keys))})
    assert say(world, said) is said
