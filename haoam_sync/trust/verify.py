"""The stage itself: from a repository, a host root file and a memory to trusted commits.

Adapters feed the pure core; here is what runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import ProposedCommit, TrustedCommit
from haoam_sync.model.evidence import format_time
from haoam_sync.model.forge import Forge
from haoam_sync.model.host_root import HostRoot
from haoam_sync.repository import Repository
from haoam_sync.trust import core
from haoam_sync.trust.account import Watch
from haoam_sync.trust.case import Case, NamedBy, PreApproved, no_class, nothing_named, tell_nobody
from haoam_sync.trust.forge import Pulls
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.memory import Accepted, TrustState, advanced
from haoam_sync.trust.policy import ROOT
from haoam_sync.trust.proofs import Answers, ahead
from haoam_sync.trust.reviews import CLOCK_SKEW
from haoam_sync.trust.root import read_denylist
from haoam_sync.trust.standing import Standing, require_good_keys, standing
from haoam_sync.trust.statements import Log, read_log

ChangeDigest = Callable[[str, str], str]
"""Computes the change digest of base and head, two commit ids."""
_MOST_BACK = 10_000
"""A proposed commit may build on one of so many accepted commits."""


@dataclass(frozen=True)
class _Run:
    """One reading of everything, for one judgement."""

    root: HostRoot
    state: TrustState
    graph: Graph
    log: Log
    denied: frozenset[str]
    standing: Standing
    now: datetime
    change_digest: ChangeDigest
    pre_approved: PreApproved
    named: NamedBy
    pulls: Pulls | None
    bring: Callable[[int], None]
    watch: Watch | None

    def after(self, accepted: str) -> _Run:
        """The same with what roots said, as far as the policy of this accepted commit goes."""
        host = read_denylist(self.root)
        found = standing(self._case(Answers(host)), accepted)
        return replace(self, denied=host | found.revoked, standing=found)

    def case(self, base: str, chain: tuple[str, ...]) -> Case:
        known = self._case(Answers(self.denied))  # for policies only
        return self._case(Answers(self.denied, ahead(self.graph, base, chain, self.log.entries, known.policy)))

    def _case(self, proofs: Answers) -> Case:
        return Case(
            self.graph,
            self.log,
            proofs,
            self.root.ref,
            self.root.solo,
            self.now,
            self.change_digest,
            first_start=self.state.commit is None,
            pre_approved=self.pre_approved,
            named=self.named,
            revoked_by=self.standing.revoked_by,
            reviewed=self.state.commit.reviewed if self.state.commit is not None else "",
            pulls=self.pulls,
            bring=self.bring,
            tried=self.watch.tried if self.watch is not None else tell_nobody,
        )

    def require_thawed(self) -> None:
        """E3: no root stopped everything.

        Raises:
            NotTrustedError: E_FROZEN.
        """
        if self.standing.freezes:
            policy = self._case(Answers(self.denied)).policy(self.state.accepted)
            self.standing.require_thawed(policy.spec.roles[ROOT].threshold, self.state.accepted)

    def require_good_keys(self) -> None:
        """E3: what was accepted last does not rest on a key that is compromised.

        Raises:
            NotTrustedError: E_KEY_REVOKED.
        """
        if self.state.commit is not None:
            require_good_keys(self._case(Answers(self.denied)), self.state.commit, self.denied)

    def steps(self, head: str) -> Iterator[TrustedCommit]:
        """E1 to E3, from what is remembered to `head`."""
        if self.state.commit is None:
            first = self.introduction()
            if self.watch is not None:
                self.watch.steps.append((first, None))
            yield first
        trusted = self.state.accepted
        self._require_there(trusted)
        chain = core.first_parent_chain(self.graph, trusted, head)
        case = self.case(trusted, chain)
        over = core.accept if self.watch is None else self.watch.over
        yield from over(case, trusted, head)

    def _require_there(self, trusted: str) -> None:
        """The commit accepted last must be there at all: a machine that never saw it has no copy of its own.

        Raises:
            NotTrustedError: E_NOT_FAST_FORWARD.
        """
        try:
            self.graph.raw(trusted)
        except NotTrustedError as error:
            if error.code != "E_REPO_STATE":
                raise
            raise NotTrustedError(
                f"the commit accepted last, {trusted}, is not in the history of {self.root.ref} any more",
                code="E_NOT_FAST_FORWARD",
                where=trusted,
                hint="history only goes forward: push the accepted commits back",
            ) from error

    def introduction(self) -> TrustedCommit:
        """The first commit of all.

        Raises:
            NotTrustedError: E_NOT_DESCENDANT, it is not in the branch's history; and those of `core.introduction`.
        """
        oid = self.root.introduction
        try:
            self.graph.raw(oid)
        except NotTrustedError as error:
            if error.code != "E_REPO_STATE":
                raise
            raise NotTrustedError(
                f"the introduction commit {oid} is not in the history of {self.root.ref}",
                code="E_NOT_DESCENDANT",
                where=oid,
                hint="compare the host root file with the repository: they do not belong together",
            ) from error
        return core.introduction(self._case(Answers(self.denied)), self.root.policy)


def verify(
    repository: Repository,
    root: HostRoot,
    state: TrustState,
    head: str,
    *,
    now: datetime,
    change_digest: ChangeDigest,
    known: Collection[str] = (),
    pre_approved: PreApproved = no_class,
    named: NamedBy = nothing_named,
    forge: Forge | None = None,
    watch: Watch | None = None,
) -> Accepted:
    """Prove that `head` is signed and reviewed, step by step from the commit accepted last.

    Args:
        repository: where commits and statements are.
        root: who is trusted to begin with.
        state: what is remembered.
        head: id of the commit in question.
        now: the one reading of the clock, with a time zone.
        change_digest: computes the change digest of base and head; what it raises goes through.
        known: commits that instances or the audit log name as applied: `head` must not be older than any of them.
        pre_approved: the classes that a change belongs to, wholly; what it raises goes through.
        named: the files that the documents of a commit name; each weighs what these documents weigh.
        forge: where pull requests are read; None when the host root file names none.
        watch: keeps what can be told of each step.

    Returns:
        The commit, the steps that are new, and the state to be stored with `store_state`.

    Raises:
        NotTrustedError: E_...; nothing changed.
        UsageError: git or ssh-keygen is missing.
    """
    run = _open(repository, root, state, now, change_digest, pre_approved, named, forge, watch)
    _require_newer(repository, root, head, known)
    if state.commit is not None and state.accepted == head:
        run.require_thawed()
        run.require_good_keys()
    try:
        steps = tuple(run.steps(head))
    except NotTrustedError:
        run.require_thawed()  # what is said first, whatever else is wrong
        raise
    return _accepted(run, repository, steps)  # there, by the policy that the steps lead to: they may hold a thaw's keys


def advance(
    repository: Repository,
    root: HostRoot,
    state: TrustState,
    *,
    now: datetime,
    change_digest: ChangeDigest,
    known: Collection[str] = (),
    pre_approved: PreApproved = no_class,
    named: NamedBy = nothing_named,
    forge: Forge | None = None,
) -> Accepted:
    """Accept as much of the policy's branch as can be trusted: what a plan of a proposed commit and a review rest on.

    Arguments are those of `verify`.

    Returns:
        As `verify`; `commit` is the last one that is trusted, `refusal` says why the tip is not, when it is not.

    Raises:
        NotTrustedError: not even the commit accepted last can be kept (state, attestations, clock, introduction); or
            what can be trusted does not contain all of `known`.
    """
    run = _open(repository, root, state, now, change_digest, pre_approved, named, forge)
    head, refusal = repository.tip, None
    try:
        run.require_thawed()
    except NotTrustedError as error:
        if state.commit is None:
            raise
        head, refusal = state.accepted, error
    while True:
        steps: list[TrustedCommit] = []
        try:
            for step in run.steps(head):
                steps.append(step)  # noqa: PERF402  # what came before a refusal is kept
        except NotTrustedError as error:
            refusal = refusal or error
            head = steps[-1].id if steps else state.accepted
            if state.commit is None and not steps:
                raise
            continue
        _require_newer(repository, root, head, known)
        return _accepted(run, repository, tuple(steps), refusal)


def reading(
    repository: Repository,
    root: HostRoot,
    state: TrustState,
    *,
    now: datetime,
    change_digest: ChangeDigest,
    named: NamedBy = nothing_named,
) -> Case:
    """What steps that were accepted before are told with: nothing is judged, and no forge is asked.

    Arguments are those of `verify`.

    Raises:
        NotTrustedError: the state or the statements do not hold.
    """
    return _open(repository, root, state, now, change_digest, no_class, named, None).case(state.accepted, ())


def propose(repository: Repository, root: HostRoot, accepted: Accepted, head: str) -> ProposedCommit:
    """A commit that nobody is asked to believe, beside the accepted one it builds on.

    Raises:
        NotTrustedError: it is not canonical, or has nothing to do with this repository (E_NOT_DESCENDANT).
    """
    graph = Graph(repository, root.introduction)
    trusted = accepted.commit
    commit = graph.commit(head)
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


def _open(
    repository: Repository,
    root: HostRoot,
    state: TrustState,
    now: datetime,
    change_digest: ChangeDigest,
    pre_approved: PreApproved,
    named: NamedBy,
    forge: Forge | None,
    watch: Watch | None = None,
) -> _Run:
    """E3: what must hold before anything is judged."""
    _require_clock(state, now)
    denied = read_denylist(root)
    graph = Graph(repository, root.introduction)
    log = read_log(graph, repository.attestations)
    if not log.has(state.attestations):
        raise NotTrustedError(
            f"the review statements were taken back: {state.attestations[:12]}, seen before, is no longer among them",
            code="E_ATTEST_ROLLBACK",
            where=repository.attestations or "refs/heads/haoam/attestations",
            hint="somebody reset refs/heads/haoam/attestations; put it back to a copy that holds that commit",
        )
    pulls = Pulls(forge, root.ref) if forge is not None else None
    nothing = Standing()
    run = _Run(
        root,
        state,
        graph,
        log,
        denied,
        nothing,
        now,
        change_digest,
        pre_approved,
        named,
        pulls,
        repository.bring_pull,
        watch,
    )
    return run.after(state.accepted) if log.of_roots else run


def _accepted(
    run: _Run, repository: Repository, steps: tuple[TrustedCommit, ...], refusal: NotTrustedError | None = None
) -> Accepted:
    state, _ = advanced(run.state, steps, repository.attestations)
    commit = _unchanged(state).commit
    if steps and run.log.of_roots:
        _require_same_standing(run, commit, steps)
    if commit.policy_serial < run.root.smallest_serial:
        case = run.case(commit.id, ())
        core.require_serial(case.policy(commit.id), run.root.smallest_serial, commit.id)
    return Accepted(commit, steps, state, run.state, refusal)


def _require_same_standing(run: _Run, commit: TrustedCommit, steps: tuple[TrustedCommit, ...]) -> None:
    """E3 again with the policy that was arrived at: roots who came on the way may have spoken, too.

    Raises:
        NotTrustedError: E_FROZEN, E_KEY_REVOKED.
    """
    later = run.after(commit.id)
    if later.denied - run.denied:
        case = later.case(commit.id, ())
        for step in steps:
            require_good_keys(case, step, later.denied)
    if later.standing.freezes:
        policy = later.case(commit.id, ()).policy(commit.id)
        later.standing.require_thawed(policy.spec.roles[ROOT].threshold, commit.id)


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


def _require_newer(repository: Repository, root: HostRoot, head: str, known: Collection[str]) -> None:
    graph = Graph(repository, root.introduction)
    for commit in known:
        if commit != head and not graph.reaches(head, commit):
            raise NotTrustedError(
                f"{commit} was applied already, and {head} does not contain it",
                code="E_STATE_ROLLBACK",
                where=head,
                hint="history only goes forward; fetch the newest commits, or see who applied that one",
            )
