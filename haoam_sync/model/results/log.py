"""What `audit verify` prints."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from haoam_sync.model.results.shape import SHAPE


@with_config(SHAPE)
class Segment(TypedDict):
    """One file of the audit log."""

    file: str
    records: int
    root: str
    """RFC 6962 Merkle root over its lines, 64 hex digits."""


@with_config(SHAPE)
class Head(TypedDict):
    """The last record: compare it with a copy kept elsewhere."""

    seq: int
    hash: str


@with_config(SHAPE)
class Flaw(TypedDict):
    """Something that a whole log does not have."""

    code: str
    file: str
    line: int
    message: str


@with_config(SHAPE)
class UnfinishedApply(TypedDict):
    """An apply without an outcome."""

    apply: str
    seq: int
    time: str
    commit: str
    instances: list[str]


@with_config(SHAPE)
class OpenTransaction(TypedDict):
    """A transaction of ours that was neither committed nor deleted."""

    instance: str
    id: str
    seq: int


@with_config(SHAPE)
class UnattributedChange(TypedDict):
    """A change of an instance that no record explains."""

    instance: str
    what: str
    expected: str
    found: str
    seq: int
    time: str


@with_config(SHAPE)
class AuditResult(TypedDict):
    """`audit verify`."""

    intact: bool
    records: int
    segments: list[Segment]
    first: str
    last: str
    head: Head
    flaws: list[Flaw]
    """The first hundred."""
    flaw_count: int
    unfinished: list[UnfinishedApply]
    transactions: list[OpenTransaction]
    unattributed: list[UnattributedChange]
    """The first hundred."""
    unattributed_count: int
    notes: list[str]
    limits: str
    """What verification cannot see."""
