"""git, ssh-keygen and gpgv must be there and new enough: every run asks, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from haoam_sync import settings, trust
from haoam_sync.errors import UsageError
from haoam_sync.model.program import GIT, Program
from haoam_sync.pipeline.opening import opened
from haoam_sync.repository import Repository, require_git

Fake = Callable[[str, str], None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Puts a program on the PATH that says something to whatever it is asked; "" takes all programs away."""

    def put(name: str, script: str) -> None:
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if name else str(tmp_path / "nothing"))
        if name:
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o700)

    return put


@pytest.mark.parametrize(
    ("words", "version"),
    [("git version 2.34.0", "2.34.0"), ("git version 2.39.5 (Apple Git-154)", "2.39.5"), ("git version 10.0", "10.0")],
)
def test_a_version_that_will_do(words: str, version: str) -> None:
    """Versions are compared as numbers, whatever stands around them."""
    assert GIT.require(words) == version


@pytest.mark.parametrize("words", ["git version 2.33.9", "git version 1.99", "", "no numbers"])
def test_a_version_that_will_not(words: str) -> None:
    """An old version, and one that is not told, are refused with what to install."""
    with pytest.raises(UsageError) as caught:
        GIT.require(words)
    assert (caught.value.code, caught.value.hint) == ("E_PROGRAM_VERSION", GIT.install)


def test_what_is_here_will_do() -> None:
    """The machine that runs these tests has all three."""
    assert require_git()
    assert trust.require_ssh_keygen()
    assert trust.require_gpgv()


def test_a_repository_is_not_read_by_an_old_git(fake: Fake, tmp_path: Path) -> None:
    """Opening a repository asks for git's version before anything else."""
    fake("git", "echo git version 2.30.2")
    with pytest.raises(UsageError) as caught:
        Repository.open(tmp_path / "state", str(tmp_path), "refs/heads/main")
    assert caught.value.code == "E_PROGRAM_VERSION"
    assert not (tmp_path / "state").exists()


def test_no_run_begins_with_an_old_ssh_keygen(fake: Fake, tmp_path: Path) -> None:
    """An ssh-keygen that does not know what 8.9 brought is refused at the start, before the host root file is read."""
    fake("ssh-keygen", "echo 'Unsupported operation for -Y: \"match-principals\"' >&2; exit 1")
    places = settings.resolve(str(tmp_path), str(tmp_path / "root.yaml"), str(tmp_path / "state"), None)
    with pytest.raises(UsageError) as caught, opened(places):
        pass
    assert caught.value.code == "E_PROGRAM_VERSION"


@pytest.mark.parametrize(
    ("name", "script", "code"),
    [
        ("gpgv", "echo 'gpgv (GnuPG) 2.0.22'", "E_PROGRAM_VERSION"),
        ("gpgv", "exit 1", "E_PROGRAM_VERSION"),
        ("", "", "E_NO_GPG"),
    ],
)
def test_an_old_gpgv_verifies_nothing(fake: Fake, name: str, script: str, code: str) -> None:
    """Gpgv is asked for its version before its first signature."""
    fake(name, script)
    with pytest.raises(UsageError) as caught:
        trust.require_gpgv()
    assert caught.value.code == code


@pytest.mark.parametrize(("ask", "code"), [(require_git, "E_NO_GIT"), (trust.require_ssh_keygen, "E_NO_SSH_KEYGEN")])
def test_a_program_that_is_missing(fake: Fake, ask: Callable[[], str], code: str) -> None:
    """What is not on the PATH is named, with what to install."""
    fake("", "")
    with pytest.raises(UsageError) as caught:
        ask()
    assert caught.value.code == code


def test_the_same_program_is_asked_once(fake: Fake, tmp_path: Path) -> None:
    """A second run in the same process starts no process for it."""
    fake("gpgv", f"echo asked >> {tmp_path}/log; echo 'gpgv (GnuPG) 2.4.5'")
    assert [trust.require_gpgv(), trust.require_gpgv()] == ["2.4.5", "2.4.5"]
    assert (tmp_path / "log").read_text() == "asked\n"


def test_two_and_three_numbers_compare() -> None:
    """2.2 asks for 2.2.0 or newer."""
    assert Program("x", "2.2", "").require("x 2.2") == "2.2"
