"""Signatures of commits and of statements, of either kind, as they claim to be. Pure."""

from __future__ import annotations

from typing import TypeAlias

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import Envelope
from haoam_sync.trust import pgpsig, sshsig
from haoam_sync.trust.grammar import ParsedCommit
from haoam_sync.trust.pgpsig import OpenpgpClaim
from haoam_sync.trust.sshsig import COMMIT_NAMESPACE, FormatError, SshClaim

Claim: TypeAlias = SshClaim | OpenpgpClaim
"""A signature, and the bytes that it should cover. It has `fingerprint` (for messages), `namespace` and `identity`."""


def commit_claim(commit: ParsedCommit) -> Claim:
    """Who signed a commit, as the commit says.

    Raises:
        NotTrustedError: E_UNSIGNED, E_SIG_ARMOR, E_SIG_MULTIPLE, E_SIG_NAMESPACE.
    """
    commit.require_signature()
    claim: Claim
    if commit.kind == "ssh":
        claim = SshClaim(sshsig.commit_signature(commit.armor, commit.id), commit.payload)
    else:
        claim = OpenpgpClaim(pgpsig.commit_signature(commit.armor, commit.id), commit.payload)
    require_namespace(claim, COMMIT_NAMESPACE, commit.id)
    return claim


def statement_claim(envelope: Envelope, where: str) -> Claim:
    """Who signed a statement, as its envelope says.

    Raises:
        NotTrustedError: E_SIG_ARMOR, E_SIG_MULTIPLE; E_STATEMENT_SIGNER, the envelope names another key.
    """
    try:
        if not envelope.keyid.startswith("SHA256:"):
            return OpenpgpClaim(pgpsig.parse_signature(envelope.signature), envelope.signed, envelope.keyid)
        signature = sshsig.parse_signature(envelope.signature)
    except FormatError as error:
        raise NotTrustedError(
            f"the signature of a review statement can not be read: {error}",
            code="E_SIG_MULTIPLE" if isinstance(error, pgpsig.SeveralError) else "E_SIG_ARMOR",
            where=where,
            hint="review again with haoam-sync review",
        ) from error
    if signature.fingerprint != envelope.keyid:
        raise NotTrustedError(
            f"a review statement names the key {envelope.keyid}, and is signed by {signature.fingerprint}",
            code="E_STATEMENT_SIGNER",
            where=where,
            hint="review again with haoam-sync review",
        )
    return SshClaim(signature, envelope.signed)


def require_namespace(claim: Claim, namespace: str, where: str) -> None:
    """Refuse a signature that was made for something else.

    Raises:
        NotTrustedError: E_SIG_NAMESPACE.
    """
    if claim.namespace != namespace:
        raise NotTrustedError(
            f"the signature was made for {claim.namespace!r}, not for {namespace!r}",
            code="E_SIG_NAMESPACE",
            where=where,
            hint="sign commits with git commit -S, and reviews with haoam-sync review",
        )
