"""`validate` reads commits: what it says of files that nobody committed, and of checkouts without a branch."""

from __future__ import annotations

from pathlib import Path

import flow_cli
import pytest
from flow_attack import fleet, web
from trust_world import git


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A work tree with one commit on main."""
    place = tmp_path / "repo"
    (place / "haproxy").mkdir(parents=True)
    git(tmp_path, "init", "-q", "--initial-branch=main", str(place))
    (place / "haoam.yaml").write_bytes(fleet("http://127.0.0.1:1/v3"))
    (place / "haproxy" / "web.yaml").write_bytes(web(1000))
    commit(place)
    return place


def commit(place: Path) -> None:
    """Everything, unsigned: `validate` asks for no trust."""
    git(place, "add", "--all")
    git(place, "-c", "user.name=a", "-c", "user.email=a@example.test", "commit", "-q", "-m", "x")


def validate(place: Path, *arguments: str) -> flow_cli.Ran:
    """The command in the work tree, with a state directory of its own."""
    return flow_cli.run(
        flow_cli.environment({"HAOAM_STATE": str(place.parent / "state")}), place, "validate", *arguments
    )


def test_files_that_are_not_committed_are_named(repo: Path) -> None:
    """A changed, a new and a missing document are named, whether or not the commit is valid; readmes are not."""
    assert "not committed" not in validate(repo).said
    (repo / "haproxy" / "web.yaml").write_bytes(web(2000))
    (repo / "haproxy" / "more.yaml").write_text("nonsense")
    (repo / "README.md").write_text("words")
    ran = validate(repo)
    assert ran.code == 0
    assert ran.err.startswith("not committed, so not looked at: haproxy/more.yaml, haproxy/web.yaml\n")
    commit(repo)
    (repo / "haproxy" / "more.yaml").unlink()
    ran = validate(repo, "--output", "json")
    assert (ran.code, ran.json["exit"]) == (3, 3)
    assert "not committed, so not looked at: haproxy/more.yaml\n" in ran.err


def test_another_commit_than_the_work_trees_is_no_matter_of_the_work_tree(repo: Path) -> None:
    """Of a commit that is named by its id nothing is compared."""
    head = git(repo, "rev-parse", "HEAD").decode().strip()
    (repo / "haproxy" / "web.yaml").write_bytes(web(2000))
    assert "not committed" not in validate(repo, head).said


def test_a_checkout_of_a_pull_request_has_no_branch(repo: Path) -> None:
    """A detached HEAD and no branch at all, as a workflow checks a pull request out: `validate` needs no more."""
    git(repo, "checkout", "-q", "--detach")
    git(repo, "branch", "-q", "-D", "main")
    assert validate(repo).code == 0


def test_a_repository_without_the_branch_names_those_that_it_has(repo: Path, tmp_path: Path) -> None:
    """Where trust needs the policy's branch, the refusal says which branches there are, and where the name stands."""
    git(repo, "branch", "-q", "-m", "master")
    ran = validate(repo, "no-such-branch")
    assert ran.code == 64
    assert "it has no refs/heads/main" in ran.err
    root = tmp_path / "root.yaml"
    ids = f'introduction: "{"0" * 40}", policy: "sha256:{"0" * 64}"'
    spec = f"{{{ids}, ref: refs/heads/main, smallest_serial: 1, secrets: []}}"
    root.write_text(f"apiVersion: haoam/v1\nkind: HostRoot\nspec: {spec}\n")
    ran = flow_cli.run(
        flow_cli.environment({"HAOAM_STATE": str(tmp_path / "state"), "HAOAM_ROOT": str(root)}), repo, "plan"
    )
    assert ran.code == 64
    assert "it has refs/heads/master; `ref` in the host root file" in ran.err


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    """Right after `git init` there is nothing to look at, and the hint says to commit."""
    git(tmp_path, "init", "-q", "--initial-branch=main", str(tmp_path / "repo"))
    ran = validate(tmp_path / "repo")
    assert ran.code == 64
    assert "commit something first" in ran.err


def test_a_folder_of_a_repository_is_not_the_repository(repo: Path, tmp_path: Path) -> None:
    """Below the top, the refusal says where the top is; where there is none at all, how one is named or made."""
    environment = flow_cli.environment({"HAOAM_STATE": str(tmp_path / "state")})
    ran = flow_cli.run(environment, repo / "haproxy", "validate")
    assert (ran.code, f"it lies in the one at {repo.resolve()}" in ran.err) == (64, True)
    ran = flow_cli.run(environment, tmp_path, "validate")
    assert (ran.code, "git init makes one" in ran.err) == (64, True)
