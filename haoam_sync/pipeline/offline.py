"""What needs no instance and no trust: is a commit's desired state valid, and what would HAProxy say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from haoam_sync import desired
from haoam_sync.errors import HaoamError, InvalidDesiredError, Problem, UsageError
from haoam_sync.lab.haproxy import find_haproxy
from haoam_sync.model.desired import Desired
from haoam_sync.model.fleet import InstanceId
from haoam_sync.pipeline import judging, opening
from haoam_sync.settings import Settings

_LOOK = "`haoam-sync render CLUSTER/INSTANCE` prints the text that it judged"


@dataclass(frozen=True, slots=True)
class Validation:
    """What was found valid.

    Attributes:
        commit: its id.
        instances: every instance of the fleet.
        sections: how many sections they have in total.
        haproxy: path of the HAProxy that judged the rendered text, "" when none was found.
        refused: for each instance whose text HAProxy refuses, its words.
        unjudged: instances whose text loads Lua: HAProxy would run it, so it was not asked.
    """

    commit: str
    instances: tuple[InstanceId, ...]
    sections: int
    haproxy: str
    refused: Mapping[InstanceId, str]
    unjudged: tuple[InstanceId, ...] = ()

    def failure(self) -> InvalidDesiredError:
        """What HAProxy refuses, as the failure that it is: one problem for each instance, in HAProxy's words.

        Only for a validation in which something is refused.
        """
        error = InvalidDesiredError(
            tuple(
                Problem("", 0, 0, f"{instance}: HAProxy refuses the rendered configuration: {words}", _LOOK)
                for instance, words in self.refused.items()
            )
        )
        error.where = str(min(self.refused))
        return error


def validate(settings: Settings, revision: str) -> Validation:
    """Load a commit's desired state, and let a HAProxy judge it where there is one.

    Raises:
        InvalidDesiredError: every problem of the commit.
        UsageError: there is no such commit.
    """
    wanted = _load(settings, revision)
    try:
        haproxy: Path | None = find_haproxy()
    except HaoamError:
        haproxy = None
    refused, unjudged = judging.refusals(wanted, haproxy) if haproxy else ({}, ())
    return Validation(
        commit=wanted.commit,
        instances=tuple(sorted(wanted.instances)),
        sections=sum(len(instance.sections) for instance in wanted.instances.values()),
        haproxy=str(haproxy) if haproxy else "",
        refused=refused,
        unjudged=unjudged,
    )


def render(settings: Settings, instance: str, revision: str) -> str:
    """The haproxy.cfg text of the sections that a commit declares for an instance.

    Raises:
        InvalidDesiredError: every problem of the commit.
        UsageError: there is no such commit or instance.
    """
    wanted = _load(settings, revision)
    for identity, content in wanted.instances.items():
        if str(identity) == instance:
            return judging.text_of(content)
    raise UsageError(
        f"the commit has no instance {instance!r}",
        hint=f"its instances are {', '.join(str(identity) for identity in sorted(wanted.instances))}",
    )


def _load(settings: Settings, revision: str) -> Desired:
    with opening.repository_alone(settings) as repository:
        commit = repository.resolve(revision)
        return desired.load(commit, repository.blobs(commit), None)
