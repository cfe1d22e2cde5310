"""Which processes of a lab run, told by the directory in their command lines (Linux)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

_SECONDS = 10.0


def processes(directory: Path) -> list[int]:
    """Processes that were started with something in `directory`, HAProxy's masters and workers among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"{directory}/".encode() in command:
                found.append(int(entry.name))
    return found


def none_left(directory: Path) -> bool:
    """Whether all of them end by themselves, within some seconds; those that do not are killed here."""
    deadline = time.monotonic() + _SECONDS
    while processes(directory) and time.monotonic() < deadline:
        time.sleep(0.02)
    left = processes(directory)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not left
