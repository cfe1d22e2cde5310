"""git objects by their ids: nobody is believed about what an id stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from haoam_sync.errors import NotTrustedError


class Objects(Protocol):
    """Where objects come from: our own repository, or a dictionary in a test."""

    def read_many(self, ids: Sequence[str], kind: str) -> list[bytes]:
        """The content of several objects of one kind, in the order of `ids`.

        Raises:
            NotTrustedError: one is not there, is of another kind, or its bytes are not those of its id.
        """


def object_id(kind: str, content: bytes) -> str:
    """The id that git gives to an object: SHA-1 of a header and the content."""
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def object_sha256(kind: str, content: bytes) -> bytes:
    """The id that the same object has in git's SHA-256 format, when what it names is named in that format too."""
    return hashlib.sha256(f"{kind} {len(content)}\0".encode() + content).digest()


def require_id(oid: str, kind: str, content: bytes) -> None:
    """Refuse bytes that are not those of their id.

    Raises:
        NotTrustedError: E_OID_MISMATCH.
    """
    actual = object_id(kind, content)
    if actual != oid:
        raise NotTrustedError(
            f"object {oid} holds other bytes: they hash to {actual}",
            code="E_OID_MISMATCH",
            where=oid,
            hint="somebody replaced an object; run `git fsck --full` and look for refs/replace, grafts, alternates",
        )
