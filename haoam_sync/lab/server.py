"""One lab instance: a HAProxy and, in front of it, the Data Plane API as the recordings have it."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from flask import Flask, Response
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wsgi import ClosingIterator

from haoam_sync.errors import UsageError
from haoam_sync.lab.configuration import ConfigurationRoutes
from haoam_sync.lab.engine import Engine
from haoam_sync.lab.haproxy import find_haproxy
from haoam_sync.lab.http import RequestLog, install, json_answer
from haoam_sync.lab.part_routes import install_parts
from haoam_sync.lab.runtime import RuntimeRoutes
from haoam_sync.lab.sections import Sections
from haoam_sync.lab.settings import LabSettings, initial_config
from haoam_sync.lab.storage import STORES, StorageRoutes
from haoam_sync.lab.worker import Worker
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

_BUILDS = {"3.2": "v3.2.15 lab", "3.4": "v3.4.2 lab"}
_DRAIN_SECONDS = 5.0


class LabServer:
    """A running instance."""

    def __init__(self, settings: LabSettings) -> None:
        """Start HAProxy and bind the port; requests are answered from `serve` on.

        Raises:
            UsageError: there is no HAProxy, it does not start, or the port is taken.
        """
        self._settings = settings
        directory = settings.directory
        directory.mkdir(parents=True, exist_ok=True)
        haproxy = find_haproxy()
        self._worker = Worker(haproxy, directory)
        (directory / "haproxy.cfg").write_text(initial_config(settings), encoding="utf-8")
        self._log = RequestLog(settings.request_log) if settings.request_log else None
        self._worker.start()
        try:
            self._engine = Engine(directory, self._worker, haproxy, settings.api, reload_delay=settings.reload_delay)
            self._busy = _Busy()
            app = build_app(self._engine, settings, self._log)
            self._http = _listen(settings, self._busy.counting(app))
        except BaseException:
            self._worker.stop()
            raise

    @property
    def url(self) -> str:
        """Base URL, `/v3` included."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"http://{host}:{self._http.server_port}/v3"

    @property
    def haproxy_pid(self) -> int:
        """Process id of HAProxy's master."""
        return self._worker.pid

    def serve(self) -> None:
        """Answer requests until `shutdown` is called from another thread."""
        self._engine.start()
        self._http.serve_forever(poll_interval=0.05)

    def shutdown(self) -> None:
        """Let `serve` return; requests under way are still answered by `close`."""
        self._http.shutdown()

    def close(self) -> None:
        """Wait for requests under way, then stop everything."""
        self._busy.wait(_DRAIN_SECONDS)
        self._http.server_close()
        self._engine.close()
        self._worker.stop()
        if self._log is not None:
            self._log.close()


def build_app(engine: Engine, settings: LabSettings, log: RequestLog | None) -> Flask:
    """The WSGI application."""
    app = Flask("haoam-sync lab", static_folder=None)
    app.url_map.strict_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    install(app, engine, settings.login, log)
    for kind in SectionKind:
        Sections(engine, kind).install(app)
    install_parts(app, engine)
    ConfigurationRoutes(engine).install(app)
    RuntimeRoutes(engine).install(app)
    for store in STORES:
        StorageRoutes(engine, store).install(app)

    @app.get("/v3/info")
    def info() -> Response:
        return json_answer(_info(settings.api))

    @app.get("/v3/health")
    def health() -> Response:
        return json_answer({"haproxy": "unknown"})

    return app


def _info(api: ApiVersion) -> dict[str, Any]:
    return {"api": {"build_date": "2026-01-01T00:00:00.000Z", "version": _BUILDS[str(api)]}, "system": {}}


class _Busy:
    """Counts requests under way, until the last byte of the answer is sent."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def counting(self, app: Flask) -> Flask:
        """`app`, with its requests counted."""
        inner = app.wsgi_app

        def counted(environ: Any, start_response: Any) -> Any:
            with self._changed:
                self._count += 1
            try:
                return ClosingIterator(inner(environ, start_response), self._done)
            except BaseException:
                self._done()
                raise

        app.wsgi_app = counted  # type: ignore[method-assign]
        return app

    def _done(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Until there is none, or so long."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._count and (remaining := deadline - time.monotonic()) > 0:
                self._changed.wait(remaining)


class _Handler(WSGIRequestHandler):
    """Keeps connections open, sends at once, and prints nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "haoam-sync-lab"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's own signature
        """Say nothing: the request log says what is asked for."""


def _listen(settings: LabSettings, app: Flask) -> BaseWSGIServer:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        return make_server(settings.host, settings.port, app, threaded=True, request_handler=_Handler)
    except (OSError, SystemExit) as error:
        raise UsageError(
            f"cannot listen on {settings.host}:{settings.port}",
            code="E_PORT_TAKEN",
            hint="another program listens there; port 0 picks a free one",
        ) from error
