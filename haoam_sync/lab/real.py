"""A real `dataplaneapi` in front of the lab's HAProxy, where there is one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from haoam_sync.errors import UsageError
from haoam_sync.lab.haproxy import ENVIRONMENT, find_haproxy
from haoam_sync.lab.settings import LabSettings, initial_config
from haoam_sync.lab.worker import MASTER_SOCKET, Worker, die_with_parent

VARIABLE = "HAOAM_DATAPLANEAPI"
ACCESS_LOG = "access.log"
"""In the instance's directory: the server's own words, one line for each request."""
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0


def find_dataplaneapi() -> Path | None:
    """The real server to use: `HAOAM_DATAPLANEAPI`, else `dataplaneapi` on `PATH`; None when there is none.

    Raises:
        UsageError: the variable names no program.
    """
    named = os.environ.get(VARIABLE, "")
    found = shutil.which(named or "dataplaneapi")
    if named and found is None:
        raise UsageError(f"{VARIABLE}={named} is not a program", hint=f"unset {VARIABLE} to use the lab's own server")
    return Path(found) if found else None


class RealServer:
    """HAProxy and a real Data Plane API as two processes."""

    def __init__(self, settings: LabSettings, dataplaneapi: Path) -> None:
        """Start both, and wait until the API answers.

        Raises:
            UsageError: one of them does not start.
        """
        self._settings = settings
        self._stopping = threading.Event()
        self._port = settings.port or _free_port(settings.host)
        directory = settings.directory
        for name in ("ssl", "maps", "general", "transactions", "spoe", "dataplane"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        haproxy = find_haproxy()
        (directory / "haproxy.cfg").write_text(initial_config(settings), encoding="utf-8")
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="dataplaneapi-keeper")
        """Starts the API: it is killed when the thread that started it ends, so that one must outlive it."""
        self._worker = Worker(haproxy, directory)
        self._worker.start()
        try:
            self._process = self._keeper.submit(self._start, dataplaneapi, haproxy).result()
            self._wait()
        except BaseException:
            self._worker.stop()
            self._keeper.shutdown()
            raise

    @property
    def url(self) -> str:
        """Base URL, `/v3` included."""
        return f"http://{self._settings.host}:{self._port}/v3"

    def serve(self) -> None:
        """Wait until the API ends or `shutdown` is called."""
        while self._process.poll() is None and not self._stopping.wait(0.2):
            pass

    def shutdown(self) -> None:
        """Let `serve` return."""
        self._stopping.set()

    def close(self) -> None:
        """Stop both processes."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._worker.stop()
        self._keeper.shutdown()

    def _start(self, dataplaneapi: Path, haproxy: Path) -> subprocess.Popen[bytes]:
        directory = self._settings.directory
        config = directory / "dataplaneapi.yml"
        config.write_text(json.dumps(self._config(haproxy), indent=1), encoding="utf-8")
        with (directory / "dataplaneapi.log").open("wb") as log:
            return subprocess.Popen(
                [str(dataplaneapi), "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - two calls that take no lock
            )

    def _config(self, haproxy: Path) -> dict[str, object]:
        """Its configuration file; JSON is YAML."""
        directory = self._settings.directory
        reload = _reload_command(directory)
        return {
            "config_version": 2,
            "name": "lab",
            "dataplaneapi": {
                "scheme": ["http"],
                "host": self._settings.host,
                "port": self._port,
                "user": [
                    {"name": self._settings.login.user, "password": self._settings.login.password, "insecure": True}
                ],
                "transaction": {"transaction_dir": str(directory / "transactions")},
                "resources": {
                    "maps_dir": str(directory / "maps"),
                    "ssl_certs_dir": str(directory / "ssl"),
                    "general_storage_dir": str(directory / "general"),
                    "spoe_dir": str(directory / "spoe"),
                    "spoe_transaction_dir": str(directory / "spoe"),
                    "dataplane_storage_dir": str(directory / "dataplane"),
                },
            },
            "log_targets": [
                {
                    "log_to": "file",
                    "log_file": str(directory / ACCESS_LOG),
                    "log_level": "info",
                    "log_format": "text",
                    "log_types": ["access"],
                }
            ],
            "haproxy": {
                "config_file": str(directory / "haproxy.cfg"),
                "haproxy_bin": str(haproxy),
                "master_runtime": str(directory / MASTER_SOCKET),
                "reload": {
                    "reload_delay": max(round(self._settings.reload_delay), 1),
                    "reload_cmd": reload,
                    "restart_cmd": reload,
                    "reload_strategy": "custom",
                },
            },
        }

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                try:
                    urllib.request.urlopen(f"{self.url}/health", timeout=1)  # noqa: S310 - loopback, our own process
                except urllib.error.HTTPError:
                    return
                else:
                    return
            time.sleep(0.05)
        if self._process.poll() is None:
            self._process.kill()
        words = (self._settings.directory / "dataplaneapi.log").read_text(errors="replace").strip()
        raise UsageError(f"dataplaneapi does not start: {words[-500:]}", hint="see dataplaneapi.log in the directory")


def _reload_command(directory: Path) -> str:
    """A program that has the master reload, and fails when the master says it did.

    While the master starts itself anew it refuses connections for a moment.
    """
    script = directory / "reload"
    script.write_text(
        f"#!{sys.executable} -IS\n"
        "import socket, sys, time\n"
        "for _ in range(400):\n"
        "    s = socket.socket(socket.AF_UNIX)\n"
        "    try:\n"
        f"        s.connect({str(directory / MASTER_SOCKET)!r})\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.005)\n"
        "s.sendall(b'reload\\n')\n"
        "out = b''.join(iter(lambda: s.recv(65536), b''))\n"
        "sys.stderr.write(out.decode())\n"
        "sys.exit(not out.startswith(b'Success=1'))\n",
        encoding="utf-8",
    )
    script.chmod(0o700)
    return str(script)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
