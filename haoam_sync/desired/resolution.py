"""Secrets into a desired state: the last step, after everything that can be checked without them was."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from haoam_sync import haproxycfg
from haoam_sync.desired.paths import at, put_in
from haoam_sync.desired.references import certificate_fields
from haoam_sync.errors import UsageError
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.desired import (
    CERTIFICATE_DIR,
    Desired,
    DesiredCertificate,
    DesiredInstance,
    DesiredSection,
)
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import JsonObject, digest_bytes
from haoam_sync.model.secret import SecretUse
from haoam_sync.model.section import SectionId

Reveal = Callable[[SecretUse], str]
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END (?:[A-Z]+ )?PRIVATE KEY-----")
_HASH_DIGITS = 32


def resolve(desired: Desired, reveal: Reveal) -> Desired:
    """`desired` with secrets in their places, certificates with their content and its name.

    Each secret is asked for once for each cluster and field that uses it.

    Raises:
        NotTrustedError: from `reveal`.
        UsageError: a value could not be written where it is meant to stand.
    """
    resolver = _Resolver(reveal)
    return replace(desired, instances={key: resolver.instance(one) for key, one in desired.instances.items()})


class _Resolver:
    """What instances share unresolved, they share resolved."""

    def __init__(self, reveal: Reveal) -> None:
        self._reveal = reveal
        self._values: dict[SecretUse, str] = {}
        self._certificates: dict[int, Mapping[str, DesiredCertificate]] = {}
        self._sections: dict[tuple[int, int], Mapping[SectionId, DesiredSection]] = {}

    def instance(self, one: DesiredInstance) -> DesiredInstance:
        held = self._certificates.get(id(one.certificates))
        if held is None:
            held = {name: self._certificate(c, one.id) for name, c in one.certificates.items()}
            self._certificates[id(one.certificates)] = held
        key = (id(one.sections), id(held))
        if key not in self._sections:
            self._sections[key] = {identity: self._section(s, held) for identity, s in one.sections.items()}
        return DesiredInstance(one.id, self._sections[key], held)

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
        name = f"{certificate.name}-{digest_bytes(content).removeprefix('sha256:')[:_HASH_DIGITS]}.pem"
        return replace(certificate, storage_name=name, content=content)

    def _section(self, section: DesiredSection, held: Mapping[str, DesiredCertificate]) -> DesiredSection:
        unresolved = {f"{CERTIFICATE_DIR}{name}-unresolved.pem": one.storage_name for name, one in held.items()}
        body = section.body
        for path, text in certificate_fields(section.body):
            if text in unresolved:
                body = put_in(body, path, CERTIFICATE_DIR + unresolved[text])
        for use in section.secrets:
            value = self._value(use)
            if not value or _CONTROL.search(value):
                message = "a secret for haproxy.cfg must be one line of text, and not empty"
                raise UsageError(message, code="E_SECRET_VALUE", where=f"{section.id}, {use.reference}")
            body = put_in(body, use.path, value)
        self._require_whole(section, body)
        return section if body is section.body and not section.secrets else replace(section, body=body, resolved=True)

    @staticmethod
    def _require_whole(section: DesiredSection, body: JsonObject) -> None:
        """A secret that haproxy.cfg cannot hold as it is would be cut off, or become more words than one."""
        if not section.secrets:
            return
        back = haproxycfg.canonical(section.id.kind, body, NEWEST)
        for use in section.secrets:
            if at(back, use.path) != at(body, use.path):
                raise UsageError(
                    "the secret cannot stand in haproxy.cfg as it is: spaces, quotes, # and \\ mean something there",
                    code="E_SECRET_VALUE",
                    where=f"{section.id}, {use.reference}",
                    hint="choose another value, or for a password its hash, with secure_password: true",
                )
