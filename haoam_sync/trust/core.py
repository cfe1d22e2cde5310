"""STEP and ACCEPT: whether a commit is trusted. Pure: no I/O, no clock; objects, proofs and the time come from outside.

Authority comes from the commit accepted last and from its policy, never from the commit that is judged.

E1  C descends from T, T lies on C's first-parent chain, and T descends from the introduction commit.
E2  Every step from T to C passes, in order. Several commits of a fast-forward are one step when a review binds their
    two ends and no trust file changes among them.
E3  Nothing frozen; nothing rests on a compromised key, however long ago it was accepted (`compromises.py`); now is not
    before the last decision. Keys and reviews are judged at `now`, once: what was accepted is remembered. Only a host
    that begins at the introduction judges a step that a later accepted step builds on at the time of its last review:
    nobody there remembers more.

S1  Every commit of the step is canonical and has exactly one signature, which holds over its raw bytes, by an active
    key of exactly one principal who may author; the step's own commit may be a merge by a principal of role merger, or
    by a forge's key where it adds nothing, and so may be merges that bring the base's line into the branch. Of a squash
    by a forge, the head that was squashed builds on the base and has its tree, and its commits are the step's, too.
S2  At most two parents, the first is the base; counts bounded; nothing missing.
S3  The tree that was reviewed is the tree of the commit (R3 of `reviews.py`).
S4  The tree holds only plain files under names that look like what they are; sizes and counts bounded.
S5  Every changed path matches a rule, and the thresholds of all matching rules are met, also of those that match a
    document that names the path, before or after (`weights.py`); or the rule waives its reviews for a class of changes,
    and all that differs since people reviewed last belongs to it.
S6  Trust files change alone, the serial goes up by one, a quorum of the old and of the new roots agrees, and the new
    policy holds together (`policy.py`).
S7  Reviews are by distinct principals, none of whom contributed; nobody rejects the change (`reviews.py` for signed
    statements, `forge_reviews.py` for pull requests).

Checked in the order E1, E3, then for each step S1 S2 S6 (the files) S4 S5 S3 S7 S6 (the quorum).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from haoam_sync.errors import ForgeDownError, InvalidDesiredError, NotTrustedError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.evidence import parse_time
from haoam_sync.model.json import digest_bytes
from haoam_sync.model.trust_policy import is_trust_file
from haoam_sync.trust.case import Attempt, Case
from haoam_sync.trust.forge_reviews import NOT_ASKED, ForgeVotes, accounts, approved_at, forge_votes, people_of
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.reviews import CLOCK_SKEW, Judge, Subject
from haoam_sync.trust.signatures import forge_signed, signed_by
from haoam_sync.trust.structure import Step, require_method, structure
from haoam_sync.trust.thresholds import require_quorum, require_reviews, takes_forge

_MOST_TIMES = 64
"""So many approvals of one old step are tried as the one that made it complete."""


def accept(case: Case, trusted: str, head: str) -> Iterator[TrustedCommit]:
    """ACCEPT(T, C): every step from the commit accepted last to `head`, oldest first; none when they are the same.

    `head` is trusted only when the iteration comes to its end without a refusal.

    Args:
        case: what is known.
        trusted: T, the commit accepted last.
        head: C.

    Raises:
        NotTrustedError: with the code of the first check that fails, the commit, what was found and what would do.
    """
    chain = first_parent_chain(case.graph, trusted, head)  # E1
    base, policy, place, reviewed = trusted, case.policy(trusted), 0, case.reviewed or trusted
    while place < len(chain):
        found = _next(case, policy, base, chain[place:], head, reviewed)
        yield found
        reviewed = found.reviewed
        base, place = found.id, chain.index(found.id, place) + 1
        if case.policy_digest(base) != policy.digest:
            policy = case.policy(base)


def introduction(case: Case, digest: str) -> TrustedCommit:
    """The introduction commit, believed because the host root file names it and the digest of its policy.

    Raises:
        NotTrustedError: E_POLICY_DIGEST; E_POLICY_INVARIANT; E_UNSIGNED and others of S1; S4's.
    """
    oid = case.graph.introduction
    case = case.about(oid)
    data = case.policy_bytes(oid)
    if digest_bytes(data) != digest:
        raise NotTrustedError(
            f"the introduction commit's policy has the digest {digest_bytes(data)}, the host root file says {digest}",
            code="E_POLICY_DIGEST",
            where=oid,
            hint="compare both with the people who set this up; haoam-sync trust init writes the host root file",
        )
    policy = case.policy(oid)
    signers = signed_by(case.graph, policy, case.proofs, (oid,), "", case.now)
    tree = case.graph.commit(oid).tree
    facts = case.trees.require(tree, policy.spec.limits, oid)
    return TrustedCommit(
        id=oid,
        base=oid,
        tree=tree,
        tree_sha256=facts.sha256.hex(),
        ref=case.ref,
        introduction=oid,
        policy_serial=policy.spec.serial,
        policy_digest=policy.digest,
        author=signers[-1].principal,
        committer=signers[-1].principal,
        signers=signers,
        reviews=(),
        change_digest="",
        decided_at=case.now,
        solo=policy.solo,
        reviewed=oid,
    )


def require_serial(policy: LoadedPolicy, smallest: int, where: str) -> None:
    """Refuse a policy older than the host root file allows.

    Raises:
        NotTrustedError: E_SERIAL.
    """
    if policy.spec.serial < smallest:
        raise NotTrustedError(
            f"the policy has serial {policy.spec.serial}, the host root file asks for {smallest} or more",
            code="E_SERIAL",
            where=where,
            hint="fetch the newest commits",
        )


def first_parent_chain(graph: Graph, trusted: str, head: str) -> tuple[str, ...]:
    """E1: the commits from the one after `trusted` to `head`, by first parents, oldest first.

    Raises:
        NotTrustedError: E_NOT_DESCENDANT, E_PARENTS, E_NOT_FAST_FORWARD.
    """
    if head == trusted:
        return ()
    if not graph.reaches(trusted, graph.introduction):
        raise NotTrustedError(
            f"the commit accepted last, {trusted}, does not descend from the introduction commit {graph.introduction}",
            code="E_NOT_DESCENDANT",
            where=trusted,
            hint="the host root file and the state belong to different repositories",
        )
    chain = graph.first_parents(trusted, head)
    if chain is not None:
        return chain
    if graph.reaches(head, trusted):
        raise NotTrustedError(
            f"the commit accepted last, {trusted}, is no first parent on the way to {head}: merged the wrong way round",
            code="E_PARENTS",
            where=head,
            hint="merge the branch into the policy's branch, not the other way round",
        )
    if graph.reaches(head, graph.introduction):
        older = graph.reaches(trusted, head)
        raise NotTrustedError(
            f"{head} is {'older than' if older else 'no descendant of'} the commit accepted last, {trusted}",
            code="E_NOT_FAST_FORWARD",
            where=head,
            hint="history only goes forward: to go back, make a revert commit and have it reviewed",
        )
    raise NotTrustedError(
        f"{head} does not descend from the introduction commit {graph.introduction}",
        code="E_NOT_DESCENDANT",
        where=head,
        hint="name a commit of this repository's own history",
    )


def _next(
    case: Case, policy: LoadedPolicy, base: str, chain: tuple[str, ...], final: str, reviewed: str
) -> TrustedCommit:
    """E2: the longest step from `base` that a review binds, else the step to the next commit."""
    judge = judge_of(case, policy)
    bound = {said.head for entry in case.log.about(base=base) if (said := judge.genuine(entry)) is not None}
    if case.pulls is not None and len(chain) > 1:
        with suppress(ForgeDownError):  # S7 asks again, of each step that could need it
            bound |= case.pulls.ends(chain[0])
    ends = [oid for oid in reversed(chain[1:]) if oid in bound]
    refusal: NotTrustedError | None = None
    for end in (*ends, chain[0]):
        try:
            return step(case, policy, base, end, final=end == final, reviewed=reviewed)
        except NotTrustedError as error:
            refusal = refusal or error
    if refusal is not None and refusal.code == "E_THRESHOLD":
        # nobody reviewed; a commit further on that nobody could ever accept is the better thing to say
        new = case.graph.between(base, chain[-1])
        signed_by(case.graph, policy, case.proofs, new, chain[-1], case.now, by_forge=new)
    raise refusal or NotTrustedError("there is no step", where=base)


def step(case: Case, policy: LoadedPolicy, base: str, head: str, *, final: bool, reviewed: str) -> TrustedCommit:
    """STEP(p, c) under P(p), of a squash with each head that could have been squashed.

    Raises:
        NotTrustedError: as for `accept`; of a squash that for the first head.
    """
    case = case.about(head)
    refusal: NotTrustedError | None = None
    for squashed in squashed_into(case, policy, base, head) or ("",):
        heads = (head, squashed) if squashed else _heads(case.graph, base, head)
        for at in [case.now] if final or not case.first_start else _times_of(case, policy, base, heads):
            try:
                return _step(case, policy, base, heads, at=at, reviewed=reviewed, squashed=squashed)
            except NotTrustedError as error:
                refusal = refusal or error
    raise refusal or NotTrustedError("there is no step", where=base)


def squashed_into(case: Case, policy: LoadedPolicy, base: str, head: str) -> tuple[str, ...]:
    """S1: the heads that a forge may have squashed into `head`: the pull request's, and those that statements name."""
    top = case.graph.commit(head)
    squash = "squash" in policy.spec.merge.methods and top.parents == (base,)
    if not squash or not forge_signed(case.graph, policy, head):
        return ()
    judge = judge_of(case, policy)
    said = (judge.genuine(entry) for entry in reversed(case.log.about(base=base)))
    found = [one.head for one in said if one is not None and one.tree == top.tree and one.head != head]
    try:
        pull = case.pulls.by(head, accounts(policy)) if case.pulls is not None else None
    except ForgeDownError:
        if not found:
            raise
        pull = None  # statements say what was squashed; S7 asks again where the forge's word counts
    if pull is not None and pull.head != head:
        case.bring(pull.number)
        found.insert(0, pull.head)
    return tuple(dict.fromkeys(found))


