"""What comes from a repository or a server is shown, and cannot act on the terminal that shows it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haoam_sync.model.json import Json
from haoam_sync.report.change import change
from haoam_sync.report.text import counted, quoted, shown, visible

_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@settings(deadline=None)
@given(st.text())
def test_nothing_acts_on_the_terminal(text: str) -> None:
    """No control, no direction mark, no line separator is left; what is left is as it was."""
    result = visible(text)
    assert not [char for char in result if char != "\t" and unicodedata.category(char) in _ACTING]
    assert visible(result) == result
    if not [char for char in text if char != "\t" and unicodedata.category(char) in _ACTING]:
        assert result == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "(absent)"),
        ("", '""'),
        (" a ", '" a "'),
        ("plain", "plain"),
        ("\x1b[2Jgone", "\\u001b[2Jgone"),
        ("\u202eevil", "\\u202eevil"),
        (7, "7"),
        (True, "true"),
        ({"secret": "env/X"}, "(secret: env/X)"),
        ({"b": 1, "a": [None]}, '{"a": [null], "b": 1}'),
    ],
)
def test_values(value: Json, words: str) -> None:
    """One value on one line; white space at its ends can be seen."""
    assert shown(value) == words


def test_a_change_with_names_that_act() -> None:
    """Names and values of a proposed commit are an outsider's text."""
    evil = "web\x1b[1A\u2028+ add nothing"
    section = {"before": None, "after": {"kind": "Backend", "spec": {"mode": evil}}}
    text = change({"fleet": {}, "instances": {"eu/\x07lb1": {"sections": {f"backend/{evil}": section}}}}).plain
    assert not {"\x1b", "\u2028", "\x07"} & set(text)
    assert "\\u001b[1A" in text


def test_a_secret_is_shown_as_its_reference() -> None:
    """A changed reference is one line with both references."""
    before, after = {"spec": {"password": {"secret": "env/A"}}}, {"spec": {"password": {"secret": "env/B"}}}
    parts = {"sections": {"userlist/u": {"before": before, "after": after}}}
    text = change({"fleet": {}, "instances": {"eu/lb1": parts}}).plain
    assert "password: (secret: env/A) -> (secret: env/B)" in text


def test_a_message_of_several_lines_keeps_them() -> None:
    """HAProxy's words stay lines; none of them can pass for one of ours, and none acts on the terminal."""
    assert quoted("one") == ("one", ())
    assert quoted("a\n[ALERT] b\n\nE_FAKE: \x1b[2Jc\r\n  hint\n") == (
        "a",
        ("  | [ALERT] b", "  | E_FAKE: \\u001b[2Jc\\u000d", "  |   hint"),
    )


def test_one_is_one() -> None:
    """A count has its word in the right number."""
    assert [counted(number, "record") for number in (0, 1, 2)] == ["0 records", "1 record", "2 records"]
