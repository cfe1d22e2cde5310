"""Version, raw text, transactions and reloads."""

from __future__ import annotations

import dataclasses
import re
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request

from haoam_sync.lab.configuration_file import checksum_of
from haoam_sync.lab.engine import Engine, Transaction, TransactionStatus
from haoam_sync.lab.http import Queries, empty_answer, json_answer, text_answer, written_headers
from haoam_sync.lab.refusal import Refusal, missing
from haoam_sync.lab.reloads import ReloadRecord, ReloadStatus
from haoam_sync.lab.runtime_actions import run_actions
from haoam_sync.lab.sections import BASE
from haoam_sync.model.api_version import NEWEST

_SERVICE = "/v3/services/haproxy"
_RELOAD_ID = r"^\d{4}-\d{2}-\d{2}-\d+$"
_CODE_REQUIRED, _CODE_PATTERN, _CODE_ENUMERATION = 602, 605, 606
_LISTED_STATUSES = ("failed", "in_progress")


class ConfigurationRoutes:
    """Requests about the configuration as a whole."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queries = Queries(engine)

    def install(self, app: Flask) -> None:
        """Add the routes."""
        for path, verb, view in (
            (f"{BASE}/version", "GET", self.version),
            (f"{BASE}/raw", "GET", self.get_raw),
            (f"{BASE}/raw", "POST", self.post_raw),
            (f"{_SERVICE}/transactions", "GET", self.list_transactions),
            (f"{_SERVICE}/transactions", "POST", self.begin),
            (f"{_SERVICE}/transactions/<name>", "GET", self.get_transaction),
            (f"{_SERVICE}/transactions/<name>", "PUT", self.commit),
            (f"{_SERVICE}/transactions/<name>", "DELETE", self.forget),
            (f"{_SERVICE}/reloads", "GET", self.list_reloads),
            (f"{_SERVICE}/reloads/<name>", "GET", self.get_reload),
        ):
            app.add_url_rule(path, f"{verb} {path}", view, methods=[verb])

    # ---- version and text

    def version(self) -> Response:
        """GET of the version."""
        _, g.version = self._engine.read(self._queries.transaction())
        return json_answer(g.version)

    def get_raw(self) -> Response:
        """GET of the file, or of the file as a transaction would make it."""
        version = self._queries.integer("version")
        if version and version != self._engine.version:
            raise missing(f"backup file for version {version} does not exist")
        text, g.version = self._engine.raw(self._queries.transaction())
        return text_answer(text, headers={"Configuration-Checksum": checksum_of(text)})

    def post_raw(self) -> Response:
        """POST of a whole configuration."""
        raw = request.get_data()
        target = dataclasses.replace(self._queries.target(), transaction="")
        if not raw:
            raise self._no_text()
        self._refuse_other_types()
        text = raw.decode(errors="replace")
        if "\n" not in text:
            raise Refusal(HTTPStatus.BAD_REQUEST, "invalid configuration: no newline character found")
        if self._queries.flag("only_validate"):
            self._engine.validate(text)
            shown, _ = self._engine.raw()
            return text_answer(shown, HTTPStatus.ACCEPTED, {"Configuration-Checksum": checksum_of(shown)})
        skip_reload = self._queries.flag("skip_reload")
        written = self._engine.write_raw(
            target, text, skip_version=self._queries.flag("skip_version"), skip_reload=skip_reload
        )
        headers = written_headers(written)
        if skip_reload:
            run_actions(self._engine.worker, request.headers.get("X-Runtime-Actions", ""))
        shown, _ = self._engine.raw()
        status = HTTPStatus.CREATED if written.settled else HTTPStatus.ACCEPTED
        return text_answer(shown, status, headers | {"Configuration-Checksum": checksum_of(shown)})

    def _refuse_other_types(self) -> None:
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind == "text/plain":
            return
        if self._engine.api >= NEWEST:
            words = f'header Content-Type has unexpected value "{kind}"'
        else:
            words = f'unsupported media type "{kind}", only [text/plain application/json] are allowed'
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words)

    def _no_text(self) -> Refusal:
        if self._engine.api >= NEWEST:
            return Refusal(HTTPStatus.BAD_REQUEST, "value is required but missing")
        return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "data in body is required", code=_CODE_REQUIRED)

    # ---- transactions

    def list_transactions(self) -> Response:
        """GET of all."""
        wanted = request.args.get("status", "")
        if wanted and wanted not in _LISTED_STATUSES:
            raise self._wrong_status()
        found = self._engine.transactions()
        return json_answer([_transaction(t) for t in found if not wanted or t.status == wanted])

    def _wrong_status(self) -> Refusal:
        if self._engine.api >= NEWEST:
            allowed = ",".join(f'"{status}"' for status in _LISTED_STATUSES)
            return Refusal(
                HTTPStatus.BAD_REQUEST, f"status in query: value is not one of the allowed values [{allowed}]"
            )
        return Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"status in query should be one of [{' '.join(_LISTED_STATUSES)}]",
            code=_CODE_ENUMERATION,
        )

    def begin(self) -> Response:
        """POST of a new one."""
        self._queries.required("version")
        transaction = self._engine.begin(self._queries.integer("version"))
        return json_answer(_transaction(transaction), HTTPStatus.CREATED)

    def get_transaction(self, name: str) -> Response:
        """GET of one."""
        return json_answer(_transaction(self._engine.transaction(name)))

    def commit(self, name: str) -> Response:
        """PUT: the commit."""
        transaction, written = self._engine.commit(name, force=self._queries.flag("force_reload"))
        status = HTTPStatus.OK if written.settled else HTTPStatus.ACCEPTED
        return json_answer(_transaction(transaction), status, written_headers(written))

    def forget(self, name: str) -> Response:
        """DELETE of one."""
        self._engine.forget(name)
        return empty_answer(HTTPStatus.NO_CONTENT)

    # ---- reloads

    def list_reloads(self) -> Response:
        """GET of those that are remembered."""
        return json_answer([_reload(record, whole=True) for record in self._engine.reloads.listed()])

    def get_reload(self, name: str) -> Response:
        """GET of one; a pending one does not say its id."""
        if not re.search(_RELOAD_ID, name):
            raise self._wrong_id()
        record = self._engine.reloads.get(name)
        if record is None:
            raise Refusal(HTTPStatus.NOT_FOUND, f"reload with ID {name} does not exist")
        if record.status is ReloadStatus.IN_PROGRESS:
            return json_answer({"status": record.status})
        whole = record.status is ReloadStatus.FAILED or self._engine.reloads.is_last_succeeded(record)
        return json_answer(_reload(record, whole=whole))

    def _wrong_id(self) -> Refusal:
        if self._engine.api >= NEWEST:
            words = f'id in path: string doesn\'t match the regular expression "{_RELOAD_ID}"'
            return Refusal(HTTPStatus.BAD_REQUEST, words)
        return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"id in path should match '{_RELOAD_ID}'", code=_CODE_PATTERN)


def _transaction(transaction: Transaction) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": transaction.id, "status": transaction.status}
    if transaction.status in {TransactionStatus.IN_PROGRESS, TransactionStatus.SUCCESS}:
        shown["_version"] = transaction.version
    return shown


def _reload(record: ReloadRecord, *, whole: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": record.id, "status": record.status}
    if whole and record.at:
        shown["reload_timestamp"] = record.at
        if record.words:
            shown["response"] = record.words
    return shown
