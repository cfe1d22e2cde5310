"""Verification: each flaw is found where it is, and a whole log is called whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from audit_samples import KEY, RUNNER, Clock, apply_once, authorized, opened, outcome, request, say

from haoam_sync import audit
from haoam_sync.audit.codes import Event, Flaw
from haoam_sync.audit.entries import entry
from haoam_sync.audit.line import NO_RECORD, encode
from haoam_sync.audit.merkle import root
from haoam_sync.errors import AuditError
from haoam_sync.model.exchange import Answer
from haoam_sync.model.record import Entry, Runner


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of three segments and 42 records."""
    clock = Clock()
    for turn in range(3):
        with opened(tmp_path, clock=clock, segment_bytes=9000) as writer:
            apply_once(writer, version=5 + turn, transaction=f"t{turn}")
    assert len(list(tmp_path.glob("*.jsonl"))) == 3
    return tmp_path


def edit(directory: Path, segment: int, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of a segment."""
    path = directory / f"audit-{segment:06d}.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def flaws(directory: Path) -> list[tuple[str, str, int]]:
    """Code, segment and line of each flaw."""
    return [(flaw.code, flaw.file[6:12], flaw.line) for flaw in audit.verify(directory, key=KEY).flaws]


def chained(directory: Path, *entries: Entry, times: tuple[str, ...] = ()) -> None:
    """A log with any entries whatsoever, correctly chained: what somebody with the files could make."""
    prev, data = NO_RECORD, b""
    for seq, one in enumerate(entries, 1):
        time = times[seq - 1] if times else "2026-03-01T12:00:00.000Z"
        line, prev = encode(one, seq=seq, time=time, prev=prev)
        data += line
    (directory / "audit-000001.jsonl").write_bytes(data)


def test_a_whole_log_is_whole(log: Path) -> None:
    """Counts, times, head and the Merkle root of each segment come out; nothing is found."""
    checked = audit.verify(log, key=KEY)
    assert checked.intact
    assert (checked.records, checked.head_seq, len(checked.segments)) == (42, 42, 3)
    assert (checked.first, checked.last) == ("2026-03-01T12:00:00.010Z", "2026-03-01T12:00:00.360Z")
    assert not checked.flaws
    assert not checked.unfinished
    assert not checked.transactions
    assert not checked.unattributed
    assert not checked.notes
    last = json.loads((log / "audit-000003.jsonl").read_text().splitlines()[-1])
    assert checked.head == last["hash"]
    for segment in checked.segments:
        lines = (log / segment.file).read_bytes().splitlines()
        assert (segment.records, segment.root) == (len(lines), root(lines).hex())
    assert "removed from the end" in checked.limits


def test_changed_content_is_found_at_its_line(log: Path) -> None:
    """A record whose content was changed no longer gives its hash; its line and segment are named."""
    edit(log, 2, lambda lines: [*lines[:3], lines[3].replace(b"edge-eu", b"edge-us"), *lines[4:]])
    assert flaws(log) == [("E_AUDIT_HASH", "000002", 4)]


def test_changed_content_with_a_new_hash_breaks_the_chain(log: Path) -> None:
    """Who repairs the hash of a changed record breaks the link to it."""

    def forge(lines: list[bytes]) -> list[bytes]:
        members = json.loads(lines[0])
        members["actor"] = {"name": "mallory"}
        seq, time, prev = members["seq"], members["time"], members["prev"]
        forged, _ = encode(entry(Event.COMMIT_ACCEPTED, outcome="accepted"), seq=seq, time=time, prev=prev)
        return [forged, *lines[1:]]

    edit(log, 3, forge)
    assert ("E_AUDIT_CHAIN", "000003", 2) in flaws(log)


def test_a_removed_line_is_a_gap(log: Path) -> None:
    """The record after the hole names another one than the one before it, and has the wrong number."""
    edit(log, 2, lambda lines: lines[:4] + lines[5:])
    assert flaws(log)[:2] == [("E_AUDIT_CHAIN", "000002", 5), ("E_AUDIT_SEQ", "000002", 5)]


def test_a_line_removed_at_the_end_of_an_older_segment_is_a_gap(log: Path) -> None:
    """Only the end of the last segment can be cut unseen."""
    edit(log, 1, lambda lines: lines[:-1])
    assert flaws(log)[:2] == [("E_AUDIT_CHAIN", "000002", 1), ("E_AUDIT_SEQ", "000002", 1)]


def test_a_doubled_line_is_found(log: Path) -> None:
    """The same record twice: the second one has a number that was used."""
    edit(log, 2, lambda lines: [*lines[:3], lines[2], *lines[3:]])
    found = audit.verify(log).flaws
    assert [flaw.code for flaw in found[:2]] == ["E_AUDIT_CHAIN", "E_AUDIT_SEQ"]
    assert "number 18, expected 19" in found[1].message


def test_exchanged_lines_are_found(log: Path) -> None:
    """Two records in the wrong order are not a chain."""
    edit(log, 1, lambda lines: [lines[1], lines[0], *lines[2:]])
    assert ("E_AUDIT_CHAIN", "000001", 1) in flaws(log)


@pytest.mark.parametrize("number", [1, 2])
def test_a_missing_segment_is_named(log: Path, number: int) -> None:
    """A segment that was taken away, in the middle or at the beginning, is named with what follows from it."""
    (log / f"audit-{number:06d}.jsonl").unlink()
    first = audit.verify(log).flaws[0]
    assert first.code == "E_AUDIT_SEGMENT"
    assert f"audit-{number:06d}.jsonl" in first.message


def test_an_emptied_segment_is_found(log: Path) -> None:
    """An empty file is fine as the newest segment only, where a run has just begun it."""
    (log / "audit-000004.jsonl").write_bytes(b"")
    assert audit.verify(log).intact
    edit(log, 2, lambda _: [])
    assert flaws(log)[0] == ("E_AUDIT_SEGMENT", "000002", 0)


def test_something_that_is_no_record_is_found(log: Path) -> None:
    """A line of anything else is named, and the records after it are still checked."""
    edit(
        log, 1, lambda lines: [*lines[:5], b"not a record\n", *lines[6:10], lines[10].replace(b"1", b"2"), *lines[11:]]
    )
    codes = [(flaw.code, flaw.line) for flaw in audit.verify(log).flaws]
    assert codes[0] == ("E_AUDIT_FORMAT", 6)
    assert 11 in {line for _, line in codes}


def test_an_incomplete_last_line_is_found_wherever_it_is(log: Path) -> None:
    """Bytes without a newline at the end of a segment that the next record does not name break the log."""
    with (log / "audit-000002.jsonl").open("ab") as file:
        file.write(b"{")
    assert ("E_AUDIT_TORN", "000002") in {(code, file) for code, file, _ in flaws(log)}


def test_a_tale_of_an_incomplete_line_that_is_not_there_is_found(tmp_path: Path) -> None:
    """A log.torn record cannot excuse what never was, nor something else than it names."""
    torn = {"segment": "audit-000001.jsonl", "offset": 0, "bytes": 3, "digest": "sha256:" + "0" * 64}
    chained(tmp_path, entry(Event.LOG_TORN, detail={"torn": [torn]}))
    assert [code for code, _, _ in flaws(tmp_path)] == ["E_AUDIT_TORN"]


def test_a_torn_line_that_was_changed_later_is_found(log: Path) -> None:
    """The record of a torn line holds its place, size and digest."""
    with (log / "audit-000003.jsonl").open("ab") as file:
        file.write(b'{"seq"')
    with opened(log) as writer:
        writer.start(RUNNER)
    assert not [code for code, _, _ in flaws(log) if code == "E_AUDIT_TORN"]
    path = log / "audit-000003.jsonl"
    path.write_bytes(path.read_bytes()[:-1] + b"'")
    assert ("E_AUDIT_TORN", "000003") in {(code, file) for code, file, _ in flaws(log)}


def test_time_that_goes_back_unsaid_is_found(tmp_path: Path) -> None:
    """More than the tolerance back needs a log.clock record; less is a step of the clock."""
    one = entry(Event.LOG_OPENED, runner=Runner("host"), detail={"key": KEY.id})
    times = ("2026-03-01T12:00:00.000Z", "2026-03-01T11:59:56.000Z", "2026-03-01T11:59:50.000Z")
    chained(tmp_path, one, one, one, times=times)
    assert flaws(tmp_path) == [("E_AUDIT_TIME", "000001", 3)]


@pytest.mark.parametrize("time", ["2026-03-01 12:00:00.000Z", "2026-03-01T12:00:00Z", "2026-02-30T12:00:00.000Z", "x"])
def test_another_form_of_time_is_no_record(tmp_path: Path, time: str) -> None:
    """There is one form of time: UTC, milliseconds, a day that exists."""
    chained(tmp_path, entry(Event.DRIFT_NONE), times=(time,))
    assert [code for code, _, _ in flaws(tmp_path)] == ["E_AUDIT_FORMAT"]


def test_a_run_with_another_key_is_found(log: Path) -> None:
    """Given the key, every run must have used it; without it that is not judged."""
    assert audit.verify(log).intact
    other = audit.verify(log, key=audit.AuditKey(bytes(32)))
    assert {flaw.code for flaw in other.flaws} == {"E_AUDIT_KEY"}
    assert other.flaw_count == 3


@pytest.mark.parametrize(
    "event",
    [
        Event.REQUEST_ANNOUNCED,
        Event.REQUEST_ANSWERED,
        Event.INSTANCE_INTENDED,
        Event.INSTANCE_CONCLUDED,
        Event.APPLY_CONCLUDED,
        Event.APPLY_RECOVERED,
    ],
)
def test_an_act_without_its_announcement_is_found(tmp_path: Path, event: Event) -> None:
    """No write, answer or outcome stands in a good log without the intention before it."""
    chained(tmp_path, entry(event, apply="nobody"))
    assert [code for code, _, _ in flaws(tmp_path)] == ["E_AUDIT_ORDER"]


def test_an_intention_that_names_no_authority_is_found(tmp_path: Path) -> None:
    """An apply.intended record says by what authority, and which instances."""
    chained(tmp_path, entry(Event.APPLY_INTENDED, apply="x", detail={"instances": []}))
    assert [code for code, _, _ in flaws(tmp_path)] == ["E_AUDIT_FORMAT"]


def test_every_flaw_is_tested() -> None:
    """This file holds a case for each kind of flaw."""
    text = Path(__file__).read_text()
    assert [flaw.code for flaw in Flaw if f'"{flaw.code}"' not in text] == []


def test_many_flaws_are_counted_and_some_are_listed(tmp_path: Path) -> None:
    """A log of nothing but nonsense costs no memory: a hundred flaws are listed, all are counted."""
    (tmp_path / "audit-000001.jsonl").write_bytes(b"nonsense\n" * 5000)
    checked = audit.verify(tmp_path)
    assert (checked.flaw_count, len(checked.flaws), checked.records) == (5000, 100, 0)


def test_an_absent_log_is_an_error(tmp_path: Path) -> None:
    """No directory, or one without a log, is exit 11 and never a log that is whole."""
    for directory in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(AuditError) as refusal:
            audit.verify(directory)
        assert (refusal.value.exit, refusal.value.code) == (11, "E_AUDIT_READ")


def test_cutting_the_end_is_not_seen_and_the_result_says_so(log: Path) -> None:
    """Truncation at a record's end verifies; the result names the limit and gives what to compare with a copy."""
    before = audit.verify(log)
    edit(log, 3, lambda lines: lines[:-1])
    after = audit.verify(log)
    assert after.intact
    assert (after.head_seq, after.head) != (before.head_seq, before.head)
    assert after.limits == before.limits != ""
    assert [apply.seq for apply in after.unfinished] == [31]


def test_the_result_as_json(log: Path) -> None:
    """Everything in the result is in its JSON, and the JSON is plain."""
    with opened(log) as writer:
        apply = writer.intend(authorized(), runner=RUNNER)
        recorder = writer.recorder(apply)
        say(recorder, request("POST", "/transactions", version="9"), Answer(201, 9, transaction_id="t9"))
        say(recorder, request("GET", "/configuration/version"), Answer(200, 99))
    edit(log, 1, lambda lines: [lines[0].replace(b"runner-1", b"runner-2"), *lines[1:]])
    result = json.loads(json.dumps(audit.verify(log).to_json()))
    assert result["intact"] is False
    assert result["flaws"] == [
        {
            "code": "E_AUDIT_HASH",
            "file": "audit-000001.jsonl",
            "line": 1,
            "message": "the content gives another hash than the record carries",
        }
    ]
    assert result["unfinished"][0]["instances"] == ["edge-eu/eu-1"]
    assert result["transactions"] == [{"instance": "edge-eu/eu-1", "id": "t9", "seq": 46}]
    assert result["unattributed"][-1] == {
        "instance": "edge-eu/eu-1",
        "what": "version",
        "expected": "5",
        "found": "99",
        "seq": 47,
        "time": result["last"],
    }
    assert [segment["file"] for segment in result["segments"]] == sorted(path.name for path in log.glob("*.jsonl"))


def test_reading_needs_no_lock_and_changes_nothing(log: Path) -> None:
    """A log can be verified while it is written, and from a copy that cannot be written."""
    before = {path.name: path.read_bytes() for path in log.iterdir()}
    clock = Clock()
    clock.now += timedelta(days=1)
    with opened(log, clock=clock):
        assert audit.verify(log).intact
    assert {path.name: path.read_bytes() for path in log.iterdir()} == before


def test_an_apply_without_an_outcome_is_a_finding_and_no_flaw(tmp_path: Path) -> None:
    """A crash in the middle of an apply leaves a whole log that says what was going on."""
    with opened(tmp_path) as writer:
        apply = writer.intend(authorized(), runner=RUNNER)
        writer.recorder(apply).announce(request("POST", "/configuration/raw", version="5"))
    checked = audit.verify(tmp_path)
    assert checked.intact
    assert [left.apply for left in checked.unfinished] == [apply.id]
    with opened(tmp_path) as writer:
        writer.conclude(writer.resume(checked.unfinished[0]), outcome())
    assert not audit.verify(tmp_path).unfinished
