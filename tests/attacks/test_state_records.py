"""Runners without a disk: what they remember stands in the source, signed by them, where others can push too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from flow_attack import Site
from state_runners import STATE, Runners
from trust_world import closed_api, git, make_key, policy_document

from haoam_sync import trust
from haoam_sync.errors import NotTrustedError
from haoam_sync.model.state_record import encode_record, parse_record
from haoam_sync.repository import Repository
from haoam_sync.trust import ssh
from haoam_sync.trust.memory import Accepted

Corrupt = Callable[["Runners", str], str]


@pytest.fixture
def runners(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Runners]:
    """Runners whose memory was seeded with the introduction commit."""
    with closed_api() as api:
        site = Site(tmp_path, keys, policy_document(publics), gate=api)
        found = Runners(site, make_key(tmp_path, "runner"), make_key(tmp_path, "other-runner"))
        found.seed()
        yield found


def test_control_what_one_runner_accepted_the_next_one_knows(runners: Runners) -> None:
    """Each run on a new machine goes on where the last one was; a run that finds nothing new records nothing."""
    assert runners.accepted() == runners.site.introduction
    first = runners.change()
    assert runners.accept() == first
    tip = runners.tip(STATE)
    assert runners.accept() == first
    assert runners.tip(STATE) == tip
    second, third = runners.change(), runners.change()
    assert second != third
    assert runners.accept() == third
    history = runners.site.must(0, "trust", "state", "show", "--output", "json").json["accepted"]
    assert [commit["commit"] for commit in history] == [runners.site.introduction, first, second, third]


def test_the_record_stands_before_anything_is_written(runners: Runners) -> None:
    """A runner that cannot push its record asks no instance for anything."""
    runners.change()
    runners.site.secrets = {}
    runners.new_machine()
    before = runners.tip(STATE)
    runners.site.gate.forget()
    assert runners.site.cli("apply", "sha256:" + "0" * 64).err.startswith("E_SIGN: ")
    assert runners.site.gate.connections == 0
    assert runners.tip(STATE) == before
    assert runners.site.cli("plan").code == 7  # the control: reading needs no key, and asks


@pytest.mark.attack("E_STATE_LOST")
def test_a_first_start_without_a_record(runners: Runners) -> None:
    """A first start and a lost record look the same: an operator says which commit is accepted."""
    git(runners.site.repo, "update-ref", "-d", STATE)
    head = runners.change()
    runners.refused("E_STATE_LOST")
    runners.site.must(0, "trust", "state", "seed", head, "--yes", "--without=eu/lb1")
    assert runners.accept() == head


@pytest.mark.attack("E_STATE_LOST")
def test_a_record_that_somebody_deleted(runners: Runners) -> None:
    """A lost record does not begin again from nothing, on a host with a disk neither."""
    runners.change()
    runners.accept()
    git(runners.site.repo, "update-ref", "-d", STATE)
    runners.refused("E_STATE_LOST", keep=True)
    runners.refused("E_STATE_LOST")


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_records_that_were_taken_back(runners: Runners) -> None:
    """A host whose disk still knows the newer record holds; an operator's word, pushed as a record, ends that."""
    old = runners.tip(STATE)
    head = runners.change()
    runners.new_machine()
    runners.site.cli("apply", "sha256:" + "0" * 64)
    assert runners.tip(STATE) != old
    runners.site.move(old, STATE)
    runners.refused("E_STATE_ROLLBACK", keep=True)
    runners.site.must(64, "trust", "state", "seed", head, "--yes", "--without=eu/lb1")
    runners.site.must(0, "trust", "state", "confirm", head, "--yes", "--without=eu/lb1")
    assert runners.site.must(0, "trust", "state", "--output", "json").json["accepted"][-1]["commit"] == head


