"""Which files beside the configuration to create, to repair and to delete: certificates, and the others.

Names are made of contents. A file that is missing is created under its own name, so nothing changes by it; one that
shows another content than its name says is written again with the content of its name, which is what git wants before
and after. Deleted is what is provably ours and not wanted any more: what the commit applied last declares, or what
the record of our uploads lists. Without a record (an instance that an earlier version applied to) a certificate
counts as ours when it is named as we name those that the commit applied last declares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from haoam_sync.model.desired import DesiredCertificate, DesiredFile, DesiredInstance
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, CertificateChange, FileUpload, Reason
from haoam_sync.model.stored import FileStore, StoredFiles, certificate_names, text_in_directories

Uploaded = Collection[tuple[FileStore, str]]
"""Files that we stored on an instance, by storage and storage name."""


def certificates(
    wanted: DesiredInstance, live: Live, applied: DesiredInstance | None, uploaded: Uploaded | None
) -> tuple[CertificateChange, ...]:
    """Which certificate files to create, to repair and to delete."""
    there = set(live.certificates)
    earlier = applied.certificates if applied else {}
    names = {certificate.storage_name for certificate in wanted.certificates.values()}
    unresolved = {name for name, certificate in wanted.certificates.items() if certificate.content is None}
    ours = {*wanted.certificates, *earlier}
    found = []
    for name, one in wanted.certificates.items():
        action = _certificate_action(one, live)
        if action is None or (name in unresolved and any(certificate_names(name, file) for file in there)):
            continue
        reason = (
            Reason.DRIFT if action is Action.UPDATE else _certificate_reason(one, earlier.get(name), live, uploaded)
        )
        found.append(CertificateChange(action, one.storage_name, reason, one.position, one.content))
    kept = {file for file in there for name in unresolved if certificate_names(name, file)}
    found += [
        CertificateChange(Action.DELETE, file, Reason.GIT, None, None)
        for file in there - names - kept
        if _is_ours(file, ours, uploaded)
    ]
    return tuple(sorted(found, key=lambda c: (c.action.value, c.name)))


def others(
    wanted: DesiredInstance, live: Live, applied: DesiredInstance | None, uploaded: Uploaded | None
) -> tuple[FileUpload, ...]:
    """Which other files to create, to repair and to delete."""
    found = {(one.store, one.name): one for one in _others(wanted, live, applied, uploaded)}
    return tuple(sorted(found.values(), key=lambda one: (one.action.value, one.store, one.name)))


def _others(
    wanted: DesiredInstance, live: Live, applied: DesiredInstance | None, uploaded: Uploaded | None
) -> Iterator[FileUpload]:
    earlier = applied.files if applied else {}
    for identity, one in wanted.files.items():
        store = identity.kind.store
        stored = live.files.get(store, StoredFiles())
        action = _action(one, stored, live)
        if action is None:
            continue
        if one.content is None and any(identity.names(file) for file in stored.names):
            continue
        reason = Reason.DRIFT if action is Action.UPDATE else _reason(one, earlier.get(identity), live, uploaded)
        yield FileUpload(action, store, one.storage_name, identity, reason, one.position, one.content)
    ours = {(one.id.kind.store, one.storage_name): one.id for one in earlier.values()}
    names = {(one.id.kind.store, one.storage_name) for one in wanted.files.values()}
    unknown = [one.id for one in wanted.files.values() if one.content is None]
    for store, stored in live.files.items():
        for file in stored.names:
            key = (store, file)
            kept = any(one.kind.store is store and one.names(file) for one in unknown)
            if key not in names and not kept and (key in ours or key in (uploaded or ())):
                yield FileUpload(Action.DELETE, store, file, ours.get(key), Reason.GIT, None, None)


def _action(one: DesiredFile, stored: StoredFiles, live: Live) -> Action | None:
    if one.storage_name not in stored.names:
        return Action.CREATE
    content = stored.contents.get(one.storage_name)
    if content is None or one.content is None:
        return None
    return None if content == written(one.content, live) else Action.UPDATE


def written(content: bytes, live: Live) -> bytes:
    """A content as it is stored on an instance: what it names lies in the instance's directories."""
    return text_in_directories(content.decode(), live.directories).encode()


def _certificate_action(one: DesiredCertificate, live: Live) -> Action | None:
    if one.storage_name not in live.certificates:
        return Action.CREATE
    facts = live.certificate_facts.get(one.storage_name)
    wrong = facts is not None and one.facts is not None and facts.contradicts(one.facts)
    return Action.UPDATE if wrong else None


def _certificate_reason(
    one: DesiredCertificate, earlier: DesiredCertificate | None, live: Live, uploaded: Uploaded | None
) -> Reason:
    """The commit applied last is loaded with the secrets of now: what was uploaded then is what tells them apart."""
    if earlier is None or earlier.digest != one.digest:
        return Reason.GIT
    key = (FileStore.CERTIFICATES, one.storage_name)
    others = [file for file in live.certificates if file != one.storage_name and certificate_names(one.name, file)]
    if uploaded is None:
        return Reason.RENEWED if others else Reason.DRIFT
    return Reason.DRIFT if key in uploaded else Reason.RENEWED


def _reason(one: DesiredFile, earlier: DesiredFile | None, live: Live, uploaded: Uploaded | None) -> Reason:
    if earlier is None or earlier.digest != one.digest:
        return Reason.GIT
    store = one.id.kind.store
    key = (store, one.storage_name)
    others = [f for f in live.files.get(store, StoredFiles()).names if f != one.storage_name and one.id.names(f)]
    if uploaded is None:
        return Reason.RENEWED if others else Reason.DRIFT
    return Reason.DRIFT if key in uploaded else Reason.RENEWED


def _is_ours(file: str, names: Collection[str], uploaded: Uploaded | None) -> bool:
    """Whether a certificate file was stored by us."""
    if uploaded is None:
        return any(certificate_names(name, file) for name in names)
    return (FileStore.CERTIFICATES, file) in uploaded
