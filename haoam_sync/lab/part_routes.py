"""Parts of sections: servers, binds, rules, ACLs, users and the like, each with endpoints of its own."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response

from haoam_sync.lab.engine import Engine
from haoam_sync.lab.http import json_answer
from haoam_sync.lab.listed_parts import ListedParts
from haoam_sync.lab.named_parts import NamedParts
from haoam_sync.lab.parts import LISTED, NAMED, Listed
from haoam_sync.lab.sections import BASE
from haoam_sync.lab.wire import rules
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections import section_model


def install_parts(app: Flask, engine: Engine) -> None:
    """Add the routes of all parts of all kinds."""
    for kind in SectionKind:
        known = rules(section_model(kind), engine.api)
        for listed in LISTED.get(kind, ()):
            if listed.field in known:
                if kind is SectionKind.DEFAULTS and engine.api < NEWEST and listed.endpoint in _UNBUILT_BEFORE_34:
                    _install_unbuilt(app, listed)
                else:
                    ListedParts(engine, kind, listed).install(app)
        for named in NAMED.get(kind, ()):
            if named.field in known:
                NamedParts(engine, kind, named).install(app)


_UNBUILT_BEFORE_34 = {
    "acls": "ACL",
    "http_after_response_rules": "HTTPAfterResponseRule",
    "http_request_rules": "HTTPRequestRule",
    "http_response_rules": "HTTPResponseRule",
    "tcp_request_rules": "TCPRequestRule",
    "tcp_response_rules": "TCPResponseRule",
}
"""Parts of `defaults` that API 3.2 declares and does not answer, with the name in its answer."""


def _install_unbuilt(app: Flask, part: Listed) -> None:
    """Answer 501, as the server does."""
    path = f"{BASE}/defaults/<parent>/{part.endpoint}"
    name = _UNBUILT_BEFORE_34[part.endpoint]
    operations = {
        "": {"GET": "GetAll", "PUT": "ReplaceAll"},
        "/<place>": {"GET": "Get", "PUT": "Replace", "POST": "Create", "DELETE": "Delete"},
    }
    for suffix, verbs in operations.items():
        for verb, operation in verbs.items():
            words = f"operation {part.endpoint[:-1]}.{operation}{name}Defaults has not yet been implemented"

            def unbuilt(words: str = words, **_: str) -> Response:
                return json_answer(words, HTTPStatus.NOT_IMPLEMENTED)

            app.add_url_rule(f"{path}{suffix}", f"{verb} {path}{suffix}", unbuilt, methods=[verb])
