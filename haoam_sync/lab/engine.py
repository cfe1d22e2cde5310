"""The state of one instance: configuration in memory, file, transactions, versions, and what a write does to them.

Kept apart on purpose, as the server keeps them apart: what *memory* says (every read of the structured API), what the
*file* says (`GET raw`), and what the *worker* runs. A reload that fails puts the file back and leaves memory as it
is, so that memory shows what nobody runs, until the next write puts it on disk again (FACTS.md, "Validation and
reloads").
"""

from __future__ import annotations

import contextlib
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import TypeAlias

from haoam_sync.haproxycfg import CodecError
from haoam_sync.lab.configuration_file import EDITED_PREAMBLE, ConfigurationFile, headed
from haoam_sync.lab.document import Document, header_version
from haoam_sync.lab.haproxy import check_file
from haoam_sync.lab.refusal import (
    BOTH_VERSION_AND_TRANSACTION,
    NEITHER_VERSION_NOR_TRANSACTION,
    Refusal,
    stale,
    unknown_transaction,
)
from haoam_sync.lab.reloads import Reloads
from haoam_sync.lab.worker import Reloaded, Worker
from haoam_sync.model.api_version import ApiVersion

MOST_TRANSACTIONS = 20
_WATCH_SECONDS = 0.1
_CHECK_NOISE = re.compile(r"^\[(?:NOTICE|WARNING)\].*$\n?", re.MULTILINE)

Edit: TypeAlias = Callable[[Document], Document]
"""What a write does to a configuration. Raises Refusal."""
AtRunTime: TypeAlias = Callable[[Document], bool]
"""Tries to make a change in the running worker, given the configuration before it; False when it needs a reload."""


class TransactionStatus(StrEnum):
    """As the API spells them."""

    IN_PROGRESS = "in_progress"
    FAILED = "failed"
    OUTDATED = "outdated"
    SUCCESS = "success"


@dataclass(slots=True)
class Transaction:
    """A series of writes that is committed as one."""

    id: str
    version: int
    document: Document
    status: TransactionStatus = TransactionStatus.IN_PROGRESS


@dataclass(frozen=True, slots=True)
class Target:
    """What a request reads or writes: the configuration at a version, or a transaction.

    Attributes:
        version: 0 when none was given, as for the server.
        transaction: "" when none was given.
        force: whether the reload is waited for.
    """

    version: int = 0
    transaction: str = ""
    force: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """How a write went.

    Attributes:
        settled: nothing more will happen: no reload was needed, or it is done.
        reload_id: of the reload that will do it, "" when there is none.
        version: of the configuration that was written.
    """

    settled: bool
    reload_id: str
    version: int


