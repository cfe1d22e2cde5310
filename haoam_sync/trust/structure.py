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
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.merges import is_mechanical
from haoam_sync.trust.policy import AUTHOR, LoadedPolicy
from haoam_sync.trust.reviews import Subject
from haoam_sync.trust.signatures import only_forge, signed_by
from haoam_sync.trust.trees import Changes
from haoam_sync.trust.weights import Weights, weigh


@dataclass(frozen=True)
class Step:
    """What is known of a step after S1, S2 and S4.

    Attributes:
        base: the commit accepted before.
        head: the commit to be accepted.
        branch: what was reviewed in its place: its second parent when it is a merge onto `base`, the head that was
            squashed into it; else "".
        method: how it came onto the branch: `fast-forward`, `merge` or `squash`.
        tree: of `head`.
        tree_sha256: in git's SHA-256 format.
        signers: of every commit, parents before children; `head`'s is the last.
        contributors: principals who did more than merge, and operators of bots among them; never a forge.
        changes: paths that differ between the trees of `base` and `head`.
        weights: each of these, with the paths that its change counts as a change of: itself, and the documents that
            name it.
        subject: the step as reviews see it.
    """

    base: str
    head: str
    branch: str
    method: str
    tree: str
    tree_sha256: str
    signers: tuple[Signer, ...]
    contributors: frozenset[str]
    changes: Changes
    weights: Weights
    subject: Subject

    @property
    def committer(self) -> str:
        """Who signed `head`; "" for a forge."""
        return self.signers[-1].principal

    @property
    def author(self) -> str:
        """Who signed the commit that was reviewed: of a merge that adds nothing, the branch's last commit."""
        if self.committer in self.contributors:
            return self.committer
        found = [s for s in reversed(self.signers) if s.principal and s.commit != self.head]
        last = [s for s in found if s.commit == self.branch]
        return next((s.principal for s in (*last, *found)), self.committer)


def structure(case: Case, policy: LoadedPolicy, base: str, head: str, at: datetime, squashed: str = "") -> Step:
    """Everything about a step that needs no review.

    Args:
        case: what is known.
        policy: P(p).
        base: p.
        head: c.
        at: when keys are judged.
        squashed: the head that a forge squashed into c; "" when it is no squash.

    Raises:
        NotTrustedError: E_UNSIGNED and others of S1, E_FORGE_KEY_ALONE; E_LIMIT, E_NOT_DESCENDANT, E_PARENTS;
            E_TRUST_MISSING, E_TRUST_MIXED; E_TREE_ENTRY, E_PATH; E_NO_RULE; E_TREE_MISMATCH.
    """
    graph = case.graph
    commits = graph.between(base, head)
    if squashed:
        _require_squash(graph, base, head, squashed)
        commits = (*graph.between(base, squashed), head)
    if len(commits) > policy.spec.limits.commits:  # S2
        raise NotTrustedError(
            f"the step brings in {len(commits)} commits, more than {policy.spec.limits.commits}",
            code="E_LIMIT",
            where=head,
            hint="merge in smaller parts, or raise `limits.commits` in trust.yaml, in a change of its own",
        )
    top = graph.commit(head)
    direct = top.parents[:1] == (base,)
    branch = top.parents[1] if direct and len(top.parents) > 1 else squashed
    by_forge = {oid for oid in commits if len(graph.parents(oid)) > 1} - {head} | ({head} if branch else set())
    signers = signed_by(graph, policy, case.proofs, commits, head if branch else "", at, by_forge)  # S1
    for signer in signers:
        if not signer.principal and signer.commit != head:
            _require_update(case, base, signer.commit, frozenset(commits))
    new_policy = case.policy_bytes(head)  # S6: it is there
    facts = case.trees.require(top.tree, policy.spec.limits, head)  # S4
    changes = case.trees.changes(graph.commit(base).tree, top.tree, head)
    weights = weigh(case, base, head, changes)
    for path, other in sorted((path, other) for path, others in weights.items() for other in others):  # S5
        if not policy.spec.rules_for(other):
            named = "" if other == path else f", which names {path}"
            raise NotTrustedError(
                f"no rule of the policy names {other}{named}: it may not change",
                code="E_NO_RULE",
                where=head,
                hint="add a rule for it to trust.yaml, in a change of its own, or leave the file out",
            )
    if not direct:
        _require_quiet(case, policy.spec.limits, base, head, new_policy)
    if branch:
        case.trees.require(graph.commit(branch).tree, policy.spec.limits, branch)  # S4
    mechanical = bool(branch) and is_mechanical(graph, case.trees, base, branch, top.tree, head)
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
    method = "squash" if squashed else "merge" if branch else "fast-forward"
    return Step(
        base, head, branch, method, top.tree, facts.sha256.hex(), signers, contributors, changes, weights, subject
    )


