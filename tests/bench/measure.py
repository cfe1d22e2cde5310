"""One measurement: seconds, our own CPU, requests, peak memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from haoam_sync.dataplane import Client


@dataclass
class Row:
    """A line of the table.

    Attributes:
        backends: size.
        what: the stage.
        seconds: by the clock.
        cpu: seconds of CPU that this process took; the instance's are not in it.
        requests: to the API.
        peak_mb: the most memory that this process held during it.
        note: what to know about it.
    """

    backends: int
    what: str
    seconds: float = 0.0
    cpu: float = 0.0
    requests: int = 0
    peak_mb: float = 0.0
    note: str = ""


class Table:
    """The lines so far.

    Args:
        backends: size of what is measured.
        told: called with each line when it is done.
    """

    def __init__(self, backends: int, told: Callable[[Row], None]) -> None:
        self.rows: list[Row] = []
        self._backends = backends
        self._told = told

    @contextmanager
    def measured(self, what: str, client: Client | None = None) -> Iterator[Row]:
        """Measure what happens inside."""
        row = Row(self._backends, what)
        before = client.requests if client else 0
        _forget_peak()
        cpu, clock = time.process_time(), time.perf_counter()
        yield row
        row.seconds, row.cpu = time.perf_counter() - clock, time.process_time() - cpu
        row.requests += (client.requests - before) if client else 0
        row.peak_mb = _peak_mb()
        self.rows.append(row)
        self._told(row)


def _forget_peak() -> None:
    """Linux only; elsewhere, and where it is not allowed, the peak is that of the process so far."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
