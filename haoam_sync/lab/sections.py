"""Whole sections: `configuration/{collection}` and `configuration/{collection}/{name}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeAlias

from flask import Flask, Response, g

from haoam_sync.lab.bodies import read_object
from haoam_sync.lab.document import Body, Document
from haoam_sync.lab.engine import AtRunTime, Engine
from haoam_sync.lab.http import Queries, empty_answer, json_answer, json_body, written_headers
from haoam_sync.lab.parts import PART_FIELDS
from haoam_sync.lab.refusal import Refusal, exists, missing
from haoam_sync.lab.runtime_changes import frontend_at_run_time
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.sections import section_model

BASE = "/v3/services/haproxy/configuration"

_ABSENT: Mapping[SectionKind, str] = {
    SectionKind.FRONTEND: "Frontend {} does not exist",
    SectionKind.BACKEND: "Backend {} does not exist",
    SectionKind.DEFAULTS: "Defaults section {} does not exist",
    SectionKind.USERLIST: "userlist {} does not exist",
    SectionKind.RESOLVERS: "Resolver {} does not exist",
    SectionKind.PEERS: "PeerSection {} does not exist",
    SectionKind.MAILERS: "mailers section '{}' does not exist",
    SectionKind.CACHE: "Cache {} does not exist",
    SectionKind.RING: "ring {} does not exist",
    SectionKind.HTTP_ERRORS: "HTTPErrorsSection {} does not exist",
    SectionKind.LOG_FORWARD: "log forward {} does not exist",
    SectionKind.FCGI_APP: "FCGI application {} does not exist",
    SectionKind.CRT_STORE: "crt-store section '{}' does not exist",
}
"""Words of 404 for a read."""
_ABSENT_FULL: Mapping[SectionKind, str] = {
    **_ABSENT,
    SectionKind.DEFAULTS: "Defaults {} does not exist",
    SectionKind.USERLIST: "Userlist {} does not exist",
    SectionKind.MAILERS: "MailersSection {} does not exist",
    SectionKind.RING: "Ring {} does not exist",
    SectionKind.LOG_FORWARD: "LogForward {} does not exist",
    SectionKind.FCGI_APP: "FCGIApp {} does not exist",
}
"""The same with `full_section`."""
_WITHOUT_PUT = frozenset({SectionKind.USERLIST, SectionKind.PEERS})
_WITHOUT_FULL = frozenset({SectionKind.CACHE, SectionKind.HTTP_ERRORS, SectionKind.CRT_STORE})
"""Kinds for which `full_section` changes nothing in how a write is refused."""
_ABSENT_FOR_PUT_IS_A_CONFLICT = frozenset(
    {
        SectionKind.MAILERS,
        SectionKind.RING,
        SectionKind.HTTP_ERRORS,
        SectionKind.LOG_FORWARD,
        SectionKind.FCGI_APP,
        SectionKind.CRT_STORE,
    }
)
_NAMES_MUST_AGREE = frozenset({SectionKind.CACHE, SectionKind.HTTP_ERRORS})
_BODY_NAMES_IT = frozenset({SectionKind.MAILERS, SectionKind.RING, SectionKind.LOG_FORWARD})
_UNRELOADED_BEFORE_34 = frozenset({SectionKind.MAILERS, SectionKind.HTTP_ERRORS})
"""Kinds whose replacement API 3.2 writes without a reload, whatever changes."""
_API_OF_PUT: Mapping[SectionKind, ApiVersion] = {SectionKind.RESOLVERS: NEWEST}
"""A POST of resolvers loses its nameservers in API 3.2; a PUT keeps them."""
_METADATA_FAILS_SINCE_34 = frozenset({SectionKind.USERLIST})
_MISSPELT_WITH_FULL_SINCE_34 = frozenset({SectionKind.RESOLVERS})

_STUMBLED = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "section missing", leaves_transaction=True)

View: TypeAlias = Callable[..., Response]


class Sections:
    """Requests for the sections of one kind."""

    def __init__(self, engine: Engine, kind: SectionKind) -> None:
        self._engine = engine
        self._queries = Queries(engine)
        self._kind = kind
        self._model = section_model(kind)

    def install(self, app: Flask) -> None:
        """Add the routes."""
        path = f"{BASE}/{self._kind.collection}"
        endpoint = f"section {self._kind.value}"
        if self._kind is SectionKind.GLOBAL:
            app.add_url_rule(path, f"{endpoint} get", self.get_global, methods=["GET"])
            app.add_url_rule(path, f"{endpoint} put", self.put_global, methods=["PUT"])
            return
        app.add_url_rule(path, f"{endpoint} list", self.list_all, methods=["GET"])
        app.add_url_rule(path, f"{endpoint} post", self.post, methods=["POST"])
        app.add_url_rule(f"{path}/<name>", f"{endpoint} get", self.get, methods=["GET"])
        app.add_url_rule(f"{path}/<name>", f"{endpoint} delete", self.delete, methods=["DELETE"])
        if self._kind not in _WITHOUT_PUT:
            app.add_url_rule(f"{path}/<name>", f"{endpoint} put", self.put, methods=["PUT"])

    def list_all(self) -> Response:
        """GET of all."""
        full = self._queries.flag("full_section")
        document = self._read()
        bodies = [self._shown(document, name, full=full) for name in document.names(self._kind)]
        self._poison_rings(bodies)
        return json_answer(bodies)

    def get(self, name: str) -> Response:
        """GET of one."""
        full = self._queries.flag("full_section")
        document = self._read()
        if not document.has(SectionId(self._kind, name)):
            raise missing((_ABSENT_FULL if full else _ABSENT)[self._kind].format(name))
        body = self._shown(document, name, full=full)
        self._poison_rings([body])
        return json_answer(body)

    def post(self) -> Response:
        """POST of a new one."""
        full = self._queries.flag("full_section")
        body = read_object(json_body(self._engine), self._model, self._engine.api)
        section = SectionId(self._kind, body["name"])

        def edit(document: Document) -> Document:
            if document.has(section):
                raise self._taken(section.name, full=full)
            if self._kind in _METADATA_FAILS_SINCE_34 and "metadata" in body and self._engine.api >= NEWEST:
                raise _STUMBLED
            return document.put_body(section, self._stored(body, full=full), self._engine.api)

        written = self._engine.write(self._queries.target(), edit)
        status = HTTPStatus.CREATED if written.settled else HTTPStatus.ACCEPTED
        return json_answer(body, status, written_headers(written))

    def put(self, name: str) -> Response:
        """PUT of one that is there."""
        full = self._queries.flag("full_section")
        body = read_object(json_body(self._engine), self._model, self._engine.api)
        if "name" not in body and full:
            raise missing("Object  does not exist")
        return self._replace(SectionId(self._kind, name), body, full=full)

    def delete(self, name: str) -> Response:
        """DELETE of one."""
        section = SectionId(self._kind, name)

        def edit(document: Document) -> Document:
            if not document.has(section):
                raise missing(f"{self._kind.value} {name} does not exist")
            return document.delete(section)

        written = self._engine.write(self._queries.target(), edit)
        status = HTTPStatus.NO_CONTENT if written.settled else HTTPStatus.ACCEPTED
        return empty_answer(status, written_headers(written))

    def get_global(self) -> Response:
        """GET of `global`, which is always there."""
        full = self._queries.flag("full_section")
        document = self._read()
        section = SectionId(self._kind, "")
        return json_answer(self._shown(document, "", full=full) if document.has(section) else {})

    def put_global(self) -> Response:
        """PUT of `global`: lines that the body does not have are gone, the stats socket too."""
        full = self._queries.flag("full_section")
        body = read_object(json_body(self._engine), self._model, self._engine.api)
        return self._replace(SectionId(self._kind, ""), body, full=full)

    def _replace(self, section: SectionId, body: Body, *, full: bool) -> Response:
        stumbles = self._kind in _NAMES_MUST_AGREE and body.get("name") != section.name
        body, section = self._identified(section, body, full=full)
        stored = self._stored(body, full=full)
        if section.name and not full:
            stored = {**stored, "name": section.name}

        def edit(document: Document) -> Document:
            if stumbles:
                raise _STUMBLED
            if section.name and not document.has(section):
                raise self._absent_for_put(section.name, full=full)
            if full or not document.has(section):
                renamed = SectionId(self._kind, body.get("name", ""))
                if renamed.name != section.name:
                    document = document.delete(section)
                return document.put_body(renamed, stored, _API_OF_PUT.get(self._kind, self._engine.api))
            kept = {} if self._kind is not SectionKind.MAILERS else self._shown(document, section.name, full=False)
            return document.put_own(section, {**kept, **stored}, self._engine.api)

        at_run_time: AtRunTime | None = None
        if self._kind is SectionKind.FRONTEND:
            at_run_time = frontend_at_run_time(self._engine, section, stored)
        elif self._kind in _UNRELOADED_BEFORE_34 and self._engine.api < NEWEST:
            at_run_time = _nothing_to_do
        written = self._engine.write(self._queries.target(), edit, at_run_time)
        status = HTTPStatus.OK if written.settled else HTTPStatus.ACCEPTED
        return json_answer(body, status, written_headers(written))

    def _identified(self, section: SectionId, body: Body, *, full: bool) -> tuple[Body, SectionId]:
        """Body and section of a replacement: whether the path or the body names it differs from kind to kind."""
        named = body.get("name", "")
        if named == section.name:
            return body, section
        if self._kind is SectionKind.FCGI_APP:
            return {**body, "name": section.name}, section
        if self._kind in _BODY_NAMES_IT and not full:
            return body, SectionId(self._kind, named)
        return body, section

    def _read(self) -> Document:
        document, g.version = self._engine.read(self._queries.transaction())
        return document

    def _shown(self, document: Document, name: str, *, full: bool) -> Body:
        body = document.body(SectionId(self._kind, name), self._engine.api)
        return body if full else own(self._kind, body)

    def _stored(self, body: Body, *, full: bool) -> Body:
        return body if full else own(self._kind, body)

    def _taken(self, name: str, *, full: bool) -> Refusal:
        misspelt = full and self._kind not in _WITHOUT_FULL
        if self._kind in _MISSPELT_WITH_FULL_SINCE_34 and self._engine.api < NEWEST:
            misspelt = False
        if misspelt:
            return missing(f"{self._kind.value} {name} already exist")
        return exists(f"{self._kind.value} {name} already exists")

    def _absent_for_put(self, name: str, *, full: bool) -> Refusal:
        word = self._kind.value
        if self._kind in _ABSENT_FOR_PUT_IS_A_CONFLICT and not (full and self._kind not in _WITHOUT_FULL):
            return exists(f"{word} {name} does not exists")
        if self._kind is SectionKind.FRONTEND:
            word = "Frontend"
        return missing(f"{word} {name} does not exist")

    def _poison_rings(self, bodies: list[Body]) -> None:
        """Reading rings writes what was read, and nothing for what was not there, into memory (FACTS.md)."""
        if self._kind is not SectionKind.RING or self._queries.transaction():
            return
        for body in bodies:
            self._engine.poison(_poisoned(SectionId(self._kind, body["name"]), self._engine.api))


def _nothing_to_do(_before: Document) -> bool:
    return True


def _poisoned(ring: SectionId, api: ApiVersion) -> Callable[[Document], Document]:
    def edit(document: Document) -> Document:
        if not document.lines(ring, ("maxlen",)):
            document = document.put_lines(ring, ("maxlen",), ["  maxlen 0"], api)
        absent = [word for word in ("format", "timeout connect", "timeout server") if not document.lines(ring, (word,))]
        return document.put(ring, document.section_text(ring) + "".join(f"  {word}\n" for word in absent))

    return edit


def own(kind: SectionKind, body: Body) -> Body:
    """A section without its parts."""
    parts = PART_FIELDS[kind]
    return {name: value for name, value in body.items() if name not in parts}
