"""Which version of another program is there, and whether it is new enough."""

from __future__ import annotations

import re
from dataclasses import dataclass

from haoam_sync.errors import UsageError

_VERSION = re.compile(r"(?<![0-9])[0-9]+(?:\.[0-9]+)+")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is needed.

    Attributes:
        name: as it is started.
        least: the oldest version that will do, `2.34`.
        install: what to do when it is missing or older.
    """

    name: str
    least: str
    install: str

    def require(self, words: str) -> str:
        """The version in what the program says of itself.

        Raises:
            UsageError: E_PROGRAM_VERSION, it is too old, or says none.
        """
        found = _VERSION.search(words)
        if found is None or _numbers(found[0]) < _numbers(self.least):
            raise self.too_old(found[0] if found is not None else "a version that it does not tell")
        return found[0]

    def too_old(self, version: str) -> UsageError:
        """The refusal of an older one."""
        return UsageError(
            f"{self.name} is {version}; {self.least} or newer is needed", code="E_PROGRAM_VERSION", hint=self.install
        )


GIT = Program("git", "2.34", "install git 2.34 or newer")
SSH_KEYGEN = Program("ssh-keygen", "8.9", "install OpenSSH 8.9 or newer (Debian: openssh-client)")
GPGV = Program("gpgv", "2.2", "install GnuPG 2.2 or newer (Debian: gnupg, gpgv)")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
