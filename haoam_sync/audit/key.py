"""The key of the log's digests.

Beside a redacted body, a plain digest of the whole body would let anybody try passwords against it. With a key that
stays on the host, equal bytes still give equal digests, and nobody else can try.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from haoam_sync.audit.files import is_ours, own_directory, sync_directory
from haoam_sync.errors import AuditError

KEY_FILE: Final = "audit.key"
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class AuditKey:
    """32 secret bytes."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"an audit key has {KEY_BYTES} bytes")

    @property
    def id(self) -> str:
        """A public name of the key: says which key made a digest, and nothing about it."""
        return hmac.digest(self.secret, b"haoam audit key id", hashlib.sha256).hex()[:16]

    def digest(self, data: bytes) -> str:
        """`hmac-sha256:` and the hex HMAC-SHA256 (RFC 2104) of `data`."""
        return "hmac-sha256:" + hmac.digest(self.secret, data, hashlib.sha256).hex()


def load_key(state_directory: Path, *, random: Callable[[int], bytes] = os.urandom) -> AuditKey:
    """The key of `state_directory`, made there at the first call.

    Args:
        state_directory: HAOAM_STATE; made with mode 0700 when it is not there.
        random: gives so many random bytes.

    Raises:
        AuditError: the file cannot be read or made, others may read it, or it is no key. A key is never replaced.
    """
    path = state_directory / KEY_FILE
    try:
        own_directory(state_directory)
        try:
            return _read(path)
        except FileNotFoundError:
            _create(path, random(KEY_BYTES))
            return _read(path)
    except OSError as error:
        raise AuditError(
            f"the audit key cannot be read or made: {error.strerror}",
            code="E_AUDIT_WRITE",
            where=str(path),
            hint="give this account a state directory of its own (--state, HAOAM_STATE)",
        ) from error


def _read(path: Path) -> AuditKey:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        mode = status.st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077 or not is_ours(status):
            raise AuditError(
                "the audit key must be a plain file that only its owner can read",
                code="E_AUDIT_KEY",
                where=str(path),
                hint=f"chmod 600 {path}; if others could read it, they can try secrets against the digests in the log",
            )
        secret = file.read(KEY_BYTES + 1)
    if len(secret) != KEY_BYTES:
        raise AuditError(
            f"the audit key has not {KEY_BYTES} bytes",
            code="E_AUDIT_KEY",
            where=str(path),
            hint="put the key back from a copy; without it a new one is made, whose digests compare with no old one",
        )
    return AuditKey(secret)


def _create(path: Path, secret: bytes) -> None:
    """Put a complete key there, or leave the one that somebody else put there meanwhile."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        sync_directory(path.parent)
    finally:
        draft.unlink(missing_ok=True)
