"""From a declaration to the section of each instance: variables filled in, every field checked, secrets left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from haoam_sync import haproxycfg
from haoam_sync.desired import explain, file_references, scan, secret_text, variables
from haoam_sync.desired.declaration import Declaration
from haoam_sync.desired.file_references import FileReference
from haoam_sync.desired.links import Links
from haoam_sync.desired.paths import at, dotted, put_in, undotted
from haoam_sync.desired.problems import Problems
from haoam_sync.desired.scan import SPEC
from haoam_sync.desired.variables import Reference, Scope
from haoam_sync.documents import Path
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.desired import CERTIFICATE_DIR, DesiredCertificate, DesiredFile, DesiredSection
from haoam_sync.model.json import Json, JsonObject, digest
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference, SecretUse, secret_field
from haoam_sync.model.sections import fields_missing_in, section_model
from haoam_sync.model.stored import FileId, names_directory


@dataclass(frozen=True, slots=True)
class Held:
    """The files of an instance, by the names of their documents."""

    certificates: Mapping[str, DesiredCertificate]
    files: Mapping[FileId, DesiredFile]

    def of(self, reference: FileReference) -> DesiredFile | None:
        """The file that a reference means; None when it is not declared."""
        found = self.files.get(FileId(reference.kind, reference.name))
        if found is None and reference.or_kind is not None:
            found = self.files.get(FileId(reference.or_kind, reference.name))
        return found


@dataclass(frozen=True, slots=True)
class Declared:
    """A section of one instance, the document that declares it, and what it refers to."""

    section: DesiredSection
    declaration: Declaration
    links: Links


class OfDeclaration(Protocol):
    """The sections of one declaration, one for each instance; those of several may be the same."""

    @property
    def declaration(self) -> Declaration:
        """What declares them."""

    @property
    def per_instance(self) -> bool:
        """Whether the instances of one cluster may get different ones."""

    def section(self, scope: Scope, held: Held) -> Declared | None:
        """What one instance gets, or None, and what is wrong with it is noted.

        Args:
            scope: cluster and instance.
            held: the files of the instance.
        """


@dataclass(frozen=True, slots=True)
class Fixed:
    """The section of a good declaration that names no file: always the same one."""

    declared: Declared

    @property
    def declaration(self) -> Declaration:
        """What declares it."""
        return self.declared.declaration

    @property
    def per_instance(self) -> bool:
        """It is the same for all."""
        return False

    def section(self, scope: Scope, held: Held) -> Declared:  # noqa: ARG002  # it is the same for all
        """What every instance gets."""
        return self.declared


@dataclass(frozen=True, slots=True)
class Good:
    """A declaration in which nothing is wrong, for whichever cluster: no variable and no secret stands in it.

    Attributes:
        declaration: itself.
        links: what it refers to.
        fixed: its section; None when it names files, whose contents are part of what the section is.
    """

    declaration: Declaration
    links: Links
    fixed: Fixed | None

    @classmethod
    def of(cls, declaration: Declaration, links: Links, digest: str, *, canonical: bool) -> Good:
        """One that was checked.

        Args:
            declaration: itself.
            links: what it refers to.
            digest: of its section, "" when it names files.
            canonical: whether what stands in the document is its canonical form for the newest version of the API.
        """
        if not digest:
            return cls(declaration, links, None)
        section = _section(declaration, declaration.template, digest)
        if canonical:
            section.forms[NEWEST] = section.body
        return cls(declaration, links, Fixed(Declared(section, declaration, links)))

    @property
    def digest(self) -> str:
        """Of its section; "" when it names files."""
        return self.fixed.declared.section.digest if self.fixed is not None else ""

    @property
    def canonical(self) -> bool:
        """Whether its section is known to be in canonical form."""
        section = self.fixed.declared.section if self.fixed is not None else None
        return section is not None and section.forms.get(NEWEST) is section.body


class Sections:
    """The sections of a declaration as its document says them: variables filled in, every body checked once.

    What is equal for several instances is made once, and shared.

    Args:
        declaration: read from its document.
        api: version of the API whose fields may be used.
        problems: where to note what is wrong.
        good: what was found before of the same document.
    """

    def __init__(self, declaration: Declaration, api: ApiVersion, problems: Problems, good: Good | None = None) -> None:
        self.declaration = declaration
        self._api = api
        self._problems = problems
        self._said: set[Position] = set()
        self._bodies: dict[tuple[tuple[type, Json], ...], JsonObject | None] = {}
        self._links: dict[int, Links] = {}
        self._made: dict[tuple[int, str, tuple[str, ...]], Declared] = {}
        if good is not None:
            self._bodies[()] = declaration.template
            self._links[id(declaration.template)] = good.links

    def section(self, scope: Scope, held: Held) -> Declared | None:
        """What one instance gets, or None, and what is wrong with it is noted."""
        body = self._body(scope)
        if body is None:
            return None
        links = self._links_of(body)
        known = held.certificates
        named = _Named(
            {path: known[name] for path, name in links.certificates.items() if name in known},
            {name: known[name] for name in links.loads if name in known},
            {found: file for found in links.files if (file := held.of(found)) is not None},
        )
        cluster = scope.cluster.name if self.declaration.secrets else ""
        key = (id(body), cluster, named.storage_names)
        if key not in self._made:
            made = self._make(body, scope, named)
            if made is None:
                return None
            self._made[key] = Declared(made, self.declaration, links)
        return self._made[key]

    @property
    def per_instance(self) -> bool:
        """Whether the instances of one cluster may get different ones."""
        return any(reference.scope == "instance" for reference in self.declaration.variables)

    def check(self) -> Good | None:
        """Check what needs no cluster: everything, where no variable stands in it.

        Returns:
            The verdict, when it is good and holds wherever the same document stands.
        """
        declaration = self.declaration
        if declaration.variables:
            return None
        body = declaration.template
        back = self._checked(body)
        self._bodies[()] = body if back is not None else None
        if back is None or declaration.secrets:
            return None
        links = self._links_of(body)
        canonical = self._api == NEWEST and back == body
        return Good.of(declaration, links, "" if links.name_files else digest(body), canonical=canonical)

    def _links_of(self, body: JsonObject) -> Links:
        """What one of the bodies refers to."""
        links = self._links.get(id(body))
        if links is None:
            links = self._links[id(body)] = Links.of(self.declaration.id.kind, body)
        return links

    def _body(self, scope: Scope) -> JsonObject | None:
        """The body with its variables filled in; checked when it is seen for the first time."""
        declaration = self.declaration
        values: list[tuple[type, Json]] = []
        for reference in declaration.variables:
            value = self._value(reference, scope)
            values.append((type(value), value))
        if None in (value for _, value in values):
            return None
        key = tuple(values)
        if key not in self._bodies:
            filled = variables.fill(declaration.template, scope) if declaration.variables else declaration.template
            good = isinstance(filled, Mapping) and self._checked(filled) is not None and self._of_documents(filled)
            self._bodies[key] = filled if isinstance(filled, Mapping) and good else None
        return self._bodies[key]

    def _of_documents(self, body: JsonObject) -> bool:
        """Whether variables brought nothing in that a document could not say."""
        if not self.declaration.variables or not names_directory(body):
            return True
        self._problems.value(self.declaration.document, SPEC, f"with its variables {scan.PLACEHOLDER_PROBLEM}")
        return False

    def _checked(self, body: JsonObject) -> JsonObject | None:
        """What the server will have, when a body is in order.

        A place that is wrong for a hundred clusters is told once, by its first value.
        """
        found = Problems()
        back = _Check(self.declaration, self._api, found).good(body)
        self._problems.take_new(found, self._said)
        return back

    def _value(self, reference: Reference, scope: Scope) -> str | int | bool | None:
        unknown = scope.unknown(reference)
        if unknown is not None:
            self._problems.value(self.declaration.document, reference.path, *unknown)
            return None
        return scope.value(reference.scope, reference.group, reference.key)

    def _make(self, body: JsonObject, scope: Scope, named: _Named) -> DesiredSection | None:
        declaration = self.declaration
        kind = declaration.id.kind
        uses = []
        meaning = body
        for path in declaration.secrets:
            text = str(at(body, path))
            refusal = secret_text.refusal(text)
            if refusal is not None:
                place = (*SPEC, *path, "secret")
                self._problems.value(declaration.document, place, f"{dotted(place)}: {refusal}", secret_text.HINT)
                return None
            reference = SecretReference.parse(text)
            uses.append(SecretUse(reference, kind.document_kind, secret_field(kind, path), scope.cluster.name, path))
            meaning = put_in(meaning, path, {"secret": text})
        meaning = named.put(meaning, CERTIFICATE_DIR + "{0.name}", "{0.id.kind.store.placeholder}{0.id.name}")
        finished = named.put(body, "{0.path}", "{0.path}")
        return _section(declaration, finished, digest(meaning), tuple(uses))


def _section(
    declaration: Declaration,
    body: JsonObject,
    digest: str,
    uses: tuple[SecretUse, ...] = (),
) -> DesiredSection:
    return DesiredSection(
        id=declaration.id,
        body=body,
        position=declaration.document.position(),
        digest=digest,
        protected=declaration.protected,
        ignore=declaration.ignore,
        secrets=uses,
        resolved=not uses,
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """The declared files that one body refers to, by the places where it does."""

    certificates: Mapping[Path, DesiredCertificate]
    loads: Mapping[str, DesiredCertificate]
    files: Mapping[FileReference, DesiredFile]

    @property
    def storage_names(self) -> tuple[str, ...]:
        certificates = (one.storage_name for held in (self.certificates, self.loads) for one in held.values())
        return (*certificates, *(one.storage_name for one in self.files.values()))

    def put(self, body: JsonObject, certificate: str, file: str) -> JsonObject:
        """`body` with each reference replaced; the two formats say by what."""
        if self.files:
            body = file_references.with_paths(
                body, lambda found: file.format(self.files[found]) if found in self.files else None
            )
        for path, one in self.certificates.items():
            body = put_in(body, path, certificate.format(one))
        return file_references.with_loads(body, {name: certificate.format(one) for name, one in self.loads.items()})


class _Check:
    """One body of a declaration, field by field."""

    def __init__(self, declaration: Declaration, api: ApiVersion, problems: Problems) -> None:
        self._declaration = declaration
        self._api = api
        self._problems = problems

    def good(self, body: JsonObject) -> JsonObject | None:
        """The canonical form, when every field is known, and the server would take all of it and have it afterwards."""
        kind, document = self._declaration.id.kind, self._declaration.document
        if explain.validate(section_model(kind), body, document, SPEC, self._problems) is None:
            return None
        missing = fields_missing_in(kind, body, self._api)
        for path in missing:
            field, _, value = path.partition("=")
            lacks = f"knows no `{value}` for" if value else "has no"
            self._note(body, field, f"API {self._api} {lacks} {{}}", "take it out")
        refusals = haproxycfg.refused(kind, body, self._api)
        for refusal in refusals:
            self._note(body, refusal.path, f"{{}}: {refusal.message}", "")
        if missing or refusals:
            return None
        back = haproxycfg.canonical(kind, body, self._api)
        losses = [
            loss
            for loss in haproxycfg.lost(kind, body, self._api, back=back)
            if not self._judged_elsewhere(body, loss.path)
        ]
        for loss in losses:
            hint = f"write {loss.instead}" if loss.instead else "take it out"
            self._note(body, loss.path, f"{{}} would be lost: {loss.reason}", hint)
        return back if not losses else None

    def _judged_elsewhere(self, body: JsonObject, path: str) -> bool:
        """Whether what stands there is a reference to a secret, or a text refused for its characters."""
        steps = undotted(body, path)
        value = at(body, steps)
        return steps in self._declaration.secrets or (isinstance(value, str) and not value.isprintable())

    def _note(self, body: JsonObject, path: str, message: str, hint: str) -> None:
        """Note a problem with what stands at a dotted path of the body; `{}` in the message is where that is in git."""
        place = (*SPEC, *undotted(body, path))
        self._problems.value(self._declaration.document, place, message.replace("{}", dotted(place), 1), hint)
