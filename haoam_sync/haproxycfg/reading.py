"""All sections of a file as JSON, as the Data Plane API would read them back, part by part."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from haoam_sync.haproxycfg.file import ConfigFile
from haoam_sync.haproxycfg.normal import normal_form
from haoam_sync.haproxycfg.section import parse
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import MANAGED_KINDS, SectionId, SectionKind


def sections_in(
    text: str, api: ApiVersion, kinds: Collection[SectionKind] = MANAGED_KINDS
) -> Mapping[SectionId, JsonObject]:
    """The sections of `kinds` in `text`, unnamed ones under the names that the server gives them.

    Raises:
        CodecError: `text` is no haproxy.cfg.
    """
    return {
        section.id: parse(section.text, api, complete=True).body
        for section in ConfigFile.parse(normal_form(text, api))
        if section.id is not None and section.id.kind in kinds
    }