def _step(
    case: Case, policy: LoadedPolicy, base: str, heads: tuple[str, ...], *, at: datetime, reviewed: str, squashed: str
) -> TrustedCommit:
    """STEP(p, c) under P(p).

    Args:
        case: what is known.
        policy: P(p).
        base: p.
        heads: c, and what may have been reviewed in its place.
        at: when keys and reviews are judged; approvals given later are not there yet.
        reviewed: the last commit that people reviewed.
        squashed: the head that was squashed into c; "" when it is no squash.

    Raises:
        NotTrustedError: as for `accept`.
    """
    judge, head = judge_of(case, policy), heads[0]
    case.tried(Attempt(base, head, squashed, at))
    entries = case.log.about(heads=heads, base=base, tree=case.graph.commit(head).tree)
    found = structure(case, policy, base, head, at, squashed)
    require_method(policy, found)
    subject, forge, answers = _on_forge(case, judge, found)
    waived: tuple[str, ...] = ()
    if any(map(is_trust_file, found.changes)):
        new = new_policy(case, policy, found)  # S6
        makers = frozenset({found.author, found.committer} - {""})
        reviews = require_quorum(judge, new, subject, entries, found.changes, makers, forge)
    elif policy.solo:
        reviews = ()
    else:
        classes = partial(case.pre_approved, reviewed, base, head)
        reviews, waived = require_reviews(judge, subject, entries, found.weights, classes, forge)  # S3, S5, S7
    return TrustedCommit(
        id=head,
        base=base,
        tree=found.tree,
        tree_sha256=found.tree_sha256,
        ref=case.ref,
        introduction=case.graph.introduction,
        policy_serial=policy.spec.serial,
        policy_digest=policy.digest,
        author=found.author,
        committer=found.committer,
        signers=found.signers,
        reviews=reviews,
        change_digest=found.subject.change_digest(),
        decided_at=case.now,
        solo=policy.solo,
        waived=waived,
        reviewed=reviewed if waived or not _looked_at(case, found, reviewed) else head,
        forge=answers,
    )


