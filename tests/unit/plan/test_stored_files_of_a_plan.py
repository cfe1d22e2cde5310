"""Which files a plan creates, repairs and deletes, and which it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from haoam_sync.errors import NotAuthorizedError
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.desired import DesiredCertificate, DesiredFile, DesiredInstance
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, Reason
from haoam_sync.model.position import Position
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.stored import CertificateFacts, FileId, FileKind, FileStore, KnownFiles, StoredFiles
from haoam_sync.plan import files
from haoam_sync.plan.in_use import InUse

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


def recorded(*names: str, found: tuple[str, ...] = ()) -> KnownFiles:
    """A record by which these files, `STORAGE/NAME`, are ours, and those were found."""
    key = [(FileStore(name.partition("/")[0]), name.partition("/")[2]) for name in (*names, *found)]
    return KnownFiles(frozenset(key[: len(names)]), frozenset(key[len(names) :]))


def planned(
    want: DesiredInstance, here: Live, applied: DesiredInstance | None, known: KnownFiles | None
) -> files.FilesPlan:
    """What is to be done; every section of the instance is somebody else's."""
    return files.compute(want, here, applied, known, InUse(here, ()))


def deleted(plan: files.FilesPlan) -> set[str]:
    """Names of the files to be deleted."""
    return {one.name for one in (*plan.certificates, *plan.others) if one.action is Action.DELETE}


def test_only_what_is_recorded_is_deleted() -> None:
    """A file that looks like ours is left alone unless the record says that we stored it."""
    one = hosts(b"a b\n")
    here = live(one.storage_name, THEIRS)
    plan = planned(wanted(one), here, wanted(one), recorded(f"maps/{one.storage_name}"))
    assert plan.others == ()
    assert [THEIRS in warning and "left alone" in warning for warning in plan.warnings] == [True]
    (change,) = planned(wanted(one), here, wanted(one), recorded(f"maps/{one.storage_name}", f"maps/{THEIRS}")).others
    assert (change.action, change.name) == (Action.DELETE, THEIRS)


@pytest.mark.parametrize("known", [KnownFiles(), recorded(found=(f"maps/{THEIRS}",))])
def test_what_the_commit_applied_last_declares_is_not_ours_by_that(known: KnownFiles) -> None:
    """A file that was there before us, and one of which nothing is remembered: used, never deleted."""
    one = replace(hosts(b"a b\n"), storage_name=THEIRS)
    assert planned(wanted(), live(THEIRS), wanted(one), known).others == ()
    assert deleted(planned(wanted(), live(THEIRS), wanted(one), recorded(f"maps/{THEIRS}"))) == {THEIRS}


def test_another_content_under_our_name_is_repaired() -> None:
    """A file of ours that does not hold what its name says is written again; one that does is left alone."""
    one = hosts(b"a b\n")
    ours = recorded(f"maps/{one.storage_name}")
    assert planned(wanted(one), live(one.storage_name, content=b"a b\n"), None, ours).others == ()
    (change,) = planned(wanted(one), live(one.storage_name, content=b"a evil\n"), None, ours).others
    assert (change.action, change.reason) == (Action.UPDATE, Reason.DRIFT)


def test_a_file_of_somebody_else_under_our_name_is_not_overwritten() -> None:
    """What lies there with another content, and was not stored by us, is refused; with ours it is used."""
    one = hosts(b"a b\n")
    for known in (KnownFiles(), recorded(found=(f"maps/{one.storage_name}",))):
        assert planned(wanted(one), live(one.storage_name, content=b"a b\n"), None, known).others == ()
        with pytest.raises(NotAuthorizedError, match="nobody here stored it") as caught:
            planned(wanted(one), live(one.storage_name, content=b"a evil\n"), None, known)
        assert caught.value.code == "E_FILE_TAKEN"


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (recorded(f"ssl_certificates/site-{'1' * 32}.pem"), Reason.RENEWED),
        (recorded(f"ssl_certificates/site-{'2' * 32}.pem"), Reason.DRIFT),
        (recorded(found=(f"ssl_certificates/site-{'2' * 32}.pem",)), Reason.DRIFT),
    ],
)
def test_a_missing_certificate_is_renewed_or_drifted(known: KnownFiles, reason: Reason) -> None:
    """What was there tells a secret that changed at its source from a file that somebody deleted."""
    new = site("2" * 32)
    (change,) = planned(wanted(certificate=new), live(), wanted(certificate=new), known).certificates
    assert (change.action, change.reason) == (Action.CREATE, reason)


