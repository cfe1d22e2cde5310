"""Writing the log: order, durability, one writer, crashes, refusals."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from audit_samples import (
    BASE,
    COMMIT,
    EU1,
    EU2,
    KEY,
    RUNNER,
    SECRET,
    START,
    Clock,
    apply_once,
    authorized,
    instance_plan,
    opened,
    outcome,
    request,
    say,
    transact,
    trusted,
)

from haoam_sync import audit
from haoam_sync.errors import AuditError, InstanceError, LockedError, NotTrustedError, PlanMismatchError
from haoam_sync.model.exchange import Answer
from haoam_sync.model.json import Json
from haoam_sync.model.outcome import Result


def written(directory: Path) -> list[dict[str, Json]]:
    """Every record, segment by segment."""
    return [json.loads(line) for path in sorted(directory.glob("*.jsonl")) for line in path.read_bytes().splitlines()]


def events(directory: Path) -> list[Json]:
    """The events in order."""
    return [record["event"] for record in written(directory)]


def test_an_apply_leaves_its_whole_story(tmp_path: Path) -> None:
    """From the accepted commit to the outcome, every step is a record, in order, with consecutive numbers."""
    with opened(tmp_path / "audit") as log:
        apply_once(log)
    records = written(tmp_path / "audit")
    write = ["request.announced", "request.answered"]
    assert [record["event"] for record in records] == [
        "log.opened",
        "commit.accepted",
        "apply.intended",
        "instance.intended",
        "read.answered",
        *write,
        *write,
        *write,
        "read.answered",
        "instance.concluded",
        "apply.concluded",
    ]
    assert [record["seq"] for record in records] == list(range(1, 15))
    assert records[2]["actor"] == {"name": "alice", "roles": ["author"], "key": "alice-key"}
    assert records[2]["reviewers"] == [{"name": "bob", "roles": ["reviewer", "root"], "key": "bob-key"}]
    assert records[2]["authority"] == {
        "commit": COMMIT,
        "base": BASE,
        "policy_digest": "sha256:" + "1" * 64,
        "plan_digest": authorized().plan.digest,
        "change_digest": "sha256:" + "2" * 64,
    }
    assert records[-2]["state"] == {
        "before": {"version": 5, "checksum": f"sha256:{5:064d}"},
        "after": {"version": 6, "checksum": f"sha256:{6:064d}"},
    }


def test_no_secret_reaches_the_log(tmp_path: Path) -> None:
    """Neither a body's exact bytes, nor a server's or a refusal's words, nor a plan's secret fields are there."""
    with opened(tmp_path) as log:
        apply = log.intend(authorized(), runner=RUNNER)
        recorder = log.recorder(apply)
        transact(recorder)
        say(
            recorder,
            request("GET", "/configuration/raw"),
            Answer(400, error_class="validation", error_text=f"near '{SECRET}'"),
        )
        log.refused(PlanMismatchError(f"echo {SECRET}"), trusted=trusted())
        log.drift(instance_plan(), commit=COMMIT)
        log.conclude(apply, outcome(result=Result.RESTORED))
    text = (tmp_path / "audit-000001.jsonl").read_text()
    assert SECRET not in text
    assert "validation" in text
    assert '"path":"servers.s1.weight"' in text
    assert '{"path":"cookie.dynamic_key","secret":true}' in text


def test_equal_bodies_have_equal_digests_that_only_the_key_can_make(tmp_path: Path) -> None:
    """The digest of a body is an HMAC: the same for the same bytes, and nothing that anybody could try."""
    with opened(tmp_path) as log:
        recorder = log.recorder(log.intend(authorized(), runner=RUNNER))
        for body in (b"a", b"a", b"b"):
            say(recorder, request("POST", "/configuration/raw", body=body), Answer(201))
    digests = [r["request"]["body_digest"] for r in written(tmp_path) if r["event"] == "request.announced"]
    assert digests[0] == digests[1] != digests[2]
    assert digests[0] == KEY.digest(b"a")
    assert digests[0].startswith("hmac-sha256:")


def test_an_announcement_is_one_write_and_one_sync_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Announcing costs exactly one write and one fsync, in this order; an answer costs one write and no fsync."""
    with opened(tmp_path) as log:
        recorder = log.recorder(log.intend(authorized(), runner=RUNNER))
        calls: list[str] = []
        write, sync = os.write, os.fsync
        monkeypatch.setattr(os, "write", lambda fd, data: (calls.append("write"), write(fd, data))[1])
        monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("sync"), sync(fd))[1])
        asked = request("POST", "/configuration/raw", body=b"x")
        recorder.announce(asked)
        assert calls == ["write", "sync"]
        calls.clear()
        recorder.answered(asked, Answer(201))
        assert calls == ["write"]
        calls.clear()
        log.intend(authorized(instance_plan(EU1), instance_plan(EU2)), runner=RUNNER)
        assert calls == ["write", "sync"]