def _on_forge(case: Case, judge: Judge, found: Step) -> tuple[Subject, ForgeVotes, str]:
    """S7: the step with who opened its pull request, what that comes to, and the digest of the answers.

    Asked only about a step that is sound in itself. A no there counts against every change. A forge that gives no
    answer holds what reviews there could make acceptable; where all rules take statements alone, it holds nothing.

    Raises:
        NotTrustedError: E_FORGE_UNKNOWN.
    """
    policy, subject = judge.policy, found.subject
    if case.pulls is None or policy.solo:
        return subject, NOT_ASKED, ""
    try:
        pull = case.pulls.by(found.head, accounts(policy))
    except ForgeDownError:
        if takes_forge(policy, found.weights):
            raise
        return subject, NOT_ASKED, ""
    if pull is not None:
        subject = replace(subject, contributors=subject.contributors | people_of(policy, pull.openers))
    return subject, forge_votes(judge, case.change_digest, subject, pull), pull.digest if pull is not None else ""


def _looked_at(case: Case, found: Step, reviewed: str) -> bool:
    """Whether the people who agreed to a step were shown a change of the desired state, or it is as people left it.

    A review of a text, or of the policy, says nothing about what was waived before it: small steps still add up.
    """
    if reviewed == found.base:
        return True
    try:
        nothing = case.change_digest(found.base, found.base)
    except InvalidDesiredError:
        return True  # this version cannot read the base any more: then all that the head wants was shown
    return found.subject.change_digest() != nothing


