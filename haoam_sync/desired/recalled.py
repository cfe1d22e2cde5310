"""Documents that were read and checked before, so that a load reads only what is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from haoam_sync import documents
from haoam_sync.documents import Document, Value
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import Json


class Memory(Protocol):
    """What is remembered of blobs; `haoam_sync.remembered` is one."""

    def get(self, scope: str, content: bytes) -> Json:
        """What `content` was read to; None when that is not known."""

    def put(self, scope: str, content: bytes, entry: Json) -> None:
        """Remember what `content` was read to."""


class Recall:
    """The documents of one commit, from memory where it has them.

    An entry holds the values of a file's documents, where they begin, and for each whether it declares a section that
    was found good on its own: with no variable, no secret and no problem anywhere in the commit. All the rest (names,
    selectors, references to others) is looked at in every load.

    Args:
        memory: what is remembered; None to read everything.
        api: version of the API whose fields may be used; part of every verdict.
        keep: whether what is read may be put into the memory: not of a commit that is only proposed.
    """

    def __init__(self, memory: Memory | None, api: ApiVersion, *, keep: bool) -> None:
        self._memory = memory
        self._scope = str(api)
        self._keep = keep
        self._good: set[int] = set()
        self._alone: set[int] = set()
        self._new: list[tuple[bytes, tuple[Document, ...]]] = []
        self._held: list[tuple[Document, ...]] = []  # so that no identity is used twice

    def documents(self, data: bytes, path: str) -> tuple[Document, ...]:
        """The documents of a file.

        Raises:
            InvalidDesiredError: with everything that is wrong with it.
        """
        found = self._known(data, path)
        if found is None:
            found = documents.load(data, path)
            self._new.append((data, found))
        self._held.append(found)
        return found

    def is_good(self, document: Document) -> bool:
        """Whether it was found good before."""
        return id(document) in self._good

    def judged(self, document: Document, *, alone: bool) -> None:
        """A document was checked; `alone` when the verdict is about nothing else than itself."""
        if alone:
            self._alone.add(id(document))

    def finish(self) -> None:
        """Nothing is wrong with the commit: remember what was new in it."""
        if self._memory is None or not self._keep:
            return
        for data, found in self._new:
            good = [id(one) in self._alone for one in found]
            self._memory.put(self._scope, data, [cast("Json", documents.to_remember(found)), good])

    def _known(self, data: bytes, path: str) -> tuple[Document, ...] | None:
        entry = self._memory.get(self._scope, data) if self._memory is not None else None
        if entry is None:
            return None
        try:
            parts, good = cast("tuple[Sequence[Sequence[Value]], Sequence[object]]", entry)
            found = documents.recall(data, path, parts)
            self._good |= {id(one) for one, is_good in zip(found, good, strict=True) if is_good is True}
        except (ValueError, TypeError, IndexError, AttributeError):
            return None
        return found
