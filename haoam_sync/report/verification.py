"""What the verification of an audit log gave, as text."""

from __future__ import annotations

from rich.text import Text

from haoam_sync.model.json import Json, JsonObject
from haoam_sync.report.text import visible


def verification(value: JsonObject) -> Text:
    """The verdict first, then what it rests on, then what it cannot see."""
    text = Text()
    if value["intact"]:
        text.append(f"the log is whole: {value['records']} records", "green")
    else:
        text.append(f"THE LOG IS BROKEN: {value['flaw_count']} flaws in {value['records']} records", "bold red")
    head = value["head"]
    text.append(f", from {value['first'] or 'nothing'} to {value['last'] or 'nothing'}\n")
    if isinstance(head, dict):
        text.append(f"last record {head['seq']}, {head['hash']}\n")
    for flaw in _objects(value["flaws"]):
        text.append(f"  {flaw['code']}: {visible(str(flaw['message']))} {flaw['file']}:{flaw['line']}\n", "red")
    for apply in _objects(value["unfinished"]):
        text.append(f"  apply {apply['apply']} of {apply['time']} has no outcome: it was cut off\n", "yellow")
    for left in _objects(value["transactions"]):
        text.append(f"  {left['instance']}: transaction {left['id']} was left open (record {left['seq']})\n", "yellow")
    for change in _objects(value["unattributed"]):
        text.append(
            f"  unattributed change on {change['instance']}: {visible(str(change['what']))}, expected "
            f"{visible(str(change['expected']))}, found {visible(str(change['found']))} (record {change['seq']}, "
            f"{change['time']})\n",
            "yellow",
        )
    notes = value["notes"]
    for note in notes if isinstance(notes, list) else ():
        text.append(f"  {visible(str(note))}\n", "dim")
    text.append(f"{value['limits']}\n", "dim")
    return text


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
