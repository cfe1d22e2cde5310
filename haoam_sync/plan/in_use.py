"""Files that sections of others name: whoever stored them, nobody takes them away.

A file has one content for ever, so several fleets can use one. What the configuration names the server keeps by itself;
what a crt-list names it does not see.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from haoam_sync.haproxycfg.file import ConfigFile
from haoam_sync.model.live import Live
from haoam_sync.model.section import SectionId
from haoam_sync.model.stored import FileStore, StoredFiles, crt_lists

_IN_LISTS = frozenset({FileStore.CERTIFICATES, FileStore.GENERAL})
"""Where certificates and authorities lie: what a crt-list names."""


class InUse:
    """Who names a file and will go on naming it.

    Args:
        live: the instance.
        ours: sections that git declares, or that are about to be deleted: what they name is known without asking.
    """

    def __init__(self, live: Live, ours: Collection[SectionId]) -> None:
        self._live = live
        self._ours = ours

    def by(self, store: FileStore, name: str) -> str | None:
        """The heading of a section that names the file, itself or by a crt-list; None when there is none."""
        found = next((heading for heading, text in self._others if name in text), None)
        if found is None and store in _IN_LISTS:
            found = next((heading for heading, text in self._others if self._listed(text, name)), None)
        return found

    def _listed(self, text: str, name: str) -> bool:
        """Whether a crt-list that `text` names has the file. One that nobody here can read may have it."""
        if "crt-list" not in text:
            return False
        general = self._live.files.get(FileStore.GENERAL, StoredFiles())
        lists, elsewhere = crt_lists(text, general.directory)
        contents = [general.contents.get(one) for one in lists]
        if name.endswith(".pem") and (elsewhere or None in contents):
            return True
        return any(content is not None and name.encode() in content for content in contents)

    @cached_property
    def _others(self) -> tuple[tuple[str, str], ...]:
        """Heading and text of each section that is not ours."""
        return tuple(
            (f"{section.keyword} {section.name}".strip(), section.text)
            for section in ConfigFile.parse(self._live.text)
            if section.id is None or section.id not in self._ours
        )
