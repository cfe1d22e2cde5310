"""`lab serve`: one instance as a process of its own, from readiness to SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from types import FrameType
from typing import Protocol

from haoam_sync.lab.real import RealServer, find_dataplaneapi
from haoam_sync.lab.server import LabServer
from haoam_sync.lab.settings import LabSettings

BANNER = "haoam-sync lab: a lab, not a production server"


class Servable(Protocol):
    """The lab's own server, or a real one."""

    @property
    def url(self) -> str:
        """Base URL, `/v3` included."""

    def serve(self) -> None:
        """Answer until `shutdown`."""

    def shutdown(self) -> None:
        """Let `serve` return."""

    def close(self) -> None:
        """Stop everything."""


def serve(settings: LabSettings) -> None:
    """Serve one instance until SIGTERM or SIGINT; one JSON line on stdout says when it is ready.

    Raises:
        UsageError: it cannot be started.
    """
    sys.stderr.write(f"{BANNER}\n")
    sys.stderr.flush()
    stop = threading.Event()

    def stopped(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopped)
    dataplaneapi = find_dataplaneapi()
    server: Servable = LabServer(settings) if dataplaneapi is None else RealServer(settings, dataplaneapi)
    thread = threading.Thread(target=server.serve, name="http")
    thread.start()
    ready = {"url": server.url, "dir": str(settings.directory), "pid": os.getpid()}
    sys.stdout.write(f"{json.dumps(ready)}\n")
    sys.stdout.flush()
    try:
        while not stop.is_set() and thread.is_alive():
            stop.wait(0.5)
    finally:
        server.shutdown()
        thread.join()
        server.close()
