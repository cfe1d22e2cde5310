"""One instance: from the authorized plan to a proven state, or back.

The steps, in this order:

I1  Transactions that a run before this one left are deleted.
I2  The instance is read and planned again; that plan's digest must be the authorized one's.
I3  Nothing to do: done. When a run before this one was killed in the middle of its writes, what it left is proven in
    the worker first (`left_over.py`).
I4  The text there is, and what an operator has set in the worker, are noted: what is needed to put it back.
I5  A phantom (FACTS.md) is repaired by writing the text of its file back under the version check.
I6  New files are uploaded, certificates first; they have names of their own, so nothing changes by
    it. A file that does not hold what its name says is written again.
I7  The file is brought into normal form when the plan says so.
I8  All changes are written at once, in the way that `writer.py` chooses: in one transaction, as one text, or (what
    needs no reload) as one text, with what the worker is to do.
I9  Converged: read back equal, not phantom, the operator's states put back, and the worker runs it.
I10 Files that are not used any more are deleted.

Somebody else's write in between shows as 409 or 406 in I5, I7 or I8: then again from I2, at most three times. Nothing
of theirs is ever overwritten: the checks of the version see to that. Every other failure after a request that may have
changed something ends in the earlier state, proven, or in the loud word that it does not (`restore.py`).
"""

from __future__ import annotations

from dataclasses import replace

from haoam_sync.apply import convergence, left_over, runtime_state
from haoam_sync.apply.progress import Progress
from haoam_sync.apply.proof import prove
from haoam_sync.apply.restore import restore
from haoam_sync.apply.tools import Tools
from haoam_sync.apply.unexpected import unexpected
from haoam_sync.apply.uploads import delete_stored, delete_unused
from haoam_sync.apply.writes import write_all
from haoam_sync.dataplane import Client
from haoam_sync.errors import (
    ConflictError,
    HaoamError,
    InstanceError,
    NotRestoredError,
    PlanMismatchError,
    RefusedError,
    RestoredError,
    worst_exit,
)
from haoam_sync.model.live import Live
from haoam_sync.model.outcome import InstanceOutcome, Result
from haoam_sync.model.plan import Action, InstancePlan

ATTEMPTS = 3
_PAUSE_S = 0.5
_UNANSWERED = frozenset({"E_TIMEOUT", "E_UNREACHABLE", "E_INTERRUPTED", "E_UNEXPECTED"})


