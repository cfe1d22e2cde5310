"""A user and a token for an https source, handed to git so that nobody else sees them.

git asks a program for both (`GIT_ASKPASS`). Ours is written for one run, into a directory that only this account may
enter: it answers the two questions about the host of the source and no other, and reads the token from a file there.
So the token is in no argument, no URL, no environment and no message. No redirect is followed with it.

https://git-scm.com/docs/gitcredentials
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_SCRIPT = """\
#!/bin/sh
case "$1" in
{username}) printf '%s\\n' {user} ;;
{password}) cat {token} ;;
*) exit 1 ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Login:
    """Who reads and writes an https source.

    Attributes:
        user: name; of a token on GitHub, any.
        token: the password. Secret.
        ca: file with the PEM of the only authorities to believe; None for the system's.
    """

    user: str
    token: str = field(repr=False)
    ca: Path | None = None

    def is_for(self, url: str) -> bool:
        """Whether a source is one that asks for it."""
        return url.startswith("https://")


class Askpass:
    """The program that git asks, for one source."""

    def __init__(self, url: str, login: Login) -> None:
        """`url`: of the source, as `parse_source` reads it."""
        self._directory = tempfile.TemporaryDirectory(prefix="haoam-")
        place = Path(self._directory.name)
        token, program = place / "token", place / "askpass"
        host = urlsplit(url).netloc
        _write(token, login.token + "\n", 0o600)
        script = _SCRIPT.format(
            username=shlex.quote(f"Username for 'https://{host}': "),
            password=shlex.quote(f"Password for 'https://{login.user}@{host}': "),
            user=shlex.quote(login.user),
            token=shlex.quote(str(token)),
        )
        _write(program, script, 0o700)
        self._program = program
        self._ca = login.ca

    @property
    def environment(self) -> Mapping[str, str]:
        """What git's environment has more: the name of the program, and nothing secret."""
        return {"GIT_ASKPASS": str(self._program)}

    @property
    def options(self) -> tuple[str, ...]:
        """What git is told more."""
        ca = ("-c", f"http.sslCAInfo={self._ca}") if self._ca is not None else ()
        return ("-c", "http.followRedirects=false", *ca)

    def close(self) -> None:
        """Take it away."""
        self._directory.cleanup()


def _write(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
