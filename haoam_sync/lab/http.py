"""HTTP around the engine: login, queries, answers, and the log of requests.

Werkzeug's own server, one thread a connection, on loopback only: this is a lab.
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from haoam_sync.lab.engine import Engine, Target, Written
from haoam_sync.lab.login import Login
from haoam_sync.lab.refusal import Refusal
from haoam_sync.model.api_version import NEWEST

_CODE_TYPE, _CODE_REQUIRED = 601, 602


def json_answer(body: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False) + "\n"
    return Response(text, status, headers, mimetype="application/json")


def text_answer(text: str, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with text."""
    answer = Response(text, status, headers)
    answer.headers["Content-Type"] = "text/plain"
    return answer


def empty_answer(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer without a body."""
    answer = Response(b"", status, headers)
    del answer.headers["Content-Type"]
    return answer


def written_headers(written: Written) -> dict[str, str]:
    """`Reload-ID` of a write that is not settled."""
    g.version = written.version
    return {"Reload-ID": written.reload_id} if written.reload_id else {}


class Queries:
    """Query parameters, read as the server reads them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def required(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            Refusal: it is not.
        """
        value = request.args.get(name, "")
        if value or (name in request.args and self._engine.api >= NEWEST):
            return value
        if self._engine.api >= NEWEST:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"Query argument {name} is required, but not found")
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} in query is required", code=_CODE_REQUIRED)

    def integer(self, name: str) -> int:
        """A number; 0 when it is not given.

        Raises:
            Refusal: it is none.
        """
        value = request.args.get(name)
        if value is None or (not value and self._engine.api < NEWEST):
            return 0
        return self.number(name, value, "query")

    def number(self, name: str, value: str, where: str) -> int:
        """`value` as an integer.

        Raises:
            Refusal: it is none.
        """
        try:
            return int(value)
        except ValueError:
            pass
        if self._engine.api >= NEWEST:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                f"Invalid format for parameter {name}: error binding string parameter: "
                f'strconv.ParseInt: parsing "{value}": invalid syntax',
            )
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, f'{name} in {where} must be of type int64: "{value}"', code=_CODE_TYPE
        )

    def flag(self, name: str) -> bool:
        """A boolean; false when it is not given.

        Raises:
            Refusal: API 3.4 does not take the value for one.
        """
        value = request.args.get(name, "false")
        if value in {"0", "f", "F", "false", "FALSE", "False"}:
            return False
        if value in {"1", "t", "T", "true", "TRUE", "True"}:
            return True
        if self._engine.api >= NEWEST:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                f"Invalid format for parameter {name}: error binding string parameter: "
                f'strconv.ParseBool: parsing "{value}": invalid syntax',
            )
        return value.lower() in {"yes", "on", "y", "ok", "enabled", "enable", "checked", "selected"}

    def transaction(self) -> str:
        """`transaction_id`, "" when it is not given."""
        return request.args.get("transaction_id", "")

    def target(self) -> Target:
        """What a write writes to."""
        force = self.flag("force_reload")
        return Target(self.integer("version"), self.transaction(), force)


def json_body(engine: Engine) -> bytes:
    """The body of a request that must bring JSON.

    Raises:
        Refusal: it says that it brings something else.
    """
    raw = request.get_data()
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if raw and kind != "application/json":
        if engine.api >= NEWEST:
            words = f'header Content-Type has unexpected value "{kind}"'
        else:
            words = f'unsupported media type "{kind}", only [application/json] are allowed'
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words)
    return raw


class RequestLog:
    """One JSON line for each request."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, status: int, seconds: float) -> None:
        """Note the current request."""
        line = json.dumps(
            {
                "method": request.method,
                "path": request.path,
                "query": request.args.to_dict(),
                "status": status,
                "duration": round(seconds, 6),
            }
        )
        with self._lock:
            if not self._stream.closed:
                self._stream.write(line + "\n")
                self._stream.flush()

    def close(self) -> None:
        """Close the file; what is still asked for is not noted."""
        with self._lock:
            self._stream.close()


def install(app: Flask, engine: Engine, login: Login, log: RequestLog | None) -> None:
    """What every request goes through."""

    @app.before_request
    def before() -> None:
        g.begun = time.perf_counter()
        if request.routing_exception is None or engine.api >= NEWEST:
            _authenticate(engine, login)

    @app.after_request
    def after(answer: Response) -> Response:
        version = g.get("version")
        answer.headers["Configuration-Version"] = str(engine.version if version is None else version)
        if log is not None:
            log.write(answer.status_code, time.perf_counter() - g.begun)
        return answer

    def unrouted(error: HTTPException) -> Response:
        return _refused(_unrouted(error, engine))

    def broken(error: Exception) -> Response:
        app.logger.error("the lab itself failed", exc_info=error)
        return json_answer({"code": 500, "message": f"{type(error).__name__}: {error}"}, 500)

    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, unrouted)
    app.register_error_handler(Exception, broken)


def _refused(refusal: Refusal) -> Response:
    if refusal.version is not None:
        g.version = refusal.version
    headers = {"Allow": refusal.allow} if refusal.allow else {}
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="API"'
    if not refusal.message:
        return Response(b"", refusal.status, headers, mimetype="application/json")
    return json_answer({"code": refusal.code, "message": refusal.message}, refusal.status, headers)


def _unrouted(error: HTTPException, engine: Engine) -> Refusal:
    newest = engine.api >= NEWEST
    match error:
        case NotFound():
            return Refusal(HTTPStatus.NOT_FOUND, f"path {request.path} was not found")
        case MethodNotAllowed():
            methods = [method for method in ("GET", "POST", "PUT", "DELETE") if method in (error.valid_methods or ())]
            if newest:
                words = f"method {request.method} is not allowed for path {request.path}"
            else:
                words = f"method {request.method} is not allowed, but [{','.join(methods)}] are"
            allow = (", " if newest else ",").join(methods)
            return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, words, allow=allow)
        case _:
            return Refusal(error.code or 500, error.description or error.name)


def _authenticate(engine: Engine, login: Login) -> None:
    """Basic authentication.

    Raises:
        Refusal: no credentials, or wrong ones.
    """
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    newest = engine.api >= NEWEST
    absent = "missing or invalid authorization" if newest else "unauthenticated for invalid credentials"
    if scheme.lower() != "basic" or not encoded:
        raise Refusal(HTTPStatus.UNAUTHORIZED, absent)
    try:
        given = base64.b64decode(encoded, validate=True)
    except ValueError:
        given = b""
    if b":" not in given:
        raise Refusal(HTTPStatus.UNAUTHORIZED, absent)
    if not hmac.compare_digest(given, f"{login.user}:{login.password}".encode()):
        raise Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized")
