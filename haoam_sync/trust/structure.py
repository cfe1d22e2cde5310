"""S1, S2, S4, S5 (there are rules) and half of S6: what a step is, before anybody asks for reviews. Pure.

The rules are listed in `core.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import Signer
from haoam_sync.model.trust_policy import TrustLimits, is_trust_file
from haoam_sync.trust.case import Case
from haoam_sync.trust.policy import AUTHOR, LoadedPolicy
from haoam_sync.trust.reviews import Subject
from haoam_sync.trust.signatures import signed_by
from haoam_sync.trust.trees import Changes, is_disjoint_merge


@dataclass(frozen=True)
class Step:
    """What is known of a step after S1, S2 and S4.

    Attributes:
        base: the commit accepted before.
        head: the commit to be accepted.
        branch: its second parent when it is a merge onto `base`, else "".
        tree: of `head`.
        tree_sha256: in git's SHA-256 format.
        signers: of every commit, parents before children; `head`'s is the last.
        contributors: principals who did more than merge, and operators of bots among them.
        changes: paths that differ between the trees of `base` and `head`.
        subject: the step as reviews see it.
    """

    base: str
    head: str
    branch: str
    tree: str
    tree_sha256: str
    signers: tuple[Signer, ...]
    contributors: frozenset[str]
    changes: Changes
    subject: Subject

    @property
    def committer(self) -> str:
        """Who signed `head`."""
        return self.signers[-1].principal

    @property
    def author(self) -> str:
        """Who signed the commit that was reviewed: of a merge that adds nothing, the branch's last commit."""
        if self.committer in self.contributors:
            return self.committer
        return next((s.principal for s in reversed(self.signers) if s.commit == self.branch), self.committer)


def structure(case: Case, policy: LoadedPolicy, base: str, head: str, at: datetime) -> Step:
    """Everything about a step that needs no review.

    Raises:
        NotTrustedError: E_UNSIGNED and others of S1; E_LIMIT, E_NOT_DESCENDANT, E_PARENTS; E_TRUST_MISSING,
            E_TRUST_MIXED; E_TREE_ENTRY, E_PATH; E_NO_RULE; E_METHOD; E_TREE_MISMATCH.
    """
    graph = case.graph
    commits = graph.between(base, head)
    if len(commits) > policy.spec.limits.commits:  # S2
        raise NotTrustedError(
            f"the step brings in {len(commits)} commits, more than {policy.spec.limits.commits}",
            code="E_LIMIT",
            where=head,
            hint="merge in smaller parts, or raise `limits.commits` in trust.yaml, in a change of its own",
        )
    top = graph.commit(head)
    direct = top.parents[:1] == (base,)
    branch = top.parents[1] if direct and len(top.parents) > 1 else ""
    signers = signed_by(graph, policy, case.proofs, commits, head if branch else "", at)  # S1
    _require_method(policy, head, branch)
    new_policy = case.policy_bytes(head)  # S6: it is there
    facts = case.trees.require(top.tree, policy.spec.limits, head)  # S4
    changes = case.trees.changes(graph.commit(base).tree, top.tree, head)
    for path in changes:  # S5
        if not policy.spec.rules_for(path):
            raise NotTrustedError(
                f"no rule of the policy names {path}: it may not change",
                code="E_NO_RULE",
                where=head,
                hint="add a rule for it to trust.yaml, in a change of its own, or leave the file out",
            )
    if not direct:
        _require_quiet(case, policy.spec.limits, base, head, new_policy)
    if branch:
        case.trees.require(graph.commit(branch).tree, policy.spec.limits, branch)  # S4
    mechanical = bool(branch) and _is_mechanical(case, base, branch, top.tree, head)
    contributors = _contributors(policy, [s for s in signers if not (mechanical and s.commit == head)])
    _require_merger(policy, signers[-1], mechanical=mechanical)
    subject = Subject(
        base=base,
        head=head,
        branch=branch,
        tree=top.tree,
        commits=frozenset(commits),
        contributors=contributors,
        change_digest=lru_cache(maxsize=1)(lambda: case.change_digest(base, head)),
        at=at,
    )
    return Step(base, head, branch, top.tree, facts.sha256.hex(), signers, contributors, changes, subject)


def _require_method(policy: LoadedPolicy, head: str, branch: str) -> None:
    method = "merge" if branch else "fast-forward"
    if method not in policy.spec.merge.methods:
        raise NotTrustedError(
            f"the policy does not allow the method {method}",
            code="E_METHOD",
            where=head,
            hint=f"allowed are {', '.join(policy.spec.merge.methods)} (`merge.methods` in trust.yaml)",
        )


def _require_quiet(case: Case, limits: TrustLimits, base: str, head: str, new_policy: bytes) -> None:
    """E2: no trust file changes within a step of several commits."""
    ground = case.graph.commit(base).tree
    chain = case.graph.first_parents(base, head) or ()
    for oid in chain:
        case.trees.require(case.graph.commit(oid).tree, limits, oid)  # S4
        changes = case.trees.changes(ground, case.graph.commit(oid).tree, oid)
        if any(map(is_trust_file, changes)) or new_policy != case.policy_bytes(base):
            raise NotTrustedError(
                "trust files change within a step of several commits",
                code="E_TRUST_MIXED",
                where=oid,
                hint="change them in a commit of their own, with a review of its own",
            )


def _is_mechanical(case: Case, base: str, branch: str, tree: str, head: str) -> bool:
    """Whether a merge onto `base` adds nothing to what its two sides have."""
    graph = case.graph
    if graph.reaches(branch, base):
        return graph.commit(branch).tree == tree
    fork = next((p for oid in graph.between(base, branch) for p in graph.parents(oid) if graph.reaches(base, p)), "")
    if not fork:
        return False
    ground = graph.commit(fork).tree
    ours = case.trees.changes(ground, graph.commit(base).tree, head)
    theirs = case.trees.changes(ground, graph.commit(branch).tree, head)
    return is_disjoint_merge(ours, theirs, case.trees.changes(ground, tree, head))


def _contributors(policy: LoadedPolicy, signers: list[Signer]) -> frozenset[str]:
    """S7: who signed, and who operates the bots that did."""
    names = {signer.principal for signer in signers}
    operators = {operator for name in names for operator in policy.spec.principals[name].operators}
    return frozenset(names | operators)


def _require_merger(policy: LoadedPolicy, signer: Signer, *, mechanical: bool) -> None:
    """S1: who may only merge adds nothing."""
    if AUTHOR not in policy.spec.roles_of(signer.principal) and not mechanical:
        raise NotTrustedError(
            f"{signer.principal} may merge, but the merge holds something that neither side has",
            code="E_TREE_MISMATCH",
            where=signer.commit,
            hint="merge again without edits, or let an author do it",
        )
