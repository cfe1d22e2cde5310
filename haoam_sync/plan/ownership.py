"""Whose a section is (rule P1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from haoam_sync.errors import NotAuthorizedError
from haoam_sync.model.desired import DesiredInstance, DesiredSection
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.mark import Owner

_NAMED = 5
"""So many sections are named in one message."""


def is_ours(there: LiveSection, before: DesiredSection | None, owner: Owner) -> bool:
    """Whether a section that is there is ours.

    Args:
        there: the section.
        before: what the commit applied last declares of it, if it does.
        owner: for whom the plan is made.
    """
    if owner.stranger(there.mark):
        return False
    return before is not None or owner.owns(there.id, there.mark)


def refuse_strangers(wanted: DesiredInstance, live: Live, owner: Owner) -> None:
    """Refuse to declare what another repository owns: two owners would undo each other's changes for ever.

    Raises:
        NotAuthorizedError: E_OWNER.
    """
    taken = [
        (identity, there.mark.repository)
        for identity, there in live.sections.items()
        if identity in wanted.sections and there.mark is not None and owner.stranger(there.mark)
    ]
    if not taken:
        return
    named = ", ".join(f"{identity} ({repository[:12]!r})" for identity, repository in taken[:_NAMED])
    more = f" and {len(taken) - _NAMED} more" if len(taken) > _NAMED else ""
    raise NotAuthorizedError(
        f"another repository owns {named}{more}",
        code="E_OWNER",
        where=str(live.id),
        hint="a section has one owner: take the document out of this repository, or end the other one's ownership (the"
        " haoam comment on the section's line) and then declare it here",
    )


def warnings(wanted: DesiredInstance, live: Live, applied: DesiredInstance | None, owner: Owner) -> Iterator[str]:
    """What stands in the way of deleting sections that carry a mark and that git does not declare."""
    strangers: Counter[str] = Counter()
    for identity, there in live.sections.items():
        mark = there.mark
        before = applied.sections.get(identity) if applied else None
        if mark is None or identity in wanted.sections or is_ours(there, before, owner):
            continue
        if owner.stranger(mark):
            strangers[mark.repository] += 1
        elif mark.repository:
            yield (
                f"{identity} carries a mark of ours that no commit made ({mark.file!r} of {mark.commit[:12]!r}): left "
                "alone; declare the section to adopt it, or take the mark off"
            )
        else:
            yield (
                f"{identity} carries a mark of an earlier version, and nothing here says that it is ours: left alone; "
                "declare the section to adopt it, or take the mark off"
            )
    for repository, count in sorted(strangers.items()):
        yield f"another repository ({repository[:12]!r}) owns {count} sections here: left alone"
