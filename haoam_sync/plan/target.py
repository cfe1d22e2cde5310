"""What the server will read back once a declared section is written (rules P2 and P3)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from haoam_sync import haproxycfg
from haoam_sync.model.bodies import without_metadata
from haoam_sync.model.desired import CERTIFICATE_DIR, DesiredSection
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.plan.bodies import mapped, take


def target_of(section: DesiredSection, there: LiveSection | None, live: Live) -> dict[str, Json]:
    """P2 and P3: what the server will read back once `section` is written."""
    body: JsonObject = section.body
    if live.certificate_dir is not None:
        body = mapped(body, lambda text: _in_directory(text, live.certificate_dir or ""))
    canonical = without_metadata(haproxycfg.canonical(section.id.kind, body, live.api))
    if there is None:
        return canonical
    taken = list(section.ignore)
    if not section.resolved:
        taken += [".".join(str(step) for step in use.path) for use in section.secrets]
    for pattern in taken:
        canonical = take(canonical, without_metadata(there.body), tuple(pattern.split(".")))
    return _unresolved_certificates(canonical, without_metadata(there.body))


def _unresolved_certificates(target: dict[str, Json], there: JsonObject) -> dict[str, Json]:
    """Where a certificate's content was not resolved, its content-addressed name is not known: keep the live one."""
    if "binds" not in target and "servers" not in target:
        return target

    def keep(wanted: Json, current: Json) -> Json:
        if isinstance(wanted, Mapping) and isinstance(current, Mapping):
            return {key: keep(value, current.get(key)) for key, value in wanted.items()}
        if isinstance(wanted, str) and isinstance(current, str) and wanted.endswith("-unresolved.pem"):
            name = re.escape(wanted.rsplit("/", 1)[-1].removesuffix("-unresolved.pem"))
            if re.fullmatch(rf"(?:.*/)?{name}-[0-9a-f]{{32}}\.pem", current):
                return current
        return wanted

    return {key: keep(value, there.get(key)) for key, value in target.items()}


def _in_directory(text: str, directory: str) -> str:
    return directory + text.removeprefix(CERTIFICATE_DIR) if text.startswith(CERTIFICATE_DIR) else text
