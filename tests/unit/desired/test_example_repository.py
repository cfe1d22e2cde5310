"""example-repo/ is what it says: complete, valid, and free of ports and secrets where they do not belong."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haoam_sync import desired, haproxycfg
from haoam_sync.lab.haproxy import check, find_haproxy
from haoam_sync.model.api_version import NEWEST, OLDEST
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.stored import FileStore, text_in_directories

EXAMPLE = Path(__file__).parents[3] / "example-repo"
BLOBS = {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()}
STATE = desired.load("c", BLOBS, None)


def test_who_gets_what() -> None:
    """Three clusters, four instances; HTTPS and its certificate in production only; no `global` anywhere."""
    assert {str(key): sorted(map(str, one.sections)) for key, one in STATE.instances.items()} == {
        "edge-canary/canary-1": sorted(
            [
                "defaults/base",
                "cache/static",
                "userlist/operators",
                "frontend/web",
                "backend/api",
                "backend/static",
                "backend/web",
            ]
        ),
        **{
            name: sorted(
                [
                    "defaults/base",
                    "cache/static",
                    "userlist/operators",
                    "frontend/web",
                    "frontend/web-tls",
                    "backend/api",
                    "backend/static",
                    "backend/web",
                ]
            )
            for name in ("edge-eu/eu-1", "edge-eu/eu-2", "edge-us/us-1")
        },
    }
    assert [sorted(one.certificates) for one in STATE.instances.values()] == [[], ["site"], ["site"], ["site"]]
    files = [sorted(map(str, one.files)) for one in STATE.instances.values()]
    everywhere, production = ["file/sorry.http", "map/hosts"], ["ca-file/clients", "crt-list/edge"]
    assert files == [everywhere, *([sorted([*everywhere, *production])] * 3)]
    assert [cluster.wave for cluster in STATE.fleet.clusters.values()] == [1, 2, 3]


def test_secrets_it_asks_for() -> None:
    """The references that a runner of the example must allow, and no other."""
    asked: set[SecretUse] = set()
    pem = "".join(f"-----BEGIN {what}-----\nAA\n-----END {what}-----\n" for what in ("CERTIFICATE", "PRIVATE KEY"))

    def reveal(use: SecretUse) -> str:
        asked.add(use)
        return pem if use.kind == "Certificate" else "x"

    desired.load("c", BLOBS, reveal)
    assert {(str(use.reference), use.kind, use.field) for use in asked} == {
        ("env/HAOAM_OPERATOR_PASSWORD", "Userlist", "users.*.password"),
        ("file/site.pem", "Certificate", "pem"),
    }
    passwords = {instance.password for instance in STATE.fleet.instances()}
    assert passwords == {SecretReference("env", "HAOAM_LAB_PASSWORD")}


def test_answers_name_their_instance() -> None:
    """Every frontend says which instance answered: two processes can listen on one loopback port."""
    for identity, one in STATE.instances.items():
        for section in one.sections.values():
            if section.id.kind is SectionKind.FRONTEND:
                text = haproxycfg.render(section.id.kind, section.body, NEWEST)
                assert f"http-response set-header X-Served-By {identity.name}\n" in text


def test_every_port_stands_once_and_in_one_file() -> None:
    """Whoever runs the example on other ports replaces numbers in haoam.yaml, and nothing else."""
    numbers = Counter(re.findall(rb"\b1\d{4}\b", BLOBS["haoam.yaml"]))
    assert len(numbers) == 4 + 4 + 3 + 12  # APIs, http, https, backends
    assert set(numbers.values()) == {1}
    for path, content in BLOBS.items():
        if path != "haoam.yaml":
            assert not any(number in content for number in numbers), path


def test_nothing_of_the_trust_is_in_it() -> None:
    """`trust init` writes trust.yaml; an example of it would be copied with its keys."""
    assert set(BLOBS) == {
        "README.md",
        "haoam.yaml",
        "certs/clients.pem",
        "files/sorry.http",
        "haproxy/backends.yaml",
        "haproxy/cache.yaml",
        "haproxy/certificate.yaml",
        "haproxy/defaults.yaml",
        "haproxy/files.yaml",
        "haproxy/operators.yaml",
        "haproxy/web.yaml",
    }
    for path in BLOBS:
        assert path == "README.md" or f"`{path}`".encode() in BLOBS["README.md"]


def test_both_versions_of_the_api_have_all_of_it() -> None:
    """The example can be applied through an API of 3.2 as through one of 3.4."""
    assert desired.load("c", BLOBS, None, api=OLDEST).instances == STATE.instances


def test_it_is_in_canonical_form_of_itself() -> None:
    """What the server reads back is the same again: apply, then plan, will be empty."""
    for one in STATE.instances.values():
        for section in one.sections.values():
            once = haproxycfg.canonical(section.id.kind, section.body, NEWEST)
            assert haproxycfg.canonical(section.id.kind, once, NEWEST) == once


@pytest.mark.e2e
@pytest.mark.parametrize("instance", STATE.instances, ids=str)
def test_haproxy_loads_it(instance: InstanceId, tmp_path: Path) -> None:
    """Rendered beside a small `global`, HAProxy accepts the configuration of each instance without a warning."""
    state = desired.load("c", BLOBS, lambda use: _pem() if use.kind == "Certificate" else "s3cret")
    one = state.instances[instance]
    for certificate in one.certificates.values():
        assert certificate.content is not None
        (tmp_path / certificate.storage_name).write_bytes(certificate.content)
    directories = dict.fromkeys(FileStore, f"{tmp_path}/")
    for file in one.files.values():
        assert file.content is not None
        (tmp_path / file.storage_name).write_text(text_in_directories(file.content.decode(), directories))
    sections = [haproxycfg.render(section.id.kind, section.body, NEWEST) for section in one.sections.values()]
    text = "\n\n".join([f"global\n  stats socket {tmp_path}/s level admin", *sections])
    accepted, words = check(text_in_directories(text, directories) + "\n", find_haproxy())
    assert accepted, words
    assert "WARNING" not in words


def _pem() -> str:
    """A certificate for nobody, made for this test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (certificate.public_bytes(serialization.Encoding.PEM) + private).decode()


def test_web_is_protected() -> None:
    """What must not vanish by accident says so."""
    sections = STATE.instances[InstanceId("edge-us", "us-1")].sections
    protected = {str(key) for key, section in sections.items() if section.protected}
    assert protected == {"defaults/base", "backend/web"}
    assert not sections[SectionId(SectionKind.FRONTEND, "web")].protected
