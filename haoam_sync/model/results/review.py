"""What `review` prints."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import with_config
from typing_extensions import TypedDict

from haoam_sync.model.results.history import MatchedRule
from haoam_sync.model.results.plans import PlanResult
from haoam_sync.model.results.shape import SHAPE


@with_config(SHAPE)
class ChangedFile(TypedDict):
    """A file that a proposed change touches."""

    path: str
    action: str
    diff: str


@with_config(SHAPE)
class ReviewResult(TypedDict):
    """`review`."""

    commit: str
    base: str
    change_digest: str
    change: Mapping[str, object]
    """The change that the digest is of: docs/formats.md."""
    files: list[ChangedFile]
    rules: list[MatchedRule]
    """What the change must meet; a file counts as the documents that name it, too."""
    plan: PlanResult | None
    """Null with `--offline`."""
    statement: Mapping[str, object]
    """What was signed: docs/formats.md."""
