"""A record's one spelling."""

from __future__ import annotations

import json

import pytest

from haoam_sync.audit.codes import Event
from haoam_sync.audit.entries import entry
from haoam_sync.audit.line import NO_RECORD, BrokenLineError, decode, encode
from haoam_sync.model.json import Json, canonical_json, digest
from haoam_sync.model.record import (
    Authority,
    ConfigurationState,
    Failure,
    Party,
    RecordedAnswer,
    RecordedRequest,
    Runner,
    StateChange,
)

TIME = "2026-03-01T12:00:00.000Z"
FULL = entry(
    Event.REQUEST_ANSWERED,
    outcome="refused",
    apply="20260301T120000-1",
    cluster="edge-eu",
    instance="eu-1",
    actor=Party("alice", ("author",), "alice-key"),
    reviewers=(Party("bob"), Party("carol", ("reviewer",))),
    runner=Runner("host", "haoam", "0.1.0", "https://ci.example/1"),
    authority=Authority("c", "b", "sha256:p", "sha256:l", "sha256:c", "haproxy/**"),
    request=RecordedRequest(
        "PUT", "/x", (("version", "5"), ("version", "6")), "hmac-sha256:d", {"hash": "sha256:0", "b": [None, True]}, 0
    ),
    answer=RecordedAnswer(0, 0, 7, "md5", "r1", "t1", Failure("timeout", "hmac-sha256:e")),
    state=StateChange(ConfigurationState(0, "sha256:a"), ConfigurationState(7)),
    error=Failure("E_X"),
    detail={"é": "ü", "ratio": 0.5, "\U0001f600": 1, "\ufb33": 2},
)


def hashed(members: dict[str, Json]) -> bytes:
    """The line of a record with any members whatsoever and the hash that belongs to them."""
    unhashed = {name: value for name, value in members.items() if name != "hash"}
    return canonical_json({**unhashed, "hash": digest(unhashed)})


def members() -> dict[str, Json]:
    """A small record's members."""
    line, _ = encode(entry(Event.LOG_OPENED, runner=Runner("host")), seq=1, time=TIME, prev=NO_RECORD)
    return dict(json.loads(line))


def test_a_record_reads_back_as_it_was_written() -> None:
    """Every member survives the way through bytes, keys beyond ASCII and fractions included."""
    line, head = encode(FULL, seq=9, time=TIME, prev=NO_RECORD)
    assert line.endswith(b"}\n")
    record = decode(line[:-1])
    assert record.entry == FULL
    assert (record.seq, record.time, record.prev, record.hash) == (9, TIME, NO_RECORD, head)


def test_the_hash_covers_everything_but_itself() -> None:
    """The hash is the SHA-256 of the canonical JSON of the record without the member `hash`."""
    line, head = encode(FULL, seq=9, time=TIME, prev=NO_RECORD)
    whole = json.loads(line)
    assert whole.pop("hash") == head == digest(whole)


def test_absent_parts_are_left_out() -> None:
    """A record shows what it knows and nothing else; zero and false are knowledge."""
    line, _ = encode(
        entry(Event.READ_ANSWERED, answer=RecordedAnswer(0, 0), detail={"solo": False}),
        seq=1,
        time=TIME,
        prev=NO_RECORD,
    )
    shown = json.loads(line)
    assert sorted(shown) == ["answer", "code", "detail", "event", "hash", "prev", "seq", "time"]
    assert shown["answer"] == {"status": 0, "duration_ms": 0}


def test_other_spellings_of_a_record_are_refused() -> None:
    """White space, other escapes, another order, a duplicate, something after it: none of them is the record."""
    line, _ = encode(entry(Event.LOG_OPENED, runner=Runner("host/1")), seq=1, time=TIME, prev=NO_RECORD)
    good = line[:-1]
    assert decode(good).seq == 1
    hash_member = good[good.index(b'"hash"') : good.index(b'"prev"')]
    for other in (
        good + b" ",
        b" " + good,
        good + b"{}",
        good.replace(b":", b": ", 1),
        good.replace(b"host/1", b"host\\/1"),
        good.replace(b"host/1", b"\\u0068ost/1"),
        good.replace(b'"seq":1', b'"seq":1,"seq":1'),
        good.replace(b'"seq":1', b'"seq":2,"seq":1'),
        good.replace(b'"seq":1', b'"seq":1.0'),
        good.replace(b'"seq":1', b'"seq":1e0'),
        good.replace(b'"seq":1', b'"seq":-0'),
        good.replace(hash_member, b"")[:-1] + b"," + hash_member[:-1] + b"}",
        good.replace(b"host", b"h\xffst"),
        good.replace(b"host", b"\\ud800"),
        b"\xef\xbb\xbf" + good,
        b"[" * 100_000,
        b"null",
        b"",
    ):
        with pytest.raises(BrokenLineError) as refusal:
            decode(other)
        assert refusal.value.record is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "unknown member 'extra'"),
        ({"seq": "1"}, "'seq' must be a whole number"),
        ({"seq": True}, "'seq' must be a whole number"),
        ({"seq": -1}, "'seq' must be a whole number"),
        ({"time": None}, "'time' must be a string"),
        ({"event": ""}, "'event' must be a string"),
        ({"runner": {"host": "h", "shoe": 1}}, "runner: unknown member 'shoe'"),
        ({"runner": ["host"]}, "runner: expected an object"),
        ({"reviewers": "bob"}, "'reviewers' must be a list"),
        ({"reviewers": [{"name": "bob", "roles": [1]}]}, "'roles' must be strings"),
        ({"request": {"method": "GET", "path": "/", "query": [["a"]]}}, "'query' must be pairs of strings"),
        ({"answer": {"status": 200}}, "'duration_ms' must be a whole number"),
        ({"authority": {}}, "'commit' must be a string"),
        ({"code": "HOA999"}, "no event is called log.opened with the code HOA999"),
        ({"code": "HOA010"}, "no event is called log.opened with the code HOA010"),
    ],
)
def test_only_known_members_of_the_right_type_pass(change: dict[str, Json], message: str) -> None:
    """A record with a member too many, of a wrong type, or missing, is refused even when its hash is right."""
    with pytest.raises(BrokenLineError) as refusal:
        decode(hashed({**members(), **change}))
    assert message in str(refusal.value)


def test_a_wrong_hash_is_told_from_a_wrong_form() -> None:
    """Changed content in canonical form is a wrong hash, and the record is still given."""
    line = canonical_json({**members(), "seq": 2})
    with pytest.raises(BrokenLineError) as refusal:
        decode(line)
    assert refusal.value.record is not None
    assert refusal.value.record.seq == 2


def test_numbers_beyond_what_json_holds_are_refused() -> None:
    """2**53, NaN and integers of thousands of digits are no JSON that two readers understand alike."""
    text = json.dumps(members())
    for number in (str(2**53), "NaN", "Infinity", "9" * 1_000, "9" * 10_000, "1e999"):
        with pytest.raises(BrokenLineError):
            decode(text.replace('"seq": 1', f'"seq": {number}').encode())
