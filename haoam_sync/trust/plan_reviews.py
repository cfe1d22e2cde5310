"""`bind: plan`: whether the plan of a trusted commit was reviewed as it is now. Pure.

A commit is accepted for what it changes; what that does to an instance depends on what lives there, and that may move
before the apply, and long after it. So plans have reviews of their own: approvals of the same step, by the same people,
that name the plan of each instance by its digest. They may be given before the commit is accepted, with the review of
the change, or again afterwards, whenever the plan has become another one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.trust.case import Case
from haoam_sync.trust.core import judge_of, squashed_into
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.statements import Entry
from haoam_sync.trust.structure import Step, structure
from haoam_sync.trust.thresholds import require_plan


@dataclass(frozen=True, slots=True)
class PlanInQuestion:
    """What would be done to one instance.

    Attributes:
        instance: `CLUSTER/NAME`.
        digest: `InstancePlan.reviewed`.
        paths: the documents whose sections, certificates and files it writes or deletes.
    """

    instance: str
    digest: str
    paths: frozenset[str]


def require_plans(case: Case, commit: TrustedCommit, compute: Callable[[], Sequence[PlanInQuestion]]) -> None:
    """Where the policy binds the plan: refuse one that was not reviewed as it is, by those whom its rules name.

    Keys and reviews are judged now: an approval of last month is none of today's plan.

    Args:
        case: what is known.
        commit: accepted, the newest there is.
        compute: what would be done, one for each instance that would change; asked only where it matters.

    Raises:
        NotTrustedError: E_PLAN_REVIEW, with the instance and what is missing; E_REVIEW_WITHDRAWN, somebody says no.
    """
    policy = case.policy(commit.base)
    plans = compute() if policy.spec.review.bind == "plan" else ()
    if not plans:
        return
    if commit.base == commit.id:
        raise _missing(plans[0], commit, "nobody reviews the introduction commit: make a change on top of it")
    found = _step(case, policy, commit)
    judge, subject = judge_of(case, policy), replace(found.subject, at=case.now)
    entries = case.log.about(heads=subject.heads, base=commit.base, tree=commit.tree)
    for plan in plans:
        try:
            require_plan(judge, subject, list(_binding(entries, plan)), plan.paths)
        except NotTrustedError as error:
            if error.code == "E_REVIEW_WITHDRAWN":
                raise
            raise _missing(plan, commit, error.message) from error


def _step(case: Case, policy: LoadedPolicy, commit: TrustedCommit) -> Step:
    """The step as it was accepted: it is known to be sound, who contributed to it is what counts here."""
    heads: Collection[str] = squashed_into(case, policy, commit.base, commit.id) or ("",)
    refusal: NotTrustedError | None = None
    for squashed in heads:
        try:
            return structure(case, policy, commit.base, commit.id, commit.decided_at, squashed)
        except NotTrustedError as error:
            refusal = refusal or error
    raise refusal or NotTrustedError("there is no step", where=commit.id)


def _binding(entries: Sequence[Entry], plan: PlanInQuestion) -> Iterator[Entry]:
    """Statements that approve this very plan, and all that say no."""
    for entry in entries:
        said = entry.parsed.predicate
        if said is not None and (said.decision != "approve" or said.plans.get(plan.instance) == plan.digest):
            yield entry


def _missing(plan: PlanInQuestion, commit: TrustedCommit, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"{plan.instance}: the plan, as it is now ({plan.digest}), was not reviewed: {why}",
        code="E_PLAN_REVIEW",
        where=commit.id,
        hint=f"the policy binds the plan: people look at it and sign it: haoam-sync review {commit.id}",
    )