@pytest.mark.attack("E_NOT_FAST_FORWARD")
def test_the_branch_reset_behind_the_record(runners: Runners) -> None:
    """On a machine that knows nothing, the record says which commit was accepted: an older one is refused."""
    runners.change()
    runners.accept()
    runners.site.move(runners.site.introduction)
    runners.refused("E_NOT_FAST_FORWARD")


@pytest.mark.attack("E_STATE_SIGNER")
@pytest.mark.parametrize("who", ["an author", "another runner", "a root"])
def test_a_record_by_somebody_else(runners: Runners, keys: Mapping[str, Path], who: str) -> None:
    """Whoever may push, and whoever may author: only this host's runners say what they accepted."""
    tip = runners.tip(STATE)
    payload = parse_record(runners.record(tip), where=tip).payload
    key = {"an author": keys["dave"], "a root": keys["alice"], "another runner": runners.other}[who]
    runners.push(runners.signed(payload, key))
    runners.refused("E_STATE_SIGNER")
    runners.site.move(tip, STATE)
    assert runners.accepted() == runners.site.introduction


@pytest.mark.attack("E_STATE_SIGNER")
def test_a_runners_signature_for_something_else(runners: Runners) -> None:
    """The namespace is part of what a runner signs."""
    tip = runners.tip(STATE)
    payload = parse_record(runners.record(tip), where=tip).payload
    runners.push(runners.signed(payload, runners.key, "file"))
    runners.refused("E_STATE_SIGNER")


@pytest.mark.attack("E_KEY_REVOKED")
def test_a_record_by_a_runner_whose_key_is_denied(runners: Runners) -> None:
    """A runner's key on the host's denylist says nothing any more."""
    denied = runners.site.place / "denied"
    denied.write_text(f"{trust_fingerprint(runners.key)}\n")
    denied.chmod(0o644)
    runners.site.allowed += f"  denylist: {denied}\n"
    runners.site.write_root()
    runners.refused("E_KEY_REVOKED")
    denied.write_text("")
    assert runners.accepted() == runners.site.introduction


def trust_fingerprint(key: Path) -> str:
    """As ssh-keygen writes it."""
    return ssh.sign(b"x", key, "file").fingerprint


@pytest.mark.attack("E_STATE_FOREIGN")
def test_a_record_of_another_repository(
    runners: Runners, tmp_path_factory: pytest.TempPathFactory, keys: Mapping[str, Path], publics: Mapping[str, str]
) -> None:
    """The same runners' record of another fleet says nothing here."""
    with closed_api() as api:
        site = Site(tmp_path_factory.mktemp("foreign"), keys, policy_document(publics), gate=api, founder="bob")
        foreign = Runners(site, runners.key, runners.other)
        foreign.seed()
        content = foreign.record(foreign.tip(STATE))
    runners.push(content)
    runners.refused("E_STATE_FOREIGN")


def _rubbish(_runners: Runners, _tip: str) -> str:
    return "no record"


def _nothing(_runners: Runners, _tip: str) -> str:
    return ""


def _spaces(runners: Runners, tip: str) -> str:
    return runners.record(tip).decode().replace('","', '", "')


def _twice(runners: Runners, tip: str) -> str:
    return runners.record(tip).decode().replace('{"payload"', '{"payload":"e30=","payload"')


def _another_policy(runners: Runners, tip: str) -> str:
    record = parse_record(runners.record(tip), where=tip)
    value = json.loads(record.payload)
    value["lines"][0]["commit"]["policy_serial"] = 9
    payload = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    return encode_record(replace(record, payload=payload)).decode()


@pytest.mark.attack("E_STATE_ROLLBACK")
@pytest.mark.parametrize("corrupt", [_rubbish, _nothing, _spaces, _twice])
def test_a_record_that_is_not_in_form(runners: Runners, corrupt: Corrupt) -> None:
    """What could be read in two ways, or not at all, is not read; an operator can begin anew behind it."""
    tip = runners.tip(STATE)
    runners.push(corrupt(runners, tip).encode(), tip)
    runners.refused("E_STATE_ROLLBACK")
    runners.site.must(0, "trust", "state", "confirm", runners.site.introduction, "--yes", "--without=eu/lb1")
    assert runners.accepted() == runners.site.introduction


