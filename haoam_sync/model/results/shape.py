"""How strict the types of results are: what is printed has these members, and no other."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict

SHAPE: Final = ConfigDict(extra="forbid", use_attribute_docstrings=True, strict=True)
