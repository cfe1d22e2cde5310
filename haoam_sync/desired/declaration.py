"""A document that declares a section: read once, however many instances it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from haoam_sync.desired import explain, external, ignored, scan, secret_text
from haoam_sync.desired.envelope import SECTION_KINDS, Envelope
from haoam_sync.desired.external import External
from haoam_sync.desired.paths import dotted, put_in
from haoam_sync.desired.problems import Problems
from haoam_sync.desired.scan import SPEC, Findings
from haoam_sync.desired.variables import Reference
from haoam_sync.documents import Document, Path, Value
from haoam_sync.model.documents.metadata import GlobalMetadata, SectionMetadata
from haoam_sync.model.documents.values import Selector
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.secret import SECRET_FIELDS, secret_paths
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.sections import section_model
from haoam_sync.model.sections.structure import OWN_NAME, Shape, fields


@dataclass(frozen=True, slots=True)
class Declaration:
    """One document that declares a section.

    Attributes:
        id: of the section.
        document: for positions.
        selector: of the clusters that it is for; None for all.
        template: the body as the API wants it, names filled in; variables and texts of secret references stand in it.
        variables: references in it.
        secrets: paths in it at which the text of a secret reference stands.
        protected: deleting the section needs its own reviewed change first.
        ignore: dotted paths that somebody else owns.
        external: what it refers to and git does not declare.
    """

    id: SectionId
    document: Document
    selector: Selector | None
    template: JsonObject
    variables: tuple[Reference, ...]
    secrets: tuple[Path, ...]
    protected: bool
    ignore: tuple[str, ...]
    external: frozenset[External]


def read(outside: Envelope, problems: Problems) -> Declaration | None:
    """The section that a document declares, or None, and what is wrong with it is noted."""
    kind, document = SECTION_KINDS[outside.kind], outside.document
    model = GlobalMetadata if kind is SectionKind.GLOBAL else SectionMetadata
    metadata = explain.validate(model, outside.metadata, document, ("metadata",), problems)
    named = named_children(kind)
    findings = scan.scan(document, outside.spec, named, problems)
    _names_said_again(outside, named, problems)
    template = _with_names(outside.spec, named)
    secrets = _check_secrets(kind, outside, findings, template, problems)
    if not isinstance(metadata, SectionMetadata):
        return None
    name = "" if kind is SectionKind.GLOBAL else metadata.name
    if name:
        _repeated(document, outside.spec, (*SPEC, "name"), "metadata.name", name, problems)
        template = {"name": name, **template}
    return Declaration(
        id=SectionId(kind, name),
        document=document,
        selector=metadata.clusters,
        template=template,
        variables=tuple(findings.variables),
        secrets=secrets,
        protected=bool(metadata.protected),
        ignore=ignored.check(kind, metadata.ignore or [], document, problems),
        external=external.read(metadata.external or [], document, problems),
    )


def again(document: Document) -> Declaration:
    """The same of a document that was found good before, in which stands no variable and no secret.

    Raises:
        KeyError, TypeError, AttributeError: it is none.
    """
    value = cast("Mapping[str, Mapping[str, Json]]", document.value)
    kind = SECTION_KINDS[str(value["kind"])]
    metadata = value["metadata"]
    template = _with_names(value["spec"], named_children(kind))
    name = "" if kind is SectionKind.GLOBAL else str(metadata["name"])
    if name:
        template = {"name": name, **template}
    entries = cast("Sequence[str]", metadata.get("external", ()))
    return Declaration(
        id=SectionId(kind, name),
        document=document,
        selector=cast("Selector | None", metadata.get("clusters")),
        template=template,
        variables=(),
        secrets=(),
        protected=bool(metadata.get("protected")),
        ignore=tuple(cast("Sequence[str]", metadata.get("ignore", ()))),
        external=external.read(entries, document, Problems()) if entries else frozenset(),
    )


@cache
def named_children(kind: SectionKind) -> tuple[str, ...]:
    """The fields of a section in which objects stand by name."""
    return tuple(
        name for name, field in fields(section_model(kind)).items() if field.shape is Shape.NAMED and field.model
    )


def _with_names(spec: Mapping[str, Json], named: tuple[str, ...]) -> dict[str, Json]:
    """A spec, its named children told their names: the key is the name, and the only place to say it."""
    template: dict[str, Json] = dict(spec)
    for field in named:
        children = spec.get(field)
        if isinstance(children, dict):
            own = OWN_NAME.get(field, "name")
            template[field] = {
                key: {**child, own: key} if isinstance(child, dict) else child for key, child in children.items()
            }
    return template


def _names_said_again(outside: Envelope, named: tuple[str, ...], problems: Problems) -> None:
    for field in named:
        children, own = outside.spec.get(field), OWN_NAME.get(field, "name")
        for key, child in children.items() if isinstance(children, dict) else ():
            if isinstance(child, dict):
                _repeated(outside.document, child, (*SPEC, field, key, own), "the key", key, problems)


def _repeated(
    document: Document, owner: Mapping[str, Value], path: Path, source: str, name: str, problems: Problems
) -> None:
    field = str(path[-1])
    if field in owner:
        same = "a second time" if owner[field] == name else f"as `{owner[field]}`"
        problems.key(document, path, f"{source} says the name, `{name}`; here it is said {same}", f"delete `{field}`")


def _check_secrets(
    kind: SectionKind, outside: Envelope, findings: Findings, template: dict[str, Json], problems: Problems
) -> tuple[Path, ...]:
    """A secret-typed field holds a reference, and nothing else does. In the template its text stands for the secret."""
    allowed = set(secret_paths(kind, outside.spec))
    for path, text in findings.secrets.items():
        at = (*SPEC, *path)
        if path not in allowed:
            known = ", ".join(SECRET_FIELDS.get(kind, ())) or "none"
            message = f"{dotted(at)} is no secret field of {outside.kind}"
            hint = f"secret fields: {known}"
            problems.value(outside.document, at, message, hint, code="E_SECRET_REFERENCE")
        elif (refusal := secret_text.refusal(text)) is not None:
            problems.value(outside.document, (*at, "secret"), f"{dotted(at)}.secret: {refusal}", secret_text.HINT)
        template.update(put_in(template, path, text) if path else {})
    for path in allowed - set(findings.secrets):
        at = (*SPEC, *path)
        message = f"{dotted(at)} is secret: its value may not stand in git"
        problems.value(outside.document, at, message, secret_text.LITERAL_HINT)
        template.update(put_in(template, path, "refused"))
    return tuple(path for path in findings.secrets if path in allowed)
