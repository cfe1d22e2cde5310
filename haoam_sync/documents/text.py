"""The text of a file: what it may be written in, before anything in it is read."""

from __future__ import annotations

import re
from functools import partial

from haoam_sync.documents.values import Bounds
from haoam_sync.errors import InvalidDesiredError, Problem
from haoam_sync.model.position import Position

Refused = partial(Problem, code="E_YAML")
MOST_PROBLEMS = 100
"""A file with more problems than this is reported up to here."""
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, NEL among them (a line break for some readers only)
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # invisible, bidi, separators
    "\ufeff\ufff9-\ufffb\ufffe\uffff"  # byte order mark, annotations, no characters
    "\U000e0000-\U000e0fff]"  # invisible tags
    "|\r(?!\n)"  # a line break for some readers only
)
HIDDEN_VALUE = re.compile(_HIDDEN.pattern.replace("|\r(?!\n)", "|\r"))


def decoded(data: bytes, file: str, bounds: Bounds) -> str:
    """The text of a file, when it is text of a bounded size that shows everything it holds."""
    if len(data) > bounds.size:
        raise InvalidDesiredError(
            (Refused(file, 0, 0, f"the file has {len(data)} bytes, more than {bounds.size}", "split it into several"),)
        )
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise InvalidDesiredError(
            (Refused(file, 1, 1, "the file begins with a byte order mark", "save it as UTF-8 without one"),)
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        position = position_in(before + "?", len(before), file)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        problem = Refused(file, position.line, position.column, message, "save the file as UTF-8")
        raise InvalidDesiredError((problem,)) from error
    problems = []
    for found in _HIDDEN.finditer(text):
        position = position_in(text, found.start(), file)
        problems.append(
            Refused(
                file,
                position.line,
                position.column,
                f"character U+{ord(found[0]):04X} does not show, or shows as another",
                "delete it",
            )
        )
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise InvalidDesiredError(tuple(problems))
    return text


def position_in(text: str, index: int, file: str) -> Position:
    """Line and column of a character."""
    start = text.rfind("\n", 0, index) + 1
    return Position(file, text.count("\n", 0, index) + 1, index - start + 1)
