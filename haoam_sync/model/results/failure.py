"""What any command prints that did not do what was asked."""

from __future__ import annotations

from typing import NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from haoam_sync.model.results.history import Judged
from haoam_sync.model.results.shape import SHAPE


@with_config(SHAPE)
class Problem(TypedDict):
    """One thing that is wrong with the desired state."""

    file: str
    line: int
    """From 1; 0 where no line is meant."""
    column: int
    message: str
    hint: str


@with_config(SHAPE)
class Failure(TypedDict):
    """Any command that did not do what was asked."""

    exit: int
    """The exit code, as `haoam-sync --help` lists them."""
    code: str
    """`E_...`, stable."""
    message: str
    where: str
    """File and line, commit, or instance; empty where none is meant."""
    hint: str
    """What would help."""
    problems: NotRequired[list[Problem]]
    """All of them, where the desired state is invalid."""
    steps: NotRequired[list[Judged]]
    """Of `trust verify` and `trust explain`: what was looked at; the refused step is the last."""
