"""Accepted steps on their way to the memory: however many there are, they do not stay in memory themselves."""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import overload

from pydantic import TypeAdapter

from haoam_sync.errors import UsageError
from haoam_sync.model.commit import TrustedCommit

_IN_MEMORY = 65_536
"""Bytes beyond which steps lie in a file."""
_STEP = TypeAdapter(TrustedCommit)


class Steps(Sequence[TrustedCommit]):
    """Steps, oldest first, in a file without a name that ends with this object; of each, 8 bytes stay in memory.

    Args:
        steps: the first ones.
        directory: where the file may lie: one that belongs to this account alone.
    """

    def __init__(self, steps: Iterable[TrustedCommit], directory: Path) -> None:
        self._file = SpooledTemporaryFile[bytes](max_size=_IN_MEMORY, dir=str(directory))  # closed below
        weakref.finalize(self, self._file.close)
        self._directory = directory
        self._ends = array("Q", [0])
        self.extend(steps)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> TrustedCommit: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[TrustedCommit]: ...
    def __getitem__(self, place: int | slice) -> TrustedCommit | Sequence[TrustedCommit]:
        if isinstance(place, slice):
            return Steps((self._at(one) for one in range(len(self))[place]), self._directory)
        return self._at(range(len(self))[place])

    def __iter__(self) -> Iterator[TrustedCommit]:
        return (self._at(place) for place in range(len(self)))

    def append(self, step: TrustedCommit) -> None:
        """Put a step behind the others.

        Raises:
            UsageError: it can not be written.
        """
        data = _STEP.dump_json(step)
        end = self._ends[-1]
        try:
            self._file.seek(end)
            self._file.write(data)
        except OSError as error:
            raise _unusable(self._directory, error) from error
        self._ends.append(end + len(data))

    def extend(self, steps: Iterable[TrustedCommit]) -> None:
        """Put several steps behind the others, each as it comes.

        Raises:
            UsageError: as for `append`; and what `steps` raises.
        """
        for step in steps:
            self.append(step)

    def cut(self, length: int) -> None:
        """Keep the first `length` steps only."""
        del self._ends[length + 1 :]

    def _at(self, place: int) -> TrustedCommit:
        start, end = self._ends[place], self._ends[place + 1]
        try:
            self._file.seek(start)
            data = self._file.read(end - start)
        except OSError as error:
            raise _unusable(self._directory, error) from error
        return _STEP.validate_json(data)


class Together:
    """Several rows of steps as one, to be looked at again and again without being copied."""

    def __init__(self, *rows: Iterable[TrustedCommit]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[TrustedCommit]:
        return chain.from_iterable(self._rows)


def _unusable(directory: Path, error: OSError) -> UsageError:
    return UsageError(
        f"what was accepted on the way can not be written: {error.strerror}",
        code="E_STATE",
        where=str(directory),
        hint="make room there, or name a directory of your own with --state or HAOAM_STATE",
    )
