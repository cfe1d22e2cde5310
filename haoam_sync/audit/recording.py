"""Every request to an instance, and its answer, as records."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from haoam_sync.audit.codes import Event
from haoam_sync.audit.entries import entry, failure
from haoam_sync.audit.key import AuditKey
from haoam_sync.errors import AuditError
from haoam_sync.model.exchange import Answer, Request
from haoam_sync.model.record import Entry, RecordedAnswer, RecordedRequest

Write = Callable[[Entry, bool], int]
"""Appends an entry, with True so that it lasts; gives its number back."""
_TRANSACTION: Final = re.compile(r".*/transactions/[^/]+")


def is_cleaning(method: str, path: str) -> bool:
    """Whether a request only takes away a transaction: the one write that needs no apply (it comes before it)."""
    return method == "DELETE" and _TRANSACTION.fullmatch(path) is not None


class LogRecorder:
    """A `Recorder` (haoam_sync.model.exchange) that writes to the log. Safe between threads."""

    def __init__(self, write: Write, key: AuditKey, apply: str, is_open: Callable[[str], bool]) -> None:
        self._write = write
        self._key = key
        self._apply = apply
        self._is_open = is_open
        self._announced: dict[int, int] = {}

    def announce(self, request: Request) -> None:
        """Record a request that writes; when this returns, the record lasts.

        Raises:
            AuditError: it could not be recorded, or no intention covers it. The request must not be sent.
        """
        if not self._is_open(self._apply) and not is_cleaning(request.method, request.path):
            raise AuditError(
                f"no open apply covers the write {request.method} {request.path}",
                code="E_AUDIT_ORDER",
                where=f"{request.cluster}/{request.instance}",
            )
        shown = RecordedRequest(
            method=request.method,
            path=request.path,
            query=request.query,
            body_digest=self._key.digest(request.body) if request.body else "",
            body=request.shown,
        )
        self._announced[id(request)] = self._write(
            entry(
                Event.REQUEST_ANNOUNCED,
                apply=self._apply,
                cluster=request.cluster,
                instance=request.instance,
                request=shown,
            ),
            True,
        )

    def answered(self, request: Request, answer: Answer) -> None:
        """Record an answer. The next record that must last makes this one last too.

        Raises:
            AuditError: it could not be recorded, or the request wrote without being announced.
        """
        announced = self._announced.pop(id(request), None)
        event = Event.REQUEST_ANSWERED if request.writes else Event.READ_ANSWERED
        self._write(
            entry(
                event,
                outcome=_outcome(answer),
                apply=self._apply,
                cluster=request.cluster,
                instance=request.instance,
                request=RecordedRequest(request.method, request.path, request.query, announced=announced),
                answer=self._answer(answer),
            ),
            False,
        )
        if request.writes and announced is None:
            raise AuditError(
                f"{request.method} {request.path} was sent without being announced",
                code="E_AUDIT_ORDER",
                where=f"{request.cluster}/{request.instance}",
            )

    def _answer(self, answer: Answer) -> RecordedAnswer:
        error = failure(self._key, answer.error_class, answer.error_text) if answer.error_class else None
        return RecordedAnswer(
            status=answer.status,
            duration_ms=answer.duration_ms,
            version=answer.version,
            checksum=answer.checksum,
            reload_id=answer.reload_id,
            transaction_id=answer.transaction_id,
            error=error,
        )


def _outcome(answer: Answer) -> str:
    if not answer.status:
        return "not answered"
    return "refused" if answer.error_class else "answered"
