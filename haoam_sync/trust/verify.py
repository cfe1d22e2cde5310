"""The stage itself: from a repository, a host root file and a memory to trusted commits.

Adapters feed the pure core; here is what runs them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import ProposedCommit
from haoam_sync.model.evidence import format_time
from haoam_sync.model.forge import Forge
from haoam_sync.model.host_root import HostRoot
from haoam_sync.repository import Repository
from haoam_sync.trust import core
from haoam_sync.trust.account import Watch
from haoam_sync.trust.case import Case, NamedBy, PreApproved, no_class, nothing_named
from haoam_sync.trust.forge import Pulls
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.memory import Accepted, TrustState, advanced
from haoam_sync.trust.proofs import Answers
from haoam_sync.trust.reviews import CLOCK_SKEW
from haoam_sync.trust.root import read_denylist
from haoam_sync.trust.running import ChangeDigest, Past, Questioned, Run
from haoam_sync.trust.statements import read_log
from haoam_sync.trust.steps import Steps

_MOST_BACK = 10_000
"""A proposed commit may build on one of so many accepted commits."""


@dataclass(frozen=True)
class Grounds:
    """What a judgement rests on, whatever it is about.

    Attributes:
        repository: where commits and statements are.
        root: who is trusted to begin with.
        state: what is remembered.
        now: the one reading of the clock, with a time zone.
        change_digest: computes the change digest of base and head; what it raises goes through.
        known: commits that instances or the audit log name as applied: what is accepted must not be older than any.
        past: what is remembered, every step; asked when a key is compromised. None: all is judged again then, from the
            introduction commit on.
        pre_approved: the classes that a change belongs to, wholly; what it raises goes through.
        named: the files that the documents of a commit name; each weighs what these documents weigh.
        forge: where pull requests are read; None when the host root file names none.
    """

    repository: Repository
    root: HostRoot
    state: TrustState
    now: datetime
    change_digest: ChangeDigest
    known: Collection[str] = ()
    past: Past | None = None
    pre_approved: PreApproved = no_class
    named: NamedBy = nothing_named
    forge: Forge | None = None

    def open(self, watch: Watch | None = None) -> Run:
        """E3: what must hold before anything is judged; `watch` keeps what can be told of each step.

        Raises:
            NotTrustedError: E_CLOCK, E_ATTEST_ROLLBACK, E_REVOCATION_UNAVAILABLE.
        """
        _require_clock(self.state, self.now)
        host = read_denylist(self.root)
        graph = Graph(self.repository, self.root.introduction)
        log = read_log(graph, self.repository.attestations)
        if not log.has(self.state.attestations):
            raise NotTrustedError(
                f"the review statements were taken back: {self.state.attestations[:12]}, seen before, "
                "is no longer among them",
                code="E_ATTEST_ROLLBACK",
                where=self.repository.attestations or "refs/heads/haoam/attestations",
                hint="somebody reset refs/heads/haoam/attestations; put it back to a copy that holds that commit",
            )
        run = Run(
            self.root,
            self.state,
            graph,
            log,
            host,
            self.now,
            self.change_digest,
            self.pre_approved,
            self.named,
            self.past,
            Pulls(self.forge, self.root.ref) if self.forge is not None else None,
            self.repository.bring_pull,
            Answers(host),
            self.repository.directory,
            watch,
        )
        return run.after(self.state.accepted) if log.of_roots else run

    def require_newer(self, head: str) -> None:
        """Refuse a commit that does not contain what was applied already.

        Raises:
            NotTrustedError: E_STATE_ROLLBACK.
        """
        graph = Graph(self.repository, self.root.introduction)
        for commit in self.known:
            if commit != head and not graph.reaches(head, commit):
                raise NotTrustedError(
                    f"{commit} was applied already, and {head} does not contain it",
                    code="E_STATE_ROLLBACK",
                    where=head,
                    hint="history only goes forward; fetch the newest commits, or see who applied that one",
                )


def verify(grounds: Grounds, head: str, watch: Watch | None = None) -> Accepted:
    """Prove that `head` is signed and reviewed, step by step from the commit accepted last.

    Args:
        grounds: what it rests on.
        head: id of the commit in question.
        watch: keeps what can be told of each step.

    Returns:
        The commit, the steps that are new, and the state to be stored with `store_state`.

    Raises:
        NotTrustedError: E_...; nothing changed.
        UsageError: git or ssh-keygen is missing.
    """
    run = grounds.open(watch)
    grounds.require_newer(head)
    steps = Steps((), run.spool)
    try:
        later = run.judged(head, steps)
    except NotTrustedError:
        run.require_thawed(grounds.state.accepted)  # what is said first, whatever else is wrong
        raise
    later.require_thawed(head)  # by the policy that the steps lead to: they may hold a thaw's keys
    return _accepted(run, grounds.repository, steps)


def advance(grounds: Grounds, *, though_frozen: bool = False) -> Accepted:
    """Accept as much of the policy's branch as can be trusted: what a plan of a proposed commit and a review rest on.

    `though_frozen` is for roots who speak: a freeze does not keep them from learning whose policy is in force, also on
    a machine that remembers nothing. Nothing of that is stored.

    Returns:
        As `verify`; `commit` is the last one that is trusted, `refusal` says why the tip is not, when it is not.

    Raises:
        NotTrustedError: not even the commit accepted last can be kept (state, attestations, clock, introduction); or
            what can be trusted does not contain all of `known`.
    """
    run, state = grounds.open(), grounds.state
    head, refusal = grounds.repository.tip, None
    try:
        if not though_frozen:
            run.require_thawed(state.accepted)
    except NotTrustedError as error:
        if state.commit is None:
            raise
        head, refusal = state.accepted, error
    while True:
        steps = Steps((), run.spool)
        try:
            later = run.judged(head, steps)
        except NotTrustedError as error:
            refusal = refusal or error
            if head == state.accepted or (state.commit is None and not steps):
                raise
            head = steps[-1].id if steps else state.accepted
            continue
        if steps and not though_frozen:
            later.require_thawed(head)
        grounds.require_newer(head)
        return _accepted(run, grounds.repository, steps, refusal)


def kept(grounds: Grounds) -> Accepted:
    """The commit accepted last, without a look at what came after it: its endpoints may still be used.

    Something is remembered. A freeze does not matter here: looking is no change.

    Raises:
        NotTrustedError: E_KEY_REVOKED, it rests on a key that is compromised; E_ATTEST_ROLLBACK, E_CLOCK.
    """
    run = grounds.open()
    run.judged(grounds.state.accepted, Steps((), run.spool))
    return _unchanged(grounds.state)


def questioned(grounds: Grounds, head: str) -> Questioned:
    """Where a commit, and all that it builds on, rests on compromised keys, for roots who are to affirm it.

    Raises:
        NotTrustedError: it could not be accepted, whoever affirms it.
    """
    return grounds.open().questioned(head)


def believed(grounds: Grounds) -> str:
    """The newest commit of the branch that could be accepted if roots affirmed all of it: whose roots may speak.

    Nothing else is taken from it, and nothing is remembered of it.

    Raises:
        NotTrustedError: not even the introduction commit could.
    """
    return grounds.open().believed(grounds.repository.tip)


def reading(grounds: Grounds) -> Case:
    """What steps that were accepted before are told with: nothing is judged, and no forge is asked.

    Raises:
        NotTrustedError: the state or the statements do not hold.
    """
    told = replace(grounds, pre_approved=no_class, forge=None, past=None)
    return told.open().case(grounds.state.accepted, ())


def propose(repository: Repository, root: HostRoot, accepted: Accepted, head: str) -> ProposedCommit:
    """A commit that nobody is asked to believe, beside the accepted one it builds on.

    Raises:
        NotTrustedError: it is not canonical, or has nothing to do with this repository (E_NOT_DESCENDANT).
    """
    graph = Graph(repository, root.introduction)
    trusted = accepted.commit
    commit = graph.commit(head)
    if head == trusted.id:
        return ProposedCommit(head, commit.tree, trusted.base, trusted)  # looked at again, as the step that it was
    if graph.reaches(head, trusted.id):
        return ProposedCommit(head, commit.tree, trusted.id, trusted)
    below = graph.ancestors(head)  # walked once, however far back it began: nobody needs leave to propose
    for base in islice(graph.line(trusted.id), _MOST_BACK):
        if base in below:
            return ProposedCommit(head, commit.tree, base, trusted)
    raise NotTrustedError(
        f"{head} builds on no commit of {root.ref} since the introduction commit {root.introduction[:12]}",
        code="E_NOT_DESCENDANT",
        where=head,
        hint=f"start the branch from {root.ref}",
    )


def _accepted(run: Run, repository: Repository, steps: Steps, refusal: NotTrustedError | None = None) -> Accepted:
    state, _ = advanced(run.state, steps, repository.attestations)
    commit = _unchanged(state).commit
    if commit.policy_serial < run.root.smallest_serial:
        case = run.case(commit.id, ())
        core.require_serial(case.policy(commit.id), run.root.smallest_serial, commit.id)
    return Accepted(commit, steps or (), state, run.state, refusal)


def _unchanged(state: TrustState) -> Accepted:
    if state.commit is None:
        raise NotTrustedError("nothing is accepted", where=state.introduction)
    return Accepted(state.commit, (), state, state)


def _require_clock(state: TrustState, now: datetime) -> None:
    if state.commit is not None and now < state.commit.decided_at - CLOCK_SKEW:
        raise NotTrustedError(
            f"it is {format_time(now)} here, before the last decision at {format_time(state.commit.decided_at)}",
            code="E_CLOCK",
            where=state.commit.id,
            hint="set the clock of this machine",
        )
