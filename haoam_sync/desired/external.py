"""`metadata.external`: what a document refers to though git does not declare it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haoam_sync.desired.problems import Problems, choice
from haoam_sync.documents import Document, Path
from haoam_sync.model.section import SectionKind
from haoam_sync.model.stored import FileKind

CERTIFICATE = "certificate"
_SECTIONS = frozenset(kind.value for kind in SectionKind if kind is not SectionKind.GLOBAL)
_KINDS = _SECTIONS | {CERTIFICATE} | {kind.value for kind in FileKind}


@dataclass(frozen=True, slots=True)
class External:
    """Something that is there though git does not declare it.

    Attributes:
        kind: haproxy.cfg's keyword of the section, `certificate`, or a kind of file (`ca-file`, `crt-list`, `map`,
            `file`).
        name: its name.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def read(entries: Sequence[str], document: Document, problems: Problems) -> frozenset[External]:
    """The entries as values; what is wrong with one is noted."""
    found = set()
    for index, entry in enumerate(entries):
        path: Path = ("metadata", "external", index)
        kind, slash, name = entry.partition("/")
        if not slash or not name:
            problems.value(document, path, f"`{entry}` names nothing", "write KIND/NAME, such as backend/legacy")
        elif kind not in _KINDS:
            problems.value(document, path, f"`{entry}`: unknown kind `{kind}`", choice(kind.lower(), _KINDS))
        else:
            found.add(External(kind, name))
    return frozenset(found)
