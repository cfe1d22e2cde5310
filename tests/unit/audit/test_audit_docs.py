"""docs/audit.md lists what the code knows, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from haoam_sync.audit.codes import REFUSALS, Event, Flaw

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "audit.md").read_text()


def test_every_event_is_in_the_table() -> None:
    """Code, name and meaning of each event stand in one row, in order, and no other row has a HOA code."""
    rows = re.findall(r"^\| (HOA\d{3}) \| `([a-z.]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(event.code, event.label, event.meaning) for event in Event]
    assert rows == sorted(rows)
    assert len({event.code for event in Event}) == len({event.label for event in Event}) == len(Event)


def test_every_flaw_and_refusal_is_in_a_table() -> None:
    """Code and meaning of each stand in a row; the flaws first."""
    rows = re.findall(r"^\| (E_[A-Z_]+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(flaw.code, flaw.meaning) for flaw in Flaw] + list(REFUSALS.items())


def test_every_code_in_the_audit_stage_is_in_the_table() -> None:
    """No E_ code is raised by this stage that the page does not explain."""
    source = "".join(path.read_text() for path in (ROOT / "haoam_sync" / "audit").glob("*.py"))
    used = set(re.findall(r"\"(E_AUDIT[A-Z_]*)\"", source))
    assert used == {flaw.code for flaw in Flaw} | {code for code in REFUSALS if code.startswith("E_AUDIT")}


def test_every_event_is_written_by_a_test() -> None:
    """Each event's name stands in a test of this stage that reads it back, so none is only a row in a table."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_audit_*.py"))
    assert [event.label for event in Event if f'"{event.label}"' not in tests and event.name not in tests] == []
