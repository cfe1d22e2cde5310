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


def test_much_changed() -> None:
    """Beyond a few sections everything is read at once."""

    def change(sections: Sections) -> None:
        for number in range(live.FEW + 1):
            sections[SectionId(SectionKind.BACKEND, f"m{number}")] = backend(f"m{number}", server("s1", 1))

    _, asked = again(InstancePeer(start()), change)
    assert "GET /info" in asked
    assert not any("/backends/m" in line for line in asked)


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
