"""OpenPGP's armor, packets, numbers and public keys, as bytes. Pure, and narrower than the format allows.

Format: RFC 4880 and RFC 9580, version 4 only. What gpg writes is read; what only parsers disagree about (partial
lengths, numbers with leading zeros, armor with headers) is refused before any other program sees it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from haoam_sync.trust.sshsig import FormatError

SIGNATURE_ARMOR, KEY_ARMOR, SECRET_ARMOR = "PGP SIGNATURE", "PGP PUBLIC KEY BLOCK", "PGP PRIVATE KEY BLOCK"

RSA, ECDSA, EDDSA, ED25519 = 1, 19, 22, 27
"""Public-key algorithms that may sign (RFC 9580, section 9.1); 22 is gpg's ed25519, 27 that of RFC 9580."""
RSA_LEAST_BITS = 3072
RSA_MOST_BITS = 16_384

_WIDTH = 64
_CRC_START, _CRC_POLYNOMIAL, _CRC_MASK = 0xB704CE, 0x1864CFB, 0xFFFFFF
_VERSION = 4
_CURVES = {EDDSA: "2b06010401da470f01", ECDSA: "2a8648ce3d030107"}
_POINT_BYTES = {EDDSA: (0x40, 33), ECDSA: (0x04, 65)}
_EXPONENT = 65_537
_ED25519_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet.

    Attributes:
        tag: what it is.
        body: its content.
        shortest: whether its length is written in the shortest form of its kind.
    """

    tag: int
    body: bytes
    shortest: bool


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of version 4.

    Attributes:
        fingerprint: 40 hex digits, upper case.
        algorithm: by number.
        weakness: why nothing that it signs is believed; "" when it is of the allowed kinds.
        modulus: of an RSA key; 0 for others.
    """

    fingerprint: str
    algorithm: int
    weakness: str
    modulus: int = 0


