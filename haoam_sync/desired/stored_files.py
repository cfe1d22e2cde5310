"""Documents of kinds `CAFile`, `CrtList`, `Map`, `File`: which file each instance gets, and under which name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from haoam_sync.desired import explain, external, scan, secret_text, variables
from haoam_sync.desired.envelope import Envelope
from haoam_sync.desired.external import CERTIFICATE, External
from haoam_sync.desired.problems import Problems
from haoam_sync.desired.selection import select
from haoam_sync.desired.variables import Reference, Scope
from haoam_sync.documents import Document, Path
from haoam_sync.model.desired import DesiredFile
from haoam_sync.model.documents.file import CAFileSpec, CrtListEntry, CrtListSpec, FileMetadata, FileSpec, MapSpec
from haoam_sync.model.documents.values import SecretObject
from haoam_sync.model.files import MOST_BYTES
from haoam_sync.model.fleet import Cluster, Fleet
from haoam_sync.model.json import digest, digest_bytes
from haoam_sync.model.secret import SecretReference
from haoam_sync.model.stored import (
    FILE_KINDS,
    PLACEHOLDER,
    UNRESOLVED,
    AdoptedFile,
    FileId,
    FileKind,
    FileStore,
    text_renamed,
)

SECRET_FIELD = "content"  # noqa: S105 - the name of a field
"""The one secret-typed field of these documents, as `SecretUse.field` names it."""
_MODELS: Mapping[FileKind, type[FileSpec | CrtListSpec]] = {
    FileKind.CA_FILE: CAFileSpec,
    FileKind.CRT_LIST: CrtListSpec,
    FileKind.MAP: MapSpec,
    FileKind.FILE: FileSpec,
}
_AUTHORITY = re.compile(r"-----BEGIN (CERTIFICATE|X509 CRL)-----[A-Za-z0-9+/=\s]+-----END \1-----")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FILE_OPTIONS = frozenset({"ca-file", "ca-verify-file", "crl-file"})
"""Options of a line of a crt-list after which a file stands."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PATH: Path = ("metadata", "name")


@dataclass(frozen=True, slots=True)
class FileDeclaration:
    """One document that declares a file.

    Attributes:
        id: kind and name.
        document: for positions.
        clusters: that get it.
        text: the content; variables may stand in it. None for a secret. Of a crt-list, files by their documents' names.
        field: where the text stands in the document.
        reference: text of the secret reference; variables may stand in it. None when the text stands in git.
        names: files that a crt-list names, with the place where it does. One that git does not declare stays as it is
            written: HAProxy looks for it below its `crt-base` or `ca-base`.
        external: those of them that git does not declare.
        variables: references in `text` or `reference`.
        adopted: the file that it was before git declared it.
    """

    id: FileId
    document: Document
    clusters: tuple[Cluster, ...]
    text: str | None
    field: Path
    reference: str | None
    names: tuple[tuple[Path, External], ...]
    external: frozenset[External]
    variables: tuple[Reference, ...]
    adopted: AdoptedFile | None = None

    @property
    def per_instance(self) -> bool:
        """Whether the instances of one cluster may get different ones."""
        return any(reference.scope == "instance" for reference in self.variables)

    def file(self, scope: Scope, paths: Mapping[str, str], problems: Problems) -> DesiredFile | None:
        """What one instance gets, no secret resolved, or None, and what is wrong with it is noted.

        Args:
            scope: cluster and instance.
            paths: for each file that a crt-list may name, by placeholder and name, the one by placeholder and storage
                name.
            problems: where to note.
        """
        unknown = [(one, found) for one in self.variables if (found := scope.unknown(one)) is not None]
        for one, (message, hint) in unknown:
            problems.value(self.document, one.path, message, hint)
        if unknown:
            return None
        if self.reference is not None:
            return self._secret(str(variables.fill(self.reference, scope)), problems)
        text = str(variables.fill(self.text or "", scope)) if self.variables else self.text or ""
        if self.id.kind is not FileKind.CRT_LIST and not _good(self.id.kind, text, self.document, self.field, problems):
            return None
        there = {token: paths.get(token, token.partition("/")[2]) for token in map(_token, self.names)}
        template = text_renamed(text, there) if there else text
        known = f"-{UNRESOLVED}." not in template or self.id.kind is not FileKind.CRT_LIST
        content = template.encode() if known else None
        return DesiredFile(
            id=self.id,
            storage_name=DesiredFile.name_of(self.id, content, self.adopted),
            content=content,
            reference=None,
            position=self.document.position(),
            digest=digest({"content": digest_bytes(text.encode()), **self._adopted}),
            text=text,
            template=template if self.id.kind is FileKind.CRT_LIST else None,
            adopted=self.adopted,
        )

    def _secret(self, text: str, problems: Problems) -> DesiredFile | None:
        refusal = secret_text.refusal(text)
        if refusal is not None:
            at: Path = (*self.field, "secret")
            problems.value(self.document, at, f"{'.'.join(map(str, at))}: {refusal}", secret_text.HINT)
            return None
        return DesiredFile(
            id=self.id,
            storage_name=self.id.storage_name(None),
            content=None,
            reference=SecretReference.parse(text),
            position=self.document.position(),
            digest=digest({"secret": text, **self._adopted}),
            adopted=self.adopted,
        )

    @property
    def _adopted(self) -> dict[str, str]:
        """What goes into the digest."""
        return {"adopted": self.adopted.name, "as": self.adopted.digest} if self.adopted is not None else {}


