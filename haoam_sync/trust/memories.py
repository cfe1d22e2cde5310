"""Where accepted commits are remembered: on this host's disk, or in records in the source: its root file says so."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.state_record import Kind
from haoam_sync.repository import Repository
from haoam_sync.state import Applied, StateDirectory
from haoam_sync.trust.memory import Accepted, TrustState, wrong_beginning
from haoam_sync.trust.recorded import RecordedMemory
from haoam_sync.trust.state import history, load_state, store_state


class Memory(Protocol):
    """What was accepted, wherever it is kept."""

    def load(self) -> TrustState:
        """What is remembered.

        Raises:
            NotTrustedError: E_STATE_..., it can not be believed, or is not there where it must be.
            UsageError: it can not be read.
        """

    def reload(self) -> TrustState:
        """What is remembered by now: another run may have gone on.

        Raises:
            NotTrustedError: as for `load`.
            UsageError: it can not be read.
        """

    def begin(self, accepted: Accepted, kind: Kind) -> None:
        """An operator's word: what is accepted is remembered from now on, whatever was before.

        Args:
            accepted: found by `verify` from the introduction on.
            kind: `seed` where nothing is remembered, `confirm` where what is there can not be believed.

        Raises:
            UsageError: E_STATE_SEED, the other kind is meant; it can not be written.
        """

    def store(self, accepted: Accepted) -> None:
        """Remember what was accepted; does nothing when nothing is new.

        Raises:
            NotTrustedError: E_STATE_ROLLBACK, what is remembered is not what `verify` began with.
            UsageError: it can not be written.
        """

    def history(self) -> Iterator[TrustedCommit]:
        """Every commit that was accepted, oldest first, each once; never all of them in memory.

        Raises, on the way:
            NotTrustedError: E_STATE_ROLLBACK.
        """

    def all_applied(self) -> Mapping[str, Applied]:
        """What was applied to every cluster that has a record, by name.

        Raises:
            HaoamError: a record can not be read; absence is not assumed.
        """

    def applied_before(self) -> Mapping[str, Applied]:
        """The same for an operator who begins anew, where some of it may be unreadable.

        Raises:
            HaoamError: as for `all_applied`, where nobody could have made it so from outside.
        """

    def record_applied(self, cluster: str, applied: Applied) -> None:
        """Remember what was applied to a cluster.

        Raises:
            NotTrustedError: E_STATE_ROLLBACK, what is remembered can not be believed.
            UsageError: it can not be written.
        """


@dataclass(frozen=True)
class LocalMemory:
    """Files in the state directory."""

    directory: Path
    root: HostRoot

    def load(self) -> TrustState:
        """See `Memory`."""
        return load_state(self.directory, self.root)

    def reload(self) -> TrustState:
        """See `Memory`."""
        return self.load()

    def begin(self, accepted: Accepted, kind: Kind) -> None:
        """See `Memory`. What was there is put aside, not taken away."""
        folder = self.directory / "trust"
        there = any((folder / name).exists() for name in ("accepted.json", "accepted.new", "journal.jsonl"))
        if there != (kind == "confirm"):
            raise wrong_beginning(kind, there=there)
        if there:
            folder.rename(self.directory / f"trust.{accepted.commit.decided_at:%Y%m%dT%H%M%SZ}.{os.getpid()}")
        nothing = TrustState(self.root.introduction, self.root.ref)
        store_state(self.directory, replace(accepted, before=nothing, steps=(accepted.commit,)))

    def store(self, accepted: Accepted) -> None:
        """See `Memory`."""
        store_state(self.directory, accepted)

    def history(self) -> Iterator[TrustedCommit]:
        """See `Memory`."""
        return history(self.directory)

    def all_applied(self) -> Mapping[str, Applied]:
        """See `Memory`."""
        return StateDirectory(self.directory).all_applied()

    def applied_before(self) -> Mapping[str, Applied]:
        """See `Memory`. These files lie beside what is begun anew, and stay."""
        return self.all_applied()

    def record_applied(self, cluster: str, applied: Applied) -> None:
        """See `Memory`."""
        StateDirectory(self.directory).record_applied(cluster, applied)


def memory(directory: Path, root: HostRoot, repository: Repository, key: Path | None, now: datetime) -> Memory:
    """Where this host remembers, as its root file says."""
    if root.runners:
        return RecordedMemory(directory, root, repository, key, now)
    return LocalMemory(directory, root)
