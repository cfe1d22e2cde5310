"""Lines that HAProxy obeys and the Data Plane API does not show: what somebody wrote into the file by hand.

A line that no field holds (`errorloc`, a bare `redirect`), or one that the API shows as another (`tcp-request session
reject`, shown as `accept`), is no difference between objects. The file has it.
"""

from __future__ import annotations

from collections.abc import Mapping

from haoam_sync.haproxycfg.faithful import unshown
from haoam_sync.haproxycfg.file import ConfigFile
from haoam_sync.haproxycfg.normal import with_explicit_defaults
from haoam_sync.haproxycfg.section import CodecError
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionId, SectionKind


class FileLines:
    """The lines of a haproxy.cfg, section by section; read when they are first asked for.

    Args:
        text: of the file.
        api: version of the server in front of it.
    """

    def __init__(self, text: str, api: ApiVersion) -> None:
        self._text = text
        self._api = api
        self._sections: Mapping[SectionId, str] | None = None

    def unshown(self, identity: SectionId, body: JsonObject) -> tuple[str, ...]:
        """The lines of a section that its object does not hold.

        Args:
            identity: of the section.
            body: as the API shows it, without metadata.
        """
        if self._sections is None:
            self._sections = _sections(self._text)
        text = self._sections.get(identity)
        return () if text is None else unshown(identity.kind, text, body, self._api)


def _sections(text: str) -> Mapping[SectionId, str]:
    """Each section's own lines; of several with one name none: what is wrong with those is said elsewhere."""
    try:
        sections = list(ConfigFile.parse(text))
        if any(section.kind is SectionKind.DEFAULTS and not section.name for section in sections):
            sections = list(ConfigFile.parse(with_explicit_defaults(text)))
    except CodecError:
        return {}  # an instance's snapshot was made of this text: where it is no haproxy.cfg, that has been said
    found: dict[SectionId, list[str]] = {}
    for section in sections:
        if section.id is not None:
            found.setdefault(section.id, []).append(section.text)
    return {identity: texts[0] for identity, texts in found.items() if len(texts) == 1}
