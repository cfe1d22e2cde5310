"""The user's own work tree: the one place where git runs with what the user configured, because the user asked for it.

Used by `trust init` and the demo to make signed commits; nothing here has a part in deciding about trust.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from haoam_sync.errors import UsageError
from haoam_sync.repository.process import GitFailedError, GitProcess

_OF_GPG = ("GNUPGHOME", "GPG_TTY", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR")
"""Where the user's keys are, and where gpg may ask for a passphrase."""


def commit_signed(
    worktree: Path,
    paths: Sequence[str],
    message: str,
    *,
    key: Path | str,
    name: str,
    email: str,
    parents: Sequence[str] = (),
) -> str:
    """Add `paths` of a work tree and commit them, signed.

    Args:
        worktree: the work tree's top directory; a repository is made when there is none.
        paths: what to add, relative to it; deleted files count.
        message: of the commit.
        key: file of an SSH private key, or of a public one whose private key an agent holds; a fingerprint is that of
            an OpenPGP key that the user's gpg has.
        name: author and committer.
        email: of both.
        parents: commits to merge with (`git merge --no-ff`) before anything is added; usually none.

    Returns:
        The id of the new commit.

    Raises:
        UsageError: git refused, in its words.
    """
    identity = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
    settings = (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        *(
            (f"user.signingKey={key}", "gpg.format=openpgp", "gpg.program=gpg")
            if isinstance(key, str)
            else (f"user.signingKey={key.resolve()}", "gpg.format=ssh")
        ),
    )
    options = ["-C", str(worktree), *(part for setting in settings for part in ("-c", setting))]
    passed = {name: os.environ[name] for name in _OF_GPG if name in os.environ}
    git = GitProcess(options, extra=identity | passed)
    try:
        if not (worktree / ".git").exists():
            git.run("init", "--quiet", "--initial-branch=main", "--template=")
        if parents:
            git.run("merge", "--quiet", "--no-ff", "-S", "--no-edit", "-m", message, *parents)
        if paths:
            git.run("add", "--all", "--", *paths)
            git.run("commit", "--quiet", "-S", "--no-verify", "-m", message)
        return git.run("rev-parse", "HEAD").decode().strip()
    except GitFailedError as error:
        raise UsageError(
            f"git would not commit: {error.words}",
            code="E_REPOSITORY",
            where=str(worktree),
            hint="see `git status` there",
        ) from error
