"""What a runner without a disk applied stands in the source, where others push: it decides what is ours to delete."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apply_lab import LabInstance, lab
from flow_attack import Site, document
from flow_gate import Gate
from state_runners import STATE, Runners
from trust_world import closed_api, make_key, policy_document

from haoam_sync import trust
from haoam_sync.errors import NotTrustedError
from haoam_sync.model.state_record import encode_payload, parse_payload, parse_record
from haoam_sync.repository import Repository
from haoam_sync.state import Applied, Seen
from haoam_sync.trust import ssh

_CACHE = {"haproxy/cache.yaml": document("Cache", "small", {"total_max_size": 4, "max_age": 60})}


@pytest.fixture
def runners(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Runners]:
    """Runners whose memory was seeded, and who applied the introduction commit once."""
    with closed_api() as api:
        site = Site(tmp_path, keys, policy_document(publics), gate=api)
        found = Runners(site, make_key(tmp_path, "runner"), make_key(tmp_path, "other-runner"))
        found.seed()
        _record(found, found.site.introduction, 1)
        yield found


def _applied(commit: str, version: int) -> Applied:
    return Applied(commit, {"lb1": Seen(version, "c0ffee", commit, ("ssl_certificates/site.pem",))})


def _record(runners: Runners, commit: str, version: int, *, cluster: str = "eu") -> None:
    """A runner says what it brought a cluster to."""
    with closing(_repository(runners, "writer")) as repository:
        _memory(runners, repository, "writer").record_applied(cluster, _applied(commit, version))


def _known(runners: Runners) -> Mapping[str, Applied]:
    """What the next runner, on a new machine, knows."""
    shutil.rmtree(runners.site.place / "reader", ignore_errors=True)
    with closing(_repository(runners, "reader")) as repository:
        return _memory(runners, repository, "reader").all_applied()


def _repository(runners: Runners, name: str) -> Repository:
    return Repository.open(runners.site.place / name, str(runners.site.repo), "refs/heads/main")


def _memory(runners: Runners, repository: Repository, name: str) -> trust.Memory:
    root = replace(runners.site.root, runners=(ssh.public_of(runners.key),))
    return trust.memory(runners.site.place / name, root, repository, runners.key, datetime.now(UTC))


def _forged(runners: Runners, key: Path, commit: str) -> bytes:
    """A record that continues the tip, by whoever has this key."""
    payload = parse_payload(parse_record(runners.record(runners.tip(STATE)), where="").payload, where="")
    applied = {"eu": {"commit": commit, "instances": {}}}
    return runners.signed(encode_payload("applied", payload.previous, applied=applied), key)


def test_control_what_one_runner_applied_the_next_one_knows(runners: Runners) -> None:
    """The newest record of each cluster counts; who has nothing new to say pushes nothing."""
    first = _applied(runners.site.introduction, 1)
    assert _known(runners) == {"eu": first}
    _record(runners, runners.site.introduction, 7, cluster="us")
    _record(runners, runners.site.introduction, 2)
    tip = runners.tip(STATE)
    _record(runners, runners.site.introduction, 2)
    assert runners.tip(STATE) == tip
    assert _known(runners) == {
        "eu": _applied(runners.site.introduction, 2),
        "us": _applied(runners.site.introduction, 7),
    }
    head = runners.change()
    assert runners.accept() == head  # records of both kinds continue each other
    assert set(_known(runners)) == {"eu", "us"}


def test_two_runners_that_record_at_the_same_time(runners: Runners) -> None:
    """Who comes late puts its record behind the other's, and neither is lost."""
    late = _repository(runners, "late")
    with closing(late):
        memory = _memory(runners, late, "late")
        memory.load()
        _record(runners, runners.site.introduction, 7, cluster="us")
        memory.record_applied("eu", _applied(runners.site.introduction, 3))
    assert {name: one.instances["lb1"].version for name, one in _known(runners).items()} == {"eu": 3, "us": 7}


@pytest.mark.attack("E_STATE_SIGNER")
def test_what_was_applied_by_somebody_else(runners: Runners) -> None:
    """Whoever may push says nothing about what is ours."""
    runners.push(_forged(runners, runners.other, "9" * 40), runners.tip(STATE))
    runners.refused("E_STATE_SIGNER")


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_what_was_applied_before_put_on_top(runners: Runners) -> None:
    """A true record of an older apply does not come back behind a newer one."""
    old = runners.record(runners.tip(STATE))
    _record(runners, runners.site.introduction, 2)
    runners.push(old, runners.tip(STATE))
    runners.refused("E_STATE_ROLLBACK")


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_what_was_applied_left_out(runners: Runners) -> None:
    """A record can not be taken out from between two others, so that what it says is forgotten."""
    before = runners.parent(runners.tip(STATE))
    runners.change()
    runners.accept()
    runners.push(runners.record(runners.tip(STATE)), before)
    runners.refused("E_STATE_ROLLBACK")


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_what_was_applied_taken_back(runners: Runners) -> None:
    """A host that still knows the newer record holds when the branch is reset behind it."""
    before = runners.parent(runners.tip(STATE))
    runners.site.must(7, "apply", "sha256:" + "0" * 64)  # this machine saw the record
    runners.site.move(before, STATE)
    runners.refused("E_STATE_ROLLBACK", keep=True)


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_what_was_applied_of_another_fleet(
    runners: Runners, tmp_path_factory: pytest.TempPathFactory, keys: Mapping[str, Path], publics: Mapping[str, str]
) -> None:
    """The same runners' record of another fleet does not continue the chain of this one."""
    with closed_api() as api:
        site = Site(tmp_path_factory.mktemp("foreign"), keys, policy_document(publics), gate=api, founder="bob")
        foreign = Runners(site, runners.key, runners.other)
        foreign.seed()
        _record(foreign, foreign.site.introduction, 5)
        content = foreign.record(foreign.tip(STATE))
    runners.push(content, runners.tip(STATE))
    runners.refused("E_STATE_ROLLBACK")
    with pytest.raises(NotTrustedError, match="does not continue the one before it"):
        _known(runners)


