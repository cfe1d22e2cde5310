"""Whose the marks on the instances are, and what they say of the commit that is to be applied.

A mark proves nothing alone: whoever may write to an instance may write a mark. So what it names is looked up. Two
things can be wrong with a mark of our own repository:

- its commit is not in the history of the commit to be applied: that one is older than what the instance carries, or the
  history was exchanged for another one. Nothing may be written then (E_STATE_ROLLBACK);
- its commit is there, and does not declare that section in that file with that digest: the mark was copied or made up.
  The section is not ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from haoam_sync.errors import InvalidDesiredError, NotTrustedError
from haoam_sync.model.desired import Desired, DesiredInstance
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Mark, Owner
from haoam_sync.model.section import SectionId
from haoam_sync.pipeline.opening import Opened

_MOST_LOADED = 32
"""So many commits are read to prove marks, those first that most marks name; marks of others prove nothing."""

_Instances = Mapping[InstanceId, DesiredInstance]


@dataclass(frozen=True, slots=True)
class _Marked:
    """A section with a mark of our repository."""

    instance: InstanceId
    section: SectionId
    mark: Mark


def owner(
    here: Opened,
    commit: str,
    trusted: str,
    wanted: _Instances,
    snapshots: Mapping[InstanceId, Live],
    before: _Instances,
) -> Owner:
    """For whom a plan of `commit` is made, with the marks of `snapshots` that are proven.

    Args:
        here: the places.
        commit: what is planned for.
        trusted: the commit in whose history the marks must be: `commit` itself, or what a proposed one builds on.
        wanted: what `commit` wants.
        snapshots: the instances as they are.
        before: what was applied to them last; sections that it declares need no proof.
    """
    marked = _marked(here.root.introduction, snapshots)
    needing = [
        one for one in marked if (known := before.get(one.instance)) is None or one.section not in known.sections
    ]
    outside = here.outside(trusted, {one.mark.commit for one in needing})
    needing = [one for one in needing if one.mark.commit not in outside]
    return Owner(here.root.introduction, commit, frozenset(_proven(here, wanted, needing)))


def require_newest(here: Opened, trusted: str, snapshots: Mapping[InstanceId, Live]) -> None:
    """Refuse a commit that is older than what an instance carries.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK.
    """
    marked = _marked(here.root.introduction, snapshots)
    outside = here.outside(trusted, {one.mark.commit for one in marked})
    newer = [one for one in marked if one.mark.commit in outside]
    if newer:
        first = newer[0]
        raise NotTrustedError(
            f"{first.instance}: {first.section} carries the mark of commit {first.mark.commit[:40]!r}, and {trusted} "
            f"does not contain it ({len(newer)} such marks)",
            code="E_STATE_ROLLBACK",
            where=trusted,
            hint="history only goes forward: fetch the newest commits. If nobody of yours made that commit, somebody "
            "put the mark there: take the haoam comment off that section, and find out who may write to the instance",
        )


def _marked(repository: str, snapshots: Mapping[InstanceId, Live]) -> list[_Marked]:
    return [
        _Marked(identity, section.id, section.mark)
        for identity, snapshot in sorted(snapshots.items())
        for section in snapshot.sections.values()
        if section.mark is not None and section.mark.repository == repository
    ]


def _proven(here: Opened, wanted: _Instances, marked: list[_Marked]) -> set[tuple[SectionId, Mark]]:
    """The marks that a commit made: the one planned for, as far as it says the same, else the one that they name."""
    proven = {(one.section, one.mark) for one in marked if _declares(wanted.get(one.instance), one)}
    left = [one for one in marked if (one.section, one.mark) not in proven]
    for commit, _ in Counter(one.mark.commit for one in left).most_common(_MOST_LOADED):
        instances = _loaded(here, commit)
        for one in left:
            if one.mark.commit == commit and any(_declares(found, one) for found in instances):
                proven.add((one.section, one.mark))
    return proven


def _loaded(here: Opened, commit: str) -> tuple[DesiredInstance, ...]:
    """What a commit wanted of every instance that it had; one may have been renamed since."""
    try:
        found: Desired = here.unresolved(commit)
    except InvalidDesiredError:
        return ()  # a commit that this version can not read any more proves nothing
    return tuple(found.instances.values())


def _declares(instance: DesiredInstance | None, one: _Marked) -> bool:
    section = instance.sections.get(one.section) if instance is not None else None
    return section is not None and (section.position.file, section.digest) == (one.mark.file, one.mark.digest)
