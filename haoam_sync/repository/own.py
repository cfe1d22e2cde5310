"""Our own bare repository's directory: its configuration is written here, and any other is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.repository.process import private_directory, shallow

_CONFIG = """\
# written by haoam-sync; any other content is refused
[core]
\trepositoryformatversion = 0
\tfilemode = false
\tbare = true
\thooksPath = /dev/null
\tfsmonitor = false
\tcommitGraph = false
\tmultiPackIndex = false
\tlogAllRefUpdates = false
[advice]
\tgraftFileDeprecated = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[fetch]
\trecurseSubmodules = false
\twriteCommitGraph = false
[protocol]
\tallow = never
[protocol "file"]
\tallow = always
[protocol "https"]
\tallow = always
[protocol "ssh"]
\tallow = always
"""

_FORBIDDEN_FILES: Final = ("info/grafts", "objects/info/alternates", "objects/info/http-alternates", "commondir")
"""`commondir` names another directory, whose configuration and objects git takes in place of these."""


def prepare(directory: Path) -> None:
    """Make our bare repository, or check that it is as we made it.

    Raises:
        NotTrustedError: E_REPO_CONFIG, its configuration is another; E_REPO_STATE, E_SHALLOW.
        UsageError: it cannot be made.
    """
    config = directory / "config"
    try:
        if not config.exists():
            for part in (".", "objects/info", "objects/pack", "refs/heads"):
                private_directory(directory / part)
            (directory / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
            config.write_text(_CONFIG, encoding="ascii")
        elif config.read_text(encoding="utf-8") != _CONFIG:
            raise NotTrustedError(
                "the configuration of our own copy of the repository was changed",
                code="E_REPO_CONFIG",
                where=str(config),
                hint=f"find out who did it; remove {directory}, it is fetched again on the next run",
            )
    except OSError as error:
        raise UsageError(
            f"the copy of the repository cannot be made: {error.strerror}",
            code="E_STATE",
            where=str(directory),
            hint="name a directory of your own with --state or HAOAM_STATE",
        ) from error
    check_files(directory, str(directory))


def check_files(directory: Path, where: str) -> None:
    """Refuse what makes git see another history than the objects hold.

    Raises:
        NotTrustedError: E_REPO_STATE, E_SHALLOW.
    """
    if (directory / "shallow").exists():
        raise shallow(where)
    for name in _FORBIDDEN_FILES:
        if (directory / name).exists():
            raise NotTrustedError(
                f"the repository has {name}: git would show another history, or take what lies elsewhere",
                code="E_REPO_STATE",
                where=where,
                hint="make a plain clone, without --shared or --reference, and name that",
            )
