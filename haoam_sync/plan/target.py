"""What the server will read back once a declared section is written (rules P2 and P3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from haoam_sync import haproxycfg
from haoam_sync.model.bodies import without_metadata
from haoam_sync.model.desired import DesiredInstance, DesiredSection
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.live import Live
from haoam_sync.model.stored import HASH_DIGITS, UNRESOLVED, in_directories, text_in_directories
from haoam_sync.plan.bodies import Path, take

Unresolved = Mapping[str, str]
"""For each path that stands for a file of unknown content: a pattern of those that it may mean."""
_HEX = f"[0-9a-f]{{{HASH_DIGITS}}}"


def unresolved_paths(wanted: DesiredInstance, live: Live) -> Unresolved:
    """The files of an instance whose contents were not resolved, by their paths on the instance.

    Only what `wanted` itself holds counts: a path that somebody wrote into git means nothing but itself.
    """
    found = {}
    unknown = [one.path for one in wanted.certificates.values() if one.content is None]
    unknown += [one.path for one in wanted.files.values() if one.content is None]
    for placed in unknown:
        path = text_in_directories(placed, live.directories)
        before, _, after = path.rpartition(f"-{UNRESOLVED}")
        found[path] = f"{re.escape(before)}-{_HEX}{re.escape(after)}"
    return found


def target_of(section: DesiredSection, now: JsonObject | None, live: Live, unresolved: Unresolved) -> JsonObject:
    """P2 and P3: what the server will read back once `section` is written.

    Args:
        section: as declared.
        now: the section as it is, without metadata; None when it is not there.
        live: the instance.
        unresolved: files whose contents are not known.
    """
    body: JsonObject = section.body
    if body == now:
        return now  # what was read back reads back as itself: most sections of most plans
    body = in_directories(body, live.directories)
    if body is section.body:
        canonical = without_metadata(haproxycfg.canonical_of(section, live.api))
    else:
        canonical = without_metadata(haproxycfg.canonical(section.id.kind, body, live.api))
    if now is None or canonical == now:
        return canonical
    taken: list[Path] = [tuple(pattern.split(".")) for pattern in section.ignore]
    if not section.resolved:
        taken += [use.path for use in section.secrets]
    for path in taken:
        canonical = take(dict(canonical), now, path)
    return _with_live_names(canonical, now, unresolved) if unresolved else canonical


def _with_live_names(target: JsonObject, there: JsonObject, unresolved: Unresolved) -> JsonObject:
    """Where a file's content was not resolved, its content-addressed name is not known: keep the live one."""

    def keep(wanted: Json, current: Json) -> Json:
        if isinstance(wanted, Mapping) and isinstance(current, Mapping):
            return {key: keep(value, current.get(key)) for key, value in wanted.items()}
        if isinstance(wanted, Sequence) and not isinstance(wanted, str):
            if not isinstance(current, Sequence) or isinstance(current, str) or len(current) != len(wanted):
                return wanted
            return [keep(a, b) for a, b in zip(wanted, current, strict=True)]
        if isinstance(wanted, str) and isinstance(current, str) and wanted != current:
            pattern = re.escape(wanted)
            for path, names in unresolved.items():
                pattern = pattern.replace(re.escape(path), names)
            return current if re.fullmatch(pattern, current) else wanted
        return wanted

    return {key: keep(value, there.get(key)) for key, value in target.items()}
