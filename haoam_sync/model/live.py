"""What an instance's Data Plane API says it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import JsonObject
from haoam_sync.model.mark import Mark
from haoam_sync.model.section import SectionId
from haoam_sync.model.stored import CertificateFacts, FileStore, StoredFiles


@dataclass(frozen=True, slots=True)
class LiveSection:
    """A section as read back.

    Attributes:
        id: kind and name.
        body: the API's `full_section` JSON, without `metadata.haoam`. May hold secrets in clear.
        mark: of ownership, ours or another's, if it carries one.
    """

    id: SectionId
    body: JsonObject = field(repr=False)
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """A consistent snapshot of one instance.

    Attributes:
        id: the instance.
        api: version of its Data Plane API.
        version: `Configuration-Version` of the snapshot.
        checksum: SHA-256 of `text`, `sha256:...`; with `version` the identity of a configuration.
        text: haproxy.cfg without the `# _md5hash=` and `# _version=` lines.
        sections: of the kinds that can be owned. Of a phantom instance those of `text`, which is what runs.
        foreign_texts: headings of all sections of other kinds (`listen stats`), sorted.
        certificates: storage names, sorted.
        certificate_dir: directory of the instance's certificates with a trailing `/`; None while it holds none.
        phantom: the API shows what the file does not hold (FACTS.md, "Validation and reloads").
        file_version: `# _version` inside the text; lower than `version` when phantom.
        requests: how many requests the snapshot took.
        warnings: things to know that stop nothing (an API newer than what was measured).
        files: the other storages, those that were asked for.
        certificate_facts: what the API tells of the certificates that were asked for, by storage name.
    """

    id: InstanceId
    api: ApiVersion
    version: int
    checksum: str
    text: str = field(repr=False)
    sections: Mapping[SectionId, LiveSection]
    foreign_texts: tuple[str, ...]
    certificates: tuple[str, ...]
    certificate_dir: str | None
    phantom: bool
    file_version: int
    requests: int
    warnings: tuple[str, ...] = ()
    files: Mapping[FileStore, StoredFiles] = field(default_factory=dict)
    certificate_facts: Mapping[str, CertificateFacts] = field(default_factory=dict)

    @property
    def directories(self) -> Mapping[FileStore, str]:
        """The directories of storages, as far as they are known."""
        known = {store: found.directory for store, found in self.files.items() if found.directory is not None}
        if self.certificate_dir is not None:
            known[FileStore.CERTIFICATES] = self.certificate_dir
        return known
