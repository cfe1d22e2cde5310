"""Attacks on the policy itself, and key rotation as the control."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from trust_world import World, git, policy_bytes, policy_document

Spec = dict[str, Any]


def _policy_change(world: World, change: Callable[[Spec], object] | None = None, signer: str = "alice") -> str:
    """A commit that brings the next policy, changed as asked, on top of the branch."""
    base = git(world.repo, "rev-parse", "main").decode().strip()
    spec = next_spec(world, change)
    return world.move(world.commit(world.with_file("trust.yaml", policy_bytes(spec)), [base], signer))


def next_spec(world: World, change: Callable[[Spec], object] | None = None) -> Spec:
    """The policy that follows the first one."""
    spec = policy_document(world.publics, serial=2, previous=world.root.policy)
    if change is not None:
        change(spec)
    return spec


# --- controls --------------------------------------------------------------------------------------------------------


def test_control_a_policy_change_by_two_roots(world: World) -> None:
    """One root signs, another approves: the new policy judges what comes after."""
    first = _policy_change(world)
    world.review("bob", world.introduction, first)
    assert world.verify().commit.policy_serial == 1
    second = world.move(
        world.commit({**world.files, "trust.yaml": policy_bytes(next_spec(world)), "docs/a": b"a"}, [first])
    )
    world.review("bob", first, second)
    assert world.verify().commit.policy_serial == 2


def _rotate_alice(spec: Spec, publics: dict[str, str]) -> None:
    spec["principals"]["alice"]["keys"] = [
        {"id": "alice-1", "type": "ssh", "public": publics["alice"], "status": "retired"},
        {"id": "alice-2", "type": "ssh", "public": publics["alice-new"]},
    ]


def test_control_key_rotation(world: World, publics: dict[str, str]) -> None:
    """A key is replaced: the old one signs its own end, the new one agrees; old history stays valid."""
    world.accepted_change()
    base = git(world.repo, "rev-parse", "main").decode().strip()
    spec = next_spec(world, lambda spec: _rotate_alice(spec, publics))
    files = {**world.with_file(), "trust.yaml": policy_bytes(spec)}
    head = world.move(world.commit(files, [base], "alice"))
    world.review("bob", base, head)
    world.refused("E_ROOT_QUORUM")  # of the new roots only bob agreed with a key that the new policy has
    world.review("alice", base, head, key="alice-new", key_id="alice-2")
    assert world.verify().commit.id == head
    late = world.move(world.commit({**files, "docs/a": b"a"}, [head], "alice"))
    world.review("bob", head, late)
    world.refused("E_KEY_RETIRED")
    new = world.move(world.commit({**files, "docs/a": b"a"}, [head], "alice-new"))
    world.review("bob", head, new)
    assert world.verify().commit.author == "alice"


def test_control_a_new_root_joins(world: World, publics: dict[str, str]) -> None:
    """Two old roots who stay roots are a quorum of both."""

    def add(spec: Spec) -> None:
        spec["principals"]["erin"] = {"keys": [{"id": "erin-1", "type": "ssh", "public": publics["erin"]}]}
        spec["roles"]["root"]["members"].append("erin")

    head = _policy_change(world, add)
    world.review("bob", world.introduction, head)
    assert world.verify().commit.id == head


# --- E_SERIAL --------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_SERIAL")
@pytest.mark.parametrize(
    "changes",
    [{"serial": 1}, {"serial": 3}, {"previous": "sha256:" + "0" * 64}, {"previous": None}],
)
def test_a_serial_that_is_repeated_or_skipped(world: World, changes: Spec) -> None:
    """Each policy follows the one before, by number and by digest."""
    head = _policy_change(world, lambda spec: spec.update(changes) or spec["review"].update(max_age="P6D"))
    world.review("bob", world.introduction, head)
    world.refused("E_SERIAL")


@pytest.mark.attack("E_SERIAL")
def test_an_older_policy_in_a_new_commit(world: World) -> None:
    """A policy that was in force once does not come back under its old number."""
    head = _policy_change(world, lambda spec: spec["review"].update(max_age="P6D"))
    world.review("bob", world.introduction, head)
    world.verify()
    back = world.move(world.commit(world.files, [head]))
    world.review("bob", head, back)
    world.refused("E_SERIAL")


@pytest.mark.attack("E_SERIAL")
def test_a_key_file_changed_without_a_new_policy(world: World) -> None:
    """What lies below keys/ belongs to the policy, and changes with its serial."""
    head = world.move(world.commit(world.with_file("keys/alice.asc", b"key\n"), [world.introduction]))
    world.review("bob", world.introduction, head)
    world.refused("E_SERIAL")


@pytest.mark.attack("E_SERIAL")
def test_a_policy_older_than_the_host_allows(world: World) -> None:
    """The host root file's smallest serial holds, on the first start and later."""
    world.root = replace(world.root, smallest_serial=2)
    world.refused("E_SERIAL")
    head = _policy_change(world)
    world.review("bob", world.introduction, head)
    assert world.verify().commit.id == head  # the control: the branch reached that serial
    world.root = replace(world.root, smallest_serial=3)
    world.refused("E_SERIAL")


