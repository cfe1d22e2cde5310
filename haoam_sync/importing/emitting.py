"""Values as YAML that every reader reads alike, with comments on the entries that they belong to.

Text is quoted unless it is plainly a word, so that no reader takes it for something else (`documents` has the rules).
Small objects and lists stand on one line, as people write them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from haoam_sync.importing.values import Path
from haoam_sync.model.json import Json

_WIDTH = 120
_WORD = re.compile(r"[A-Za-z/][A-Za-z0-9_./@%+-]*|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(?:/[0-9]+)?")
_SPOKEN_FOR = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_Remarks = Mapping[Path, Sequence[str]]


def block(value: Mapping[str, Json], indent: int, remarks: _Remarks, path: Path = ()) -> Iterator[str]:
    """The lines of a mapping that is not empty.

    Args:
        value: the mapping.
        indent: spaces in front of each line.
        remarks: comments by path; those of a path stand in front of it.
        path: of the mapping itself.
    """
    for key, item in value.items():
        here = (*path, key)
        yield from comment_lines(remarks.get(here, ()), indent)
        yield from _entry(f"{' ' * indent}{scalar(key)}:", item, indent + 2, remarks, here)


def _entry(head: str, value: Json, indent: int, remarks: _Remarks, path: Path) -> Iterator[str]:
    """A value behind `head`, on the same line if it is small and nothing in it has a comment."""
    inside = any(len(other) > len(path) and other[: len(path)] == path for other in remarks)
    line = f"{head} {flow(value)}"
    if not inside and _small(value) and len(line) <= _WIDTH:
        yield line
    elif isinstance(value, Mapping) and value:
        if head.endswith("-"):
            first, *rest = block(value, indent, remarks, path)
            # a comment cannot stand behind the dash, so it goes in front of the item
            while first.lstrip().startswith("#"):
                yield first[2:]
                first, *rest = rest
            yield f"{head} {first.lstrip()}"
            yield from rest
        else:
            yield head
            yield from block(value, indent, remarks, path)
    elif _is_list(value) and value:
        yield head
        for place, item in enumerate(_items(value)):
            here = (*path, place)
            yield from comment_lines(remarks.get(here, ()), indent)
            yield from _entry(f"{' ' * indent}-", item, indent + 2, remarks, here)
    else:
        yield line


def comment_lines(comments: Sequence[str], indent: int) -> Iterator[str]:
    """Comments as lines; what does not show in them is replaced."""
    for comment in comments:
        text = "".join("\N{REPLACEMENT CHARACTER}" if _hides(letter) else letter for letter in comment)
        yield f"{' ' * indent}# {text}".rstrip()


def _hides(letter: str) -> bool:
    """Whether a character does not show; those beyond plane 14's first are marks on the letter before them."""
    return not letter.isprintable() or "\U000e0000" <= letter <= "\U000e0fff"


def _small(value: Json) -> bool:
    """Whether a value reads well on one line: scalars, and in an object lists of scalars and secrets."""
    if isinstance(value, Mapping):
        return all(_small(item) if _is_list(item) else _is_plain(item) for item in value.values())
    return not _is_list(value) or not any(isinstance(item, Mapping | list) for item in _items(value))


def _is_plain(value: Json) -> bool:
    return not isinstance(value, Mapping) or value.keys() == {"secret"}


def _items(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) else ()


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def flow(value: Json) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(key)}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(flow(item) for item in value)}]"
    return scalar(value)


def scalar(value: str | float | None) -> str:
    """A scalar as every reader takes it."""
    if isinstance(value, str):
        plain = _WORD.fullmatch(value) is not None and value.lower() not in _SPOKEN_FOR
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
