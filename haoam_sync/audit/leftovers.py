"""What earlier runs left behind: applies without an outcome, and transactions that nobody ended.

Only whose they were could say so: the Data Plane API's own list names id, status and version (FACTS.md, "Writing").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from haoam_sync.audit.codes import Event
from haoam_sync.audit.line import decode
from haoam_sync.audit.segments import lines, segment_numbers, segment_path
from haoam_sync.errors import AuditError
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.members import Members
from haoam_sync.model.record import Authority, Record

_TRANSACTIONS: Final = re.compile(r".*/transactions(?:/([^/]+))?")
_LEFT: Final = (Event.APPLY_INTENDED, Event.APPLY_CONCLUDED, Event.APPLY_RECOVERED, Event.REQUEST_ANSWERED)
_ACCEPTED: Final = (Event.COMMIT_ACCEPTED, Event.MEMORY_BEGUN)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An apply whose intention was recorded, and whose outcome was not.

    Attributes:
        apply: its id.
        seq: number of the intention's record.
        time: of that record.
        authority: what allowed it.
        instances: what it was about, sorted.
    """

    apply: str
    seq: int
    time: str
    authority: Authority
    instances: tuple[InstanceId, ...]

    @classmethod
    def of(cls, record: Record) -> Unfinished:
        """Read an `apply.intended` record.

        Raises:
            ValueError: it lacks what every intention has.
        """
        said = record.entry
        detail = Members(said.detail, "detail")
        names = detail.whole(detail.texts("instances"))
        if not said.apply or said.authority is None:
            raise ValueError("an intention without an id or an authority")
        instances = sorted(InstanceId(*name.split("/", 1)) for name in names if "/" in name)
        return cls(said.apply, record.seq, record.time, said.authority, tuple(instances))


@dataclass(frozen=True, slots=True)
class LeftTransaction:
    """A transaction that we opened and neither committed nor deleted.

    Attributes:
        instance: where.
        id: the transaction's.
        seq: number of the record that says so.
    """

    instance: InstanceId
    id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Everything that earlier runs left behind.

    Attributes:
        applies: in the order of their intentions.
        transactions: in the order of opening.
    """

    applies: tuple[Unfinished, ...]
    transactions: tuple[LeftTransaction, ...]


class Ledger:
    """Keeps account of what is open while records go by. Memory: what is open, nothing else."""

    def __init__(self) -> None:
        self.applies: dict[str, Unfinished] = {}
        self._transactions: dict[tuple[InstanceId, str], LeftTransaction] = {}

    def see(self, record: Record) -> None:
        """Take note of a record.

        Raises:
            ValueError: an intention lacks what every intention has.
        """
        said = record.entry
        if said.code == Event.APPLY_INTENDED.code:
            self.applies[said.apply] = Unfinished.of(record)
        elif said.code in {Event.APPLY_CONCLUDED.code, Event.APPLY_RECOVERED.code}:
            self.applies.pop(said.apply, None)
        elif said.code == Event.REQUEST_ANSWERED.code:
            self._see_answer(record)

    def leftovers(self) -> Leftovers:
        """What is open now."""
        return Leftovers(tuple(self.applies.values()), tuple(self._transactions.values()))

    def _see_answer(self, record: Record) -> None:
        said = record.entry
        if said.request is None or said.answer is None:
            return
        found = _TRANSACTIONS.fullmatch(said.request.path)
        if found is None:
            return
        instance = InstanceId(said.cluster, said.instance)
        if said.request.method == "POST" and said.answer.transaction_id:
            left = LeftTransaction(instance, said.answer.transaction_id, record.seq)
            self._transactions[instance, left.id] = left
        elif found[1] and (_succeeded(said.answer.status) or said.answer.status == HTTPStatus.NOT_FOUND):
            self._transactions.pop((instance, found[1]), None)


def _succeeded(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def leftovers(directory: Path) -> Leftovers:
    """What earlier runs left behind, by the log in `directory`; nothing when there is no log yet.

    Reads the whole log, and decodes only the lines that can matter.

    Raises:
        AuditError: the log cannot be read, or a line that matters is no record.
    """
    ledger = Ledger()
    for place, record in _telling(directory, _LEFT):
        try:
            ledger.see(record)
        except ValueError as error:
            raise AuditError(f"the audit log is broken: {error}", where=place) from error
    return ledger.leftovers()


def unfinished(directory: Path) -> tuple[Unfinished, ...]:
    """The applies of `leftovers`.

    Raises:
        AuditError: as `leftovers`.
    """
    return leftovers(directory).applies


def last_accepted(directory: Path, repository: str) -> str:
    """The commit of a repository that this log says was accepted last; "" when there is no log yet, or none in it.

    Args:
        directory: of the log.
        repository: id of the introduction commit; records of others are passed over.

    Raises:
        AuditError: as `leftovers`.
    """
    commit = ""
    for _, record in _telling(directory, _ACCEPTED):
        said = record.entry
        ours = isinstance(said.detail, Mapping) and said.detail.get("repository", repository) == repository
        if said.code in {event.code for event in _ACCEPTED} and said.authority is not None and ours:
            commit = said.authority.commit
    return commit


def _telling(directory: Path, events: Collection[Event]) -> Iterator[tuple[str, Record]]:
    """The records of these events, with their places.

    In canonical form a record's code stands as `"code":"HOA021"`, so a line without that text is none of them; a body
    that holds the same text costs a decoding, no more.
    """
    if not directory.exists():
        return
    codes = tuple(f'"code":"{event.code}"'.encode() for event in events)
    for number in segment_numbers(directory):
        path = segment_path(directory, number)
        for line in lines(path):
            if line.complete and any(code in line.data for code in codes):
                place = f"{path}:{line.number}"
                try:
                    yield place, decode(line.data)
                except ValueError as error:
                    raise AuditError(
                        f"the audit log is broken: {error}",
                        where=place,
                        hint="run `haoam-sync audit verify`; this log cannot say what earlier runs left behind",
                    ) from error
