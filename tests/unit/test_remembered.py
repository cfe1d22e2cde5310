"""What was read before is remembered; nobody else's, no other tool's and no changed file is believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from haoam_sync import desired, documents, remembered
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.desired import Desired
from haoam_sync.remembered import Reading, Remembered

KEY = b"k" * 32
BLOBS = {
    "haoam.yaml": b"""\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: f}
spec:
  management_networks: [127.0.0.0/8]
  clusters:
    eu: {instances: {lb1: {url: "http://127.0.0.1:1/v3", user: a, password: {secret: env/P}}}}
""",
    "haproxy/web.yaml": b"""\
---
---
apiVersion: haoam/v1
kind: Backend
metadata: {name: web}
spec: {mode: http, servers: {s1: {address: 127.0.0.1, port: 80}}}
""",
}


def memory(directory: Path, key: bytes = KEY) -> Remembered:
    """The memory of one run."""
    return Remembered(directory / "cache", lambda: key)


def written(directory: Path) -> Path:
    """A memory with one entry, on disk."""
    one = memory(directory)
    one.put("3.4", b"content", [["value"], [True]])
    one.save()
    return directory / "cache" / "documents.json"


def load(one: Remembered, blobs: dict[str, bytes] | None = None, *, keep: bool = True) -> Desired:
    """The desired state of a commit."""
    return desired.load("c" * 40, blobs or BLOBS, None, memory=one, keep=keep)


def test_an_entry_outlives_the_run(tmp_path: Path) -> None:
    """What one run wrote the next one finds, by content and scope; the file is its owner's alone."""
    file = written(tmp_path)
    assert memory(tmp_path).get("3.4", b"content") == [["value"], [True]]
    assert memory(tmp_path).get("3.2", b"content") is None
    assert memory(tmp_path).get("3.4", b"other") is None
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(bytes(data))


def _link(file: Path) -> None:
    moved = file.rename(file.with_name("elsewhere"))
    file.symlink_to(moved)


@pytest.mark.parametrize(
    "spoil",
    [
        _flip,
        _link,
        lambda file: file.write_bytes(file.read_bytes()[:-10]),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes().partition(b"\n")[2]),
        lambda file: file.chmod(0o640),
        lambda file: file.parent.chmod(0o770),
    ],
    ids=["flipped bit", "link", "cut off", "empty", "no code", "others read the file", "others write the directory"],
)
def test_whatever_is_odd_is_not_believed(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    """A file that is not exactly what this account wrote for itself holds nothing."""
    file = written(tmp_path)
    assert memory(tmp_path).get("3.4", b"content") is not None
    spoil(file)
    assert memory(tmp_path).get("3.4", b"content") is None


def test_another_key_or_another_tool_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that another host wrote, or this one before its tool changed, holds nothing."""
    written(tmp_path)
    assert memory(tmp_path, b"x" * 32).get("3.4", b"content") is None
    monkeypatch.setattr(remembered, "tool", lambda: "another")
    assert memory(tmp_path).get("3.4", b"content") is None


def test_a_state_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """Then the next load takes longer, and nothing else."""
    (tmp_path / "cache").write_text("a file is in the way")
    one = memory(tmp_path)
    one.put("3.4", b"content", 1)
    one.save()
    assert memory(tmp_path).get("3.4", b"content") is None


def test_a_remembered_commit_is_the_same_commit(tmp_path: Path) -> None:
    """Bodies, digests and positions are those of the first reading, and no YAML is read for them."""
    one = memory(tmp_path)
    first = load(one)
    one.save()

    really = documents.load

    def fleet_alone(data: bytes, path: str) -> tuple[documents.Document, ...]:
        assert path == "haoam.yaml", "it was read again"
        return really(data, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "load", fleet_alone)
        assert load(memory(tmp_path)) == first
        with pytest.raises(AssertionError):
            load(memory(tmp_path), {**BLOBS, "haproxy/web.yaml": BLOBS["haproxy/web.yaml"] + b"\n"})


def test_positions_are_those_of_the_file(tmp_path: Path) -> None:
    """A problem with a remembered document is told at its line, under the path that the file has now."""
    one = memory(tmp_path)
    load(one)
    twice = {**BLOBS, "haproxy/zz.yaml": BLOBS["haproxy/web.yaml"]}
    with pytest.raises(InvalidDesiredError) as told:
        load(one, twice)
    (problem,) = told.value.problems
    assert (problem.file, problem.line, problem.column) == ("haproxy/zz.yaml", 5, 18)


def test_nothing_of_a_proposed_or_invalid_commit_is_remembered(tmp_path: Path) -> None:
    """A commit that nobody trusts, or that is wrong anywhere, leaves nothing behind."""
    one = memory(tmp_path)
    load(one, keep=False)
    wrong = {
        **BLOBS,
        "haproxy/bad.yaml": BLOBS["haproxy/web.yaml"].replace(b"name: web", b"name: x").replace(b"80", b"'80'"),
    }
    with pytest.raises(InvalidDesiredError):
        load(one, wrong)
    one.save()
    assert not (tmp_path / "cache").exists()


def test_an_entry_of_another_shape_is_read_anew(tmp_path: Path) -> None:
    """Whatever an entry holds, a commit loads to what its files say."""
    first = load(memory(tmp_path))
    for entry in (1, [], [[]], [[[0, 1, 1]], [True]], [[["0", 1, 1, {}]], [True]], {"a": 1}, [[[0, 1, 1, {}]], []]):
        one = memory(tmp_path)
        one.put("3.4", BLOBS["haproxy/web.yaml"], entry)  # type: ignore[arg-type]
        assert load(one, keep=False) == first
    assert list(tmp_path.iterdir()) == []


def test_what_was_read_to_prove_a_commit_is_written_when_it_is_trusted(tmp_path: Path) -> None:
    """A run reads a blob once, for whichever commit; nothing of a commit is written before it is kept."""
    reading = Reading(memory(tmp_path))
    reading.of("base").put("3.4", b"old", 1)
    reading.of("head").put("3.4", b"new", 2)
    assert reading.of("head").get("3.4", b"old") == 1, "the run reads it twice"
    assert reading.of("stranger").get("3.4", b"new") == 2
    assert not (tmp_path / "cache").exists(), "written, and trusted by nobody"
    reading.keep("base")
    assert memory(tmp_path).get("3.4", b"old") == 1
    assert memory(tmp_path).get("3.4", b"new") is None, "head is not trusted"
    reading.keep("head")
    assert memory(tmp_path).get("3.4", b"new") == 2


def test_keeping_a_commit_keeps_nothing_that_another_one_alone_holds(tmp_path: Path) -> None:
    """What was read for a proposed commit stays out, also when a trusted one was read after it."""
    reading = Reading(memory(tmp_path))
    reading.of("proposed").put("3.4", b"its own", 1)
    reading.of("proposed").put("3.4", b"in both", 2)
    assert reading.of("trusted").get("3.4", b"in both") == 2
    reading.keep("trusted")
    assert memory(tmp_path).get("3.4", b"in both") == 2
    assert memory(tmp_path).get("3.4", b"its own") is None
