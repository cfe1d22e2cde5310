"""Signatures that plainly do not hold: found by arithmetic here, so that no program is started for each. Pure.

Whoever may push to the statements can push thousands in a root's name, and they stay there: ssh-keygen, asked about
each in every run, would take minutes. What is not called forged here has proven nothing: ssh-keygen decides.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from haoam_sync.trust.sshsig import SshClaim, ed25519_parts


def is_forged(claim: SshClaim) -> bool:
    """Whether the signature is of an ed25519 key, on a token or not, and does not hold over the payload.

    https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig and PROTOCOL.u2f beside it.
    """
    found = ed25519_parts(claim.signature)
    if found is None:
        return False
    hashed = hashlib.new(found.hash, claim.payload).digest()
    signed = b"SSHSIG" + b"".join(map(_string, (claim.namespace.encode(), b"", found.hash.encode(), hashed)))
    if found.application is not None:
        signed = hashlib.sha256(found.application).digest() + found.tail + hashlib.sha256(signed).digest()
    try:
        Ed25519PublicKey.from_public_bytes(found.point).verify(found.signature, signed)
    except (InvalidSignature, ValueError):
        return True
    return False


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
