"""The log of statements: reading it from objects, and which of them are about a change. Pure.

The log is the first-parent chain of `refs/heads/haoam/attestations`, oldest first. A commit of it carries one statement
in the file `statement.json`; what else it may hold has no meaning, and neither has who made the commit: only the
statement's own signature counts.
"""

from __future__ import annotations

import base64
import re
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import overload

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import STATEMENT_BYTES, Predicate, parse_envelope, parse_statement
from haoam_sync.model.root_statement import RootStatement, is_root_statement, parse_root_statement
from haoam_sync.trust.claims import Claim, statement_claim
from haoam_sync.trust.graph import Graph, Recent
from haoam_sync.trust.places import Ids, Places

FILE = "statement.json"

_PAYLOAD = re.compile(rb'"payload":"([A-Za-z0-9+/]+={0,2})"')
_ABOUT = re.compile(rb'"(base|head|tree)":"([0-9a-f]{40})"')
_MOST_STATEMENTS = 100_000
_READ_AT_ONCE = 1000
_KEPT = 512
"""So many statements stay parsed."""


@dataclass(frozen=True)
class Entry:
    """One statement of the log, not believed yet.

    Attributes:
        position: place in the log, from 0.
        commit: the commit that carries it.
        source: the envelope's bytes, or what reads them again: a log of years does not stay in memory.
    """

    position: int
    commit: str
    source: bytes | Callable[[], bytes] = field(repr=False, compare=False)

    @property
    def data(self) -> bytes:
        """The envelope's bytes."""
        return self.source if isinstance(self.source, bytes) else self.source()

    @cached_property
    def about(self) -> Mapping[str, str]:
        """`base`, `head` and `tree` that it seems to name: found without parsing, to choose what is parsed."""
        return _about(_payload(self.data))

    @cached_property
    def is_of_a_root(self) -> bool:
        """Whether it seems to be a freeze, a thaw or a compromise: found without parsing."""
        return is_root_statement(_payload(self.data))

    @property
    def parsed(self) -> ParsedEntry:
        """The review and its signature, as far as they can be read."""
        return _parsed(self.data, self.commit)

    @property
    def parsed_root(self) -> ParsedRoot:
        """A root's statement and its signature, as far as they can be read."""
        return _parsed_root(self.data, self.commit)


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """A review that can be read, or why it can not.

    Attributes:
        predicate: what it says.
        claim: its signature; to be proven.
        problem: the refusal, when it can not be read.
    """

    predicate: Predicate | None
    claim: Claim | None
    problem: NotTrustedError | None


@dataclass(frozen=True, slots=True)
class ParsedRoot:
    """A root's statement that can be read; nothing of one that can not.

    Attributes:
        said: what it says.
        claim: its signature; to be proven.
    """

    said: RootStatement | None = None
    claim: Claim | None = None


def _payload(data: bytes) -> bytes:
    found = _PAYLOAD.search(data)
    if found is None:
        return b""
    try:
        return base64.b64decode(found[1])
    except ValueError:
        return b""


def _about(payload: bytes) -> Mapping[str, str]:
    return {name.decode(): oid.decode() for name, oid in _ABOUT.findall(payload)}


@lru_cache(maxsize=_KEPT)
def _parsed(data: bytes, commit: str) -> ParsedEntry:
    try:
        envelope = parse_envelope(data, where=commit)
        predicate = parse_statement(envelope.payload, where=commit)
        claim = statement_claim(envelope, commit)
    except NotTrustedError as error:
        return ParsedEntry(None, None, error)
    return ParsedEntry(predicate, claim, None)


@lru_cache(maxsize=_KEPT)
def _parsed_root(data: bytes, commit: str) -> ParsedRoot:
    try:
        envelope = parse_envelope(data, where=commit)
        return ParsedRoot(parse_root_statement(envelope.payload, where=commit), statement_claim(envelope, commit))
    except NotTrustedError:
        return ParsedRoot()


