"""A team with OpenPGP keys, on the command line: set up, write, review, verify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flow_cli import Ran, environment, run
from gnupg_home import GnupgHome, gnupg_home
from trust_world import git

FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: edge}
spec:
  clusters:
    eu: {instances: {lb1: {url: "http://127.0.0.1:9/v3", user: admin, password: {secret: env/EDGE_PASSWORD}}}}
"""


@pytest.fixture(scope="module")
def home() -> Iterator[GnupgHome]:
    """One gpg home for everybody."""
    with gnupg_home() as made:
        yield made


class Desk:
    """A work tree whose origin is a bare repository, and everybody's keys."""

    def __init__(self, place: Path, home: GnupgHome, keys: Mapping[str, Path]) -> None:
        self.place, self.home, self.keys = place, home, keys
        self.tree, self.origin = place / "tree", place / "origin.git"
        git(place, "init", "-q", "--bare", "--initial-branch=main", str(self.origin))
        git(place, "clone", "-q", str(self.origin), str(self.tree))
        (self.tree / "haoam.yaml").write_text(FLEET)
        self.people = {name: home.make(f"{name} <{name}@example.com>", "--yes") for name in ("alice", "bob")}

    def run(self, *arguments: str, repo: Path | None = None, stdin: str = "") -> Ran:
        """haoam-sync, as somebody whose gpg home this is."""
        places = {
            "HAOAM_REPO": str(repo or self.origin),
            "HAOAM_ROOT": str(self.place / "root.yaml"),
            "HAOAM_STATE": str(self.place / "state"),
            "GNUPGHOME": str(self.home.place),
        }
        return run(environment(places), self.place, *arguments, stdin=stdin)

    def init(self, alice: bytes) -> Ran:
        """`trust init` by alice."""
        (self.place / "alice.asc").write_bytes(alice)
        (self.place / "bob.asc").write_bytes(self.home.certificate(self.people["bob"]))
        files = {"alice": "alice.asc", "bob": "bob.asc", "carol": f"{self.keys['carol']}.pub"}
        members = [word for name, file in files.items() for word in ("--member", f"{name}={file}")]
        return self.run("trust", "init", "--key", self.people["alice"], *members, repo=self.tree)


@pytest.fixture
def desk(tmp_path: Path, home: GnupgHome, keys: Mapping[str, Path]) -> Desk:
    """Before anything is set up."""
    return Desk(tmp_path, home, keys)


def test_a_team_with_openpgp_keys_from_the_first_commit_on(desk: Desk) -> None:
    """`trust init` takes certificates, commits with gpg, and a review by fingerprint makes a commit trusted."""
    made = desk.init(desk.home.certificate(desk.people["alice"]))
    assert made.code == 0, made.said
    assert (desk.tree / "keys" / "bob.asc").read_bytes() == desk.home.certificate(desk.people["bob"])
    git(desk.tree, "push", "-q", "origin", "HEAD:main")
    assert desk.run("trust", "verify").code == 0
    (desk.tree / "docs").mkdir()
    (desk.tree / "docs" / "a.md").write_text("a\n")
    git(desk.tree, "add", "docs")
    _commit(desk, desk.people["bob"])
    git(desk.tree, "push", "-q", "origin", "HEAD:main")
    assert "E_THRESHOLD" in desk.run("trust", "verify").said
    himself = desk.run("review", "main", "--key", desk.people["bob"], "--offline", stdin="y\n")
    assert (himself.code, "E_SELF_REVIEW" in himself.said) == (4, True), himself.said
    reviewed = desk.run("review", "main", "--key", desk.people["alice"].lower(), "--offline", stdin="y\n")
    assert (reviewed.code, "alice says approve" in reviewed.out) == (0, True), reviewed.said
    verified = desk.run("trust", "verify", "--output", "json")
    step = verified.json["steps"][-1]
    assert (step["author"], [review["principal"] for review in step["reviews"]]) == ("bob", ["alice"])


