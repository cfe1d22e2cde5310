"""`trust verify` and `trust explain`: what history is worth, step by step, and why.

Authority begins at the commit accepted last, or at the introduction where nothing is remembered. A range cuts what is
shown, never what is verified. What was accepted before is told from the memory; what came before that memory begins is
judged from the introduction on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from haoam_sync import trust
from haoam_sync.errors import InvalidDesiredError, NotTrustedError, UsageError
from haoam_sync.model.account import Account, Refused
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.pipeline.opening import Opened, opened
from haoam_sync.settings import Settings


@dataclass(frozen=True, slots=True)
class Examined:
    """A stretch of history.

    Attributes:
        head: id of its last commit.
        rows: its steps, oldest first; a refused one is the last.
        verdict: the step that ends in `head`, or why it is not trusted.
    """

    head: str
    rows: tuple[Account, ...]
    verdict: TrustedCommit | Refused


@dataclass(frozen=True, slots=True)
class Explained:
    """One commit.

    Attributes:
        commit: its id.
        row: the step that brings it in; where the commit lies behind a refused step, that step.
        behind: whether it lies behind it.
        refusal: why it is not trusted; None when it is.
    """

    commit: str
    row: Account
    behind: bool
    refusal: Refused | None


def verify_trust(settings: Settings, span: str) -> Examined:
    """Verify history up to the end of a span, and tell its steps.

    Args:
        settings: the four places.
        span: `COMMIT`, `A..B`, `A..`, `..B`; "" for what is new on the policy's branch.

    Raises:
        NotTrustedError, InvalidDesiredError: nothing can be judged at all.
        UsageError: the span names nothing.
    """
    asked = trust.Span.parse(span)
    with opened(settings) as here:
        head = asked.end.find(here.repository, here.root)
        after = asked.after.find(here.repository, here.root) if asked.after is not None else ""
        known = _Remembered(here)
        if known.before(head):
            found = _of_the_past(here, known, head, after, cut=asked.after is not None or asked.whole)
            held = here.held()
            return found if held is None else replace(found, verdict=held)
        watch = trust.Watch()
        verdict: TrustedCommit | Refused
        try:
            verdict = here.verify(head, watch).commit
        except (NotTrustedError, InvalidDesiredError) as error:
            if watch.case is None:
                raise
            verdict = error
        if asked.after is None and not asked.whole:
            rows = watch.accounts(lambda _: True) or known.rows({head})
        else:
            line = trust.line_between(here.repository, here.root, after, head)
            rows = (*_older(here, known, line), *watch.accounts(line.__contains__))
        return Examined(head, rows, verdict)


def explain_trust(settings: Settings, revision: str) -> Explained:
    """The step that brings in a commit, and what it rests on; or why it is refused.

    Args:
        settings: the four places.
        revision: `COMMIT` or `COMMIT~N`.

    Raises:
        NotTrustedError, InvalidDesiredError: nothing can be judged at all.
        UsageError: there is no such commit.
    """
    asked = trust.Revision.parse(revision)
    with opened(settings) as here:
        commit = asked.find(here.repository, here.root)
        known = _Remembered(here)
        row = known.holding(commit)
        if row is not None:
            return Explained(commit, row, behind=False, refusal=here.held())
        if known.accepted is not None and trust.holds(here.repository, here.root, known.accepted.id, commit):
            watch, error = here.told(known.accepted.id)
        else:
            watch, error = trust.Watch(), None
            inside = trust.holds(here.repository, here.root, here.repository.tip, commit)
            try:
                here.verify(here.repository.tip if inside else commit, watch)
            except (NotTrustedError, InvalidDesiredError) as refusal:
                error = refusal
        return _explained(commit, watch, error)


def _explained(commit: str, watch: trust.Watch, error: Refused | None) -> Explained:
    for step, _ in watch.steps:
        if commit in _commits(step):
            row = next(iter(watch.accounts({step.id}.__contains__)), None)
            if row is not None:
                held = error if error is not watch.refusal else None  # not a later step's refusal, but everything's
                return Explained(commit, row, behind=False, refusal=held)
    if error is None:
        raise UsageError(f"{commit} is in no step of history", code="E_NO_COMMIT", where=commit)
    rows = watch.accounts(lambda _: False)
    if not rows:
        raise error
    return Explained(commit, rows[-1], behind=commit not in rows[-1].commits, refusal=error)


def _of_the_past(here: Opened, known: _Remembered, head: str, after: str, *, cut: bool) -> Examined:
    """What was accepted before: from the memory, or judged again where that does not reach back."""
    line = trust.line_between(here.repository, here.root, after, head) if cut else frozenset({head})
    step = known.step(head)
    if step is not None:
        return Examined(head, _older(here, known, line), step)
    within = known.holding(head)
    if within is not None:
        raise UsageError(
            f"{head} lies within a step, which ends in {within.commit}",
            code="E_RANGE",
            where=head,
            hint=f"name its end; haoam-sync trust explain {head} tells of it",
        )
    watch, refusal = here.told(head)
    rows = watch.accounts(line.__contains__)
    if refusal is not None:
        if not rows:
            raise refusal
        return Examined(head, rows, refusal)
    return Examined(head, rows, watch.steps[-1][0])


def _older(here: Opened, known: _Remembered, line: Collection[str]) -> tuple[Account, ...]:
    """The remembered steps of a line, and in front of them those that came before the memory begins."""
    rows = known.rows(line)
    first = rows[0] if rows else None
    if first is None or first.base not in line or first.base == first.commit:
        return rows
    watch, _ = here.told(first.base)
    return (*watch.accounts(line.__contains__), *rows)


class _Remembered:
    """What this host accepted before."""

    def __init__(self, here: Opened) -> None:
        self._here = here
        self.accepted = here.memory.load().commit
        self._steps: Sequence[TrustedCommit] = ()
        if self.accepted is not None:
            self._steps = trust.Steps(here.memory.history(), here.repository.directory)

    def before(self, commit: str) -> bool:
        """Whether it is older than the commit accepted last, by first parents."""
        if self.accepted is None or commit == self.accepted.id:
            return False
        repository, root = self._here.repository, self._here.root
        if any(step.id == commit for step in self._steps):
            return True
        if not trust.not_in_history(repository, root, commit, {self.accepted.id}):
            return False  # it is newer: found without a walk through all of history
        return not trust.not_in_history(repository, root, self.accepted.id, {commit})

    def step(self, commit: str) -> TrustedCommit | None:
        """The step that ends in a commit."""
        return next((step for step in self._steps if step.id == commit), None)

    def rows(self, commits: Collection[str]) -> tuple[Account, ...]:
        """The steps that end in one of these."""
        return self._told([step for step in self._steps if step.id in commits])

    def holding(self, commit: str) -> Account | None:
        """The step that brings in a commit."""
        return next(iter(self._told([step for step in self._steps if commit in _commits(step)])), None)

    def _told(self, steps: Sequence[TrustedCommit]) -> tuple[Account, ...]:
        if not steps:
            return ()
        case = self._here.reading()
        return tuple(trust.accepted(case, step, None, remembered=True) for step in steps)


def _commits(step: TrustedCommit) -> frozenset[str]:
    return frozenset({step.id, *(signer.commit for signer in step.signers)})
