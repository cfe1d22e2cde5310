"""Which files a plan creates, repairs and deletes, and which it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.desired import DesiredCertificate, DesiredFile, DesiredInstance
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, Reason
from haoam_sync.model.position import Position
from haoam_sync.model.stored import CertificateFacts, FileId, FileKind, FileStore, StoredFiles
from haoam_sync.plan import files

INSTANCE = InstanceId("edge", "e1")
HOSTS = FileId(FileKind.MAP, "hosts")
THEIRS = f"hosts-{'0' * 32}.map"


def hosts(content: bytes) -> DesiredFile:
    """The map of that content."""
    name = HOSTS.storage_name(content)
    return DesiredFile(HOSTS, name, content, None, Position("haproxy/f.yaml", 1, 1), "sha256:same", content.decode())


def site(digits: str, facts: CertificateFacts | None = None) -> DesiredCertificate:
    """The certificate whose name has these digits."""
    position = Position("haproxy/c.yaml", 1, 1)
    return DesiredCertificate("site", f"site-{digits}.pem", b"pem", None, position, digest="sha256:same", facts=facts)


def wanted(*found: DesiredFile, certificate: DesiredCertificate | None = None) -> DesiredInstance:
    """An instance with these files."""
    certificates = {"site": certificate} if certificate is not None else {}
    return DesiredInstance(INSTANCE, {}, certificates, {one.id: one for one in found})


def live(*maps: str, certificates: tuple[str, ...] = (), **contents: bytes) -> Live:
    """An instance that holds these maps and certificates."""
    stored = StoredFiles(tuple(sorted(maps)), "/maps/", {name: contents[key] for key in contents for name in maps})
    return Live(
        INSTANCE,
        ApiVersion(3, 4),
        1,
        "",
        "",
        {},
        (),
        certificates,
        "/ssl/",
        phantom=False,
        file_version=1,
        requests=0,
        files={FileStore.MAPS: stored},
    )


def test_only_what_is_recorded_is_deleted() -> None:
    """A file that looks like ours is left alone unless the record of our uploads lists it."""
    one = hosts(b"a b\n")
    here = live(one.storage_name, THEIRS)
    assert files.others(wanted(one), here, wanted(one), frozenset({(FileStore.MAPS, one.storage_name)})) == ()
    recorded = frozenset({(FileStore.MAPS, one.storage_name), (FileStore.MAPS, THEIRS)})
    (change,) = files.others(wanted(one), here, wanted(one), recorded)
    assert (change.action, change.name) == (Action.DELETE, THEIRS)


def test_another_content_under_our_name_is_repaired() -> None:
    """A file that does not hold what its name says is written again; one that does is left alone."""
    one = hosts(b"a b\n")
    assert files.others(wanted(one), live(one.storage_name, content=b"a b\n"), None, frozenset()) == ()
    (change,) = files.others(wanted(one), live(one.storage_name, content=b"a evil\n"), None, frozenset())
    assert (change.action, change.reason) == (Action.UPDATE, Reason.DRIFT)


@pytest.mark.parametrize(("recorded", "reason"), [("1" * 32, Reason.RENEWED), ("2" * 32, Reason.DRIFT)])
def test_a_missing_certificate_is_renewed_or_drifted(recorded: str, reason: Reason) -> None:
    """What was stored tells a secret that changed at its source from a file that somebody deleted."""
    new = site("2" * 32)
    uploaded = frozenset({(FileStore.CERTIFICATES, f"site-{recorded}.pem")})
    (change,) = files.certificates(wanted(certificate=new), live(), wanted(certificate=new), uploaded)
    assert (change.action, change.reason) == (Action.CREATE, reason)


def test_earlier_names_are_replaced() -> None:
    """Without a record, a certificate under the 12 digits of earlier versions is ours, and is replaced."""
    new, old = site("2" * 32), f"site-{'1' * 12}.pem"
    found = files.certificates(wanted(certificate=new), live(certificates=(old,)), wanted(certificate=new), None)
    assert [(one.action, one.name) for one in found] == [(Action.CREATE, new.storage_name), (Action.DELETE, old)]


def test_a_certificate_that_is_another_one_is_repaired() -> None:
    """The content is not believed by its name: serial, end and size must be those of ours."""
    one = site("2" * 32, CertificateFacts("1", "2030-01-01T00:00:00Z", 3))
    here = live(certificates=(one.storage_name,))
    same = replace(here, certificate_facts={one.storage_name: CertificateFacts("1", "2030-01-01T00:00:00Z", 3)})
    assert files.certificates(wanted(certificate=one), same, None, frozenset()) == ()
    other = replace(here, certificate_facts={one.storage_name: CertificateFacts("2", "2030-01-01T00:00:00Z", 3)})
    (change,) = files.certificates(wanted(certificate=one), other, None, frozenset())
    assert change.action is Action.UPDATE
