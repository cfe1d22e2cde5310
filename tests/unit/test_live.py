"""A snapshot of an instance: consistent, cheap, and honest about a phantom."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from haoam_sync import live
from haoam_sync.dataplane import Client
from haoam_sync.errors import ConflictError, InstanceError
from haoam_sync.http import Call, Reply
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.mark import Mark
from haoam_sync.model.section import API_KINDS, SectionId, SectionKind

LB1 = InstanceId("eu", "lb1")
WEB = SectionId(SectionKind.BACKEND, "web")
TEXT = """global
  master-worker

defaults base
  mode http

frontend fe
  mode http
  default_backend web

backend web # {"haoam":{"digest":"sha256:00","file":"haproxy/web.yaml"}}
  mode http
  server s1 127.0.0.1:18081

listen stats
  bind 127.0.0.1:18404

resolvers dns
  nameserver ns1 127.0.0.1:53
"""
MARKED = {"haoam": {"file": "haproxy/web.yaml", "digest": "sha256:00"}}
ANSWERS: Mapping[str, object] = {
    "/info": {"api": {"version": "v3.2.15 1a2b"}},
    "/configuration/global": {"master-worker": True},
    "/configuration/defaults": [{"name": "base", "mode": "http"}],
    "/configuration/userlists": [],
    "/configuration/frontends": [{"name": "fe", "mode": "http", "default_backend": "web"}],
    "/configuration/backends": [
        {
            "name": "web",
            "mode": "http",
            "metadata": MARKED,
            "servers": {"s1": {"name": "s1", "address": "127.0.0.1", "port": 18081}},
        }
    ],
    "/storage/ssl_certificates": [
        {"storage_name": "b.pem", "file": "/ssl/b.pem"},
        {"storage_name": "a.pem", "file": "/ssl/a.pem"},
    ],
}


@dataclass
class Instance:
    """Answers reads; `tweak` may change each answer's version, given its number and path."""

    answers: dict[str, object] = field(default_factory=lambda: dict(ANSWERS))
    text: str = TEXT
    version: int = 5
    file_version: int | None = 5
    tweak: Callable[[int, str], int] | None = None
    calls: list[Call] = field(default_factory=list)

    def send(self, call: Call) -> Reply:
        """Answer."""
        self.calls.append(call)
        path = call.path.removeprefix("/services/haproxy")
        version = self.tweak(len(self.calls), path) if self.tweak else self.version
        heads = {"content-type": "application/json", "configuration-version": str(version)}
        if path == "/configuration/raw":
            line = "" if self.file_version is None else f"# _version={self.file_version}\n"
            heads["content-type"] = "text/plain"
            return Reply(200, heads, f"# _md5hash=00\n{line}\n{self.text}".encode())
        return Reply(200, heads, json.dumps(self.answers[path]).encode())

    def client(self) -> Client:
        """A client that cannot write."""
        return Client(self, LB1, Unrecorded())


def test_a_snapshot_says_what_there_is() -> None:
    """Sections by identity, our mark taken off, foreign headings, certificates, the identity of the text."""
    instance = Instance()
    found = live.read(instance.client(), LB1)
    assert (found.id, found.api, found.version, found.file_version) == (LB1, ApiVersion(3, 2), 5, 5)
    assert (found.phantom, found.warnings, found.requests) == (False, (), 3 + len(API_KINDS))
    assert [str(section) for section in found.sections] == [
        "global",
        "defaults/base",
        "resolvers/dns",
        "frontend/fe",
        "backend/web",
    ]
    web = found.sections[WEB]
    assert web.mark == Mark("haproxy/web.yaml", "sha256:00")
    assert web.body == {
        "name": "web",
        "mode": "http",
        "servers": {"s1": {"name": "s1", "address": "127.0.0.1", "port": 18081}},
    }
    assert found.foreign_texts == ("listen stats",)
    assert (found.certificates, found.certificate_dir) == (("a.pem", "b.pem"), "/ssl/")
    assert (found.text, found.checksum) == (TEXT, live.checksum_of(TEXT))


def test_rings_are_not_asked_for() -> None:
    """The requests are those of the kinds that can be owned, each once, the raw text last; rings are never read."""
    instance = Instance()
    live.read(instance.client(), LB1)
    paths = [call.path.removeprefix("/services/haproxy") for call in instance.calls]
    assert paths == [
        "/info",
        *(f"/configuration/{kind.collection}" for kind in API_KINDS),
        "/storage/ssl_certificates",
        "/configuration/raw",
    ]


def test_metadata_that_is_not_ours_stays() -> None:
    """Comments and other people's metadata are part of the section as read."""
    instance = Instance()
    instance.answers["/configuration/backends"] = [
        {"name": "web", "metadata": {**MARKED, "comment": "by hand"}},
        {"name": "other", "metadata": {"comment": "theirs"}},
        {"name": "odd", "metadata": {"haoam": "not a mark"}},
    ]
    sections = live.read(instance.client(), LB1).sections
    assert sections[WEB].body == {"name": "web", "metadata": {"comment": "by hand"}}
    other = sections[SectionId(SectionKind.BACKEND, "other")]
    odd = sections[SectionId(SectionKind.BACKEND, "odd")]
    assert (other.mark, other.body["metadata"]) == (None, {"comment": "theirs"})
    assert (odd.mark, odd.body["metadata"]) == (None, {"haoam": "not a mark"})


