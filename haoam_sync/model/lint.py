"""What `trust lint` finds in a trust policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
_ORDER: tuple[Severity, ...] = ("error", "warning", "note")
TO_MEND = 2
"""The exit code where an error was found."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing that the policy makes possible, or impossible.

    Attributes:
        severity: `error`: something can not be done at all, or by one person alone; `warning`: it soon can not, or is
            surely not meant; `note`: good to know.
        code: stable name, `L_...`; of a policy that does not hold together the refusal's `E_...`.
        where: a rule, a principal, a key or a path.
        what: what was found.
        why: what follows from it.
        hint: what to do; "" for a note.
    """

    severity: Severity
    code: str
    where: str
    what: str
    why: str
    hint: str = ""


def ordered(findings: Iterable[LintFinding]) -> tuple[LintFinding, ...]:
    """The gravest first, then by code and place."""
    return tuple(sorted(findings, key=lambda one: (_ORDER.index(one.severity), one.code, one.where, one.what)))


def exit_code(findings: Sequence[LintFinding]) -> int:
    """0 where nothing is an error."""
    return TO_MEND if any(one.severity == "error" for one in findings) else 0
