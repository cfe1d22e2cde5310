"""`trust rotate`, as people use it: a new key for somebody, agreed to by the roots; the old key is over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from unittest import mock

import pytest
from desk import Desk
from trust_world import git, make_key

from haoam_sync.trust import ssh
from haoam_sync.trust.amend import Amendment


@pytest.fixture
def desk(tmp_path: Path, keys: Mapping[str, Path]) -> Desk:
    """Alice, Bob and Carol; the policy has a comment of theirs."""
    return Desk(tmp_path, {**keys, "alice-new": make_key(tmp_path, "alice-new")})


def public(desk: Desk, name: str) -> str:
    """File of somebody's public key."""
    return f"{desk.keys[name]}.pub"


def test_a_whole_rotation(desk: Desk) -> None:
    """Rotated, committed with the old key, reviewed by the quorum, accepted; the old key signs nothing new any more."""
    before = desk.change("alice", "by the old key", "bob")
    was = desk.policy
    said = desk.must(0, "trust", "rotate", "alice", public(desk, "alice-new")).out
    added = f'        - {{id: alice-2, type: ssh, public: "{ssh.public_of(desk.keys["alice-new"])}", status: active}}'
    changed = [line for line in desk.policy.splitlines() if line not in was.splitlines()]
    assert [line.partition(":")[0].strip() for line in changed] == ["serial", "previous", "- {id", "- {id"]
    assert changed[-1] == added
    assert changed[-2].endswith("status: retired}")
    assert "serial 1 becomes 2" in said
    assert "alice gets the key alice-2 (SHA256:" in said
    git(desk.tree, "switch", "-q", "-c", "rotate-alice-2")
    head = desk.commit("alice", "trust.yaml", branch="rotate-alice-2")
    assert desk.must(4, "trust", "verify", head).out.count("E_ROOT_QUORUM")
    desk.review("bob", "rotate-alice-2")
    quorum = desk.must(4, "trust", "verify", head, "--output", "json").json
    assert (quorum["code"], "new" in quorum["message"]) == ("E_ROOT_QUORUM", True)  # bob alone has a key of the new one
    desk.review("alice-new", "rotate-alice-2")
    git(desk.tree, "push", "-q", "origin", "HEAD:main")
    assert desk.must(0, "trust", "verify", "--output", "json").json["accepted"]["commit"] == head
    told = desk.must(0, "trust", "explain", head, "--output", "json").json
    assert [review["key"] for review in told["reviews"]] == ["bob-1"]
    assert [review["key"] for review in told["reviews_after"]] == ["alice-2"]
    assert "key alice-2, which only the new policy has" in desk.must(0, "trust", "explain", head).out
    old = desk.change("alice", "by the retired key")
    assert desk.must(4, "trust", "verify", "--output", "json").json["code"] == "E_KEY_RETIRED"
    assert "E_KEY_RETIRED: " in desk.review("bob", old, 4).err
    git(desk.tree, "reset", "-q", "--hard", head)
    git(desk.tree, "push", "-q", "-f", "origin", "HEAD:main")
    new = desk.change("alice-new", "by the new key", "bob")
    rows = desk.must(0, "trust", "verify", "..", "--output", "json").json["steps"]
    assert [row["commit"] for row in rows][1:] == [before, head, new]
    assert [signer["key"] for row in rows[1:] for signer in row["signers"]] == ["alice-1", "alice-1", "alice-2"]
    assert [row["policy"]["serial"] for row in rows] == [1, 1, 1, 2]


def test_a_retired_key_reviews_nothing(desk: Desk) -> None:
    """What it says would count for nothing: neither yes nor no is signed with it."""
    desk.must(0, "trust", "rotate", "alice", public(desk, "alice-new"))
    desk.review("carol", desk.commit("bob", "trust.yaml"))
    head = desk.change("carol", "by somebody else")
    for more in ((), ("--reject",)):
        ran = desk.must(4, "review", head, "--key", str(desk.keys["alice"]), "--offline", *more)
        assert "E_KEY_RETIRED: key alice-1 of alice" in ran.err
    desk.review("alice-new", head)
    desk.must(0, "trust", "verify")


def test_another_root_commits(desk: Desk) -> None:
    """Bob commits and Carol agrees, with keys that both policies have: alice's old key may be lost."""
    desk.must(0, "trust", "rotate", "alice", public(desk, "alice-new"))
    desk.review("carol", desk.commit("bob", "trust.yaml"))
    desk.must(0, "trust", "verify")


def test_one_more_key_and_one_less(desk: Desk) -> None:
    """--keep adds a key under a name and with an end; --retire alone takes one away; then nothing is ambiguous."""
    new = public(desk, "alice-new")
    desk.must(0, "trust", "rotate", "alice", new, "--keep", "--id", "laptop", "--not-after", "2031-01-31")
    assert "{id: laptop, type: ssh," in desk.policy
    assert 'not_after: "2031-01-31"}' in desk.policy
    desk.review("carol", desk.commit("bob", "trust.yaml"))
    desk.must(0, "trust", "verify")
    third = str(make_key(desk.place, "third")) + ".pub"
    assert "--retire" in desk.must(64, "trust", "rotate", "alice", third).err
    said = desk.must(0, "trust", "rotate", "alice", "--retire", "alice-1").out
    assert "serial 2 becomes 3" in said
    desk.review("carol", desk.commit("bob", "trust.yaml"))
    desk.must(0, "trust", "verify")


