"""Whether the configuration read back is the one the plan wanted."""

from __future__ import annotations

from collections.abc import Iterator

from haoam_sync.apply.bodies import comparable
from haoam_sync.haproxycfg import FileLines
from haoam_sync.model.bodies import without_metadata
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Mark
from haoam_sync.model.plan import Action, Change, InstancePlan
from haoam_sync.model.stored import StoredFiles, in_directories, text_in_directories


def differences(plan: InstancePlan, live: Live) -> tuple[str, ...]:
    """What `live` says otherwise than `plan` wanted; empty when it converged."""
    return tuple(_differences(plan, live))


def _differences(plan: InstancePlan, live: Live) -> Iterator[str]:
    if live.phantom:
        yield f"the API shows version {live.version}, the file holds version {live.file_version}"
    lines = FileLines(live.text, live.api)
    for change in plan.changes:
        yield from _section(change, live, lines)
    for certificate in plan.certificates:
        if certificate.action is Action.CREATE and certificate.name not in live.certificates:
            yield f"certificate {certificate.name} is not there"
    yield from _files(plan, live)


def _section(change: Change, live: Live, lines: FileLines) -> Iterator[str]:
    found = live.sections.get(change.section)
    if change.body is None:
        if found is not None:
            yield f"{change.section} is still there"
        return
    if found is None:
        yield f"{change.section} is not there"
        return
    kind = change.section.kind
    wanted, there = in_directories(change.body, live.directories), without_metadata(found.body)
    # What is equal as it stands is equal in canonical form, which takes a hundred times as long to find out.
    same = without_metadata(wanted) == there
    if not same and comparable(kind, wanted, live.api) != comparable(kind, found.body, live.api):
        yield f"{change.section} is not what was written"
    if lines.unshown(change.section, there):
        yield f"{change.section} holds lines that the API does not show"
    match wanted.get("metadata"):
        case {"haoam": mark} if found.mark != Mark.parse(mark):
            yield f"{change.section} does not carry our mark"


def _files(plan: InstancePlan, live: Live) -> Iterator[str]:
    for upload in plan.files:
        if upload.action is Action.DELETE or upload.content is None:
            continue
        stored = live.files.get(upload.store, StoredFiles())
        written = text_in_directories(upload.content.decode(), live.directories).encode()
        if upload.name not in stored.names:
            yield f"{upload} is not there"
        elif stored.contents.get(upload.name, written) != written:
            yield f"{upload} does not hold what was written"
