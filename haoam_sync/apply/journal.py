"""What an apply must remember in case it is killed: its transactions, what was there before, and what it stores.

Whose a transaction is, only its maker knows (FACTS.md, "Writing"), and what was there before can be had from nowhere
once it is overwritten. All of it is written down, and synced, before it is needed. The files hold whole configurations,
with passwords: they are readable by their owner only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from haoam_sync.errors import HaoamError
from haoam_sync.model.fleet import InstanceId


class Journal(Protocol):
    """Memory that outlives the process."""

    def opened(self, instance: InstanceId, transaction: str) -> None:
        """A transaction of ours is open."""

    def closed(self, instance: InstanceId, transaction: str) -> None:
        """It is committed or deleted."""

    def left(self, instance: InstanceId) -> tuple[str, ...]:
        """Transactions that were opened and never closed."""

    def save_earlier(self, instance: InstanceId, text: str) -> None:
        """Something is about to be written; this is what was there."""

    def earlier(self, instance: InstanceId) -> str | None:
        """What was there before an apply that never said `done`; None when the last one did."""

    def done(self, instance: InstanceId) -> None:
        """The apply came to its end: proven, or put back."""

    def storing(self, instance: InstanceId, names: Collection[str]) -> None:
        """Files are about to be stored beside the configuration, `STORAGE/NAME`."""

    def not_stored(self, instance: InstanceId, names: Collection[str]) -> None:
        """Of these it is known that they were not stored by us, or are deleted again."""

    def stored(self, instance: InstanceId) -> tuple[str, ...]:
        """Files that may have been stored, and are in no record of an apply that came to its end; sorted."""

    def recorded(self, instance: InstanceId) -> None:
        """The record of what was applied knows of them now."""

    def unfinished(self, instance: InstanceId) -> bool:
        """Whether an apply before was killed: then `run` has something to do even for an empty plan."""


@dataclass(frozen=True, slots=True)
class _Entry:
    transactions: tuple[str, ...] = ()
    earlier: str | None = field(default=None, repr=False)
    files: tuple[str, ...] = ()


class FileJournal:
    """A journal of one file an instance, in a directory that only the runner can read.

    Args:
        directory: made when it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def opened(self, instance: InstanceId, transaction: str) -> None:
        """A transaction of ours is open."""
        entry = self._read(instance)
        self._write(instance, replace(entry, transactions=(*entry.transactions, transaction)))

    def closed(self, instance: InstanceId, transaction: str) -> None:
        """It is committed or deleted."""
        entry = self._read(instance)
        self._write(instance, replace(entry, transactions=tuple(t for t in entry.transactions if t != transaction)))

    def left(self, instance: InstanceId) -> tuple[str, ...]:
        """Transactions that were opened and never closed."""
        return self._read(instance).transactions

    def save_earlier(self, instance: InstanceId, text: str) -> None:
        """Something is about to be written; this is what was there."""
        self._write(instance, replace(self._read(instance), earlier=text))

    def earlier(self, instance: InstanceId) -> str | None:
        """What was there before an apply that never said `done`."""
        return self._read(instance).earlier

    def done(self, instance: InstanceId) -> None:
        """The apply came to its end."""
        self._write(instance, replace(self._read(instance), earlier=None))

    def storing(self, instance: InstanceId, names: Collection[str]) -> None:
        """Files are about to be stored."""
        entry = self._read(instance)
        self._write(instance, replace(entry, files=tuple(sorted({*entry.files, *names}))))

    def not_stored(self, instance: InstanceId, names: Collection[str]) -> None:
        """Of these it is known that they were not stored by us, or are deleted again."""
        entry = self._read(instance)
        if not set(names).isdisjoint(entry.files):
            self._write(instance, replace(entry, files=tuple(one for one in entry.files if one not in set(names))))

    def stored(self, instance: InstanceId) -> tuple[str, ...]:
        """Files that may have been stored, and are in no record."""
        return self._read(instance).files

    def recorded(self, instance: InstanceId) -> None:
        """The record of what was applied knows of them now."""
        self._write(instance, replace(self._read(instance), files=()))

    def unfinished(self, instance: InstanceId) -> bool:
        """Whether an apply before was killed."""
        return replace(self._read(instance), files=()) != _Entry()

    def _path(self, instance: InstanceId) -> Path:
        return self._directory / f"{quote(instance.cluster, safe='')}@{quote(instance.name, safe='')}.json"

    def _read(self, instance: InstanceId) -> _Entry:
        path = self._path(instance)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return _Entry()
        except (OSError, ValueError) as error:
            raise self._error("cannot be read", path, instance) from error
        match document:
            case {"transactions": [*transactions], "earlier": None | str() as earlier, **rest}:
                files = rest.get("files", [])
                if isinstance(files, list) and all(isinstance(item, str) for item in (*transactions, *files)):
                    return _Entry(tuple(transactions), earlier, tuple(files))
        raise self._error("is not a journal", path, instance)

    def _write(self, instance: InstanceId, entry: _Entry) -> None:
        path = self._path(instance)
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if entry == _Entry():
                path.unlink(missing_ok=True)
            else:
                _replace(path, entry)
            _sync(self._directory)
        except OSError as error:
            raise self._error(f"cannot be written ({error.strerror})", path, instance) from error

    @staticmethod
    def _error(what: str, path: Path, instance: InstanceId) -> HaoamError:
        return HaoamError(
            f"the journal {path} {what}",
            code="E_JOURNAL",
            where=str(instance),
            hint="it holds what an interrupted apply needs: repair its permissions; remove it only when the instance is"
            " as it should be",
        )


def _replace(path: Path, entry: _Entry) -> None:
    """The whole new content or the whole old one, whenever the power goes."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(entry), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
