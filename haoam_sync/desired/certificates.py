"""Documents of kind `Certificate`: which file each instance gets, and under which name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from haoam_sync.desired import explain, scan, secret_text, variables
from haoam_sync.desired.envelope import Envelope
from haoam_sync.desired.problems import Problems
from haoam_sync.desired.selection import select
from haoam_sync.desired.variables import Reference, Scope
from haoam_sync.documents import Document, Path
from haoam_sync.model.desired import DesiredCertificate
from haoam_sync.model.documents.certificate import CertificateSpec
from haoam_sync.model.documents.metadata import CertificateMetadata
from haoam_sync.model.fleet import Cluster, Fleet
from haoam_sync.model.json import digest, digest_bytes
from haoam_sync.model.secret import SecretReference
from haoam_sync.model.stored import stem_of

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_SHAPES = "write pem: {secret: ...}, or chain (or chain_file) and key: {secret: ...}"


@dataclass(frozen=True, slots=True)
class CertificateDeclaration:
    """One document that declares a certificate.

    Attributes:
        name: by which binds refer to it.
        document: for positions.
        clusters: that get it.
        field: the field that holds the secret, `pem` or `key`.
        reference: text of the secret reference; variables may stand in it.
        chain: PEM of certificate and chain where they stand in git, else None.
        variables: references in `reference`.
    """

    name: str
    document: Document
    clusters: tuple[Cluster, ...]
    field: str
    reference: str
    chain: bytes | None
    variables: tuple[Reference, ...]

    @property
    def per_instance(self) -> bool:
        """Whether the instances of one cluster may get different ones."""
        return any(reference.scope == "instance" for reference in self.variables)

    def certificate(self, scope: Scope, problems: Problems) -> DesiredCertificate | None:
        """What one instance gets, the secret not resolved, or None, and what is wrong with it is noted."""
        unknown = [found for one in self.variables if (found := scope.unknown(one)) is not None]
        for message, hint in unknown:
            problems.value(self.document, ("spec", self.field, "secret"), message, hint)
        if unknown:
            return None
        text = str(variables.fill(self.reference, scope))
        refusal = secret_text.refusal(text)
        if refusal is not None:
            message = f"spec.{self.field}.secret: {refusal}"
            problems.value(self.document, ("spec", self.field, "secret"), message, secret_text.HINT)
            return None
        chain = digest_bytes(self.chain) if self.chain is not None else None
        return DesiredCertificate(
            name=self.name,
            storage_name=f"{stem_of(self.name)}-unresolved.pem",
            content=None,
            reference=SecretReference.parse(text),
            position=self.document.position(),
            chain=self.chain,
            digest=digest({"chain": chain, "secret": text}),
        )


def read(
    outside: Envelope, fleet: Fleet | None, blobs: Mapping[str, bytes], problems: Problems
) -> CertificateDeclaration | None:
    """The certificate that a document declares, or None, and what is wrong with it is noted."""
    document = outside.document
    metadata = explain.validate(CertificateMetadata, outside.metadata, document, ("metadata",), problems)
    findings = scan.scan(document, outside.spec, (), problems, lines=False)
    spec = explain.validate(CertificateSpec, outside.spec, document, ("spec",), problems)
    if not isinstance(metadata, CertificateMetadata) or not isinstance(spec, CertificateSpec):
        return None
    return _Reader(document, blobs, problems).declaration(
        metadata, spec, select(metadata.clusters, fleet, document, problems), tuple(findings.variables)
    )


class _Reader:
    """The two ways to give a certificate, and nothing between them."""

    def __init__(self, document: Document, blobs: Mapping[str, bytes], problems: Problems) -> None:
        self._document = document
        self._blobs = blobs
        self._problems = problems

    def declaration(
        self,
        metadata: CertificateMetadata,
        spec: CertificateSpec,
        clusters: tuple[Cluster, ...],
        found: tuple[Reference, ...],
    ) -> CertificateDeclaration | None:
        match spec:
            case CertificateSpec(pem=secret, chain=None, chain_file=None, key=None) if secret is not None:
                field, chain = "pem", None
            case CertificateSpec(pem=None, chain=str(text), chain_file=None, key=secret) if secret is not None:
                field, chain = "key", self._chain(text.encode(), ("spec", "chain"))
            case CertificateSpec(pem=None, chain=None, chain_file=str(path), key=secret) if secret is not None:
                field, chain = "key", self._file(path)
            case _:
                self._problems.key(self._document, ("spec",), "the certificate is not given in one way", _SHAPES)
                return None
        return CertificateDeclaration(metadata.name, self._document, clusters, field, secret.secret, chain, found)

    def _file(self, path: str) -> bytes | None:
        content = self._blobs.get(path)
        if content is None:
            message = f"the repository has no file `{path}`"
            hint = "write its path from the repository's top, without ./"
            self._problems.value(self._document, ("spec", "chain_file"), message, hint)
            return None
        return self._chain(content, ("spec", "chain_file"))

    def _chain(self, content: bytes, path: Path) -> bytes | None:
        if b"PRIVATE KEY" in content:
            self._problems.value(
                self._document, path, "a private key may not stand in git", "take it out, and replace it"
            )
        elif not _CERTIFICATE.search(content):
            self._problems.value(self._document, path, "no certificate in PEM form is there")
        else:
            return content
        return None