@pytest.mark.attack("E_SIG_INVALID")
def test_a_record_whose_words_were_changed(runners: Runners) -> None:
    """The signature covers every word of the record."""
    tip = runners.tip(STATE)
    runners.push(_another_policy(runners, tip).encode(), tip)
    runners.refused("E_SIG_INVALID")


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_record_put_behind_another_one(runners: Runners) -> None:
    """A true record, out of its place, does not continue the one before it."""
    runners.change()
    runners.accept()
    first = runners.tip(STATE)
    runners.change()
    runners.accept()
    runners.push(runners.record(first), runners.tip(STATE))
    runners.refused("E_STATE_ROLLBACK")


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_no_flipped_byte_of_a_record_is_believed(runners: Runners) -> None:
    """Whichever byte changes: no run goes on from it."""
    tip = runners.tip(STATE)
    content = runners.record(tip)
    believed = 0
    for place in range(0, len(content), 61):
        runners.push(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(NotTrustedError):
            _load(runners)
        believed += 1
    assert believed > 20
    runners.site.move(tip, STATE)
    assert _load(runners).accepted == runners.site.introduction


def _memory(runners: Runners, repository: Repository) -> trust.Memory:
    root = replace(runners.site.root, runners=(ssh.public_of(runners.key),))
    return trust.memory(runners.site.place / "reader", root, repository, runners.key, datetime.now(UTC))


def _load(runners: Runners) -> trust.TrustState:
    repository = Repository.open(runners.site.place / "reader", str(runners.site.repo), "refs/heads/main")
    try:
        shutil.rmtree(runners.site.place / "reader" / "trust", ignore_errors=True)
        return _memory(runners, repository).load()
    finally:
        repository.close()


# --- two runners at once ---------------------------------------------------------------------------------------------


class _Racing:
    """A runner that has verified the branch, and is about to record that."""

    def __init__(self, runners: Runners, name: str) -> None:
        self.runners = runners
        place = runners.site.place / name
        self.repository = Repository.open(place, str(runners.site.repo), "refs/heads/main")
        root = replace(runners.site.root, runners=(ssh.public_of(runners.key),))
        now = datetime.now(UTC)
        self.memory = trust.memory(place, root, self.repository, runners.key, now)
        digest = runners.site.change_digest
        state = self.memory.load()
        grounds = trust.Grounds(self.repository, root, state, now, digest)
        self.found: Accepted = trust.verify(grounds, self.repository.tip)

    def store(self) -> None:
        """Record it, late."""
        try:
            self.memory.store(self.found)
        finally:
            self.repository.close()


def test_two_runners_that_accepted_the_same(runners: Runners) -> None:
    """One of them records it, the other finds that and goes on."""
    head = runners.change()
    one, two = _Racing(runners, "one"), _Racing(runners, "two")
    one.store()
    tip = runners.tip(STATE)
    two.store()
    assert (runners.tip(STATE), runners.accepted()) == (tip, head)


def test_a_runner_that_accepted_more_goes_on_behind_the_other(runners: Runners) -> None:
    """The steps that the other one did not see are put behind its record."""
    first = runners.change()
    one = _Racing(runners, "one")
    second = runners.change()
    two = _Racing(runners, "two")
    one.store()
    two.store()
    history = runners.site.must(0, "trust", "state", "--output", "json").json["accepted"]
    assert [commit["commit"] for commit in history] == [runners.site.introduction, first, second]
    assert runners.accepted() == second


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_runner_that_comes_late_with_an_older_commit(runners: Runners) -> None:
    """Of two runners, the one that verified the older commit does not apply it after the newer one."""
    runners.change()
    late = _Racing(runners, "late")
    second = runners.change()
    _Racing(runners, "early").store()
    with pytest.raises(NotTrustedError) as caught:
        late.store()
    assert caught.value.code == "E_STATE_ROLLBACK"
    assert runners.accepted() == second


# --- crashes ---------------------------------------------------------------------------------------------------------


class _KilledError(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("point", ["_push", "append_record", "_note", "after"])
def test_a_runner_killed_while_it_records(runners: Runners, point: str) -> None:
    """Wherever it is killed, the next run on a new machine ends in the same accepted commit."""
    head = runners.change()
    runners.new_machine()
    targets: dict[str, tuple[object, str]] = {
        "_push": (trust.RecordedMemory, "_push"),
        "append_record": (Repository, "append_record"),
        "_note": (trust.RecordedMemory, "_note"),
        "after": (trust.RecordedMemory, "reload"),
    }
    owner, name = targets[point]
    runners.site.gate.forget()
    with mock.patch.object(owner, name, side_effect=_KilledError), pytest.raises(_KilledError):
        runners.site.cli("apply", "sha256:" + "0" * 64)
    assert runners.site.gate.connections == 0
    assert runners.accepted() in {runners.site.introduction, head}
    assert runners.accept() == head


# --- a host with a disk that was lost --------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Site]:
    """A host that keeps its memory on its own disk."""
    with closed_api() as api:
        yield Site(tmp_path, keys, policy_document(publics), gate=api)


def _change(site: Site, milliseconds: int) -> str:
    base = git(site.repo, "rev-parse", "refs/heads/main").decode().strip()
    head = site.move(site.commit(site.with_timeout(milliseconds), [base]))
    site.review("bob", base, head)
    return head


def _seed(site: Site, commit: str) -> None:
    """The operator's word for an instance that is down."""
    site.must(0, "trust", "state", "seed", commit, "--yes", "--without=eu/lb1")


def test_a_first_start_waits_for_the_instances(site: Site) -> None:
    """Nothing is remembered before the marks are asked; an operator who has looked goes on without one that is down."""
    head = _change(site, 1)
    said = site.must(7, "apply", "sha256:" + "0" * 64).err
    assert "trust state seed" in said
    assert site.must(0, "trust", "state", "--output", "json").json["accepted"] == []
    _seed(site, head)
    assert "trust state seed" not in site.must(7, "apply", "sha256:" + "0" * 64).err


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_lost_disk_and_an_older_history(site: Site) -> None:
    """The state is lost, the source shows an older commit: the audit log knows better, also for `confirm`."""
    first = _change(site, 1)
    second = _change(site, 2)
    _seed(site, second)
    shutil.rmtree(site.host)
    site.move(first)
    site.apply_refused("E_STATE_ROLLBACK")
    said = site.must(4, "trust", "state", "seed", first, "--yes", "--without=eu/lb1")
    assert said.err.startswith("E_STATE_ROLLBACK: ")
    site.move(second)  # the control: with the whole history it begins again
    site.gate.forget()
    assert site.cli("apply", "sha256:" + "0" * 64).code == 7
    assert site.gate.connections > 0


def test_a_memory_that_cannot_be_believed_is_begun_anew(site: Site) -> None:
    """After a look around, the operator confirms the commit; what was there is put aside."""
    head = _change(site, 1)
    _seed(site, head)
    (site.host / "trust" / "accepted.json").write_bytes(b"{}")
    site.apply_refused("E_STATE_ROLLBACK")
    assert site.must(64, "trust", "state", "seed", head, "--yes", "--without=eu/lb1").err.startswith("E_STATE_SEED: ")
    site.must(0, "trust", "state", "confirm", head, "--yes", "--without=eu/lb1")
    assert site.must(0, "trust", "state", "--output", "json").json["accepted"][-1]["commit"] == head
    assert [file.name for file in site.host.glob("trust.*/accepted.json")] == ["accepted.json"]
    site.gate.forget()
    assert site.cli("apply", "sha256:" + "0" * 64).code == 7
    assert site.gate.connections > 0
