"""What roots say, by the command line, on machines that remember nothing: freeze, thaw, and a root who saw too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flow_attack import Site
from flow_cli import Ran
from root_words import a_freeze, thaw
from trust_world import closed_api, policy_document

from haoam_sync.model.evidence import Seen


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Site]:
    """A host that accepted a reviewed change."""
    with closed_api() as api:
        site = Site(tmp_path, keys, policy_document(publics), gate=api)
        site.tip = site.move(site.commit(site.with_timeout(2000), [site.introduction]))
        site.review("bob", site.introduction, site.tip)
        site.must(0, "trust", "state", "seed", site.tip, "--yes", "--without=eu/lb1")
        yield site


def _said(site: Site, who: str, code: int, *words: str) -> Ran:
    """A root's own machine, where nothing was ever applied."""
    state = site.place / f"state-of-{who}"
    return site.must(code, "trust", *words, f"--key={site.keys[who]}", "--yes", "--state", str(state))


def test_a_freeze_is_lifted_from_machines_that_remember_nothing(site: Site) -> None:
    """One root freezes by command, a quorum lifts it by command, each on a laptop of his own."""
    _said(site, "carol", 0, "freeze", "--reason=what is this")
    site.apply_refused("E_FROZEN", site.tip)
    _said(site, "alice", 0, "thaw", "--reason=a rebase")
    site.apply_refused("E_FROZEN", site.tip)
    _said(site, "bob", 0, "thaw", "--reason=a rebase")
    assert site.must(0, "trust", "verify", site.tip).code == 0


@pytest.mark.attack("E_ATTEST_ROLLBACK")
def test_a_root_who_says_that_he_saw_what_never_was(site: Site) -> None:
    """It holds everything, as his freeze would; the denylist ends it, on the host and where others revoke his key."""
    thaw(site, "carol", a_freeze(site, "carol"), seen=Seen(attestations="2" * 40))
    site.apply_refused("E_ATTEST_ROLLBACK", site.tip)
    revoke = ("revoke", "carol/carol-1", "--reason=holds everything", f"--since={site.tip}")
    _said(site, "alice", 4, *revoke)
    denied = site.place / "denied"
    denied.write_text("carol/carol-1\n")
    denied.chmod(0o644)
    site.allowed = f"  denylist: {denied}\n"
    site.write_root()
    site.gate.forget()
    site.must(7, "apply", "sha256:" + "0" * 64, site.tip)  # the control: as far as the instance, which is down
    assert site.gate.connections > 0
    _said(site, "alice", 0, *revoke)
