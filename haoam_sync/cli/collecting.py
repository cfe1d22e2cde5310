"""How often Python looks for unreachable cycles while a command runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 20_000
"""So many objects more than were freed bring a collection. With Python's own 700, a quarter of the CPU of an apply of
10,000 backends goes into walking JSON that holds no cycle; with this it is a fiftieth, and the memory is the same."""


@contextmanager
def seldom() -> Iterator[None]:
    """Collect seldom inside, and as before afterwards."""
    before = gc.get_threshold()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
