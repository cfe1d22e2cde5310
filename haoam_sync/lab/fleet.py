"""A lab for a whole fleet: one process for each instance, each where the fleet says its API is."""

from __future__ import annotations

import ctypes
import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from haoam_sync.errors import UsageError
from haoam_sync.lab.login import Login
from haoam_sync.lab.settings import KNOWN_VERSIONS, RELOAD_DELAY_SECONDS, login_of_environment, loopback
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.fleet import Fleet, InstanceId

REQUEST_LOG = "requests.jsonl"
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class LabInstance:
    """One instance that runs.

    Attributes:
        id: its name in the fleet.
        url: base URL of its API, `/v3` included.
        directory: where its configuration, sockets and files are.
        pid: the process that serves it.
        request_log: one JSON line for each request.
    """

    id: InstanceId
    url: str
    directory: Path
    pid: int
    request_log: Path


class RunningLab:
    """The instances of a fleet, running until `stop`, or until the `with` block ends."""

    def __init__(self, instances: tuple[LabInstance, ...], processes: tuple[subprocess.Popen[str], ...]) -> None:
        self.instances = instances
        self._processes = processes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def instance(self, identity: InstanceId) -> LabInstance:
        """The running instance of that name.

        Raises:
            KeyError: there is none.
        """
        found = {instance.id: instance for instance in self.instances}
        return found[identity]

    def ended(self) -> bool:
        """Whether one of the processes is gone."""
        return any(process.poll() is not None for process in self._processes)

    def stop(self) -> None:
        """Stop every process and its HAProxy; no error when they are gone already."""
        _stop(self._processes)


def up(
    fleet: Fleet,
    directory: Path,
    *,
    login: Login | None = None,
    api: ApiVersion = KNOWN_VERSIONS[0],
    configs: Mapping[InstanceId, str] | None = None,
    reload_delay: float = RELOAD_DELAY_SECONDS,
) -> RunningLab:
    """Start a lab for every instance of `fleet`, in `directory/CLUSTER-INSTANCE`.

    `configs` gives haproxy.cfg texts to begin with; `login` is by default the environment's.

    Raises:
        UsageError: an instance's URL is not on loopback, or its lab does not start. None is left running.
    """
    user = login or login_of_environment()
    places = {instance.id: _place(str(instance.id), instance.url) for instance in fleet.instances()}
    processes: list[subprocess.Popen[str]] = []
    try:
        for identity, listen in places.items():
            home = home_of(directory, identity)
            home.mkdir(parents=True, exist_ok=True)
            settings = {
                "listen": listen,
                "directory": str(home.absolute()),
                "user": user.user,
                "password": user.password,
                "api": str(api),
                "config": (configs or {}).get(identity, ""),
                "request_log": str((home / REQUEST_LOG).absolute()),
                "reload_delay": reload_delay,
            }
            processes.append(_start(settings, home))
        deadline = time.monotonic() + _READY_SECONDS
        instances = tuple(
            _ready(identity, process, home_of(directory, identity), deadline)
            for identity, process in zip(places, processes, strict=True)
        )
    except BaseException:
        _stop(tuple(processes))
        raise
    return RunningLab(instances, tuple(processes))


def home_of(directory: Path, identity: InstanceId) -> Path:
    """Where an instance of the fleet is kept."""
    return directory / f"{identity.cluster}-{identity.name}"


def _place(who: str, url: str) -> str:
    """`HOST:PORT` of an instance's URL.

    Raises:
        UsageError: it is no URL that the lab can serve.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.port is None or parts.path.rstrip("/") != "/v3":
        raise UsageError(
            f"the lab cannot serve {url}", where=who, hint="it serves http://127.0.0.1:PORT/v3, without TLS"
        )
    host = parts.hostname or ""
    listen = f"[{host}]:{parts.port}" if ":" in host else f"{host}:{parts.port}"
    loopback(listen)
    return listen


def _start(settings: Mapping[str, object], home: Path) -> subprocess.Popen[str]:
    with (home / "lab.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "haoam_sync.lab"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - two calls that take no lock
        )
    if process.stdin is not None:
        process.stdin.write(json.dumps(settings))
        process.stdin.close()
    return process


def _ready(identity: InstanceId, process: subprocess.Popen[str], home: Path, deadline: float) -> LabInstance:
    """Wait for a process's line.

    Raises:
        UsageError: it ends, or says nothing.
    """
    out = process.stdout
    if out is not None:
        readable, _, _ = select.select([out], [], [], max(deadline - time.monotonic(), 0))
        line = out.readline() if readable else ""
        if line:
            said = json.loads(line)
            return LabInstance(identity, said["url"], Path(said["dir"]), said["pid"], home / REQUEST_LOG)
    words = (home / "lab.log").read_text(encoding="utf-8").strip()
    raise UsageError(f"the lab does not start: {words or 'no answer'}", code="E_LAB", where=str(identity))


def _stop(processes: tuple[subprocess.Popen[str], ...]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _die_with_parent() -> None:
    """In the child: SIGTERM when the parent dies (Linux); a Ctrl-C is the parent's to hand on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
