"""Parts with a name of their own: servers, binds, users and the like."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, g

from haoam_sync.lab.bodies import read_object
from haoam_sync.lab.document import Body, Document
from haoam_sync.lab.engine import AtRunTime, Engine
from haoam_sync.lab.http import Queries, empty_answer, json_answer, json_body, written_headers
from haoam_sync.lab.part_lines import model_of, nothing, part_lines
from haoam_sync.lab.parts import PARENT_PATH, Named
from haoam_sync.lab.refusal import Refusal, exists, missing, no_parent
from haoam_sync.lab.runtime_changes import added_server_at_run_time, server_at_run_time, template_at_run_time
from haoam_sync.lab.sections import BASE
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.section import SectionId, SectionKind


class NamedParts:
    """Requests for one kind of named parts in sections of one kind."""

    def __init__(self, engine: Engine, kind: SectionKind, part: Named) -> None:
        self._engine = engine
        self._queries = Queries(engine)
        self._kind = kind
        self._part = part
        self._model = model_of(engine, kind, part.field)

    def install(self, app: Flask) -> None:
        """Add the routes."""
        part = self._part
        if part.parent_parameter:
            path = f"{BASE}/{part.endpoint}"
        else:
            path = f"{BASE}/{PARENT_PATH[self._kind]}/<parent>/{part.endpoint}"
        endpoint = f"parts {self._kind.value} {part.endpoint}"
        for suffix, verb, view in (
            ("", "GET", self.list_all),
            ("", "POST", self.post),
            ("/<name>", "GET", self.get),
            ("/<name>", "PUT", self.put),
            ("/<name>", "DELETE", self.delete),
        ):
            app.add_url_rule(f"{path}{suffix}", f"{endpoint} {verb}{suffix}", view, methods=[verb])

    def list_all(self, parent: str = "") -> Response:
        """GET of all."""
        parent = self._parent(parent)
        document = self._read()
        section = SectionId(self._kind, parent)
        if not document.has(section):
            if self._part.empty_without_parent or (self._part.endpoint == "dgram_binds" and self._engine.api >= NEWEST):
                return json_answer([])
            raise self._no_parent(parent, for_list=True)
        return json_answer(list(self._parts(document, section).values()) or nothing(self._engine))

    def get(self, name: str, parent: str = "") -> Response:
        """GET of one."""
        parent = self._parent(parent)
        document = self._read()
        section = SectionId(self._kind, parent)
        if not document.has(section):
            raise self._absent_with_parent(parent, name, "GET")
        parts = self._parts(document, section)
        if name not in parts:
            raise self._absent(parent, name)
        return json_answer(parts[name])

    def post(self, parent: str = "") -> Response:
        """POST of a new one."""
        parent = self._parent(parent)
        body = read_object(json_body(self._engine), self._model, self._engine.api)
        section = SectionId(self._kind, parent)
        name = self._name(body)

        def edit(document: Document) -> Document:
            if not document.has(section):
                raise self._no_parent(parent)
            if name in self._parts(document, section):
                raise self._taken(parent, name)
            lines = [*document.lines(section, self._part.keywords), *self._lines(section, name, body)]
            return document.put_lines(section, self._part.keywords, lines, self._engine.api)

        at_run_time: AtRunTime | None = None
        if self._part.endpoint == "servers" and self._kind is SectionKind.BACKEND:
            at_run_time = added_server_at_run_time(self._engine, section, body)
        written = self._engine.write(self._queries.target(), edit, at_run_time)
        status = HTTPStatus.CREATED if written.settled else HTTPStatus.ACCEPTED
        return json_answer(body, status, written_headers(written))

    def put(self, name: str, parent: str = "") -> Response:
        """PUT in place of one."""
        parent = self._parent(parent)
        body = read_object(json_body(self._engine), self._model, self._engine.api)
        section = SectionId(self._kind, parent)

        def edit(document: Document) -> Document:
            index = self._index(document, section, name, "PUT")
            if self._part.endpoint == "groups" and self._engine.api < NEWEST:
                return document  # this server answers as if it did it, and does not
            if self._part.endpoint == "users" and body[self._part.key] != name:
                raise missing(f"user {body[self._part.key]} does not exist")
            lines = document.lines(section, self._part.keywords)
            lines[index : index + 1] = self._lines(section, self._name(body), body)
            return document.put_lines(section, self._part.keywords, lines, self._engine.api)

        at_run_time: AtRunTime | None = None
        if self._part.endpoint == "servers":
            at_run_time = server_at_run_time(self._engine, section, name, body)
        elif self._part.endpoint == "server_templates" and self._engine.api >= NEWEST:
            at_run_time = template_at_run_time(self._engine, section, name, body)
        written = self._engine.write(self._queries.target(), edit, at_run_time)
        status = HTTPStatus.OK if written.settled else HTTPStatus.ACCEPTED
        return json_answer(body, status, written_headers(written))

    def delete(self, name: str, parent: str = "") -> Response:
        """DELETE of one."""
        parent = self._parent(parent)
        section = SectionId(self._kind, parent)

        def edit(document: Document) -> Document:
            index = self._index(document, section, name, "DELETE")
            lines = document.lines(section, self._part.keywords)
            del lines[index]
            return document.put_lines(section, self._part.keywords, lines, self._engine.api)

        written = self._engine.write(self._queries.target(), edit)
        status = HTTPStatus.NO_CONTENT if written.settled else HTTPStatus.ACCEPTED
        return empty_answer(status, written_headers(written))

    def _parent(self, from_path: str) -> str:
        parameter = self._part.parent_parameter
        return self._queries.required(parameter) if parameter else from_path

    def _read(self) -> Document:
        document, g.version = self._engine.read(self._queries.transaction())
        return document

    def _parts(self, document: Document, section: SectionId) -> dict[str, Body]:
        found: dict[str, Body] = document.body(section, self._engine.api).get(self._part.field, {})
        return found

    def _index(self, document: Document, section: SectionId, name: str, verb: str) -> int:
        """Which of the lines of this kind is the one with that name: the parts are read line by line."""
        if not document.has(section):
            raise self._absent_with_parent(section.name, name, verb)
        parts = self._parts(document, section)
        if name not in parts:
            raise self._absent(section.name, name, verb)
        return list(parts).index(name)

    def _name(self, body: Body) -> str:
        """What a part is keyed by: a bind without a name by its address."""
        if self._part.key in body:
            return str(body[self._part.key])
        port = f":{body['port']}" if "port" in body else ""
        return f"{body.get('address', '')}{port}"

    def _taken(self, parent: str, name: str) -> Refusal:
        refusal = exists(self._part.taken.format(name=name, parent=parent))
        refusal.leaves_transaction = self._part.endpoint in {"groups", "users"}
        return refusal

    def _no_parent(self, parent: str, *, for_list: bool = False) -> Refusal:
        newest = self._engine.api >= NEWEST
        match self._part.endpoint:
            case "users" if for_list:
                return Refusal(HTTPStatus.NOT_FOUND, f"userlist {parent} not found" if newest else "")
            case "users":
                return Refusal(HTTPStatus.BAD_REQUEST, "userlist not found" if newest else "")
            case "groups" if for_list:
                return Refusal(HTTPStatus.NOT_FOUND, "not found" if newest else "")
            case "groups":
                refusal = missing(f"userlist {parent} does not exist")
                refusal.leaves_transaction = True
                return refusal
            case _:
                return no_parent(self._part.parent_word, parent)

    def _absent_with_parent(self, parent: str, name: str, verb: str) -> Refusal:
        """404 for a part of a section that is not there either."""
        newest = self._engine.api >= NEWEST
        words = f"userlist {parent} does not exist"
        match self._part.endpoint, verb:
            case "users", _ if newest:
                return missing(words)
            case "groups", "GET":
                return no_parent("userlist", parent)
            case "groups", "PUT":
                return Refusal(HTTPStatus.NOT_FOUND, "not found" if newest else "")
            case "groups", _:
                return Refusal(HTTPStatus.NOT_FOUND, "not found") if newest else missing(words)
            case _:
                return self._absent(parent, name, verb)

    def _absent(self, parent: str, name: str, verb: str = "GET") -> Refusal:
        newest = self._engine.api >= NEWEST
        match self._part.endpoint, verb:
            case "users", _:
                return missing(f"user {name} does not exist") if newest else Refusal(HTTPStatus.NOT_FOUND, "")
            case "groups", "PUT" if newest:
                return Refusal(HTTPStatus.NOT_FOUND, "not found")
        put = self._part.absent_for_put if verb == "PUT" else ""
        refusal = missing((put or self._part.absent).format(name=name, parent=parent))
        refusal.leaves_transaction = self._part.endpoint == "groups" and verb == "DELETE"
        return refusal

    def _lines(self, section: SectionId, name: str, body: Body) -> list[str]:
        return part_lines(self._engine, section, self._part, {self._part.field: {name: body}})