def _commit(desk: Desk, fingerprint: str) -> None:
    program = desk.place / "gpg"
    program.write_text(f'#!/bin/sh\nexec env GNUPGHOME={desk.home.place} gpg "$@"\n')
    program.chmod(0o700)
    options = (
        "user.name=Bob",
        "user.email=bob@example.com",
        f"user.signingKey={fingerprint}",
        f"gpg.program={program}",
    )
    git(desk.tree, *(word for option in options for word in ("-c", option)), "commit", "-q", "-S", "-m", "Add a page")


def test_a_secret_key_is_no_certificate(desk: Desk) -> None:
    """Who hands over a secret key by mistake is told so, and nothing is written."""
    made = desk.init(desk.home.secret(desk.people["alice"]))
    assert (made.code, "SECRET" in made.err) == (64, True), made.said
    assert not (desk.tree / "keys").exists()


def test_a_key_that_gpg_does_not_have(desk: Desk) -> None:
    """A review with a fingerprint that nobody has is refused before anything is signed."""
    assert desk.init(desk.home.certificate(desk.people["alice"])).code == 0
    git(desk.tree, "push", "-q", "origin", "HEAD:main")
    (desk.tree / "README.md").write_text("a\n")
    git(desk.tree, "add", "README.md")
    _commit(desk, desk.people["bob"])
    git(desk.tree, "push", "-q", "origin", "HEAD:main")
    ran = desk.run("review", "main", "--key", "0" * 40, "--offline", stdin="y\n")
    assert (ran.code, "E_REVIEWER_UNKNOWN" in ran.said) == (4, True), ran.said


def test_an_openpgp_key_is_rotated(desk: Desk) -> None:
    """The new certificate lies beside the old one, under a name of its own; nothing is written through a link."""
    assert desk.init(desk.home.certificate(desk.people["alice"])).code == 0
    git(desk.tree, "push", "-q", "origin", "HEAD:main")
    before = (desk.tree / "keys" / "alice.asc").read_bytes()
    new = desk.home.make("alice again <alice@example.com>", "--yes")
    (desk.place / "new.asc").write_bytes(desk.home.certificate(new))
    arguments = ("trust", "rotate", "alice", "new.asc", "--directory", str(desk.tree))
    (desk.tree / "keys").rename(desk.place / "elsewhere")
    (desk.tree / "keys").symlink_to(desk.place / "elsewhere")
    linked = desk.run(*arguments)
    assert (linked.code, "E_WORK_TREE" in linked.err) == (64, True), linked.said
    assert sorted(file.name for file in (desk.place / "elsewhere").iterdir()) == ["alice.asc", "bob.asc"]
    (desk.tree / "keys").unlink()
    (desk.place / "elsewhere").rename(desk.tree / "keys")
    rotated = desk.run(*arguments)
    assert rotated.code == 0, rotated.said
    assert "wrote keys/alice-2.asc, trust.yaml: serial 1 becomes 2" in rotated.out
    assert (desk.tree / "keys" / "alice.asc").read_bytes() == before
    assert (desk.tree / "keys" / "alice-2.asc").read_bytes() == desk.home.certificate(new)
    assert "{id: alice-pgp-2, type: openpgp, fingerprint: " in (desk.tree / "trust.yaml").read_text()
    git(desk.tree, "add", "trust.yaml", "keys")
    _commit(desk, desk.people["bob"])
    git(desk.tree, "push", "-q", "origin", "HEAD:main")
    reviewed = desk.run("review", "main", "--key", new, "--offline", stdin="y\n")
    assert (reviewed.code, "alice says approve" in reviewed.out) == (0, True), reviewed.said
    carol = desk.run("review", "main", "--key", str(desk.keys["carol"]), "--offline", stdin="y\n")
    assert carol.code == 0, carol.said
    assert desk.run("trust", "verify").code == 0
