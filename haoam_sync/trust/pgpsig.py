"""OpenPGP signatures, as bytes. Pure: what a signature claims, before gpgv is asked whether it holds.

Exactly one signature packet of version 4 over binary data (type 0x00), by ed25519, ECDSA on P-256 with low s, or RSA,
with SHA-256, SHA-384 or SHA-512. What its signer did not sign (the unhashed part) may hold the key's id and nothing
else, so that nobody can make another signature of one that is there.

OpenPGP has no namespaces. What keeps a commit's signature from being a review's is what is signed: a commit begins with
`tree `, a review statement with `DSSEv1 ` (DSSE's encoding), and both are made here, never read from the signature.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from haoam_sync.errors import NotTrustedError
from haoam_sync.trust.packets import (
    ECDSA,
    ED25519,
    EDDSA,
    RSA,
    SIGNATURE_ARMOR,
    Packet,
    Reader,
    decode_armor,
    packets,
    subpackets,
)
from haoam_sync.trust.sshsig import COMMIT_NAMESPACE, REVIEW_NAMESPACE, FormatError

SIGNATURE_PACKET = 2
HASHES = {8: "sha256", 9: "sha384", 10: "sha512"}

_VERSION, _BINARY = 4, 0
_CREATED, _ISSUER, _NOTATION, _POLICY_URL, _SIGNER, _FINGERPRINT = 2, 16, 20, 26, 28, 33
_HASHED = frozenset({_CREATED, _ISSUER, _NOTATION, _POLICY_URL, _SIGNER, _FINGERPRINT})
_MOST_BYTES = 4096
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
_HALF = 32


class SeveralError(FormatError):
    """There is more than one signature."""


@dataclass(frozen=True, slots=True)
class OpenpgpSignature:
    """What a signature packet claims.

    Attributes:
        issuer: fingerprint of the key or subkey that made it; "" when only its id is told.
        key_id: the last 16 hex digits of that fingerprint.
        algorithm: of the key, by number.
        hash: as hashlib names it.
        number: of an RSA signature; 0 for others.
        covered: what of the packet is signed together with the payload.
        begins: the first bytes of the hash, as the packet says.
        blob: the packet.
    """

    issuer: str
    key_id: str
    algorithm: int
    hash: str
    number: int
    covered: bytes
    begins: bytes
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """The best name that it gives its key."""
        return self.issuer or self.key_id


@dataclass(frozen=True, slots=True)
class OpenpgpClaim:
    """A signature, and the bytes that it should cover.

    Attributes:
        signature: as parsed; its key is what it claims.
        payload: what was signed.
        named: primary fingerprint that stands beside the signature; "" where none does.
    """

    signature: OpenpgpSignature
    payload: bytes = field(repr=False)
    named: str = ""

    @property
    def identity(self) -> str:
        """A digest of both: what an answer about it is remembered by."""
        parts = (b"openpgp", self.signature.blob, self.payload)
        return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Of the key that should have made it."""
        return self.named or self.signature.fingerprint

    @property
    def begins_right(self) -> bool:
        """Whether the packet tells the first bytes of the hash as they are: nobody signed them."""
        covered = self.signature.covered
        trailer = bytes([_VERSION, 0xFF]) + len(covered).to_bytes(4, "big")
        return hashlib.new(self.signature.hash, self.payload + covered + trailer).digest()[:2] == self.signature.begins

    @property
    def namespace(self) -> str:
        """What it was made for, by what was signed."""
        if self.payload.startswith(b"tree "):
            return COMMIT_NAMESPACE
        return REVIEW_NAMESPACE if self.payload.startswith(b"DSSEv1 ") else ""


def parse_signature(blob: bytes) -> OpenpgpSignature:
    """Read a signature packet.

    Raises:
        SeveralError: signatures follow it.
        FormatError: it is not exactly one signature of the allowed kinds.
    """
    if len(blob) > _MOST_BYTES:
        raise FormatError(f"it has more than {_MOST_BYTES} bytes")
    found = list(packets(blob))
    if len(found) > 1:
        if all(packet.tag == SIGNATURE_PACKET for packet in found):
            raise SeveralError("it holds more than one signature")
        raise FormatError("another packet is in it")
    if not found or found[0].tag != SIGNATURE_PACKET or not found[0].shortest:
        raise FormatError("it is no signature packet as gpg writes it")
    return _signature(found[0], blob)


