"""Where passwords and keys stand in the text of a haproxy.cfg, whatever section they are in.

HAProxy's manual, 12.1 (`user`), 4.2 (`stats auth`, `dynamic-cookie-key`), 3.1 (`cluster-secret`), 5.1 (`ca-sign-pass`);
2.2 for quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = r"""(?:[^\s"'\\#]|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|\\(?:.|$))+"""
_SECRET = re.compile(
    r"^(?P<before>[ \t]*+(?:"
    r"user[ \t](?:.*[ \t])?(?:insecure-)?password"
    rf"|(?P<login>stats[ \t]+auth)"
    r"|(?:.*[ \t])?(?:dynamic-cookie-key|cluster-secret|ca-sign-pass)"
    rf")[ \t]++)(?P<secret>{_WORD})",
    re.MULTILINE,
)
_MASK = "<secret>"
_WORDS = ("password", "auth", "dynamic-cookie-key", "cluster-secret", "ca-sign-pass")
"""One of them stands in every line with a secret. Most configurations hold few such lines, and finding a word takes a
thousandth of matching every line."""


def secrets(text: str) -> Iterator[str]:
    """Every value, in its quotes as it stands there, and without them."""
    for found in _found(text):
        value = found["secret"]
        if found["login"]:
            value = value.partition(":")[2]
        yield from filter(None, (value, value.strip("\"'")))


def masked(text: str) -> str:
    """`text` for people: every value is `<secret>`."""
    parts: list[str] = []
    end = 0
    for found in _found(text):
        parts += (text[end : found.start()], _masked(found))
        end = found.end()
    return "".join((*parts, text[end:]))


def _found(text: str) -> Iterator[re.Match[str]]:
    """Every line with a secret, in order; a value whose quotes are not closed may reach over several."""
    starts = set()
    for word in _WORDS:
        at = text.find(word)
        while at >= 0:
            starts.add(text.rfind("\n", 0, at) + 1)
            end = text.find("\n", at)
            at = text.find(word, end) if end >= 0 else -1
    end = 0
    for start in sorted(starts):
        found = _SECRET.match(text, start) if start >= end else None
        if found is not None:
            end = found.end()
            yield found


def _masked(found: re.Match[str]) -> str:
    user = f"{found['secret'].partition(':')[0]}:" if found["login"] else ""
    return f"{found['before']}{user}{_MASK}"
