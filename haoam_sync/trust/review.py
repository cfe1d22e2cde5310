"""Making a review statement, and putting it where every verifier finds it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.account import MatchedRule
from haoam_sync.model.commit import ProposedCommit
from haoam_sync.model.evidence import MOST_PLANS, Policy, Predicate, Seen, encode_statement, format_time
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.trust_policy import is_trust_file, parse_duration
from haoam_sync.repository import Repository
from haoam_sync.trust.account import matched
from haoam_sync.trust.case import Case, NamedBy, nothing_named
from haoam_sync.trust.core import new_policy
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.memory import Accepted
from haoam_sync.trust.policy import KeyUse, LoadedPolicy
from haoam_sync.trust.proofs import Answers
from haoam_sync.trust.root import read_denylist
from haoam_sync.trust.signing import SigningKey
from haoam_sync.trust.statements import Log, read_log
from haoam_sync.trust.structure import Step, structure
from haoam_sync.trust.weights import weigh

Decision = Literal["approve", "reject", "withdraw"]
_TRIES = 5
_NO_STATEMENTS = Log((), ())
"""For questions in which no statement has a part: the log of years is read once, when something is signed."""


def needed(
    repository: Repository, root: HostRoot, proposed: ProposedCommit, *, now: datetime, named: NamedBy
) -> tuple[MatchedRule, ...]:
    """The rules that `proposed` must meet: what a reviewer is shown of them is what `verify` asks for.

    Raises:
        NotTrustedError: the policy of its base, or one of the two trees, can not be read.
    """
    graph = Graph(repository, root.introduction)
    case = _case(graph, _NO_STATEMENTS, root, now, named)
    changes = case.trees.changes(graph.commit(proposed.base).tree, graph.commit(proposed.id).tree, proposed.id)
    return matched(case.policy(proposed.base), weigh(case, proposed.base, proposed.id, changes))


def _case(graph: Graph, log: Log, root: HostRoot, now: datetime, named: NamedBy, change_digest: str = "") -> Case:
    """What `verify` would judge with, but for reviews."""
    answers = Answers(read_denylist(root))
    return Case(graph, log, answers, root.ref, root.solo, now, lambda _base, _head: change_digest, named=named)


def sign_review(
    repository: Repository,
    root: HostRoot,
    accepted: Accepted,
    proposed: ProposedCommit,
    *,
    key: SigningKey,
    decision: Decision,
    change_digest: str,
    now: datetime,
    named: NamedBy = nothing_named,
    plans: Mapping[str, str] | None = None,
    lifetime: timedelta | None = None,
    checkpoint: str = "",
) -> Predicate:
    """Sign a decision about `proposed`, and push it to the attestations of the source.

    An approval that could never count is not signed: everything about the commit but the reviews is checked first.

    Args:
        repository: where the commit is, and where the statement goes.
        root: who is trusted to begin with.
        accepted: what `advance` found; the statement is bound to what it saw.
        proposed: what `propose` found.
        key: what the reviewer signs with.
        decision: `approve`, `reject`, or `withdraw` (take an approval back).
        change_digest: what the reviewer was shown, of `proposed.base` to `proposed.id`.
        now: the one reading of the clock.
        named: the files that the documents of a commit name; each weighs what these documents weigh.
        plans: of each instance that would change, the digest of the plan that was shown; None when none was.
        lifetime: how long it counts; the policy's `review.max_age` when None, and never longer.
        checkpoint: the last audit checkpoint that the reviewer's copy has; "" for none.

    Returns:
        What was signed.

    Raises:
        NotTrustedError: the commit can not be accepted, or the key's owner can not review it.
        UsageError: the key can not sign, or the source can not be written.
    """
    graph = Graph(repository, root.introduction)
    log = read_log(graph, repository.attestations)
    if not log.has(accepted.state.attestations):
        raise NotTrustedError(
            "the review statements changed under our feet", code="E_ATTEST_ROLLBACK", hint="try again"
        )
    case = _case(graph, log, root, now, named, change_digest)
    policy = case.policy(proposed.base)
    use = _owner(case, policy, proposed, key, now)
    if decision == "approve":
        found = structure(case, policy, proposed.base, proposed.id, now)
        if any(map(is_trust_file, found.changes)):
            new_policy(case, policy, found)
        _require_other(found, use)
    longest = parse_duration(policy.spec.review.max_age)
    tree = graph.commit(proposed.id).tree
    predicate = Predicate(
        repository=root.introduction,
        ref=root.ref,
        base=proposed.base,
        head=proposed.id,
        tree=tree,
        tree_sha256=case.trees.sha256(tree, proposed.id),
        policy=Policy(serial=policy.spec.serial, digest=policy.digest),
        change_digest=change_digest,
        plans=_bound(policy, plans, decision, proposed.id),
        decision=decision,
        principal=use.principal,
        key=use.key.id,
        issued=format_time(now),
        expires=format_time(now + min(lifetime or longest, longest)),
        id=secrets.token_hex(16),
        seen=Seen(attestations=repository.attestations, checkpoint=checkpoint),
    )
    if decision == "approve" and "squash" in policy.spec.merge.methods:
        _racing(repository, lambda: repository.keep_head(proposed.id, now=now))
    push_statement(repository, key.statement(encode_statement(predicate), use), now)
    return predicate


def under_review(accepted: Accepted, proposed: ProposedCommit) -> ProposedCommit:
    """What a review of the commit is about: where it lies below others that this very run accepts, its own step.

    So approvals can be added and taken back until the commit is remembered as accepted, which the first apply does.

    Raises:
        UsageError: E_ACCEPTED, it lies below the commit accepted last; nothing that is said of it now counts.
    """
    if proposed.base != proposed.id:
        return proposed
    for step in accepted.steps:
        if step.id == proposed.id != step.base:
            return replace(proposed, base=step.base)
    raise UsageError(
        f"{proposed.id} is accepted: no review of it counts any more",
        code="E_ACCEPTED",
        where=proposed.id,
        hint="haoam-sync plan shows what is left to apply; to undo it: git revert -S, and have that reviewed",
    )


def reviewer(
    repository: Repository,
    root: HostRoot,
    proposed: ProposedCommit,
    *,
    key: SigningKey,
    now: datetime,
) -> str:
    """Whose review it would be, before anything is shown to anybody.

    Raises:
        NotTrustedError: E_REVIEWER_UNKNOWN, the key is nobody's; or it may not sign any more.
    """
    graph = Graph(repository, root.introduction)
    case = _case(graph, _NO_STATEMENTS, root, now, nothing_named)
    return _owner(case, case.policy(proposed.base), proposed, key, now).principal


def _bound(policy: LoadedPolicy, plans: Mapping[str, str] | None, decision: Decision, where: str) -> dict[str, str]:
    """What an approval says of plans: all that was shown, where the policy binds the plan.

    Raises:
        NotTrustedError: E_PLAN_REVIEW, it was not shown, or does not fit into a statement.
    """
    if policy.spec.review.bind != "plan" or decision != "approve":
        return {}
    if plans is None:
        raise NotTrustedError(
            "the policy binds the plan, and no plan was shown",
            code="E_PLAN_REVIEW",
            where=where,
            hint="review without --offline, where the instances can be reached",
        )
    if len(plans) > MOST_PLANS:
        raise NotTrustedError(
            f"{len(plans)} instances would change, and a statement binds {MOST_PLANS} plans",
            code="E_PLAN_REVIEW",
            where=where,
            hint="bring the change to the clusters in parts",
        )
    return dict(plans)


def _owner(case: Case, policy: LoadedPolicy, proposed: ProposedCommit, key: SigningKey, now: datetime) -> KeyUse:
    """Whose key it is: in the policy of the base, or of the commit itself when that changes the policy.

    It must be one that may still sign there: what a retired key says counts for nothing.
    """
    use = key.owner(policy)
    if case.policy_digest(proposed.id) != policy.digest and (use is None or use.key.status != "active"):
        policy = case.policy(proposed.id)
        use = key.owner(policy)
    if use is None or not use.principal:
        raise NotTrustedError(
            f"the key {key.fingerprint} is nobody's in the policy (serial {policy.spec.serial})",
            code="E_REVIEWER_UNKNOWN",
            where=proposed.id,
            hint="review with a key that trust.yaml lists",
        )
    policy.require_usable(use, now, proposed.id)
    return use


def _require_other(found: Step, use: KeyUse) -> None:
    """R7, before anything is signed; the roots who make a change of the policy count by their signature."""
    if use.principal in found.contributors and not any(map(is_trust_file, found.changes)):
        raise NotTrustedError(
            f"{use.principal} contributed to the change, and can not approve it",
            code="E_SELF_REVIEW",
            where=found.head,
            hint="somebody else reviews it",
        )


def push_statement(repository: Repository, statement: bytes, now: datetime) -> None:
    """Put a statement behind whatever is there by now: what its author saw stays before it.

    Raises:
        UsageError: the source can not be written, or others keep pushing.
    """
    _racing(repository, lambda: repository.append_statement(statement, parent=repository.attestations, now=now))


def _racing(repository: Repository, push: Callable[[], object]) -> None:
    for _ in range(_TRIES):
        try:
            push()
        except NotTrustedError as error:
            if error.code != "E_ATTEST_RACE":
                raise
            repository.fetch()
        else:
            return
    raise UsageError(
        "others keep pushing review statements; this one was not pushed", code="E_ATTEST_RACE", hint="try again"
    )
