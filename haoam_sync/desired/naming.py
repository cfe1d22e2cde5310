"""Which files of a commit its documents name: whoever may change such a file changes what the document says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

Named = Mapping[str, frozenset[str]]
"""Paths of files, each with the paths of the documents that name it."""

FLEET_FILE = "haoam.yaml"
FOLDERS = ("haproxy/", "access/")
"""Where every file is a document."""


class Reads:
    """The files of a commit; what a document asks for is noted as named by it, whichever field it stands in.

    Args:
        blobs: the files, by path.
    """

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs = blobs
        self._named: dict[str, set[str]] = {}

    def of(self, document: str) -> Mapping[str, bytes]:
        """The files, as the document at this path reads them."""
        return _Reader(self._blobs, document, self._named)

    @property
    def named(self) -> Named:
        """What was asked for so far, the documents' own texts aside."""
        return {path: frozenset(documents) for path, documents in sorted(self._named.items())}


class _Reader(Mapping[str, bytes]):
    def __init__(self, blobs: Mapping[str, bytes], document: str, named: dict[str, set[str]]) -> None:
        self._blobs = blobs
        self._document = document
        self._named = named

    def __getitem__(self, path: str) -> bytes:
        if path != self._document:
            self._named.setdefault(path, set()).add(self._document)
        return self._blobs[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._blobs)

    def __len__(self) -> int:
        return len(self._blobs)


def is_document(path: str) -> bool:
    """Whether a file is a document itself, and says what it says by its own text."""
    return path == FLEET_FILE or path.startswith(FOLDERS)


def named_by_any(paths: Iterable[str]) -> Named:
    """What can be said of a commit whose documents cannot be read: each file may be named by every one of them."""
    files = frozenset(paths)
    documents = frozenset(filter(is_document, files))
    return dict.fromkeys(sorted(files - documents), documents)