def test_earlier_names_are_replaced() -> None:
    """Without a record, a certificate under the 12 digits of earlier versions is ours, and is replaced."""
    new, old = site("2" * 32), f"site-{'1' * 12}.pem"
    found = planned(wanted(certificate=new), live(certificates=(old,)), wanted(certificate=new), None).certificates
    assert [(one.action, one.name) for one in found] == [(Action.CREATE, new.storage_name), (Action.DELETE, old)]


def test_a_certificate_that_is_another_one_is_repaired() -> None:
    """The content is not believed by its name: serial, end and size must be those of ours."""
    one = site("2" * 32, CertificateFacts("1", "2030-01-01T00:00:00Z", 3))
    ours = recorded(f"ssl_certificates/{one.storage_name}")
    here = live(certificates=(one.storage_name,))
    same = replace(here, certificate_facts={one.storage_name: CertificateFacts("1", "2030-01-01T00:00:00Z", 3)})
    assert planned(wanted(certificate=one), same, None, ours).certificates == ()
    other = replace(here, certificate_facts={one.storage_name: CertificateFacts("2", "2030-01-01T00:00:00Z", 3)})
    (change,) = planned(wanted(certificate=one), other, None, ours).certificates
    assert change.action is Action.UPDATE
    with pytest.raises(NotAuthorizedError) as caught:
        planned(wanted(certificate=one), other, None, KnownFiles())
    assert caught.value.code == "E_FILE_TAKEN"


OLD = f"site-{'1' * 32}.pem"
LIST = f"edge-crtlist-{'1' * 32}.txt"


@pytest.mark.parametrize(
    ("text", "lists", "kept"),
    [
        ("listen other\n  bind :1 ssl crt /ssl/OLD\n", {}, True),
        ("frontend other\n  bind :1 ssl crt-list /general/LIST\n", {LIST: b"/ssl/OLD [alpn h2]\n"}, True),
        ("frontend other\n  bind :1 ssl crt-list /general/LIST\n", {LIST: b"/ssl/another.pem\n"}, False),
        ("frontend other\n  bind :1 ssl crt-list /general/LIST\n", {}, True),  # gone, or not told
        ("frontend other\n  bind :1 ssl crt-list /etc/haproxy/list.txt\n", {LIST: b"x\n"}, True),  # cannot be read
        ("frontend ours\n  bind :1 ssl crt-list /general/LIST\n", {LIST: b"/ssl/OLD\n"}, False),
        ("frontend ours\n  bind :1 ssl crt /ssl/OLD\n", {}, False),
        ("frontend other\n  bind :1\n", {LIST: b"/ssl/OLD\n"}, False),  # no section names the list
    ],
)
def test_what_others_name_is_kept(text: str, lists: Mapping[str, bytes], *, kept: bool) -> None:
    """A file that we stored and do not want any more stays while a section of others names it, also by a crt-list."""
    general = StoredFiles(
        (LIST,), "/general/", {name: one.replace(b"OLD", OLD.encode()) for name, one in lists.items()}
    )
    here = replace(
        live(certificates=(OLD,)),
        text=text.replace("OLD", OLD).replace("LIST", LIST),
        files={FileStore.GENERAL: general},
    )
    in_use = InUse(here, {SectionId(SectionKind.FRONTEND, "ours")})
    plan = files.compute(wanted(), here, wanted(), recorded(f"ssl_certificates/{OLD}"), in_use)
    assert deleted(plan) == (set() if kept else {OLD})
    assert [OLD in warning for warning in plan.warnings] == ([True] if kept else [])
