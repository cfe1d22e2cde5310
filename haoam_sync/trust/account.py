"""Telling what became of steps, and why: rules, reviews that count and that do not. Pure.

Nothing here decides: `core.py` did. What is told of a step is worked out again from the same values with the same
functions, for the steps that somebody asks about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from haoam_sync.errors import InvalidDesiredError, NotTrustedError
from haoam_sync.model.account import Account, IgnoredReview, MatchedRule, Refused
from haoam_sync.model.commit import Review, Signer, TrustedCommit
from haoam_sync.model.trust_policy import is_trust_file, parse_duration
from haoam_sync.trust.case import Attempt, Case
from haoam_sync.trust.core import accept
from haoam_sync.trust.policy import REVIEWER, ROOT, LoadedPolicy
from haoam_sync.trust.signatures import signed_by
from haoam_sync.trust.weights import Weights, meant, weigh
from haoam_sync.trust.words import Words, words_about


@dataclass
class Watch:
    """What a judgement came to so far.

    Attributes:
        case: what it is based on; None while nothing was judged.
        steps: what was accepted, oldest first, with how it was judged; None for the introduction.
        refusal: what ended it; None when nothing did.
        attempts: how the step after the last accepted one was judged, the first way first.
    """

    case: Case | None = None
    steps: list[tuple[TrustedCommit, Attempt | None]] = field(default_factory=list)
    refusal: Refused | None = None
    attempts: list[Attempt] = field(default_factory=list)

    def become(self, other: Watch) -> None:
        """Forget what was seen for what another one saw: judgement began again, with more or less held against keys."""
        self.case, self.steps, self.refusal, self.attempts = other.case, other.steps, other.refusal, other.attempts

    def tried(self, attempt: Attempt) -> None:
        """See `Case.tried`."""
        self.attempts.append(attempt)

    def over(self, case: Case, trusted: str, head: str) -> Iterator[TrustedCommit]:
        """`core.accept`, its steps kept on their way.

        Raises:
            NotTrustedError, InvalidDesiredError: as `core.accept` does.
        """
        self.case = case
        last = trusted
        try:
            for step in accept(case, trusted, head):
                self.steps.append((step, self.attempts[-1] if self.attempts else None))
                self.attempts.clear()
                last = step.id
                yield step
        except (NotTrustedError, InvalidDesiredError) as error:
            self.refusal = error
            chain = case.graph.first_parents(last, head)
            if not self.attempts and chain:  # refused before it was looked at
                self.attempts.append(Attempt(last, chain[0], "", case.now))
            raise

    def accounts(self, shown: Callable[[str], bool]) -> tuple[Account, ...]:
        """What can be told of each step that is `shown`, by the id of its commit; of the refused one always."""
        if self.case is None:
            return ()
        case = self.case
        found = [accepted(case, step, how, remembered=False) for step, how in self.steps if shown(step.id)]
        if self.refusal is not None and self.attempts:
            found.append(refused(case, self.attempts[0], self.refusal))
        return tuple(found)


def accepted(case: Case, step: TrustedCommit, attempt: Attempt | None, *, remembered: bool) -> Account:
    """What can be told of a step that was accepted.

    Args:
        case: what is known.
        step: the step.
        attempt: how it was judged; None for the introduction, and when that is not known any more.
        remembered: it was accepted before, and is not judged again now.
    """
    if step.base == step.id:
        return _account(case, step.id, step.id, step, None, Words(), remembered=remembered)
    policy = case.policy(step.base)
    tried = attempt or Attempt(step.base, step.id, _squashed(step, case), _moment(policy, step))
    words = words_about(case, policy, tried, step)
    return _account(case, step.base, step.id, step, None, words, remembered=remembered)


def refused(case: Case, attempt: Attempt, refusal: Refused) -> Account:
    """What can be told of a step that was not accepted."""
    try:
        words = words_about(case, case.policy(attempt.base), attempt, None)
    except (NotTrustedError, InvalidDesiredError):
        words = Words()  # what can not be told does not hide the refusal
    return _account(case, attempt.base, attempt.head, None, refusal, words, remembered=False, attempt=attempt)


def _account(
    case: Case,
    base: str,
    head: str,
    step: TrustedCommit | None,
    refusal: Refused | None,
    words: Words,
    *,
    remembered: bool,
    attempt: Attempt | None = None,
) -> Account:
    squashed = attempt.squashed if attempt is not None else _squashed(step, case) if step is not None else ""
    commits = _commits(case, base, head, squashed, step)
    changed, rules = _rules(case, base, head, step)
    serial, digest = (step.policy_serial, step.policy_digest) if step is not None else _policy(case, base)
    signers = step.signers if step is not None else _signers(case, base, head, commits, attempt)
    reviews, without = _counting(words.approvals if step is None else step.reviews, rules)
    return Account(
        commit=head,
        base=base,
        tree=_tree(case, head),
        ref=case.ref,
        kind=_kind(case, base, head, squashed, commits),
        changes_policy=any(map(is_trust_file, changed)),
        commits=commits,
        changed=changed,
        policy_serial=serial,
        policy_digest=digest,
        signers=signers,
        reviews=reviews,
        ignored=(*words.ignored, *without),
        rules=rules,
        accepted=step,
        refusal=refusal,
        remembered=remembered,
        reviews_after=words.after,
    )


def _tree(case: Case, head: str) -> str:
    try:
        return case.graph.commit(head).tree
    except NotTrustedError:
        return ""


def _kind(case: Case, base: str, head: str, squashed: str, commits: Sequence[str]) -> str:
    if base == head:
        return "introduction"
    if squashed:
        return "squash"
    try:
        parents = case.graph.parents(head)
    except NotTrustedError:
        parents = ()
    if parents[:1] == (base,):
        return "merge" if len(parents) > 1 else "fast-forward"
    return "group" if len(commits) > 1 else "fast-forward"


def _squashed(step: TrustedCommit, case: Case) -> str:
    """The head that was squashed into a step: the commit signed before its own, where that is no parent of it."""
    if len(step.signers) > 1 and case.graph.parents(step.id) == (step.base,):
        return step.signers[-2].commit
    return ""


def _moment(policy: LoadedPolicy, step: TrustedCommit) -> datetime:
    """When a remembered step was judged: at its decision, or, where its reviews were over by then, at the last one."""
    lifetime = parse_duration(policy.spec.review.max_age)
    given = [review.issued for review in step.reviews]
    return step.decided_at if all(step.decided_at < one + lifetime for one in given) else max(given)


def _commits(case: Case, base: str, head: str, squashed: str, step: TrustedCommit | None) -> tuple[str, ...]:
    if step is not None:
        return tuple(signer.commit for signer in step.signers)
    try:
        new = case.graph.between(base, squashed or head)
    except NotTrustedError:
        return (head,)
    return (*new, head) if squashed else new


def _policy(case: Case, base: str) -> tuple[int, str]:
    try:
        policy = case.policy(base)
    except NotTrustedError:
        return 0, ""
    return policy.spec.serial, policy.digest


def _signers(case: Case, base: str, head: str, commits: Sequence[str], attempt: Attempt | None) -> tuple[Signer, ...]:
    """Of a step that is refused: those whose signature surely holds, whether or not they may sign."""
    found: list[Signer] = []
    try:
        policy = case.policy(base)
    except NotTrustedError:
        return ()
    for oid in commits:
        try:
            at = attempt.at if attempt is not None else case.now
            found += signed_by(case.graph, policy, case.proofs, (oid,), head, at, commits)
        except NotTrustedError:
            continue
    return tuple(found)


def _rules(
    case: Case, base: str, head: str, step: TrustedCommit | None
) -> tuple[tuple[str, ...], tuple[MatchedRule, ...]]:
    """What changed, and the rules that are about it."""
    if base == head:
        return (), ()
    try:
        policy = case.policy(base)
        changed = tuple(case.trees.changes(_tree(case, base), _tree(case, head), head))
        weights: Weights = weigh(case, base, head, changed)
    except (NotTrustedError, InvalidDesiredError):
        return (), ()
    return changed, matched(policy, weights, frozenset(step.waived) if step is not None else frozenset())


def matched(policy: LoadedPolicy, weights: Weights, classes: frozenset[str] = frozenset()) -> tuple[MatchedRule, ...]:
    """The rules that a change must meet, with what each is about; `classes` made up for reviews."""
    return tuple(
        MatchedRule(rule.paths, rule.require, rule.evidence, paths, tuple(sorted(classes & frozenset(rule.waive))))
        for rule in policy.spec.rules
        if (paths := meant(rule, weights))
    )


def _counting(
    reviews: Sequence[Review], rules: Sequence[MatchedRule]
) -> tuple[tuple[Review, ...], tuple[IgnoredReview, ...]]:
    """The approvals by people of a role that was asked for; valid ones of other people decide nothing."""
    wanted = {role for rule in rules for role in rule.require} or {REVIEWER}
    wanted |= {ROOT} if any(map(is_trust_file, (path for rule in rules for path in rule.changed))) else set()
    counting = tuple(review for review in reviews if not wanted.isdisjoint(review.roles))
    return counting, tuple(
        IgnoredReview(
            review.principal,
            "approve",
            review.evidence,
            review.id,
            "",
            f"{review.issued:%Y-%m-%dT%H:%M:%SZ}",
            "E_ROLE",
            f"{review.principal} approved the change, but has none of the roles that are asked for",
            f"somebody of the role {' or '.join(sorted(wanted))} reviews it",
        )
        for review in reviews
        if review not in counting
    )