def test_comments_and_layout_stay(desk: Desk) -> None:
    """A policy that people wrote their way is still theirs after a rotation."""
    text = desk.policy.replace("  principals:\n", "  # who is who\n\n  principals:  # by name\n").replace(
        "serial: 1\n", f"serial: 2    # once more\n  previous: {_digest(desk)}\n"
    )
    (desk.tree / "trust.yaml").write_text(text)
    desk.review("carol", desk.commit("bob", "trust.yaml"))
    desk.must(0, "trust", "verify")
    desk.must(0, "trust", "rotate", "alice", public(desk, "alice-new"))
    assert "serial: 3    # once more\n" in desk.policy
    assert "  # who is who\n\n  principals:  # by name\n" in desk.policy


def _digest(desk: Desk) -> str:
    import hashlib  # noqa: PLC0415 - as sha256sum gives it, by another way than the product's

    return "sha256:" + hashlib.sha256((desk.tree / "trust.yaml").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("mallory", "{new}"), 64, "names nobody"),
        (("alice",), 64, "nothing would change"),
        (("alice", "--retire", "alice-9"), 64, "no active key"),
        (("alice", "{new}", "--keep", "--retire", "alice-1"), 64, "two different things"),
        (("alice", "{new}", "--not-after", "soon"), 64, "2027-11-01"),
        (("alice", "{new}", "--id", "a b"), 64, "id"),
        (("alice", "{new}", "--keep", "--id", "alice-1"), 4, "E_POLICY_INVARIANT"),
        (("alice", "{bob}"), 4, "E_POLICY_INVARIANT"),
        (("alice", "--retire", "alice-1"), 4, "E_POLICY_INVARIANT"),
        (("alice", "no-such-file"), 64, "E_SIGN"),
    ],
)
def test_what_can_not_be(desk: Desk, arguments: tuple[str, ...], code: int, says: str) -> None:
    """Refused before anything is written: no such name or key, another's key, too few roots left."""
    before = desk.policy
    names = {"new": public(desk, "alice-new"), "bob": public(desk, "bob")}
    ran = desk.must(code, "trust", "rotate", *(word.format(**names) for word in arguments))
    assert says in ran.err
    assert desk.policy == before
    assert git(desk.tree, "status", "--porcelain") == b""


def test_a_work_tree_with_another_policy(desk: Desk) -> None:
    """What is edited is the policy in force; somebody's unfinished change is not built upon."""
    (desk.tree / "trust.yaml").write_text(desk.policy + "# mine\n")
    ran = desk.must(64, "trust", "rotate", "alice", public(desk, "alice-new"))
    assert ran.err.startswith("E_WORK_TREE: ")
    assert desk.policy.endswith("# mine\n")


def test_a_link_in_place_of_the_policy(desk: Desk) -> None:
    """Nothing is read or written through a link."""
    elsewhere = desk.place / "elsewhere.yaml"
    (desk.tree / "trust.yaml").rename(elsewhere)
    (desk.tree / "trust.yaml").symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert desk.must(64, "trust", "rotate", "alice", public(desk, "alice-new")).err.startswith("E_WORK_TREE: ")
    assert elsewhere.read_bytes() == before


def test_an_edit_that_means_something_else(desk: Desk) -> None:
    """What is written says what was asked for and nothing more, whatever became of the text."""
    before, result = desk.policy, Amendment.result

    def more(edit: Amendment) -> bytes:
        return result(edit).replace(b"[fast-forward, merge]", b"[fast-forward]")

    with mock.patch.object(Amendment, "result", more):
        ran = desk.must(64, "trust", "rotate", "alice", public(desk, "alice-new"))
    assert "can not be edited here" in ran.err
    assert desk.policy == before


def test_a_compromised_key_does_not_come_back(desk: Desk) -> None:
    """A key that a root called compromised is not made anybody's new key."""
    desk.must(0, "trust", "rotate", "alice", public(desk, "alice-new"))
    desk.review("carol", desk.commit("bob", "trust.yaml"))
    key = str(desk.keys["bob"])
    desk.must(0, "trust", "revoke", "alice/alice-2", "--key", key, "--reason", "stolen", "--yes")
    third = str(make_key(desk.place, "third")) + ".pub"
    desk.must(0, "trust", "rotate", "alice", third)
    git(desk.tree, "restore", "trust.yaml")
    ran = desk.must(4, "trust", "rotate", "bob", public(desk, "alice-new"))
    assert ran.err.startswith("E_KEY_REVOKED: ")


def test_a_stolen_key_is_rotated_away(desk: Desk) -> None:
    """What is accepted rests on a key that was stolen: the policy can be mended all the same."""
    desk.change("alice", "by a key that was stolen", "bob")
    desk.must(0, "trust", "verify")
    key = str(desk.keys["bob"])
    desk.must(0, "trust", "revoke", "alice/alice-1", "--key", key, "--reason", "stolen", "--yes")
    desk.must(4, "trust", "verify")
    assert "serial 1 becomes 2" in desk.must(0, "trust", "rotate", "alice", public(desk, "alice-new")).out


def test_a_rotation_as_json(desk: Desk) -> None:
    """A program learns what was written, the fingerprint to compare, and who must agree by both policies."""
    desk.change("alice", "before", "bob")
    said = desk.must(0, "trust", "rotate", "alice", public(desk, "alice-new"), "--output", "json").json
    assert (said["principal"], said["added"], said["retired"], said["files"]) == (
        "alice",
        "alice-2",
        ["alice-1"],
        ["trust.yaml"],
    )
    assert said["fingerprint"].startswith("SHA256:")
    assert [said[when]["policy"]["serial"] for when in ("before", "after")] == [1, 2]
    assert [(said[when]["needed"], "alice" in said[when]["members"]) for when in ("before", "after")] == [(2, True)] * 2
    wrong = desk.must(64, "trust", "rotate", "nobody", public(desk, "alice-new"), "--output", "json")
    assert wrong.json["exit"] == 64
