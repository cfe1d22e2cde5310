"""S5, S6 and S7: whether those who agree are enough. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import Review
from haoam_sync.model.evidence import encode_statement, format_time
from haoam_sync.model.forge import unknown
from haoam_sync.model.trust_policy import SECTIONS, Rule
from haoam_sync.trust.forge_reviews import NOT_ASKED, ForgeVotes
from haoam_sync.trust.policy import REVIEWER, ROOT, LoadedPolicy
from haoam_sync.trust.reviews import Judge, Subject, require_other
from haoam_sync.trust.signatures import key_of
from haoam_sync.trust.statements import Entry
from haoam_sync.trust.weights import Weights, meant

_UNCHANGED = Rule(paths=("**",), require={REVIEWER: 1}, evidence="any")
"""What a step needs that changes no file: one review."""
_KINDS = {
    "signed": frozenset({"signed"}),
    "github": frozenset({"github"}),
    "any": frozenset({"signed", "github"}),
    "both": frozenset({"signed", "github"}),
}
"""Kinds of evidence that a rule looks at."""
_WHERE = {"signed": "", "any": "", "github": " on GitHub", "both": " twice, by a statement and on GitHub"}
_VAGUE = ("E_REVIEW_CONTEXT", "E_REVIEW_STALE", "E_STATEMENT_FORMAT")
"""Refusals of statements that may be about another change; named only when there is no better reason."""


@dataclass(frozen=True, slots=True)
class _Votes:
    """What the statements about a step come to.

    Attributes:
        reviews: approvals that count, one for each principal and kind of evidence, sorted.
        refusals: why other statements do not.
        forge_refusals: why other approvals on the forge do not.
    """

    reviews: tuple[Review, ...]
    refusals: tuple[NotTrustedError, ...]
    forge_refusals: tuple[NotTrustedError, ...] = ()


def takes_forge(policy: LoadedPolicy, weights: Weights) -> bool:
    """Whether a rule about this change takes reviews on a forge."""
    chosen = [rule for rule in policy.spec.rules if meant(rule, weights)] or [_UNCHANGED]
    return any(rule.evidence != "signed" for rule in chosen)


def require_reviews(
    judge: Judge,
    subject: Subject,
    entries: Sequence[Entry],
    weights: Weights,
    classes: Callable[[], frozenset[str]],
    forge: ForgeVotes = NOT_ASKED,
) -> tuple[tuple[Review, ...], tuple[str, ...]]:
    """S5 and S7 for a change of configuration: the approvals that count, and the classes that made up for others.

    Args:
        judge: what statements are judged with.
        subject: the step.
        entries: statements that seem to be about it, in the order of the log.
        weights: what changes, and what each of it counts as.
        classes: ids of the classes of pre-approved changes that it belongs to, wholly; asked only when that matters.
        forge: what the forge's pull request comes to.

    Raises:
        NotTrustedError: E_THRESHOLD, or why the approvals that there are do not count; E_FORGE_UNKNOWN,
            E_REVIEW_WITHDRAWN.
    """
    chosen = [rule for rule in judge.policy.spec.rules if meant(rule, weights)] or [_UNCHANGED]
    votes = _votes(judge, subject, entries, chosen, forge, others_only=True)
    waived: set[str] = set()
    for rule in chosen:
        try:
            _require_rules(judge.policy, subject, [rule], votes, forge)
        except NotTrustedError:
            held = _waived(rule, weights, classes)
            if not held:
                raise
            waived |= held
    return votes.reviews, tuple(sorted(waived))


def _waived(rule: Rule, weights: Weights, classes: Callable[[], frozenset[str]]) -> frozenset[str]:
    """The classes for whose sake the rule asks for no review.

    What a class says is about sections: files elsewhere (access/, haoam.yaml, files that documents name) are never its.
    """
    if not rule.waive or not all(path.startswith(SECTIONS) for path in meant(rule, weights)):
        return frozenset()
    return classes() & frozenset(rule.waive)


def require_quorum(
    judge: Judge,
    new: LoadedPolicy,
    subject: Subject,
    entries: Sequence[Entry],
    paths: Collection[str],
    makers: frozenset[str],
    forge: ForgeVotes = NOT_ASKED,
) -> tuple[Review, ...]:
    """S6: a quorum of the old roots and one of the new roots; `makers`, who signed the change, count toward both.

    Reviews on a forge do not count here (I1 of `policy.py`); a rejection there stops this change too.

    Raises:
        NotTrustedError: E_ROOT_QUORUM; E_THRESHOLD; E_REVIEW_WITHDRAWN.
    """
    old = judge.policy
    rules = [rule for rule in old.spec.rules if any(map(rule.matches, paths))]
    votes = _votes(
        judge, subject, entries, rules, ForgeVotes(against=forge.against, asked=forge.asked), others_only=False
    )
    needed = max([old.spec.roles[ROOT].threshold, *(rule.require.get(ROOT, 0) for rule in rules)])
    have = ({review.principal for review in votes.reviews} | makers) & old.spec.members(ROOT)
    _require_roots(subject, "old", have, needed, votes.refusals)
    agreed, refusals = _new_roots(judge, new, subject, entries)
    _require_roots(subject, "new", agreed & new.spec.members(ROOT), new.spec.roles[ROOT].threshold, refusals)
    if not old.solo:
        rest = [rule.model_copy(update={"require": _without_root(rule)}) for rule in rules]
        others = tuple(review for review in votes.reviews if review.principal not in subject.contributors)
        _require_rules(old, subject, rest, _Votes(others, votes.refusals), forge)
    return votes.reviews


def require_plan(judge: Judge, subject: Subject, entries: Sequence[Entry], paths: Collection[str]) -> None:
    """S7 for the plan of one instance: the approvals among `entries` meet every rule for the documents that it is of.

    Statements alone count, whatever evidence the rules take: nothing else names a plan.

    Args:
        judge: what statements are judged with.
        subject: the step that the commit was accepted by.
        entries: statements about it that bind this plan, and those that say no.
        paths: the documents whose sections, certificates and files the plan writes or deletes.

    Raises:
        NotTrustedError: E_THRESHOLD, or why the approvals that there are do not count; E_REVIEW_WITHDRAWN.
    """
    rules = [rule for rule in judge.policy.spec.rules if any(map(rule.matches, paths))] or [_UNCHANGED]
    signed = [rule.model_copy(update={"evidence": "signed"}) for rule in rules]
    votes = _votes(judge, subject, entries, signed, NOT_ASKED, others_only=True)
    _require_rules(judge.policy, subject, signed, votes, NOT_ASKED)


def _without_root(rule: Rule) -> dict[str, int]:
    return {role: count for role, count in rule.require.items() if role != ROOT}


def _new_roots(
    judge: Judge, new: LoadedPolicy, subject: Subject, entries: Sequence[Entry]
) -> tuple[set[str], tuple[NotTrustedError, ...]]:
    """Who agrees with a key that the new policy has."""
    signed = (key_of(judge.graph, new, judge.proofs, oid, subject.at) for oid in subject.heads)
    agreed = {use.principal for use in signed if use is not None}
    refusals: list[NotTrustedError] = []
    for entry in _first_of_each(judge, entries, new):
        said = entry.parsed.predicate
        if said is None or said.decision != "approve":
            continue
        try:
            agreed.add(judge.approval(entry, subject, new).principal)
        except NotTrustedError as error:
            refusals.append(error)
    return agreed, tuple(refusals)


def _votes(
    judge: Judge,
    subject: Subject,
    entries: Sequence[Entry],
    rules: Sequence[Rule],
    forge: ForgeVotes,
    *,
    others_only: bool,
) -> _Votes:
    """S7: the last word of everybody.

    Raises:
        NotTrustedError: E_REVIEW_WITHDRAWN, somebody who may review rejects it; E_ATTEST_ROLLBACK.
    """
    able = {name for rule in rules for role in rule.require for name in judge.policy.spec.members(role)}
    able |= judge.policy.spec.members(ROOT)
    standing: dict[str, Review] = {}
    against: dict[str, NotTrustedError] = {}
    refusals: list[NotTrustedError] = []
    said_no: dict[str, str] = {}
    for entry in _first_of_each(judge, entries, judge.policy):
        try:
            said = judge.about(entry, subject)
            if said is not None and said.decision != "approve":
                standing.pop(said.principal, None)
                said_no[said.principal] = max(said.issued, said_no.get(said.principal, ""))
                if said.principal in able:
                    against[said.principal] = _against(said.principal, said.decision, entry, subject)
                continue
            review = judge.approval(entry, subject)
            if others_only:
                require_other(review, subject, entry.commit)  # R7
        except NotTrustedError as error:
            said = entry.parsed.predicate
            if error.code == "E_ATTEST_ROLLBACK" and said is not None and said.principal in able:
                raise  # of those only whose word counts: others must not be able to hold a step
            refusals.append(error)
            continue
        if format_time(review.issued) < said_no.get(review.principal, ""):
            continue  # signed before the no, and brought forward after it
        standing[review.principal] = review
        against.pop(review.principal, None)
    against.update({name: refusal for name, refusal in forge.against if name in able})
    for refusal in against.values():
        raise refusal
    taken = frozenset().union(*(_KINDS[rule.evidence] for rule in rules))
    counting = (review for review in (*standing.values(), *forge.reviews) if review.evidence in taken)
    return _Votes(tuple(sorted(counting)), tuple(refusals), forge.refusals)


def _first_of_each(judge: Judge, entries: Sequence[Entry], policy: LoadedPolicy) -> Iterable[Entry]:
    """Statements, each once: one that is pushed again after it was taken back says nothing new.

    The same is what says the same, to the letter: another one with its id, by an old key of the same person and put
    before it, would silence a reviewer. What nobody of the policy signed is passed on, to be refused by its reason.
    """
    seen: set[bytes] = set()
    for entry in entries:
        said = judge.genuine(entry, policy)
        words = encode_statement(said) if said is not None else b""
        if words in seen:
            continue
        if words:
            seen.add(words)
        yield entry


def _require_rules(
    policy: LoadedPolicy, subject: Subject, rules: Iterable[Rule], votes: _Votes, forge: ForgeVotes
) -> None:
    """S5: the thresholds of all rules, each by the evidence that it takes."""
    for rule in rules:
        if rule.evidence in {"github", "both"} and not forge.asked:
            raise unknown(
                f"the rule for {', '.join(rule.paths)} asks for reviews on GitHub, and this host asks no forge",
                where=subject.head,
                hint="name the repository under `forge` in the host root file: docs/trust.md",
            )
        agreed = _agreed(rule, votes)
        for role, count in rule.require.items():
            have = sorted(agreed & policy.spec.members(role))
            if len(have) < count:
                raise _missing(subject, rule, role, count, have, votes)


def _agreed(rule: Rule, votes: _Votes) -> frozenset[str]:
    """Whose approvals a rule takes: each person once, whatever evidence there is of it."""
    signed = frozenset(review.principal for review in votes.reviews if review.evidence == "signed")
    forge = frozenset(review.principal for review in votes.reviews if review.evidence == "github")
    match rule.evidence:
        case "signed":
            return signed
        case "github":
            return forge
        case "any":
            return signed | forge
        case "both":
            return signed & forge


def _missing(
    subject: Subject, rule: Rule, role: str, count: int, have: Sequence[str], votes: _Votes
) -> NotTrustedError:
    found = f"{len(have)} ({', '.join(have)})" if have else "none"
    message = f"changes of {', '.join(rule.paths)} need {count} of the role {role} to approve{_WHERE[rule.evidence]}"
    message = f"{message}; there is {found}"
    kinds = _KINDS[rule.evidence]
    of_forge = votes.forge_refusals if "github" in kinds else ()
    best = _best((*of_forge, *(votes.refusals if "signed" in kinds else ())))
    if best is None:
        who = "somebody of that role who did not contribute"
        what = f"runs: haoam-sync review {subject.heads[-1]}" if "signed" in kinds else "approves the pull request"
        return NotTrustedError(message, code="E_THRESHOLD", where=subject.head, hint=f"{who} {what}")
    return NotTrustedError(f"{message}; {best.message}", code=best.code, where=subject.head, hint=best.hint)


def _best(refusals: Sequence[NotTrustedError]) -> NotTrustedError | None:
    """The refusal to name: the newest of those that are surely about this change."""
    certain = [refusal for refusal in refusals if refusal.code not in _VAGUE]
    found = certain or refusals
    return found[-1] if found else None


def _require_roots(
    subject: Subject, which: str, have: set[str] | frozenset[str], needed: int, refusals: Sequence[NotTrustedError]
) -> None:
    if len(have) >= needed:
        return
    best = _best(refusals)
    names = ", ".join(sorted(have)) or "none"
    raise NotTrustedError(
        f"a change of the policy needs {needed} of the {which} roots, who signed it or approve it; "
        f"there are {len(have)}: {names}" + (f"; {best.message}" if best is not None else ""),
        code="E_ROOT_QUORUM",
        where=subject.head,
        hint=f"more roots run: haoam-sync review {subject.heads[-1]} (with a key that the {which} policy has)",
    )


def _against(principal: str, decision: str, entry: Entry, subject: Subject) -> NotTrustedError:
    what = "rejected this change" if decision == "reject" else "took the approval of this change back"
    return NotTrustedError(
        f"{principal} {what} (statement {entry.commit[:12]})",
        code="E_REVIEW_WITHDRAWN",
        where=subject.head,
        hint=f"talk to {principal}, who can approve it again; or make a new change",
    )
