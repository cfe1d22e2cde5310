"""What needs no instance and no trust: is a commit's desired state valid, and what would HAProxy say of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haoam_sync import desired, haproxycfg
from haoam_sync.errors import HaoamError, UsageError
from haoam_sync.lab.haproxy import check, find_haproxy
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.desired import CERTIFICATE_DIR, Desired, DesiredInstance
from haoam_sync.model.fleet import InstanceId
from haoam_sync.pipeline import opening
from haoam_sync.settings import Settings

_PREAMBLE = "global\n  maxconn 100\n\n"


@dataclass(frozen=True, slots=True)
class Validation:
    """What was found valid.

    Attributes:
        commit: its id.
        instances: every instance of the fleet.
        sections: how many sections they have in total.
        haproxy: path of the HAProxy that judged the rendered text, "" when none was found.
        refused: for each instance whose text HAProxy refuses, its words.
    """

    commit: str
    instances: tuple[InstanceId, ...]
    sections: int
    haproxy: str
    refused: Mapping[InstanceId, str]


def validate(settings: Settings, revision: str) -> Validation:
    """Load a commit's desired state, and let a HAProxy judge it where there is one.

    Raises:
        InvalidDesiredError: every problem of the commit.
        UsageError: there is no such commit.
    """
    wanted = _load(settings, revision)
    try:
        haproxy: Path | None = find_haproxy()
    except HaoamError:
        haproxy = None
    return Validation(
        commit=wanted.commit,
        instances=tuple(sorted(wanted.instances)),
        sections=sum(len(instance.sections) for instance in wanted.instances.values()),
        haproxy=str(haproxy) if haproxy else "",
        refused=_judged(wanted, haproxy) if haproxy else {},
    )


def render(settings: Settings, instance: str, revision: str) -> str:
    """The haproxy.cfg text of the sections that a commit declares for an instance.

    Raises:
        InvalidDesiredError: every problem of the commit.
        UsageError: there is no such commit or instance.
    """
    wanted = _load(settings, revision)
    for identity, content in wanted.instances.items():
        if str(identity) == instance:
            return text_of(content)
    raise UsageError(
        f"the commit has no instance {instance!r}",
        hint=f"its instances are {', '.join(str(identity) for identity in sorted(wanted.instances))}",
    )


def text_of(instance: DesiredInstance) -> str:
    """The declared sections of an instance, in the order of the server's normal form."""
    sections = (section for _, section in sorted(instance.sections.items()))
    return "\n\n".join(haproxycfg.render(section.id.kind, section.body, NEWEST) for section in sections) + "\n"


def _load(settings: Settings, revision: str) -> Desired:
    with opening.repository_alone(settings) as repository:
        commit = repository.resolve(revision)
        return desired.load(commit, repository.blobs(commit), None)


def _judged(wanted: Desired, haproxy: Path) -> dict[InstanceId, str]:
    """What HAProxy says against each instance's text. Certificates are replaced by one made for the moment."""
    refused = {}
    with tempfile.TemporaryDirectory(prefix="haoam-validate-") as folder:
        directory = Path(folder)
        pem = _throw_away_certificate()
        for identity, instance in sorted(wanted.instances.items()):
            for certificate in instance.certificates.values():
                (directory / certificate.storage_name).write_bytes(pem)
            has_global = any(section.kind.value == "global" for section in instance.sections)
            text = text_of(instance).replace(CERTIFICATE_DIR, f"{directory}/")
            accepted, words = check(text if has_global else _PREAMBLE + text, haproxy)
            if not accepted:
                refused[identity] = words
    return refused


def _throw_away_certificate() -> bytes:
    """A self-signed certificate with its key, good for an hour: enough for `haproxy -c` to load a bind."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "haoam-sync validate")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private
