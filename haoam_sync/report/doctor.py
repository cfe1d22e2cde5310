"""What `doctor` found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from haoam_sync.model.finding import Finding, exit_code
from haoam_sync.model.results import DoctorResult
from haoam_sync.report.text import visible

_STYLE = {"fault": "bold red", "warning": "yellow", "note": "dim"}


def findings(found: Sequence[Finding]) -> Text:
    """One finding a paragraph, the gravest first; the verdict last."""
    text = Text()
    for one in found:
        text.append(f"{one.level:7} ", _STYLE[one.level])
        text.append(f"{visible(one.where)}: {visible(one.what)}")
        text.append(f"  {one.code}\n", "dim")
        for words in (one.why, *one.hint.splitlines()):
            if words:
                text.append(f"        {visible(words.strip())}\n")
    count = sum(one.level != "note" for one in found)
    text.append("nothing to mend\n" if not count else f"{count} thing{'' if count == 1 else 's'} to mend\n")
    return text


def as_json(found: Sequence[Finding]) -> DoctorResult:
    """The same as a value."""
    return {
        "exit": exit_code(found),
        "findings": [
            {
                "level": one.level,
                "code": one.code,
                "where": one.where,
                "what": one.what,
                "why": one.why,
                "hint": one.hint,
                "exit": one.exit,
            }
            for one in found
        ],
    }
