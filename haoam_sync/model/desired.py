"""What git says an instance should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.change_class import ChangeClass
from haoam_sync.model.fleet import Fleet, InstanceId
from haoam_sync.model.json import JsonObject, digest_bytes
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.model.section import SectionId
from haoam_sync.model.stored import AdoptedFile, CertificateFacts, FileId, FileStore


@dataclass(frozen=True, slots=True)
class DesiredSection:
    """One section of one instance, variables filled in.

    Attributes:
        id: kind and name.
        body: the API's own JSON, as a `full_section` document (children carry their `name`), as written in git: not yet
            canonical. Files stand as `@ssl_certs_dir/STORAGE_NAME`, `@general_dir/...`, `@maps_dir/...`.
            Where `unresolved` names a path, the text of the reference stands in place of the secret.
        position: of the document.
        digest: of the document's meaning for this instance, secrets as references (`sha256:...`); goes into our mark.
        protected: deleting it needs its own reviewed change first.
        ignore: dotted paths that somebody else owns: never compared, never written (`servers.*.weight`).
        secrets: the references used in the body, resolved or not.
        resolved: whether the secrets in `body` are values (True) or the texts of references (False).
        forms: canonical forms of `body`, by version of the API, as far as they were asked for.
    """

    id: SectionId
    body: JsonObject = field(repr=False)
    position: Position
    digest: str
    protected: bool = False
    ignore: tuple[str, ...] = ()
    secrets: tuple[SecretUse, ...] = ()
    resolved: bool = True
    forms: dict[ApiVersion, JsonObject] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DesiredCertificate:
    """A certificate file that an instance should hold.

    Attributes:
        name: the document's name; how binds refer to it.
        storage_name: content-addressed name on the instance, `NAME-<first 32 hex digits of the SHA-256>.pem`; when the
            content is a secret that was not resolved, `NAME-unresolved.pem`.
        content: PEM of chain and key; None when not resolved. Secret.
        reference: where the content comes from; None when it stands in git.
        position: of the document.
        chain: PEM of certificate and chain where they stand in git and only the key is a secret.
        digest: of the document's meaning, the secret as a reference (`sha256:...`).
        facts: what the API should tell of it; None when not resolved.
    """

    name: str
    storage_name: str
    content: bytes | None = field(repr=False)
    reference: SecretReference | None
    position: Position
    chain: bytes | None = field(default=None, repr=False)
    digest: str = ""
    facts: CertificateFacts | None = None

    @property
    def path(self) -> str:
        """How sections name it."""
        return FileStore.CERTIFICATES.placeholder + self.storage_name


@dataclass(frozen=True, slots=True)
class DesiredFile:
    """Another file that an instance should hold: authorities, a crt-list, a map, an error page, Lua.

    Attributes:
        id: kind and name of the document; how sections refer to it.
        storage_name: content-addressed name on the instance (`name_of`).
        content: what it holds, with `@ssl_certs_dir/...` where it names files of the instance. None while it is not
            known, since it is a secret, or names a file of which that is so. Secret when `reference` is given.
        text: the same with files by their documents' names, as it is reviewed; None for a secret.
        template: of a content that names files: what `content` is made of once their contents are known.
        adopted: the file that it was before git declared it.
        reference: where the content comes from; None when it stands in git.
        position: of the document.
        digest: of the document's meaning, secrets as references (`sha256:...`).
    """

    id: FileId
    storage_name: str
    content: bytes | None = field(repr=False)
    reference: SecretReference | None
    position: Position
    digest: str
    text: str | None = field(default=None, repr=False)
    template: str | None = field(default=None, repr=False)
    adopted: AdoptedFile | None = None

    @staticmethod
    def name_of(identity: FileId, content: bytes | None, adopted: AdoptedFile | None) -> str:
        """`storage_name`: made of the content, unless it is the very content that was adopted."""
        if adopted is not None and content is not None and digest_bytes(content) == adopted.digest:
            return adopted.name
        return identity.storage_name(content)

    @property
    def path(self) -> str:
        """How sections name it."""
        return self.id.kind.store.placeholder + self.storage_name


@dataclass(frozen=True, slots=True)
class DesiredInstance:
    """Everything that one instance should hold."""

    id: InstanceId
    sections: Mapping[SectionId, DesiredSection]
    certificates: Mapping[str, DesiredCertificate]
    files: Mapping[FileId, DesiredFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Desired:
    """The desired state of a commit.

    Attributes:
        commit: its id.
        fleet: clusters and instances. Of a proposed commit, the accepted one's.
        instances: by identity; one for each instance of `fleet`.
        classes: of changes that were agreed on beforehand, by id.
        named: files that documents name by their paths (`ca_file`, `content_file`, `chain_file`), and which documents.
    """

    commit: str
    fleet: Fleet
    instances: Mapping[InstanceId, DesiredInstance]
    classes: tuple[ChangeClass, ...] = ()
    named: Mapping[str, frozenset[str]] = field(default_factory=dict)


CERTIFICATE_DIR = FileStore.CERTIFICATES.placeholder
"""Stands for the instance's certificate directory, which only the instance knows."""