def test_an_instance_without_certificates() -> None:
    """No certificates, no directory: only the answer to the first upload will tell it."""
    instance = Instance()
    instance.answers["/storage/ssl_certificates"] = []
    found = live.read(instance.client(), LB1)
    assert (found.certificates, found.certificate_dir) == ((), None)


def test_certificates_in_two_directories() -> None:
    """A directory that is not one cannot be filled in: nonsense."""
    instance = Instance()
    instance.answers["/storage/ssl_certificates"] = [
        {"storage_name": "a.pem", "file": "/x/a.pem"},
        {"storage_name": "b.pem", "file": "/y/b.pem"},
    ]
    with pytest.raises(InstanceError) as caught:
        live.read(instance.client(), LB1)
    assert caught.value.code == "E_NONSENSE"


def test_a_phantom_is_seen_and_not_believed() -> None:
    """The text holds a lower version than the API: what is live is what the text says, not what the API shows."""
    instance = Instance(version=6)
    instance.answers["/configuration/frontends"] = [
        {"name": "clash", "mode": "http"},
        {"name": "fe", "mode": "http", "default_backend": "web"},
    ]
    found = live.read(instance.client(), LB1)
    assert (found.phantom, found.version, found.file_version) == (True, 6, 5)
    assert [str(section) for section in found.sections] == [
        "global",
        "defaults/base",
        "resolvers/dns",
        "frontend/fe",
        "backend/web",
    ]
    assert found.sections[SectionId(SectionKind.RESOLVERS, "dns")].body == {
        "name": "dns",
        "nameservers": {"ns1": {"name": "ns1", "address": "127.0.0.1", "port": 53}},
    }
    assert found.sections[WEB].mark == Mark("haproxy/web.yaml", "sha256:00")
    assert found.sections == live.read(Instance().client(), LB1).sections


def test_a_file_that_lost_its_version_is_no_phantom() -> None:
    """An edit on disk can take the version line away: then the API's version is the file's."""
    found = live.read(Instance(file_version=None).client(), LB1)
    assert (found.phantom, found.file_version) == (False, 5)


@pytest.mark.parametrize("torn_at", ["/configuration/global", "/configuration/backends", "/configuration/raw"])
def test_a_torn_read_is_done_again(torn_at: str) -> None:
    """Somebody wrote while we read: answers of two versions are no snapshot, and everything is read again."""
    first = 3 + len(API_KINDS)
    instance = Instance(tweak=lambda number, path: 4 if number <= first and path == torn_at else 5)
    found = live.read(instance.client(), LB1)
    assert (found.version, found.phantom) == (5, False)
    assert found.requests == first + first - 1


def test_a_file_newer_than_the_api_is_a_torn_read() -> None:
    """A text with a higher version than the API's was written in between."""
    first = 3 + len(API_KINDS)
    instance = Instance(tweak=lambda number, _: 4 if number <= first else 5)
    found = live.read(instance.client(), LB1)
    assert (found.version, found.phantom, found.requests) == (5, False, first + first - 1)


def test_an_instance_that_never_stands_still() -> None:
    """After three torn reads it is given up: exit 7, and what to do."""
    instance = Instance(tweak=lambda number, _: number)
    with pytest.raises(ConflictError, match="each of 3 attempts"):
        live.read(instance.client(), LB1)


def test_raw_without_a_version_header_is_nonsense() -> None:
    """Without the header a phantom could not be told: absence is failure."""
    instance = Instance()
    send = instance.send

    def strip(call: Call) -> Reply:
        reply = send(call)
        return Reply(200, {}, reply.body) if call.path.endswith("/raw") else reply

    instance.send = strip  # type: ignore[method-assign]
    with pytest.raises(InstanceError, match="without Configuration-Version"):
        live.read(instance.client(), LB1)


def test_a_text_that_is_no_configuration() -> None:
    """Whatever cannot be cut into sections is nonsense, not a crash."""
    with pytest.raises(InstanceError) as caught:
        live.read(Instance(text="hello world\n").client(), LB1)
    assert (caught.value.code, caught.value.exit) == ("E_NONSENSE", 7)


def test_a_newer_api_is_read_with_a_warning() -> None:
    """API 3.5 was not measured: that is in the snapshot, so that the plan can say it."""
    instance = Instance()
    instance.answers["/info"] = {"api": {"version": "v3.5.0"}}
    assert "newer than 3.4" in live.read(instance.client(), LB1).warnings[0]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"version": 6, "file_version": 6}, False),
        ({"text": TEXT.replace("18081", "18099")}, False),
        ({"version": 6}, False),
        ({"file_version": 4}, False),
        ({"file_version": None}, True),
    ],
)
def test_unchanged_costs_one_request(change: dict[str, object], *, same: bool) -> None:
    """Version and text as recorded: one request says so; a raw write may keep the version, an edit bring it back."""
    instance = Instance(**change)  # type: ignore[arg-type]
    assert live.unchanged(instance.client(), 5, live.checksum_of(TEXT)) is same
    assert len(instance.calls) == 1
