"""Attacks on the repository that commits are read from: what git believes and we do not."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest
from trust_world import REF, World, git

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.repository import Repository, parse_ref, parse_source
from haoam_sync.repository.process import GitProcess


def _reviewed(world: World, signer: str | None = "alice") -> str:
    head = world.move(world.commit(world.with_file(), [world.introduction], signer))
    world.review("bob", world.introduction, head)
    return head


# --- E_OID_MISMATCH --------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_OID_MISMATCH")
def test_a_replace_ref_in_the_source(world: World) -> None:
    """An unsigned commit that a replace ref shows as a signed one: what people see is not what is applied."""
    unsigned = _reviewed(world, None)
    signed = world.commit(world.with_file(), [world.introduction])
    git(world.repo, "replace", unsigned, signed)
    assert b"gpgsig" in git(world.repo, "cat-file", "commit", unsigned)  # git is deceived
    world.refused("E_OID_MISMATCH")


@pytest.mark.attack("E_OID_MISMATCH")
@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_a_replace_ref_in_front_of_what_was_reviewed(world: World, kind: str) -> None:
    """A replace ref in front of any object that is read is refused, by the id of that object."""
    head = _reviewed(world)
    place = {"commit": head, "tree": f"{head}^{{tree}}", "blob": f"{head}:docs/web.md"}[kind]
    target = git(world.repo, "rev-parse", place).decode().strip()
    other = {"commit": world.introduction, "tree": world.tree({"a": b"a"}), "blob": world.store("blob", b"evil\n")}[
        kind
    ]
    git(world.repo, "update-ref", f"refs/replace/{target}", other)
    assert world.refused("E_OID_MISMATCH").where == target


@pytest.mark.attack("E_OID_MISMATCH")
def test_a_replace_ref_in_our_own_copy(world: World) -> None:
    """A replace ref that somebody writes into our own copy changes nothing: the true commit is judged."""
    head = _reviewed(world)
    world.verify(world.introduction)
    ours = world.place / "state" / "repository.git"
    other = world.commit(world.with_file(content=b"x"), [world.introduction], None)
    unsigned = _store_in(ours, "commit", world.read(other))
    git(ours, "update-ref", f"refs/replace/{head}", unsigned)
    assert world.verify().commit.id == head


@pytest.mark.attack("E_OID_MISMATCH")
def test_git_that_follows_replace_refs_is_caught_by_hashing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were git to follow replace refs after all, the bytes would not hash to the id asked for."""
    head = _reviewed(world)
    world.verify(world.introduction)
    ours = world.place / "state" / "repository.git"
    other = world.commit(world.with_file(content=b"x"), [world.introduction], None)
    unsigned = _store_in(ours, "commit", world.read(other))
    git(ours, "update-ref", f"refs/replace/{head}", unsigned)
    fixed = GitProcess.__init__

    def deceived(self: GitProcess, options: object, **more: object) -> None:
        fixed(self, options, **more)  # type: ignore[arg-type]
        self._prefix = [part for part in self._prefix if not part.startswith("GIT_NO_REPLACE_OBJECTS")]

    monkeypatch.setattr(GitProcess, "__init__", deceived)
    assert world.refused("E_OID_MISMATCH").where == head


def _store_in(directory: Path, kind: str, content: bytes) -> str:
    return git(directory, "hash-object", "-w", "--literally", "-t", kind, "--stdin", stdin=content).decode().strip()


@pytest.mark.attack("E_OID_MISMATCH")
@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_an_object_swapped_on_disk(world: World, kind: str) -> None:
    """An object file that was exchanged in our copy holds other bytes than its id says."""
    head = _reviewed(world)
    world.verify(world.introduction)
    ours = world.place / "state" / "repository.git"
    place = {"commit": head, "tree": f"{head}^{{tree}}", "blob": f"{head}:docs/web.md"}[kind]
    target = git(world.repo, "rev-parse", place).decode().strip()
    evil = {"commit": world.read(world.introduction), "tree": b"", "blob": b"evil\n"}[kind]
    world.open().close()
    for pack in (ours / "objects" / "pack").iterdir():
        pack.rename(world.place / pack.name)
    for pack in sorted(world.place.glob("*.pack")):
        git(ours, "unpack-objects", "-q", stdin=pack.read_bytes())
    file = ours / "objects" / target[:2] / target[2:]
    file.chmod(0o600)
    file.write_bytes(zlib.compress(f"{kind} {len(evil)}\0".encode() + evil))
    assert world.refused("E_OID_MISMATCH").where == target


