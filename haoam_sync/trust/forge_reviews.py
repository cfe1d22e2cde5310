"""S3 and S7 for reviews on a forge: which approvals of a pull request count for a step. Pure.

A pull request is judged in this order; the first thing that is wrong with it is why none of its approvals count:

G1  Its head is what was reviewed of the step: the commit itself, the merge's second parent, or the squashed head
    (E_REVIEW_CONTEXT).
G2  The tree that was reviewed is the tree of the step: R3 of `reviews.py`, with the fork point as the base that it was
    judged against; and the change is the same one (E_TREE_MISMATCH, E_NOT_UP_TO_DATE, E_CHANGE_MISMATCH).

Then the last decisive review of each account:

G3  A rejection by somebody who may review stops the step, whatever it was given for (E_REVIEW_WITHDRAWN). A dismissed
    review is worth nothing.
G4  The account is a person's (E_REVIEWER_KIND) and its number is that of a person of the policy (E_REVIEWER_UNKNOWN).
G5  It was given for the head, after everything that moved the branch or the base (E_REVIEW_STALE).
G6  It counts today: not from the future (E_CLOCK), not expired (E_REVIEW_EXPIRED).
G7  Its author did not contribute to the change, open the pull request or push its head (E_SELF_REVIEW).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import Review
from haoam_sync.model.trust_policy import parse_duration
from haoam_sync.trust.forge import APPROVED, CHANGES_REQUESTED, Decision, PullRequest
from haoam_sync.trust.merges import fork_point
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.reviews import CLOCK_SKEW, Judge, Subject

_PERSON = "User"


@dataclass(frozen=True, slots=True)
class ForgeVotes:
    """What a pull request comes to.

    Attributes:
        reviews: approvals that count.
        refusals: why others do not.
        against: rejections by people of the policy, by name.
        asked: whether this host asks a forge at all.
    """

    reviews: tuple[Review, ...] = ()
    refusals: tuple[NotTrustedError, ...] = ()
    against: tuple[tuple[str, NotTrustedError], ...] = ()
    asked: bool = True


NOT_ASKED = ForgeVotes(asked=False)


@dataclass(frozen=True)
class _Reviewed:
    """What was reviewed, as R3 wants to know it."""

    principal: str
    base: str
    head: str
    tree: str


def forge_votes(
    judge: Judge, change_digest: Callable[[str, str], str], subject: Subject, pull: PullRequest | None
) -> ForgeVotes:
    """G1 to G7.

    Args:
        judge: what reviews are judged with.
        change_digest: of base and head.
        subject: the step.
        pull: the pull request that it came by, None when it came by none.
    """
    if pull is None:
        return ForgeVotes(
            refusals=(_refused("E_THRESHOLD", subject.head, "no pull request was merged as this commit"),)
        )
    where = f"github/pull/{pull.number}"
    against = tuple(_against(judge.policy, subject, pull))
    try:
        _require_head(judge, change_digest, subject, pull, where)
    except NotTrustedError as error:
        return ForgeVotes(refusals=(error,), against=against)
    reviews: list[Review] = []
    refusals: list[NotTrustedError] = []
    out = subject.contributors | people_of(judge.policy, pull.pushers)
    for decision in pull.decisions:
        if decision.state != APPROVED:
            continue
        try:
            reviews.append(_approval(judge, subject, pull, decision, out))
        except NotTrustedError as error:
            refusals.append(error)
    return ForgeVotes(tuple(sorted(reviews)), tuple(refusals), against)


def accounts(policy: LoadedPolicy) -> frozenset[int]:
    """Every account of the policy."""
    return frozenset(one.forge.github for one in policy.spec.principals.values() if one.forge is not None)


def people_of(policy: LoadedPolicy, accounts: Iterable[int]) -> frozenset[str]:
    """Whose accounts these are, and who operates the bots among them."""
    wanted = set(accounts)
    names = {
        name for name, one in policy.spec.principals.items() if one.forge is not None and one.forge.github in wanted
    }
    return frozenset(names | {who for name in names for who in policy.spec.principals[name].operators})


def approved_at(policy: LoadedPolicy, pull: PullRequest | None) -> list[datetime]:
    """When people of the policy approved the head that was merged."""
    if pull is None:
        return []
    given = (one for one in pull.decisions if one.state == APPROVED and one.commit == pull.head)
    return [one.given for one in given if people_of(policy, [one.account])]


def _against(policy: LoadedPolicy, subject: Subject, pull: PullRequest) -> Iterable[tuple[str, NotTrustedError]]:
    """G3."""
    for decision in pull.decisions:
        if decision.state != CHANGES_REQUESTED or decision.kind != _PERSON:
            continue
        for name in sorted(people_of(policy, [decision.account])):
            yield (
                name,
                NotTrustedError(
                    f"{name} requests changes in pull request #{pull.number} (review {decision.id})",
                    code="E_REVIEW_WITHDRAWN",
                    where=subject.head,
                    hint=f"talk to {name}, who can approve it; or make a new change",
                ),
            )


def _require_head(
    judge: Judge, change_digest: Callable[[str, str], str], subject: Subject, pull: PullRequest, where: str
) -> None:
    """G1 and G2."""
    if pull.head not in subject.heads:
        heads = " or ".join(head[:12] for head in subject.heads)
        raise _refused("E_REVIEW_CONTEXT", where, f"the pull request's head is {pull.head[:12]}, not {heads}")
    if pull.head == subject.head:
        return
    base = fork_point(judge.graph, subject.base, pull.head)
    if not base:
        raise _refused("E_NOT_UP_TO_DATE", where, "the branch builds on several commits that do not hold each other")
    tree = judge.graph.commit(pull.head).tree
    judge.require_merge(_Reviewed("", base, pull.head, tree), subject, where)
    if base != subject.base and change_digest(base, pull.head) != subject.change_digest():
        raise _refused("E_CHANGE_MISMATCH", where, "the merge does another change than the branch that was reviewed")


def _approval(judge: Judge, subject: Subject, pull: PullRequest, decision: Decision, out: frozenset[str]) -> Review:
    """G4 to G7."""
    where = f"github/pull/{pull.number}/review/{decision.id}"
    if decision.kind != _PERSON:
        raise _refused("E_REVIEWER_KIND", where, f"account {decision.account} is a {decision.kind[:32]!a}, no person")
    name = next(
        (n for n, p in judge.policy.spec.principals.items() if p.forge and p.forge.github == decision.account), ""
    )
    if not name:
        raise _refused("E_REVIEWER_UNKNOWN", where, f"account {decision.account} is nobody's in the policy")
    if judge.policy.spec.principals[name].kind != "human":
        raise _refused("E_REVIEWER_KIND", where, f"{name} is a bot: bots never review")
    if decision.commit != pull.head:
        raise _refused("E_REVIEW_STALE", where, f"{name} approved {decision.commit[:12]}, merged was {pull.head[:12]}")
    if decision.moved:
        raise _refused("E_REVIEW_STALE", where, f"the branch or its base moved after {name} approved")
    if decision.given > subject.at + CLOCK_SKEW:
        raise _refused("E_CLOCK", where, f"{name}'s review lies in the future")
    ends = decision.given + parse_duration(judge.policy.spec.review.max_age)
    if subject.at >= ends:
        raise _refused("E_REVIEW_EXPIRED", where, f"{name}'s review expired on {ends:%Y-%m-%dT%H:%M:%SZ}")
    if name in out:
        raise _refused("E_SELF_REVIEW", where, f"{name} approved the change, and contributed to it or pushed it")
    roles = judge.policy.spec.roles_of(name)
    return Review(name, roles, "github", "", where, decision.given)


_HINTS = {
    "E_CLOCK": "check the clock of this machine",
    "E_REVIEWER_KIND": "a person approves the pull request",
    "E_REVIEWER_UNKNOWN": "somebody approves it whose account's number stands in trust.yaml (`forge: {github: ...}`)",
    "E_SELF_REVIEW": "somebody else approves the pull request",
    "E_CHANGE_MISMATCH": "bring the branch up to date, and have it reviewed again",
    "E_NOT_UP_TO_DATE": "bring the branch up to date, and have it reviewed again",
    "E_REVIEW_CONTEXT": "merge the pull request as it is; or have the commit itself reviewed: haoam-sync review",
    "E_THRESHOLD": "merge by a pull request that was approved; or have the commit reviewed: haoam-sync review",
}


def _refused(code: str, where: str, why: str) -> NotTrustedError:
    return NotTrustedError(why, code=code, where=where, hint=_HINTS.get(code, "approve the pull request again"))
