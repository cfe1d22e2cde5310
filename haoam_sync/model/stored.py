"""Files beside the configuration on an instance: their kinds, where they are stored, and how they are named.

What a file is called on an instance is made of its content, so that a new content never overwrites the one in use. In a
desired state a file stands as `@general_dir/STORAGE_NAME` (or `@maps_dir/`, `@ssl_certs_dir/`), since only the instance
knows the directory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from haoam_sync.model.json import Json, JsonObject, digest_bytes

HASH_DIGITS = 32
"""Hex digits of the SHA-256 in a storage name."""
_EARLIER_DIGITS = 12
"""In names that versions before 0.2 gave to certificates."""
UNRESOLVED = "unresolved"
"""Stands in a storage name for the digits of a content that is not known."""


class FileStore(StrEnum):
    """A storage of the Data Plane API, by its path element."""

    CERTIFICATES = "ssl_certificates"
    GENERAL = "general"
    MAPS = "maps"

    @property
    def placeholder(self) -> str:
        """Stands for its directory, with a trailing `/`."""
        return _PLACEHOLDERS[self]


_PLACEHOLDERS = {
    FileStore.CERTIFICATES: "@ssl_certs_dir/",
    FileStore.GENERAL: "@general_dir/",
    FileStore.MAPS: "@maps_dir/",
}
PLACEHOLDER = re.compile(r"@(?:ssl_certs|general|maps)_dir/")
"""Any of them. Documents may not hold one: they would name a file that nobody checked."""
_CRT_LIST = re.compile(r"(?<=\s)crt-list\s+(\S+)")
_TOKEN = re.compile(r"(@(?:ssl_certs|general|maps)_dir/)([A-Za-z0-9_.-]*)")


class FileKind(StrEnum):
    """Kinds of document that declare a file, by the word with which `metadata.external` names them."""

    CA_FILE = "ca-file"
    CRT_LIST = "crt-list"
    MAP = "map"
    FILE = "file"

    @property
    def document_kind(self) -> str:
        """Its `kind` in git."""
        return _DOCUMENTS[self]

    @property
    def store(self) -> FileStore:
        """Where its files are kept: a crt-list too lies with the general files, where a new one needs no reload."""
        return FileStore.MAPS if self is FileKind.MAP else FileStore.GENERAL


_DOCUMENTS = {
    FileKind.CA_FILE: "CAFile",
    FileKind.CRT_LIST: "CrtList",
    FileKind.MAP: "Map",
    FileKind.FILE: "File",
}
FILE_KINDS: Mapping[str, FileKind] = {kind.document_kind: kind for kind in FileKind}
"""By the `kind` of the document."""
_ENDS = {FileKind.CA_FILE: ("-ca", ".pem"), FileKind.CRT_LIST: ("-crtlist", ".txt"), FileKind.MAP: ("", ".map")}


@dataclass(frozen=True, slots=True, order=True)
class FileId:
    """A file as documents name it: `map/hosts`."""

    kind: FileKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}/{self.name}"

    def storage_name(self, content: bytes | None) -> str:
        """What the file is called on an instance; with `unresolved` for the digits when its content is not known."""
        stem, suffix = self._parts()
        digits = UNRESOLVED if content is None else digest_bytes(content).removeprefix("sha256:")[:HASH_DIGITS]
        return f"{stem}-{digits}{suffix}"

    def names(self, storage_name: str) -> bool:
        """Whether a file of this name holds some content of this document."""
        stem, suffix = self._parts()
        pattern = rf"{re.escape(stem)}-[0-9a-f]{{{HASH_DIGITS}}}{re.escape(suffix)}"
        return re.fullmatch(pattern, storage_name) is not None

    def _parts(self) -> tuple[str, str]:
        if self.kind is not FileKind.FILE:
            more, suffix = _ENDS[self.kind]
            return stem_of(self.name) + more, suffix
        stem, dot, suffix = self.name.rpartition(".")
        return (stem_of(stem), dot + suffix) if stem else (self.name, "")


@dataclass(frozen=True, slots=True)
class AdoptedFile:
    """A file that was on the instances before git declared it, and keeps its name as long as it keeps its content.

    Attributes:
        name: storage name.
        digest: of the content, `sha256:...`.
    """

    name: str
    digest: str


def stem_of(name: str) -> str:
    """A name as it can stand before the last dot: the server writes `_` for every other dot (measured)."""
    return name.replace(".", "_")


def certificate_names(name: str, storage_name: str) -> bool:
    """Whether a file of this name holds some content of the certificate `name`; names of earlier versions too."""
    digits = rf"(?:[0-9a-f]{{{HASH_DIGITS}}}|[0-9a-f]{{{_EARLIER_DIGITS}}})"
    return re.fullmatch(rf"(?:{re.escape(name)}|{re.escape(stem_of(name))})-{digits}\.pem", storage_name) is not None


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What the API tells of a certificate whose content cannot be read back.

    Attributes:
        serial: decimal.
        not_after: as `YYYY-MM-DDTHH:MM:SSZ`, "" when not told.
        size: bytes, None when not told.
    """

    serial: str
    not_after: str = ""
    size: int | None = None

    def contradicts(self, other: CertificateFacts) -> bool:
        """Whether the two cannot be about one file; what one of them does not tell contradicts nothing."""
        return (
            self.serial != other.serial
            or (bool(self.not_after and other.not_after) and self.not_after != other.not_after)
            or (None not in (self.size, other.size) and self.size != other.size)
        )


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """What an instance holds in one storage.

    Attributes:
        names: storage names, sorted.
        directory: with a trailing `/`; None while nothing lies there.
        contents: of those that were asked for.
    """

    names: tuple[str, ...] = ()
    directory: str | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class KnownFiles:
    """What the record of applies says of the files of an instance, by storage and storage name.

    Attributes:
        ours: stored by us and not deleted since: repaired when they hold something else, deleted when unused.
        found: wanted, and there before us: used, never written and never deleted.
    """

    ours: frozenset[tuple[FileStore, str]] = frozenset()
    found: frozenset[tuple[FileStore, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class FilesAsked:
    """What a snapshot is to say of the files of an instance, by storage name.

    Attributes:
        certificates: whose facts are read, where they are there.
        general: whose contents are read; the storage is listed when there is any name, or `listed` has it.
        maps: the same.
        listed: storages to be listed in any case.
        secret: of `general` and `maps`, those whose contents are secrets.
        lists: whether the contents of those crt-lists are read that the configuration names: what they name is in use.
    """

    certificates: frozenset[str] = frozenset()
    general: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()
    listed: frozenset[FileStore] = frozenset()
    secret: frozenset[str] = frozenset()
    lists: bool = False


NO_FILES = FilesAsked()


_PLAIN = frozenset({int, bool, float, type(None)})


def names_directory(value: Json) -> bool:
    """Whether a file stands in it whose directory only the instance knows."""
    if isinstance(value, str):
        return "@" in value and PLACEHOLDER.search(value) is not None
    if type(value) in _PLAIN:  # asking abstract classes takes far longer
        return False
    if type(value) is dict or isinstance(value, Mapping):
        for inner in value.values():
            kind = type(inner)
            if kind is str:  # a call of its own costs more than the work, ten thousand times
                if "@" in inner and PLACEHOLDER.search(inner) is not None:  # type: ignore[operator, arg-type]
                    return True
            elif kind not in _PLAIN and names_directory(inner):
                return True
        return False
    if isinstance(value, Sequence):
        return any(names_directory(inner) for inner in value)
    return False


def in_directories(body: JsonObject, directories: Mapping[FileStore, str]) -> JsonObject:
    """`body` with the instance's directories filled in, as far as they are known."""
    known = {store.placeholder: directory for store, directory in directories.items()}
    return substituted(body, lambda place, name: known.get(place, place) + name)


def renamed(body: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """`body` with each `@..._dir/NAME` that is a key of `names` replaced by its value."""
    return substituted(body, lambda place, name: names.get(place + name, place + name))


def text_renamed(text: str, names: Mapping[str, str]) -> str:
    """The same for one text."""
    return _TOKEN.sub(lambda found: names.get(found[0], found[0]), text)


def crt_lists(text: str, directory: str | None) -> tuple[tuple[str, ...], bool]:
    """The crt-lists that a part of haproxy.cfg names.

    Args:
        text: the part.
        directory: of the general files, with a trailing `/`; None when it is not known.

    Returns:
        Storage names of those that lie there, sorted; and whether there are others, which nobody here can read.
    """
    paths = {found[1].strip("\"'") for found in _CRT_LIST.finditer(text)}
    inside = {path.removeprefix(directory) for path in paths if directory is not None and path.startswith(directory)}
    return tuple(sorted(inside)), len(inside) < len(paths)


def text_in_directories(text: str, directories: Mapping[FileStore, str]) -> str:
    """One text with the instance's directories filled in."""
    for store, directory in directories.items():
        text = text.replace(store.placeholder, directory)
    return text


def substituted(body: JsonObject, change: Callable[[str, str], str]) -> JsonObject:
    """`body` with every `@..._dir/NAME` in texts and in names replaced; itself when it has none."""
    if not names_directory(body):
        return body

    def text(value: str) -> str:
        return _TOKEN.sub(lambda found: change(found[1], found[2]), value) if "@" in value else value

    def fill(value: Json) -> Json:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, Mapping):
            return {text(key): fill(inner) for key, inner in value.items()}
        if isinstance(value, Sequence):
            return [fill(inner) for inner in value]
        return value

    return {text(key): fill(inner) for key, inner in body.items()}
