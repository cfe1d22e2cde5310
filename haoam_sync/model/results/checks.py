"""What `validate` and `doctor` print."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from haoam_sync.model.results.shape import SHAPE


@with_config(SHAPE)
class ValidResult(TypedDict):
    """`validate`, where nothing is wrong."""

    commit: str
    sections: int
    instances: list[str]
    haproxy: str | None
    """Which HAProxy judged the rendered configurations; null for none."""
    unjudged: list[str]
    """Instances whose configuration no HAProxy was asked about."""


@with_config(SHAPE)
class Finding(TypedDict):
    """One thing that `doctor` found."""

    level: str
    """`fault`, `warning` or `note`."""
    code: str
    where: str
    what: str
    why: str
    hint: str
    exit: int
    """The exit code that a run would end with for it; 0 for none."""


@with_config(SHAPE)
class DoctorResult(TypedDict):
    """`doctor`."""

    exit: int
    findings: list[Finding]
