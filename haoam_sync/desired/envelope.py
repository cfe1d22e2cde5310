"""The envelope that every document has: apiVersion, kind, metadata, spec."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from haoam_sync.desired import explain
from haoam_sync.desired.problems import Problems, choice, did_you_mean
from haoam_sync.documents import Document, Value
from haoam_sync.model.section import MANAGED_KINDS, SectionKind
from haoam_sync.model.stored import FILE_KINDS

API_VERSION = "haoam/v1"
SECTION_KINDS: Mapping[str, SectionKind] = {kind.document_kind: kind for kind in MANAGED_KINDS}
"""Kinds of document that declare a section."""
CERTIFICATE = "Certificate"
CHANGE_POLICY = "ChangePolicy"
FLEET = "Fleet"
_HERE: Mapping[str, str] = {
    FLEET: "haoam.yaml",
    "TrustPolicy": "trust.yaml",
    "Role": "access/",
    "RoleBinding": "access/",
    "Grant": "access/",
    CHANGE_POLICY: "access/",
    "GroupSnapshot": "access/",
}
"""Kinds that have their place elsewhere than in haproxy/."""
_LATER = frozenset({kind.document_kind for kind in SectionKind} - set(SECTION_KINDS)) | {
    "Role",
    "RoleBinding",
    "Grant",
    "GroupSnapshot",
}
"""Kinds that are designed, and refused until they are built."""
_KEYS = ("apiVersion", "kind", "metadata", "spec")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A document whose outside is in order.

    Attributes:
        kind: of the document.
        metadata: as it stands.
        spec: as it stands.
        document: for positions.
    """

    kind: str
    metadata: dict[str, Value]
    spec: dict[str, Value]
    document: Document


def read(document: Document, kinds: Collection[str], problems: Problems) -> Envelope | None:
    """The parts of a document, or None, and what is wrong with it is noted.

    Args:
        document: to read.
        kinds: that may stand in its file.
        problems: where to note.
    """
    value = document.value
    if not isinstance(value, dict):
        problems.value(document, (), f"expected a document with {', '.join(_KEYS)}")
        return None
    for key in value:
        if key not in _KEYS:
            problems.key(document, (key,), f"unknown field `{key}`", did_you_mean(key, _KEYS))
    if not _version_is_ours(document, value, problems):
        return None
    kind = _kind(document, value, kinds, problems)
    metadata, spec = (_object(document, value, key, problems) for key in ("metadata", "spec"))
    if kind is None or metadata is None or spec is None:
        return None
    explain.no_nulls(document, metadata, ("metadata",), problems)
    return Envelope(kind, metadata, spec, document)


def _version_is_ours(document: Document, value: dict[str, Value], problems: Problems) -> bool:
    version = value.get("apiVersion")
    if version == API_VERSION:
        return True
    if version is None:
        problems.key(document, (), "field `apiVersion` is missing", f"write apiVersion: {API_VERSION}")
    else:
        problems.value(document, ("apiVersion",), f"unknown apiVersion `{version}`", f"write {API_VERSION}")
    return False


def _kind(document: Document, value: dict[str, Value], kinds: Collection[str], problems: Problems) -> str | None:
    kind = value.get("kind")
    if kind is None:
        problems.key(document, (), "field `kind` is missing", f"known: {', '.join(sorted(kinds))}")
    elif not isinstance(kind, str):
        problems.value(document, ("kind",), "kind: expected text", f"known: {', '.join(sorted(kinds))}")
    elif kind in kinds:
        return kind
    elif kind in _LATER:
        problems.value(document, ("kind",), f"kind `{kind}` is not supported yet by this version", "take it out of git")
    elif kind in _HERE:
        problems.value(document, ("kind",), f"kind `{kind}` does not belong in this file", f"move it to {_HERE[kind]}")
    elif kind in SECTION_KINDS or kind in FILE_KINDS or kind == CERTIFICATE:
        problems.value(document, ("kind",), f"kind `{kind}` does not belong in this file", "move it to haproxy/")
    else:
        known = {*kinds, *_LATER} if len(kinds) > 1 else kinds
        problems.value(document, ("kind",), f"unknown kind `{kind}`", choice(kind, known))
    return None


def _object(document: Document, value: dict[str, Value], key: str, problems: Problems) -> dict[str, Value] | None:
    found = value.get(key)
    if isinstance(found, dict):
        return found
    if key not in value:
        problems.key(document, (), f"field `{key}` is missing")
    elif found is None:
        problems.key(document, (key,), f"`{key}` is empty", "write {} where nothing is to be said")
    else:
        problems.value(document, (key,), f"{key}: expected an object")
    return None