class Reader:
    """Bytes, taken from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._place = 0

    @property
    def left(self) -> int:
        """How many bytes were not taken yet."""
        return len(self._data) - self._place

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        part = bytes(self._data[self._place : self._place + size])
        if len(part) != size:
            raise FormatError("it is cut short")
        self._place += size
        return part

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def integer(self) -> bytes:
        """A multiprecision integer, as bytes, in its only form."""
        bits = self.number(2)
        data = self.take((bits + 7) // 8)
        if int.from_bytes(data, "big").bit_length() != bits:
            raise FormatError("a number in it is not in its shortest form")
        return data

    def end(self) -> None:
        """Refuse more."""
        if self.left:
            raise FormatError("bytes follow its end")


def decode_armor(armor: bytes, kind: str) -> bytes:
    """The bytes in one armor as gpg writes it: no headers, lines of 64, a checksum that is right where there is one.

    Raises:
        FormatError: it is anything else.
    """
    lines = armor.split(b"\n")
    begin, end = f"-----BEGIN {kind}-----".encode(), f"-----END {kind}-----".encode()
    if len(lines) < 5 or lines[0] != begin or lines[-2] != end or lines[-1]:  # noqa: PLR2004  # begin, "", body, end, ""
        raise FormatError(f"it is no armored {kind}")
    if lines[1]:
        raise FormatError("its armor has headers (gpg.conf: no-emit-version, no-comments)")
    body = lines[2:-2]
    checksum = body.pop() if body[-1].startswith(b"=") else None
    if not body or any(len(line) != _WIDTH for line in body[:-1]) or not 0 < len(body[-1]) <= _WIDTH:
        raise FormatError("the lines of its armor are uneven")
    joined = b"".join(body)
    try:
        data = base64.b64decode(joined, validate=True)
    except (ValueError, binascii.Error) as error:
        raise FormatError("its armor is not base64") from error
    if base64.b64encode(data) != joined:
        raise FormatError("its armor is not base64 as it is written")
    if checksum is not None and checksum != _checksum(data):
        raise FormatError("the checksum of its armor is wrong")
    return data


def encode_armor(data: bytes, kind: str) -> bytes:
    """The armor that gpg writes."""
    text = base64.b64encode(data)
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    ends = [f"-----{word} {kind}-----".encode() for word in ("BEGIN", "END")]
    return b"\n".join([ends[0], b"", *lines, _checksum(data), ends[1], b""])


def packets(data: bytes) -> Iterator[Packet]:
    """Every packet, in order.

    Raises:
        FormatError: it is cut short, or a length is partial or open.
    """
    reader = Reader(data)
    while reader.left:
        first = reader.number(1)
        if not first & 0x80:
            raise FormatError("it is no OpenPGP packet")
        size, shortest = _new_length(reader) if first & 0x40 else _old_length(reader, first & 3)
        yield Packet(first & 0x3F if first & 0x40 else first >> 2 & 0xF, reader.take(size), shortest)


def public_key(body: bytes) -> PublicKey:
    """The key of a public-key or public-subkey packet.

    Raises:
        FormatError: it is of another version than 4, or malformed.
    """
    reader = Reader(body)
    if reader.number(1) != _VERSION:
        raise FormatError("a key in it is not of version 4")
    reader.take(4)  # when it was made, in its owner's words
    algorithm = reader.number(1)
    fingerprint = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()
    if algorithm == RSA:
        modulus, exponent = (int.from_bytes(reader.integer(), "big") for _ in range(2))
        reader.end()
        fits = RSA_LEAST_BITS <= modulus.bit_length() <= RSA_MOST_BITS and exponent >= _EXPONENT and exponent & 1
        return PublicKey(fingerprint, RSA, "" if fits else "an RSA key has 3,072 bits or more", modulus)
    if algorithm in _CURVES:
        curve = reader.take(reader.number(1)).hex()
        point = reader.integer()
        reader.end()
        lead, size = _POINT_BYTES[algorithm]
        fits = curve == _CURVES[algorithm] and len(point) == size and point[0] == lead
        return PublicKey(fingerprint, algorithm, "" if fits else "its curve is neither ed25519 nor NIST P-256")
    if algorithm == ED25519 and reader.left == _ED25519_KEY_BYTES:
        return PublicKey(fingerprint, ED25519, "")
    return PublicKey(fingerprint, algorithm, f"algorithm {algorithm} is not allowed; use ed25519")


def subpackets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type (without the critical bit) and content of each subpacket of a signature.

    Raises:
        FormatError: it is cut short.
    """
    reader = Reader(data)
    while reader.left:
        size, _ = _new_length(reader, partial=False)
        if not size:
            raise FormatError("a subpacket in it is empty")
        yield reader.number(1) & 0x7F, reader.take(size - 1)


def _new_length(reader: Reader, *, partial: bool = True) -> tuple[int, bool]:
    """RFC 9580, sections 4.2.1 and 5.2.3.7 (where there are no partial lengths, and two bytes reach further)."""
    first = reader.number(1)
    if first < 192:  # noqa: PLR2004  # one byte
        return first, True
    if first < (224 if partial else 255):
        return (first - 192 << 8) + reader.number(1) + 192, True
    if first != 255:  # noqa: PLR2004  # five bytes
        raise FormatError("a length in it is partial")
    size = reader.number(4)
    return size, size > 8383  # noqa: PLR2004  # the most that two bytes can say


def _old_length(reader: Reader, kind: int) -> tuple[int, bool]:
    """RFC 9580, section 4.2.2."""
    if kind == 3:  # noqa: PLR2004  # indeterminate
        raise FormatError("a length in it is open")
    size = reader.number(1 << kind)
    return size, kind == 0 or size >= 1 << 8 * (1 << (kind - 1))


def _checksum(data: bytes) -> bytes:
    """RFC 9580, section 6.1."""
    crc = _CRC_START
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC_POLYNOMIAL
    return b"=" + base64.b64encode((crc & _CRC_MASK).to_bytes(3, "big"))