def test_a_write_without_an_open_apply_is_refused_before_it_is_recorded(tmp_path: Path) -> None:
    """Only an intended, unconcluded apply may write; without one, reads and the removal of a transaction pass."""
    with opened(tmp_path) as log:
        free = log.recorder()
        say(free, request("GET", "/configuration/version"), Answer(200, 5))
        say(free, request("DELETE", "/transactions/t9"), Answer(204))
        with pytest.raises(AuditError) as refusal:
            free.announce(request("PUT", "/transactions/t9"))
        assert refusal.value.code == "E_AUDIT_ORDER"
        apply = log.intend(authorized(), runner=RUNNER)
        recorder = log.recorder(apply)
        recorder.announce(request("POST", "/configuration/raw", body=b"x"))
        log.conclude(apply, outcome())
        with pytest.raises(AuditError):
            recorder.announce(request("POST", "/configuration/raw", body=b"x"))
        with pytest.raises(AuditError):
            log.conclude(apply, outcome())
    assert events(tmp_path).count("request.announced") == 2


def test_an_answer_to_a_write_that_was_not_announced_is_recorded_and_raised(tmp_path: Path) -> None:
    """A client that forgets to announce is caught, and what it did stands in the log, which then does not verify."""
    with opened(tmp_path) as log:
        recorder = log.recorder(log.intend(authorized(), runner=RUNNER))
        with pytest.raises(AuditError) as refusal:
            recorder.answered(request("POST", "/configuration/raw"), Answer(201))
    assert refusal.value.code == "E_AUDIT_ORDER"
    assert [flaw.code for flaw in audit.verify(tmp_path).flaws] == ["E_AUDIT_ORDER"]


def test_a_full_disk_stops_the_write_that_was_to_be_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room: exit 11 before the request is sent, nothing more in this run, and the next run records the rest."""
    with opened(tmp_path) as log:
        recorder = log.recorder(log.intend(authorized(), runner=RUNNER))
        write = os.write

        def full(descriptor: int, data: bytes) -> int:
            if len(data) > 100:
                write(descriptor, data[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(AuditError) as refusal:
            recorder.announce(request("POST", "/configuration/raw", body=b"x"))
        monkeypatch.undo()
        assert (refusal.value.exit, refusal.value.code) == (11, "E_AUDIT_WRITE")
        assert "No space left" in str(refusal.value)
        with pytest.raises(AuditError):
            log.start(RUNNER)
    with opened(tmp_path) as log:
        log.start(RUNNER)
    checked = audit.verify(tmp_path)
    assert checked.intact
    assert checked.notes == ("a crash left 100 bytes of a record at the end of audit-000001.jsonl",)
    assert [apply.apply for apply in checked.unfinished] == ["20260301T120000-1"]


def test_a_failed_sync_stops_the_write_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not last is not announced, and after a failed fsync nothing is believed to be on the disk any more."""
    with opened(tmp_path) as log:
        recorder = log.recorder(log.intend(authorized(), runner=RUNNER))

        def fails(_: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "fsync", fails)
        with pytest.raises(AuditError):
            recorder.announce(request("POST", "/configuration/raw", body=b"x"))
        monkeypatch.undo()
        with pytest.raises(AuditError):
            recorder.announce(request("POST", "/configuration/raw", body=b"x"))


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file where the directory should be: one clear refusal with exit 11."""
    (tmp_path / "audit").write_text("")
    with pytest.raises(AuditError) as refusal:
        opened(tmp_path / "audit")
    assert refusal.value.code == "E_AUDIT_WRITE"
    assert refusal.value.where == str(tmp_path / "audit")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_directory_that_others_may_write_proves_nothing(tmp_path: Path, mode: int) -> None:
    """Where others can replace the files, or add some, no log is begun."""
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit").chmod(mode)
    with pytest.raises(AuditError) as refusal:
        opened(tmp_path / "audit")
    assert refusal.value.code == "E_AUDIT_WRITE"
    assert "chmod go-w" in refusal.value.hint
    assert list((tmp_path / "audit").iterdir()) == []


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `path` somebody else's: root can, and whoever is not root becomes somebody else."""
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        other = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: other)


