"""Passwords and keys in the text of a haproxy.cfg."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haoam_sync.haproxycfg import secrets as secrets_module
from haoam_sync.haproxycfg.secrets import masked, secrets

TEXT = """\
global
  cluster-secret geheim

userlist people
  user ann password $5$salt$hash
  user bob insecure-password "two words"
  user cid groups staff insecure-password two\\ words groups more
  group password users ann

backend statistics
  stats auth boss:pa:ss
  stats auth "boss:in quotes"
  dynamic-cookie-key 'my key' # a comment

frontend f
  bind :443 ssl crt x.pem ca-sign-file ca.pem ca-sign-pass pass
  acl password path /password
"""


def test_every_value_is_found() -> None:
    """In their quotes and without, and nothing else."""
    assert set(secrets(TEXT)) == {
        "geheim",
        "$5$salt$hash",
        '"two words"',
        "two words",
        "two\\ words",
        "pa:ss",
        'in quotes"',
        "in quotes",
        "'my key'",
        "my key",
        "pass",
    }


def test_no_value_is_shown() -> None:
    """The text for people says where they stand, and keeps everything else as it was."""
    shown = masked(TEXT)
    for line in (
        "  cluster-secret <secret>",
        "  user ann password <secret>",
        "  user bob insecure-password <secret>",
        "  user cid groups staff insecure-password <secret> groups more",
        "  group password users ann",
        "  stats auth boss:<secret>",
        '  stats auth "boss:<secret>',
        "  dynamic-cookie-key <secret> # a comment",
        "  bind :443 ssl crt x.pem ca-sign-file ca.pem ca-sign-pass <secret>",
        "  acl password path /password",
    ):
        assert line in shown.splitlines()


@pytest.mark.parametrize("line", ["  stats auth boss", "  user ann password", "  dynamic-cookie-key"])
def test_a_line_without_a_value(line: str) -> None:
    """Nothing is made up."""
    assert "" not in set(secrets(line))


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "  user a password x",
                "  user b insecure-password 'y",
                "  user c password z' w",
                '  stats auth me:"secret',
                "user password",
                "stats  auth a:b # password",
                "  cluster-secret \\",
                "dynamic-cookie-key k password auth",
                "\tbind :1 ca-sign-pass p",
                '"',
                "'",
                "server auth 1.2.3.4",
                "",
            ]
        ),
        max_size=6,
    )
)
def test_looking_at_lines_with_a_word_finds_what_matching_every_line_does(lines: list[str]) -> None:
    """No secret is missed because only some lines are looked at; a value whose quotes stay open is found once."""
    text = "\n".join(lines)
    everywhere = secrets_module._SECRET
    assert [found.span() for found in secrets_module._found(text)] == [
        found.span() for found in everywhere.finditer(text)
    ]
    assert masked(text) == everywhere.sub(secrets_module._masked, text)
