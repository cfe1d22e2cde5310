"""The apply stage's memory: what is written is there after a crash, and only its owner can read it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from haoam_sync.apply import FileJournal
from haoam_sync.errors import HaoamError
from haoam_sync.model.fleet import InstanceId

LB1 = InstanceId("eu", "lb1")


def test_it_remembers_across_processes(tmp_path: Path) -> None:
    """Transactions and the earlier text are there for whoever opens the journal next, and go one by one."""
    FileJournal(tmp_path / "j").opened(LB1, "t1")
    FileJournal(tmp_path / "j").opened(LB1, "t2")
    FileJournal(tmp_path / "j").save_earlier(LB1, "global\n")
    journal = FileJournal(tmp_path / "j")
    assert (journal.left(LB1), journal.earlier(LB1)) == (("t1", "t2"), "global\n")
    assert journal.unfinished(LB1)
    journal.closed(LB1, "t1")
    journal.done(LB1)
    assert (journal.left(LB1), journal.earlier(LB1)) == (("t2",), None)
    assert journal.unfinished(LB1)
    journal.closed(LB1, "t2")
    assert not journal.unfinished(LB1)
    assert list((tmp_path / "j").iterdir()) == []


def test_stored_files_outlive_the_end_of_an_apply(tmp_path: Path) -> None:
    """Files are remembered until the record of what was applied has them; they leave nothing to finish."""
    journal = FileJournal(tmp_path / "j")
    journal.storing(LB1, {"maps/b.map"})
    journal.storing(LB1, {"maps/a.map"})
    journal.save_earlier(LB1, "global\n")
    journal.done(LB1)
    journal = FileJournal(tmp_path / "j")
    assert journal.stored(LB1) == ("maps/a.map", "maps/b.map")
    assert not journal.unfinished(LB1)
    journal.recorded(LB1)
    assert journal.stored(LB1) == ()
    assert list((tmp_path / "j").iterdir()) == []


def test_what_was_not_stored_is_forgotten(tmp_path: Path) -> None:
    """A file that somebody else had stored, or that is deleted again, is not ours; the others still are."""
    journal = FileJournal(tmp_path / "j")
    journal.storing(LB1, {"maps/a.map", "maps/b.map"})
    journal.not_stored(LB1, {"maps/a.map", "maps/c.map"})
    assert journal.stored(LB1) == ("maps/b.map",)


def test_a_journal_of_an_earlier_version(tmp_path: Path) -> None:
    """One that knows of no files is read as before."""
    journal = FileJournal(tmp_path / "j")
    journal.save_earlier(LB1, "one")
    (path,) = (tmp_path / "j").iterdir()
    path.write_text('{"transactions": ["t1"], "earlier": null}')
    assert (journal.left(LB1), journal.earlier(LB1), journal.stored(LB1)) == (("t1",), None, ())


def test_instances_do_not_mix(tmp_path: Path) -> None:
    """Names that could meet in one file name, or leave the directory, do not."""
    journal = FileJournal(tmp_path / "j")
    names = [InstanceId("a", "b@c"), InstanceId("a@b", "c"), InstanceId("..", "../x"), InstanceId("a", "b")]
    for name in names:
        journal.save_earlier(name, str(name))
    assert [journal.earlier(name) for name in names] == [str(name) for name in names]
    assert len(list((tmp_path / "j").iterdir())) == len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["j"]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """A configuration holds passwords: the file is 0600, the directory 0700."""
    FileJournal(tmp_path / "j").save_earlier(LB1, "secret")
    (path,) = (tmp_path / "j").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o700


def test_a_crash_while_writing(tmp_path: Path) -> None:
    """A half-written file beside the journal is no journal, and is in nobody's way."""
    journal = FileJournal(tmp_path / "j")
    journal.save_earlier(LB1, "one")
    (path,) = (tmp_path / "j").iterdir()
    path.with_suffix(".new").write_text("{")
    assert journal.earlier(LB1) == "one"
    journal.save_earlier(LB1, "two")
    assert journal.earlier(LB1) == "two"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"transactions": [1], "earlier": null}', '{"transactions": []}'])
def test_a_journal_that_is_none(tmp_path: Path, content: str) -> None:
    """What cannot be read stops the apply: guessing that nothing was left would be worse."""
    journal = FileJournal(tmp_path / "j")
    journal.save_earlier(LB1, "one")
    (path,) = (tmp_path / "j").iterdir()
    path.write_text(content)
    with pytest.raises(HaoamError) as caught:
        journal.left(LB1)
    assert caught.value.code == "E_JOURNAL"
    assert str(path) in caught.value.message


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """A directory that cannot be one is a clear error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HaoamError, match="cannot be read") as caught:
        FileJournal(tmp_path / "file" / "j").opened(LB1, "t1")
    assert caught.value.code == "E_JOURNAL"


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Somebody who can write beside it cannot make it write elsewhere."""
    journal = FileJournal(tmp_path / "j")
    journal.save_earlier(LB1, "one")
    (path,) = (tmp_path / "j").iterdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.with_suffix(".new").symlink_to(victim)
    journal.save_earlier(LB1, "two")
    assert (victim.read_text(), journal.earlier(LB1)) == ("precious", "two")
