"""What a reviewer reads of the files that the desired state does not show."""

from __future__ import annotations

import pytest

from haoam_sync.errors import NotTrustedError
from haoam_sync.model import files
from haoam_sync.model.tree import TreeEntry
from haoam_sync.report.change import changed_files


def _entry(oid: str) -> TreeEntry:
    return TreeEntry("100644", "x", oid * 40)


def test_a_changed_policy_is_shown_line_by_line() -> None:
    """A key that comes into trust.yaml cannot ride along unseen."""
    before = {"trust.yaml": b"keys:\n- alice\n", "haproxy/web.yaml": b"a\n"}
    after = {"trust.yaml": b"keys:\n- alice\n- mallory\n", "haproxy/web.yaml": b"b\n"}
    found = files.changes(sorted(after), before, after, where="c")
    text = changed_files(found).plain
    assert "change trust.yaml" in text
    assert "+- mallory" in text
    assert "change haproxy/web.yaml" in text


def test_every_path_that_differs_is_listed() -> None:
    """Added, removed, changed; what is the same is not."""
    before = {"a": _entry("1"), "b": _entry("2"), "c": _entry("3")}
    after = {"a": _entry("1"), "b": _entry("4"), "d": _entry("5")}
    assert files.changed(before, after) == ("b", "c", "d")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * (files.MOST_BYTES + 1)])
def test_what_cannot_be_shown_cannot_be_signed(content: bytes) -> None:
    """A file that is no text, or longer than anybody reads, stops the review."""
    with pytest.raises(NotTrustedError) as caught:
        files.changes(["docs/x"], {}, {"docs/x": content}, where="c")
    assert caught.value.code == "E_UNREADABLE"


def test_hidden_characters_are_shown_as_what_they_are() -> None:
    """A diff cannot reorder or hide its own text."""
    found = files.changes(["docs/x"], {}, {"docs/x": "a\u202eb\x1b[31m\n".encode()}, where="c")
    text = changed_files(found).plain
    assert "\u202e" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("between", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r", "\r\n"])
def test_a_line_that_is_put_behind_a_comment_is_shown(between: str) -> None:
    """What only some programs take for the end of a line does not make two different files look the same."""
    before = {".github/check.sh": b"# look\nrequire_signature\n"}
    after = {".github/check.sh": f"# look{between}require_signature\n".encode()}
    text = changed_files(files.changes(sorted(after), before, after, where="c")).plain
    assert "-require_signature" in text or "-# look" in text
    assert f"\\u{ord(between[0]):04x}" in text


def test_an_end_of_a_file_that_changed_is_shown() -> None:
    """The last line with and without its end are two files."""
    found = files.changes(["docs/x"], {"docs/x": b"a"}, {"docs/x": b"a\n"}, where="c")
    assert "+" in [line[:1] for line in found[0].diff.split("\n")[2:]]
