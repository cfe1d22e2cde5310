"""Reviews on GitHub at the level of the command line: from a pull request to the running HAProxy, with its attacks."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apply_lab import LabInstance, lab
from fake_github import TOKEN, Answer, FakeGitHub, serving
from flow_attack import Site
from flow_gate import Gate
from forge_world import ACCOUNTS, forge_policy
from trust_world import git

from haoam_sync.model.forge import Page, digest_of

pytestmark = pytest.mark.e2e

ALICE, BOB, DAVE = (ACCOUNTS[name] for name in ("alice", "bob", "dave"))
_VALUES = itertools.count(5001)
_FORGE = '  forge: {{github: {{api: "{url}", repository: {repository}, token: env/FORGE_TOKEN}}}}\n'


@pytest.fixture(scope="module")
def instance() -> Iterator[LabInstance]:
    """One HAProxy with its API."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, "") as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def fake(instance: LabInstance) -> Iterator[FakeGitHub]:
    """A GitHub whose clock is this machine's."""
    del instance
    with serving(FakeGitHub(now=datetime.now(UTC))) as found:
        yield found


def _site(place: Path, keys: Mapping[str, Path], spec: dict[str, object], gate: Gate, fake: FakeGitHub) -> Site:
    site = Site(place, keys, spec, gate=gate)
    site.allowed = _FORGE.format(url=fake.url, repository=fake.repository)
    site.secrets = {"FORGE_TOKEN": TOKEN}
    site.write_root()
    return site


@pytest.fixture
def site(
    tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance, fake: FakeGitHub
) -> Iterator[Site]:
    """A world whose configuration is reviewed on GitHub, with a gate in front of its only API."""
    instance.unmark()
    with Gate(instance.url) as gate:
        yield _site(tmp_path, keys, forge_policy(publics), gate, fake)


def _merged(site: Site, fake: FakeGitHub, value: int, signer: str = "dave") -> str:
    branch = site.commit(site.with_timeout(value), [site.introduction], "alice")
    fake.open(12, [branch], ALICE)
    tree = site.tree(site.with_timeout(value))
    head = site.move(site.signed(site.payload(tree, [site.introduction, branch], signer), signer))
    fake.merge(12, head, DAVE)
    return head


def test_control_from_a_pull_request_to_the_worker(site: Site, fake: FakeGitHub, instance: LabInstance) -> None:
    """Planned and applied; the record and the audit log name the review and the digest of the answers."""
    value = next(_VALUES)
    head = _merged(site, fake, value)
    site.apply_refused("E_THRESHOLD")
    fake.review(12, BOB)
    site.goes_through(head, value, instance.directory / "haproxy.cfg")
    commit = json.loads((site.host / "trust" / "accepted.json").read_bytes())["commit"]
    assert [(r["principal"], r["evidence"]) for r in commit["reviews"]] == [("bob", "github")]
    assert commit["forge"].startswith("sha256:")
    log = b"".join(file.read_bytes() for file in sorted((site.place / "audit").rglob("*.jsonl")))
    assert commit["forge"].encode() in log
    kept = site.host / "forge" / f"{commit['forge'].removeprefix('sha256:')}.json.gz"
    answers = json.loads(gzip.decompress(kept.read_bytes()))
    assert digest_of([Page(asked, base64.b64decode(body)) for asked, body in answers]) == commit["forge"]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert TOKEN.encode() not in log


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("status", [401, 403, 404, 502])
def test_apply_while_the_forge_gives_no_answer(
    site: Site, fake: FakeGitHub, instance: LabInstance, status: int
) -> None:
    """An approved change waits as long as GitHub can not be asked; then it goes through."""
    value = next(_VALUES)
    head = _merged(site, fake, value)
    fake.review(12, BOB)
    fake.wrong = lambda _path, _query: Answer(status, json.dumps({"message": TOKEN}).encode())
    ran = site.apply_refused("E_FORGE_UNKNOWN")
    assert TOKEN not in ran.said
    fake.wrong = lambda _path, _query: None
    site.goes_through(head, value, instance.directory / "haproxy.cfg")


@pytest.mark.attack("E_SECRET_MISSING")
def test_apply_without_the_forges_token(site: Site, fake: FakeGitHub, instance: LabInstance) -> None:
    """A token that the host root file names and the host has not is said, and not done without."""
    value = next(_VALUES)
    head = _merged(site, fake, value)
    fake.review(12, BOB)
    site.secrets = {}
    site.apply_refused("E_SECRET_MISSING", exit_code=64)
    site.secrets = {"FORGE_TOKEN": TOKEN}
    site.goes_through(head, value, instance.directory / "haproxy.cfg")


def test_control_review_of_a_pull_request_and_its_squash(
    tmp_path: Path,
    keys: Mapping[str, Path],
    publics: Mapping[str, str],
    instance: LabInstance,
    fake: FakeGitHub,
) -> None:
    """`review pr/12` signs the head and keeps it; the forge squashes it and the branch is deleted: it is applied."""
    spec = forge_policy(publics, "any")
    spec["merge"] = {
        "methods": ["squash"],
        "forge_keys": [{"id": "web-flow", "type": "ssh", "public": publics["erin"]}],
    }
    instance.unmark()
    with Gate(instance.url) as gate:
        site = _site(tmp_path, keys, spec, gate, fake)
        site.allowed = ""
        site.write_root()
        value = next(_VALUES)
        branch = site.move(site.commit(site.with_timeout(value), [site.introduction]), "refs/pull/12/head")
        with closing(site.open()) as reviewers:
            assert reviewers.resolve("pr/12") == branch
        digest = site.change_digest(site.introduction, branch)
        sign = ("review", "pr/12", "--offline", "--yes", "--expect", digest, f"--key={keys['bob']}")
        signed = site.must(0, *sign, "--output", "json").json
        assert (signed["commit"], signed["statement"]["head"]) == (branch, branch)
        assert branch in git(site.repo, "rev-list", "refs/heads/haoam/heads").decode().split()
        git(site.repo, "update-ref", "-d", "refs/pull/12/head")
        payload = site.payload(site.tree(site.with_timeout(value)), [site.introduction], "web")
        site.goes_through(site.move(site.signed(payload, "erin")), value, instance.directory / "haproxy.cfg")
