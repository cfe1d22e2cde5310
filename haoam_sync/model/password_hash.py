"""Whether a password is the one that a userlist stores: plain, or as SHA-crypt (`$5$`, `$6$`).

SHA-crypt is Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512", with its 5,000 rounds. The Data Plane API refuses
a `rounds=` part and bcrypt (FACTS.md), so what starts so lets nobody in. `$1$` is not computed here: it counts as
another password. Python's own `crypt` module is gone since 3.13.
"""

from __future__ import annotations

import hashlib
import hmac
import re

_ROUNDS = 5000
_HASH = re.compile(r"\$([56])\$([^$:\s]{1,16})\$[./0-9A-Za-z]{43,86}")
_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST = 512
"""The work grows with the password's length; a longer one is never compared."""


def is_of(stored: str, password: str, *, hashed: bool) -> bool:
    """Whether somebody who knows `password` is let in by `stored`.

    Args:
        stored: what the userlist holds.
        password: in clear.
        hashed: `secure_password` of the user.
    """
    if not hashed:
        return hmac.compare_digest(stored.encode(), password.encode())
    found = _HASH.fullmatch(stored)
    if found is None or len(password.encode()) > _LONGEST:
        return False
    return hmac.compare_digest(stored, sha_crypt(found[1], password, found[2]))


def sha_crypt(kind: str, password: str, salt: str) -> str:
    """`$KIND$SALT$...` of a password; `kind` is "5" for SHA-256 and "6" for SHA-512.

    The letters are those of the specification, where `dp` and `ds` are sequences made of the digests DP and DS.
    """
    new = hashlib.sha256 if kind == "5" else hashlib.sha512
    word, salted = password.encode(), salt.encode()
    b = new(word + salted + word).digest()
    a = new(word + salted + _repeated(b, len(word)))
    length = len(word)
    while length:
        a.update(b if length & 1 else word)
        length >>= 1
    c = a.digest()
    dp = _repeated(new(word * len(word)).digest(), len(word))
    ds = _repeated(new(salted * (16 + c[0])).digest(), len(salted))
    for number in range(_ROUNDS):
        odd = number & 1
        middle = (ds if number % 3 else b"") + (dp if number % 7 else b"")
        c = new((dp if odd else c) + middle + (c if odd else dp)).digest()
    return f"${kind}${salt}${_encoded(c, kind)}"


def _repeated(data: bytes, length: int) -> bytes:
    return (data * (length // len(data) + 1))[:length]


def _encoded(data: bytes, kind: str) -> str:
    """The specification's base 64, least significant six bits first.

    Its table takes one byte of each third of the digest, and turns the three by one place (SHA-512) or two (SHA-256)
    from group to group. The one or two bytes that are left come last.
    """
    third = len(data) // 3
    turn = 2 if kind == "5" else 1
    groups = []
    for number in range(third):
        bytes_ = [data[number], data[number + third], data[number + 2 * third]]
        by = number * turn % 3
        groups.append(bytes([*bytes_[by:], *bytes_[:by]]))
    left = data[3 * third :]
    last = left[::-1]  # SHA-256 leaves two, of which the second is the more significant
    return "".join(_letters(group, 4) for group in groups) + _letters(last, len(last) + 1)


def _letters(group: bytes, count: int) -> str:
    value = int.from_bytes(group, "big")
    return "".join(_ALPHABET[value >> 6 * place & 63] for place in range(count))
