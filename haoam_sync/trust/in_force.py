"""What is in force, for verbs that judge nothing: a commit's policy, and the keys that were called compromised."""

from __future__ import annotations

from datetime import datetime

from haoam_sync.model.host_root import HostRoot
from haoam_sync.repository import Repository
from haoam_sync.trust.case import Case
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.proofs import Answers
from haoam_sync.trust.root import read_denylist
from haoam_sync.trust.standing import standing
from haoam_sync.trust.statements import read_log


def policy_at(repository: Repository, root: HostRoot, commit: str, now: datetime) -> LoadedPolicy:
    """The policy in a commit's tree, whether or not anybody trusts that commit.

    Raises:
        NotTrustedError: E_TRUST_MISSING, E_YAML, E_POLICY_INVARIANT; E_COMMIT_FORMAT and others of the commit itself.
    """
    return _case(repository, root, "", now).policy(commit)


def denied_keys(repository: Repository, root: HostRoot, accepted: str, now: datetime) -> frozenset[str]:
    """What the host's denylist and the roots call compromised: fingerprints, and `PRINCIPAL/KEY`.

    Args:
        repository: where the roots' statements are.
        root: names the denylist.
        accepted: the commit accepted last: its policy says who is a root.
        now: the one reading of the clock.

    Raises:
        NotTrustedError: E_REVOCATION_UNAVAILABLE, E_ATTEST_ROLLBACK.
    """
    case = _case(repository, root, repository.attestations, now)
    return case.proofs.denied | standing(case, accepted).revoked


def _case(repository: Repository, root: HostRoot, attestations: str, now: datetime) -> Case:
    graph = Graph(repository, root.introduction)
    log = read_log(graph, attestations)
    return Case(graph, log, Answers(read_denylist(root)), root.ref, root.solo, now, lambda _base, _head: "")
