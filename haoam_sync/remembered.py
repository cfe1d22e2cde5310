"""Adapter: what blobs were read to, remembered in the state directory, so that a load reads only what is new.

A cache must not be a way in. So:

R1  An entry is found by the SHA-256 of the blob's whole content, worked out from the content itself: git's own SHA-1
    name could be met by another content.
R2  The file names the tool that wrote it: a digest over every source file of this package, the versions of Python and
    of the libraries that read and check. Another tool's file is not read.
R3  The file carries an HMAC-SHA256 under a key that only this host has, checked before a byte of it is parsed. It lies
    in a directory of mode 0700, is a plain file of mode 0600, and both belong to this account.
R4  It holds JSON, so that reading it can run nothing.
R5  Only what a trusted commit holds is written. What a run reads of any other is known to that run alone (`Reading`).
R6  Whatever is odd about it, it counts as not there: then everything is read anew, and the file is replaced.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import platform
import stat
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

from haoam_sync.errors import HaoamError
from haoam_sync.model.json import Json
from haoam_sync.state import write_synced

_FILE = "documents.json"
_PURPOSE = b"haoam remembered documents 1"
_MOST_BYTES = 256 * 1024 * 1024
_MOST_ENTRIES = 100_000
"""Beyond, what this run did not use is forgotten."""
_MOST_COMMITS = 8
"""So many commits of a run share what was read for them."""
_LIBRARIES = ("pydantic", "pydantic-core", "ruamel.yaml", "ruamel.yaml.clib")


class Remembered:
    """Entries by the content that they were made of.

    Args:
        directory: of the cache; made with mode 0700.
        secret: a key that only this host has; called when the file is looked at.
    """

    def __init__(self, directory: Path, secret: Callable[[], bytes]) -> None:
        self._directory = directory
        self._secret = secret
        self._entries: dict[str, Json] | None = None
        self._used: set[str] = set()
        self._new = False

    def get(self, scope: str, content: bytes) -> Json:
        """What `content` was read to; None when that is not known.

        Args:
            scope: what else the entry depends on.
            content: the whole blob.
        """
        return self.find(_key(scope, content))

    def find(self, key: str) -> Json:
        """What is remembered under a key; None for nothing."""
        found = self._known().get(key)
        if found is not None:
            self._used.add(key)
        return found

    def put(self, scope: str, content: bytes, entry: Json) -> None:
        """Remember what `content` was read to."""
        self.set(_key(scope, content), entry)

    def set(self, key: str, entry: Json) -> None:
        """Remember an entry under its key."""
        self._known()[key] = entry
        self._used.add(key)
        self._new = True

    def save(self) -> None:
        """Write what is new. A cache that cannot be written is no error: the next load takes longer."""
        if not self._new:
            return
        entries = self._known()
        if len(entries) > _MOST_ENTRIES:
            entries = {key: entry for key, entry in entries.items() if key in self._used}
        body = json.dumps({"tool": tool(), "entries": entries}, separators=(",", ":")).encode()
        with suppress(OSError, HaoamError):
            self._directory.mkdir(mode=0o700, exist_ok=True)
            if self._own(os.lstat(self._directory), stat.S_ISDIR):
                write_synced(self._directory / _FILE, self._mac(body) + b"\n" + body)
                self._new = False

    def _known(self) -> dict[str, Json]:
        if self._entries is None:
            self._entries = self._read()
        return self._entries

    def _read(self) -> dict[str, Json]:
        """R2, R3, R6."""
        try:
            if not self._own(os.lstat(self._directory), stat.S_ISDIR):
                return {}
            descriptor = os.open(self._directory / _FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(file.fileno())
                if not self._own(status, stat.S_ISREG) or status.st_size > _MOST_BYTES:
                    return {}
                mac, _, body = file.read(_MOST_BYTES).partition(b"\n")
            if not hmac.compare_digest(mac, self._mac(body)):
                return {}
            document = json.loads(body)
            if document["tool"] != tool():
                return {}
            return dict(document["entries"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError, HaoamError):
            return {}

    @staticmethod
    def _own(status: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
        return is_kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077

    def _mac(self, body: bytes) -> bytes:
        key = hmac.digest(self._secret(), _PURPOSE, hashlib.sha256)
        return hmac.digest(key, body, hashlib.sha256).hex().encode()


class Reading:
    """What one run knows: what is remembered, and what it has read itself, by the commit that it read it for.

    To prove a commit it must be read, when nobody trusts it yet. What was read then is written when it is trusted.

    Args:
        remembered: by earlier runs.
    """

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._read = OrderedDict[str, dict[str, Json]]()  # by commit, the one read last at the end

    def of(self, commit: str) -> OfCommit:
        """The memory for reading one commit. What was read for others long ago is forgotten: history is long."""
        own = self._read.setdefault(commit, {})
        self._read.move_to_end(commit)
        while len(self._read) > _MOST_COMMITS:
            self._read.popitem(last=False)
        return OfCommit(self._remembered, own, tuple(reversed(self._read.values())))

    def keep(self, commit: str) -> None:
        """Write what was read for a commit: it is trusted."""
        for key, entry in self._read.pop(commit, {}).items():
            self._remembered.set(key, entry)
        self._remembered.save()


class OfCommit:
    """What a run knows, for reading one commit; made by `Reading`."""

    def __init__(self, remembered: Remembered, own: dict[str, Json], read: Sequence[Mapping[str, Json]]) -> None:
        self._remembered = remembered
        self._own = own
        self._read = read

    def get(self, scope: str, content: bytes) -> Json:
        """What `content` was read to; None when that is not known."""
        key = _key(scope, content)
        found = next((read[key] for read in self._read if key in read), None)
        if found is None:
            return self._remembered.find(key)
        self._own[key] = found
        return found

    def put(self, scope: str, content: bytes, entry: Json) -> None:
        """`content` was read to this."""
        self._own[_key(scope, content)] = entry


def _key(scope: str, content: bytes) -> str:
    return f"{scope}:{hashlib.sha256(content).hexdigest()}"


@cache
def tool() -> str:
    """R2: what reads and checks, as one digest."""
    found = hashlib.sha256(platform.python_version().encode())
    for name in _LIBRARIES:
        found.update(f"\0{name}={_version(name)}".encode())
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        found.update(f"\0{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "none"
