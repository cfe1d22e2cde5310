"""The repository adapter: reading by id, writing statements, and the user's own work tree."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.evidence import format_time
from haoam_sync.repository import ATTESTATIONS, Repository, commit_signed, parse_source
from haoam_sync.trust import ssh
from haoam_sync.trust.grammar import parse_commit
from haoam_sync.trust.sshsig import SshClaim, commit_signature

NOW = datetime(2027, 3, 1, tzinfo=UTC)
REF = "refs/heads/main"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for commits."""
    path = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)  # noqa: S607
    return path


def commit(tree: Path, key: Path, content: str = "one\n", *, message: str = "say why") -> str:
    """A signed commit of one file."""
    (tree / "haproxy").mkdir(parents=True, exist_ok=True)
    (tree / "haproxy" / "web.yaml").write_text(content)
    return commit_signed(tree, ["haproxy"], message, key=key, name="Alice", email="alice@example.com")


@pytest.fixture
def worktree(tmp_path: Path, key: Path) -> Path:
    """A work tree with one commit."""
    tree = tmp_path / "work"
    tree.mkdir()
    commit(tree, key)
    return tree


def test_a_signed_commit_is_canonical_and_its_signature_holds(tmp_path: Path, worktree: Path, key: Path) -> None:
    """What `commit_signed` makes is what the trust stage reads."""
    repository = Repository.open(tmp_path / "state", str(worktree), REF)
    parsed = parse_commit(repository.tip, repository.commit(repository.tip))
    assert parsed.author.startswith("Alice <alice@example.com> ")
    assert ssh.verified([SshClaim(commit_signature(parsed.armor, parsed.id), parsed.payload)])
    assert ssh.public_of(key) == commit_signature(parsed.armor, parsed.id).public
    repository.close()


def test_deleted_files_and_merges_are_committed_too(tmp_path: Path, worktree: Path, key: Path) -> None:
    """A deletion is a change, and a merge has two parents, both signed."""
    first = subprocess.run(
        ["git", "-C", str(worktree), "rev-parse", "HEAD"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    subprocess.run(["git", "-C", str(worktree), "switch", "-q", "-c", "side"], check=True)  # noqa: S607
    (worktree / "haproxy" / "web.yaml").unlink()
    side = commit_signed(worktree, ["haproxy"], "remove it", key=key, name="Bob", email="bob@example.com")
    subprocess.run(["git", "-C", str(worktree), "switch", "-q", "main"], check=True)  # noqa: S607
    merged = commit_signed(worktree, [], "merge", key=key, name="Alice", email="alice@example.com", parents=["side"])
    repository = Repository.open(tmp_path / "state", str(worktree), REF)
    parsed = parse_commit(merged, repository.commit(merged))
    assert parsed.parents == (first, side)
    assert parsed.kind == "ssh"
    assert dict(repository.blobs(merged)) == {}
    repository.close()


def test_a_commit_that_git_refuses_is_one_message(worktree: Path, key: Path) -> None:
    """Nothing to commit is the user's mistake, in git's words."""
    with pytest.raises(UsageError) as caught:
        commit_signed(worktree, ["nothing"], "x", key=key, name="Alice", email="alice@example.com")
    assert "nothing" in caught.value.message


def test_files_come_from_the_commit_and_never_from_the_work_tree(tmp_path: Path, worktree: Path, key: Path) -> None:
    """What is edited and not committed does not exist; an older commit is read as it was."""
    new = commit(worktree, key, "two\n")
    (worktree / "haproxy" / "web.yaml").write_text("three\n")
    repository = Repository.open(tmp_path / "state", str(worktree), REF)
    assert repository.blobs(new) == {"haproxy/web.yaml": b"two\n"}
    old = parse_commit(new, repository.commit(new)).parents[0]
    assert repository.blobs(old) == {"haproxy/web.yaml": b"one\n"}
    repository.close()


def test_a_new_commit_is_found_without_opening_again(tmp_path: Path, worktree: Path, key: Path) -> None:
    """Fetching moves the tip."""
    repository = Repository.open(tmp_path / "state", str(worktree), REF)
    new = commit(worktree, key, "two\n")
    assert repository.tip != new
    repository.fetch()
    assert repository.tip == new
    repository.close()


def test_statements_are_appended_and_a_race_is_noticed(tmp_path: Path, worktree: Path) -> None:
    """A statement goes behind the tip that was seen, or nowhere."""
    repository = Repository.open(tmp_path / "state", str(worktree), REF)
    assert repository.attestations == ""
    first = repository.append_statement(b"{}", parent="", now=NOW)
    second = repository.append_statement(b"[]", parent=first, now=NOW)
    for stale in ("", first):
        with pytest.raises(NotTrustedError) as caught:
            repository.append_statement(b"x", parent=stale, now=NOW)
        assert caught.value.code == "E_ATTEST_RACE"
    assert repository.attestations == second
    shown = subprocess.run(
        ["git", "-C", str(worktree), "log", "--format=%H %s", ATTESTATIONS],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stdout.splitlines() == [f"{second} statement.json", f"{first} statement.json"]
    assert repository.blobs(second) == {"statement.json": b"[]"}
    repository.close()


@pytest.mark.parametrize("what", ["nothing", "empty", "file", "branch"])
def test_a_source_that_can_not_be_read(tmp_path: Path, worktree: Path, what: str) -> None:
    """No repository, no bundle, or no such branch: one clear message each, and what to do."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no bundle\n")
    source = worktree if what == "branch" else tmp_path / what
    with pytest.raises(UsageError) as caught:
        Repository.open(tmp_path / "state", str(source), "refs/heads/none" if what == "branch" else REF)
    assert caught.value.code == "E_REPOSITORY"
    assert caught.value.hint


def test_a_bundle_is_read_and_not_written(tmp_path: Path, worktree: Path) -> None:
    """A bundle gives its commits; a statement can not go into it."""
    bundle = tmp_path / "x.bundle"
    subprocess.run(["git", "-C", str(worktree), "bundle", "create", "-q", str(bundle), "main"], check=True)  # noqa: S607
    repository = Repository.open(tmp_path / "state", str(bundle), REF)
    assert set(repository.blobs(repository.tip)) == {"haproxy/web.yaml"}
    with pytest.raises(UsageError):
        repository.append_statement(b"{}", parent="", now=NOW)
    repository.close()


def test_a_linked_work_tree_is_a_source(tmp_path: Path, worktree: Path) -> None:
    """`git worktree add` makes a directory whose objects lie elsewhere."""
    linked = tmp_path / "linked"
    subprocess.run(["git", "-C", str(worktree), "worktree", "add", "-q", str(linked), "-b", "x"], check=True)  # noqa: S607
    assert parse_source(str(linked)).directory == (worktree / ".git").resolve()
    repository = Repository.open(tmp_path / "state", str(linked), REF)
    assert repository.tip
    repository.close()


def test_the_state_directory_can_not_be_written(tmp_path: Path, worktree: Path) -> None:
    """A place that is no directory is the operator's mistake."""
    (tmp_path / "state").write_text("")
    with pytest.raises(UsageError) as caught:
        Repository.open(tmp_path / "state", str(worktree), REF)
    assert caught.value.code == "E_STATE"


def test_times_are_written_in_utc() -> None:
    """A statement's times do not depend on the reviewer's time zone."""
    assert format_time(NOW) == "2027-03-01T00:00:00Z"
