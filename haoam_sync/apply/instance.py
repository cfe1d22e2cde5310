"""One instance: from the authorized plan to a proven state, or back.

The steps, in this order:

I1  Transactions that a run before this one left are deleted.
I2  The instance is read and planned again; that plan's digest must be the authorized one's.
I3  Nothing to do: done. When a run before this one was killed in the middle of its writes, what it left is proven in
    the worker first (`left_over.py`).
I4  The text there is, and what an operator has set in the worker, are noted: what is needed to put it back.
I5  A phantom (FACTS.md) is repaired by writing the text of its file back under the version check.
I6  New certificates are uploaded; they have names of their own, so nothing changes by it.
I7  The file is brought into normal form when the plan says so.
I8  All changes go into one transaction, whose commit waits for the reload.
I9  Converged: read back equal, not phantom, the operator's states put back, and the worker runs it.
I10 Certificates that are not used any more are deleted.

Somebody else's write in between shows as 409 or 406 in I5, I7 or I8: then again from I2, at most three times. Nothing
of theirs is ever overwritten: the checks of the version see to that. Every other failure after a request that may have
changed something ends in the earlier state, proven, or in the loud word that it does not (`restore.py`).
"""

from __future__ import annotations

from haoam_sync.apply import convergence, runtime_state, worker
from haoam_sync.apply.left_over import prove
from haoam_sync.apply.progress import Progress
from haoam_sync.apply.restore import restore
from haoam_sync.apply.tools import Tools
from haoam_sync.apply.writes import delete_unused, write_all
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
_UNANSWERED = frozenset({"E_TIMEOUT", "E_UNREACHABLE", "E_INTERRUPTED"})


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

        Raises:
            BaseException: what is none of ours (an interruption, a defect), after everything was put back.
        """
        try:
            self.outcome = self._run()
        except HaoamError as error:
            with self._tools.interrupts.held():
                self.outcome = self._give_up(error)
        except BaseException as error:
            if self.outcome is not None:
                raise
            what = "interrupted" if isinstance(error, KeyboardInterrupt) else f"stopped by {type(error).__name__}"
            stopped = HaoamError(f"the apply was {what}", code="E_INTERRUPTED", where=str(self._expected.id))
            with self._tools.interrupts.held():
                self.outcome = self._give_up(stopped)
            raise
        return self.outcome

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
            self._progress.notes += prove(self._client, live, plan, earlier, sleep=self._tools.sleep)
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
            self._progress.states = runtime_state.read(self._client)

    def _converged(self, plan: InstancePlan) -> InstanceOutcome:
        """I9 and I10."""
        progress, before = self._progress, self._before()
        live = progress.live = self._tools.read(self._client, self._expected.id)
        wrong = convergence.differences(plan, live)
        if not wrong and progress.reloaded:
            earlier = {section: found.body for section, found in before.sections.items()}
            now = {section: found.body for section, found in live.sections.items()}
            orders, notes = runtime_state.put_back(self._client, progress.states, earlier, now, sleep=self._tools.sleep)
            progress.notes += notes
            wanted = {change.section: now.get(change.section) for change in plan.changes}
            wrong = worker.differences(self._client, wanted, orders, sleep=self._tools.sleep)
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
            created=(*_sections(plan, Action.CREATE), *(f"certificate/{name}" for name in progress.uploaded)),
            updated=_sections(plan, Action.UPDATE),
            deleted=(*_sections(plan, Action.DELETE), *(f"certificate/{name}" for name in deleted)),
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
        self._delete_uploaded()
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
        self._delete_uploaded()
        self._tools.journal.done(self._expected.id)
        return self._failed(error)

    def _delete_uploaded(self) -> None:
        for name in self._progress.uploaded:
            try:
                self._client.delete_certificate(name)
            except HaoamError as error:
                self._progress.notes.append(f"certificate {name} is left over: {error.message}")

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


def _sections(plan: InstancePlan, action: Action) -> tuple[str, ...]:
    return tuple(str(change.section) for change in plan.changes if change.action is action)


def _reload_of(error: HaoamError, progress: Progress) -> str:
    if isinstance(error, InstanceError) and "Reload failed" in error.message:
        return "failed"
    return "succeeded" if progress.reloaded else "none needed"
