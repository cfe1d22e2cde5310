"""What a file is read to, and how much it may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Collection: TypeAlias = "list[Value] | dict[str, Value]"
Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
"""What a document is made of."""
Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the document's root down to a value."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one file may hold, so that a hostile one costs less than a second and 100 MB.

    Attributes:
        size: bytes.
        depth: collections inside each other.
        nodes: scalars and collections in the whole file.
    """

    size: int = 1 << 20
    depth: int = 32
    nodes: int = 100_000


DEFAULT_BOUNDS = Bounds()
