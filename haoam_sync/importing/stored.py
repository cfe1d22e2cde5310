"""Files of an instance as documents that keep their names (rule I7)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from haoam_sync.importing import emitting
from haoam_sync.model.json import Json, digest_bytes
from haoam_sync.model.stored import FileId, FileKind

_LIST_LINE = re.compile(r"(\S+)(?: \[([^\[\]]+)\])?((?: [A-Za-z0-9*_.!-]+)*)")
"""A line of a crt-list in its plainest form; any other keeps the list out of git."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A file that is there, as a document will declare it.

    Attributes:
        id: kind and name of the document.
        storage_name: of the file on the instance.
        content: of the file.
    """

    id: FileId
    storage_name: str
    content: bytes = field(repr=False)


def list_entries(text: str) -> Sequence[Mapping[str, Json]] | None:
    """The entries of a crt-list, from which the document makes the same text again; None when it would not."""
    entries: list[Mapping[str, Json]] = []
    for line in text.removesuffix("\n").split("\n"):
        found = _LIST_LINE.fullmatch(line)
        if found is None or "/" not in found[1] or found[1].startswith("#"):
            return None
        entry: dict[str, Json] = {"certificate": found[1]}
        if found[2] is not None:
            if " ".join(found[2].split()) != found[2]:
                return None
            entry["options"] = found[2]
        if found[3]:
            entry["sni"] = list(found[3].split())
        entries.append(entry)
    return entries if text.endswith("\n") else None


def files(documents: Sequence[StoredDocument], cluster: str) -> Mapping[str, bytes]:
    """The documents, and the contents beside them, by path in the repository."""
    written: dict[str, bytes] = {}
    for one in documents:
        adopted = {"name": one.storage_name, "digest": digest_bytes(one.content)}
        metadata: dict[str, Json] = {"name": one.id.name, "clusters": [cluster], "adopted": adopted}
        entries = list_entries(one.content.decode()) if one.id.kind is FileKind.CRT_LIST else None
        if entries is not None:
            spec: dict[str, Json] = {"entries": [dict(entry) for entry in entries]}
        else:
            place = f"files/{cluster}/{one.storage_name}"
            written[place] = one.content
            spec = {"content_file": place}
        lines = (
            "apiVersion: haoam/v1",
            f"kind: {one.id.kind.document_kind}",
            "metadata:",
            *emitting.block(metadata, 2, {}),
            "spec:",
            *emitting.block(spec, 2, {}),
        )
        path = f"haproxy/{cluster}/{one.id.kind.value}-{one.id.name}.yaml"
        written[path] = "".join(f"{line}\n" for line in lines).encode()
    return written