def test_a_twin_of_a_short_id_and_a_branch_of_that_name(world: World) -> None:
    """Whoever may push can make a commit whose id begins alike: then neither it nor a branch of the name is meant."""
    tree, seen = world.tree(world.with_file()), dict[str, bytes]()
    for number in range(200_000):
        payload = world.payload(tree, [world.introduction], message=f"{number}\n")
        short = hashlib.sha1(b"commit %d\0" % len(payload) + payload, usedforsecurity=False).hexdigest()[:7]
        if short in seen:
            break
        seen[short] = payload
    one, other = (world.store("commit", data) for data in (seen[short], payload))
    assert one[:7] == other[:7] == short
    repository = world.open()
    try:
        world.move(world.introduction, f"refs/heads/{short}")
        for oid in (one, other):
            world.move(oid, f"refs/heads/x-{oid}")
        assert repository.resolve(f"x-{one}") == one
        assert repository.resolve(short) == one
        assert repository.resolve(f"x-{other}") == other
        with pytest.raises(UsageError, match="several commits"):
            repository.resolve(short)
    finally:
        repository.close()


# --- E_REPO_STATE, E_SHALLOW, E_REPO_CONFIG --------------------------------------------------------------------------


@pytest.mark.attack("E_REPO_STATE")
@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("name", ["info/grafts", "objects/info/alternates"])
def test_grafts_and_alternates(world: World, name: str, ours: bool) -> None:  # noqa: FBT001  # pytest's parametrize
    """A repository that shows another history than its objects, or objects from elsewhere, is refused."""
    _reviewed(world)
    world.verify(world.introduction)
    directory = world.place / "state" / "repository.git" if ours else world.repo
    (directory / name).parent.mkdir(exist_ok=True)
    (directory / name).write_text("" if name == "info/grafts" else f"{world.repo / 'objects'}\n")
    world.refused("E_REPO_STATE")


@pytest.mark.attack("E_SHALLOW")
def test_a_shallow_source(world: World) -> None:
    """A clone without its history can not be checked."""
    world.accepted_change()
    shallow = world.place / "shallow"
    git(world.place, "clone", "-q", "--bare", "--depth=1", f"file://{world.repo}", str(shallow))
    world.source = shallow
    world.refused("E_SHALLOW")


@pytest.mark.attack("E_REPO_CONFIG")
def test_our_own_configuration_is_changed(world: World) -> None:
    """The configuration of our copy is exactly what we wrote."""
    world.verify()
    config = world.place / "state" / "repository.git" / "config"
    config.write_text(config.read_text() + "[core]\n\tsshCommand = touch marker\n")
    world.refused("E_REPO_CONFIG")


@pytest.mark.attack("E_REPO_STATE")
@pytest.mark.parametrize("ours", [True, False])
def test_a_configuration_that_lies_elsewhere(world: World, tmp_path: Path, ours: bool) -> None:  # noqa: FBT001  # pytest's
    """A file `commondir` makes git take configuration and hooks of another directory: refused, and nothing runs."""
    world.verify()
    marker, other = tmp_path / "marker", tmp_path / "other.git"
    git(tmp_path, "init", "-q", "--bare", str(other))
    hook = other / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    git(other, "config", "core.hooksPath", str(hook.parent))
    world.review("bob", world.introduction, world.move(world.commit(world.with_file(), [world.introduction])))
    directory = world.place / "state" / "repository.git" if ours else world.repo
    (directory / "commondir").write_text(f"{other}\n")
    world.refused("E_REPO_STATE")
    assert not marker.exists()


