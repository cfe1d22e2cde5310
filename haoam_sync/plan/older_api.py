"""What the instance's own API version does not have, refuses or loses. Git is checked against the newest version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from haoam_sync import haproxycfg
from haoam_sync.errors import InvalidDesiredError, Problem
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.bodies import without_metadata
from haoam_sync.model.desired import DesiredInstance, DesiredSection
from haoam_sync.model.live import Live
from haoam_sync.model.sections import fields_missing_in


def refuse(wanted: DesiredInstance, live: Live) -> None:
    """Refuse, by name, what an older server would drop, turn into something else or answer with an error.

    Raises:
        InvalidDesiredError: with all of it.
    """
    new = [section for section in wanted.sections.values() if not _read_back(section, live)]
    problems = [*_missing(new, live)]
    if not problems and live.api < NEWEST:
        problems = [*_lost(new, live)]
    if problems:
        raise InvalidDesiredError(tuple(problems))


def _read_back(section: DesiredSection, live: Live) -> bool:
    """What was read back as it is declared needs no look: the instance has all of it."""
    there = live.sections.get(section.id)
    return there is not None and without_metadata(there.body) == section.body


def _missing(sections: Iterable[DesiredSection], live: Live) -> Iterator[Problem]:
    for section in sections:
        for path in fields_missing_in(section.id.kind, section.body, live.api):
            yield _problem(
                section,
                f"the field {path} does not exist in Data Plane API {live.api}, which {live.id} runs",
                "take the field out for this cluster, or move the instance to a newer API",
            )


def _lost(sections: Iterable[DesiredSection], live: Live) -> Iterator[Problem]:
    for section in sections:
        kind = section.id.kind
        for refusal in haproxycfg.refused(kind, section.body, live.api):
            yield _problem(
                section, f"{refusal.path}: Data Plane API {live.api}, which {live.id} runs: {refusal.message}", ""
            )
        secrets = {".".join(str(step) for step in use.path) for use in section.secrets}
        back = haproxycfg.canonical_of(section, live.api)
        for loss in haproxycfg.lost(kind, section.body, live.api, back=back):
            if loss.path not in secrets:
                yield _problem(
                    section,
                    f"{loss.path} would be lost by Data Plane API {live.api}, which {live.id} runs: {loss.reason}",
                    f"write {loss.instead}" if loss.instead else "take it out for this cluster",
                )


def _problem(section: DesiredSection, message: str, hint: str) -> Problem:
    position = section.position
    return Problem(position.file, position.line, position.column, f"{section.id}: {message}", hint)
