"""Which files of an instance an import takes into git, and which it leaves where they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from haoam_sync import importing
from haoam_sync.dataplane import Client
from haoam_sync.desired import file_references, references, stored_files
from haoam_sync.desired.file_references import FileReference
from haoam_sync.importing import Reading, StoredDocument
from haoam_sync.model.json import JsonObject
from haoam_sync.model.live import Live
from haoam_sync.model.stored import FileId, FileKind, FileStore, StoredFiles

_ENDS = {FileKind.MAP: ".map", FileKind.CA_FILE: ".pem", FileKind.CRT_LIST: ".txt", FileKind.FILE: ""}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST = 63


@dataclass(frozen=True, slots=True)
class Taken:
    """What becomes of the files that sections name by their paths.

    Attributes:
        reading: the same with the names of documents in place of the paths of files that are taken.
        documents: for those.
        warnings: about the others, each by name.
    """

    reading: Reading
    documents: tuple[StoredDocument, ...]
    warnings: tuple[str, ...]


def with_contents(client: Client, found: Live) -> Live:
    """A snapshot in which the files are that haproxy.cfg names, as far as the API returns contents."""
    files = {}
    for store, stored in found.files.items():
        named = [name for name in stored.names if f"{stored.directory}{name}" in found.text]
        files[store] = replace(stored, contents={name: client.content(store, name) for name in named})
    return replace(found, files=files)


def left(reading: Reading) -> tuple[str, ...]:
    """What to say when no file can be read, since a haproxy.cfg is all there is."""
    paths = sorted({path for one in reading.candidates for path in (*_paths(one.body), *_certificates(one.body))})
    if not paths:
        return ()
    return (f"not read, and named by their paths as before: {', '.join(paths)}",)


def take(reading: Reading, found: Live) -> Taken:
    """Sort the files that sections name by their paths."""
    uses: dict[str, list[FileReference]] = {}
    for one in reading.candidates:
        for reference in file_references.paths(one.body):
            uses.setdefault(reference.name, []).append(reference)
    there = {
        f"{stored.directory}{name}": (store, name) for store, stored in found.files.items() for name in stored.names
    }
    documents: dict[str, StoredDocument] = {}
    warnings = []
    given: set[str] = set()
    for path, references_to in sorted(uses.items()):
        if path not in there:
            warnings.append(f"{path} is in no storage of the API: it stays named by its path")
            continue
        store, name = there[path]
        document = _document(store, name, references_to, found, given)
        if isinstance(document, str):
            warnings.append(f"{path}: {document}: it stays named by its path")
        else:
            documents[path] = document
    certificates = sorted({path for one in reading.candidates for path in _certificates(one.body)})
    warnings += [
        f"{path}: the API does not return the contents of certificates: it stays named by its path; a Certificate "
        "document can take its place"
        for path in certificates
    ]

    def name_of(reference: FileReference) -> str | None:
        document = documents.get(reference.name)
        return document.id.name if document is not None else None

    candidates = tuple(
        replace(one, body=file_references.with_names(one.body, name_of)) if documents else one
        for one in reading.candidates
    )
    return Taken(replace(reading, candidates=candidates), tuple(documents.values()), tuple(warnings))


def _document(
    store: FileStore, name: str, uses: Iterable[FileReference], found: Live, given: set[str]
) -> StoredDocument | str:
    """The document for a file, or why there is none."""
    kinds = [{one.kind, one.or_kind} - {None} for one in uses]
    common = [kind for kind in FileKind if kind.store is store and all(kind in one for one in kinds)]
    content = found.files.get(store, StoredFiles()).contents.get(name)
    if len(common) != 1:
        return f"a file of the storage {store} is no such file for every section that names it"
    if content is None:
        return "its content was not told"
    kind = common[0]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    problem = stored_files.problem_of(kind, text)
    if problem is not None:
        return problem
    if kind is FileKind.CRT_LIST and importing.list_entries(text) is None:
        return "it has comments, or lines that a CrtList would write otherwise"
    return StoredDocument(FileId(kind, _name(name.removesuffix(_ENDS[kind]), given)), name, content)


def _name(stem: str, given: set[str]) -> str:
    """A name that a document may have, given once."""
    plain = _NOT_IN_NAMES.sub("_", stem).lstrip("_.-")[:_LONGEST] or "file"
    found, number = plain.replace("..", "__"), 1
    while found.lower() in given:
        number += 1
        found = f"{plain[: _LONGEST - 5]}-{number}"
    given.add(found.lower())
    return found


def _paths(body: JsonObject) -> Iterator[str]:
    return (one.name for one in file_references.paths(body))


def _certificates(body: JsonObject) -> Iterator[str]:
    return (name for _, name in references.certificate_fields(body) if name.startswith("/"))
