"""SSH public keys and signatures, as bytes. Pure: what a signature claims, before ssh-keygen is asked whether it holds.

Format: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig. Algorithms: ed25519, sk-ed25519, ECDSA
on P-256 with low s (ECDSA signatures are malleable), RSA of 3,072 bits or more with SHA-2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from haoam_sync.errors import NotTrustedError

COMMIT_NAMESPACE = "git"
REVIEW_NAMESPACE = "haoam-review@v1"

_MAGIC = b"SSHSIG"
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"
_WIDTH = 70  # of ssh-keygen's armor; other signers' may differ
_WIDTHS = range(60, 77)
_HASHES = frozenset({"sha256", "sha512"})
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
_ED25519_BYTES = 64
_ED25519_KEY_BYTES = 32
_P256_POINT_BYTES = 65
_RSA_BITS = 3072
_RSA_MOST_BITS = 16_384
_RSA_EXPONENT = 65_537


class FormatError(ValueError):
    """Bytes that are no key or no signature of the allowed kinds."""


@dataclass(frozen=True, slots=True)
class SshSignature:
    """What an SSHSIG blob claims.

    Attributes:
        public: the public key, as `TYPE BASE64`.
        namespace: what it was made for.
        blob: the whole signature, binary.
    """

    public: str
    namespace: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """Of the public key, as ssh-keygen writes it."""
        return fingerprint(self.public)

    @property
    def armor(self) -> bytes:
        """The form that ssh-keygen reads."""
        return encode_armor(self.blob)


@dataclass(frozen=True, slots=True)
class SshClaim:
    """A signature, and the bytes that it should cover.

    Attributes:
        signature: as parsed; its public key and namespace are what it claims.
        payload: what was signed.
    """

    signature: SshSignature
    payload: bytes = field(repr=False)

    @property
    def identity(self) -> str:
        """A digest of both: what an answer about it is remembered by."""
        parts = (self.signature.blob, self.payload)
        return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Of the key that should have made it."""
        return self.signature.fingerprint

    @property
    def namespace(self) -> str:
        """What it was made for."""
        return self.signature.namespace


