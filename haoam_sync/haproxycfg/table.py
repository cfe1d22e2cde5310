"""The keyword table of one kind of section and one API version, compiled for both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import Any, TypeAlias

from haoam_sync.haproxycfg.rows import Row
from haoam_sync.haproxycfg.tables import process, proxies, small
from haoam_sync.haproxycfg.tables.order import RANKS
from haoam_sync.haproxycfg.tables.versions import NEW_FRONTEND_ROWS, NEW_ROWS, OLD_ROWS
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

_NEW = ApiVersion(3, 4)
"""From here on the server behaves as 3.4 was measured to; below, as 3.2."""

_WRITTEN_OTHERWISE = frozenset({"acl", "cookie", "stats", "compression", "email-alert"})
"""Lines that the normal form may group or write in another way than by their first word (`normal.py`)."""
_MOST_SHAPES = 512
"""So many sets of fields are remembered for each table: sections of one kind mostly set the same few."""
_Index: TypeAlias = "dict[str, Row | _Index]"


class Table:
    """Rows, found by JSON field and by the words that begin a line.

    Attributes:
        rows: in the order in which the server writes their lines.
    """

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.rows = rows
        self._ranks: dict[str, list[int]] = {}
        self._places = {id(row): rank for rank, row in enumerate(rows)}
        self._index: _Index = {}
        for rank, row in enumerate(rows):
            for root in row.roots:
                self._ranks.setdefault(root, []).append(rank)
            for key in row.keys:
                self._add(key.split(), row)
        self._always = frozenset(self._ranks.get("name", ()))
        self._for_fields: dict[tuple[str, ...], tuple[Row, ...]] = {}

    def _add(self, words: Sequence[str], row: Row) -> None:
        node = self._index
        for word in words[:-1]:
            below = node.setdefault(word, {})
            if not isinstance(below, dict):
                raise TypeError(f"{word!r} is a keyword and the beginning of another")
            node = below
        if words[-1] in node:
            raise ValueError(f"two rows for {' '.join(words)!r}")
        node[words[-1]] = row

    def row(self, words: Sequence[str]) -> Row | None:
        """The row that the line `words` belongs to, None when no row knows it."""
        node: Row | _Index | None = self._index
        for word in words:
            if not isinstance(node, dict):
                break
            node = node.get(word)
        return None if isinstance(node, dict) else node

    def rank(self, words: Sequence[str]) -> int | None:
        """The place of the line `words` in the server's order, None when no row knows it."""
        row = self.row(words)
        return None if row is None else self._places[id(row)]

    @cached_property
    def ranks_by_first_word(self) -> Mapping[str, int]:
        """The places of the lines whose first word alone tells their row, of those that only `row` is asked about."""
        return {
            word: self._places[id(found)]
            for word, found in self._index.items()
            if not isinstance(found, dict) and word not in _WRITTEN_OTHERWISE
        }

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """Append every line for `body`."""
        for row in self.for_fields(tuple(body)):
            row.write(body, out)

    def for_fields(self, fields: tuple[str, ...]) -> tuple[Row, ...]:
        """The rows that a body with these top-level fields is about, in their order."""
        found = self._for_fields.get(fields)
        if found is None:
            ranks = set(self._always)
            for field in fields:
                ranks.update(self._ranks.get(field, ()))
            found = tuple(self.rows[rank] for rank in sorted(ranks))
            if len(self._for_fields) < _MOST_SHAPES:
                self._for_fields[fields] = found
        return found


@cache
def _table(kind: SectionKind, new: bool, complete: bool) -> Table:  # noqa: FBT001 - cache keys
    match kind:
        case SectionKind.GLOBAL:
            rows = process.rows(new=new)
        case SectionKind.DEFAULTS | SectionKind.FRONTEND | SectionKind.BACKEND:
            rows = proxies.rows(kind, new=new)
        case _:
            rows = small.rows(kind, new=new)
    if complete:
        rows = tuple(row.row if isinstance(row, small.ReadOnly) else row for row in rows)
    ranks = RANKS.get(kind)
    if ranks is not None:
        rows = tuple(sorted(rows, key=lambda row: ranks[row.keys[0]] if row.keys else len(ranks)))
    absent = OLD_ROWS if new else NEW_ROWS | (NEW_FRONTEND_ROWS if kind is SectionKind.FRONTEND else frozenset())
    return Table(tuple(row for row in rows if not any(_within(path, absent) for path in row.paths)))


def _within(path: str, absent: frozenset[str]) -> bool:
    return path in absent or path.partition(".")[0] in absent


def table(kind: SectionKind, api: ApiVersion, *, complete: bool = False) -> Table:
    """The table of `kind` as the server of `api` has it.

    Args:
        kind: of section.
        api: of the server.
        complete: with the lines, too, that the server drops, or does not show, when it handles a section as a whole
            (name servers in API 3.2, loads of a crt-store): they are written and read by other requests.
    """
    return _table(kind, api >= _NEW, complete)