class InstanceApply:
    """The apply of one instance's plan; used once.

    Args:
        client: of the instance.
        expected: the authorized plan for it.
        tools: what is given from outside.

    Attributes:
        outcome: how it came out; there even when `run` raises, None before it ends.
    """

    def __init__(self, client: Client, expected: InstancePlan, tools: Tools) -> None:
        self.outcome: InstanceOutcome | None = None
        self._client = client
        self._expected = expected
        self._tools = tools
        self._progress = Progress()

    def run(self) -> InstanceOutcome:
        """Do it, or put it back.

        A defect (an exception that is none of ours) is an outcome like any other, E_UNEXPECTED: what an instance
        answers must not keep the outcomes of the others from the log.

        Raises:
            BaseException: an interruption, after everything was put back.
        """
        try:
            self.outcome = self._run()
        except HaoamError as error:
            with self._tools.interrupts.held():
                self.outcome = self._put_back(error)
        except BaseException as error:
            defect = isinstance(error, Exception)
            if self.outcome is None:
                with self._tools.interrupts.held():
                    self.outcome = self._put_back(unexpected(error) if defect else self._interrupted(error))
            elif defect:
                note = f"what came after the proof {unexpected(error).message}"
                self.outcome = replace(self.outcome, notes=(*self.outcome.notes, note))
            if not defect:
                raise
        return self.outcome

    def _interrupted(self, error: BaseException) -> HaoamError:
        what = "interrupted" if isinstance(error, KeyboardInterrupt) else f"stopped by {type(error).__name__}"
        return HaoamError(f"the apply was {what}", code="E_INTERRUPTED", where=str(self._expected.id))

    def _put_back(self, error: HaoamError) -> InstanceOutcome:
        """`_give_up`, and the loud word when that itself stumbles."""
        try:
            return self._give_up(error)
        except Exception as failure:  # noqa: BLE001 - whatever an instance makes us stumble over
            second = failure if isinstance(failure, HaoamError) else unexpected(failure)
            result, code = (
                (Result.NOT_RESTORED, NotRestoredError.exit) if self._progress.writing else (Result.FAILED, error.exit)
            )
            why = f"{error.message}; {second.message}"
            return self._outcome(result, error=why, error_code=second.code, exit_code=code)

    def _run(self) -> InstanceOutcome:
        self._delete_transactions_left()
        for attempt in range(1, ATTEMPTS + 1):
            live, plan = self._plan_again()
            if plan.empty and not self._progress.writing:
                return self._nothing_to_do(live, plan)
            self._note_what_is_there(plan, live)
            try:
                write_all(self._client, plan, live, self._progress, self._tools)
            except ConflictError as error:
                if attempt == ATTEMPTS:
                    raise
                self._progress.notes.append(f"planned again, since {error.message}")
                self._tools.sleep(_PAUSE_S * attempt * (1 + self._tools.random()))
                continue
            return self._converged(plan)
        raise AssertionError("the last attempt returns or raises")

    def _delete_transactions_left(self) -> None:
        """I1. Those that the server has forgotten are fine."""
        journal, instance = self._tools.journal, self._expected.id
        for name in journal.left(instance):
            if self._client.delete_transaction(name):
                self._progress.notes.append(f"deleted transaction {name}, which an apply before this one had left open")
            journal.closed(instance, name)

    def _plan_again(self) -> tuple[Live, InstancePlan]:
        """I2."""
        live = self._tools.read(self._client, self._expected.id)
        self._progress.live = live
        plan = self._tools.replan(self._progress.without_own(live))
        now = self._progress.with_done(plan, self._expected).digest
        if now != self._expected.digest:
            raise PlanMismatchError(
                "what would be done now is not what was planned: the instance or the desired state has changed since",
                where=str(self._expected.id),
                hint="plan again, look at it, and apply with the new digest",
            )
        return live, plan

    def _nothing_to_do(self, live: Live, plan: InstancePlan) -> InstanceOutcome:
        """I3."""
        journal, instance = self._tools.journal, self._expected.id
        earlier = journal.earlier(instance)
        if earlier is not None:
            self._progress.before = live
            self._progress.notes += left_over.prove(self._client, live, plan, earlier, sleep=self._tools.sleep)
            journal.done(instance)
        return self._outcome(Result.UNCHANGED, version_after=live.version, checksum_after=live.checksum)

    def _note_what_is_there(self, plan: InstancePlan, live: Live) -> None:
        """I4. Again when planned again, unless something of ours is in it already."""
        if self._progress.writing:
            return
        if self._tools.journal.earlier(live.id) not in (None, live.text):
            self._progress.notes.append("an apply before this one was killed; this one finishes what it left")
        self._tools.journal.save_earlier(live.id, live.text)
        self._progress.before = live
        if plan.changes or plan.repair or plan.normal_form is not None:
            self._progress.states = runtime_state.read(self._client, live, [change.section for change in plan.changes])

    def _converged(self, plan: InstancePlan) -> InstanceOutcome:
        """I9 and I10."""
        progress, before = self._progress, self._before()
        live = progress.live = self._tools.read(self._client, self._expected.id)
        wrong = convergence.differences(plan, live)
        if not wrong and (progress.reloaded or plan.changes):
            wrong = prove(self._client, plan, before, live, progress, self._tools.sleep)
        if wrong:
            raise RefusedError(
                "HAProxy does not run what was written: " + "; ".join(wrong),
                code="E_NOT_CONVERGED",
                where=str(self._expected.id),
            )
        # Proven: from here on nothing is put back any more. The files that the earlier text named may be gone.
        self._tools.journal.done(self._expected.id)
        self.outcome = self._applied(plan, live, ())
        with self._tools.interrupts.held():
            deleted, notes = delete_unused(self._client, plan, live)
            progress.notes += notes
            self.outcome = self._applied(plan, live, deleted)
        return self.outcome

    def _applied(self, plan: InstancePlan, live: Live, deleted: tuple[str, ...]) -> InstanceOutcome:
        progress = self._progress
        return self._outcome(
            Result.APPLIED,
            created=(*_sections(plan, Action.CREATE), *_uploaded(progress)),
            updated=(*_sections(plan, Action.UPDATE), *_repaired(plan)),
            deleted=(*_sections(plan, Action.DELETE), *deleted),
            version_after=live.version,
            checksum_after=live.checksum,
            reload="succeeded" if progress.reloaded else "none needed",
        )

    def _give_up(self, error: HaoamError) -> InstanceOutcome:
        """Put back what may have changed, and say how that went."""
        progress = self._progress
        if isinstance(error, NotRestoredError):
            return self._outcome(Result.NOT_RESTORED, error=error.message, error_code=error.code, exit_code=error.exit)
        if isinstance(error, RestoredError):
            self._tools.journal.done(self._expected.id)
            return self._outcome(Result.RESTORED, error=error.message, error_code=error.code, exit_code=error.exit)
        if progress.before is None:
            return self._failed(error)
        if not progress.writing:
            self._tools.journal.done(self._expected.id)
            return self._failed(error)
        if isinstance(error, (ConflictError, PlanMismatchError)) and not progress.committing:
            return self._withdraw(error)
        try:
            restored = restore(
                self._client,
                progress.before,
                {change.section for change in self._expected.changes},
                progress.states,
                sleep=self._tools.sleep,
                settle=error.code in _UNANSWERED,
            )
        except HaoamError as failure:
            why = f"{error.message}; {failure.message}"
            return self._outcome(
                Result.NOT_RESTORED,
                error=why,
                error_code=NotRestoredError.default_code,
                exit_code=NotRestoredError.exit,
                reload=_reload_of(error, progress),
            )
        progress.notes += restored.notes
        delete_stored(self._client, self._expected, self._progress, self._tools.journal)
        self._tools.journal.done(self._expected.id)
        return self._outcome(
            Result.RESTORED,
            error=error.message,
            error_code=error.code,
            exit_code=worst_exit({8, error.exit}),
            version_after=restored.version,
            checksum_after=restored.checksum,
            reload=_reload_of(error, progress),
        )

    def _withdraw(self, error: HaoamError) -> InstanceOutcome:
        """Somebody else wrote after our first, neutral writes: restoring the text would undo what is theirs."""
        if self._progress.repaired:
            self._progress.notes.append("the API shows again what the file holds")
        if self._progress.normalised:
            self._progress.notes.append("the file is in the server's normal form now; nothing else was written")
        delete_stored(self._client, self._expected, self._progress, self._tools.journal)
        self._tools.journal.done(self._expected.id)
        return self._failed(error)

    def _before(self) -> Live:
        if self._progress.before is None:
            raise AssertionError("nothing is written before the state there is was noted")
        return self._progress.before

    def _failed(self, error: HaoamError) -> InstanceOutcome:
        return self._outcome(Result.FAILED, error=error.message, error_code=error.code, exit_code=error.exit)

    def _outcome(
        self,
        result: Result,
        *,
        created: tuple[str, ...] = (),
        updated: tuple[str, ...] = (),
        deleted: tuple[str, ...] = (),
        version_after: int | None = None,
        checksum_after: str = "",
        reload: str = "none needed",
        error: str = "",
        error_code: str = "",
        exit_code: int = 0,
    ) -> InstanceOutcome:
        progress = self._progress
        first = progress.before or progress.live
        return InstanceOutcome(
            id=self._expected.id,
            result=result,
            created=tuple(sorted(created)),
            updated=tuple(sorted(updated)),
            deleted=tuple(sorted(deleted)),
            version_before=first.version if first else None,
            version_after=version_after,
            checksum_before=first.checksum if first else "",
            checksum_after=checksum_after,
            reload=reload,
            requests=self._client.requests,
            notes=tuple(progress.notes),
            error=error,
            error_code=error_code,
            exit=exit_code,
        )


def _uploaded(progress: Progress) -> tuple[str, ...]:
    return (
        *(f"certificate/{name}" for name in progress.uploaded),
        *(f"{store}/{name}" for store, name in progress.files),
    )


def _repaired(plan: InstancePlan) -> tuple[str, ...]:
    return (
        *(f"certificate/{c.name}" for c in plan.certificates if c.action is Action.UPDATE),
        *(str(file) for file in plan.files if file.action is Action.UPDATE),
    )


def _sections(plan: InstancePlan, action: Action) -> tuple[str, ...]:
    return tuple(str(change.section) for change in plan.changes if change.action is action)


def _reload_of(error: HaoamError, progress: Progress) -> str:
    if isinstance(error, InstanceError) and "Reload failed" in error.message:
        return "failed"
    return "succeeded" if progress.reloaded else "none needed"
