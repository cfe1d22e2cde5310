"""Whether a file that is stored under our name is ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apply_case import Wanted, once, world_of
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from instance_peer import Body

from haoam_sync.model.outcome import Result


@dataclass(frozen=True)
class Made:
    """A certificate made for a test, and what an instance tells of it."""

    pem: bytes
    serial: str
    not_after: str


def certificate(days: int = 1) -> Made:
    """A new certificate that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.example.test")])
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=days + 1))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Made(pem, str(made.serial_number), f"{end:%Y-%m-%dT%H:%M:%S.000Z}")


@pytest.mark.parametrize(
    ("lie", "same"),
    [
        (dict, True),
        (lambda: {"serial": "1"}, False),
        (lambda: {"size": 1}, False),
        (lambda: {"not_after": "2020-01-01T00:00:00.000Z"}, False),
        (lambda: {"not_after": "soon"}, False),
    ],
)
def test_one_that_is_there_already(tmp_path: Path, lie: Callable[[], Body], *, same: bool) -> None:
    """409 on upload is fine when size, serial and end are those of ours, and a refusal when one is not."""
    mine = certificate()
    world, peer = world_of(tmp_path, Wanted({}, {"a.pem": mine.pem}))
    told = {"serial": mine.serial, "not_after": mine.not_after, "size": len(mine.pem), **lie()}
    peer.tell = {"a.pem": told}
    authorized = world.plan()
    peer.before = once("POST /services/haproxy/storage", lambda: peer.certificates.update({"a.pem": mine.pem}))
    (outcome,) = world.run(authorized).instances
    assert outcome.result is (Result.APPLIED if same else Result.FAILED)
    assert peer.certificates == {"a.pem": mine.pem}
    assert outcome.created == ()
    assert world.journal.stored(outcome.id) == ()  # whoever stored it, it was not this apply
