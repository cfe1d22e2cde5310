"""Ctrl-C and SIGTERM during an apply: once, and never in the middle of putting things back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from haoam_sync.model.outcome import Outcome

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """The apply was interrupted, and everything was put back as far as its outcome says.

    Attributes:
        outcome: what became of each instance.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("the apply was interrupted")
        self.outcome = outcome


class Interrupts:
    """While it is entered, the first SIGINT or SIGTERM raises KeyboardInterrupt, and later ones are ignored.

    The first one starts the clean-up; a second one would stop it half-way, with the instance in a state that nobody
    wanted. In threads other than the main one Python delivers no signals, and nothing is changed.
    """

    def __init__(self) -> None:
        self._earlier: dict[signal.Signals, Any] = {}
        self._held = 0
        self._pending = False
        self._raised = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._earlier = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what is inside run to its end, good or bad; a signal that came meanwhile is raised afterwards."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._pending and not self._held and not self._raised:
                self._raised = True
                raise KeyboardInterrupt

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._raised:
            return
        if self._held:
            self._pending = True
            return
        self._raised = True
        raise KeyboardInterrupt
