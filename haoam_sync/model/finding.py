"""What `doctor` finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from haoam_sync.errors import HaoamError, UsageError, worst_exit

MEND = 2
"""The exit code of something to mend."""

Level = Literal["fault", "warning", "note"]
_ORDER: tuple[Level, ...] = ("fault", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at and is worth a word.

    Attributes:
        level: `fault`: haoam-sync cannot work like this; `warning`: it can, and somebody else could do harm; `note`.
        code: stable name, `D_...`, or the E_... of the refusal that a run would end with.
        where: a program, a file, a commit, or cluster/instance.
        what: what was seen.
        why: why it matters.
        hint: what to do; "" for a note.
        exit: exit code that it earns; 0 for a note.
    """

    level: Level
    code: str
    where: str
    what: str
    why: str = ""
    hint: str = ""
    exit: int = MEND


def note(code: str, where: str, what: str) -> Finding:
    """Something that is as it should be."""
    return Finding("note", code, where, what, exit=0)


def fault(error: HaoamError, where: str, why: str) -> Finding:
    """A refusal that a run would end with. Wrong usage is something to mend here."""
    code = MEND if error.exit == UsageError.exit else error.exit
    return Finding("fault", error.code, error.where or where, error.message, why, error.hint, code)


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The gravest first, and by place."""
    return tuple(sorted(findings, key=lambda one: (_ORDER.index(one.level), one.where, one.code, one.what)))


def exit_code(findings: Sequence[Finding]) -> int:
    """The exit code of what was found: 0 when there are only notes."""
    return worst_exit({one.exit for one in findings if one.exit})
