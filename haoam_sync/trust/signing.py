"""What a person signs statements with: an SSH key, or an OpenPGP key that gpg has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from haoam_sync.errors import UsageError
from haoam_sync.model.evidence import Envelope, encode_envelope, pre_authentication
from haoam_sync.trust import openpgp, ssh
from haoam_sync.trust.policy import KeyUse, LoadedPolicy
from haoam_sync.trust.sshsig import REVIEW_NAMESPACE, fingerprint

_FINGERPRINT = re.compile(r"(?:0x)?((?:[0-9A-Fa-f]{4} *){10})")


@dataclass(frozen=True)
class SshSigningKey:
    """An SSH private key, or the public one of a key in the agent.

    Attributes:
        path: its file.
    """

    path: Path

    @cached_property
    def public(self) -> str:
        """`TYPE BASE64`.

        Raises:
            UsageError: E_SIGN, it can not be read.
        """
        return ssh.public_of(self.path)

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen writes it."""
        return fingerprint(self.public)

    @property
    def for_git(self) -> Path:
        """What git signs commits with."""
        return self.path

    def owner(self, policy: LoadedPolicy) -> KeyUse | None:
        """Whose key it is; None when it is nobody's."""
        return policy.ssh_key(self.public)

    def statement(self, payload: bytes, _use: KeyUse) -> bytes:
        """The envelope of a statement, signed.

        Raises:
            UsageError: E_SIGN.
        """
        signature = ssh.sign(pre_authentication(payload), self.path, REVIEW_NAMESPACE)
        return encode_envelope(Envelope(payload, signature.fingerprint, signature.blob))


@dataclass(frozen=True)
class OpenpgpSigningKey:
    """A key of the user's own gpg.

    Attributes:
        fingerprint: of the primary key, or of a subkey: 40 hex digits, capitals.
    """

    fingerprint: str

    @property
    def for_git(self) -> str:
        """What git signs commits with."""
        return self.fingerprint

    def owner(self, policy: LoadedPolicy) -> KeyUse | None:
        """Whose key it is; None when it is nobody's."""
        return policy.openpgp_key(self.fingerprint)

    def statement(self, payload: bytes, use: KeyUse) -> bytes:
        """The envelope of a statement, signed.

        Raises:
            UsageError: E_SIGN.
        """
        signature = openpgp.sign(pre_authentication(payload), self.fingerprint)
        if use.certificate is None or use.certificate.signer(signature) is None:
            raise UsageError(
                f"gpg signed with {signature.fingerprint}, which is not in {use.principal}'s certificate in the policy",
                code="E_SIGN",
                where=self.fingerprint,
                hint="name the key that it holds, or put the new certificate into keys/ by a change of the policy",
            )
        return encode_envelope(Envelope(payload, use.certificate.fingerprint, signature.blob))


SigningKey: TypeAlias = SshSigningKey | OpenpgpSigningKey
"""What signs. It has `fingerprint`, `owner`, `statement` and `for_git`."""


def signing_key(text: str) -> SigningKey:
    """Read what `--key` names: the file of an SSH key, or the fingerprint of an OpenPGP key (40 hex digits)."""
    found = _FINGERPRINT.fullmatch(text.strip())
    if found is not None and not Path(text).exists():
        return OpenpgpSigningKey(found[1].replace(" ", "").upper())
    return SshSigningKey(Path(text))
