"""One judgement: what was accepted, the steps that are new, and what roots said about either."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.root_statement import Affirm
from haoam_sync.trust import core
from haoam_sync.trust.account import Watch
from haoam_sync.trust.case import Case, NamedBy, PreApproved, tell_nobody
from haoam_sync.trust.compromises import Doubt, Rests, doubted, hoped, resting
from haoam_sync.trust.forge import Pulls
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.memory import TrustState
from haoam_sync.trust.policy import ROOT
from haoam_sync.trust.proofs import Answers, ahead
from haoam_sync.trust.signatures import claims
from haoam_sync.trust.sshsig import SshClaim
from haoam_sync.trust.standing import Standing, standing
from haoam_sync.trust.statements import Log
from haoam_sync.trust.steps import Steps, Together

ChangeDigest = Callable[[str, str], str]
"""Computes the change digest of base and head, two commit ids."""


class Past(Protocol):
    """Every step that is remembered, oldest first; the last one is the commit accepted last."""

    def __call__(self) -> Iterable[TrustedCommit]:
        """Read them."""


@dataclass(frozen=True, slots=True)
class Questioned:
    """A commit that roots may affirm. It is not trusted: it is what it would be when they do.

    Attributes:
        commit: the commit.
        resting: where it, or what it builds on, rests on compromised keys.
        speaking: the commit whose policy says who may affirm it: its own, or the last one before such a key had a part
            in a change of the policy.
    """

    commit: TrustedCommit
    resting: tuple[Rests, ...]
    speaking: str


@dataclass(frozen=True)
class Run:
    """One reading of everything, for one judgement.

    Attributes:
        root: who is trusted to begin with.
        state: what is remembered.
        graph: commits, trees and files.
        log: statements.
        host: the host's denylist.
        now: the one reading of the clock.
        change_digest: see `verify`.
        pre_approved: see `verify`.
        named: see `verify`.
        past: see `verify`.
        pulls: pull requests; None when the host asks no forge.
        bring: fetches the head of a pull request.
        words: proofs of what roots said: their own keys are denied by the host alone.
        spool: directory for what does not stay in memory.
        watch: keeps what can be told of each step; None when nobody asks.
        standing: what roots said, as far as a policy goes.
        doubt: which keys are held against which steps.
    """

    root: HostRoot
    state: TrustState
    graph: Graph
    log: Log
    host: frozenset[str]
    now: datetime
    change_digest: ChangeDigest
    pre_approved: PreApproved
    named: NamedBy
    past: Past | None
    pulls: Pulls | None
    bring: Callable[[int], None]
    words: Answers
    spool: Path
    watch: Watch | None = None
    standing: Standing = field(default_factory=Standing)
    doubt: Doubt = field(default_factory=lambda: Doubt(frozenset()))

    def after(self, accepted: str) -> Run:
        """The same with what roots said, as far as the policy of this accepted commit goes, beside what is known.

        Raises:
            NotTrustedError: E_ATTEST_ROLLBACK.
        """
        found = standing(self._case(self.words), accepted) if self.log.of_roots else Standing()
        return replace(self, standing=found.beside(self.standing))

    def judged(self, head: str, steps: Steps) -> Run:
        """E1 to E3, from what is remembered to `head`.

        Args:
            head: the commit in question.
            steps: what passed is left in here, also before a refusal.

        Returns:
            The run with what roots said, by the policy that was arrived at.

        Raises:
            NotTrustedError: E_...
        """
        try:
            return self._judged(head, steps, hopeful=False)
        except NotTrustedError:
            if not any(isinstance(entry.parsed_root.said, Affirm) for entry in self.log.of_roots):
                raise
            further = Steps((), self.spool)
            watch = Watch() if self.watch is not None else None
            try:
                found = replace(self, watch=watch)._judged(head, further, hopeful=True)  # noqa: SLF001  # our own class
            except NotTrustedError:
                pass
            else:
                steps.cut(0)
                steps.extend(further)
                if self.watch is not None and watch is not None:
                    self.watch.become(watch)
                return found
            raise

    def _judged(self, head: str, steps: Steps, *, hopeful: bool) -> Run:
        """C1 to C5, around the steps.

        What roots said is judged by the policy that the steps lead to, too: one whom they bring in may have spoken.
        `hopeful`: affirmations whose roots are on the way are taken for enough until they can be judged. What was
        walked in hope is walked once more, with what they turned out to be worth: whose word counted on the way is not
        all noted in the steps.
        """
        run = self
        while True:
            steps.cut(0)
            if run.watch is not None:
                run.watch.become(Watch())
            places = run.places(head)
            past = run.remembered(places)
            run = replace(run, doubt=run.doubted(self.state.accepted, past, places))
            if not hopeful:
                run.require_sound(past)
            else:
                run = replace(run, doubt=hoped(run.doubt, self.log.of_roots))
            steps.extend(run.steps(head))  # what came before a refusal is kept
            later = run.after(head)
            if not later.denied:
                return later
            past = past or later.remembered(places)
            everything = Together(past, steps)
            later = replace(later, doubt=later.doubted(head, everything, later.places(head)))
            found = next(later.resting(everything), None)
            if found is None:
                if hopeful:
                    steps.cut(0)
                    steps.extend(replace(later, watch=None).steps(head))
                return later
            if later.denied <= run.denied:
                steps.cut(next((place for place, step in enumerate(steps) if step == found.step), 0))
                raise found.refusal()
            run = later

    @property
    def denied(self) -> frozenset[str]:
        """What compromised keys are called."""
        return self.host | self.standing.revoked

    def places(self, head: str) -> Mapping[str, int]:
        """Commits of the line that ends in `head`, by their place: asked only when a place matters."""
        if not self.denied:
            return {}
        line = list(self.graph.line(head))
        return {oid: place for place, oid in enumerate(reversed(line))}

    def doubted(self, accepted: str, steps: Iterable[TrustedCommit], places: Mapping[str, int]) -> Doubt:
        """C2 to C5, by what roots are known to have said."""
        return doubted(self._case(self.words), accepted, self.standing, self.host, steps, places)

    def resting(self, steps: Iterable[TrustedCommit]) -> Iterator[Rests]:
        """C1: steps that rest on a compromised key."""
        return resting(self._case(self.words), self.doubt, steps)

    def require_sound(self, steps: Iterable[TrustedCommit]) -> None:
        """C3: what was accepted rests on no compromised key.

        Raises:
            NotTrustedError: E_KEY_REVOKED.
        """
        for found in self.resting(steps):
            raise found.refusal()

    def remembered(self, places: Mapping[str, int]) -> Steps:
        """Every accepted step, oldest first; nothing when no key is compromised, for then nobody needs them.

        What the memory does not hold (it was begun anew) is judged again from the introduction commit on, where a
        compromised key may have had a part.

        Raises:
            NotTrustedError: E_..., what is not remembered can not be judged again.
        """
        if self.state.commit is None or not self.denied:
            return Steps((), self.spool)
        found = Steps(self.past() if self.past is not None else (), self.spool)
        end = next((place for place, step in enumerate(found, 1) if step.id == self.state.accepted), 0)
        found.cut(end)
        if not end:
            found.append(self.state.commit)
        first = found[0].id
        if first == self.root.introduction or not self._had_a_part(first):
            return found
        anew = replace(self, state=TrustState(self.root.introduction, self.root.ref), watch=None)
        doubt = hoped(anew.doubted(self.root.introduction, [], places), self.log.of_roots)
        earlier = Steps(replace(anew, doubt=doubt).steps(first), self.spool)
        earlier.cut(len(earlier) - 1)  # it ends where the memory begins
        earlier.extend(found)
        return earlier

    def _had_a_part(self, head: str) -> bool:
        """Whether a compromised key may have had a part in what lies up to `head`."""
        names = self.denied
        if any("/" in name and not name.startswith("SHA256:") for name in names):
            return True  # `PRINCIPAL/KEY`, whichever key that was
        commits = (self.root.introduction, *self.graph.between(self.root.introduction, head))
        said = (entry.parsed.claim for entry in self.log.reviews)
        for claim in (*claims(self.graph, commits), *said):
            if claim is not None and (claim.fingerprint in names or not isinstance(claim, SshClaim)):
                return True  # of an OpenPGP key, the certificate knows which one that is
        return False

    def case(self, base: str, chain: tuple[str, ...]) -> Case:
        """What steps are judged with; signatures from `base` along `chain` are proven many at once."""
        known = self._case(Answers(self.denied))  # for policies only
        return self._case(Answers(self.denied, ahead(self.graph, base, chain, self.log, known.policy)))

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
            against=self.doubt.against,
        )

    def require_thawed(self, accepted: str) -> None:
        """E3: no root stopped everything. `accepted` names the policy.

        Raises:
            NotTrustedError: E_FROZEN.
        """
        if self.standing.freezes:
            policy = self._case(self.words).policy(accepted)
            self.standing.require_thawed(policy.spec.roles[ROOT].threshold, accepted)

    def questioned(self, head: str) -> Questioned:
        """Of what leads to `head`: the commit, and where it rests on compromised keys, as roots would affirm it.

        Raises:
            NotTrustedError: E_..., it could not be accepted, whoever affirms it.
        """
        places = self.places(head)
        believing = Doubt(self.denied, self.root.introduction, places, dict.fromkeys(self.denied, len(places)))
        past = self.remembered(places)
        steps = Steps(replace(self, doubt=believing).steps(head), self.spool)
        later = self.after(head)
        past = past or later.remembered(places)
        everything = Together(past, steps)
        later = replace(later, doubt=later.doubted(head, everything, later.places(head)))
        top = next((row[-1] for row in (steps, past) if row), self.state.commit)
        if top is None:
            raise NotTrustedError("nothing is accepted", where=head)
        found = tuple(later.resting(everything))
        case = later.case(head, ())
        changed = [one.step for one in found if case.policy_digest(one.step.id) != one.step.policy_digest]
        return Questioned(top, found, changed[0].base if changed else top.id)

    def believed(self, head: str) -> str:
        """The last commit on the way to `head` that could be accepted if roots affirmed it.

        Raises:
            NotTrustedError: there is none.
        """
        places = self.places(head)
        believing = Doubt(self.denied, self.root.introduction, places, dict.fromkeys(self.denied, len(places)))
        found = self.state.commit.id if self.state.commit is not None else ""
        try:
            for step in replace(self, doubt=believing, watch=None).steps(head):
                found = step.id
        except NotTrustedError:
            if not found:
                raise
        return found

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
