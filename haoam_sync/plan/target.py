"""What the server will read back once a declared section is written (rules P2 and P3)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from haoam_sync import haproxycfg
from haoam_sync.model.bodies import without_metadata
from haoam_sync.model.desired import CERTIFICATE_DIR, DesiredSection
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.live import Live
from haoam_sync.plan.bodies import mapped, take

_UNRESOLVED = "-unresolved.pem"


def target_of(section: DesiredSection, now: JsonObject | None, live: Live) -> JsonObject:
    """P2 and P3: what the server will read back once `section` is written.

    Args:
        section: as declared.
        now: the section as it is, without metadata; None when it is not there.
        live: the instance.
    """
    body: JsonObject = section.body
    if body == now:
        return now  # what was read back reads back as itself: most sections of most plans
    if live.certificate_dir is not None:
        body = mapped(body, lambda text: _in_directory(text, live.certificate_dir or ""))
    canonical = without_metadata(haproxycfg.canonical(section.id.kind, body, live.api))
    if now is None or canonical == now:
        return canonical
    taken = list(section.ignore)
    if not section.resolved:
        taken += [".".join(str(step) for step in use.path) for use in section.secrets]
    for pattern in taken:
        canonical = take(dict(canonical), now, tuple(pattern.split(".")))
    return _unresolved_certificates(canonical, now)


def _unresolved_certificates(target: JsonObject, there: JsonObject) -> JsonObject:
    """Where a certificate's content was not resolved, its content-addressed name is not known: keep the live one."""
    if not _holds_unresolved(target):
        return target

    def keep(wanted: Json, current: Json) -> Json:
        if isinstance(wanted, Mapping) and isinstance(current, Mapping):
            return {key: keep(value, current.get(key)) for key, value in wanted.items()}
        if isinstance(wanted, str) and isinstance(current, str) and wanted.endswith(_UNRESOLVED):
            name = re.escape(wanted.rsplit("/", 1)[-1].removesuffix(_UNRESOLVED))
            if re.fullmatch(rf"(?:.*/)?{name}-[0-9a-f]{{32}}\.pem", current):
                return current
        return wanted

    return {key: keep(value, there.get(key)) for key, value in target.items()}


def _holds_unresolved(value: Json) -> bool:
    if isinstance(value, str):
        return value.endswith(_UNRESOLVED)
    if isinstance(value, dict):
        return any(_holds_unresolved(item) for item in value.values())
    return isinstance(value, list) and any(_holds_unresolved(item) for item in value)


def _in_directory(text: str, directory: str) -> str:
    return directory + text.removeprefix(CERTIFICATE_DIR) if text.startswith(CERTIFICATE_DIR) else text
