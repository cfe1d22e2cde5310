"""The attacks at the level of the command line: each apply ends with its code, and no API hears of it.

Beside each stands its control: in the same world an honest change goes through to the running HAProxy.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from apply_lab import LabInstance, lab
from flow_attack import ANY_DIGEST, Site
from flow_gate import Gate
from trust_world import git, policy_bytes, policy_document, with_signature

from haoam_sync.model.json import digest_bytes

pytestmark = pytest.mark.e2e

_VALUES = itertools.count(2001)


@pytest.fixture(scope="module")
def instance() -> Iterator[LabInstance]:
    """One HAProxy with its API for all attacks: none of them gets there."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, "") as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance) -> Iterator[Site]:
    """A world whose introduction commit is believed, with a gate in front of its only API."""
    instance.unmark()
    with Gate(instance.url) as gate:
        yield Site(tmp_path, keys, policy_document(publics), gate=gate)


@pytest.fixture
def honest(site: Site, instance: LabInstance) -> Iterator[None]:
    """After the attack: the control."""
    yield
    site.honest(instance.directory / "haproxy.cfg", next(_VALUES))


def _evil(site: Site, signer: str | None = "alice") -> str:
    return site.commit(site.with_timeout(666), [site.introduction], signer)


@pytest.mark.attack("E_UNSIGNED")
@pytest.mark.usefixtures("honest")
def test_apply_of_an_unsigned_commit(site: Site) -> None:
    """A reviewed commit without a signature is not applied."""
    head = site.move(_evil(site, None))
    site.review("bob", site.introduction, head)
    site.apply_refused("E_UNSIGNED")
    site.apply_refused("E_UNSIGNED", head)


@pytest.mark.attack("E_KEY_UNKNOWN")
@pytest.mark.usefixtures("honest")
def test_apply_of_a_strangers_commit(site: Site) -> None:
    """A reviewed commit, signed by a key that the policy does not name, is not applied."""
    head = site.move(_evil(site, "mallory"))
    site.review("bob", site.introduction, head)
    site.apply_refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_KEY_UNKNOWN")
@pytest.mark.usefixtures("honest")
def test_apply_of_a_commit_that_brings_its_own_key(site: Site) -> None:
    """Mallory's commit makes mallory an author: it is judged by the policy before it."""
    spec = policy_document(site.publics, serial=2, previous=digest_bytes(policy_bytes(site.spec)))
    spec["principals"]["mallory"] = {
        "keys": [{"id": "mallory-1", "type": "ssh", "public": site.publics["mallory"]}],
    }
    spec["roles"]["author"]["members"].append("mallory")
    head = site.move(site.commit(site.with_file("trust.yaml", policy_bytes(spec)), [site.introduction], "mallory"))
    for reviewer in ("alice", "bob", "carol"):
        site.review(reviewer, site.introduction, head)
    site.apply_refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_UNSIGNED")
@pytest.mark.usefixtures("honest")
def test_apply_of_a_merge_of_an_unsigned_side_branch(site: Site) -> None:
    """A signed and reviewed merge does not vouch for an unsigned commit on the branch that it merges."""
    side = _evil(site, None)
    head = site.move(site.commit(site.with_timeout(666), [site.introduction, side]))
    site.review("bob", site.introduction, side)
    site.review("bob", site.introduction, head)
    assert side in site.apply_refused("E_UNSIGNED").err


@pytest.mark.attack("E_COMMIT_FORMAT")
@pytest.mark.usefixtures("honest")
def test_apply_of_a_commit_with_two_signatures(site: Site) -> None:
    """Two gpgsig headers could be read in two ways: the commit is not applied, although both are good."""
    payload = site.payload(site.tree(site.with_timeout(666)), [site.introduction])
    armors = (site.armor(payload, "alice"), site.armor(payload, "dave"))
    head = site.move(site.store("commit", with_signature(payload, *armors)))
    site.review_raw("bob", site.introduction, head)
    site.apply_refused("E_COMMIT_FORMAT")


@pytest.mark.attack("E_OID_MISMATCH")
def test_apply_of_a_commit_behind_a_replace_ref(site: Site, instance: LabInstance) -> None:
    """A replace ref shows an unsigned commit as a signed one: refused. Without the ref the control goes through."""
    unsigned = site.move(_evil(site, None))
    signed = _evil(site)
    site.review("bob", site.introduction, unsigned)
    git(site.repo, "replace", unsigned, signed)
    site.apply_refused("E_OID_MISMATCH")
    git(site.repo, "replace", "-d", unsigned)
    site.honest(instance.directory / "haproxy.cfg", next(_VALUES))