@pytest.mark.attack("E_REPO_CONFIG")
def test_a_source_whose_configuration_runs_programs(world: World, tmp_path: Path) -> None:
    """Programs that the source's own configuration, hooks and attributes name are never run."""
    marker = tmp_path / "marker"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {marker}\nexit 1\n")
    program.chmod(0o755)
    included = tmp_path / "included"
    included.write_text(f"[core]\n\tfsmonitor = {program}\n")
    for name, value in (
        ("gpg.program", program),
        ("gpg.ssh.program", program),
        ("core.fsmonitor", program),
        ("core.sshCommand", program),
        ("core.hooksPath", tmp_path / "hooks"),
        ("core.gitProxy", program),
        ("uploadpack.packObjectsHook", program),
        ("credential.helper", program),
        ("include.path", included),
        ("url./nowhere.insteadOf", world.repo),
    ):
        git(world.repo, "config", name, str(value))
    for folder in (world.repo / "hooks", tmp_path / "hooks"):
        folder.mkdir(exist_ok=True)
        for hook in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction", "proc-receive"):
            (folder / hook).write_bytes(program.read_bytes())
            (folder / hook).chmod(0o755)
    head = world.commit(world.with_file(), [world.introduction])
    (world.repo / "refs/heads/main").write_text(head + "\n")
    marker.unlink(missing_ok=True)
    world.review("bob", world.introduction, head)
    assert world.verify().commit.id == head
    assert not marker.exists()


