"""What needs no instance and no trust: is a commit's desired state valid, and what would HAProxy say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from haoam_sync import desired
from haoam_sync.errors import HaoamError, InvalidDesiredError, Problem, UsageError
from haoam_sync.lab.haproxy import find_haproxy
from haoam_sync.model.desired import Desired
from haoam_sync.model.fleet import InstanceId
from haoam_sync.pipeline import judging, opening
from haoam_sync.settings import Settings

_TIP = "HEAD"
_FLEET = "haoam.yaml"
_FOLDERS = ("haproxy", "access")
_MOST_NAMED = 5
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
        unjudged: instances whose text loads Lua, or names a file that may be of this machine: HAProxy was not asked.
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


def validate(settings: Settings, revision: str, note: Callable[[str], None]) -> Validation:
    """Load a commit's desired state, and let a HAProxy judge it where there is one.

    Args:
        settings: the four places.
        revision: names the commit.
        note: is told what somebody who edits the work tree should know, before anything else.

    Raises:
        InvalidDesiredError: every problem of the commit.
        UsageError: there is no such commit.
    """
    with opening.repository_alone(settings) as repository:
        commit = repository.resolve(revision)
        blobs = repository.blobs(commit)
        if revision == _TIP and repository.source.work_tree is not None:
            changed = tuple(_uncommitted(repository.source.work_tree, blobs))
            if changed:
                more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
                note(f"not committed, so not looked at: {', '.join(changed[:_MOST_NAMED])}{more}")
    wanted = desired.load(commit, blobs, None)
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


def _uncommitted(top: Path, blobs: Mapping[str, bytes]) -> Iterator[str]:
    """Files below `top` that are not as `blobs` has them, and documents that it has not. Links are not followed."""
    known = {path: content for path, content in blobs.items() if PurePosixPath(path).suffix != ".md"}
    here = {
        str(file.relative_to(top))
        for place in (top / _FLEET, *(top / folder for folder in _FOLDERS))
        for file in (place, *place.rglob("*.yaml"), *place.rglob("*.yml"))
        if file.is_file()
    }
    for path in sorted({*known, *here}):
        file = top / path
        there = file.read_bytes() if file.is_file() and not file.is_symlink() else None
        if there != known.get(path):
            yield path


def _load(settings: Settings, revision: str) -> Desired:
    with opening.repository_alone(settings) as repository:
        commit = repository.resolve(revision)
        return desired.load(commit, repository.blobs(commit), None)
