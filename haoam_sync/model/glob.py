"""Patterns in which `*` stands for any characters, as regular expressions that never go back.

A chain of `.*` takes the power of its length on a text that nearly matches. But where a `*` follows, the first place of
what stands before it is as good as any other: each such piece is searched for once and then kept (`(?>...)`).
"""

from __future__ import annotations

import re


def expression(pattern: str, anything: str) -> str:
    """`pattern` as a regular expression for a whole text; `anything` is what one character of a `*` may be."""
    first, *others = pattern.split("*")
    if not others:
        return re.escape(first)
    *middle, last = others
    kept = "".join(f"(?>{anything}*?{re.escape(piece)})" for piece in middle if piece)
    return f"{re.escape(first)}{kept}{anything}*{re.escape(last)}"
