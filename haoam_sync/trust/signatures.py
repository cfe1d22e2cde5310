"""S1 and S2: who signed the commits that a step brings in. Pure; whether a signature holds was proven before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Protocol

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import Signer
from haoam_sync.trust.certificate import Certificate
from haoam_sync.trust.claims import Claim, commit_claim
from haoam_sync.trust.grammar import ParsedCommit
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.policy import AUTHOR, MERGER, KeyUse, LoadedPolicy


class Proofs(Protocol):
    """What is found out about signatures outside of the judgement."""

    @property
    def denied(self) -> frozenset[str]:
        """Fingerprints and ids (`PRINCIPAL/KEY`) of keys that the host's denylist or the roots call compromised."""

    def holds(self, claim: Claim, certificate: Certificate | None) -> bool:
        """Whether the signature is good over its payload, by the public key that it names, for its namespace.

        `certificate` is the policy's, of an OpenPGP key; None for SSH keys.
        """


def claims(graph: Graph, commits: Iterable[str]) -> Iterator[Claim]:
    """The signatures of commits as they claim to be, to be proven. What can not be read is passed over: S1 names it."""
    for oid in commits:
        try:
            yield commit_claim(graph.commit(oid))
        except NotTrustedError:
            continue


def signed_by(
    graph: Graph,
    policy: LoadedPolicy,
    proofs: Proofs,
    commits: tuple[str, ...],
    merge: str,
    at: datetime,
    by_forge: Collection[str] = (),
) -> tuple[Signer, ...]:
    """S1: the signer of each of `commits`, in their order.

    Args:
        graph: where the commits are.
        policy: the one of the step's base.
        proofs: signatures that hold.
        commits: every commit of the step.
        merge: the one of them that a principal of role `merger` may sign; "" for none.
        at: when keys are judged.
        by_forge: those of them that a forge's own key may sign; what they hold is for the caller to check.

    Raises:
        NotTrustedError: E_UNSIGNED, E_COMMIT_FORMAT, E_SIG_..., E_KEY_..., E_ROLE, E_FORGE_KEY_ALONE.
    """
    return tuple(
        _signer(graph.commit(oid), policy, proofs, at, may_merge=oid == merge, by_forge=oid in by_forge)
        for oid in commits
    )


def forge_signed(graph: Graph, policy: LoadedPolicy, oid: str) -> bool:
    """Whether a commit claims to be signed by a forge's own key. Nothing is proven by that."""
    try:
        use = policy.key_of(commit_claim(graph.commit(oid)))
    except NotTrustedError:
        return False
    return use is not None and not use.principal


def only_forge(oid: str, why: str, hint: str) -> NotTrustedError:
    """The refusal of a commit that nobody but the forge signed."""
    return NotTrustedError(
        f"only the forge signed the commit, which says where it was made and not by whom: {why}",
        code="E_FORGE_KEY_ALONE",
        where=oid,
        hint=hint,
    )


def _signer(
    commit: ParsedCommit, policy: LoadedPolicy, proofs: Proofs, at: datetime, *, may_merge: bool, by_forge: bool
) -> Signer:
    claim = commit_claim(commit)
    use = require_key(policy, claim, proofs, at, commit.id)
    roles = policy.spec.roles_of(use.principal)
    authors = ", ".join(sorted(policy.spec.members(AUTHOR)))
    if not use.principal and not by_forge:
        raise only_forge(
            commit.id, "it is no merge that adds nothing", f"somebody of the role {AUTHOR} signs it: {authors}"
        )
    if use.principal and AUTHOR not in roles and not (may_merge and MERGER in roles):
        raise NotTrustedError(
            f"{use.principal} signed the commit, but has not the role {AUTHOR}",
            code="E_ROLE",
            where=commit.id,
            hint=f"somebody of the role {AUTHOR} signs it: {authors}",
        )
    return Signer(commit.id, use.principal, use.key.id)


def require_key(policy: LoadedPolicy, claim: Claim, proofs: Proofs, at: datetime, where: str) -> KeyUse:
    """The active key of the policy that made a signature which holds.

    Raises:
        NotTrustedError: E_KEY_UNKNOWN, E_KEY_REVOKED, E_SIG_INVALID, E_KEY_RETIRED, E_KEY_EXPIRED.
    """
    use = policy.key_of(claim)
    if use is None:
        raise NotTrustedError(
            f"the key {claim.fingerprint} that signed it is nobody's in the policy (serial {policy.spec.serial})",
            code="E_KEY_UNKNOWN",
            where=where,
            hint="a key counts from the change after the one that adds it to trust.yaml",
        )
    if use.revoked or not proofs.denied.isdisjoint(use.names):
        raise NotTrustedError(
            f"key {use.key.id} of {use.principal} ({claim.fingerprint}) is "
            + ("revoked by its own certificate" if use.revoked else "compromised"),
            code="E_KEY_REVOKED",
            where=where,
            hint="nothing that it signed counts any more; make the change again with another key",
        )
    if not proofs.holds(claim, use.certificate):
        raise NotTrustedError(
            f"the signature by key {use.key.id} of {use.principal} does not hold over these bytes",
            code="E_SIG_INVALID",
            where=where,
            hint="sign it again",
        )
    policy.require_usable(use, at, where)
    return use


def key_of(graph: Graph, policy: LoadedPolicy, proofs: Proofs, oid: str, at: datetime) -> KeyUse | None:
    """The active key of `policy` that signed a commit; None when none did."""
    try:
        return require_key(policy, commit_claim(graph.commit(oid)), proofs, at, oid)
    except NotTrustedError:
        return None