@pytest.mark.attack("E_THRESHOLD")
def test_apply_of_a_commit_that_nobody_reviewed(site: Site, instance: LabInstance) -> None:
    """A signed commit is not applied before somebody reviewed it; then it is."""
    value = next(_VALUES)
    head = site.move(site.commit(site.with_timeout(value), [site.introduction]))
    site.apply_refused("E_THRESHOLD")
    site.review("bob", site.introduction, head)
    site.goes_through(head, value, instance.directory / "haproxy.cfg")


@pytest.mark.attack("E_SELF_REVIEW")
def test_apply_of_a_commit_that_its_author_reviewed(site: Site, instance: LabInstance) -> None:
    """Alice may review, but not what alice wrote; with bob's review it goes through."""
    value = next(_VALUES)
    head = site.move(site.commit(site.with_timeout(value), [site.introduction]))
    site.review("alice", site.introduction, head)
    site.apply_refused("E_SELF_REVIEW")
    site.review("bob", site.introduction, head)
    site.goes_through(head, value, instance.directory / "haproxy.cfg")


@pytest.mark.attack("E_TREE_MISMATCH")
def test_apply_of_a_commit_with_a_review_of_another_tree(site: Site, instance: LabInstance) -> None:
    """A statement that names the commit and another tree is no review of it; one that names its own tree is."""
    value = next(_VALUES)
    head = site.move(site.commit(site.with_timeout(value), [site.introduction]))
    site.review("bob", site.introduction, head, tree=site.tree(site.files))
    site.apply_refused("E_TREE_MISMATCH")
    site.review("bob", site.introduction, head)
    site.goes_through(head, value, instance.directory / "haproxy.cfg")


@pytest.mark.attack("E_CHANGE_MISMATCH")
def test_apply_of_a_commit_with_a_review_of_another_change(site: Site, instance: LabInstance) -> None:
    """A statement whose change digest is not what the commit does is no review of it."""
    value = next(_VALUES)
    head = site.move(site.commit(site.with_timeout(value), [site.introduction]))
    site.review("bob", site.introduction, head, change_digest=ANY_DIGEST)
    site.apply_refused("E_CHANGE_MISMATCH")
    site.review("bob", site.introduction, head)
    site.goes_through(head, value, instance.directory / "haproxy.cfg")


@pytest.mark.attack("E_CHANGE_MISMATCH")
def test_review_of_another_change_than_expected(site: Site, instance: LabInstance) -> None:
    """`review --expect` signs nothing when the change is another one; with the right digest it does."""
    value = next(_VALUES)
    head = site.move(site.commit(site.with_timeout(value), [site.introduction]))
    sign = ("review", head, "--offline", "--yes", f"--key={site.keys['bob']}", "--expect")
    ran = site.must(4, *sign, ANY_DIGEST)
    assert ran.err.startswith("E_CHANGE_MISMATCH: ")
    assert site.gate.connections == 0
    assert git(site.repo, "for-each-ref", "refs/heads/haoam/").strip() == b""
    site.apply_refused("E_THRESHOLD")
    site.must(0, *sign, site.change_digest(site.introduction, head))
    site.goes_through(head, value, instance.directory / "haproxy.cfg")


@pytest.mark.attack("E_PLAN_MISMATCH")
def test_apply_of_another_plan(site: Site, instance: LabInstance) -> None:
    """The digest of another plan: the instance is read, and nothing is written; with the right one it goes through."""
    value = next(_VALUES)
    head = site.move(site.commit(site.with_timeout(value), [site.introduction]))
    site.review("bob", site.introduction, head)
    before = (instance.directory / "haproxy.cfg").read_bytes()
    for output in ((), ("--output", "json")):
        site.gate.forget()
        ran = site.must(10, "apply", ANY_DIGEST, *output)
        assert "E_PLAN_MISMATCH" in ran.said
        assert (site.gate.connections > 0, site.gate.writes) == (True, [])
    assert (instance.directory / "haproxy.cfg").read_bytes() == before
    site.goes_through(head, value, instance.directory / "haproxy.cfg")


@pytest.mark.attack("E_PLAN_MISMATCH")
@pytest.mark.usefixtures("honest")
@pytest.mark.parametrize("digest", ["", "latest", "sha256:", "sha256:" + "0" * 63, "sha256:" + "G" * 64, "0" * 64])
def test_apply_of_a_plan_that_has_no_digest(site: Site, digest: str) -> None:
    """What is no digest at all is refused before anything is asked."""
    head = site.move(_evil(site))
    site.review("bob", site.introduction, head)
    site.apply_refused("E_PLAN_MISMATCH", exit_code=10, digest=digest)
