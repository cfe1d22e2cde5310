"""Files beside the configuration: certificates, maps, and files for general use."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from flask import Flask, Response, request

from haoam_sync.lab.engine import Engine
from haoam_sync.lab.http import Queries, empty_answer, json_answer, text_answer
from haoam_sync.lab.refusal import Refusal, exists, missing
from haoam_sync.lab.worker import WorkerUnreachableError
from haoam_sync.model.api_version import NEWEST

_BASE = "/v3/services/haproxy/storage"
_CODE_REQUIRED = 602
_HEADER_LINES = 2
_MULTIPART = "multipart/form-data"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Store:
    """One kind of stored file.

    Attributes:
        endpoint: path element below `storage`.
        directory: name of the folder below the instance's.
        description: what the server says a listed file is.
    """

    endpoint: str
    directory: str
    description: str


CERTIFICATES = Store("ssl_certificates", "ssl", "managed SSL file")
MAPS = Store("maps", "maps", "managed map file")
GENERAL = Store("general", "general", "managed general use file")
STORES = (CERTIFICATES, MAPS, GENERAL)


class StorageRoutes:
    """Requests for one kind of stored file."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._queries = Queries(engine)
        self._store = store
        self._directory = engine.directory / store.directory
        self._directory.mkdir(exist_ok=True)

    def install(self, app: Flask) -> None:
        """Add the routes."""
        path = f"{_BASE}/{self._store.endpoint}"
        routes: tuple[tuple[str, str, Callable[..., Response]], ...] = (
            (path, "GET", self.list_all),
            (path, "POST", self.post),
            (f"{path}/<name>", "GET", self.get),
            (f"{path}/<name>", "PUT", self.put),
            (f"{path}/<name>", "DELETE", self.delete),
        )
        for rule, verb, view in routes:
            app.add_url_rule(rule, f"{verb} {rule}", view, methods=[verb])

    def list_all(self) -> Response:
        """GET of names."""
        files = sorted(path for path in self._directory.iterdir() if path.is_file())
        return json_answer([self._named(path, self._store.description) for path in files])

    def get(self, name: str) -> Response:
        """GET of one: what a certificate says, or the content of another file."""
        path = self._existing(name)
        if self._store is CERTIFICATES:
            return json_answer(self._described(path))
        content = path.read_bytes()
        answer = text_answer("")
        answer.set_data(content)
        answer.headers["Content-Type"] = "application/octet-stream"
        answer.headers["Content-Disposition"] = f"attachment; filename={path.name}"
        return answer

    def post(self) -> Response:
        """POST of a new file."""
        self._require_type(_MULTIPART)
        upload = request.files.get("file_upload")
        if upload is None or not upload.filename:
            raise self._no_file()
        given = Path(_UNSAFE.sub("_", Path(upload.filename).name))
        name = given.stem.replace(".", "_") + given.suffix
        if self._store is MAPS and not name.endswith(".map"):
            name += ".map"
        path = self._directory / name
        content = upload.read()
        if self._store is CERTIFICATES:
            _certificate(content)
        if path.exists():
            raise exists(f"file {path} already exists")
        path.write_bytes(content)
        if self._store is CERTIFICATES:
            self._load_in_worker(path, content)
        return json_answer(self._created(path), HTTPStatus.CREATED)

    def put(self, name: str) -> Response:
        """PUT of a file's content: live at once where the worker has it loaded."""
        self._require_type(_MULTIPART if self._store is GENERAL else "text/plain")
        content = self._content()
        path = self._existing(name)
        if self._store is CERTIFICATES:
            _certificate(content)
        path.write_bytes(content)
        skip = self._queries.flag("skip_reload")
        live = skip or (self._store is CERTIFICATES and self._replace_in_worker(path, content))
        if live:
            if self._store is CERTIFICATES:
                return json_answer(self._described(path))
            return empty_answer(HTTPStatus.NO_CONTENT)
        headers, status = self._reload(done=HTTPStatus.OK if self._store is CERTIFICATES else HTTPStatus.NO_CONTENT)
        if self._store is CERTIFICATES:
            return json_answer(self._described(path), status, headers)
        return empty_answer(status, headers)

    def delete(self, name: str) -> Response:
        """DELETE of a file that the configuration does not name."""
        path = self._existing(name)
        self._refuse_in_use(path)
        path.unlink()
        if self._store is not CERTIFICATES or self._queries.flag("skip_reload"):
            return empty_answer(HTTPStatus.NO_CONTENT)
        headers, status = self._reload(done=HTTPStatus.NO_CONTENT)
        return empty_answer(status, headers)

    def _reload(self, *, done: HTTPStatus) -> tuple[dict[str, str], HTTPStatus]:
        if not self._queries.flag("force_reload"):
            return {"Reload-ID": self._engine.ask_for_reload()}, HTTPStatus.ACCEPTED
        outcome = self._engine.reloads.force()
        if not outcome.ok:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"Reload failed: {outcome.words}")
        return {}, done

    def _refuse_in_use(self, path: Path) -> None:
        """Refuse to delete a file that a line of the configuration names; lines are counted behind the header."""
        text, _ = self._engine.raw()
        for number, line in enumerate(text.splitlines()[_HEADER_LINES:]):
            if str(path) in line:
                raise Refusal(
                    HTTPStatus.CONFLICT,
                    f"rejecting attempt to delete file {path} referenced in haproxy conf at line {number}: "
                    f"{line.strip()}",
                )

    def _load_in_worker(self, path: Path, content: bytes) -> None:
        """Make a new certificate known to the running worker, so that the next change of it needs no reload."""
        with contextlib.suppress(WorkerUnreachableError):
            self._engine.worker.ask(f"new ssl cert {path}")
        self._replace_in_worker(path, content)

    def _replace_in_worker(self, path: Path, content: bytes) -> bool:
        """Put a certificate into the running worker; False when it does not use it, or refuses it."""
        text = content.decode(errors="replace").strip().replace("\n\n", "\n")
        try:
            opened = self._engine.worker.ask(f"set ssl cert {path} <<\n{text}\n")
            if "Transaction created" not in opened and "Transaction updated" not in opened:
                return False
            return "Success" in self._engine.worker.ask(f"commit ssl cert {path}")
        except WorkerUnreachableError:
            return False

    def _content(self) -> bytes:
        upload = request.files.get("file_upload")
        content = upload.read() if upload is not None else request.get_data()
        if not content:
            raise self._no_body()
        return content

    def _existing(self, name: str) -> Path:
        path = self._directory / name
        if name != Path(name).name or not path.is_file():
            raise missing(f"file {name} doesn't exist in dir: {self._directory}")
        return path

    def _require_type(self, wanted: str) -> None:
        """Refuse a request that brings something else."""
        given = request.headers.get("Content-Type", "")
        if given.partition(";")[0].strip() == wanted:
            return
        if self._engine.api >= NEWEST:
            words = f'header Content-Type has unexpected value "{given}"'
        elif not given and wanted == _MULTIPART:
            words = 'reading file "fileUpload" failed: request Content-Type isn\'t multipart/form-data'
            raise Refusal(HTTPStatus.BAD_REQUEST, words)
        else:
            kind = given.partition(";")[0].strip()
            words = f'unsupported media type "{kind}", only [{wanted} application/json] are allowed'
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words)

    def _no_file(self) -> Refusal:
        if self._engine.api >= NEWEST:
            return Refusal(HTTPStatus.BAD_REQUEST, "file_upload is required")
        return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "file_upload in formData is required", code=_CODE_REQUIRED)

    def _no_body(self) -> Refusal:
        if self._engine.api >= NEWEST:
            return Refusal(HTTPStatus.BAD_REQUEST, "value is required but missing")
        return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "data in body is required", code=_CODE_REQUIRED)

    def _named(self, path: Path, description: str) -> dict[str, Any]:
        return {"description": description, "file": str(path), "storage_name": path.name}

    def _created(self, path: Path) -> dict[str, Any]:
        if self._store is CERTIFICATES:
            return self._described(path)
        description = self._store.description
        if self._store is MAPS:
            description = "managed but not loaded map file (no runtime ID)"
        return self._named(path, description) | {"size": path.stat().st_size}

    def _described(self, path: Path) -> dict[str, Any]:
        content = path.read_bytes()
        return self._named(path, self._store.description) | _facts(_certificate(content)) | {"size": len(content)}


def _certificate(content: bytes) -> x509.Certificate:
    """The first certificate of a PEM file.

    Raises:
        Refusal: there is none, or no key beside it.
    """
    try:
        found = x509.load_pem_x509_certificates(content)[0]
    except (ValueError, IndexError):
        raise Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "failed to parse certificate") from None
    if b"PRIVATE KEY-----" not in content:
        raise Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "file should contain both certificate and private key")
    return found


def _facts(certificate: x509.Certificate) -> dict[str, Any]:
    """What the server tells about a certificate."""
    facts: dict[str, Any] = {
        "issuers": _common_name(certificate.issuer),
        "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%S}.000Z",
        "not_before": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%S}.000Z",
        "serial": str(certificate.serial_number),
        "subject": _common_name(certificate.subject),
    }
    return {name: value for name, value in facts.items() if value}


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""