def _require_squash(graph: Graph, base: str, head: str, squashed: str) -> None:
    """S1: what was squashed is kept, builds on the base, and has the tree that came of it."""
    try:
        graph.raw(squashed)
    except NotTrustedError as error:
        if error.code != "E_REPO_STATE":
            raise
        raise NotTrustedError(
            f"{squashed} was squashed into {head[:12]}, and is not there to be checked",
            code="E_REPO_STATE",
            where=head,
            hint="push it again from a clone that has it: git push origin COMMIT:refs/heads/haoam/heads, or have it "
            "reviewed with haoam-sync review, which keeps it",
        ) from error
    if not graph.reaches(squashed, base):
        raise NotTrustedError(
            f"{squashed[:12]} was squashed, and does not build on {base[:12]}",
            code="E_NOT_UP_TO_DATE",
            where=head,
            hint="bring the branch up to date, have it reviewed again, and squash then",
        )
    if graph.commit(squashed).tree != graph.commit(head).tree:
        raise NotTrustedError(
            f"the squashed commit {head[:12]} has another tree than {squashed[:12]}, which was reviewed",
            code="E_TREE_MISMATCH",
            where=head,
            hint="bring the branch up to date, have it reviewed again, and squash it without edits",
        )


def _require_update(case: Case, base: str, oid: str, commits: frozenset[str]) -> None:
    """S1: a merge within the step that the forge's key signed brings the base's line into the branch, and no more."""
    graph = case.graph
    ours, theirs = graph.parents(oid)
    if ours not in commits or not graph.reaches(base, theirs):
        raise only_forge(
            oid,
            f"it does not merge the line of {base[:12]} into the branch",
            "make this merge yourself, and sign it",
        )
    if not is_mechanical(graph, case.trees, ours, theirs, graph.commit(oid).tree, oid):
        raise NotTrustedError(
            "a merge that only the forge signed holds something that neither side has, or both sides changed one file",
            code="E_TREE_MISMATCH",
            where=oid,
            hint="bring the branch up to date by a merge or rebase of your own, and sign it",
        )


def require_method(policy: LoadedPolicy, found: Step) -> None:
    """Refuse a way onto the branch that the policy does not allow; of a proposal nobody knows it yet.

    Raises:
        NotTrustedError: E_METHOD.
    """
    if found.method not in policy.spec.merge.methods:
        raise NotTrustedError(
            f"the policy does not allow the method {found.method}",
            code="E_METHOD",
            where=found.head,
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


def _contributors(policy: LoadedPolicy, signers: list[Signer]) -> frozenset[str]:
    """S7: who signed, and who operates the bots that did."""
    names = {signer.principal for signer in signers if signer.principal}
    operators = {operator for name in names for operator in policy.spec.principals[name].operators}
    return frozenset(names | operators)


def _require_merger(policy: LoadedPolicy, signer: Signer, *, mechanical: bool) -> None:
    """S1: who may only merge adds nothing."""
    if AUTHOR not in policy.spec.roles_of(signer.principal) and not mechanical:
        raise NotTrustedError(
            f"{signer.principal or 'the forge'} may merge, but the merge holds something that neither side has",
            code="E_TREE_MISMATCH",
            where=signer.commit,
            hint="merge again without edits, or let an author do it",
        )
