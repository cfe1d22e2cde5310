"""Making a statement of a root: a freeze, a thaw, a compromise, an affirmation.

Who may say it is checked before anything is signed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.evidence import Policy, Seen, format_time
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.root_statement import (
    Affirm,
    Compromise,
    CompromisedKey,
    Freeze,
    RootStatement,
    Thaw,
    encode_root_statement,
    statement_digest,
)
from haoam_sync.model.trust_policy import SshKey
from haoam_sync.repository import Repository
from haoam_sync.trust.case import Case
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.policy import ROOT, LoadedPolicy
from haoam_sync.trust.proofs import Answers
from haoam_sync.trust.review import push_statement
from haoam_sync.trust.root import read_denylist
from haoam_sync.trust.running import Questioned
from haoam_sync.trust.signing import SigningKey
from haoam_sync.trust.sshsig import fingerprint
from haoam_sync.trust.standing import Standing, standing
from haoam_sync.trust.statements import read_log


@dataclass(frozen=True)
class RootWord:
    """A root at work: what is in force, and the key to say something with.

    Attributes:
        repository: where statements go.
        root: who is trusted to begin with.
        policy: of the commit accepted last.
        standing: what is in force.
        key: of the root.
        principal: whose it is.
        key_id: what the policy calls it.
        now: the one reading of the clock.
    """

    repository: Repository
    root: HostRoot
    policy: LoadedPolicy
    standing: Standing
    key: SigningKey
    principal: str
    key_id: str
    now: datetime

    def freeze(self, reason: str) -> Freeze:
        """Nothing new is to be accepted."""
        return Freeze(**self._said(), reason=reason)

    def thaw(self, freeze: str, reason: str) -> Thaw:
        """This root's part in lifting a freeze; `freeze` is its id, or "" for the only one.

        Of several with one id (who freezes chooses it), the oldest: then the next.

        Raises:
            UsageError: there is no such freeze in force, or several.
        """
        found = [one for one, _ in self.standing.freezes if freeze in {"", one.id}]
        if len({one.id for one in found}) != 1:
            there = ", ".join(one.id for one, _ in self.standing.freezes) or "none"
            raise UsageError(
                "there is no such freeze in force" if not found else "several freezes are in force",
                hint=f"name one of these: {there}" if there != "none" else "nothing is frozen",
            )
        return Thaw(**self._said(), freeze=found[0].id, freeze_digest=statement_digest(found[0]), reason=reason)

    def compromise(self, principal: str, key: str, reason: str, *, since: str = "") -> Compromise:
        """Nothing that a key of the policy ever signed is to count; what it did up to the commit `since`, is.

        Raises:
            UsageError: the policy has no such key.
        """
        owner = self.policy.spec.principals.get(principal)
        found = next((one for one in owner.keys if one.id == key), None) if owner is not None else None
        if found is None:
            raise UsageError(
                f"the policy (serial {self.policy.spec.serial}) has no key {principal}/{key}",
                hint="write PRINCIPAL/KEY as trust.yaml does; a key that is not there any more goes on the denylist",
            )
        print_of = fingerprint(found.public) if isinstance(found, SshKey) else found.fingerprint
        return Compromise(
            **self._said(),
            compromised=CompromisedKey(principal=principal, key=key, fingerprint=print_of),
            since=since or None,
            reason=reason,
        )

    def affirm(self, found: Questioned, reason: str) -> Affirm:
        """This root's part in letting a commit stand, and what it builds on.

        Raises:
            UsageError: nothing is held against it.
        """
        commit = found.commit
        keys = frozenset[str]().union(*(rests.names for rests in found.resting))
        if not keys:
            raise UsageError(
                f"{commit.id} rests on no key that is compromised", hint="haoam-sync trust verify says what is wrong"
            )
        names = tuple(sorted(keys))
        return Affirm(**self._said(), commit=commit.id, tree_sha256=commit.tree_sha256, keys=names, reason=reason)

    def say(self, said: RootStatement) -> None:
        """Sign it, and push it to the statements.

        Raises:
            UsageError: the key can not sign, or the source can not be written.
        """
        use = self.key.owner(self.policy)
        if use is None:
            raise AssertionError("the key was the root's a moment ago")
        push_statement(self.repository, self.key.statement(encode_root_statement(said), use), self.now)

    def _said(self) -> dict[str, Any]:
        return {
            "repository": self.root.introduction,
            "ref": self.root.ref,
            "policy": Policy(serial=self.policy.spec.serial, digest=self.policy.digest),
            "principal": self.principal,
            "key": self.key_id,
            "issued": format_time(self.now),
            "id": secrets.token_hex(16),
            "seen": Seen(attestations=self.repository.attestations),
        }


def root_word(repository: Repository, root: HostRoot, accepted: str, key: SigningKey, now: datetime) -> RootWord:
    """A root's key, ready to say something.

    Args:
        repository: where commits and statements are.
        root: who is trusted to begin with.
        accepted: the commit accepted last.
        key: of the root.
        now: the one reading of the clock.

    Raises:
        NotTrustedError: E_ROLE, the key is no root's; E_KEY_..., it may not be used; E_ATTEST_ROLLBACK.
        UsageError: the key can not be read.
    """
    graph = Graph(repository, root.introduction)
    log = read_log(graph, repository.attestations)
    denied = read_denylist(root)
    case = Case(graph, log, Answers(denied), root.ref, root.solo, now, lambda _base, _head: "")
    policy = case.policy(accepted)
    found = standing(case, accepted)
    use = key.owner(policy)
    if use is None or use.principal not in policy.spec.members(ROOT):
        raise NotTrustedError(
            f"the key {key.fingerprint} is no root's in the policy (serial {policy.spec.serial})",
            code="E_ROLE",
            where=accepted,
            hint=f"one of the roots says it: {', '.join(sorted(policy.spec.members(ROOT)))}",
        )
    if not use.names.isdisjoint(denied | found.revoked):
        raise NotTrustedError(
            f"key {use.key.id} of {use.principal} is compromised: what it says counts for nothing",
            code="E_KEY_REVOKED",
            where=accepted,
            hint="use another key",
        )
    policy.require_usable(use, now, accepted)
    return RootWord(repository, root, policy, found, key, use.principal, use.key.id, now)
