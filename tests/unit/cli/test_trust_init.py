"""`trust init` and the first review, as three people would type them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_cli import Ran, environment, run
from trust_world import git, make_key

_FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: edge}
spec:
  clusters:
    eu: {instances: {lb1: {url: "http://127.0.0.1:9/v3", user: admin, password: {secret: env/EDGE_PASSWORD}}}}
"""
_WEB = "apiVersion: haoam/v1\nkind: Backend\nmetadata: {name: web}\nspec: {mode: http}\n"


class Desk:
    """Alice's clone of a shared repository, and everybody's keys."""

    def __init__(self, place: Path) -> None:
        self.place, self.shared, self.tree = place, place / "shared.git", place / "tree"
        self.keys = {name: make_key(place, name) for name in ("alice", "bob", "carol")}
        git(place, "init", "-q", "--bare", "--initial-branch=main", str(self.shared))
        git(place, "clone", "-q", str(self.shared), str(self.tree))
        git(self.tree, "symbolic-ref", "HEAD", "refs/heads/main")
        (self.tree / "haoam.yaml").write_text(_FLEET)

    def cli(self, *arguments: str, repo: Path | None = None) -> Ran:
        """A command by whoever sits there."""
        places = {
            "HAOAM_REPO": str(repo or self.tree),
            "HAOAM_ROOT": str(self.place / "root.yaml"),
            "HAOAM_STATE": str(self.place / "state"),
            "HAOAM_AUDIT": str(self.place / "audit"),
        }
        return run(environment(places), self.place, *arguments)

    def init(self) -> Ran:
        """`trust init` for the three."""
        members = [part for name, key in self.keys.items() for part in ("--member", f"{name}={key}.pub")]
        return self.cli("trust", "init", "--key", str(self.keys["alice"]), *members)

    def commit(self, path: str, content: str) -> str:
        """A signed commit by alice."""
        (self.tree / path).parent.mkdir(exist_ok=True)
        (self.tree / path).write_text(content)
        git(self.tree, "add", path)
        signing = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.keys['alice']}")
        who = ("-c", "user.name=alice", "-c", "user.email=alice@example.com")
        git(self.tree, *signing, *who, "commit", "-q", "-S", "-m", "change")
        return git(self.tree, "rev-parse", "HEAD").decode().strip()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Before anything is committed."""
    return Desk(tmp_path)


def test_nothing_begins_with_an_invalid_desired_state(desk: Desk) -> None:
    """A fleet that is wrong is refused before the policy is written or committed; mended, the same command works."""
    (desk.tree / "haoam.yaml").write_text(_FLEET.replace("http://127.0.0.1:9/v3", "127.0.0.1:9"))
    ran = desk.init()
    assert (ran.code, "is no endpoint" in ran.err) == (3, True)
    assert not (desk.tree / "trust.yaml").exists()
    assert git(desk.tree, "rev-list", "--all") == b""
    (desk.tree / "haoam.yaml").write_text(_FLEET)
    assert desk.init().code == 0


@pytest.mark.parametrize("wrong", ["nowhere", "mallory"])
def test_a_key_that_is_nobodys_leaves_nothing_behind(desk: Desk, wrong: str) -> None:
    """A wrong path and a stranger's key are refused before anything is written; the right one then begins."""
    make_key(desk.place, "mallory")
    members = [part for name, key in desk.keys.items() for part in ("--member", f"{name}={key}.pub")]
    before = sorted(path for path in desk.place.rglob("*") if ".git" not in path.parts)
    ran = desk.cli("trust", "init", "--key", str(desk.place / wrong), *members)
    assert ran.code == 64, ran.said
    assert sorted(path for path in desk.place.rglob("*") if ".git" not in path.parts) == before
    assert desk.init().code == 0


def test_a_document_that_was_committed_before_counts_too(desk: Desk) -> None:
    """What the branch holds already is part of the introduction commit: it is looked at, and then still there."""
    desk.commit("haproxy/web.yaml", _WEB.replace("http", "nonsense"))
    assert desk.init().code == 3
    assert not (desk.tree / "trust.yaml").exists()
    desk.commit("haproxy/web.yaml", _WEB)
    assert desk.init().code == 0


@pytest.mark.parametrize("own", [True, False])
def test_a_statement_says_where_it_went(desk: Desk, *, own: bool) -> None:
    """A review is pushed to the repository that was named; one's own clone is pointed out, a shared one is not."""
    assert desk.init().code == 0
    head = desk.commit("haproxy/web.yaml", _WEB)
    git(desk.tree, "push", "-q", "origin", "main")
    repo = desk.tree if own else desk.shared
    sign = ("review", head, "--key", str(desk.keys["bob"]), "--offline", "--yes", "--expect")
    found = desk.cli(*sign, f"sha256:{'0' * 64}", repo=repo).err.partition("has the digest ")[2].partition(",")[0]
    ran = desk.cli(*sign, found, repo=repo)
    assert ran.code == 0, ran.said
    assert f"pushed to {repo}" in ran.err
    assert ("a clone of your own" in ran.err) is own
    assert ("a clone of your own" in desk.cli("review", "topic", *sign[2:], found, repo=repo).err) is own