def commit_signature(armor: bytes, oid: str) -> OpenpgpSignature:
    """The signature of a commit.

    Raises:
        NotTrustedError: E_SIG_ARMOR, E_SIG_MULTIPLE.
    """
    try:
        return parse_signature(decode_armor(armor, SIGNATURE_ARMOR))
    except FormatError as error:
        raise NotTrustedError(
            f"the commit's OpenPGP signature can not be read: {error}",
            code="E_SIG_MULTIPLE" if isinstance(error, SeveralError) else "E_SIG_ARMOR",
            where=oid,
            hint="sign it again with plain gpg: git commit --amend -S --no-edit (an ECDSA signature with a high s is "
            "refused: sign until it is low, or use an ed25519 key)",
        ) from error


def _signature(packet: Packet, blob: bytes) -> OpenpgpSignature:
    reader = Reader(packet.body)
    if reader.number(1) != _VERSION:
        raise FormatError("it is not of version 4")
    if reader.number(1) != _BINARY:
        raise FormatError("it is no signature of a file's bytes (type 0x00)")
    algorithm, name = reader.number(1), HASHES.get(reader.number(1))
    if name is None:
        raise FormatError("its hash is none of SHA-256, SHA-384 and SHA-512")
    hashed = reader.take(reader.number(2))
    covered = packet.body[: 6 + len(hashed)]
    issuer, key_id = _issuer(hashed, reader.take(reader.number(2)))
    begins = reader.take(2)
    number = _numbers(reader, algorithm)
    reader.end()
    return OpenpgpSignature(issuer, key_id, algorithm, name, number, covered, begins, blob)


def _issuer(hashed: bytes, unhashed: bytes) -> tuple[str, str]:
    """Fingerprint and id of the key."""
    found: dict[int, bytes] = {}
    for kind, content in subpackets(hashed):
        if kind not in _HASHED or (kind in found and kind != _NOTATION):
            raise FormatError(f"it holds a subpacket of type {kind} too many")
        found[kind] = content
    if len(found.get(_CREATED, b"")) != 4:  # noqa: PLR2004  # seconds
        raise FormatError("it does not say when it was made")
    fingerprint = found.get(_FINGERPRINT, b"")
    if fingerprint and (len(fingerprint) != 21 or fingerprint[0] != _VERSION):  # noqa: PLR2004  # version and SHA-1
        raise FormatError("its key is not of version 4")
    issuer = fingerprint[1:].hex().upper()
    ids = {issuer[-16:]} if issuer else set()
    ids |= {found[_ISSUER].hex().upper()} if _ISSUER in found else set()
    if unhashed:
        if unhashed[:2] != bytes([9, _ISSUER]) or len(unhashed) != 10:  # noqa: PLR2004  # length, type, id
            raise FormatError("its unhashed part, which nobody signed, holds more than the key's id")
        ids.add(unhashed[2:].hex().upper())
    if len(ids) != 1:
        raise FormatError("it does not name one key")
    key_id = ids.pop()
    if len(key_id) != 16:  # noqa: PLR2004  # hex digits
        raise FormatError("it does not name one key")
    return issuer, key_id


def _numbers(reader: Reader, algorithm: int) -> int:
    """The algorithm's own part, in its only form; the number of an RSA signature."""
    if algorithm == RSA:
        return int.from_bytes(reader.integer(), "big")
    if algorithm == ECDSA:
        r, s = (int.from_bytes(reader.integer(), "big") for _ in range(2))
        if not (0 < r < _P256_ORDER and 0 < s <= _P256_ORDER // 2):
            raise FormatError("its ECDSA signature has a high s")
        return 0
    if algorithm == EDDSA:
        parts = [reader.integer() for _ in range(2)]
        if any(len(part) > _HALF for part in parts):
            raise FormatError("its ed25519 signature is too long")
        second = parts[1].rjust(_HALF, b"\0")
    elif algorithm == ED25519:
        second = reader.take(2 * _HALF)[_HALF:]
    else:
        raise FormatError(f"signatures by algorithm {algorithm} are not allowed; use ed25519")
    if int.from_bytes(second, "little") >= _ED25519_ORDER:
        raise FormatError("its ed25519 signature is not in canonical form")
    return 0
