"""The events of libyaml to values, and where each of them stands. The only module that imports ruamel.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # it is there, from ruamel.yaml.clib
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from haoam_sync.documents.text import HIDDEN_VALUE, MOST_PROBLEMS, Refused
from haoam_sync.documents.values import Bounds, Collection, Path, Value
from haoam_sync.errors import Problem
from haoam_sync.model.position import Position
from haoam_sync.model.scalar import Ambiguous, Scalar, unquoted

_SHOWN = 60
"""So many characters of a scalar are repeated in a message."""


@dataclass(frozen=True)
class Source:
    """One file, and where everything in it stands: worked out at the first question, for all its documents at once."""

    text: str
    file: str
    bounds: Bounds

    @cached_property
    def places(self) -> list[Places]:
        """For each document, as far as it can be read."""
        places: list[Places] = []
        Builder(self, places).run()
        return places


@dataclass(frozen=True, slots=True)
class Places:
    """Where each value of one document begins, and where the key before it does (the first one of equal keys).

    Also the characters that it takes, of collections in block style only the first; and which are in flow style.
    """

    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    spans: dict[Path, tuple[int, int]] = field(default_factory=dict)
    flow: set[Path] = field(default_factory=set)


class Builder:
    """Events to values, collecting problems; goes on after each problem that leaves the structure clear.

    Given a list of places, it notes positions too; that takes four times as long, so it is done in a second reading.
    """

    def __init__(self, source: Source, places: list[Places] | None = None) -> None:
        self.problems: list[Problem] = []
        self.starts: list[Position] = []
        self._source = source
        self._places = places
        self._has_bare_tag = re.search(r"!(?:[\s,\]}]|$)", source.text) is not None
        self._documents: list[Value] = []
        self._stack: list[Collection] = []  # open collections
        self._keys: list[str | None] = []  # for each of them the key that waits for its value; None in lists

    def run(self) -> list[Value]:
        """One value for each document of the file; None for an empty document."""
        try:
            self._read(CParser(self._source.text.encode()).get_event)
        except MarkedYAMLError as error:
            self._syntax(error)
        except YAMLError as error:
            self.problems.append(Refused(self._source.file, 0, 0, f"this is not YAML: {error}"))
        except _StopReadingError:
            pass
        return self._documents

    def _read(self, next_event: Callable[[], Event | None]) -> None:
        """The hot loop: 10,000 documents are half a million events. A union of classes would be made at each one."""
        nodes, most = 0, self._source.bounds.nodes
        while (event := next_event()) is not None:
            if isinstance(event, ScalarEvent):
                self._place(event, self._scalar(event))
            elif isinstance(event, MappingStartEvent):
                self._open(event, {})
            elif isinstance(event, _ENDS):
                self._close(event)
                continue
            elif isinstance(event, SequenceStartEvent):
                self._open(event, [])
            elif isinstance(event, AliasEvent):
                self._problem(event, f"alias *{event.anchor}: aliases are not allowed", "write the value out")
                self._place(event, None)
            elif isinstance(event, DocumentStartEvent):
                self._begin(event)
                continue
            elif isinstance(event, _AROUND):
                continue
            else:
                raise AssertionError(f"libyaml has no event {type(event).__name__}")  # noqa: TRY004  # no caller's type
            nodes += 1
            if nodes > most:
                self._problem(event, f"the file holds more than {self._source.bounds.nodes} values", "split it")
                raise _StopReadingError

    def _begin(self, event: DocumentStartEvent) -> None:
        if event.version is not None or event.tags:
            self._problem(event, "directives (%YAML, %TAG) are not allowed", "delete the line")
        if self._places is not None:
            self._places.append(Places())

    def _scalar(self, event: ScalarEvent) -> Scalar:
        text: str = event.value
        plain, quoted = event.implicit
        if not (plain or quoted) or event.anchor is not None or self._has_bare_tag:
            self._properties(event)
        if plain and not event.style:
            resolved = unquoted(text)
            if isinstance(resolved, Ambiguous):
                self._problem(event, f"unquoted {_shown(text)}: {resolved.why}", f'quote it: "{text[:_SHOWN]}"')
                return text
            return resolved
        if event.style == '"' and HIDDEN_VALUE.search(text):
            self._problem(event, "the text holds a character that does not show", "delete the escape")
        return text

    def _place(self, event: Event, value: Value) -> None:
        """Put a value where it belongs, or keep it as the key of the value to come."""
        keys = self._keys
        if not keys:
            self._documents.append(value)
            self.starts.append(Position(self._source.file, event.start_mark.line + 1, event.start_mark.column + 1))
        elif isinstance(top := self._stack[-1], list):
            top.append(value)
        elif (key := keys[-1]) is None:
            keys[-1] = value if isinstance(value, str) and value not in top else self._key(event, value, top)
            if self._places is not None:
                self._note_place(event, self._places[-1].keys)
            return
        else:
            top[key] = value
        if self._places is not None:
            self._note_place(event, self._places[-1].values)
            self._places[-1].spans.setdefault(self._path(), (event.start_mark.index, event.end_mark.index))
        if keys and not isinstance(value, _COLLECTIONS):
            keys[-1] = None

    def _note_place(self, event: Event, places: dict[Path, Position]) -> None:
        here = Position(self._source.file, event.start_mark.line + 1, event.start_mark.column + 1)
        places.setdefault(self._path(), here)

    def _open(self, event: MappingStartEvent | SequenceStartEvent, value: Collection) -> None:
        self._place(event, value)
        if event.anchor is not None or not event.implicit or self._has_bare_tag:
            self._properties(event)
        if len(self._stack) >= self._source.bounds.depth:
            self._problem(event, f"collections stand more than {self._source.bounds.depth} deep inside each other")
            raise _StopReadingError
        self._stack.append(value)
        self._keys.append(None)

    def _close(self, event: MappingEndEvent | SequenceEndEvent) -> None:
        """End a collection. Of one in brackets note where: only there the end takes characters of its own."""
        start, end = event.start_mark.index, event.end_mark.index
        if self._places is not None and end > start and self._source.text[start] in "]}":
            places, path = self._places[-1], self._path()[:-1]
            places.spans[path] = (places.spans[path][0], end)
            places.flow.add(path)
        self._stack.pop()
        self._keys.pop()
        if self._keys:
            self._keys[-1] = None

    def _path(self) -> Path:
        """The way from the document's root to the value placed last."""
        open_collections = zip(self._stack, self._keys, strict=True)
        return tuple(len(c) - 1 if isinstance(c, list) else key or "" for c, key in open_collections)

    def _key(self, event: Event, value: Value, mapping: dict[str, Value]) -> str:
        """The key to keep of what is no new text: a name that no document can hold, so that reading can go on."""
        if not isinstance(value, str):
            if isinstance(value, dict | list):
                self._problem(event, "a key must be text, not a collection")
            elif isinstance(event, ScalarEvent):
                hint = f'quote it: "{event.value[:_SHOWN]}"'
                self._problem(event, f"key {_shown(event.value)} is not text", hint)
            return f"\x00{event.start_mark.line}:{event.start_mark.column}"
        if value in mapping:
            self._problem(event, f"key {_shown(value)} is given twice", f"keep one of them{self._first(value)}")
        return value

    def _first(self, key: str) -> str:
        if self._places is not None:
            return ""
        first = self._source.places[len(self._documents) - 1].keys.get((*self._path()[:-1], key))
        return f"; the first one is in line {first.line}" if first is not None else ""

    def _properties(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        """Anchors and tags; the tag `!` shows in the text only."""
        if event.anchor is not None:
            self._problem(event, f"anchor &{event.anchor}: anchors are not allowed", "delete it")
        elif self._source.text[event.start_mark.index : event.start_mark.index + 1] == "!":
            self._problem(event, "tags are not allowed", "delete it; quote the value where text is meant")

    def _syntax(self, error: MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
        problem = " ".join(part for part in (error.context, error.problem) if part)
        self._add(Refused(self._source.file, line, column, f"this is not YAML: {problem}", self._hint(problem, mark)))

    def _hint(self, problem: str, mark: object) -> str:
        index = getattr(mark, "index", None)
        character = self._source.text[index : index + 1] if isinstance(index, int) else ""
        if character == "\t":
            return "indent with spaces, not with tabs"
        if "cannot start any token" in problem:
            return f"quote text that begins with {character}"
        if "found unexpected ':'" in problem:
            return "quote text that holds : inside { } or [ ]"
        if "mapping values are not allowed" in problem:
            return 'quote text that holds ": "'
        return "look at the indentation and the quotes here and in the line before"

    def _problem(self, event: Event, message: str, hint: str = "") -> None:
        mark = event.start_mark
        self._add(Refused(self._source.file, mark.line + 1, mark.column + 1, message, hint))

    def _add(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= MOST_PROBLEMS:
            raise _StopReadingError


_AROUND = (StreamStartEvent, StreamEndEvent, DocumentEndEvent)
"""Events that say nothing of a value."""
_ENDS = (MappingEndEvent, SequenceEndEvent)
_COLLECTIONS = (dict, list)


class _StopReadingError(Exception):
    """Reading stops here; the problem that says why is noted already."""


def _shown(text: str) -> str:
    return f"`{text[:_SHOWN]}...`" if len(text) > _SHOWN else f"`{text}`"