# --- E_TRUST_MIXED, E_TRUST_MISSING ----------------------------------------------------------------------------------


@pytest.mark.attack("E_TRUST_MIXED")
def test_policy_and_configuration_in_one_commit(world: World) -> None:
    """Trust files change alone."""
    files = {**world.with_file(), "trust.yaml": policy_bytes(next_spec(world))}
    head = world.move(world.commit(files, [world.introduction]))
    world.review("bob", world.introduction, head)
    world.refused("E_TRUST_MIXED")


@pytest.mark.attack("E_TRUST_MIXED")
def test_a_policy_that_comes_and_goes_within_one_step(world: World) -> None:
    """A policy that was in force for a moment only, between two commits reviewed as one, is refused."""
    first = world.commit(world.with_file("trust.yaml", policy_bytes(next_spec(world))), [world.introduction])
    head = world.move(world.commit(world.with_file(), [first]))
    world.review("bob", world.introduction, head)
    world.refused("E_TRUST_MIXED")


@pytest.mark.attack("E_TRUST_MISSING")
@pytest.mark.parametrize("how", ["deleted", "renamed", "link", "directory"])
def test_the_policy_is_taken_away(world: World, how: str) -> None:
    """Without a policy nothing can be judged, so it can not be taken away."""
    files = dict(world.with_file())
    policy = files.pop("trust.yaml")
    match how:
        case "renamed":
            files["Trust.yaml"] = policy
        case "link":
            files["trust.yaml"] = ("120000", world.store("blob", b"docs/web.md"))
        case "directory":
            files["trust.yaml/x"] = b"x"
        case _:
            pass
    head = world.move(world.commit(files, [world.introduction]))
    world.review_raw("bob", world.introduction, head)
    world.refused("E_TRUST_MISSING")


# --- E_POLICY_INVARIANT, E_YAML --------------------------------------------------------------------------------------


def _threshold_of_one(spec: Spec) -> None:
    spec["roles"]["root"]["threshold"] = 1
    spec["rules"][0]["require"] = {"root": 1}


def _bot_reviewer(spec: Spec) -> None:
    spec["principals"]["robot"] = {"kind": "bot", "keys": []}
    spec["roles"]["reviewer"]["members"].append("robot")


def _bot_root(spec: Spec) -> None:
    spec["principals"]["robot"] = {"kind": "bot", "keys": []}
    spec["roles"]["root"]["members"].append("robot")


def _one_key_two_names(spec: Spec) -> None:
    spec["principals"]["erin"] = {"keys": [spec["principals"]["alice"]["keys"][0] | {"id": "erin-1"}]}


def _one_account_two_names(spec: Spec) -> None:
    spec["principals"]["alice"]["forge"] = spec["principals"]["bob"]["forge"] = {"github": 7}


def _pattern(spec: Spec) -> None:
    spec["principals"]["*"] = {"keys": []}


def _key_with_options(spec: Spec) -> None:
    key = spec["principals"]["dave"]["keys"][0]
    key["public"] = 'namespaces="git" ' + key["public"]


def _weak_rsa(spec: Spec) -> None:
    spec["principals"]["dave"]["keys"][0]["public"] = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ" + "C" * 171


def _ends_when_nothing_can_be_reckoned(spec: Spec) -> None:
    spec["principals"]["dave"]["keys"][0]["not_after"] = "9999-12-31"


def _dsa(spec: Spec) -> None:
    spec["principals"]["dave"]["keys"][0]["public"] = "ssh-dss AAAAB3NzaC1kc3M="


def _no_rule_for_trust(spec: Spec) -> None:
    spec["rules"] = spec["rules"][1:]


def _a_rule_without_anybody(spec: Spec) -> None:
    spec["rules"][2]["require"] = {}


