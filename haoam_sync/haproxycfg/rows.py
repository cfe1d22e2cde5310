"""The rows of the keyword table: each stands for one JSON field, or object, and the lines it makes.

A row's `keys` are the words that its lines begin with (`mode`, `option httplog`, `no option httplog`); `roots` are the
top-level JSON fields that it writes. Both directions go through the same row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from haoam_sync.haproxycfg.arguments import Arguments, LineShape
from haoam_sync.haproxycfg.values import TEXT, Shape
from haoam_sync.haproxycfg.words import Obj, ended, read_metadata


class Row(Protocol):
    """One entry of the table."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What its lines begin with."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The dotted JSON paths that it stands for; `*` for every element or entry."""

    @property
    def roots(self) -> tuple[str, ...]:
        """The top-level fields whose presence makes it write."""

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """Append its lines for `body`, not indented."""

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """Put what one of its lines says into `body`.

        Raises:
            ValueError, IndexError: the line is not what the row writes; it stays text.
        """


def _found(body: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = body
    for name in path:
        if type(value) is not dict and not isinstance(value, Mapping):  # the abstract class is slow to ask
            return None
        value = value.get(name)
    return value


def _holder(body: Obj, path: tuple[str, ...]) -> Obj:
    for name in path[:-1]:
        body = body.setdefault(name, {})
    return body


@dataclass(frozen=True, slots=True)
class _Keyword:
    """What rows with one keyword share.

    Attributes:
        path: JSON path, dotted.
        key: the words that its lines begin with.
    """

    path: str
    key: str
    _names: tuple[str, ...] = field(init=False)
    _start: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_names", tuple(self.path.split(".")))
        object.__setattr__(self, "_start", len(self.key.split()))

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return (self.key,)

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        return (self.path,)

    @property
    def roots(self) -> tuple[str, ...]:
        """See Row."""
        return (self._names[0],)


@dataclass(frozen=True, slots=True)
class Line(_Keyword):
    """`KEY VALUE`.

    Attributes:
        shape: of the value. Text takes all words of the line.
        empty: the line is written, without a value, when the field is the empty string.
        forgets: the server writes the line and never reads it back.
    """

    shape: Shape = TEXT
    empty: bool = False
    forgets: bool = False

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        value = _found(body, self._names)
        if value == "" and self.empty:
            out.append(self.key)
        elif not self.shape.missing(value):
            out.append(f"{self.key} {self.shape.show(value)}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        if self.forgets:
            return
        start = self._start
        if self.shape is TEXT:
            if len(words) == start and not self.empty:
                raise ValueError(f"{self.key} without a value")
            value: Any = " ".join(words[start:])
        else:
            value = self.shape.read(words[start])
        if value != 0 or self.shape.zero:
            _holder(body, self._names)[self._names[-1]] = value


@dataclass(frozen=True, slots=True)
class Present(_Keyword):
    """`KEY`, there when the boolean field is true."""

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        if _found(body, self._names):
            out.append(self.key)

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        _holder(body, self._names)[self._names[-1]] = True


@dataclass(frozen=True, slots=True)
class Toggle(_Keyword):
    """`KEY` for enabled, `no KEY` for disabled; with `quiet`, disabled leaves no trace."""

    quiet: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return (self.key,) if self.quiet else (self.key, f"no {self.key}")

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        value = _found(body, self._names)
        if value == "enabled":
            out.append(self.key)
        elif value == "disabled" and not self.quiet:
            out.append(f"no {self.key}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        _holder(body, self._names)[self._names[-1]] = "disabled" if words[0] == "no" else "enabled"


@dataclass(frozen=True, slots=True)
class Composite(_Keyword):
    """One line for one object.

    Attributes:
        arguments: what stands behind the key.
        metadata: the object has `metadata`, which is the line's comment.
        bare: a blank follows the key even when no argument does (`default-server `).
    """

    arguments: LineShape = field(default_factory=Arguments)
    metadata: bool = False
    bare: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        own = (f"{self.path}.metadata",) if self.metadata else ()
        return (*(f"{self.path}.{name}" for name in sorted(self.arguments.fields)), *own)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        value = _found(body, self._names)
        if value is None:
            return
        words = [self.key]
        self.arguments.write(value, words)
        if self.bare and len(words) == 1:
            words.append("")
        out.append(ended(words, value.get("metadata") if self.metadata else None))

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """See Row."""
        value: Obj = {}
        self.arguments.read(words, self._start, value)
        if comment is not None and self.metadata:
            value["metadata"] = read_metadata(comment)
        _holder(body, self._names)[self._names[-1]] = value


@dataclass(frozen=True, slots=True)
class Items(_Keyword):
    """One line for each element of an array; their order counts.

    Attributes:
        arguments: what stands behind the key.
        metadata: the elements have `metadata`, which is the line's comment.
        forgets: the metadata is written and not read back (measured on filters).
        silent: values of the deciding field whose lines carry no metadata (measured).
    """

    arguments: LineShape = field(default_factory=Arguments)
    metadata: bool = False
    forgets: bool = False
    silent: frozenset[str] = frozenset()

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        own = (f"{self.path}.*.metadata",) if self.metadata else ()
        return (*(f"{self.path}.*.{name}" for name in sorted(self.arguments.fields)), *own)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        for item in _found(body, self._names) or ():
            words = [self.key]
            self.arguments.write(item, words)
            carries = self.metadata and (item.get("action") or item.get("type")) not in self.silent
            out.append(ended(words, item.get("metadata") if carries else None))

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """See Row."""
        item: Obj = {}
        self.arguments.read(words, self._start, item)
        if comment is not None and self.metadata and not self.forgets:
            item["metadata"] = read_metadata(comment)
        _holder(body, self._names).setdefault(self._names[-1], []).append(item)


@dataclass(frozen=True, slots=True)
class Entries(_Keyword):
    """One line for each entry of an object keyed by name, sorted by name as text (FACTS.md, "Writing").

    Attributes:
        name: the field that repeats the key inside the entry.
    """

    arguments: LineShape = field(default_factory=Arguments)
    name: str = "name"
    metadata: bool = True

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        own = (f"{self.path}.*.metadata",) if self.metadata else ()
        return (*(f"{self.path}.*.{name}" for name in sorted(self.arguments.fields)), *own)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        entries = _found(body, self._names)
        if not entries:
            return
        key = self.key
        write = self.arguments.write
        for name in sorted(entries):
            entry = entries[name]
            words = [key]
            write(entry if self.name in entry else {**entry, self.name: name}, words)
            metadata = entry.get("metadata")
            out.append(ended(words, metadata) if metadata and self.metadata else " ".join(words))

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """See Row."""
        entry: Obj = {}
        self.arguments.read(words, self._start, entry)
        if comment is not None and self.metadata:
            entry["metadata"] = read_metadata(comment)
        names = self._names
        holder = _holder(body, names)
        entries = holder.get(names[-1])
        if entries is None:
            entries = holder[names[-1]] = {}
        entries[entry[self.name]] = entry


@dataclass(frozen=True, slots=True)
class Words(_Keyword):
    """`KEY a b c` for an array of words.

    Attributes:
        separator: what stands between them.
    """

    separator: str = " "

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        values = _found(body, self._names)
        if values:
            out.append(f"{self.key} {self.separator.join(str(value) for value in values)}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        values = words[self._start :]
        if self.separator != " ":
            values = [value for word in values for value in word.split(self.separator) if value]
        _holder(body, self._names)[self._names[-1]] = list(values)
