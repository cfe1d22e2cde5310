"""OpenPGP certificates of the policy (`keys/*.asc`): which keys may sign in its name. Pure.

C1  One armored block, one public primary key of version 4, no secret key, and nothing but user ids, subkeys and their
    signatures.
C2  The primary key, and every subkey that may sign, is of an allowed kind: ed25519, ECDSA on P-256, RSA of 3,072 bits.
C3  A subkey that may sign says so in its binding signature (key flags). Whether a binding holds, gpgv finds out.
C4  What carries a revocation signs nothing, whoever made the revocation and whatever gpg says about it: gpg calls a
    key that is revoked and expired merely expired.

Dates in a certificate have no meaning here: whether a key still counts is said by the policy (`status`, `not_after`)
and judged by our clock. So an expired certificate need not be exchanged to keep history valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from haoam_sync.model.json import digest_bytes
from haoam_sync.trust.packets import (
    KEY_ARMOR,
    SECRET_ARMOR,
    Packet,
    PublicKey,
    Reader,
    decode_armor,
    encode_armor,
    packets,
    public_key,
    subpackets,
)
from haoam_sync.trust.pgpsig import SIGNATURE_PACKET, OpenpgpSignature
from haoam_sync.trust.sshsig import FormatError

_SECRET, _PRIMARY, _SECRET_SUBKEY, _USER_ID, _SUBKEY, _USER_ATTRIBUTE = 5, 6, 7, 13, 14, 17
_ALLOWED = frozenset({SIGNATURE_PACKET, _PRIMARY, _USER_ID, _SUBKEY, _USER_ATTRIBUTE})
_REVOKES_KEY, _REVOKES_SUBKEY, _BINDS = 0x20, 0x28, 0x18
_CERTIFIES = frozenset({0x10, 0x11, 0x12, 0x13, 0x1F})
_KEY_FLAGS, _MAY_SIGN = 27, 0x02
_MOST_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A primary key or subkey that may sign.

    Attributes:
        public: the key.
        revoked: whether the certificate carries a revocation of it, or of the primary key.
    """

    public: PublicKey
    revoked: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that can be used.

    Attributes:
        fingerprint: of the primary key.
        revoked: whether it carries a revocation of the primary key.
        signing: what may sign in its name.
        data: the packets, as gpgv reads them.
    """

    fingerprint: str
    revoked: bool
    signing: tuple[SigningKey, ...]
    data: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Of the packets."""
        return digest_bytes(self.data)

    @property
    def armor(self) -> bytes:
        """The file in `keys/`."""
        return encode_armor(self.data, KEY_ARMOR)

    def holds(self, fingerprint: str) -> bool:
        """Whether it is that key's, or a subkey's of it that may sign."""
        return fingerprint in {self.fingerprint, *(key.public.fingerprint for key in self.signing)}

    def signer(self, signature: OpenpgpSignature) -> SigningKey | None:
        """The key that a signature says made it; None when it is none of these, or its kind does not fit."""
        found = [key for key in self.signing if _made_by(signature, key.public)]
        return found[0] if len(found) == 1 else None


def parse_certificate(data: bytes) -> Certificate:
    """Read an armored certificate.

    Raises:
        FormatError: it is anything else than C1 to C3 ask for.
    """
    if SECRET_ARMOR.encode() in data:
        raise FormatError("it holds a SECRET key: everybody who can read the repository has it; make a new one")
    if len(data) > _MOST_BYTES:
        raise FormatError(f"it has more than {_MOST_BYTES} bytes: export it with --export-options export-minimal")
    return read_certificate(decode_armor(data, KEY_ARMOR))


def read_certificate(data: bytes) -> Certificate:
    """Read a certificate's packets.

    Raises:
        FormatError: it is anything else than C1 to C3 ask for.
    """
    parts = _parts(list(packets(data)))
    primary = public_key(parts[0][0].body)
    revoked = any(_kind(packet) == _REVOKES_KEY for packet in parts[0][1])
    own = [packet for part in parts for packet in part[1] if part[0].tag != _SUBKEY]
    signing = []
    if _may_sign(own, _CERTIFIES, unsaid=True):
        signing.append(SigningKey(primary, revoked))
    for head, signatures in parts[1:]:
        if head.tag == _SUBKEY and _may_sign(signatures, frozenset({_BINDS}), unsaid=False):
            ended = revoked or any(_kind(packet) == _REVOKES_SUBKEY for packet in signatures)
            signing.append(SigningKey(public_key(head.body), ended))
    for weakness in (primary.weakness, *(key.public.weakness for key in signing)):
        if weakness:
            raise FormatError(weakness)
    if not signing:
        raise FormatError("it holds no key that may sign")
    return Certificate(primary.fingerprint, revoked, tuple(signing), data)


def _parts(found: Sequence[Packet]) -> list[tuple[Packet, list[Packet]]]:
    """C1: each key or user id with the signatures that follow it; the primary key is the first."""
    parts: list[tuple[Packet, list[Packet]]] = []
    for packet in found:
        if packet.tag in {_SECRET, _SECRET_SUBKEY}:
            raise FormatError("it holds a SECRET key: everybody who can read the repository has it; make a new one")
        if packet.tag not in _ALLOWED:
            raise FormatError(f"it holds a packet of type {packet.tag}, which belongs into no certificate")
        if (packet.tag == _PRIMARY) != (not parts):
            raise FormatError("it holds more than one primary key" if parts else "it does not begin with a primary key")
        if packet.tag == SIGNATURE_PACKET:
            parts[-1][1].append(packet)
        else:
            parts.append((packet, []))
    if not parts:
        raise FormatError("it is empty")
    return parts


def _kind(signature: Packet) -> int:
    """The type of a signature; -1 for one of another version."""
    return signature.body[1] if signature.body[:1] == b"\x04" and len(signature.body) > 1 else -1


def _may_sign(signatures: Sequence[Packet], kinds: frozenset[int], *, unsaid: bool) -> bool:
    """C3: whether a signature of one of `kinds` allows to sign; `unsaid` when none says what the key is for."""
    flags = [found for packet in signatures if _kind(packet) in kinds for found in _key_flags(packet)]
    return any(flag & _MAY_SIGN for flag in flags) if flags else unsaid


def _key_flags(signature: Packet) -> list[int]:
    reader = Reader(signature.body[4:])
    return [content[0] for kind, content in subpackets(reader.take(reader.number(2))) if kind == _KEY_FLAGS and content]


def _made_by(signature: OpenpgpSignature, key: PublicKey) -> bool:
    named = key.fingerprint == signature.issuer if signature.issuer else key.fingerprint.endswith(signature.key_id)
    fits = signature.algorithm == key.algorithm and (not key.modulus or 0 < signature.number < key.modulus)
    return named and fits
