"""What is remembered of the commits that were accepted: values and their lines, wherever they are kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from haoam_sync.errors import HaoamError, NotTrustedError, UsageError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.json import canonical_json, digest
from haoam_sync.model.state_record import Kind

NOTHING = ""
"""In place of a digest, or of a commit id, that there is none of."""


class Line(BaseModel):
    """One line of the memory: a commit that was accepted, chained to the line before by its digest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sequence: int
    previous: str
    introduction: str
    ref: str
    attestations: str
    commit: TrustedCommit

    def line(self) -> bytes:
        """Its bytes, without a newline."""
        return canonical_json(self._value())

    @property
    def digest(self) -> str:
        """What the next line names as the one before it."""
        return digest(self._value())

    def _value(self) -> dict[str, Any]:
        """The record as JSON, as versions wrote it that knew less: what says nothing is left out."""
        value = self.model_dump(mode="json")
        value["commit"] = {k: v for k, v in value["commit"].items() if v or k not in {"waived", "reviewed"}}
        return value


_LINE = TypeAdapter(Line)


@dataclass(frozen=True, slots=True)
class TrustState:
    """What is remembered.

    Attributes:
        introduction: id of the introduction commit it belongs to.
        ref: the branch it belongs to.
        commit: the commit accepted last; None at the first start.
        attestations: the tip of the statements then; "" for none.
        sequence: number of the last record; 0 for none.
        digest: of the last record; "" for none.
    """

    introduction: str
    ref: str
    commit: TrustedCommit | None = None
    attestations: str = NOTHING
    sequence: int = 0
    digest: str = NOTHING

    @property
    def accepted(self) -> str:
        """Id of the commit accepted last: the introduction at the first start."""
        return self.commit.id if self.commit is not None else self.introduction


@dataclass(frozen=True, slots=True)
class Accepted:
    """What `verify` found.

    Attributes:
        commit: the commit asked for.
        steps: commits accepted by this, oldest first; empty when nothing is new.
        state: what is to be remembered; hand it to `store_state`.
        before: what was remembered before.
        refusal: of `advance`: why it goes no further; None when the tip itself is accepted.
    """

    commit: TrustedCommit
    steps: Sequence[TrustedCommit]
    state: TrustState
    before: TrustState
    refusal: NotTrustedError | None = None


def advanced(before: TrustState, steps: Sequence[TrustedCommit], attestations: str) -> tuple[TrustState, Line | None]:
    """The state after accepting `steps`, and the last line that is to be written for it; None when nothing changed."""
    state, last = before, None
    for last in lines_of(before, steps, attestations):  # noqa: B007  # the last one is what is asked for
        pass
    if last is not None:
        state = TrustState(last.introduction, last.ref, last.commit, attestations, last.sequence, last.digest)
    return state, last


def lines_of(before: TrustState, steps: Sequence[TrustedCommit], attestations: str) -> Iterator[Line]:
    """The lines that are to be written for `steps`, one after the other: a long history is never in memory as lines."""
    commits = steps
    if not commits and before.commit is not None and attestations != before.attestations:
        commits = (before.commit,)  # only the tip of the statements moved
    sequence, previous = before.sequence, before.digest
    for commit in commits:
        sequence += 1
        line = Line(
            sequence=sequence,
            previous=previous,
            introduction=before.introduction,
            ref=before.ref,
            attestations=attestations,
            commit=commit,
        )
        previous = line.digest
        yield line


def remembered(line: Line | None, root: HostRoot, where: str) -> TrustState:
    """The state that a last line leaves; the first start when there is none.

    Raises:
        NotTrustedError: E_STATE_FOREIGN, it belongs to another repository.
    """
    if line is None:
        return TrustState(root.introduction, root.ref)
    if (line.introduction, line.ref) != (root.introduction, root.ref):
        raise NotTrustedError(
            f"the state belongs to {line.ref} of the repository that began with {line.introduction[:12]}",
            code="E_STATE_FOREIGN",
            where=where,
            hint="use one state directory, and one branch for records, for one host root file",
        )
    return TrustState(line.introduction, line.ref, line.commit, line.attestations, line.sequence, line.digest)


def parse_line(data: bytes, refusal: Callable[[str], NotTrustedError]) -> Line:
    """What `Line.line` wrote, and nothing else.

    Raises:
        NotTrustedError: made by `refusal` of the reason.
    """
    try:
        line = _LINE.validate_json(data)
    except (ValidationError, HaoamError) as error:
        raise refusal("a record can not be read") from error
    if line.line() != data:
        raise refusal("a record is not as it was written")
    return line


def wrong_beginning(kind: Kind, *, there: bool) -> UsageError:
    """The refusal of a seed where something is remembered, or of a confirmation where nothing is."""
    return UsageError(
        "something is remembered already" if there else "nothing is remembered yet",
        code="E_STATE_SEED",
        hint=f"haoam-sync trust state {'confirm' if kind == 'seed' else 'seed'} COMMIT",
    )