def _unreachable(spec: Spec) -> None:
    spec["rules"][2]["require"] = {"reviewer": 3}


def _no_such_role(spec: Spec) -> None:
    spec["rules"][2]["require"] = {"nobody": 1}


def _no_such_person(spec: Spec) -> None:
    spec["roles"]["reviewer"]["members"].append("zoe")


def _other_branch(spec: Spec) -> None:
    spec["ref"] = "refs/heads/other"


def _unknown_field(spec: Spec) -> None:
    spec["review"]["max_ages"] = "P7D"


def _plans_and_a_waiver(spec: Spec) -> None:
    spec["review"]["bind"] = "plan"
    spec["rules"][2]["waive"] = ["PRE-001"]


def _plans_by_accounts_alone(spec: Spec) -> None:
    spec["review"]["bind"] = "plan"
    spec["rules"][2] = {**spec["rules"][2], "require": {"eyes": 1}, "evidence": "github"}
    spec["principals"] |= {
        name: {"kind": "human", "keys": [], "forge": {"github": number}} for name, number in (("zoe", 81), ("yan", 82))
    }
    spec["roles"]["eyes"] = {"members": ["zoe", "yan"]}


def _two_roots(spec: Spec) -> None:
    spec["roles"]["root"]["members"] = ["alice", "bob"]


@pytest.mark.attack("E_POLICY_INVARIANT")
@pytest.mark.parametrize(
    "change",
    [
        _threshold_of_one,
        _bot_reviewer,
        _bot_root,
        _one_key_two_names,
        _one_account_two_names,
        _pattern,
        _key_with_options,
        _weak_rsa,
        _dsa,
        _ends_when_nothing_can_be_reckoned,
        _no_rule_for_trust,
        _a_rule_without_anybody,
        _unreachable,
        _no_such_role,
        _no_such_person,
        _other_branch,
        _unknown_field,
        _two_roots,
        _plans_and_a_waiver,
        _plans_by_accounts_alone,
    ],
)
def test_a_policy_that_does_not_hold_together(world: World, change: Callable[[Spec], object]) -> None:
    """Even a quorum of the roots can not bring in a policy that would let one person, a bot or a stranger decide."""
    head = _policy_change(world, change)
    world.review("bob", world.introduction, head)
    world.review("carol", world.introduction, head)
    world.refused("E_POLICY_INVARIANT")


@pytest.mark.attack("E_YAML")
@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(b"a: 1\na: 2\n", id="duplicate key"),
        pytest.param(b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", id="alias bomb"),
        pytest.param(b"a: !!python/object:os.system x\n", id="tag"),
        pytest.param(b"solo: no\n", id="two meanings of no"),
        pytest.param(b"[" * 10_000, id="nesting of 10,000"),
        pytest.param(b"\xff\n", id="no UTF-8"),
    ],
)
def test_a_policy_that_is_no_plain_yaml(world: World, policy: bytes) -> None:
    """A policy that could be read in two ways is not read at all."""
    head = world.move(world.commit(world.with_file("trust.yaml", policy), [world.introduction]))
    world.review("bob", world.introduction, head)
    world.refused("E_YAML")


# --- E_ROOT_QUORUM ---------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_ROOT_QUORUM")
def test_a_policy_change_by_one_root(world: World) -> None:
    """The signature of one root is not a quorum."""
    _policy_change(world)
    world.refused("E_ROOT_QUORUM")


@pytest.mark.attack("E_ROOT_QUORUM")
def test_a_policy_change_by_an_author_and_one_root(world: World) -> None:
    """An author who is no root does not count."""
    head = _policy_change(world, signer="dave")
    world.review("bob", world.introduction, head)
    world.refused("E_ROOT_QUORUM")


@pytest.mark.attack("E_ROOT_QUORUM")
def test_one_root_signs_and_approves(world: World) -> None:
    """One root is one root, however often."""
    head = _policy_change(world)
    world.review("alice", world.introduction, head)
    world.refused("E_ROOT_QUORUM")


def _all_new(spec: Spec, publics: dict[str, str]) -> None:
    for name in ("erin", "mallory"):
        spec["principals"][name] = {"keys": [{"id": f"{name}-1", "type": "ssh", "public": publics[name]}]}
    spec["roles"]["root"]["members"] = ["dave", "erin", "mallory"]


