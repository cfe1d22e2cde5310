"""What people said about one step, and why it counts or does not. Pure; for those who explain a step (`account.py`).

`thresholds.py` decides; here every word is held against the same rules once more, so that each one has its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from haoam_sync.errors import InvalidDesiredError, NotTrustedError
from haoam_sync.model.account import IgnoredReview
from haoam_sync.model.commit import Review, TrustedCommit
from haoam_sync.model.evidence import Predicate, encode_statement
from haoam_sync.model.trust_policy import is_trust_file
from haoam_sync.trust.case import Attempt, Case
from haoam_sync.trust.core import judge_of
from haoam_sync.trust.forge_reviews import ForgeVotes, accounts, forge_votes, people_of
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.reviews import Judge, require_other
from haoam_sync.trust.statements import Entry
from haoam_sync.trust.structure import Step, structure

_MOST = 50
"""So many words that do not count are told of one step, the newest."""


@dataclass(frozen=True, slots=True)
class Words:
    """What people said about a step.

    Attributes:
        approvals: those that hold, the last of each person and kind of evidence, sorted.
        after: of a change of the policy: those that hold with a key that only the new policy has, sorted.
        ignored: what does not count, oldest first.
    """

    approvals: tuple[Review, ...] = ()
    after: tuple[Review, ...] = ()
    ignored: tuple[IgnoredReview, ...] = ()


def words_about(case: Case, policy: LoadedPolicy, tried: Attempt, step: TrustedCommit | None) -> Words:
    """Everything that was said about a step, as it was judged.

    Args:
        case: what is known.
        policy: P(p).
        tried: how it was judged.
        step: the accepted step, whose reviews count whatever else is found here; None when it was refused.
    """
    if policy.solo:
        return Words()
    try:
        found = structure(case, policy, tried.base, tried.head, tried.at, tried.squashed)
        new = case.policy(tried.head) if any(map(is_trust_file, found.changes)) else None
    except NotTrustedError:
        return Words()  # then no review was looked at
    teller = _Teller(judge_of(case, policy), found, new)
    counted = {(review.principal, review.id) for review in step.reviews} if step is not None else set[tuple[str, str]]()
    ignored = list(teller.told(_about(case, found, others=step is None), counted))
    if case.pulls is not None and step is None:
        votes = _on_forge(case, teller)
        ignored += [_of_forge(refusal) for refusal in votes.refusals]
        approvals = tuple(sorted((*teller.standing.values(), *votes.reviews)))
    else:
        approvals = tuple(sorted(teller.standing.values()))
    return Words(approvals, tuple(sorted(teller.after.values())), tuple(ignored[-_MOST:]))


def _about(case: Case, found: Step, *, others: bool) -> Iterator[Entry]:
    """Statements that name a commit or the tree of the step; of a refused one those on the same base, too."""
    heads = frozenset({*found.subject.heads, *found.subject.commits})
    for entry in case.log.about(heads=heads, base=found.base, tree=found.tree):
        about = entry.about
        this = about.get("head") in heads or about.get("tree") == found.tree
        if this or (others and about.get("base") == found.base):
            yield entry


@dataclass
class _Teller:
    """Reads the words in their order, and keeps what holds so far."""

    judge: Judge
    found: Step
    new: LoadedPolicy | None

    def __post_init__(self) -> None:
        self.standing: dict[str, Review] = {}
        self.after: dict[str, Review] = {}

    def told(self, entries: Iterator[Entry], counted: Collection[tuple[str, str]]) -> Iterator[IgnoredReview]:
        """What does not count. `counted` are approvals (principal, id) that surely do."""
        seen: set[bytes] = set()
        for entry in entries:
            said = entry.parsed.predicate
            if said is None:
                yield _unread(entry)
                continue
            name = (said.principal, said.id)
            genuine = self.judge.genuine(entry) is not None
            words = encode_statement(said)
            if name in counted or (genuine and words in seen):
                continue
            seen |= {words} if genuine else set()
            refusal = self._refusal(entry, said)
            if refusal is not None:
                yield _ignored(said, entry, refusal)

    def _refusal(self, entry: Entry, said: Predicate) -> NotTrustedError | None:
        """Why a word does not count; None for an approval that stands."""
        try:
            if said.decision != "approve":
                return self._no(entry, said)
            review, kept = self._approval(entry)
        except NotTrustedError as error:
            return error
        except InvalidDesiredError as error:
            return NotTrustedError(error.message, code=error.code, where=entry.commit, hint=error.hint)
        before = kept.get(review.principal)
        kept[review.principal] = review
        if before is None:
            return None
        return _note(entry, f"{review.principal} approved it more than once: that is one review")

    def _approval(self, entry: Entry) -> tuple[Review, dict[str, Review]]:
        """R1 to R7, and where it counts; of a change of the policy a key will do that only the new policy has."""
        subject = self.found.subject
        try:
            review = self.judge.approval(entry, subject)
        except NotTrustedError:
            if self.new is None:
                raise
            return self.judge.approval(entry, subject, self.new), self.after
        if self.new is None:
            require_other(review, subject, entry.commit)
        return review, self.standing

    def _no(self, entry: Entry, said: Predicate) -> NotTrustedError:
        """A rejection or withdrawal: it stops a step, and when the step passed, something came after it."""
        if self.judge.about(entry, self.found.subject) is None:
            self.judge.signer(entry, self.found.subject.at)  # says why it is not believed
            return _note(entry, "it is about another change")
        self.standing.pop(said.principal, None)
        self.after.pop(said.principal, None)
        if said.principal not in self.judge.policy.deciders:
            return _note(entry, f"{said.principal} has no role that decides about changes", "E_ROLE")
        return _note(entry, f"the last word of {said.principal} about it counts", "E_REVIEW_WITHDRAWN")


def _on_forge(case: Case, teller: _Teller) -> ForgeVotes:
    """What the forge's pull request comes to."""
    try:
        policy, subject = teller.judge.policy, teller.found.subject
        pull = case.pulls.by(subject.head, accounts(policy)) if case.pulls is not None else None
        if pull is None:
            return ForgeVotes()
        subject = replace(subject, contributors=subject.contributors | people_of(policy, pull.openers))
        return forge_votes(teller.judge, case.change_digest, subject, pull)
    except NotTrustedError as error:
        return ForgeVotes(refusals=(error,))


def _ignored(said: Predicate, entry: Entry, why: NotTrustedError) -> IgnoredReview:
    return IgnoredReview(
        said.principal, said.decision, "signed", said.id, entry.commit, said.issued, why.code, why.message, why.hint
    )


def _unread(entry: Entry) -> IgnoredReview:
    why = entry.parsed.problem or _note(entry, "it can not be read", "E_STATEMENT_FORMAT")
    return IgnoredReview("", "", "signed", "", entry.commit, "", why.code, why.message, why.hint)


def _of_forge(why: NotTrustedError) -> IgnoredReview:
    return IgnoredReview("", "", "github", why.where, why.where, "", why.code, why.message, why.hint)


def _note(entry: Entry, message: str, code: str = "E_REVIEW_CONTEXT") -> NotTrustedError:
    return NotTrustedError(message, code=code, where=entry.commit)
