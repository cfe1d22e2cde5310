"""Documents that were read and checked before, so that a load reads only what is new."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol, cast

from haoam_sync import documents
from haoam_sync.desired import declaration
from haoam_sync.desired.links import Links
from haoam_sync.desired.sections import Fixed, Good
from haoam_sync.documents import Document, Value
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import Json

_LOADS = 8
"""What so many loads of commits in a row used is kept."""


class Memory(Protocol):
    """What is remembered of blobs; `haoam_sync.remembered` is one."""

    def get(self, scope: str, content: bytes) -> Json:
        """What `content` was read to; None when that is not known."""

    def put(self, scope: str, content: bytes, entry: Json) -> None:
        """Remember what `content` was read to."""


class Made:
    """What one run made of files that hold nothing but sections which are the same everywhere, whichever commit it was.

    Found by path, content and version of the API: by all that it is made of, and that its messages name.
    """

    def __init__(self) -> None:
        self._made = deque[dict[tuple[str, str, bytes], tuple[Fixed, ...]]]([{}], maxlen=_LOADS)

    def begin(self) -> None:
        """Another commit is loaded: what none of the last ones held is forgotten, as history is long."""
        self._made.appendleft({})

    def get(self, api: ApiVersion, path: str, content: bytes) -> tuple[Fixed, ...] | None:
        """What the file was made to; None when that is not known."""
        key = str(api), path, content
        for made in self._made:
            found = made.pop(key, None)
            if found is not None:
                self._made[0][key] = found
                return found
        return None

    def put(self, api: ApiVersion, path: str, content: bytes, made: tuple[Fixed, ...]) -> None:
        """Keep what a file was made to."""
        self._made[0][str(api), path, content] = made


class Recall:
    """The documents of one commit, from memory where it has them.

    An entry of the memory holds the values of a file's documents, where they begin, and for each in which nothing was
    wrong and stands no variable and no secret, the digest of its section and what it refers to. All the rest
    (selectors, whether what is referred to is there) is looked at in every load.

    Args:
        memory: what is remembered; None to read everything.
        api: version of the API whose fields may be used; part of every verdict.
        keep: whether what is read may be put into the memory: not of a commit that is only proposed.
    """

    def __init__(self, memory: Memory | None, api: ApiVersion, *, keep: bool) -> None:
        self._memory = memory
        self._scope = str(api)
        self._keep = keep
        self._good: dict[int, Good] = {}
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

    def has(self, data: bytes) -> bool:
        """Whether a file need not be read for the sake of what is remembered; what is, is in use."""
        return self._memory is None or not self._keep or self._memory.get(self._scope, data) is not None

    def good(self, document: Document) -> Good | None:
        """What a document declares, when it was found good."""
        return self._good.get(id(document))

    def judged(self, document: Document, good: Good) -> None:
        """A document was checked, and declares this."""
        self._good[id(document)] = good

    def finish(self) -> None:
        """Nothing is wrong with the commit: remember what was new in it."""
        if self._memory is None or not self._keep:
            return
        for data, found in self._new:
            facts = [self._facts(one) for one in found]
            self._memory.put(self._scope, data, [cast("Json", documents.to_remember(found)), facts])

    def _facts(self, document: Document) -> Json:
        good = self._good.get(id(document))
        return None if good is None else [good.digest, good.canonical, good.links.to_json()]

    def _known(self, data: bytes, path: str) -> tuple[Document, ...] | None:
        entry = self._memory.get(self._scope, data) if self._memory is not None else None
        if entry is None:
            return None
        try:
            parts, facts = cast("tuple[Sequence[Sequence[Value]], Sequence[tuple[str, bool, Json] | None]]", entry)
            found = documents.recall(data, path, parts)
            good = {}
            for document, known in zip(found, facts, strict=True):
                if known is not None:
                    digest, canonical, links = known
                    good[id(document)] = Good.of(
                        declaration.again(document), Links.from_json(links), digest, canonical=canonical is True
                    )
        except (ValueError, TypeError, LookupError, AttributeError):
            return None
        self._good |= good
        return found
