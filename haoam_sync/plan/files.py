"""Which files beside the configuration to create, to repair and to delete: certificates, and the others.

The rules:

F1  Names are made of contents. A file that is missing is created under its own name, so nothing changes by it.
F2  A file is *ours* when the record of applies says that we stored it. One that was there before is used as it is, and
    is not ours.
F3  A file of ours that shows another content than its name says is written again with the content of its name, which is
    what git wants before and after. One that is not ours is not written: E_FILE_TAKEN.
F4  Deleted is what is ours, is not wanted any more, and is named by no section of others, itself or in a crt-list.
F5  Without a record (an instance that an earlier version applied to) a certificate counts as ours when it is named as
    we name those that the commit applied last declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haoam_sync.errors import NotAuthorizedError
from haoam_sync.model.desired import DesiredCertificate, DesiredFile, DesiredInstance
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, CertificateChange, FileUpload, Reason
from haoam_sync.model.stored import FileStore, KnownFiles, StoredFiles, certificate_names, text_in_directories
from haoam_sync.plan.in_use import InUse


@dataclass(frozen=True, slots=True)
class FilesPlan:
    """What is to be done with files.

    Attributes:
        certificates: to create, to repair and to delete.
        others: other files, the same.
        warnings: about those that stay although nothing here wants them.
    """

    certificates: tuple[CertificateChange, ...]
    others: tuple[FileUpload, ...]
    warnings: tuple[str, ...]


def compute(
    wanted: DesiredInstance, live: Live, applied: DesiredInstance | None, known: KnownFiles | None, in_use: InUse
) -> FilesPlan:
    """Compare the files of an instance with what is wanted of it; see the module's rules.

    Args:
        wanted: of it.
        live: its snapshot.
        applied: what the commit applied last wanted of it; None when nothing was applied.
        known: what the record says; None when there is none.
        in_use: what others name.

    Raises:
        NotAuthorizedError: E_FILE_TAKEN, a file that is not ours lies under the name of one that git declares.
    """
    planner = _Planner(wanted, live, applied, known, in_use)
    certificates = sorted(planner.certificates(), key=lambda one: (one.action.value, one.name))
    others = sorted(planner.others(), key=lambda one: (one.action.value, one.store, one.name))
    return FilesPlan(tuple(certificates), tuple(others), tuple(sorted(planner.warnings)))


class _Planner:
    """One instance."""

    def __init__(
        self,
        wanted: DesiredInstance,
        live: Live,
        applied: DesiredInstance | None,
        known: KnownFiles | None,
        in_use: InUse,
    ) -> None:
        self.warnings: list[str] = []
        self._wanted = wanted
        self._live = live
        self._applied = applied
        self._known = known
        self._in_use = in_use

    def certificates(self) -> Iterator[CertificateChange]:
        there = set(self._live.certificates)
        earlier = self._applied.certificates if self._applied else {}
        names = {certificate.storage_name for certificate in self._wanted.certificates.values()}
        unresolved = {name for name, certificate in self._wanted.certificates.items() if certificate.content is None}
        for name, one in self._wanted.certificates.items():
            action = self._certificate_action(one)
            if action is None or (name in unresolved and any(certificate_names(name, file) for file in there)):
                continue
            reason = Reason.DRIFT if action is Action.UPDATE else self._certificate_reason(one, earlier.get(name))
            yield CertificateChange(action, one.storage_name, reason, one.position, one.content)
        kept = {file for file in there for name in unresolved if certificate_names(name, file)}
        declared = sorted({*self._wanted.certificates, *earlier})
        for file in sorted(there - names - kept):
            if not self._certificate_is_ours(file, declared):
                looks = next((name for name in declared if certificate_names(name, file)), None)
                self._left_alone(FileStore.CERTIFICATES, file, f"certificate/{looks}" if looks else None)
            elif not self._kept(FileStore.CERTIFICATES, file):
                yield CertificateChange(Action.DELETE, file, Reason.GIT, None, None)

    def others(self) -> Iterator[FileUpload]:
        earlier = self._applied.files if self._applied else {}
        for identity, one in self._wanted.files.items():
            store = identity.kind.store
            stored = self._live.files.get(store, StoredFiles())
            action = self._action(one, stored)
            if action is None:
                continue
            if one.content is None and any(identity.names(file) for file in stored.names):
                continue
            reason = Reason.DRIFT if action is Action.UPDATE else self._reason(one, earlier.get(identity))
            secret = one.reference is not None
            yield FileUpload(action, store, one.storage_name, identity, reason, one.position, one.content, secret)
        declared = {(one.id.kind.store, one.storage_name): one.id for one in earlier.values()}
        names = {(one.id.kind.store, one.storage_name) for one in self._wanted.files.values()}
        unknown = [one.id for one in self._wanted.files.values() if one.content is None]
        known = sorted({*self._wanted.files, *earlier})
        for store, stored in self._live.files.items():
            for file in stored.names:
                key = (store, file)
                kept = key in names or any(one.kind.store is store and one.names(file) for one in unknown)
                if kept:
                    continue
                if not self._is_ours(*key):
                    looks = next((one for one in known if one.kind.store is store and one.names(file)), None)
                    self._left_alone(store, file, str(looks) if looks else None)
                elif not self._kept(*key):
                    yield FileUpload(Action.DELETE, store, file, declared.get(key), Reason.GIT, None, None)

    def _action(self, one: DesiredFile, stored: StoredFiles) -> Action | None:
        if one.storage_name not in stored.names:
            return Action.CREATE
        content = stored.contents.get(one.storage_name)
        if content is None or one.content is None or content == written(one.content, self._live):
            return None
        return self._repair(one.id.kind.store, one.storage_name)

    def _certificate_action(self, one: DesiredCertificate) -> Action | None:
        if one.storage_name not in self._live.certificates:
            return Action.CREATE
        facts = self._live.certificate_facts.get(one.storage_name)
        if facts is None or one.facts is None or not facts.contradicts(one.facts):
            return None
        return self._repair(FileStore.CERTIFICATES, one.storage_name)

    def _repair(self, store: FileStore, name: str) -> Action:
        """F3."""
        if self._known is None or self._is_ours(store, name):
            return Action.UPDATE
        raise NotAuthorizedError(
            f"{store}/{name} holds something else than what git declares, and nobody here stored it",
            code="E_FILE_TAKEN",
            where=str(self._live.id),
            hint="a file of somebody else is never overwritten: find out whose it is; delete it when nothing uses it,"
            " or give the document another name",
        )

    def _is_ours(self, store: FileStore, name: str) -> bool:
        """F2."""
        return self._known is not None and (store, name) in self._known.ours

    def _certificate_is_ours(self, file: str, declared: Sequence[str]) -> bool:
        """F5."""
        if self._known is None:
            return any(certificate_names(name, file) for name in declared)
        return self._is_ours(FileStore.CERTIFICATES, file)

    def _kept(self, store: FileStore, name: str) -> bool:
        """F4: whether somebody else names it."""
        user = self._in_use.by(store, name)
        if user is not None:
            self.warnings.append(f"{store}/{name} is not wanted any more, but {user} may use it: it is kept until then")
        return user is not None

    def _left_alone(self, store: FileStore, name: str, looks: str | None) -> None:
        """F2: say so of a file that could be ours, since a record that is lost would leave it there for ever."""
        if looks is not None and self._in_use.by(store, name) is None:
            self.warnings.append(
                f"{store}/{name} is named like an earlier content of {looks}, and nothing here says that we stored it: "
                "left alone; delete it by hand when nobody uses it"
            )

    def _certificate_reason(self, one: DesiredCertificate, earlier: DesiredCertificate | None) -> Reason:
        """The commit applied last is loaded with the secrets of now: what was stored then is what tells them apart."""
        if earlier is None or earlier.digest != one.digest:
            return Reason.GIT
        there = self._live.certificates
        others = any(file != one.storage_name and certificate_names(one.name, file) for file in there)
        return self._missing(FileStore.CERTIFICATES, one.storage_name, others=others)

    def _reason(self, one: DesiredFile, earlier: DesiredFile | None) -> Reason:
        if earlier is None or earlier.digest != one.digest:
            return Reason.GIT
        store = one.id.kind.store
        there = self._live.files.get(store, StoredFiles()).names
        others = any(file != one.storage_name and one.id.names(file) for file in there)
        return self._missing(store, one.storage_name, others=others)

    def _missing(self, store: FileStore, name: str, *, others: bool) -> Reason:
        """Why a file is not there that the commit applied last declares as this one does."""
        if self._known is None:
            return Reason.RENEWED if others else Reason.DRIFT
        return Reason.DRIFT if (store, name) in self._known.ours | self._known.found else Reason.RENEWED


def written(content: bytes, live: Live) -> bytes:
    """A content as it is stored on an instance: what it names lies in the instance's directories."""
    return text_in_directories(content.decode(), live.directories).encode()
