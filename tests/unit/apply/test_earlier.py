"""The text that is put back, and how the server reads it back."""

from __future__ import annotations

from haoam_sync.apply.earlier import reads_back, same, text_to_restore
from haoam_sync.model.api_version import NEWEST

BY_PLACE = """\
defaults
    mode http

frontend web
    bind :80

defaults
    mode tcp

backend be
    server s1 127.0.0.1:1
"""


def test_a_file_in_no_normal_form_is_put_back_in_it() -> None:
    """The server sorts what is sent to it, so a proxy that has its defaults by its place is given them by name."""
    text = text_to_restore(BY_PLACE, BY_PLACE, (), NEWEST).text
    assert "frontend web from unnamed_defaults_1\n" in text
    assert "backend be from unnamed_defaults_2\n" in text
    assert same(text, BY_PLACE, NEWEST)


def test_a_text_in_normal_form_is_put_back_as_it_is() -> None:
    """Nothing is changed in a text that the server leaves alone."""
    text = text_to_restore(BY_PLACE, BY_PLACE, (), NEWEST).text
    assert text_to_restore(text, text, (), NEWEST).text == text


def test_the_server_orders_the_words_of_a_line() -> None:
    """A text that was just written is back when each line has its words; another line, order or place is not it."""
    line = "  stick-table type ip size 100k store http_req_rate(10s) peers old\n"
    moved = "  stick-table type ip size 100k peers old store http_req_rate(10s)\n"
    head, rule, other = "frontend fe\n", "  http-request deny if a\n", "  http-request allow\n"
    assert reads_back(head + line + rule + other, head + moved + rule + other, NEWEST)
    assert not same(head + line, head + moved, NEWEST)
    assert not reads_back(head + rule + other, head + other + rule, NEWEST)
    assert not reads_back(head + line + rule, head + moved, NEWEST)
