"""What was accepted, on this host: remembered so that nobody can lead us back.

::

    STATE/trust/accepted.json     the last record
    STATE/trust/journal.jsonl     every record, oldest first, each with the digest of the one before
    STATE/trust/accepted.new      there only while the two are being written

Written in this order, each synced: `accepted.new`, the journal's new lines, and `accepted.new` renamed. A crash in
between leaves a state that the next reading finishes or takes back; in both cases what it returns was verified. The
two files disagreeing in any other way means that one was exchanged for an older one (E_STATE_ROLLBACK).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.host_root import HostRoot
from haoam_sync.state import write_synced
from haoam_sync.trust.memory import NOTHING, Accepted, Line, TrustState, advanced, lines_of, parse_line, remembered


def load_state(directory: Path, root: HostRoot) -> TrustState:
    """What is remembered in the state directory; the first start when it holds nothing.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK, it was tampered with; E_STATE_FOREIGN, it belongs to another repository.
        UsageError: it can not be read.
    """
    folder = directory / "trust"
    try:
        record = _recovered(folder)
    except OSError as error:
        raise _unreadable(folder, error) from error
    return remembered(record, root, str(folder))


def store_state(directory: Path, accepted: Accepted) -> None:
    """Remember what was accepted. Crash-safe; does nothing when nothing is new.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK, what is remembered is not what `verify` began with.
        UsageError: it can not be written.
    """
    state, last = advanced(accepted.before, accepted.steps, accepted.state.attestations)
    if last is None:
        return
    folder = directory / "trust"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            current = _recovered(folder)
            found = current.digest if current is not None else NOTHING
            if found == state.digest:
                return  # somebody else accepted the same
            if found != accepted.before.digest:
                raise _rollback(folder, "another process changed it since it was read")
            write_synced(folder / "accepted.new", last.line())
            lines = lines_of(accepted.before, accepted.steps, accepted.state.attestations)
            _append(folder / "journal.jsonl", (line.line() + b"\n" for line in lines))
            (folder / "accepted.new").rename(folder / "accepted.json")
            _sync(folder)
    except OSError as error:
        raise _unreadable(folder, error) from error


def history(directory: Path) -> Iterator[TrustedCommit]:
    """Every commit accepted on this host, oldest first, each once, read line by line; its chain of digests holds.

    Raises, on the way:
        NotTrustedError: E_STATE_ROLLBACK.
    """
    folder = directory / "trust"
    journal = folder / "journal.jsonl"
    if not journal.exists():
        return
    previous, last = NOTHING, None
    with journal.open("rb") as lines:
        for line in lines:
            record = _parsed(line.removesuffix(b"\n"), journal)
            if record.previous != previous:
                raise _rollback(folder, f"record {record.sequence} does not follow the one before")
            previous = record.digest
            if last is not None and last.id != record.commit.id:  # a commit stands in lines that follow each other
                yield last
            last = record.commit
    if last is not None:
        yield last


def _recovered(folder: Path) -> Line | None:
    """The last record, after finishing or taking back a write that was cut off."""
    current = _read(folder / "accepted.json")
    pending = _read(folder / "accepted.new", cut_off=True)
    journal = folder / "journal.jsonl"
    last, complete = _last_line(journal)
    if (folder / "accepted.new").exists():
        if pending is not None and last is not None and complete and last.digest == pending.digest:
            (folder / "accepted.new").rename(folder / "accepted.json")
            _sync(folder)
            return pending
        _take_back(folder, current)
        last, complete = _last_line(journal)
    if current is None and last is None:
        return None
    if current is None or last is None or not complete or last.digest != current.digest:
        raise _rollback(folder, "accepted.json and journal.jsonl do not belong together")
    return current


def _take_back(folder: Path, current: Line | None) -> None:
    """Undo a write that did not come to its end: the journal goes back to the record that is in force."""
    journal = folder / "journal.jsonl"
    if journal.exists():
        kept = b""
        if current is not None:
            whole, line = journal.read_bytes(), current.line() + b"\n"
            place = whole.rfind(line)
            if place < 0:
                raise _rollback(folder, "accepted.json is not in journal.jsonl")
            kept = whole[: place + len(line)]
        write_synced(journal, kept)
    (folder / "accepted.new").unlink()
    _sync(folder)


def _read(file: Path, *, cut_off: bool = False) -> Line | None:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _parsed(data, file)
    except NotTrustedError:
        if cut_off:
            return None
        raise


def _parsed(data: bytes, file: Path) -> Line:
    return parse_line(data, lambda why: _rollback(file, why))


def _last_line(journal: Path) -> tuple[Line | None, bool]:
    """The journal's last whole line, and whether nothing follows it."""
    try:
        with journal.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            data, step = b"", 65_536
            while size and data.count(b"\n") < 2:  # noqa: PLR2004  # the end of the line before, and of the last one
                start = max(0, size - step)
                file.seek(start)
                data = file.read(size - start) + data
                size = start
    except FileNotFoundError:
        return None, True
    whole, _, rest = data.rpartition(b"\n")
    if not whole:
        return None, not rest
    return _parsed(whole.rpartition(b"\n")[2], journal), not rest


def _append(file: Path, lines: Iterable[bytes]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.writelines(lines)
        handle.flush()
        os.fsync(handle.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rollback(where: Path, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"the memory of what was accepted is not to be trusted: {why}",
        code="E_STATE_ROLLBACK",
        where=str(where),
        hint="somebody changed or restored files there; find out who, and confirm the accepted commit by hand: docs/"
        "trust.md, E_STATE_ROLLBACK",
    )


def _unreadable(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the state directory can not be used: {error.strerror}",
        code="E_STATE",
        where=str(folder),
        hint="name a directory of your own with --state or HAOAM_STATE",
    )
