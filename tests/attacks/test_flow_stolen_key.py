"""A stolen key, on the command line: everything is held, and two roots walk the way out at night."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from flow_attack import Site, web
from flow_cli import Ran, environment, run
from trust_world import closed_api, policy_bytes, policy_document

from haoam_sync.model.json import digest_bytes


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Site:
    """A host, and an API that counts who connects."""
    return Site(tmp_path, keys, policy_document(publics), gate=closed_api())


def _says(site: Site, who: str, *arguments: str) -> Ran:
    """What a root types on a machine that remembers nothing."""
    places = {
        "HAOAM_REPO": str(site.source),
        "HAOAM_ROOT": str(site.place / "root.yaml"),
        "HAOAM_STATE": str(site.place / f"home-of-{who}"),
    }
    key = ("--key", str(site.keys[who]), "--reason", "INC-1", "--yes")
    return run(environment(places), site.place, "trust", *arguments, *key)


@pytest.mark.attack("E_KEY_REVOKED")
def test_what_a_thief_had_accepted_before_anybody_knew(site: Site) -> None:
    """No verb sends anything to the endpoints that the thief may have written, until a quorum looked and said so."""
    first = site.move(site.commit({**site.files, "haproxy/web.yaml": web(2000)}, [site.introduction], "dave"))
    site.review("bob", site.introduction, first)
    second = site.move(site.commit({**site.files, "haproxy/web.yaml": web(3000)}, [first], "alice"))
    site.review("carol", first, second)
    site.verify(second)
    (site.place / "state").rename(site.host)  # an apply remembers it, in the host's own place
    site.must(7, "plan")
    connections = site.api.connections
    assert connections
    assert _says(site, "carol", "revoke", "dave/dave-1").code == 0
    told = ["trust", "explain", site.introduction], ["trust", "verify", first], ["trust", "verify", "..main"]
    for arguments in (
        ["plan"],
        ["drift"],
        *told,
        ["trust", "verify"],
        ["plan", first],
        ["apply", "sha256:" + "0" * 64],
    ):
        refused = site.cli(*arguments)
        assert (refused.code, "E_KEY_REVOKED" in refused.said) == (4, True), refused.said
    held = site.cli("trust", "verify")
    assert first in held.said
    assert "haoam-sync trust affirm" in held.said
    assert site.api.connections == connections

    said = _says(site, "alice", "affirm", second)
    assert said.code == 0
    assert f"{first} ({site.introduction[:12]}..{first[:12]}) rests on key dave-1 of dave" in said.err
    assert site.cli("trust", "verify").code == 4
    assert _says(site, "bob", "affirm", second).code == 0
    site.must(0, "trust", "verify")
    site.must(7, "plan")
    assert site.api.connections > connections
    nothing = _says(site, "bob", "affirm", second)
    assert (nothing.code, "rests on no key" in nothing.said) == (64, True), nothing.said


@pytest.mark.attack("E_KEY_REVOKED")
def test_a_root_names_the_last_commit_beyond_doubt(site: Site) -> None:
    """What the key did before it was stolen needs nobody's word; what it does afterwards counts for nothing."""
    first = site.move(site.commit({**site.files, "haproxy/web.yaml": web(2000)}, [site.introduction], "dave"))
    site.review("bob", site.introduction, first)
    said = _says(site, "carol", "revoke", "dave/dave-1", "--since", "main")
    assert (said.code, f"but for what it did up to {first}" in said.err) == (0, True), said.said
    site.must(7, "plan")
    second = site.move(site.commit({**site.files, "haproxy/web.yaml": web(3000)}, [first], "dave"))
    site.review("bob", first, second)
    refused = site.cli("trust", "verify")
    assert (refused.code, "E_KEY_REVOKED" in refused.said) == (4, True), refused.said


@pytest.mark.attack("E_KEY_REVOKED")
def test_the_emergency_brake_while_history_rests_on_a_stolen_key(site: Site, publics: Mapping[str, str]) -> None:
    """Roots freeze and revoke from machines that remember nothing, also with a key that came after the theft."""
    spec = policy_document(publics, serial=2, previous=digest_bytes(site.files["trust.yaml"]))
    spec["principals"]["bob"]["keys"] = [{"id": "bob-2", "type": "ssh", "public": publics["bob-new"]}]
    first = site.move(site.commit({**site.files, "trust.yaml": policy_bytes(spec)}, [site.introduction], "dave"))
    for who in ("alice", "carol"):
        site.review(who, site.introduction, first)
    site.verify(first)
    (site.place / "state").rename(site.host)
    assert _says(site, "carol", "revoke", "dave/dave-1").code == 0
    for who in ("mallory", "dave"):
        refused = _says(site, who, "freeze")
        assert (refused.code, refused.err.partition(":")[0]) == (4, "E_ROLE"), refused.said
    said = _says(site, "bob-new", "freeze")
    assert said.code == 0, said.said
    for who in ("alice", "carol"):
        assert _says(site, who, "affirm", first).code == 0
    stopped = site.cli("trust", "verify")
    assert (stopped.code, "bob froze everything" in stopped.said) == (4, True), stopped.said
    assert _says(site, "bob-new", "revoke", "alice/alice-1", "--since", first).code == 0