def read(
    outside: Envelope, fleet: Fleet | None, blobs: Mapping[str, bytes], problems: Problems
) -> FileDeclaration | None:
    """The file that a document declares, or None, and what is wrong with it is noted."""
    kind, document = FILE_KINDS[outside.kind], outside.document
    metadata = explain.validate(FileMetadata, outside.metadata, document, ("metadata",), problems)
    findings = scan.scan(document, outside.spec, ("entries",), problems, lines=False)
    spec = explain.validate(_MODELS[kind], outside.spec, document, ("spec",), problems)
    if not isinstance(metadata, FileMetadata) or spec is None:
        return None
    if ".." in metadata.name:
        hint = "the Data Plane API would store it under another name"
        problems.value(document, _PATH, f"metadata.name: `{metadata.name}` holds two dots in a row", hint)
        return None
    known = external.read(metadata.external or [], document, problems)
    clusters = select(metadata.clusters, fleet, document, problems)
    found = _Reader(FileId(kind, metadata.name), document, blobs, problems).content(spec)
    if found is None:
        return None
    return FileDeclaration(
        id=FileId(kind, metadata.name),
        document=document,
        clusters=clusters,
        text=found.text,
        field=found.field,
        reference=found.reference,
        names=found.names,
        external=known,
        variables=tuple(findings.variables) if not found.verbatim else (),
        adopted=AdoptedFile(metadata.adopted.name, metadata.adopted.digest) if metadata.adopted is not None else None,
    )


@dataclass(frozen=True, slots=True)
class _Content:
    text: str | None
    field: Path
    reference: str | None = None
    names: tuple[tuple[Path, External], ...] = ()
    verbatim: bool = False


