"""What `trust lint` found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from haoam_sync.model.lint import LintFinding, exit_code
from haoam_sync.model.results import LintResult
from haoam_sync.report.text import visible

_STYLE = {"error": "bold red", "warning": "yellow", "note": "dim"}


def findings(found: Sequence[LintFinding]) -> Text:
    """One finding a paragraph, the gravest first; the count last."""
    text = Text()
    for one in found:
        text.append(f"{one.severity:8}", _STYLE[one.severity])
        text.append(f"{visible(one.where)}: {visible(one.what)}")
        text.append(f"  {one.code}\n", "dim")
        for words in (one.why, one.hint and f"to do: {one.hint}"):
            if words:
                text.append(f"        {visible(words)}\n")
    counts = [(sum(one.severity == name for one in found), name) for name in _STYLE]
    text.append(", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts) + "\n")
    return text


def as_json(commit: str, serial: int, digest: str, found: Sequence[LintFinding]) -> LintResult:
    """The same as a value; a serial of 0 is that of a policy that does not hold together."""
    return {
        "commit": commit,
        "policy": {"serial": serial, "digest": digest} if serial else None,
        "exit": exit_code(found),
        "findings": [
            {
                "severity": one.severity,
                "code": one.code,
                "where": one.where,
                "what": one.what,
                "why": one.why,
                "hint": one.hint,
            }
            for one in found
        ],
    }
