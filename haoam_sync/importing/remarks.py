"""Comments of a section, on the fields that they stood on (rule I6)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from haoam_sync import haproxycfg
from haoam_sync.haproxycfg.words import split
from haoam_sync.importing.values import Comments, Path
from haoam_sync.model.api_version import ApiVersion


def remarks(lead: Sequence[str], lines: Sequence[str], api: ApiVersion) -> Comments:
    """The comments of a section.

    Args:
        lead: comment lines in front of it.
        lines: of the section, its first one among them.
        api: of the server.
    """
    header, *inside = lines
    top = [*(line.lstrip().lstrip("#").strip() for line in lead), *_at_the_end(header)]
    if not any("#" in line for line in inside):
        return Comments(tuple(top))
    plain_header = " ".join(split(header)[0])
    above: dict[Path, tuple[str, ...]] = {}
    counted: dict[str, int] = {}
    waiting: list[str] = []
    for line in inside:
        words, comment = split(line)
        if not words:
            if comment is not None:
                waiting.append(comment)
            continue
        path = _path(f"{plain_header}\n  {' '.join(words)}", counted, api)
        said = [*waiting, *_at_the_end(line)]
        waiting = []
        if said:
            above[path] = (*above.get(path, ()), *said)
    return Comments(tuple(top), above, tuple(waiting))


def _at_the_end(line: str) -> list[str]:
    """The comment that ends a line: its text where the server stores it as JSON; our own mark is none."""
    _, comment = split(line)
    if not comment:
        return []
    try:
        value = json.loads(comment)
    except ValueError:
        return [comment]
    if not isinstance(value, dict):
        return [comment]
    rest = {key: item for key, item in value.items() if key not in {"haoam", "comment"}}
    said = [str(value["comment"])] if "comment" in value else []
    return [*said, json.dumps(rest, ensure_ascii=False)] if rest else said


def _path(section: str, counted: dict[str, int], api: ApiVersion) -> Path:
    """Where in the body a line of its own stands; `()` when it says nothing."""
    body = haproxycfg.parse(section, api).body
    field = next((key for key in body if key not in {"name", "from", "metadata"}), None)
    if field is None:
        return ()
    value = body[field]
    if isinstance(value, list):
        place = counted.get(field, 0)
        counted[field] = place + len(value)
        return (field, place)
    if isinstance(value, dict) and len(value) == 1:
        key, inner = next(iter(value.items()))
        if isinstance(inner, dict):
            return (field, key)
    return (field,)
