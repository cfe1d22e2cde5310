"""Parts that an index names: ACLs, rules, checks, log targets, captures."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from flask import Flask, Response, g

from haoam_sync.lab.bodies import read_list, read_object
from haoam_sync.lab.document import Body, Document
from haoam_sync.lab.engine import Engine
from haoam_sync.lab.http import Queries, empty_answer, json_answer, json_body, written_headers
from haoam_sync.lab.part_lines import model_of, nothing, part_lines
from haoam_sync.lab.parts import PARENT_PATH, Listed, spoken
from haoam_sync.lab.refusal import Refusal, missing, no_parent
from haoam_sync.lab.sections import BASE
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.section import SectionId, SectionKind


class ListedParts:
    """Requests for one kind of listed parts in sections of one kind."""

    def __init__(self, engine: Engine, kind: SectionKind, part: Listed) -> None:
        self._engine = engine
        self._queries = Queries(engine)
        self._kind = kind
        self._part = part
        self._model = model_of(engine, kind, part.field)

    def install(self, app: Flask) -> None:
        """Add the routes."""
        if self._kind is SectionKind.GLOBAL:
            path, defaults = f"{BASE}/global/{self._part.endpoint}", {"parent": ""}
        else:
            path, defaults = f"{BASE}/{PARENT_PATH[self._kind]}/<parent>/{self._part.endpoint}", None
        endpoint = f"parts {self._kind.value} {self._part.endpoint}"
        for suffix, verb, view in (
            ("", "GET", self.list_all),
            ("", "PUT", self.put_all),
            ("/<place>", "GET", self.get),
            ("/<place>", "PUT", self.put),
            ("/<place>", "POST", self.post),
            ("/<place>", "DELETE", self.delete),
        ):
            app.add_url_rule(f"{path}{suffix}", f"{endpoint} {verb}{suffix}", view, methods=[verb], defaults=defaults)

    def list_all(self, parent: str) -> Response:
        """GET of all."""
        document = self._read()
        section = SectionId(self._kind, parent)
        if not document.has(section):
            if self._part.endpoint == "captures":
                raise self._no_parent(parent, "GET")
            if self._engine.api < NEWEST and not self._part.empty_without_parent:
                raise no_parent(spoken(self._kind), parent)
            return json_answer([])
        return json_answer(self._parts(document, section) or nothing(self._engine))

    def get(self, parent: str, place: str) -> Response:
        """GET of one."""
        index = self._index(place)
        document = self._read()
        section = self._require(document, parent, "GET")
        parts = self._parts(document, section)
        if not 0 <= index < len(parts):
            raise self._absent(parent, index)
        return json_answer(parts[index])

    def put_all(self, parent: str) -> Response:
        """PUT of the whole array."""
        bodies = read_list(json_body(self._engine), self._model, self._engine.api)

        def edit(document: Document) -> Document:
            section = SectionId(self._kind, parent)
            if not document.has(section):
                refusal = no_parent(spoken(self._kind), parent)
                refusal.leaves_transaction = True
                raise refusal
            lines = [line for body in bodies for line in self._lines(section, body)]
            return document.put_lines(section, self._part.keywords, lines, self._engine.api)

        written = self._engine.write(self._queries.target(), edit)
        status = HTTPStatus.OK if written.settled else HTTPStatus.ACCEPTED
        return json_answer(bodies, status, written_headers(written))

    def put(self, parent: str, place: str) -> Response:
        """PUT in place of one."""
        return self._insert(parent, self._index(place), replaced=1, settled=HTTPStatus.OK)

    def post(self, parent: str, place: str) -> Response:
        """POST in front of the one with that index."""
        return self._insert(parent, self._index(place), replaced=0, settled=HTTPStatus.CREATED)

    def delete(self, parent: str, place: str) -> Response:
        """DELETE of one."""
        index = self._index(place)

        def edit(document: Document) -> Document:
            section = self._require(document, parent, "DELETE")
            lines = document.lines(section, self._part.keywords)
            if not 0 <= index < len(lines):
                raise self._absent(parent, index)
            del lines[index]
            return document.put_lines(section, self._part.keywords, lines, self._engine.api)

        written = self._engine.write(self._queries.target(), edit)
        status = HTTPStatus.NO_CONTENT if written.settled else HTTPStatus.ACCEPTED
        return empty_answer(status, written_headers(written))

    def _insert(self, parent: str, index: int, *, replaced: int, settled: HTTPStatus) -> Response:
        body = read_object(json_body(self._engine), self._model, self._engine.api)

        def edit(document: Document) -> Document:
            section = self._require(document, parent, "PUT")
            lines = document.lines(section, self._part.keywords)
            if replaced and not 0 <= index < len(lines):
                raise self._absent(parent, index)
            if not 0 <= index <= len(lines):
                raise Refusal(
                    HTTPStatus.BAD_REQUEST,
                    f"index out of range: Object with id {index} in {spoken(self._kind)} {parent} out of range",
                )
            if replaced and self._part.endpoint == "captures" and self._engine.api < NEWEST:
                return document  # this server answers as if it did it, and does not
            lines[index : index + replaced] = self._lines(section, body)
            return document.put_lines(section, self._part.keywords, lines, self._engine.api)

        written = self._engine.write(self._queries.target(), edit)
        status = settled if written.settled else HTTPStatus.ACCEPTED
        return json_answer(body, status, written_headers(written))

    def _read(self) -> Document:
        document, g.version = self._engine.read(self._queries.transaction())
        return document

    def _require(self, document: Document, parent: str, verb: str) -> SectionId:
        section = SectionId(self._kind, parent)
        if not document.has(section):
            raise self._no_parent(parent, verb)
        return section

    def _no_parent(self, parent: str, verb: str) -> Refusal:
        if self._part.endpoint == "captures" and verb != "DELETE":
            return Refusal(HTTPStatus.NOT_FOUND, "not found" if self._engine.api >= NEWEST else "")
        return no_parent(spoken(self._kind), parent)

    def _parts(self, document: Document, section: SectionId) -> Sequence[Body]:
        found: Sequence[Body] = document.body(section, self._engine.api).get(self._part.field, [])
        return found

    def _index(self, place: str) -> int:
        return self._queries.number("index", place, "path")

    def _absent(self, parent: str, index: int) -> Refusal:
        place = f"{spoken(self._kind)} {parent or 'data'}"
        return missing(f"Object {index} does not exist in {place}")

    def _lines(self, section: SectionId, body: Body) -> list[str]:
        return part_lines(self._engine, section, self._part, {self._part.field: [body]})
