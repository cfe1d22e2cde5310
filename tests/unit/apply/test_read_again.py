"""Reading an instance again asks only for what changed, and gives what reading all of it gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from apply_case import API_BACKEND, LB1, WEB, backend, server, start
from instance_peer import InstancePeer, Sections

from haoam_sync import live
from haoam_sync.dataplane import Client
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.section import SectionId, SectionKind


def again(peer: InstancePeer, change: object = None) -> tuple[live.Live, list[str]]:
    """Read, let somebody change something, read again: the second snapshot and its requests."""
    client = Client(peer, LB1, Unrecorded())
    reader = live.Reader({LB1: live.read(client, LB1)})
    if callable(change):
        peer.write_elsewhere(change)
    peer.asked.clear()
    found = reader(client, LB1)
    asked = list(peer.asked)
    assert replace(found, requests=0) == replace(live.read(client, LB1), requests=0)
    return found, asked


def test_nothing_changed() -> None:
    """The text and the certificates are asked for, nothing else."""
    _, asked = again(InstancePeer(start()))
    assert asked == ["GET /configuration/raw", "GET /storage/ssl_certificates"]


def test_one_section_changed_one_came_one_went() -> None:
    """Those that are there are asked for by name."""

    def change(sections: Sections) -> None:
        sections[WEB] = backend("web", server("s1", 1))
        sections[API_BACKEND] = backend("api", server("a1", 2))
        del sections[SectionId(SectionKind.USERLIST, "people")]

    found, asked = again(InstancePeer(start()), change)
    assert sorted(asked) == [
        "GET /configuration/backends/api",
        "GET /configuration/backends/web",
        "GET /configuration/raw",
        "GET /storage/ssl_certificates",
    ]
    assert found.version == 2


def grown(sections: Sections) -> None:
    """More changes than are asked for one by one."""
    for number in range(live.FEW * 2):
        sections[SectionId(SectionKind.BACKEND, f"m{number:03}")] = backend(f"m{number:03}", server("s1", number + 1))


def test_much_changed() -> None:
    """Of many changes the lines say what they are; some are asked for by name, and none of the lists is read again."""
    found, asked = again(InstancePeer(start()), grown)
    assert len([line for line in asked if "/backends/m" in line]) == live.FEW
    assert len(asked) == live.FEW + 2
    assert found.sections[SectionId(SectionKind.BACKEND, "m077")].body == backend("m077", server("s1", 78))


def test_much_changed_and_the_api_shows_something_else() -> None:
    """A section that the API shows otherwise than its lines read is not believed: everything is read."""
    peer = InstancePeer(start())
    client = Client(peer, LB1, Unrecorded())
    reader = live.Reader({LB1: live.read(client, LB1)})
    peer.write_elsewhere(grown)
    for section, body in peer.memory.items():
        if section.name.startswith("m"):
            body["mode"] = "tcp"
    peer.asked.clear()
    found = reader(client, LB1)
    assert "GET /info" in peer.asked
    assert found.sections[SectionId(SectionKind.BACKEND, "m000")].body["mode"] == "tcp"


@pytest.mark.parametrize("how", ["phantom", "between"])
def test_what_cannot_be_trusted_is_read_in_full(how: str) -> None:
    """A phantom, and a section that somebody changes after its text was read."""
    peer = InstancePeer(start())
    client = Client(peer, LB1, Unrecorded())
    reader = live.Reader({LB1: live.read(client, LB1)})
    if how == "phantom":
        peer.version += 1
    else:
        peer.write_elsewhere(lambda sections: sections.update({WEB: backend("web", server("s1", 1))}))

        def meddle(_: object) -> None:
            if peer.asked[-1].endswith("/backends/web"):
                peer.before = lambda _: None
                peer.write_elsewhere(lambda sections: sections.update({WEB: backend("web", server("s1", 2))}))

        peer.before = meddle
    peer.asked.clear()
    found = reader(client, LB1)
    assert "GET /info" in peer.asked
    assert replace(found, requests=0) == replace(live.read(client, LB1), requests=0)
