"""Whether ssh-keygen and gpgv are there and new enough, asked once for each program and process.

Nothing is believed because of an answer here: a program that is too old could overlook something.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache

from haoam_sync.errors import UsageError
from haoam_sync.model.program import GPGV, SSH_KEYGEN

_TIMEOUT_S = 30
_UNKNOWN = b"nsupported operation for -Y"


def require_ssh_keygen() -> str:
    """Refuse an ssh-keygen that is missing or older than 8.9, which is told by an operation that 8.9 brought.

    Returns:
        Its path.

    Raises:
        UsageError: E_NO_SSH_KEYGEN, E_PROGRAM_VERSION.
    """
    path = shutil.which(SSH_KEYGEN.name)
    if path is None:
        raise UsageError("there is no ssh-keygen on the PATH", code="E_NO_SSH_KEYGEN", hint=SSH_KEYGEN.install)
    if not _knows_principals(path):
        raise SSH_KEYGEN.too_old("older")
    return path


def require_gpgv() -> str:
    """Refuse a gpgv that is missing or older than 2.2.

    Returns:
        Its version.

    Raises:
        UsageError: E_NO_GPG, E_PROGRAM_VERSION.
    """
    path = shutil.which(GPGV.name)
    if path is None:
        raise UsageError(
            "there is no gpgv on the PATH, and the trust policy lists OpenPGP keys", code="E_NO_GPG", hint=GPGV.install
        )
    return GPGV.require(_words_of_gpgv(path))


@lru_cache(maxsize=8)
def _knows_principals(path: str) -> bool:
    done = _run([path, "-Y", "match-principals", "-I", "nobody", "-f", os.devnull])
    return done is not None and _UNKNOWN not in done


@lru_cache(maxsize=8)
def _words_of_gpgv(path: str) -> str:
    return (_run([path, "--version"]) or b"").decode("utf-8", "replace").partition("\n")[0]


def _run(command: list[str]) -> bytes | None:
    """What it says; None when it does not end, or can not be started."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout
