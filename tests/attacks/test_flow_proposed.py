"""A commit that is only proposed sends nothing anywhere that the accepted commit does not name, and no credential."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from apply_lab import LabInstance, lab
from flow_attack import PASSWORD, Site, fleet
from flow_certificate import self_signed, server_context
from flow_gate import Gate
from trust_world import policy_document

pytestmark = pytest.mark.e2e

OTHER = "another-secret-of-this-host"


@pytest.fixture(scope="module")
def instance() -> Iterator[LabInstance]:
    """One HAProxy with its API."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, "") as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def trap(instance: LabInstance) -> Iterator[Gate]:
    """Where a proposal wants to lead us. It works: once accepted, it is used."""
    instance.unmark()
    with Gate(instance.url) as gate:
        yield gate


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance) -> Iterator[Site]:
    """A world whose introduction commit is believed; its host may resolve one more secret than it needs."""
    with Gate(instance.url) as gate:
        site = Site(tmp_path, keys, policy_document(publics), gate=gate)
        site.allowed = '    - {reference: env/OTHER_SECRET, kinds: [Fleet], fields: ["*"], clusters: ["*"]}\n'
        site.secrets["OTHER_SECRET"] = OTHER
        site.write_root()
        yield site


def _login(user: str, password: str) -> bytes:
    return base64.b64encode(f"{user}:{password}".encode())


def _moved(_site: Site, trap: Gate) -> bytes:
    return fleet(trap.url)


def _one_more_instance(site: Site, trap: Gate) -> bytes:
    line = f"        lb2: {{url: '{trap.url}', user: admin, password: {{secret: env/EDGE_PASSWORD}}}}\n"
    return fleet(site.gate.url, line)


def _one_more_cluster(site: Site, trap: Gate) -> bytes:
    line = f"us-1: {{url: '{trap.url}', user: admin, password: {{secret: env/OTHER_SECRET}}}}"
    return fleet(site.gate.url, f"    us:\n      instances:\n        {line}\n")


@pytest.mark.attack("E_PROPOSED")
@pytest.mark.parametrize("proposal", [_moved, _one_more_instance, _one_more_cluster])
def test_a_proposal_that_leads_somewhere_else(site: Site, trap: Gate, proposal: Callable[[Site, Gate], bytes]) -> None:
    """Planning and reviewing a new endpoint asks the accepted ones only; once two have reviewed it, it is asked."""
    head = site.move(site.commit(site.with_file("haoam.yaml", proposal(site, trap)), [site.introduction]))
    for command in (("plan",), ("plan", head, "--output", "json"), ("review", head, f"--key={site.keys['bob']}")):
        ran = site.cli(*command)  # the review asks, and gets no answer
        assert ran.code in {0, 2, 130}, ran.said
    assert site.gate.connections > 0
    assert (trap.connections, trap.received) == (0, b"")
    site.apply_refused("E_THRESHOLD")
    assert trap.connections == 0
    site.review("bob", site.introduction, head)
    site.review("carol", site.introduction, head)
    site.secrets["OTHER_SECRET"] = PASSWORD
    assert site.cli("plan").code in {0, 2}
    assert trap.connections > 0


@pytest.mark.attack("E_PROPOSED")
@pytest.mark.parametrize("old_new", [("user: admin", "user: evil"), ("env/EDGE_PASSWORD", "env/OTHER_SECRET")])
def test_a_proposal_with_another_login(site: Site, old_new: tuple[str, str]) -> None:
    """A proposal cannot have another user or another secret of the host sent to an instance."""
    proposed = fleet(site.gate.url).replace(old_new[0].encode(), old_new[1].encode())
    head = site.move(site.commit(site.with_file("haoam.yaml", proposed), [site.introduction]))
    assert site.cli("plan").code in {0, 2}
    wanted = _login("evil", PASSWORD) if "user" in old_new[0] else _login("admin", OTHER)
    assert _login("admin", PASSWORD) in site.gate.received
    assert wanted not in site.gate.received
    site.review("bob", site.introduction, head)
    site.review("carol", site.introduction, head)
    ran = site.must(7, "plan")
    assert "E_UNAUTHORIZED" in ran.err
    assert wanted in site.gate.received


def test_a_proposal_with_another_authority(
    tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance
) -> None:
    """Whoever stands in between with a certificate that the proposal vouches for gets no request and no login."""
    (ours, our_key), (theirs, their_key) = self_signed("ours"), self_signed("theirs")
    rules = [*policy_document(publics)["rules"], {"paths": ["ca/**"], "require": {"reviewer": 2}, "evidence": "signed"}]
    spec = policy_document(publics, rules=rules)
    with Gate(instance.url, tls=server_context(tmp_path, ours, our_key)) as gate:
        site = Site(tmp_path, keys, spec, gate=gate)
        with_ca = fleet(gate.url).replace(b"user: admin", b"user: admin, ca_file: ca/api.pem")
        site.files |= {"haoam.yaml": with_ca, "ca/api.pem": ours}
        site.introduction = site.move(site.commit(site.files, []))
        site.write_root()
        site.move(site.commit(site.with_file("ca/api.pem", theirs), [site.introduction]))
        assert site.cli("plan").code in {0, 2}  # the accepted authority counts
        assert gate.requests
    in_between = server_context(tmp_path, theirs, their_key)
    with Gate(instance.url, tls=in_between, port=gate.port) as evil:
        ran = site.must(7, "plan")
        assert "E_TLS" in ran.err
        assert evil.connections > 0
        assert evil.received == b""