class Log:
    """All statements, oldest first.

    Attributes:
        tip: the commit that carries the last one, "" for none.
        entries: by position.
    """

    def __init__(self, chain: Sequence[str], entries: Sequence[Entry], seen: Seen | None = None) -> None:
        """The log of a chain of commits.

        Args:
            chain: every commit of the log, oldest first, those without a statement too.
            entries: by position.
            seen: what was found in the entries when they were read; None to look into each now.
        """
        self.tip = chain[-1] if chain else ""
        self.entries = entries
        self._chain = chain
        self._places = Places((commit, place) for place, commit in enumerate(chain))
        self._seen = seen if seen is not None else Seen.of(entries)

    def has(self, commit: str, before: str = "") -> bool:
        """Whether a commit is in the log ("" always is), and before the commit `before` when one is given."""
        if not commit:
            return True
        place = self._place(commit)
        if place is None or not before:
            return place is not None
        other = self._place(before)
        return other is not None and place < other

    def _place(self, commit: str) -> int | None:
        return next((place for place in self._places.of(commit) if self._chain[place] == commit), None)

    def about(self, *, heads: Collection[str] = (), base: str = "", tree: str = "") -> list[Entry]:
        """Statements that seem to name one of `heads`, or this base, or this resulting tree, oldest first."""
        wanted = {f"head {head}" for head in heads} | {f"base {base}", f"tree {tree}"}
        places = {place for key in wanted for place in self._seen.about.of(key)}
        return [self.entries[place] for place in sorted(places)]

    @cached_property
    def of_roots(self) -> tuple[Entry, ...]:
        """What seem to be freezes, thaws and compromises, oldest first."""
        return tuple(self.entries[place] for place in self._seen.of_roots)

    @property
    def reviews(self) -> Iterator[Entry]:
        """All others, oldest first."""
        of_roots = frozenset(self._seen.of_roots)
        return (self.entries[place] for place in range(len(self.entries)) if place not in of_roots)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in statements without parsing them.

    Attributes:
        about: places of those that name a `base`, a `head` or a `tree`, by this word and the id.
        of_roots: places of what seem to be words of roots.
    """

    about: Places
    of_roots: Sequence[int]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Seen:
        """Look into each, once."""
        of_roots = array("L")

        def keys() -> Iterator[tuple[str, int]]:
            for entry in entries:
                if entry.is_of_a_root:
                    of_roots.append(entry.position)
                yield from ((f"{name} {oid}", entry.position) for name, oid in entry.about.items())

        return cls(Places(keys()), of_roots)


def read_log(graph: Graph, tip: str) -> Log:
    """Read the log that ends in `tip` ("" for none).

    Raises:
        NotTrustedError: E_ATTEST_ROLLBACK, its history is not there or too long; E_OID_MISMATCH, E_REPO_STATE.
    """
    newest_first = Ids()
    oid = tip
    while oid:
        newest_first.append(oid)
        if len(newest_first) > _MOST_STATEMENTS:
            raise NotTrustedError(
                f"there are more than {_MOST_STATEMENTS} review statements", code="E_LIMIT", where=tip
            )
        parents = graph.parents(oid)
        oid = parents[0] if parents else ""
    chain = Ids(reversed(newest_first))
    carriers, blobs = Ids(), Ids()
    for start in range(0, len(chain), _READ_AT_ONCE):
        part = chain[start : start + _READ_AT_ONCE]
        graph.fetch_trees([_tree_of(graph, commit) for commit in part])
        for commit in part:
            oid = _statement_of(graph, commit)
            if oid:
                carriers.append(commit)
                blobs.append(oid)
    entries = _Entries(graph, carriers, blobs)
    return Log(chain, entries, Seen.of(entries.read()))


def _tree_of(graph: Graph, commit: str) -> str:
    return graph.raw(commit)[5:45].decode("ascii", "replace")


def _statement_of(graph: Graph, commit: str) -> str:
    """The file that holds a commit's statement; "" when it carries none."""
    try:
        return next((e.oid for e in graph.tree(_tree_of(graph, commit), commit) if e.name == FILE and e.is_plain), "")
    except NotTrustedError as error:
        if error.code in {"E_TREE_ENTRY", "E_PATH", "E_LIMIT"}:
            return ""  # whoever may push there must not be able to stop everything with rubbish
        raise


class _Entries(Sequence[Entry]):
    """Statements by position. Each is read again when it is asked for; those read last are kept."""

    def __init__(self, graph: Graph, commits: Ids, blobs: Ids) -> None:
        self._graph, self._commits, self._blobs = graph, commits, blobs
        self._recent = Recent[bytes](_KEPT)

    def __len__(self) -> int:
        return len(self._commits)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        position = range(len(self))[place]
        blob = self._blobs[position]
        read = partial(self._recent.get, blob, partial(_again, self._graph, blob))
        return Entry(position, self._commits[position], read)

    def read(self) -> Iterator[Entry]:
        """All of them with their bytes, read many at a time."""
        for start in range(0, len(self), _READ_AT_ONCE):
            part = self._blobs[start : start + _READ_AT_ONCE]
            for position, data in enumerate(_contents(self._graph, part), start):
                yield Entry(position, self._commits[position], data[: STATEMENT_BYTES + 1])


def _contents(graph: Graph, blobs: Sequence[str]) -> Iterator[bytes]:
    """The files' content, in order; nothing of what is too large to be read, which is no statement."""
    try:
        yield from graph.blobs(blobs)
    except NotTrustedError as error:
        if error.code != "E_LIMIT":
            raise
        if len(blobs) == 1:
            yield b""
            return
        half = len(blobs) // 2
        yield from _contents(graph, blobs[:half])
        yield from _contents(graph, blobs[half:])


def _again(graph: Graph, blob: str) -> bytes:
    return graph.blobs([blob])[0][: STATEMENT_BYTES + 1]