def test_the_callers_environment_has_no_say(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that steer git do not reach it."""
    head = _reviewed(world)
    marker = world.place / "marker"
    for name, value in (
        ("GIT_DIR", "/nowhere"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/nowhere"),
        ("GIT_CONFIG_PARAMETERS", "'core.fsmonitor'='touch " + str(marker) + "'"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", f"touch {marker}"),
        ("GIT_SSH_COMMAND", f"touch {marker}"),
        ("GIT_NAMESPACE", "elsewhere"),
        ("GIT_REPLACE_REF_BASE", "refs/heads/"),
    ):
        monkeypatch.setenv(name, value)
    repository = world.open()
    try:
        assert repository.tip == head
        assert repository.blobs(head)["docs/web.md"] == b"two\n"
    finally:
        repository.close()
    assert not marker.exists()


# --- E_REMOTE_URL, E_REF_NAME ----------------------------------------------------------------------------------------


@pytest.mark.attack("E_REMOTE_URL")
@pytest.mark.parametrize(
    "source",
    [
        "ext::sh -c touch% marker",
        "fd::7",
        "-oProxyCommand=touch marker",
        "--upload-pack=touch marker",
        "ssh://-oProxyCommand=touch/x",
        "ssh://host/$HOME/x",
        "git@-oProxyCommand=x:y",
        "git@host:-x/y",
        "https://user:password@host/x.git",
        "http://host/x.git",
        "git://host/x.git",
        "ftp://host/x.git",
        "https://host/x y",
        "https://host/`id`",
        "/tmp/$HOME",
        "",
    ],
)
def test_a_source_that_would_run_something(tmp_path: Path, source: str) -> None:
    """Only plain paths, file, https and ssh are read from; everything else is refused before git sees it."""
    with pytest.raises(NotTrustedError) as caught:
        Repository.open(tmp_path / "state", source, REF)
    assert caught.value.code == "E_REMOTE_URL"
    assert not (tmp_path / "marker").exists()


@pytest.mark.attack("E_REMOTE_URL")
def test_a_source_that_the_host_does_not_list(world: World) -> None:
    """Where the host root file lists remotes, no other is read."""
    with pytest.raises(NotTrustedError) as caught:
        Repository.open(
            world.place / "state", str(world.repo), REF, remotes=["https://example.com/x.git", "/elsewhere/"]
        )
    assert caught.value.code == "E_REMOTE_URL"
    for listed in (str(world.repo), f"file://{world.repo}", f"{world.place}/"):  # the controls
        Repository.open(world.place / "state", str(world.repo), REF, remotes=[listed]).close()


@pytest.mark.attack("E_REMOTE_URL")
def test_a_directory_that_is_called_like_a_listed_remote(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listed URL allows no path of that name, and a listed directory without `/` nothing below it."""
    place = tmp_path / "https:" / "example.com"
    place.mkdir(parents=True)
    world.repo.rename(place / "x.git")
    monkeypatch.chdir(tmp_path)
    for source, listed in ((str(place / "x.git"), "https://example.com/x.git"), (str(place / "x.git"), str(place))):
        with pytest.raises(NotTrustedError) as caught:
            parse_source(source, [listed])
        assert caught.value.code == "E_REMOTE_URL"
    assert parse_source(str(place / "x.git"), [f"{place}/"]).local


def test_a_file_that_points_to_a_repository_is_none(world: World, tmp_path: Path) -> None:
    """Git takes a file that says `gitdir:` for a way to somewhere else; as a source it is no bundle, and refused."""
    file = tmp_path / "lb.bundle"
    file.write_text(f"gitdir: {world.repo}\n")
    with pytest.raises(UsageError, match="no git repository"):
        parse_source(str(file))


@pytest.mark.attack("E_REF_NAME")
@pytest.mark.parametrize(
    "name",
    [
        "main",
        "refs/tags/v1",
        "refs/heads/-x",
        "refs/heads/a..b",
        "refs/heads/a b",
        "refs/heads/x.lock",
        "refs/heads/x.",
        "refs/heads/x./y",
    ],
)
def test_a_branch_with_a_strange_name(name: str) -> None:
    """The branch is named in full, of harmless characters."""
    with pytest.raises(NotTrustedError) as caught:
        parse_ref(name)
    assert caught.value.code == "E_REF_NAME"


# --- offline ---------------------------------------------------------------------------------------------------------


def _bundle(world: World, *refs: str) -> Path:
    file = world.place / "carried.bundle"
    git(world.repo, "bundle", "create", "-q", str(file), *refs)
    return file


def test_control_an_offline_bundle(world: World) -> None:
    """A bundle carried by hand goes through the same code, and is accepted."""
    head = _reviewed(world)
    world.source = _bundle(world, "refs/heads/main", "refs/heads/haoam/attestations")
    assert world.verify().commit.id == head


@pytest.mark.attack("E_THRESHOLD")
def test_an_offline_bundle_without_the_review(world: World) -> None:
    """The same bundle without the statements is refused."""
    _reviewed(world)
    world.source = _bundle(world, "refs/heads/main")
    world.refused("E_THRESHOLD")


def test_a_missing_commit_is_the_users_mistake(world: World) -> None:
    """A commit that is not there gives one clear message, and no refusal of trust."""
    repository = world.open()
    try:
        for revision in ("0" * 40, "nowhere", "abcdef1", "main~1", "--all"):
            with pytest.raises(UsageError) as caught:
                repository.resolve(revision)
            assert caught.value.code == "E_NO_COMMIT"
    finally:
        repository.close()


def test_commits_are_found_by_full_id_short_id_branch_and_head(world: World) -> None:
    """What people write for a commit is understood."""
    head = _reviewed(world)
    side = world.commit(world.with_file(content=b"side\n"), [head])
    world.move(side, "refs/heads/feature/side")
    repository = world.open()
    try:
        assert {repository.resolve(name) for name in (head, head[:10], "main", REF, "HEAD", "")} == {head}
        assert {repository.resolve(name) for name in ("feature/side", side, side[:12])} == {side}
    finally:
        repository.close()


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_reading_leaves_no_process_and_no_open_file(world: World) -> None:
    """A repository that is closed leaves nothing behind."""
    before = _open_files()
    repository = world.open()
    assert set(repository.blobs(world.introduction)) == {"trust.yaml", "haoam.yaml", "docs/web.md"}
    assert _open_files() > before
    repository.close()
    assert _open_files() == before
