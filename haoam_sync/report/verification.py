"""What the verification of an audit log gave, as text."""

from __future__ import annotations

from rich.text import Text

from haoam_sync.model.results import AuditResult
from haoam_sync.report.text import counted, visible


def verification(value: AuditResult) -> Text:
    """The verdict first, then what it rests on, then what it cannot see."""
    text = Text()
    if value["intact"]:
        text.append(f"the log is whole: {counted(value['records'], 'record')}", "green")
    else:
        text.append(
            f"THE LOG IS BROKEN: {counted(value['flaw_count'], 'flaw')} in {counted(value['records'], 'record')}",
            "bold red",
        )
    head = value["head"]
    text.append(f", from {value['first'] or 'nothing'} to {value['last'] or 'nothing'}\n")
    text.append(f"last record {head['seq']}, {head['hash']}\n")
    for flaw in value["flaws"]:
        text.append(f"  {flaw['code']}: {visible(flaw['message'])} {flaw['file']}:{flaw['line']}\n", "red")
    for apply in value["unfinished"]:
        text.append(f"  apply {apply['apply']} of {apply['time']} has no outcome: it was cut off\n", "yellow")
    for left in value["transactions"]:
        text.append(f"  {left['instance']}: transaction {left['id']} was left open (record {left['seq']})\n", "yellow")
    for change in value["unattributed"]:
        text.append(
            f"  unattributed change on {change['instance']}: {visible(change['what'])}, expected "
            f"{visible(change['expected'])}, found {visible(change['found'])} (record {change['seq']}, "
            f"{change['time']})\n",
            "yellow",
        )
    for note in value["notes"]:
        text.append(f"  {visible(note)}\n", "dim")
    text.append(f"{value['limits']}\n", "dim")
    return text
