"""Documents of access/: classes of changes that need no review."""

from __future__ import annotations

from haoam_sync.desired import explain, ignored
from haoam_sync.desired.envelope import SECTION_KINDS, Envelope
from haoam_sync.desired.problems import Problems, choice
from haoam_sync.desired.selection import select
from haoam_sync.documents import Document, Path
from haoam_sync.model.change_class import ChangeClass
from haoam_sync.model.documents.change_policy import ChangePolicyMetadata, ChangePolicySpec, MatchSpec
from haoam_sync.model.fleet import Fleet
from haoam_sync.model.section import SectionKind

_CAPACITY = 50
"""Percent that stays when the class says nothing."""


def read(outside: Envelope, fleet: Fleet | None, problems: Problems) -> tuple[ChangeClass, ...] | None:
    """The classes that a document names, or None, and what is wrong with it is noted."""
    document = outside.document
    metadata = explain.validate(ChangePolicyMetadata, outside.metadata, document, ("metadata",), problems)
    explain.no_nulls(document, outside.spec, ("spec",), problems)
    spec = explain.validate(ChangePolicySpec, outside.spec, document, ("spec",), problems)
    if metadata is None or not isinstance(spec, ChangePolicySpec):
        return None
    found = []
    for index, rule in enumerate(spec.rules):
        match, at = rule.match, ("spec", "rules", index, "match")
        kinds = _kinds(match, document, at, problems)
        for kind in kinds:
            ignored.check(kind, match.fields, document, problems, (*at, "fields"))
        clusters = select(match.clusters, fleet, document, problems, (*at, "clusters"))
        found.append(
            ChangeClass(
                id=rule.id,
                kinds=kinds,
                names=tuple(match.names or ()),
                clusters=frozenset(cluster.name for cluster in clusters),
                fields=tuple(match.fields),
                capacity_left=int(match.capacity_left[2:-1]) if match.capacity_left is not None else _CAPACITY,
            )
        )
    return tuple(found)


def _kinds(match: MatchSpec, document: Document, at: Path, problems: Problems) -> frozenset[SectionKind]:
    words = match.kinds or [SectionKind.BACKEND.document_kind]
    for index, word in enumerate(words):
        if word not in SECTION_KINDS:
            hint = choice(word, SECTION_KINDS)
            problems.value(document, (*at, "kinds", index), f"there is no kind of section `{word}`", hint)
    return frozenset(SECTION_KINDS[word] for word in words if word in SECTION_KINDS)