@pytest.mark.attack("E_ROOT_QUORUM")
def test_only_the_old_roots_agree(world: World, publics: dict[str, str]) -> None:
    """Roots who hand over need the signature of those who take over."""
    head = _policy_change(world, lambda spec: _all_new(spec, publics))
    world.review("bob", world.introduction, head)
    world.review("carol", world.introduction, head)
    assert "new roots" in world.refused("E_ROOT_QUORUM").message


@pytest.mark.attack("E_ROOT_QUORUM")
def test_only_the_new_roots_agree(world: World, publics: dict[str, str]) -> None:
    """Those who take over need those who hand over."""
    head = _policy_change(world, lambda spec: _all_new(spec, publics), signer="dave")
    world.review("erin", world.introduction, head)
    world.review("mallory", world.introduction, head)
    assert "old roots" in world.refused("E_ROOT_QUORUM").message


def test_control_old_and_new_roots_agree(world: World, publics: dict[str, str]) -> None:
    """A handover with both quorums is accepted."""
    head = _policy_change(world, lambda spec: _all_new(spec, publics))
    for name in ("bob", "erin", "mallory"):
        world.review(name, world.introduction, head)
    assert world.verify().commit.id == head


# --- E_NO_RULE, solo -------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_NO_RULE")
@pytest.mark.parametrize("path", ["Makefile", ".github/workflows/x.yaml", "haproxy", "haproxyx/web.yaml"])
def test_a_path_that_no_rule_names(world: World, path: str) -> None:
    """What no rule names may not change, reviewed or not."""
    files = world.with_file(path)
    if path == "haproxy":
        del files["docs/web.md"]
    head = world.move(world.commit(files, [world.introduction]))
    world.review("bob", world.introduction, head)
    world.refused("E_NO_RULE")


def _alone(spec: Spec) -> Spec:
    for role in spec["roles"].values():
        role["members"] = ["alice"]
    spec["roles"]["root"]["threshold"] = 1
    spec["principals"] = {"alice": spec["principals"]["alice"]}
    spec["rules"] = [
        {"paths": ["trust.yaml", "keys/**"], "require": {"root": 1}},
        {"paths": ["**"], "require": {"reviewer": 1}},
    ]
    return spec


@pytest.mark.attack("E_POLICY_INVARIANT")
def test_one_person_alone_without_the_hosts_word(world: World) -> None:
    """Working alone is possible only when the host root file says so."""
    world = world.other(_alone(policy_document(world.publics)))
    world.refused("E_POLICY_INVARIANT")


def test_control_one_person_alone_with_the_hosts_word(world: World) -> None:
    """Alone, by the host's word, no review is asked for, and every trusted commit says so."""
    world = world.other(_alone(policy_document(world.publics)))
    world.root = replace(world.root, solo=True)
    head = world.move(world.commit(world.with_file(), [world.introduction]))
    commit = world.verify().commit
    assert (commit.id, commit.solo, commit.reviews) == (head, True, ())


@pytest.mark.attack("E_POLICY_INVARIANT")
def test_a_bot_that_nobody_would_review(world: World) -> None:
    """Where one person works alone, bots write nothing: nobody would look at it."""
    spec = _alone(policy_document(world.publics))
    spec["principals"]["robot"] = {"kind": "bot", "keys": []}
    spec["roles"]["author"]["members"] = ["alice", "robot"]
    world = world.other(spec)
    world.root = replace(world.root, solo=True)
    world.refused("E_POLICY_INVARIANT")


@pytest.mark.attack("E_UNSIGNED")
def test_alone_but_unsigned(world: World) -> None:
    """Working alone is no excuse for not signing."""
    world = world.other(_alone(policy_document(world.publics)))
    world.root = replace(world.root, solo=True)
    world.move(world.commit(world.with_file(), [world.introduction], None))
    world.refused("E_UNSIGNED")


@pytest.mark.attack("E_THRESHOLD")
def test_solo_for_a_team(world: World) -> None:
    """A host root file that says `solo` changes nothing where several people are named."""
    world.root = replace(world.root, solo=True)
    world.move(world.commit(world.with_file(), [world.introduction]))
    world.refused("E_THRESHOLD")


@pytest.mark.attack("E_POLICY_DIGEST")
def test_an_introduction_commit_with_another_policy(world: World) -> None:
    """The host root file names the digest of the first policy: SHA-1 alone is not enough."""
    world.root = replace(world.root, policy="sha256:" + "0" * 64)
    world.refused("E_POLICY_DIGEST")
