"""What a commit does to the desired state, as text for a reviewer. Offline: no instance was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from haoam_sync.model.files import FileChange
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.report.text import shown, visible


def change(value: JsonObject) -> Text:
    """The change, the fleet first: it decides where everything else goes."""
    text = Text()
    fleet = value["fleet"]
    if isinstance(fleet, Mapping) and fleet:
        text.append("fleet (where and how instances are reached, and the limits)\n", "bold red")
        for name, difference in fleet.items():
            if name == "clusters" and isinstance(difference, Mapping):
                for cluster, one in difference.items():
                    _difference(text, f"cluster {cluster}", one)
            else:
                _difference(text, name, difference)
    instances = value["instances"]
    groups = _grouped(instances if isinstance(instances, Mapping) else {})
    for names, parts in groups:
        text.append(f"{visible(', '.join(names))}\n", "bold")
        for sections in parts.values():
            for name, difference in sections.items() if isinstance(sections, Mapping) else ():
                _difference(text, name, difference)
    if not text.plain:
        text.append("nothing of the desired state changes\n")
    return text


def changed_files(files: Sequence[FileChange]) -> Text:
    """Every file that differs; the text of those that are no part of the desired state, the policy's above all."""
    text = Text()
    text.append(f"{len(files)} file{'' if len(files) == 1 else 's'}\n", "bold")
    for file in files:
        grave = file.path == "trust.yaml" or file.path.startswith(("keys/", ".github/", "access/"))
        text.append(f"  {file.action} {visible(file.path)}\n", "bold red" if grave else "yellow")
        for line in file.diff.split("\n") if file.diff else ():
            style = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
            text.append(f"      {visible(line)}\n", style)
    return text


def _grouped(instances: Mapping[str, Json]) -> list[tuple[list[str], Mapping[str, Json]]]:
    """Instances to which the same happens, together."""
    groups: list[tuple[list[str], Mapping[str, Json]]] = []
    for name, parts in instances.items():
        if not isinstance(parts, Mapping):
            continue
        for names, known in groups:
            if known == parts:
                names.append(name)
                break
        else:
            groups.append(([name], parts))
    return groups


def _difference(text: Text, name: str, difference: Json) -> None:
    if not isinstance(difference, Mapping):
        return
    before, after = difference.get("before"), difference.get("after")
    word, style = (
        ("+ add", "green") if before is None else ("- remove", "red") if after is None else ("~ change", "yellow")
    )
    text.append(f"  {word} {visible(name)}\n", style)
    _fields(text, "", before, after)


def _fields(text: Text, path: str, before: Json, after: Json) -> None:
    """Walk two values; what differs is shown with both sides."""
    if before == after:
        return
    if isinstance(before, Mapping | None) and isinstance(after, Mapping | None) and not _secret(before, after):
        for key in sorted({*(before or {}), *(after or {})}):
            below = key if path in {"", "spec"} else f"{path}.{key}"
            _fields(text, below, (before or {}).get(key), (after or {}).get(key))
        return
    if any(isinstance(one, str) and "\n" in one for one in (before, after)):
        _lines(text, path, before, after)
        return
    text.append(f"      {visible(path)}: ")
    if before is not None:
        text.append(shown(before), "red")
        text.append(" -> " if after is not None else " removed")
    if after is not None:
        text.append(shown(after), "green")
    text.append("\n")


def _lines(text: Text, path: str, before: Json, after: Json) -> None:
    """A text of several lines: what goes and what comes, every line of it."""
    import difflib  # noqa: PLC0415 - only changes of files need it

    text.append(f"      {visible(path)}:\n")
    old, new = ((one if isinstance(one, str) else "").split("\n") for one in (before, after))
    for line in difflib.ndiff(old if before else [], new if after else []):
        if not line.startswith("?"):
            style = {"+": "green", "-": "red"}.get(line[0], "dim")
            text.append(f"        {line[0]} {visible(line[2:])}\n", style)


def _secret(*values: Mapping[str, Json] | None) -> bool:
    return any(value is not None and set(value) == {"secret"} for value in values)
