"""Is every configuration of every instance accounted for?

For each instance the records say between which two versions it must lie now: a read pins it, a write of ours that
succeeded moves it up by one, a write whose answer is lost or unclear leaves it open whether it moved. A version beyond
that, or another checksum at a version that did not move (a raw write can keep its version, FACTS.md), is a change that
nobody recorded.

What is read inside a transaction says nothing about the instance, and neither does the version in the answer to a
write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from haoam_sync.audit.codes import Event
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.record import Entry, Record, RecordedAnswer, RecordedRequest

_NOTHING_WRITTEN: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses after which the version is certainly what it was. 400 is not one: a reload that failed has moved it."""
_COMMIT: Final = re.compile(r".*/transactions/([^/]+)")


@dataclass(frozen=True, slots=True)
class Unattributed:
    """A change that no record explains.

    Attributes:
        instance: where.
        what: `version` or `checksum`.
        expected: what the records lead to (`7`, or `7 or 8`, or a checksum).
        found: what was there.
        seq: number of the record that shows it.
        time: of that record.
    """

    instance: InstanceId
    what: str
    expected: str
    found: str
    seq: int
    time: str


@dataclass(frozen=True, slots=True)
class _Range:
    """Where an instance's version must lie, both ends included, and the checksums it had there."""

    low: int
    high: int
    checksums: tuple[tuple[str, str], ...] = ()

    def __contains__(self, version: int) -> bool:
        return self.low <= version <= self.high

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low} or {self.high}"


@dataclass(slots=True)
class _Known:
    """What the records say of one instance so far."""

    now: _Range | None = None
    before_write: _Range | None = None
    base: int | None = None
    transactions: dict[str, int] = field(default_factory=dict)


class Attribution:
    """Follows all instances while records go by. Memory: one entry an instance and one for each open transaction."""

    def __init__(self) -> None:
        self._instances: dict[InstanceId, _Known] = {}

    def see(self, record: Record) -> Iterator[Unattributed]:
        """Take note of a record; the changes that it shows and nothing explains."""
        said = record.entry
        if not said.instance:
            return
        instance = InstanceId(said.cluster, said.instance)
        known = self._instances.setdefault(instance, _Known())
        for what, expected, found in _see(known, said):
            yield Unattributed(instance, what, expected, found, record.seq, record.time)


_Finding = tuple[str, str, str]


def _see(known: _Known, said: Entry) -> Iterator[_Finding]:
    request, answer, state = said.request, said.answer, said.state
    if said.code == Event.REQUEST_ANNOUNCED.code and request is not None:
        _announced(known, request)
    elif said.code == Event.REQUEST_ANSWERED.code and request is not None and answer is not None:
        yield from _answered(known, request, answer)
    elif said.code == Event.READ_ANSWERED.code and request is not None and answer is not None:
        if _succeeded(answer.status) and answer.version is not None and not _query(request, "transaction_id"):
            raw = request.path.endswith("/configuration/raw")
            yield from _observed(known, answer.version, "file", answer.checksum if raw else "")
    elif state is not None:
        # What an outcome says of the time before it was seen then.
        seen = state.after if said.code == Event.INSTANCE_CONCLUDED.code else state.before
        if seen is not None and seen.version is not None:
            yield from _observed(known, seen.version, "text", seen.checksum)


def _observed(known: _Known, version: int, kind: str, checksum: str) -> Iterator[_Finding]:
    """The instance was seen at `version`; `kind` says over what the checksum was made."""
    was = known.now
    if was is None or version not in was:
        if was is not None:
            yield "version", str(was), str(version)
        known.now = _Range(version, version, ((kind, checksum),) if checksum else ())
        return
    checksums = dict(was.checksums)
    if checksum:
        if checksums.get(kind, checksum) != checksum:
            yield "checksum", checksums[kind], checksum
            checksums.clear()
        checksums[kind] = checksum
    known.now = _Range(version, version, tuple(sorted(checksums.items())))


def _announced(known: _Known, request: RecordedRequest) -> None:
    """From now on the version may have moved, whatever is heard of this request."""
    if not _moves(request):
        return
    known.base, known.before_write = _base(known, request), known.now
    if known.now is not None:
        known.now = _Range(known.now.low, known.now.high + 1)


def _answered(known: _Known, request: RecordedRequest, answer: RecordedAnswer) -> Iterator[_Finding]:
    if request.method == "POST" and answer.transaction_id:
        base = _base(known, request)
        if base is not None:
            known.transactions[answer.transaction_id] = base
    found = _COMMIT.fullmatch(request.path)
    if found is not None:
        known.transactions.pop(found[1], None)
    if not _moves(request):
        return
    was, base = known.before_write, known.base
    known.before_write = known.base = None
    if _succeeded(answer.status):
        if base is not None:
            # The server checks the version that a write builds on, so this is what was there.
            if was is not None and base not in was:
                yield "version", str(was), str(base)
            known.now = _Range(base + 1, base + 1)
        elif was is not None:
            known.now = _Range(was.low + 1, was.high + 1)
    elif answer.status in _NOTHING_WRITTEN:
        known.now = was


def _moves(request: RecordedRequest) -> bool:
    """Whether a request that writes moves the version when it succeeds: a direct write, raw text, or a commit."""
    if request.method == "PUT" and _COMMIT.fullmatch(request.path) is not None:
        return True
    return (
        "/configuration/" in request.path
        and not _query(request, "transaction_id")
        and _query(request, "only_validate") != "true"
    )


def _base(known: _Known, request: RecordedRequest) -> int | None:
    """The version that a write builds on, None when it does not say."""
    found = _COMMIT.fullmatch(request.path)
    if found is not None:
        return known.transactions.get(found[1])
    version = _query(request, "version")
    return int(version) if version.isascii() and version.isdigit() else None


def _query(request: RecordedRequest, name: str) -> str:
    return next((value for key, value in request.query if key == name), "")


def _succeeded(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