class _Reader:
    """SSH's wire encoding (RFC 4251, section 5)."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        if size > len(self._data):
            raise FormatError("it is cut short")
        part, self._data = self._data[:size], self._data[size:]
        return part

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            return self.string().decode("ascii")
        except UnicodeDecodeError as error:
            raise FormatError("a name in it is not ASCII") from error

    def positive(self) -> int:
        """A positive mpint, in its shortest form."""
        data = self.string()
        value = int.from_bytes(data, "big", signed=True)
        if value <= 0 or len(data) != value.bit_length() // 8 + 1:
            raise FormatError("a number in it is not in its shortest form")
        return value

    def end(self) -> None:
        if self._data:
            raise FormatError("bytes follow its end")


def parse_public(text: str) -> bytes:
    """The blob of a public key written `TYPE BASE64`.

    Raises:
        FormatError: the type is not allowed, the key is too short, or the text is not exactly what would be written.
    """
    kind, _, encoded = text.partition(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise FormatError("the key is not base64") from error
    reader = _Reader(blob)
    if reader.text() != kind:
        raise FormatError("the key is of another type than it says")
    checks = _KEYS.get(kind)
    if checks is None:
        raise FormatError(f"keys of type {kind!r} are not allowed; use ed25519")
    checks(reader)
    reader.end()
    if _public_text(kind, blob) != text:
        raise FormatError("write the key as TYPE BASE64, without options or a comment")
    return blob


def fingerprint(public: str) -> str:
    """`SHA256:...`, as ssh-keygen writes it."""
    blob = base64.b64decode(public.partition(" ")[2])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def parse_signature(blob: bytes) -> SshSignature:
    """Read an SSHSIG blob.

    Raises:
        FormatError: it is not exactly one signature by an allowed algorithm.
    """
    reader = _Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC or reader.number() != 1:
        raise FormatError("it is no SSH signature of version 1")
    key = reader.string()
    namespace = reader.text()
    if reader.string():
        raise FormatError("a reserved field of it is not empty")
    if reader.text() not in _HASHES:
        raise FormatError("its hash is neither SHA-256 nor SHA-512")
    inner = _Reader(reader.string())
    reader.end()
    kind = _Reader(key).text()
    public = _public_text(kind, key)
    parse_public(public)
    algorithm = inner.text()
    checks = _SIGNATURES.get((kind, algorithm))
    if checks is None:
        raise FormatError(f"signatures by {algorithm!r} with a {kind} key are not allowed")
    checks(inner)
    inner.end()
    return SshSignature(public, namespace, blob)


@dataclass(frozen=True, slots=True)
class Ed25519Parts:
    """What a signature of an ed25519 key is made of.

    Attributes:
        point: the public key.
        signature: 64 bytes.
        hash: name of the hash of the payload.
        application: of a key on a token; None for other keys.
        tail: of a key on a token, its flags and counter.
    """

    point: bytes
    signature: bytes
    hash: str
    application: bytes | None = None
    tail: bytes = b""


def ed25519_parts(signature: SshSignature) -> Ed25519Parts | None:
    """The parts of a signature that was read before; None for keys of other types."""
    reader = _Reader(signature.blob)
    reader.take(len(_MAGIC) + 4)
    key, _, _, digest, inner = (
        _Reader(reader.string()),
        reader.string(),
        reader.string(),
        reader.text(),
        reader.string(),
    )
    kind, made = key.text(), _Reader(inner)
    if "ed25519" not in kind:
        return None
    point = key.string()
    made.text()
    if kind == "ssh-ed25519":
        return Ed25519Parts(point, made.string(), digest)
    return Ed25519Parts(point, made.string(), digest, key.string(), made.take(5))


def decode_armor(armor: bytes) -> bytes:
    """The blob in an armor of exactly the form that `ssh-keygen -Y sign` writes; the width of its lines is free.

    Raises:
        FormatError: it is anything else.
    """
    lines = armor.split(b"\n")
    if len(lines) < 4 or lines[0] != _BEGIN or lines[-2] != _END or lines[-1]:  # noqa: PLR2004  # begin, body, end, ""
        raise FormatError("it is no armored SSH signature")
    body = lines[1:-2]
    width = len(body[0])
    uneven = any(len(line) != width for line in body[:-1]) or not 0 < len(body[-1]) <= width
    if uneven or (len(body) > 1 and width not in _WIDTHS):
        raise FormatError("the lines of its armor are uneven")
    joined = b"".join(body)
    try:
        blob = base64.b64decode(joined, validate=True)
    except (ValueError, binascii.Error) as error:
        raise FormatError("its armor is not base64") from error
    if base64.b64encode(blob) != joined:
        raise FormatError("its armor is not base64 as it is written")
    return blob


def encode_armor(blob: bytes) -> bytes:
    """The armor that ssh-keygen writes."""
    text = base64.b64encode(blob)
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return b"\n".join([_BEGIN, *lines, _END, b""])


def commit_signature(armor: bytes, oid: str) -> SshSignature:
    """The signature of a commit.

    Raises:
        NotTrustedError: E_SIG_ARMOR.
    """
    try:
        return parse_signature(decode_armor(armor))
    except FormatError as error:
        raise NotTrustedError(
            f"the commit's signature can not be read: {error}",
            code="E_SIG_ARMOR",
            where=oid,
            hint="sign it again: git commit --amend -S --no-edit (an ECDSA signature with a high s is refused: sign "
            "until it is low, or use an ed25519 key)",
        ) from error


def _public_text(kind: str, blob: bytes) -> str:
    return f"{kind} {base64.b64encode(blob).decode()}"


def _ed25519_key(reader: _Reader) -> None:
    if len(reader.string()) != _ED25519_KEY_BYTES:
        raise FormatError("an ed25519 key has 32 bytes")


def _sk_ed25519_key(reader: _Reader) -> None:
    _ed25519_key(reader)
    reader.text()  # the application, "ssh:" in general


def _p256_key(reader: _Reader) -> None:
    curve, point = reader.text(), reader.string()
    if curve != "nistp256" or len(point) != _P256_POINT_BYTES or point[0] != 4:  # noqa: PLR2004  # 4: uncompressed
        raise FormatError("an ECDSA key is an uncompressed point on nistp256")


def _rsa_key(reader: _Reader) -> None:
    exponent, modulus = reader.positive(), reader.positive()
    if not _RSA_BITS <= modulus.bit_length() <= _RSA_MOST_BITS or exponent < _RSA_EXPONENT or not exponent & 1:
        raise FormatError("an RSA key has 3,072 bits or more, and an exponent of 65,537 or more")


def _ed25519(reader: _Reader) -> None:
    data = reader.string()
    if len(data) != _ED25519_BYTES or int.from_bytes(data[32:], "little") >= _ED25519_ORDER:
        raise FormatError("its ed25519 signature is not in canonical form")


def _sk_ed25519(reader: _Reader) -> None:
    _ed25519(reader)
    flags = reader.take(1)[0]
    reader.take(4)  # the counter
    if not flags & 1:
        raise FormatError("nobody touched the security key")


def _p256(reader: _Reader) -> None:
    numbers = _Reader(reader.string())
    r, s = numbers.positive(), numbers.positive()
    numbers.end()
    if r >= _P256_ORDER or s > _P256_ORDER // 2:
        raise FormatError("its ECDSA signature has a high s")


def _rsa(reader: _Reader) -> None:
    reader.string()


_KEYS: dict[str, Callable[[_Reader], None]] = {
    "ssh-ed25519": _ed25519_key,
    "sk-ssh-ed25519@openssh.com": _sk_ed25519_key,
    "ecdsa-sha2-nistp256": _p256_key,
    "ssh-rsa": _rsa_key,
}
_SIGNATURES: dict[tuple[str, str], Callable[[_Reader], None]] = {
    ("ssh-ed25519", "ssh-ed25519"): _ed25519,
    ("sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519@openssh.com"): _sk_ed25519,
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"): _p256,
    ("ssh-rsa", "rsa-sha2-256"): _rsa,
    ("ssh-rsa", "rsa-sha2-512"): _rsa,
}
