"""Passwords of userlists, compared with what is stored."""

from __future__ import annotations

import pytest

from haoam_sync.model import password_hash


@pytest.mark.parametrize(
    ("stored", "password"),
    [
        ("$5$Sa1t./$qbPmjZIiFfdeMs9f9EKdSojQfV.onjsx.3uu8qCF8PA", "Hello!"),
        ("$5$Sa1t./$1lKhgYvBAsYzwkON3jXUUw1AyNWOSgVyLZtI8q7pS.5", "a"),
        ("$5$Sa1t./$ZIBxjmHkLNleBDV1StcmLRYtxtrbUVcRPXqH8TUgDS1", "käse"),
        ("$5$Sa1t./$zrDtdmZ5q2/afKsdYNZf6WjBJZ8brxWA1kpLq6IgKZ9", "x" * 31),
        ("$5$Sa1t./$J7S8Poniegtn2Kw7kRsynxCISM71gvEhOQPB2qWrCx/", "x" * 32),
        ("$5$Sa1t./$aFJ8y.1o27kZ7feLR1vqjooB2ooD8gg562F.UdQgXW2", "x" * 64),
        ("$5$Sa1t./$b.7Xu71Yn31SdW7UFyQt8u60d5vdXSsmmXFhQ41Jrk6", "x" * 65),
        ("$5$Sa1t./$4Tj5h5whVVGFbMPi4o3pEc8fYaXSc48mXIcBbzYMQw8", "p$: #'\""),
        (
            "$6$Sa1t./$VH5z0hG4lFNxKrWPDVpdeBzUqejZrRzoFaZduQiF4hJKUuVuewFwsZubhqP5z/VQio8PKMUwRdq66dhA9TgXy.",
            "Hello world!",
        ),
        ("$6$Sa1t./$lyNGR1W6aCegqtYu1JyHBPaUxHuAl/UcIRl6rsd2oYi1xLAo7vJ/HG8.MU6RHVXD9yVxaxKyaWZbWej4.cmjQ1", "a"),
        ("$6$Sa1t./$FgnVQOEUE7If7qcaoOy6Fz0FV72CgYE/TBG7SrW3voqc001bY4vCZWrjhMbU2cc29wHNUKdmuYbq0q029JOSH1", "käse"),
        ("$6$Sa1t./$feeWZSmbUM2xTkrNygs5imNG5z7sN7O2vK0f4ixizdBcMqk/vlNhXrwdkS9QNJEuJyzo1Aw/lnvdJiDKrpOQN.", "x" * 31),
        ("$6$Sa1t./$z5gQ7Rev.ihSG10Xa5OFW88hoZzA2.wNkZVzxpOwkv/5Ighef4mxXzpTGzok38Ux74mnB8iwvHepUWBr5WCMr.", "x" * 32),
        ("$6$Sa1t./$f4ABo8QvD97gs.SjD1LHjtRW/wmpW/qX5u2SqW7f9oNVpZCmI.bK.NqhnVXIJTiVFSGNCu5ojIL5hJ1VgKTDV.", "x" * 64),
        ("$6$Sa1t./$IluNgM308MZ3bvsLtarWKR3qWtS2JZYKNw9zzOwe9Gkg9.1mRfOUyUwFe8RTZLJhuUhXbIRhCuaXWb5H0uU2e.", "x" * 65),
        (
            "$6$Sa1t./$NuWFLzOEx5jafU6R3h7JaVc3CCY0QpLbvccdkveIb9g1lqq5YuZ0ScXCDFVwZZUoqO0t8cVrAa/sA8PFz29TM1",
            "p$w:d #'\"",
        ),
    ],
)
def test_hashes_made_by_openssl(stored: str, password: str) -> None:
    """What `openssl passwd` made lets in its own password and no other, whatever the password's length."""
    assert password_hash.is_of(stored, password, hashed=True)
    assert not password_hash.is_of(stored, password + "!", hashed=True)
    assert not password_hash.is_of(stored, password[:-1], hashed=True)


@pytest.mark.parametrize(
    "stored",
    ["", "secret", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "$6$rounds=5000$salt$x", "$2b$10$x", "$6$$x", "$6$salt$"],
)
def test_what_is_no_hash_lets_nobody_in(stored: str) -> None:
    """Forms that the API refuses, and text that is no hash, are the hash of no password."""
    assert not password_hash.is_of(stored, "secret", hashed=True)


def test_plain_passwords() -> None:
    """A password that is stored plain is compared as it is, and a hash stored as plain is only a text."""
    assert password_hash.is_of("secret", "secret", hashed=False)
    assert not password_hash.is_of("secret", "Secret", hashed=False)
    assert not password_hash.is_of(password_hash.sha_crypt("6", "secret", "salt"), "secret", hashed=False)


def test_very_long_passwords_are_not_hashed() -> None:
    """The work grows with the square of a password's length: above 512 bytes nothing is computed."""
    assert not password_hash.is_of("$6$salt$" + "a" * 86, "x" * 513, hashed=True)
