"""Whatever is done to a log, verification sees it; whatever is written to one, it verifies."""

from __future__ import annotations

import itertools
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haoam_sync import audit
from haoam_sync.audit.entries import entry
from haoam_sync.audit.line import NO_RECORD, BrokenLineError, decode, encode
from haoam_sync.model.exchange import Answer, Request
from haoam_sync.model.json import Json
from haoam_sync.model.record import Runner

KEY = audit.AuditKey(bytes(32))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAFE = 2**53 - 1

Segments = dict[str, bytes]
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def record_reads(directory: Path, versions: list[int], *, body: Json = None) -> None:
    """Write a log: a start, one read of each version, and a removed transaction."""
    moments = iter(START + timedelta(milliseconds=n) for n in range(10_000))
    with audit.open_log(directory, clock=lambda: next(moments), key=KEY, segment_bytes=1200) as log:
        log.start(Runner("host"))
        recorder = log.recorder()
        for version in versions:
            recorder.answered(Request("edge", "e1", "GET", "/x"), Answer(200, version, duration_ms=1))
        removal = Request("edge", "e1", "DELETE", "/transactions/t1", writes=True, body=b"x", shown=body)
        recorder.announce(removal)
        recorder.answered(removal, Answer(204))


def contents(directory: Path) -> Segments:
    """Every segment's bytes."""
    return {path.name: path.read_bytes() for path in sorted(directory.glob("*.jsonl"))}


def verified(segments: Segments) -> audit.Verification:
    """What verification says of these segments."""
    with tempfile.TemporaryDirectory() as directory:
        for name, data in segments.items():
            (Path(directory) / name).write_bytes(data)
        return audit.verify(Path(directory))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Segments:
    """A whole log of several segments."""
    directory = tmp_path_factory.mktemp("log")
    record_reads(directory, [1, 1, 2, 3, 5, 8], body={"name": "web"})
    segments = contents(directory)
    assert len(segments) > 2
    assert verified(segments).intact
    return segments


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_any_flipped_byte_is_seen(whole: Segments, data: st.DataObject) -> None:
    """One byte changed to any other, anywhere, newlines included: the log is not intact."""
    name = data.draw(st.sampled_from(sorted(whole)))
    place = data.draw(st.integers(0, len(whole[name]) - 1))
    other = bytes([whole[name][place] ^ data.draw(st.integers(1, 255))])
    changed = whole[name][:place] + other + whole[name][place + 1 :]
    assert not verified({**whole, name: changed}).intact


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_removed_line_is_seen_but_the_last(whole: Segments, data: st.DataObject) -> None:
    """A run of lines taken away is seen unless it reaches the end of the log, which nothing in a log can show."""
    lines = [(name, line) for name, text in whole.items() for line in text.splitlines(keepends=True)]
    first = data.draw(st.integers(0, len(lines) - 2))
    last = data.draw(st.integers(first, len(lines) - 2))
    assert not verified(joined(lines[:first] + lines[last + 1 :], whole)).intact
    assert verified(joined(lines[: first + 1], {})).intact


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_doubled_or_moved_line_is_seen(whole: Segments, data: st.DataObject) -> None:
    """A line copied to any place, or two lines exchanged, is seen."""
    lines = [(name, line) for name, text in whole.items() for line in text.splitlines(keepends=True)]
    one, other = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True))
    doubled = [*lines[:other], (lines[other][0], lines[one][1]), *lines[other:]]
    assert not verified(joined(doubled, whole)).intact
    assert not verified(joined([*lines, (lines[-1][0], lines[one][1])], whole)).intact
    exchanged = list(lines)
    exchanged[one], exchanged[other] = (lines[one][0], lines[other][1]), (lines[other][0], lines[one][1])
    assert not verified(joined(exchanged, whole)).intact


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_inserted_bytes_are_seen(whole: Segments, data: st.DataObject) -> None:
    """Bytes put in anywhere are seen, white space and empty lines included."""
    name = data.draw(st.sampled_from(sorted(whole)))
    place = data.draw(st.integers(0, len(whole[name])))
    more = data.draw(st.sampled_from([b"\n", b" ", b"\r", b"{}\n"]) | st.binary(min_size=1, max_size=9))
    assert not verified({**whole, name: whole[name][:place] + more + whole[name][place:]}).intact


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_cut_inside_a_line_is_seen(whole: Segments, data: st.DataObject) -> None:
    """A log that ends in the middle of a line says so, as a crash or as tampering."""
    name = max(whole)
    place = data.draw(st.integers(1, len(whole[name]) - 1).filter(lambda at: whole[name][at - 1 : at] != b"\n"))
    found = verified({**whole, name: whole[name][:place]})
    assert "E_AUDIT_TORN" in {flaw.code for flaw in found.flaws}


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_exchanged_or_missing_segments_are_seen(whole: Segments, data: st.DataObject) -> None:
    """Two files exchanged, or any but the last taken away."""
    one, other = data.draw(st.lists(st.sampled_from(sorted(whole)), min_size=2, max_size=2, unique=True))
    assert not verified({**whole, one: whole[other], other: whole[one]}).intact
    missing = data.draw(st.sampled_from(sorted(whole)[:-1]))
    assert not verified({name: text for name, text in whole.items() if name != missing}).intact


@given(versions=st.lists(st.integers(0, SAFE), max_size=12), body=json_values)
@settings(max_examples=60, deadline=None)
def test_whatever_is_recorded_verifies(versions: list[int], body: Json) -> None:
    """Any versions and any redacted body give a whole log; each version that nobody wrote is reported."""
    with tempfile.TemporaryDirectory() as directory:
        record_reads(Path(directory), versions, body=body)
        found = audit.verify(Path(directory), key=KEY)
    assert found.flaws == ()
    assert found.unattributed_count == sum(a != b for a, b in itertools.pairwise(versions))


@given(detail=json_values)
@settings(max_examples=300, deadline=None)
def test_the_two_ways_to_canonical_form_agree(detail: Json) -> None:
    """What rfc8785 writes, the reader with its faster encoder takes, and gives the same value back."""
    line, head = encode(
        entry(audit.Event.DRIFT_NONE, detail={"it": detail}), seq=1, time="2026-03-01T12:00:00.000Z", prev=NO_RECORD
    )
    record = decode(line[:-1])
    assert record.entry.detail == {"it": detail}
    assert record.hash == head


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_reader_takes_nothing_but_records(data: st.DataObject) -> None:
    """Any bytes are a record or a BrokenLineError, never another exception."""
    line, _ = encode(
        entry(audit.Event.LOG_OPENED, runner=Runner("é")), seq=1, time="2026-03-01T12:00:00.000Z", prev=NO_RECORD
    )
    place = data.draw(st.integers(0, len(line) - 2))
    length = data.draw(st.integers(0, 4))
    junk = data.draw(st.binary(max_size=4) | st.sampled_from([b'"', b"\\", b"1e5", b"\xed\xa0\x80", b"[", b"null"]))
    changed = line[:place] + junk + line[place + length : -1]
    if changed != line[:-1]:
        with pytest.raises(BrokenLineError):
            decode(changed)


def joined(lines: list[tuple[str, bytes]], segments: Segments) -> Segments:
    """The lines back in their segments; a segment that lost all of them stays, empty."""
    result: Segments = dict.fromkeys(segments, b"")
    for name, line in lines:
        result[name] = result.get(name, b"") + line
    return result