@pytest.mark.attack("E_STATE_ROLLBACK")
@pytest.mark.parametrize("change", [{"lines": [{}]}, {"kind": "advance"}, {"applied": {"eu": {}}}, {"previous": ""}])
def test_a_record_of_an_apply_that_says_something_else(runners: Runners, change: dict[str, object]) -> None:
    """Even a runner's own record is read in one form only."""
    tip = runners.tip(STATE)
    value = json.loads(parse_record(runners.record(tip), where=tip).payload)
    payload = json.dumps({**value, **change}, separators=(",", ":"), sort_keys=True).encode()
    runners.push(runners.signed(payload, runners.key), runners.parent(tip))
    runners.refused("E_STATE_ROLLBACK")


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_rubbish_behind_what_was_applied(runners: Runners) -> None:
    """An operator who begins anew is told of what runners applied, whatever somebody pushed behind that."""
    head = runners.change()
    _record(runners, head, 2)
    runners.push(b"no record", runners.tip(STATE))
    runners.site.move(runners.site.introduction)
    with pytest.raises(NotTrustedError):
        _known(runners)
    runners.new_machine()
    older = ("trust", "state", "confirm", runners.site.introduction, "--yes", "--without=eu/lb1")
    assert runners.site.must(4, *older).err.startswith("E_STATE_ROLLBACK: ")


# --- what it is for ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def instance() -> Iterator[LabInstance]:
    """One HAProxy with its API."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, "") as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.e2e
def test_a_section_without_a_mark_is_ours_on_the_next_machine(
    tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance
) -> None:
    """A cache keeps no mark: it is deleted all the same when git has it no more, and drift is found without a disk."""
    instance.unmark()
    with Gate(instance.url) as gate:
        site = Site(tmp_path, keys, policy_document(publics), gate=gate)
        runners = Runners(site, make_key(tmp_path, "runner"), make_key(tmp_path, "other-runner"))
        site.must(0, "trust", "state", "seed", site.introduction, "--yes")

        def applied(files: Mapping[str, bytes | tuple[str, str]]) -> str:
            base = runners.tip("refs/heads/main")
            head = site.move(site.commit(files, [base]))
            site.review("bob", base, head)
            runners.new_machine()
            digest = site.must(2, "plan", "--output", "json").json["plan_digest"]
            runners.new_machine()
            site.must(0, "apply", digest)
            runners.new_machine()
            site.must(0, "drift")
            return head

        applied({**site.with_timeout(3001), **_CACHE})
        assert "cache small" in instance.file
        applied(site.with_timeout(3002))
        assert "cache small" not in instance.file


@pytest.mark.e2e
def test_an_apply_that_could_not_be_recorded(
    tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance
) -> None:
    """What was done and that nobody wrote it down are both told, not as success; the next run writes it."""
    instance.unmark()
    with Gate(instance.url) as gate:
        site = Site(tmp_path, keys, policy_document(publics), gate=gate)
        runners = Runners(site, make_key(tmp_path, "runner"), make_key(tmp_path, "other-runner"))
        site.must(0, "trust", "state", "seed", site.introduction, "--yes")
        head = site.move(site.commit({**site.with_timeout(4001), **_CACHE}, [site.introduction]))
        site.review("bob", site.introduction, head)
        digest = site.must(2, "plan", "--output", "json").json["plan_digest"]
        site.must(10, "apply", "sha256:" + "0" * 64)  # what is accepted is recorded before anything is done
        lock = site.source / f"{STATE}.lock"
        lock.touch()
        told = site.cli("apply", digest, "--output", "json")
        assert [one["result"] for one in told.json["instances"]] == ["applied"]
        assert told.code == told.json["exit"] != 0
        assert told.json["unrecorded"]["code"].startswith("E_")
        assert "cache small" in instance.file
        again = site.must(0, "plan", "--output", "json").json["plan_digest"]
        text = site.must(told.code, "apply", again)
        assert ("unchanged" in text.out, told.json["unrecorded"]["code"] in text.err) == (True, True), text.said
        lock.unlink()
        runners.new_machine()
        site.must(0, "apply", again)
        assert {name: one.instances["lb1"].commit for name, one in _known(runners).items()} == {"eu": head}
