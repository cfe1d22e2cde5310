"""Attacks on the host: its memory, its clock, its root file; and crashes while it writes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from trust_world import World

from haoam_sync import trust
from haoam_sync.errors import HaoamError, NotTrustedError, UsageError


def _memory(world: World) -> Path:
    return world.place / "state" / "trust"


# --- E_STATE_ROLLBACK, E_STATE_FOREIGN -------------------------------------------------------------------------------


@pytest.mark.attack("E_STATE_ROLLBACK")
@pytest.mark.parametrize("name", ["accepted.json", "journal.jsonl"])
def test_an_old_memory_put_back(world: World, name: str) -> None:
    """Either of the two files from an older time does not belong to the other one."""
    world.accepted_change(content=b"1\n")
    old = (_memory(world) / name).read_bytes()
    world.accepted_change(content=b"2\n")
    (_memory(world) / name).write_bytes(old)
    world.refused("E_STATE_ROLLBACK")


@pytest.mark.attack("E_STATE_ROLLBACK")
@pytest.mark.parametrize("name", ["accepted.json", "journal.jsonl"])
def test_a_memory_lost_in_part(world: World, name: str) -> None:
    """A host that lost one of the two files does not begin again from nothing."""
    world.accepted_change()
    (_memory(world) / name).unlink()
    world.refused("E_STATE_ROLLBACK")


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_commit_older_than_what_an_instance_carries(world: World) -> None:
    """An instance, or the audit log, names a newer commit than the one asked for: the host's memory was taken back."""
    first = world.accepted_change(content=b"1\n")
    kept = {file.name: file.read_bytes() for file in _memory(world).iterdir()}
    second = world.accepted_change(content=b"2\n")
    for name, content in kept.items():
        (_memory(world) / name).write_bytes(content)
    world.refused("E_STATE_ROLLBACK", first, known=[second])
    assert world.verify(second, known=[second, first]).commit.id == second


@pytest.mark.attack("E_STATE_FOREIGN")
def test_the_memory_of_another_repository(world: World) -> None:
    """What was accepted of one repository says nothing about another."""
    world.accepted_change()
    other = world.other(world.spec)
    shutil.copytree(world.place / "state" / "trust", other.place / "state" / "trust")
    other.root = replace(other.root, introduction="0" * 40)
    with pytest.raises(NotTrustedError) as caught:
        trust.load_state(other.place / "state", other.root)
    assert caught.value.code == "E_STATE_FOREIGN"


def _read_everything(world: World) -> None:
    trust.load_state(world.place / "state", world.root)
    list(trust.history(world.place / "state"))


def test_every_flipped_byte_of_the_memory_is_refused(world: World) -> None:
    """No byte of the two files can change without the host noticing."""
    world.accepted_change()
    for file in (_memory(world) / "accepted.json", _memory(world) / "journal.jsonl"):
        good = file.read_bytes()
        for place in range(0, len(good), 7):
            file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            with pytest.raises(NotTrustedError) as caught:
                _read_everything(world)
            assert caught.value.code == "E_STATE_ROLLBACK"
        file.write_bytes(good)
    trust.load_state(world.place / "state", world.root)


def test_the_journal_names_everything_that_was_accepted(world: World) -> None:
    """The history on this host is every accepted commit, in order."""
    first = world.accepted_change(content=b"1\n")
    second = world.accepted_change(content=b"2\n")
    assert [commit.id for commit in trust.history(world.place / "state")] == [world.introduction, first, second]