class Engine:
    """One instance. Reads see one consistent value without a lock; writes happen one after the other."""

    def __init__(self, directory: Path, worker: Worker, haproxy: Path, api: ApiVersion, *, reload_delay: float) -> None:
        self.directory = directory
        self.api = api
        self.worker = worker
        self._haproxy = haproxy
        self._file = ConfigurationFile(directory / "haproxy.cfg", api)
        self._lock = threading.RLock()
        self._transactions: dict[str, Transaction] = {}
        self._now = self._file.load()
        """Memory and its version, replaced together: readers take no lock."""
        self._file.write(headed(self._memory, self._version))
        self._last_good = self._file.written
        self.reloads = Reloads(self._reload, reload_delay)
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to look for edits of the file."""
        self._watcher.start()

    def close(self) -> None:
        """Stop the threads."""
        self._closed.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self.reloads.close()

    # ---- reading

    @property
    def _memory(self) -> Document:
        return self._now[0]

    @property
    def _version(self) -> int:
        return self._now[1]

    @property
    def version(self) -> int:
        """The version of what memory says."""
        return self._version

    def read(self, transaction: str = "") -> tuple[Document, int]:
        """What a reader sees, and its version.

        Raises:
            Refusal: the transaction is not in progress.
        """
        if not transaction:
            return self._now
        found = self._in_progress(transaction)
        return found.document, found.version

    def raw(self, transaction: str = "") -> tuple[str, int]:
        """The file's text (header lines included), or a transaction's; and the version of memory or transaction.

        Raises:
            Refusal: there is no such transaction.
        """
        if not transaction:
            with self._lock:
                return self._file.text(), self._version
        with self._lock:
            found = self._transactions.get(transaction)
        if found is None:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                f"transaction does not exist: transaction file {transaction} does not exist",
                version=0,
            )
        text = headed(found.document, found.version)
        return text, found.version if found.status is TransactionStatus.IN_PROGRESS else 0

    # ---- transactions

    def transactions(self) -> tuple[Transaction, ...]:
        """All that are in the list."""
        with self._lock:
            return tuple(self._transactions.values())

    def transaction(self, name: str) -> Transaction:
        """One of the list.

        Raises:
            Refusal: it is not there.
        """
        with self._lock:
            found = self._transactions.get(name)
        if found is None:
            raise Refusal(HTTPStatus.NOT_FOUND, f"transaction does not exist: transaction {name} does not exist")
        return found

    def begin(self, version: int) -> Transaction:
        """Begin a transaction on top of `version`.

        Raises:
            Refusal: that is not the current version, or too many are in progress.
        """
        with self._lock:
            if version != self._version:
                raise stale(self._version, version)
            in_progress = sum(t.status is TransactionStatus.IN_PROGRESS for t in self._transactions.values())
            if in_progress >= MOST_TRANSACTIONS:
                raise Refusal(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "cannot start a new transaction, reached the maximum amount of "
                    f"{MOST_TRANSACTIONS} active transactions available",
                )
            transaction = Transaction(str(uuid.uuid4()), version, self._memory)
            self._transactions[transaction.id] = transaction
            return transaction

    def forget(self, name: str) -> None:
        """Delete a transaction.

        Raises:
            Refusal: it is not there.
        """
        with self._lock:
            if self._transactions.pop(name, None) is None:
                raise Refusal(
                    HTTPStatus.NOT_FOUND,
                    f"transaction does not exist: transaction file {name} does not exist",
                )

    def commit(self, name: str, *, force: bool) -> tuple[Transaction, Written]:
        """Make a transaction's configuration the current one.

        Raises:
            Refusal: it cannot be committed, HAProxy refuses it, or the forced reload fails.
        """
        with self._lock:
            transaction = self.transaction(name)
            if transaction.status is not TransactionStatus.IN_PROGRESS:
                raise Refusal(
                    HTTPStatus.NOT_ACCEPTABLE,
                    f"transaction {name} is {transaction.status} and cannot be committed",
                )
            if transaction.version != self._version:
                transaction.status = TransactionStatus.OUTDATED
                raise Refusal(
                    HTTPStatus.CONFLICT,
                    "version mismatch: version mismatch, transaction version: "
                    f"{transaction.version}, configured version: {self._version}",
                )
            self._publish(transaction)
            for other in self._transactions.values():
                if other.status is TransactionStatus.IN_PROGRESS:
                    other.status = TransactionStatus.OUTDATED
            return transaction, self._after_write(force=force)

    # ---- writing

    def write(self, target: Target, edit: Edit, at_run_time: AtRunTime | None = None) -> Written:
        """Edit the configuration, in a transaction or at once.

        Raises:
            Refusal: version or transaction are wrong, the edit is, HAProxy refuses it, or the forced reload fails.
        """
        if target.version and target.transaction:
            raise Refusal(HTTPStatus.BAD_REQUEST, BOTH_VERSION_AND_TRANSACTION)
        with self._lock:
            if target.transaction:
                transaction = self._in_progress(target.transaction)
                transaction.document = edit(transaction.document)
                return Written(settled=False, reload_id="", version=transaction.version)
            self._require_version(target.version)
            before = self._memory
            transaction = Transaction(str(uuid.uuid4()), self._version, before)
            try:
                transaction.document = edit(before)
            except Refusal as refusal:
                if refusal.leaves_transaction:
                    self._transactions[transaction.id] = transaction
                raise
            self._publish(transaction)
            if at_run_time is not None and not target.force and at_run_time(before):
                return Written(settled=True, reload_id="", version=self._version)
            return self._after_write(force=target.force)

    def write_raw(self, target: Target, text: str, *, skip_version: bool, skip_reload: bool) -> Written:
        """Replace the whole configuration by `text`.

        Raises:
            Refusal: the version is wrong, HAProxy refuses it, or the forced reload fails.
        """
        with self._lock:
            if not skip_version:
                self._require_version(target.version)
            version = (header_version(text) or 1) if skip_version else self._version + 1
            refused = Transaction(str(uuid.uuid4()), self._version, self._memory, TransactionStatus.FAILED)
            try:
                document = self._parsed(text)
                refused.document = document
                self._validate(headed(document, version), refused.id)
            except Refusal:
                self._transactions[refused.id] = refused
                raise
            self._now = document, version
            self._file.write(headed(document, version))
            if skip_reload:
                return Written(settled=True, reload_id="", version=version)
            return self._after_write(force=target.force)

    def validate(self, text: str) -> None:
        """Let HAProxy judge `text`; nothing changes.

        Raises:
            Refusal: it would not load.
        """
        self._validate(text, "")

    def poison(self, edit: Edit) -> None:
        """Change memory alone, as reading rings does on the server."""
        with self._lock:
            self._now = edit(self._memory), self._version

    def ask_for_reload(self) -> str:
        """Have a reload run soon, for a file that changed; its id."""
        return self.reloads.ask()

    def _in_progress(self, name: str) -> Transaction:
        found = self._transactions.get(name)
        if found is None or found.status is not TransactionStatus.IN_PROGRESS:
            raise unknown_transaction(name)
        return found

    def _require_version(self, version: int) -> None:
        if not version:
            raise Refusal(HTTPStatus.BAD_REQUEST, NEITHER_VERSION_NOR_TRANSACTION)
        if version != self._version:
            raise stale(self._version, version)

    def _publish(self, transaction: Transaction) -> None:
        """Validate a transaction's configuration, and make it memory and file. A refused one stays in the list."""
        version = self._version + 1
        text = headed(transaction.document, version)
        try:
            self._validate(text, transaction.id)
        except Refusal:
            transaction.status = TransactionStatus.FAILED
            self._transactions[transaction.id] = transaction
            raise
        self._transactions.pop(transaction.id, None)
        transaction.status = TransactionStatus.SUCCESS
        self._now = transaction.document, version
        self._file.write(text)

    def _after_write(self, *, force: bool) -> Written:
        """Reload now or soon."""
        if not force:
            return Written(settled=False, reload_id=self.reloads.ask(), version=self._version)
        outcome = self.reloads.force()
        if not outcome.ok:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"Reload failed: {outcome.words}")
        return Written(settled=True, reload_id="", version=self._version)

    def _reload(self) -> Reloaded:
        """Reload; when it fails, the file is put back to what was loaded last, and memory is left as it is."""
        with self._lock:
            tried = self._file.written
            outcome = self.worker.reload()
            if outcome.ok:
                self._last_good = tried
            else:
                self._file.write(self._last_good)
            return outcome

    def _validate(self, text: str, transaction: str) -> None:
        name = transaction or f"onlyvalidate{uuid.uuid4().int % 10**9}"
        file = self.directory / f"haproxy.cfg.{name}"
        file.write_text(text, encoding="utf-8")
        try:
            ok, words = check_file(file, self._haproxy)
        finally:
            file.unlink(missing_ok=True)
        if not ok:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"validation error: {_CHECK_NOISE.sub('', words).strip()}")

    def _parsed(self, text: str) -> Document:
        """`text` as sections.

        Raises:
            Refusal: it has lines in no section; HAProxy's words say which.
        """
        try:
            return Document.read(text, self.api)
        except CodecError as error:
            self._validate(text, "")
            raise Refusal(HTTPStatus.BAD_REQUEST, f"validation error: {error.message}") from error

    # ---- edits of the file

    def _watch(self) -> None:
        """Notice edits of the file; one right before a write is overwritten unseen, as on the server."""
        while not self._closed.wait(_WATCH_SECONDS):
            with contextlib.suppress(OSError):
                if self._file.touched():
                    self._notice_edit()

    def _notice_edit(self) -> None:
        with self._lock:
            if not self._file.edited():
                return
            document, version = self._file.load()
            self._now = Document(EDITED_PREAMBLE, document.sections, document.order), version + 1
            self._file.write(headed(self._memory, self._version))
