"""`trust lint` on the command line: the example, a proposal that does not hold together, hostile names, exit codes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from desk import Desk
from flow_attack import Site
from trust_world import git, policy_bytes, policy_document

TOP = Path(__file__).parents[3]


def test_the_example_repository_lints_clean(tmp_path: Path, keys: Mapping[str, Path]) -> None:
    """The example with the policy that `trust init` writes for three people: notes only, each with its reason."""
    desk = Desk(tmp_path, keys)
    for name in ("haoam.yaml", "haproxy", "README.md"):
        source = TOP / "example-repo" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, desk.tree / name)
    desk.commit("alice", "haoam.yaml", "haproxy", "README.md")
    said = desk.must(0, "trust", "lint", "--output", "json").json
    assert (said["exit"], said["policy"]["serial"]) == (0, 1)
    assert {one["severity"] for one in said["findings"]} == {"note"}
    assert all(one["why"] for one in said["findings"])
    assert {"L_ROOTS", "L_POWER", "L_JUST_REACHABLE"} <= {one["code"] for one in said["findings"]}
    assert "0 errors, 0 warnings" in desk.must(0, "trust", "lint").out


def test_the_tree_and_the_host_play_a_part(site: Site) -> None:
    """A file that no rule names is seen in the tree, its name shown as text."""
    git(site.repo, "rev-parse", "main")
    head = site.move(site.commit({**site.files, "tools/\x1b[2J.sh": b"x"}, [site.introduction]))
    said = site.must(0, "trust", "lint", head, "--output", "json").json
    assert [one["severity"] for one in said["findings"] if one["code"] == "L_NO_RULE"] == ["warning"]
    assert "\x1b" not in site.must(0, "trust", "lint").said


@pytest.mark.parametrize("what", ["an invariant", "no policy"])
def test_a_policy_that_does_not_hold_together(site: Site, what: str) -> None:
    """A proposal can be looked at before anybody agrees to it: what it breaks is an error, exit 2."""
    roles = {**site.spec["roles"], "root": {"members": ["alice", "bob"], "threshold": 2}}
    broken = policy_bytes(policy_document(site.publics, roles=roles))
    files = {**site.files, "trust.yaml": broken}
    if what == "no policy":
        del files["trust.yaml"]
    site.move(site.commit(files, [site.introduction]), "refs/heads/idea")
    said = site.must(2, "trust", "lint", "idea", "--output", "json").json
    code = "E_POLICY_INVARIANT" if what == "an invariant" else "E_TRUST_MISSING"
    assert (said["policy"], [one["code"] for one in said["findings"]]) == (None, [code])
    assert code in site.must(2, "trust", "lint", "idea").out
    site.must(0, "trust", "lint")


def test_a_revoked_key_is_seen(site: Site) -> None:
    """What a root said since is known: the policy still calls the key active."""
    key = str(site.keys["bob"])
    site.must(0, "trust", "revoke", "dave/dave-1", "--key", key, "--reason", "gone", "--yes")
    said = site.must(0, "trust", "lint", "--output", "json").json
    assert ("L_KEY_COMPROMISED", "dave/dave-1") in {(one["code"], one["where"]) for one in said["findings"]}