@pytest.mark.parametrize("name", ["", "audit-000001.jsonl", "audit.lock"])
def test_what_belongs_to_somebody_else_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Its owner can change a file whatever its mode: nothing is added to a log, or begun in a directory, of others."""
    directory = tmp_path / "audit"
    with opened(directory) as log:
        log.start(RUNNER)
    before = (directory / "audit-000001.jsonl").read_bytes()
    give_away(directory / name, monkeypatch)
    with pytest.raises(AuditError) as refusal:
        opened(directory)
    assert (refusal.value.code, refusal.value.where) == ("E_AUDIT_WRITE", str(directory / name))
    assert (directory / "audit-000001.jsonl").read_bytes() == before


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
@pytest.mark.parametrize("name", ["audit-000001.jsonl", "audit-000002.jsonl", "audit.lock"])
def test_a_file_that_others_may_write_is_no_log(tmp_path: Path, name: str, mode: int) -> None:
    """Neither the newest segment, nor an older one, nor the lock may be writable by others; put right, it goes on."""
    directory = tmp_path / "audit"
    with opened(directory, segment_bytes=1) as log:
        log.start(RUNNER)
        log.start(RUNNER)
    (directory / name).chmod(mode)
    with pytest.raises(AuditError) as refusal:
        opened(directory)
    assert (refusal.value.code, refusal.value.where) == ("E_AUDIT_WRITE", str(directory / name))
    (directory / name).chmod(0o600)
    with opened(directory) as log:
        log.start(RUNNER)
    assert audit.verify(directory).records == 3


def test_only_the_owner_can_read_the_log(tmp_path: Path) -> None:
    """The directory is made with 0700, segments and lock with 0600, whatever the umask."""
    before = os.umask(0)
    try:
        with opened(tmp_path / "deep" / "audit") as log:
            log.start(RUNNER)
    finally:
        os.umask(before)
    directory = tmp_path / "deep" / "audit"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_a_symlink_is_no_segment(tmp_path: Path) -> None:
    """A link planted as the segment cannot lead the log elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("")
    (tmp_path / "audit").mkdir(mode=0o700)
    (tmp_path / "audit" / "audit-000001.jsonl").symlink_to(victim)
    with pytest.raises(AuditError):
        opened(tmp_path / "audit")
    assert victim.read_text() == ""


def test_two_writers_exclude_each_other(tmp_path: Path) -> None:
    """A second writer gets exit 12 and changes nothing; once the first has closed, it may write."""
    with opened(tmp_path) as log:
        log.start(RUNNER)
        with pytest.raises(LockedError):
            opened(tmp_path)
        log.start(RUNNER)
    with opened(tmp_path) as log:
        log.start(RUNNER)
    assert audit.verify(tmp_path).records == 3


def grow(path: Path) -> None:
    """Add a byte."""
    path.write_bytes(path.read_bytes() + b"x")


def shrink(path: Path) -> None:
    """Keep ten bytes."""
    os.truncate(path, 10)


