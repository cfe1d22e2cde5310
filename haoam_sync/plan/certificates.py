"""Which certificate files to create and to delete."""

from __future__ import annotations

import re

from haoam_sync.model.desired import DesiredCertificate, DesiredInstance
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, CertificateChange, Reason


def changes(wanted: DesiredInstance, live: Live, applied: DesiredInstance | None) -> tuple[CertificateChange, ...]:
    """Which files to create and to delete. Ours are those of the commit applied last, or named as we name them."""
    there = set(live.certificates)
    earlier = applied.certificates if applied else {}
    names = {certificate.storage_name for certificate in wanted.certificates.values()}
    unresolved = {name for name, certificate in wanted.certificates.items() if certificate.content is None}
    found = [
        CertificateChange(
            Action.CREATE,
            certificate.storage_name,
            _certificate_reason(certificate, earlier.get(name)),
            certificate.position,
            certificate.content,
        )
        for name, certificate in wanted.certificates.items()
        if certificate.storage_name not in there and not (name in unresolved and _held(name, there))
    ]
    ours = {*wanted.certificates, *earlier}
    found += [
        CertificateChange(Action.DELETE, name, Reason.GIT, None, None)
        for name in there - names
        if any(_held(own, {name}) for own in ours - unresolved)
    ]
    return tuple(sorted(found, key=lambda c: (c.action.value, c.name)))


def _certificate_reason(certificate: DesiredCertificate, earlier: DesiredCertificate | None) -> Reason:
    same = earlier is not None and earlier.storage_name == certificate.storage_name
    return Reason.DRIFT if same else Reason.GIT


def _held(name: str, files: set[str]) -> bool:
    """Whether one of `files` is a content-addressed file of the certificate `name`."""
    return any(re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{32}}\.pem", file) for file in files)