def new_policy(case: Case, policy: LoadedPolicy, found: Step) -> LoadedPolicy:
    """S6: the policy that a step which changes trust files brings in.

    Raises:
        NotTrustedError: E_TRUST_MIXED, E_SERIAL; E_POLICY_INVARIANT and E_YAML, it does not hold together.
    """
    others = [path for path in found.changes if not is_trust_file(path)]
    if others:
        raise NotTrustedError(
            f"trust files and others ({', '.join(others[:3])}) change together",
            code="E_TRUST_MIXED",
            where=found.head,
            hint="change trust.yaml and keys/ in a commit of their own",
        )
    new = case.policy(found.head)
    expected = policy.spec.serial + 1
    if new.spec.serial != expected or new.spec.previous != policy.digest:
        raise NotTrustedError(
            f"the new policy has serial {new.spec.serial} and follows {new.spec.previous}; "
            f"expected are serial {expected} and {policy.digest}",
            code="E_SERIAL",
            where=found.head,
            hint="write these two into trust.yaml; an older policy comes back only as a new one",
        )
    return new


def _heads(graph: Graph, base: str, head: str) -> tuple[str, ...]:
    parents = graph.commit(head).parents
    return (head, *parents[1:]) if parents[:1] == (base,) else (head,)


def judge_of(case: Case, policy: LoadedPolicy) -> Judge:
    """What reviews of steps from this policy's commit on are judged with."""
    return Judge(
        case.graph,
        case.trees,
        case.log,
        case.proofs,
        policy,
        case.ref,
        case.now,
        case.policy_digest,
        case.revoked_by,
    )


def _times_of(case: Case, policy: LoadedPolicy, base: str, heads: tuple[str, ...]) -> list[datetime]:
    """E3: when a step that a later one builds on may have been complete: at one of its approvals, the last one first.

    It must have been complete at one of them, with what was given until then: who approves an old step again, years
    later, does not undo that. Of a change of the policy, approvals with a key that only the new policy has count too.
    """
    judge, policies = judge_of(case, policy), [policy]
    if case.policy_digest(heads[0]) not in {policy.digest, ""}:
        policies.append(case.policy(heads[0]))
    times: set[datetime] = set()
    with suppress(ForgeDownError):  # S7 asks again
        times |= set(approved_at(policy, case.pulls.by(heads[0], accounts(policy))) if case.pulls is not None else ())
    for entry in case.log.about(heads=heads, base=base):
        for one in policies:
            said = judge.genuine(entry, one)
            if said is None or said.head not in heads or said.decision != "approve":
                continue
            if said.principal in one.deciders:
                times.add(parse_time(said.issued))
    past = sorted((time for time in times if time <= judge.now + CLOCK_SKEW), reverse=True)
    return [*past[:_MOST_TIMES], *past[_MOST_TIMES:][-1:]] or [judge.now]