class _Reader:
    """The ways to give a content, and nothing between them."""

    def __init__(self, file: FileId, document: Document, blobs: Mapping[str, bytes], problems: Problems) -> None:
        self._id = file
        self._document = document
        self._blobs = blobs
        self._problems = problems

    def content(self, spec: object) -> _Content | None:
        match spec:
            case CrtListSpec():
                return self._crt_list(spec)
            case MapSpec(content=None, content_file=None, entries=dict(entries)) if entries:
                return self._entries(entries)
            case FileSpec(content=str(text), content_file=None) if not getattr(spec, "entries", None):
                return _Content(text, ("spec", "content"))
            case FileSpec(content=SecretObject(secret=reference), content_file=None) if not getattr(
                spec, "entries", None
            ):
                return _Content(None, ("spec", "content"), reference)
            case FileSpec(content=None, content_file=str(path)) if not getattr(spec, "entries", None):
                return self._file(path)
        ways = "content: TEXT, content: {secret: ...} or content_file: PATH"
        ways += ", or entries" if isinstance(spec, MapSpec) else ""
        self._problems.key(self._document, ("spec",), "the content is not given in one way", f"write {ways}")
        return None

    def _file(self, path: str) -> _Content | None:
        at: Path = ("spec", "content_file")
        data = self._blobs.get(path)
        if data is None:
            hint = "write its path from the repository's top, without ./"
            self._problems.value(self._document, at, f"the repository has no file `{path}`", hint)
            return None
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            hint = "what cannot be shown to a reviewer as text does not go to an instance"
            self._problems.value(self._document, at, f"`{path}` is not UTF-8 text", hint)
            return None
        return _Content(text, at, verbatim=True)

    def _entries(self, entries: Mapping[str, str]) -> _Content | None:
        good = True
        for key, value in entries.items():
            at: Path = ("spec", "entries", key)
            if not key or key.startswith("#") or re.search(r"[\s\x00-\x1f\x7f]", key):
                message = "a key of a map is one word, and does not start with #"
                self._problems.key(self._document, at, f"entries: {message}: `{key}`")
                good = False
            elif not value.strip():
                self._problems.value(self._document, at, f"spec.entries.{key}: the value is empty", "delete the entry")
                good = False
        lines = "".join(f"{key} {value}\n" for key, value in entries.items())
        return _Content(lines, ("spec", "entries")) if good else None

    def _crt_list(self, spec: CrtListSpec) -> _Content | None:
        names: list[tuple[Path, External]] = []
        lines = [self._line(entry, ("spec", "entries", index), names) for index, entry in enumerate(spec.entries)]
        return _Content("\n".join(lines) + "\n", ("spec", "entries"), names=tuple(names))

    def _line(self, entry: CrtListEntry, at: Path, names: list[tuple[Path, External]]) -> str:
        words = [self._named(entry.certificate, CERTIFICATE, (*at, "certificate"), names)]
        if entry.options is not None:
            options = entry.options.split()
            for index, word in enumerate(options[1:], start=1):
                if options[index - 1] in _FILE_OPTIONS:
                    options[index] = self._named(word, FileKind.CA_FILE.value, (*at, "options"), names)
            words.append(f"[{' '.join(options)}]")
        return " ".join([*words, *(entry.sni or ())])

    @staticmethod
    def _named(word: str, kind: str, at: Path, names: list[tuple[Path, External]]) -> str:
        """A word that names a file: the placeholder of a document, or a path as it is."""
        if "/" in word or not _NAME.fullmatch(word):
            return word
        names.append((at, External(kind, word)))
        return _token(names[-1])


def _token(named: tuple[Path, External]) -> str:
    """How the file stands in the text."""
    target = named[1]
    store = FileStore.CERTIFICATES if target.kind == CERTIFICATE else FileKind(target.kind).store
    return f"{store.placeholder}{target.name}"


def _good(kind: FileKind, text: str, document: Document, at: Path, problems: Problems) -> bool:
    """Whether a text may be the content of such a file; what is wrong is noted."""
    place = ".".join(map(str, at))
    problem = problem_of(kind, text)
    if problem is not None:
        problems.value(document, at, f"{place}: {problem}")
    return problem is None


def problem_of(kind: FileKind, text: str) -> str | None:
    """Why a text may not be the content of such a file in git; None when it may. Never repeats the text."""
    size = len(text.encode())
    if not text.strip():
        return "the content is empty"
    if size > MOST_BYTES:
        return f"the content has {size} bytes, more than the {MOST_BYTES} that a review can show"
    if _CONTROL.search(text):
        return "the content holds control characters"
    if "PRIVATE KEY-----" in text:
        return "a private key may not stand in git: take it out, and replace it"
    if PLACEHOLDER.search(text):
        return "`@ssl_certs_dir/`, `@general_dir/` and `@maps_dir/` are not for documents"
    return content_problem(kind, text)


def content_problem(kind: FileKind, text: str) -> str | None:
    """What HAProxy could not read in such a file; None when it can. Says nothing of the text but line numbers."""
    if kind is FileKind.CA_FILE and not _AUTHORITY.search(text):
        return "no certificate and no revocation list in PEM form is there"
    if kind is FileKind.CA_FILE and "PRIVATE KEY-----" in text:
        return "authorities hold no private key"
    if kind is FileKind.MAP:
        for number, line in enumerate(text.splitlines(), start=1):
            words = line.split(maxsplit=1)
            if words and not words[0].startswith("#") and len(words) == 1:
                return f"line {number} has a key and no value"
    return None
