"""haproxy.cfg on disk: its two header lines, who wrote it last, and edits by somebody else."""

from __future__ import annotations

import hashlib
from pathlib import Path

from haoam_sync.haproxycfg import with_explicit_defaults
from haoam_sync.lab.document import Document, header_version, without_header
from haoam_sync.model.api_version import ApiVersion

EDITED_PREAMBLE = (
    "# Dataplaneapi managed File\n# changing file directly can cause a conflict if dataplaneapi is running\n"
)
"""What the server writes above a file that it found edited."""


class ConfigurationFile:
    """The file that HAProxy loads. Not safe for threads: the engine holds its lock.

    Attributes:
        written: the text that the lab wrote last.
    """

    def __init__(self, path: Path, api: ApiVersion) -> None:
        self._path = path
        self._api = api
        self.written = ""
        self._signature = (0, 0, 0)

    def text(self) -> str:
        """What is there now."""
        return self._path.read_text(encoding="utf-8")

    def load(self) -> tuple[Document, int]:
        """The configuration and its version; 1 when it does not say.

        Every proxy gets a `from`, so that in the normal form none follows another `defaults` than before.
        """
        text = self.text()
        body = without_header(text).removeprefix(EDITED_PREAMBLE)
        return Document.read(with_explicit_defaults(body), self._api), header_version(text) or 1

    def write(self, text: str) -> None:
        """Replace the file, in one step."""
        temporary = self._path.with_suffix(".cfg.new")
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
        temporary.replace(self._path)
        self.written = text
        self._signature = self._sign()

    def touched(self) -> bool:
        """Whether the file is another one than after the last look or write. Costs one `stat`.

        Raises:
            OSError: it is not there.
        """
        return self._sign() != self._signature

    def edited(self) -> bool:
        """Whether it says something else than what the lab wrote; asked again, it takes the edit for known."""
        self._signature = self._sign()
        return self.text() != self.written

    def _sign(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size


def headed(document: Document, version: int) -> str:
    """The file's text: the sum of everything after the first line, the version, and the configuration."""
    rest = f"# _version={version}\n{document.text()}"
    return f"# _md5hash={checksum(rest)}\n{rest}"


def checksum(text_after_first_line: str) -> str:
    """`Configuration-Checksum`: the MD5 of the text after its first line."""
    return hashlib.md5(text_after_first_line.encode(), usedforsecurity=False).hexdigest()


def checksum_of(text: str) -> str:
    """The checksum of a whole text, header lines included."""
    return checksum(text.partition("\n")[2])