@pytest.mark.parametrize("harm", [grow, shrink, Path.unlink])
def test_a_foreign_change_to_the_open_log_is_noticed_before_the_next_record(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """A file that grew, shrank or went away under the writer stops it."""
    with opened(tmp_path) as log:
        log.start(RUNNER)
        harm(tmp_path / "audit-000001.jsonl")
        with pytest.raises(AuditError, match="somebody else changed"):
            log.start(RUNNER)


def test_segments_follow_each_other_by_size_in_one_chain(tmp_path: Path) -> None:
    """A full segment is followed by the next; numbers and hashes go on; reopening goes on in the newest."""
    clock = Clock()
    for _ in range(3):
        with opened(tmp_path, clock=clock, segment_bytes=2000) as log:
            for _ in range(4):
                apply_once(log)
    checked = audit.verify(tmp_path, key=KEY)
    assert not checked.flaws
    assert checked.records == 12 * 14
    assert len(checked.segments) > 20
    assert all(path.stat().st_size <= 4000 for path in tmp_path.glob("*.jsonl"))
    assert checked.head_seq == 12 * 14


def test_a_torn_last_line_stays_and_is_recorded(tmp_path: Path) -> None:
    """After a crash in the middle of a line nothing is removed; a new segment names the rest."""
    with opened(tmp_path) as log:
        log.start(RUNNER)
    first = tmp_path / "audit-000001.jsonl"
    torn = first.read_bytes() + b'{"code":"HOA030","ev'
    first.write_bytes(torn)
    assert [flaw.code for flaw in audit.verify(tmp_path).flaws] == ["E_AUDIT_TORN"]
    with opened(tmp_path) as log:
        log.start(RUNNER)
    assert first.read_bytes() == torn
    second = [json.loads(line) for line in (tmp_path / "audit-000002.jsonl").read_text().splitlines()]
    assert [record["event"] for record in second] == ["log.torn", "log.opened"]
    assert second[0]["detail"]["torn"][0]["bytes"] == 20
    assert audit.verify(tmp_path).intact


def test_a_crash_while_recording_a_torn_line_is_survived(tmp_path: Path) -> None:
    """A new segment that is torn itself, or still empty, is taken up like the first."""
    with opened(tmp_path) as log:
        log.start(RUNNER)
    with (tmp_path / "audit-000001.jsonl").open("ab") as file:
        file.write(b'{"a')
    (tmp_path / "audit-000002.jsonl").write_bytes(b'{"b":')
    (tmp_path / "audit-000003.jsonl").write_bytes(b"")
    with opened(tmp_path) as log:
        log.start(RUNNER)
    checked = audit.verify(tmp_path)
    assert checked.intact
    assert len(checked.notes) == 2
    assert len(checked.segments) == 3


def test_a_log_that_was_torn_before_its_first_record_begins(tmp_path: Path) -> None:
    """A crash in the very first line leaves a log that begins with the note of it."""
    tmp_path.chmod(0o700)
    (tmp_path / "audit-000001.jsonl").write_bytes(b"\0" * 77)
    with opened(tmp_path) as log:
        log.start(RUNNER)
    checked = audit.verify(tmp_path)
    assert checked.intact
    assert (checked.records, checked.head_seq) == (2, 2)


def test_nothing_is_appended_to_an_end_that_does_not_verify(tmp_path: Path) -> None:
    """A changed last record, or a missing segment, refuses the writer with exit 11 and leaves the files as they are."""
    with opened(tmp_path) as log:
        log.start(RUNNER)
    path = tmp_path / "audit-000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"runner-1", b"runner-2"))
    with pytest.raises(AuditError) as refusal:
        opened(tmp_path)
    assert refusal.value.code == "E_AUDIT_TAIL"
    path.rename(tmp_path / "audit-000002.jsonl")
    with pytest.raises(AuditError) as refusal:
        opened(tmp_path)
    assert refusal.value.code == "E_AUDIT_TAIL"
    assert not path.exists()


def test_a_clock_that_goes_back_is_said(tmp_path: Path) -> None:
    """A step of NTP passes; a clock set back by an hour is recorded as such, also by the next run, and verifies."""
    clock = Clock()
    with opened(tmp_path, clock=clock) as log:
        log.start(RUNNER)
        clock.now -= timedelta(seconds=2)
        log.start(RUNNER)
        clock.now -= timedelta(hours=1)
        log.start(RUNNER)
    clock.now -= timedelta(hours=1)
    with opened(tmp_path, clock=clock) as log:
        log.intend(authorized(), runner=RUNNER)
    assert events(tmp_path) == [
        "log.opened",
        "log.opened",
        "log.clock",
        "log.opened",
        "log.clock",
        "apply.intended",
        "instance.intended",
    ]
    checked = audit.verify(tmp_path)
    assert checked.intact
    assert len(checked.notes) == 2


def test_a_refused_commit_is_recorded_with_its_code(tmp_path: Path) -> None:
    """Distrust is an event of the commit, any other refusal one of the apply; both carry code, place and commit."""
    with opened(tmp_path) as log:
        log.refused(NotTrustedError("unsigned", code="E_UNSIGNED", where=COMMIT), commit=COMMIT)
        log.refused(PlanMismatchError("another plan"), trusted=trusted())
    first, second = written(tmp_path)
    assert (first["event"], first["error"]["class"], first["authority"]) == (
        "commit.refused",
        "E_UNSIGNED",
        {"commit": COMMIT},
    )
    assert first["detail"] == {"where": COMMIT}
    assert (second["event"], second["error"]["class"]) == ("apply.refused", "E_PLAN_MISMATCH")
    assert second["authority"]["base"] == BASE


def test_drift_is_recorded_with_fields_and_both_values(tmp_path: Path) -> None:
    """A comparison leaves a record either way; the values of a difference are there, those of secrets are not."""
    with opened(tmp_path) as log:
        log.drift(instance_plan(), commit=COMMIT)
        log.drift(instance_plan(EU2, changed=False), commit=COMMIT)
    found, none = written(tmp_path)
    assert found["event"] == "drift.found"
    assert found["detail"]["changes"][0]["fields"] == [
        {"path": "cookie.dynamic_key", "secret": True},
        {"path": "servers.s1.weight", "before": 100, "after": 50},
    ]
    assert (none["event"], none["instance"]) == ("drift.none", "eu-2")


def test_what_the_worker_runs_otherwise_is_drift(tmp_path: Path) -> None:
    """A configuration without a difference and a worker with one is a drift, and the record says which."""
    with opened(tmp_path) as log:
        log.drift(instance_plan(EU2, changed=False), commit=COMMIT, worker=("server web/s1 is drain, not ready",))
    (found,) = written(tmp_path)
    assert (found["event"], found["outcome"]) == ("drift.found", "drifted")
    assert found["detail"]["worker"] == ["server web/s1 is drain, not ready"]


def test_an_instance_that_could_not_be_compared_is_recorded(tmp_path: Path) -> None:
    """A look that failed leaves a record with its code, and none of the words, which may come from the instance."""
    with opened(tmp_path) as log:
        log.drift_failed(EU2, InstanceError("said: topsecret", code="E_TIMEOUT"), commit=COMMIT)
    (failed,) = written(tmp_path)
    assert (failed["event"], failed["outcome"], failed["instance"]) == ("drift.failed", "failed", "eu-2")
    assert failed["detail"] == {"code": "E_TIMEOUT"}
    assert "topsecret" not in json.dumps(failed)


def test_the_worst_instance_decides_the_outcome(tmp_path: Path) -> None:
    """One instance not restored among applied ones: the apply's record says so, with the exit code earned."""
    with opened(tmp_path) as log:
        apply = log.intend(authorized(instance_plan(EU1), instance_plan(EU2)), runner=RUNNER)
        good, bad = outcome(EU1), outcome(EU2, result=Result.NOT_RESTORED)
        log.conclude(apply, type(good)(COMMIT, good.plan_digest, good.instances + bad.instances))
    last = written(tmp_path)[-1]
    assert (last["event"], last["outcome"], last["detail"]) == ("apply.concluded", "not restored", {"exit": 8})


def test_threads_share_one_log(tmp_path: Path) -> None:
    """Instances handled side by side interleave whole records in one unbroken chain."""
    with opened(tmp_path) as log:
        plans = [instance_plan(type(EU1)("edge-eu", f"eu-{n}")) for n in range(8)]
        apply = log.intend(authorized(*plans), runner=RUNNER)
        recorder = log.recorder(apply)
        threads = [
            threading.Thread(target=transact, args=(recorder, plan.id), kwargs={"transaction": f"t-{plan.id.name}"})
            for plan in plans
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.conclude(apply, outcome(*(plan.id for plan in plans)))
    checked = audit.verify(tmp_path)
    assert not checked.flaws
    assert not checked.unattributed
    assert checked.records == 1 + 8 + 8 * 8 + 8 + 1


def test_a_record_that_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    """A number beyond 2**53 cannot be canonical: refused before anything is written, and the log stays usable."""
    with opened(tmp_path) as log:
        recorder = log.recorder(log.intend(authorized(), runner=RUNNER))
        with pytest.raises(AuditError) as refusal:
            recorder.announce(request("PUT", "/configuration/global", body=b"x", shown={"n": 2**60}))
        assert refusal.value.code == "E_AUDIT_WRITE"
        transact(recorder)
    assert audit.verify(tmp_path).intact


def test_the_log_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    """A process killed while it writes as fast as it can leaves a log that the next one continues and that verifies."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import audit_samples as s, pathlib\n"
        "log = s.opened(pathlib.Path(sys.argv[2]), segment_bytes=20000)\n"
        "print('ready', flush=True)\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    s.apply_once(log, version=5 + n, transaction=f't{n}')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(Path(__file__).parent), str(tmp_path)], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        while not (tmp_path / "audit-000003.jsonl").exists():
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
    clock = Clock()
    clock.now = START + timedelta(days=1)
    with opened(tmp_path, clock=clock) as log:
        log.start(RUNNER)
    checked = audit.verify(tmp_path)
    assert not checked.flaws
    assert checked.records > 60


def test_an_operators_word_is_recorded(tmp_path: Path) -> None:
    """Beginning the memory anew stands in the log, and is what was accepted last; before it, there was nothing."""
    ours = trusted().introduction
    assert audit.last_accepted(tmp_path / "audit", ours) == ""
    with opened(tmp_path / "audit") as log:
        log.begun(trusted())
    assert events(tmp_path / "audit")[-1] == "memory.begun"
    assert audit.last_accepted(tmp_path / "audit", ours) == trusted().id
    assert audit.last_accepted(tmp_path / "audit", "another repository") == ""
