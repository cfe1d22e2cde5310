"""A line as words, and the comment at its end."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haoam_sync.haproxycfg.words import split

_ONE = re.compile(r"""(?s)\#(.*)|((?:[^\s"'\\#]|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|\\(?:.|$))+)""")
"""The rule for quoting, word by word."""


@pytest.mark.parametrize(
    ("line", "words", "comment"),
    [
        ("mode http", ["mode", "http"], None),
        ("mode http # why", ["mode", "http"], "why"),
        ("mode http#why", ["mode", "http"], "why"),
        ('backend b # {"a":"b # c"}', ["backend", "b"], '{"a":"b # c"}'),
        ('path "/a # b" # why', ["path", '"/a # b"'], "why"),
        ("path '/a # b'", ["path", "'/a # b'"], None),
        (r"path /a\#b # why", ["path", r"/a\#b"], "why"),
        ("# all of it", [], "all of it"),
        ("mode http #", ["mode", "http"], ""),
        ("", [], None),
    ],
)
def test_the_comment_begins_at_the_first_mark_that_nothing_quotes(
    line: str, words: list[str], comment: str | None
) -> None:
    """A `#` in quotes or behind a backslash is part of its word; any other one begins the comment."""
    assert split(line) == (words, comment)


@given(st.text(alphabet=" \t\x1f\xa0ab\"'\\#{}\n"))
def test_the_short_way_reads_what_the_rule_reads(line: str) -> None:
    """Lines in which nothing is quoted are split without the rule, and come out the same."""
    words: list[str] = []
    comment = None
    for found in _ONE.finditer(line):
        if found[2] is None:
            comment = found[1].strip()
            break
        words.append(found[2])
    assert split(line) == (words, comment)
