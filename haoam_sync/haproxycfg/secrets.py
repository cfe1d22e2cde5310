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


def secrets(text: str) -> Iterator[str]:
    """Every value, in its quotes as it stands there, and without them."""
    for found in _SECRET.finditer(text):
        value = found["secret"]
        if found["login"]:
            value = value.partition(":")[2]
        yield from filter(None, (value, value.strip("\"'")))


def masked(text: str) -> str:
    """`text` for people: every value is `<secret>`."""
    return _SECRET.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    user = f"{found['secret'].partition(':')[0]}:" if found["login"] else ""
    return f"{found['before']}{user}{_MASK}"
