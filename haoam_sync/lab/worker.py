"""A real HAProxy in master-worker mode: started, reloaded, asked, stopped.

Everything is said over the master's own socket (HAProxy management guide, "Master CLI"): `reload` to the master, `@1
...` to the worker that runs now. So a configuration without a stats socket can still be asked.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from haoam_sync.errors import UsageError
from haoam_sync.lab.haproxy import ENVIRONMENT

MASTER_SOCKET = "master.sock"
LOG = "haproxy.log"
_LONGEST_SOCKET_PATH = 107
_TEMPORARY_SUFFIX = len(".1234567.tmp")
"""HAProxy binds a socket under PATH.PID.tmp first, so that is the path that must fit."""
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
_KEEPER = "haproxy-keeper"


class WorkerUnreachableError(Exception):
    """The master or the worker gives no answer."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """How a reload went, with HAProxy's own words."""

    ok: bool
    words: str


class Worker:
    """One HAProxy: its master process and the worker under it."""

    def __init__(self, haproxy: Path, directory: Path) -> None:
        self._haproxy = haproxy
        self._socket = directory / MASTER_SOCKET
        self._config = directory / "haproxy.cfg"
        self._log = directory / LOG
        self._process: subprocess.Popen[bytes] | None = None
        self._reloading = threading.Lock()
        self._reviving = threading.Lock()
        self._stopped = False
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix=_KEEPER)
        """Starts HAProxy: it is killed when the thread that started it ends, so that one must outlive it."""
        refuse_long_socket_path(self._socket)

    @property
    def master_socket(self) -> Path:
        """Path of the master's socket."""
        return self._socket

    @property
    def pid(self) -> int:
        """The master's process id; 0 before it is started."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the master and wait until its worker answers.

        Raises:
            UsageError: HAProxy ends at once (its words are the message), or does not answer.
        """
        self._keeper.submit(self._start).result()

    def _start(self) -> None:
        self._socket.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._haproxy), "-W", "-db", "-S", f"{self._socket},mode,600", "-f", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - two calls that take no lock
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                words = self._log.read_text(errors="replace").strip()
                raise UsageError(f"HAProxy does not start: {words}", code="E_NO_HAPROXY", where=str(self._config))
            with contextlib.suppress(WorkerUnreachableError):
                if "Pid: " in self.ask("show info", seconds=1.0):
                    return
            time.sleep(0.01)
        self._end()
        raise UsageError(
            f"HAProxy gives no answer on its master socket within {_START_SECONDS:.0f} s",
            code="E_NO_HAPROXY",
            where=str(self._socket),
            hint=f"see {self._log}",
        )

    def stop(self) -> None:
        """Stop master and worker; no error when they are gone already. It cannot be started again."""
        self._stopped = True
        self._end()
        self._keeper.shutdown()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def reload(self) -> Reloaded:
        """Let the master load its file again, and wait for the outcome.

        HAProxy 2.7 and newer answers with `Success=1` or `Success=0` and what it has to say. When it fails, the old
        worker goes on.
        """
        with self._reloading:
            try:
                if self._revived():
                    return Reloaded(ok=True, words="the master had ended and was started again")
                answer = self._talk("reload\n", half_close=False, seconds=_ANSWER_SECONDS)
            except WorkerUnreachableError as error:
                return Reloaded(ok=False, words=str(error))
        first, _, rest = answer.partition("\n")
        return Reloaded(ok=first.strip() == "Success=1", words=rest.removeprefix("--\n").strip() or first)

    def ask(self, command: str, *, seconds: float = _ANSWER_SECONDS) -> str:
        """Send one command (payload included) to the worker that runs now.

        Raises:
            WorkerUnreachableError: no answer.
        """
        self._revived()
        return self._talk(f"@1 {command}\n", half_close=True, seconds=seconds)

    def ask_master(self, command: str) -> str:
        """Send one command to the master itself.

        Raises:
            WorkerUnreachableError: no answer.
        """
        return self._talk(f"{command}\n", half_close=True, seconds=_ANSWER_SECONDS)

    def _revived(self) -> bool:
        """Start HAProxy again when it has ended by itself, as a service manager would.

        The master of 2.8 loses a few file descriptors at each reload of a `ring` or `log-forward`, and ends when it has
        none left.

        Raises:
            WorkerUnreachableError: it does not start.
        """
        if _is_keeper():
            return False
        with self._reviving:
            process = self._process
            if self._stopped or process is None or process.poll() is None:
                return False
            try:
                self.start()
            except UsageError as error:
                raise WorkerUnreachableError(str(error)) from error
            return True

    def _talk(self, line: str, *, half_close: bool, seconds: float) -> str:
        """One conversation on the master socket.

        2.8 answers commands other than `reload` only once the client has shut its writing half, while a reload needs it
        open (FACTS.md). While the master starts itself anew it refuses connections for a moment: that is waited for.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                    connection.settimeout(seconds)
                    connection.connect(str(self._socket))
                    connection.sendall(line.encode())
                    if half_close:
                        connection.shutdown(socket.SHUT_WR)
                    return _read_all(connection)
            except (ConnectionRefusedError, ConnectionResetError, FileNotFoundError, BrokenPipeError) as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise WorkerUnreachableError(f"{self._socket}: {error}") from error
                time.sleep(0.005)
            except OSError as error:
                raise WorkerUnreachableError(f"{self._socket}: {error}") from error


def _is_keeper() -> bool:
    """Whether this thread is waiting for a HAProxy that it has just started."""
    return threading.current_thread().name.startswith(_KEEPER)


def refuse_long_socket_path(path: Path) -> None:
    """Unix socket paths are short.

    Raises:
        UsageError: HAProxy could not bind `path`.
    """
    longest = _LONGEST_SOCKET_PATH - _TEMPORARY_SUFFIX
    length = len(str(path).encode())
    if length > longest:
        raise UsageError(
            f"the path of a socket may have {longest} bytes, this one has {length}",
            code="E_USAGE",
            where=str(path),
            hint="give --dir a shorter directory",
        )


def _read_all(connection: socket.socket) -> str:
    """What the other side says until it closes."""
    parts: list[bytes] = []
    while data := connection.recv(1 << 16):
        parts.append(data)
    return b"".join(parts).decode(errors="replace")


def die_with_parent() -> None:
    """In the child: get SIGTERM when the parent dies, however it dies (Linux), and SIGINT from nobody's terminal.

    Its own session keeps a Ctrl-C for the lab from reaching HAProxy before the lab has stopped it in order.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