class _KilledError(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("cut", range(14))
def test_a_crash_while_the_memory_is_written(world: World, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    """Killed at any point, the next run finds the commit from before or the new one, and goes on to the new one."""
    before = world.accepted_change(content=b"1\n")
    head = world.move(world.commit(world.with_file(content=b"2\n"), [before]))
    world.review("bob", before, head)
    repository = world.open()
    remembered = trust.load_state(world.place / "state", world.root)
    accepted = trust.verify(trust.Grounds(repository, world.root, remembered, world.now, world.change_digest), head)
    repository.close()
    finished = _stored_until(cut, world, accepted, monkeypatch)
    found = trust.load_state(world.place / "state", world.root)
    assert found.accepted == head if finished else found.accepted in {before, head}
    assert world.verify().commit.id == head
    assert [commit.id for commit in trust.history(world.place / "state")][-2:] == [before, head]


def _stored_until(cut: int, world: World, accepted: trust.Accepted, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Store, and end the process at the call number `cut` that touches the disk; whether it came to its end."""
    left = iter(range(cut))

    def or_die(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            if next(left, None) is None:
                raise _KilledError
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        for name in ("open", "fsync"):
            patch.setattr(os, name, or_die(getattr(os, name)))
        for name in ("rename", "replace"):
            patch.setattr(Path, name, or_die(getattr(Path, name)))
        try:
            trust.store_state(world.place / "state", accepted)
        except _KilledError:
            return False
    return True


def test_the_crashes_reach_from_the_first_to_the_last_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The crash test cuts at every call: with the largest number the write comes to its end."""
    repository = world.open()
    remembered = trust.load_state(world.place / "state", world.root)
    accepted = trust.advance(trust.Grounds(repository, world.root, remembered, world.now, world.change_digest))
    repository.close()
    assert not _stored_until(0, world, accepted, monkeypatch)
    assert _stored_until(13, world, accepted, monkeypatch)


@pytest.mark.parametrize("kept", [0, 1, 50])
def test_a_journal_line_cut_off(world: World, kept: int) -> None:
    """A line of which only a part reached the disk is taken back."""
    before = world.accepted_change(content=b"1\n")
    small = {file.name: file.read_bytes() for file in _memory(world).iterdir()}
    head = world.accepted_change(content=b"2\n")
    new = (_memory(world) / "accepted.json").read_bytes()
    (_memory(world) / "accepted.json").write_bytes(small["accepted.json"])
    (_memory(world) / "accepted.new").write_bytes(new)
    (_memory(world) / "journal.jsonl").write_bytes(small["journal.jsonl"] + new[:kept])
    assert trust.load_state(world.place / "state", world.root).accepted == before
    assert world.verify().commit.id == head


def test_two_runs_at_once_do_not_undo_each_other(world: World) -> None:
    """A run that began before another one finished does not put the older commit back."""
    first = world.accepted_change(content=b"1\n")
    repository = world.open()
    old = trust.load_state(world.place / "state", world.root)
    slow = trust.verify(trust.Grounds(repository, world.root, old, world.now, world.change_digest), first)
    head = world.accepted_change(content=b"2\n")
    slow = replace(slow, steps=(slow.commit,))
    with pytest.raises(NotTrustedError) as caught:
        trust.store_state(world.place / "state", slow)
    repository.close()
    assert caught.value.code == "E_STATE_ROLLBACK"
    assert trust.load_state(world.place / "state", world.root).accepted == head


# --- E_CLOCK ---------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_CLOCK")
def test_the_clock_set_back(world: World) -> None:
    """A host whose clock goes back before its last decision decides nothing, not even what it knows already."""
    world.accepted_change()
    world.now -= timedelta(days=1)
    world.refused("E_CLOCK")


# --- E_ROOT_FILE -----------------------------------------------------------------------------------------------------


def _root_file(world: World, **changes: object) -> Path:
    folder = world.place / "etc"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "root.yaml"
    spec = {"introduction": world.introduction, "policy": world.root.policy, "ref": world.root.ref, **changes}
    path.write_text(json.dumps({"apiVersion": "haoam/v1", "kind": "HostRoot", "spec": spec}))
    path.chmod(0o600)
    return path


def test_control_a_root_file_of_ones_own(world: World) -> None:
    """What the file says is read; relative paths are relative to it."""
    secret = {"reference": "env/EDGE_*", "kinds": ["Fleet"], "fields": ["*"], "clusters": ["edge-eu"]}
    path = _root_file(world, remotes=["/srv/x.git"], secrets=[secret], secret_files="secrets", denylist="denied")
    root = trust.read_root(path)
    assert (root.introduction, root.policy, root.ref) == (world.introduction, world.root.policy, world.root.ref)
    assert root.secrets[0].kinds == ("Fleet",)
    assert (root.secret_files, root.denylist) == (path.parent / "secrets", path.parent / "denied")


@pytest.mark.attack("E_ROOT_FILE")
@pytest.mark.parametrize("what", ["file", "directory", "above"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_a_root_file_that_others_may_write(world: World, what: str, mode: int) -> None:
    """Neither the file nor a directory above it may be writable by a group or by everybody."""
    path = _root_file(world)
    target = {"file": path, "directory": path.parent, "above": path.parent.parent}[what]
    target.chmod(target.stat().st_mode | mode)
    with pytest.raises(NotTrustedError) as caught:
        trust.read_root(path)
    target.chmod(target.stat().st_mode & ~mode)
    assert caught.value.code == "E_ROOT_FILE"
    assert caught.value.where == str(target)


@pytest.mark.attack("E_ROOT_FILE")
@pytest.mark.parametrize("what", ["file", "directory", "second"])
def test_a_link_to_the_root_file_where_others_may_write(world: World, tmp_path: Path, what: str) -> None:
    """Who may write where a link lies can point it elsewhere: its directories count, at each link of a chain."""
    path = _root_file(world)
    shared = tmp_path / "shared"
    shared.mkdir()
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    match what:
        case "file":
            link = shared / "root.yaml"
            link.symlink_to(path)
        case "directory":
            (shared / "etc").symlink_to(path.parent)
            link = shared / "etc" / "root.yaml"
        case _:
            (shared / "there").symlink_to(f"../{path.parent.relative_to(tmp_path)}")
            (mine / "etc").symlink_to("../shared/there")
            link = mine / "etc" / "root.yaml"
    assert trust.read_root(link).introduction == world.introduction
    shared.chmod(0o777)
    with pytest.raises(NotTrustedError) as caught:
        trust.read_root(link)
    assert (caught.value.code, caught.value.where) == ("E_ROOT_FILE", str(shared))


def test_links_without_an_end(tmp_path: Path) -> None:
    """A link that leads to itself is a file that is not there."""
    (tmp_path / "root.yaml").symlink_to("root.yaml")
    with pytest.raises(UsageError):
        trust.read_root(tmp_path / "root.yaml")


@pytest.mark.attack("E_ROOT_FILE")
@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "apiVersion: haoam/v1\nkind: HostRoot\nspec: {}\n",
        "a: &x 1\nb: *x\n",
        "apiVersion: haoam/v1\nkind: TrustPolicy\nspec: {}\n",
    ],
)
def test_a_malformed_root_file(world: World, content: str) -> None:
    """A file that is not understood completely is the operator's mistake, said with its place."""
    path = _root_file(world)
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        trust.read_root(path)
    assert (caught.value.code, caught.value.where) == ("E_ROOT_FILE", str(path))


def test_a_missing_root_file(tmp_path: Path) -> None:
    """No root file, no trust; the message says how to get one."""
    with pytest.raises(HaoamError) as caught:
        trust.read_root(tmp_path / "none.yaml")
    assert "trust init" in caught.value.hint


# --- what the tools do -----------------------------------------------------------------------------------------------


def test_advance_accepts_what_it_can_and_says_why_not_more(world: World) -> None:
    """For a plan of a proposed commit everything trusted so far counts, and the rest is named."""
    first = world.accepted_change(content=b"1\n")
    second = world.move(world.commit(world.with_file(content=b"2\n"), [first]))
    repository = world.open()
    remembered = trust.load_state(world.place / "state", world.root)
    accepted = trust.advance(trust.Grounds(repository, world.root, remembered, world.now, world.change_digest))
    proposed = trust.propose(repository, world.root, accepted, second)
    repository.close()
    assert accepted.commit.id == first
    assert accepted.refusal is not None
    assert accepted.refusal.code == "E_THRESHOLD"
    assert (proposed.base, proposed.accepted.id) == (first, first)


def test_a_review_is_signed_pushed_and_counts(world: World) -> None:
    """The whole way: propose, review with a key, verify."""
    head = world.move(world.commit(world.with_file(), [world.introduction]))
    repository = world.open()
    remembered = trust.load_state(world.place / "state", world.root)
    accepted = trust.advance(trust.Grounds(repository, world.root, remembered, world.now, world.change_digest))
    proposed = trust.propose(repository, world.root, accepted, head)
    change = world.change_digest(proposed.base, head)

    def review(who: str) -> None:
        trust.sign_review(
            repository,
            world.root,
            accepted,
            proposed,
            key=trust.signing_key(str(world.keys[who])),
            decision="approve",
            change_digest=change,
            now=world.now,
        )

    for who, code in (("alice", "E_SELF_REVIEW"), ("mallory", "E_REVIEWER_UNKNOWN")):
        with pytest.raises(NotTrustedError) as caught:
            review(who)
        assert caught.value.code == code
    assert repository.attestations == ""
    review("bob")
    repository.close()
    assert world.verify().commit.reviewers == ("bob",)
