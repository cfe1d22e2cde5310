"""An instance in memory: enough of the Data Plane API, its traps included, to apply to. It logs every request.

What the API has in memory, what the file holds and what the worker runs are three things, as they are on a real one.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from haoam_sync.haproxycfg import render
from haoam_sync.haproxycfg.reading import sections_in
from haoam_sync.http import Call, Reply
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionId, SectionKind

Body = dict[str, Any]
Sections = dict[SectionId, Body]
API = ApiVersion(3, 2)
KINDS = {kind.collection: kind for kind in SectionKind}
UNBINDABLE = "203.0.113.77"
CERTIFICATES = "/srv/ssl/"


def text_of(sections: Sections) -> str:
    """A haproxy.cfg with these sections."""
    return "\n\n".join(render(section.kind, sections[section], API) for section in sorted(sections)) + "\n"


def sections_of(text: str) -> Sections:
    """The sections of a haproxy.cfg."""
    return {section: dict(body) for section, body in sections_in(text, API, SectionKind).items()}


@dataclass
class InstancePeer:
    """One instance.

    Attributes:
        memory: what the API answers.
        version: of that.
        text: what the file holds.
        file_version: the version in it.
        worker: what HAProxy runs.
        states: admin state of each server in the worker.
        certificates: files by name.
        transactions: open ones: the version they started from, and their sections.
        before: called before each request is answered.
        asked: `METHOD PATH` of each request.
        calls: the requests.
        reloads: how often HAProxy has reloaded.
        stuck: servers that stay in maintenance whatever is loaded.
        deaf: servers that take nothing at run time.
        tell: what else is told of a certificate.
        statuses: of proxies, where it is not OPEN.
    """

    memory: Sections
    version: int = 1
    text: str = ""
    file_version: int = 1
    worker: Sections = field(default_factory=dict)
    states: dict[tuple[str, str], str] = field(default_factory=dict)
    certificates: dict[str, bytes] = field(default_factory=dict)
    transactions: dict[str, tuple[int, Sections]] = field(default_factory=dict)
    before: Callable[[Call], Reply | None] = lambda _: None
    asked: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    reloads: int = 0
    stuck: set[tuple[str, str]] = field(default_factory=set)
    deaf: set[tuple[str, str]] = field(default_factory=set)
    tell: dict[str, Body] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        """Start as an instance that runs what its file holds."""
        self.text = text_of(self.memory)
        self.memory = sections_of(self.text)
        self._load()

    # What tests do behind the tool's back

    def write_elsewhere(self, change: Callable[[Sections], None]) -> None:
        """Somebody else changes the configuration: a new version, written and loaded."""
        change(self.memory)
        self.version += 1
        self._save()
        self._load()

    @property
    def phantom(self) -> bool:
        """Whether the API shows what the file does not hold."""
        return self.version != self.file_version

    @property
    def writes(self) -> list[str]:
        """The requests that were not GET."""
        return [line for line in self.asked if not line.startswith("GET ")]

    # The API

    def send(self, call: Call) -> Reply:
        """Answer one request."""
        path = unquote(call.path).removeprefix("/services/haproxy")
        self.calls.append(call)
        self.asked.append(f"{call.method} {path}")
        scripted = self.before(call)
        if scripted is not None:
            return scripted
        return self.answer(call, path)

    def answer(self, call: Call, path: str) -> Reply:  # noqa: C901, PLR0912 - a table of paths
        """Answer as an instance does, whatever `before` says."""
        query = dict(call.query)
        match call.method, path.strip("/").split("/"):
            case "GET", ["info"]:
                return self._json({"api": {"version": "v3.2.15 test"}})
            case "GET", ["configuration", "raw"]:
                return self._raw(query.get("transaction_id"))
            case "POST", ["configuration", "raw"]:
                if "only_validate" in query:
                    refusal = self._refusal(call.body.decode())
                    return self._error(400, f"validation error: {refusal}") if refusal else self._raw(None, 202)
                if "skip_reload" in query:
                    return self._write_at_run_time(call, int(query["version"]))
                return self._write_raw(call.body.decode(), int(query["version"]))
            case "GET", ["configuration", "version"]:
                return self._json(self.version)
            case method, ["configuration", collection, *name]:
                return self._configuration(method, KINDS[collection], name, query, call.body)
            case "POST", ["transactions"]:
                return self._open(int(query["version"]))
            case "PUT", ["transactions", name]:
                return self._commit(name)
            case "DELETE", ["transactions", name]:
                gone = self.transactions.pop(name, None) is None
                return self._error(404, f"transaction {name} does not exist") if gone else self._json(None, 204)
            case method, ["storage", "ssl_certificates", *name]:
                return self._certificates(method, name, call)
            case method, ["runtime", "backends", backend, "servers", *name]:
                return self._runtime(method, backend, name, call)
            case "GET", ["stats", "native"]:
                return self._stats(query)
        raise AssertionError(f"not part of this peer: {call.method} {path}")

    def _configuration(
        self, method: str, kind: SectionKind, name: list[str], query: Mapping[str, str], body: bytes
    ) -> Reply:
        if method == "GET":
            found = [copy.deepcopy(value) for section, value in self.memory.items() if section.kind is kind]
            if name:
                one = [body for body in found if body["name"] == name[0]]
                return self._json(one[0]) if one else self._error(404, f"{name[0]} does not exist")
            return self._json(found[0] if kind is SectionKind.GLOBAL else found[::-1])
        sections = self.transactions[query["transaction_id"]][1]
        document = json.loads(body) if body else {}
        section = SectionId(kind, name[0] if name else str(document.get("name", "")))
        if method == "DELETE":
            if section not in sections:
                return self._error(404, f"{section} does not exist")
            del sections[section]
            return self._json(None, 202)
        if (method == "PUT") != (section in sections):
            return self._error(409 if method == "POST" else 404, f"{section}")
        sections[section] = document
        return self._json(document, 202)

    def _open(self, version: int) -> Reply:
        if version != self.version:
            return self._error(409, f"version mismatch: version in configuration file is {self.version}")
        name = f"tid-{next(self._ids)}"
        self.transactions[name] = (version, copy.deepcopy(self.memory))
        return self._json({"_version": version, "id": name, "status": "in_progress"}, 201)

    def _commit(self, name: str) -> Reply:
        base, sections = self.transactions[name]
        if base != self.version:
            return self._error(409, "version mismatch: transaction version")
        text = text_of(sections)
        refusal = self._refusal(text)
        if refusal:
            return self._error(400, f"validation error: {refusal}")
        del self.transactions[name]
        return self._replace(text) or self._json({"_version": base, "id": name, "status": "success"})

    def _write_raw(self, text: str, version: int) -> Reply:
        if version != self.version:
            return self._error(409, f"version mismatch: version in configuration file is {self.version}")
        refusal = self._refusal(text)
        if refusal:
            return self._error(400, f"validation error: {refusal}")
        return self._replace(text) or self._raw(None, 201)

    def _write_at_run_time(self, call: Call, version: int) -> Reply:
        """The file and the memory; of the worker what it is told, unless it is stuck."""
        if version != self.version:
            return self._error(409, f"version mismatch: version in configuration file is {self.version}")
        self.memory = sections_of(call.body.decode())
        self.version += 1
        self._save(call.body.decode())
        for action in filter(None, dict(call.headers).get("X-Runtime-Actions", "").split(";")):
            name, backend, server, *values = action.split()
            running = self.worker[SectionId(SectionKind.BACKEND, backend)]["servers"][server]
            if (backend, server) in self.deaf:
                continue
            match name:
                case "SetServerWeight":
                    running["weight"] = int(values[0])
                case "SetServerAddr":
                    running |= {"address": values[0], "port": int(values[1])}
                case "SetServerState":
                    self.states[backend, server] = values[0]
        return self._raw(None, 201)

    def _replace(self, text: str) -> Reply | None:
        """Validated: in memory, on disk, reloaded. When the reload fails the file is put back, and memory is not."""
        self.memory = sections_of(text)
        self.version += 1
        if UNBINDABLE in text:
            return self._error(400, f"Reload failed: cannot bind socket [{UNBINDABLE}:80]")
        self._save(text)
        self._load()
        return None

    def _refusal(self, text: str) -> str:
        sections = sections_of(text)
        for section, body in sections.items():
            backend = body.get("default_backend")
            if backend and SectionId(SectionKind.BACKEND, backend) not in sections:
                return f"{section}: unable to find required default_backend: '{backend}'"
        for file in re.findall(r"\scrt (\S+)", text):
            if file.removeprefix(CERTIFICATES) not in self.certificates:
                return f"unable to stat SSL certificate from file '{file}'"
        return ""

    def _save(self, text: str | None = None) -> None:
        self.text = text_of(self.memory) if text is None else text
        self.file_version = self.version

    def _load(self) -> None:
        self.worker = sections_of(self.text)
        self.states = {
            (section.name, name): "maint" if server.get("maintenance") == "enabled" else "ready"
            for section, body in self.worker.items()
            if section.kind is SectionKind.BACKEND
            for name, server in body.get("servers", {}).items()
        }
        self.states.update(dict.fromkeys(self.stuck & set(self.states), "maint"))
        self.reloads += 1

    def _certificates(self, method: str, name: list[str], call: Call) -> Reply:
        def entry(one: str) -> Body:
            return {"storage_name": one, "file": CERTIFICATES + one, "size": len(self.certificates[one])}

        match method, name:
            case "GET", []:
                return self._json([entry(one) for one in self.certificates], version=None)
            case "POST", []:
                found = re.search(rb'filename="([^"]+)"\r\n[^\r]*\r\n\r\n(.*)\r\n--haoam', call.body, re.DOTALL)
                assert found is not None
                one, content = found[1].decode(), found[2]
                if one in self.certificates:
                    return self._error(409, f"file {one} already exists")
                if b"BEGIN" not in content:
                    return self._error(500, "failed to parse certificate")
                self.certificates[one] = content
                return self._json(entry(one), 201, version=None)
            case _, [one] if one not in self.certificates:
                return self._error(404, f"file {one} doesn't exist")
            case "GET", [one]:
                return self._json({**entry(one), **self.tell.get(one, {})}, version=None)
            case "DELETE", [one]:
                del self.certificates[one]
                return self._json(None, 204, version=None)
        raise AssertionError(method)

    def _everything(self) -> Reply:
        """Every server in the order of the file; API 3.2 does not tell their backends."""
        found: list[Body] = []
        for section, body in self.worker.items():
            if section.kind is SectionKind.BACKEND:
                found += [self._entry(section.name, server) for server in body.get("servers", {}).values()]
        return self._json(found, version=None)

    def _entry(self, backend: str, server: Body) -> Body:
        name = server["name"]
        state = self.states[backend, name]
        return {"name": name, "address": server["address"], "port": server.get("port"), "admin_state": state}

    def _runtime(self, method: str, backend: str, name: list[str], call: Call) -> Reply:
        if backend == " ":
            return self._everything()
        section = self.worker.get(SectionId(SectionKind.BACKEND, backend))
        servers = section.get("servers", {}) if section else {}
        if not servers or (name and name[0] not in servers):
            return self._error(404, "not found")
        if method == "PUT":
            self.states[backend, name[0]] = json.loads(call.body)["admin_state"]
        shown = [self._entry(backend, servers[one]) for one in (name or servers)]
        return self._json(shown[0] if name else shown, version=None)

    def _stats(self, query: Mapping[str, str]) -> Reply:
        found: list[Body] = []
        for section, body in self.worker.items():
            if section.kind.value == query["type"] in ("frontend", "backend"):
                status = self.statuses.get(section.name, "OPEN")
                found.append({"type": query["type"], "name": section.name, "stats": {"status": status}})
            if query["type"] == "server" and section.kind is SectionKind.BACKEND:
                for name in body.get("servers", {}):
                    state = self.states[section.name, name]
                    status = "UP" if state == "ready" else state.upper()
                    server = body["servers"][name]
                    stats: Body = {"status": status, "addr": f"{server['address']}:{server.get('port', 0)}"}
                    stats["weight"] = server.get("weight", 1)
                    entry = {"type": "server", "name": name, "backend_name": section.name, "stats": stats}
                    found.append(entry)
        if "name" in query:
            found = [entry for entry in found if entry["name"] == query["name"]]
        return self._json({"stats": found}, version=None)

    def _raw(self, transaction: str | None, status: int = 200) -> Reply:
        text = self.text if transaction is None else text_of(self.transactions[transaction][1])
        body = f"# _md5hash=0\n# _version={self.file_version}\n\n{text}".encode()
        return Reply(status, {"content-type": "text/plain", "configuration-version": str(self.version)}, body)

    def _json(self, document: object, status: int = 200, *, version: int | None = 0) -> Reply:
        heads = {"content-type": "application/json"}
        if version is not None:
            heads["configuration-version"] = str(self.version)
        return Reply(status, heads, b"" if status == 204 else json.dumps(document).encode())

    def _error(self, status: int, message: str) -> Reply:
        return self._json({"code": status, "message": message}, status)
