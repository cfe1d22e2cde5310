"""Secrets into a desired state: the last step, after everything that can be checked without them was."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cryptography import x509

from haoam_sync import haproxycfg
from haoam_sync.desired.paths import at, put_in
from haoam_sync.desired.stored_files import SECRET_FIELD, content_problem
from haoam_sync.errors import UsageError
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.desired import (
    Desired,
    DesiredCertificate,
    DesiredFile,
    DesiredInstance,
    DesiredSection,
)
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import JsonObject, digest_bytes
from haoam_sync.model.secret import SecretUse
from haoam_sync.model.section import SectionId
from haoam_sync.model.stored import HASH_DIGITS, CertificateFacts, FileId, renamed, stem_of, text_renamed

Reveal = Callable[[SecretUse], str]
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END (?:[A-Z]+ )?PRIVATE KEY-----")


def resolve(desired: Desired, reveal: Reveal) -> Desired:
    """`desired` with secrets in their places, certificates with their content and its name.

    Each secret is asked for once for each cluster and field that uses it.

    Raises:
        NotTrustedError: from `reveal`.
        UsageError: a value could not be written where it is meant to stand.
    """
    resolver = _Resolver(reveal)
    return replace(desired, instances={key: resolver.instance(one) for key, one in desired.instances.items()})


@dataclass(frozen=True, slots=True)
class _Held:
    """The files of an instance, and their paths by the ones that stood for them."""

    certificates: Mapping[str, DesiredCertificate]
    files: Mapping[FileId, DesiredFile]
    paths: Mapping[str, str]


class _Resolver:
    """What instances share unresolved, they share resolved."""

    def __init__(self, reveal: Reveal) -> None:
        self._reveal = reveal
        self._values: dict[SecretUse, str] = {}
        self._held: dict[tuple[int, int], _Held] = {}
        self._sections: dict[tuple[int, int], Mapping[SectionId, DesiredSection]] = {}

    def instance(self, one: DesiredInstance) -> DesiredInstance:
        place = (id(one.certificates), id(one.files))
        held = self._held.get(place)
        if held is None:
            held = self._held[place] = self._files(one)
        key = (id(one.sections), id(held))
        if key not in self._sections:
            self._sections[key] = {identity: self._section(s, held.paths) for identity, s in one.sections.items()}
        return DesiredInstance(one.id, self._sections[key], held.certificates, held.files)

    def _files(self, one: DesiredInstance) -> _Held:
        """Certificates and secrets first, then what names them."""
        certificates = {name: self._certificate(c, one.id) for name, c in one.certificates.items()}
        paths = {c.path: certificates[name].path for name, c in one.certificates.items()}
        files: dict[FileId, DesiredFile] = {}
        for identity, file in sorted(one.files.items(), key=lambda item: (item[1].template is not None, item[0])):
            files[identity] = self._file(file, one.id, paths)
            paths[file.path] = files[identity].path
        return _Held(certificates, files, {old: new for old, new in paths.items() if old != new})

    def _file(self, file: DesiredFile, instance: InstanceId, paths: Mapping[str, str]) -> DesiredFile:
        if file.template is not None:
            content = text_renamed(file.template, paths).encode()
        elif file.reference is not None:
            kind = file.id.kind
            text = self._value(SecretUse(file.reference, kind.document_kind, SECRET_FIELD, instance.cluster)) + "\n"
            problem = content_problem(kind, text)
            if problem is not None:
                raise UsageError(problem, code="E_SECRET_VALUE", where=f"{file.id}, {file.reference}")
            content = text.encode()
        else:
            return file
        return replace(file, content=content, storage_name=DesiredFile.name_of(file.id, content, file.adopted))

    def _value(self, use: SecretUse) -> str:
        if use not in self._values:
            self._values[use] = self._reveal(use)
        return self._values[use]

    def _certificate(self, certificate: DesiredCertificate, instance: InstanceId) -> DesiredCertificate:
        if certificate.reference is None:
            return certificate
        field = "pem" if certificate.chain is None else "key"
        secret = self._value(SecretUse(certificate.reference, "Certificate", field, instance.cluster))
        chain = (certificate.chain or b"").decode("ascii", "replace")
        where = f"certificate {certificate.name}, {certificate.reference}"
        if not _KEY.search(secret):
            raise UsageError("no private key in PEM form is there", code="E_SECRET_VALUE", where=where)
        if not _CERTIFICATE.search(chain or secret):
            raise UsageError("no certificate in PEM form is there", code="E_SECRET_VALUE", where=where)
        parts = [part.rstrip("\n") + "\n" for part in (chain, secret) if part]
        content = "".join(parts).encode()
        name = f"{stem_of(certificate.name)}-{digest_bytes(content).removeprefix('sha256:')[:HASH_DIGITS]}.pem"
        return replace(certificate, storage_name=name, content=content, facts=_facts(content))

    def _section(self, section: DesiredSection, paths: Mapping[str, str]) -> DesiredSection:
        body = renamed(section.body, paths) if paths else section.body
        for use in section.secrets:
            value = self._value(use)
            if not value or _CONTROL.search(value):
                message = "a secret for haproxy.cfg must be one line of text, and not empty"
                raise UsageError(message, code="E_SECRET_VALUE", where=f"{section.id}, {use.reference}")
            body = put_in(body, use.path, value)
        self._require_whole(section, body)
        return (
            section
            if body is section.body and not section.secrets
            else replace(section, body=body, resolved=True, forms={})
        )

    @staticmethod
    def _require_whole(section: DesiredSection, body: JsonObject) -> None:
        """A secret that haproxy.cfg cannot hold as it is would be cut off, or become more words than one."""
        if not section.secrets:
            return
        back = haproxycfg.canonical(section.id.kind, body, NEWEST)
        refused = {refusal.path for refusal in haproxycfg.refused(section.id.kind, body, NEWEST)}
        for use in section.secrets:
            if ".".join(map(str, use.path)) in refused:
                raise UsageError(
                    "no server takes the secret in this field",
                    code="E_SECRET_VALUE",
                    where=f"{section.id}, {use.reference}",
                    hint="choose another value: one word, without white space",
                )
            if at(back, use.path) != at(body, use.path):
                raise UsageError(
                    "the secret cannot stand in haproxy.cfg as it is: spaces, quotes, # and \\ mean something there",
                    code="E_SECRET_VALUE",
                    where=f"{section.id}, {use.reference}",
                    hint="choose another value, or for a password its hash, with secure_password: true",
                )


def _facts(content: bytes) -> CertificateFacts | None:
    """What the API will tell of a certificate: serial, end and size of the first one in the file.

    None when it cannot be read: then the instance will not take it either, and says so.
    """
    try:
        first = x509.load_pem_x509_certificates(content)[0]
    except ValueError:
        return None
    return CertificateFacts(
        serial=str(first.serial_number), not_after=f"{first.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}", size=len(content)
    )
