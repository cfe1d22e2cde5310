"""Versions of the Data Plane API that this tool knows."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\D.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class ApiVersion:
    """Major and minor version of a Data Plane API, for example 3.2."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> ApiVersion:
        """Read `3.2`, `v3.2.15`, `v3.4.2 1a2b3c`.

        Raises:
            ValueError: `text` does not begin with a version.
        """
        found = _VERSION.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"not a version: {text!r}")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


OLDEST = ApiVersion(3, 2)
"""Older servers were not measured; they are refused."""
NEWEST = ApiVersion(3, 4)
"""Newer servers were not measured; they get a warning."""
