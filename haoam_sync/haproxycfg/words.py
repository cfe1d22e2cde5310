"""Lines of haproxy.cfg as words, and the comment that ends a line.

Words keep their quotes and backslashes, because the Data Plane API keeps them: `path "/x y"` reads as the value
`"/x y"` with its quotes (FACTS.md). HAProxy's rules are in its manual, section 2.2 "Quoting and escaping".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Obj: TypeAlias = dict[str, Any]
"""A JSON object that the codec is building or reading; it never leaves the package as such."""

_QUOTING = frozenset("\"'\\")
_WORD = re.compile(
    r"""\#(?P<comment>.*)
      | (?: [^\s"'\\#]                     # plain
          | "(?:[^"\\]|\\.)*(?:"|$)          # in double quotes; a backslash escapes
          | '[^']*(?:'|$)                   # in single quotes; nothing escapes
          | \\(?:.|$)
        )+""",
    re.VERBOSE | re.DOTALL,
)


def split(line: str) -> tuple[list[str], str | None]:
    """The words of `line`, and its comment without the `#` (None when there is none)."""
    before, mark, after = line.partition("#")
    if _QUOTING.isdisjoint(before):  # nothing quotes the first `#`, so that it begins the comment
        return before.split(), after.strip() if mark else None
    words: list[str] = []
    for found in _WORD.finditer(line):
        comment: str | None = found["comment"]
        if comment is not None:
            return words, comment.strip()
        words.append(found[0])
    return words, None


def read_metadata(comment: str) -> Obj:
    """What the server makes of a comment: the JSON object in it, else `{"comment": ...}`."""
    if comment.startswith("{"):
        try:
            value = json.loads(comment)
        except ValueError:
            return {"comment": comment}
        if isinstance(value, dict):
            return value
    return {"comment": comment}


def write_metadata(metadata: Mapping[str, Any]) -> str:
    """The comment that stands for `metadata`: compact JSON with sorted keys, as Go writes it."""
    text = json.dumps(metadata, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def ended(words: Sequence[str], metadata: Mapping[str, Any] | None) -> str:
    """`words` as a line, with `metadata` as its comment."""
    line = " ".join(words)
    if metadata:
        return f"{line} # {write_metadata(metadata)}"
    return line
