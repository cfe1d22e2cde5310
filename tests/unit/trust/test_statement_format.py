"""docs/formats.md, "Review statement", and the code say the same, byte for byte."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from haoam_sync.model.evidence import (
    Policy,
    Predicate,
    Seen,
    encode_envelope,
    encode_statement,
    parse_envelope,
    parse_statement,
    pre_authentication,
)
from haoam_sync.trust import ssh
from haoam_sync.trust.sshsig import SshClaim, parse_signature

PAGE = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()


def vector(name: str) -> str:
    """The block of the page that is called so."""
    (found,) = re.findall(rf"<!-- vector: {name} -->\n```\w+\n(.*?)\n```", PAGE, re.DOTALL)
    return str(found)


def predicate() -> Predicate:
    """The statement of the page."""
    return Predicate(
        repository="0c5cbba8b5ff7bd25e9d56cfc4b1b9ae9f1b7b6d",
        ref="refs/heads/main",
        base="1f7a3e3cf0b6f8cf1d9e1ab3d3a2a3a97e8b4c11",
        head="2b1d5a7c9e8f70615243342516070819aabbccdd",
        tree="4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        tree_sha256="6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
        policy=Policy(serial=3, digest="sha256:" + "a" * 64),
        change_digest="sha256:" + "b" * 64,
        decision="approve",
        principal="bob",
        key="bob-1",
        issued="2026-03-01T12:00:00Z",
        expires="2026-03-08T12:00:00Z",
        id="00112233445566778899aabbccddeeff",
        seen=Seen(attestations="3c0ffee3c0ffee3c0ffee3c0ffee3c0ffee3c0ff"),
    )


def test_the_statement_is_the_pages() -> None:
    """The bytes that are signed stand in the page."""
    payload = vector("statement").encode()
    assert encode_statement(predicate()) == payload
    assert parse_statement(payload, where="x") == predicate()


def test_what_is_signed_is_the_pages() -> None:
    """The SHA-256 of the pre-authentication encoding stands in the page."""
    signed = pre_authentication(vector("statement").encode())
    assert signed.startswith(b"DSSEv1 28 application/vnd.in-toto+json ")
    assert hashlib.sha256(signed).hexdigest() == vector("statement signed")


def test_the_envelope_is_the_pages() -> None:
    """The envelope of the page holds that statement, and its signature is good."""
    raw = vector("statement envelope").encode()
    envelope = parse_envelope(raw, where="x")
    assert encode_envelope(envelope) == raw
    assert envelope.payload == vector("statement").encode()
    signature = parse_signature(envelope.signature)
    assert (signature.namespace, signature.fingerprint) == ("haoam-review@v1", envelope.keyid)
    assert ssh.verified([SshClaim(signature, envelope.signed)])
    assert not ssh.verified([SshClaim(signature, envelope.signed + b" ")])
