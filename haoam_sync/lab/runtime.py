"""What the worker really runs: servers, process, certificates, statistics; and changes that are no configuration."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request

from haoam_sync.lab.bodies import read_object
from haoam_sync.lab.document import write_section
from haoam_sync.lab.engine import Engine
from haoam_sync.lab.http import Queries, empty_answer, json_answer, json_body
from haoam_sync.lab.refusal import Refusal
from haoam_sync.lab.worker import WorkerUnreachableError
from haoam_sync.lab.worker_answers import STATS_KINDS, process_figures, statistics_row
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections.runtime import RuntimeServer
from haoam_sync.model.sections.servers import ServerParams

_BASE = "/v3/services/haproxy"
_MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20
_DRAIN = 0x08 | 0x10
_CODE_ENUMERATION = 606
_STATE_FIELDS: tuple[tuple[str, str], ...] = (
    ("agent_addr", "srv_agent_addr"),
    ("agent_port", "srv_agent_port"),
    ("agent_state", "srv_agent_state"),
    ("backend_forced_id", "bk_f_forced_id"),
    ("backend_id", "be_id"),
    ("backend_name", "be_name"),
    ("check_addr", "srv_check_addr"),
    ("check_health", "srv_check_health"),
    ("check_port", "srv_check_port"),
    ("check_result", "srv_check_result"),
    ("check_state", "srv_check_state"),
    ("check_status", "srv_check_status"),
    ("forced_id", "srv_f_forced_id"),
    ("fqdn", "srv_fqdn"),
    ("iweight", "srv_iweight"),
    ("last_time_change", "srv_time_since_last_change"),
    ("srvrecord", "srvrecord"),
    ("uweight", "srv_uweight"),
)
"""What API 3.4 shows beside 3.2, by the column of `show servers state` (management guide)."""
_TEXTS = frozenset({"agent_addr", "backend_name", "check_addr", "fqdn", "srvrecord"})


class _AddedServer(ServerParams):
    """A server for the worker alone."""

    address: str | None = None
    id: str | None = None
    name: str
    port: int | None = None


class RuntimeRoutes:
    """Requests for the running worker."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queries = Queries(engine)

    def install(self, app: Flask) -> None:
        """Add the routes."""
        servers = f"{_BASE}/runtime/backends/<backend>/servers"
        for path, verb, view in (
            (servers, "GET", self.list_servers),
            (servers, "POST", self.add_server),
            (f"{servers}/<name>", "GET", self.get_server),
            (f"{servers}/<name>", "PUT", self.put_server),
            (f"{servers}/<name>", "DELETE", self.delete_server),
            (f"{_BASE}/runtime/info", "GET", self.info),
            (f"{_BASE}/runtime/ssl_certs", "GET", self.certificates),
            (f"{_BASE}/runtime/ssl_certs/<path:name>", "GET", self.certificate),
            (f"{_BASE}/stats/native", "GET", self.stats),
        ):
            app.add_url_rule(path, f"{verb} {path}", view, methods=[verb])

    # ---- servers

    def list_servers(self, backend: str) -> Response:
        """GET of a backend's servers."""
        return json_answer([self._server(row) for row in self._states(backend)])

    def get_server(self, backend: str, name: str) -> Response:
        """GET of one."""
        return json_answer(self._find(backend, name))

    def put_server(self, backend: str, name: str) -> Response:
        """PUT: administrative and operational state."""
        body = read_object(json_body(self._engine), RuntimeServer, self._engine.api)
        found = self._find(backend, name)
        server = f"{backend}/{name}"
        if "admin_state" in body and body["admin_state"] != found["admin_state"]:
            self._do(f"set server {server} state {body['admin_state']}")
        if "operational_state" in body and body["operational_state"] != found["operational_state"]:
            self._do(f"set server {server} health {body['operational_state']}")
        return json_answer(self._find(backend, name))

    def add_server(self, backend: str) -> Response:
        """POST of a server that exists in the worker only."""
        body = read_object(json_body(self._engine), _AddedServer, self._engine.api)
        text = write_section(SectionKind.BACKEND, {"name": backend, "servers": {body["name"]: body}}, self._engine.api)
        words = text.splitlines()[1].split(None, 2)
        place = words[2] if len(words) > 2 else ""  # noqa: PLR2004 - `server NAME ADDRESS...`
        self._do(f"add server {backend}/{body['name']}  {place}", expected="New server registered")
        return json_answer(body, HTTPStatus.CREATED)

    def delete_server(self, backend: str, name: str) -> Response:
        """DELETE of a server from the worker only; it must be in maintenance."""
        self._find(backend, name)
        self._do(f"set server {backend}/{name} state maint")
        self._do(f"del server {backend}/{name}", expected="Server deleted")
        return empty_answer(HTTPStatus.NO_CONTENT)

    def _find(self, backend: str, name: str) -> dict[str, Any]:
        for row in self._states(backend, f"{backend}/{name}"):
            if row["srv_name"] == name:
                return self._server(row)
        raise _nothing(f"{backend}/{name}")

    def _states(self, backend: str, wanted: str = "") -> list[dict[str, str]]:
        """The rows of `show servers state`.

        Raises:
            Refusal: there is no such backend.
        """
        answer = self._ask(f"show servers state {backend}")
        lines = answer.splitlines()
        header = next((line for line in lines if line.startswith("# ")), "")
        if not header:
            raise _nothing(wanted or backend)
        columns = header[2:].split()
        begin = lines.index(header) + 1
        return [dict(zip(columns, line.split(), strict=False)) for line in lines[begin:] if line.strip()]

    def _server(self, row: Mapping[str, str]) -> dict[str, Any]:
        admin, operational = int(row["srv_admin_state"]), int(row["srv_op_state"])
        shown: dict[str, Any] = {
            "address": row["srv_addr"],
            "admin_state": "maint" if admin & _MAINTENANCE else "drain" if admin & _DRAIN else "ready",
            "id": row["srv_id"],
            "name": row["srv_name"],
            "operational_state": ("down", "up", "up", "stopping")[operational],
            "port": int(row["srv_port"]),
        }
        if self._engine.api >= NEWEST:
            for name, column in _STATE_FIELDS:
                shown[name] = row[column] if name in _TEXTS else int(row[column])
            shown["use_ssl"] = row["srv_use_ssl"] == "1"
            shown["weight"] = shown["uweight"]
        return shown

    # ---- process, certificates

    def info(self) -> Response:
        """GET of the process's own figures."""
        values = dict(process_figures(self._ask("show info")))
        return json_answer({"info": values, "runtimeAPI": str(self._engine.worker.master_socket)})

    def certificates(self) -> Response:
        """GET of the certificates that the worker has loaded."""
        names = [line for line in self._ask("show ssl cert").splitlines() if line and not line.startswith("#")]
        found = [{"description": name.rpartition("/")[2], "storage_name": name} for name in names]
        return json_answer(found or (None if self._engine.api >= NEWEST else []))

    def certificate(self, name: str) -> Response:
        """GET of what the worker knows of one certificate."""
        command = f"show ssl cert {name}"
        answer = self._ask(command).strip()
        facts = dict(line.split(": ", 1) for line in answer.splitlines() if ": " in line)
        if "Filename" not in facts:
            words = f"{self._engine.worker.master_socket} [3]  {answer} [{command}] not found"
            raise Refusal(HTTPStatus.NOT_FOUND, words)
        shown = {
            "issuers": facts.get("Issuer", ""),
            "serial": facts.get("Serial", ""),
            "status": facts.get("Status", ""),
            "storage_name": facts["Filename"],
            "subject": facts.get("Subject", ""),
        }
        return json_answer({key: value for key, value in shown.items() if value})

    # ---- statistics

    def stats(self) -> Response:
        """GET of statistics, of all or of one."""
        kind, name = request.args.get("type", ""), request.args.get("name", "")
        parent = request.args.get("parent", "")
        if kind and kind not in STATS_KINDS:
            raise self._wrong_kind()
        if name and not kind:
            raise Refusal(HTTPStatus.BAD_REQUEST, "Type required when filtering by name")
        if name and kind == "server" and not parent:
            raise Refusal(HTTPStatus.BAD_REQUEST, "Parent backend required when filtering by server")
        found = []
        for row in csv.DictReader(io.StringIO(self._ask("show stat").removeprefix("# "))):
            item = statistics_row(row)
            if item is None or (kind and item["type"] != kind) or (name and item["name"] != name):
                continue
            if parent and item.get("backend_name") != parent:
                continue
            found.append(item)
        shown: dict[str, Any] = {"runtimeAPI": f"{self._engine.worker.master_socket}@1"}
        if found:
            shown["stats"] = found
        return json_answer(shown)

    def _wrong_kind(self) -> Refusal:
        if self._engine.api >= NEWEST:
            allowed = ",".join(f'"{kind}"' for kind in STATS_KINDS)
            return Refusal(HTTPStatus.BAD_REQUEST, f"type in query: value is not one of the allowed values [{allowed}]")
        return Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"type in query should be one of [{' '.join(STATS_KINDS)}]",
            code=_CODE_ENUMERATION,
        )

    def _ask(self, command: str) -> str:
        try:
            return self._engine.worker.ask(command)
        except WorkerUnreachableError as error:
            raise Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, str(error)) from error

    def _do(self, command: str, expected: str = "") -> None:
        answer = self._ask(command).strip()
        if (expected and expected not in answer) or (answer and not expected):
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            if answer.startswith("Already exists"):
                status = HTTPStatus.CONFLICT
            elif answer.startswith("No such"):
                status = HTTPStatus.NOT_FOUND
            raise Refusal(status, f"{self._engine.worker.master_socket} [3]  {answer} [{command}]")


def _nothing(what: str) -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, f"no data for {what}: not found")
