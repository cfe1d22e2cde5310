"""Three people at their desks: a work tree whose origin is a bare repository, and everybody's keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flow_cli import Ran, environment, run
from trust_world import git

from haoam_sync.repository import commit_signed

FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: edge}
spec:
  clusters:
    eu: {instances: {lb1: {url: "http://127.0.0.1:9/v3", user: admin, password: {secret: env/EDGE_PASSWORD}}}}
"""


class Desk:
    """What people type, in one work tree, against one origin.

    Attributes:
        tree: the work tree.
        origin: what everybody pushes to.
        keys: private keys by name; `alice`, `bob` and `carol` found the policy.
    """

    def __init__(self, place: Path, keys: Mapping[str, Path]) -> None:
        """Set up by alice."""
        self.place, self.keys = place, keys
        self.tree, self.origin = place / "tree", place / "origin.git"
        git(place, "init", "-q", "--bare", "--initial-branch=main", str(self.origin))
        git(place, "clone", "-q", str(self.origin), str(self.tree))
        (self.tree / "haoam.yaml").write_text(FLEET)
        members = [word for one in ("alice", "bob", "carol") for word in ("--member", f"{one}={keys[one]}.pub")]
        self.must(0, "trust", "init", "--repo", str(self.tree), "--key", str(keys["alice"]), *members)
        git(self.tree, "push", "-q", "origin", "HEAD:main")

    def run(self, *arguments: str) -> Ran:
        """haoam-sync, in the work tree."""
        places = {
            "HAOAM_REPO": str(self.origin),
            "HAOAM_ROOT": str(self.place / "root.yaml"),
            "HAOAM_STATE": str(self.place / "state"),
        }
        return run(environment(places), self.tree, *arguments, stdin="y\n")

    def must(self, code: int, *arguments: str) -> Ran:
        """The same, with the exit code that it must have."""
        ran = self.run(*arguments)
        assert ran.code == code, ran.said
        return ran

    def commit(self, by: str, *paths: str, branch: str = "main", message: str = "change") -> str:
        """Commit files of the work tree, signed, and push them."""
        found = commit_signed(
            self.tree, paths, message, key=self.keys[by], name=by, email=f"{by}@users.noreply.invalid"
        )
        git(self.tree, "push", "-q", "origin", f"HEAD:{branch}")
        return found

    def change(self, by: str, text: str, *reviewers: str) -> str:
        """A change of a document by somebody, on the policy's branch, reviewed."""
        (self.tree / "docs").mkdir(exist_ok=True)
        (self.tree / "docs" / "a.md").write_text(f"{text}\n")
        head = self.commit(by, "docs")
        for reviewer in reviewers:
            self.review(reviewer, head)
        return head

    def review(self, by: str, revision: str, code: int = 0) -> Ran:
        """Somebody looks at a commit, and says yes."""
        return self.must(code, "review", revision, "--key", str(self.keys[by]), "--offline")

    @property
    def policy(self) -> str:
        """trust.yaml of the work tree."""
        return (self.tree / "trust.yaml").read_text(encoding="utf-8")
