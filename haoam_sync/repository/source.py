"""Where a repository may come from: a local path, or a URL of an allowed kind. No I/O beyond looking at local paths.

git's own idea of a source runs programs (`ext::`, options that begin with `-`, `core.sshCommand`), so a source is
parsed here into one of a few shapes before git sees it, and what does not parse is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from haoam_sync.errors import NotTrustedError, UsageError

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_USER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PATH = r"[A-Za-z0-9_.~+@/-]+"
_HTTPS = re.compile(rf"https://{_HOST}(?::[0-9]{{1,5}})?/{_PATH}")
_LOOPBACK_HTTP = re.compile(rf"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{{1,5}})?/{_PATH}")
_SSH = re.compile(rf"ssh://(?:{_USER}@)?{_HOST}(?::[0-9]{{1,5}})?/{_PATH}")
_SCP = re.compile(rf"{_USER}@{_HOST}:(?!-){_PATH}")
_FILE = re.compile(rf"file://(/{_PATH})")
_REF = re.compile(r"refs/heads/[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")

_BUNDLES = (b"# v2 git bundle\n", b"# v3 git bundle\n")
_ALLOWED = "a local path, file:///PATH, https://HOST/PATH, ssh://HOST/PATH or USER@HOST:PATH"


@dataclass(frozen=True, slots=True)
class Source:
    """A repository to read from.

    Attributes:
        url: what git is given: a URL, or an absolute path.
        directory: the git directory of a local repository; None for a URL over a network and for a bundle.
        local: whether `url` is a path on this machine.
    """

    url: str
    directory: Path | None
    local: bool

    @property
    def is_clone(self) -> bool:
        """Whether it is a work tree of somebody's own, not a repository that several people share."""
        return self.directory is not None and self.directory.name == ".git"

    @property
    def work_tree(self) -> Path | None:
        """Where somebody edits the files of a local repository; None where nobody does."""
        return self.directory.parent if self.directory is not None and self.directory.name == ".git" else None


def parse_source(text: str, allowed: Collection[str] = ()) -> Source:
    """Read a source that the operator named.

    Args:
        text: a path or a URL.
        allowed: when not empty, `text` must be one of these (paths compared after resolving links), or lie in a
            directory that is listed with `/` at its end.

    Raises:
        NotTrustedError: E_REMOTE_URL, its kind or form is not allowed, or it is not among `allowed`.
        UsageError: a local path that is not there.
    """
    if not text.isprintable() or not text or text.startswith("-") or any(c in "$`\\\"'" for c in text):
        raise _refused(text, "it is empty, begins with '-', or holds a character that a shell would read")
    if file := _FILE.fullmatch(text):
        source = _local(Path(file[1]))
    elif "://" in text or "::" in text:
        if not (_HTTPS.fullmatch(text) or _SSH.fullmatch(text)):
            raise _refused(text, "its kind or form is not allowed")
        source = Source(text, None, local=False)
    elif ":" in text.partition("/")[0] and not Path(text).exists():
        if not _SCP.fullmatch(text):
            raise _refused(text, "its kind or form is not allowed")
        source = Source(text, None, local=False)
    else:
        source = _local(Path(text))
    if allowed and not any(_matches(source, entry) for entry in allowed):
        listed = ", ".join(sorted(map(_shown, allowed)))
        raise NotTrustedError(
            f"{_shown(text)} is not among the remotes of the host root file",
            code="E_REMOTE_URL",
            where=_shown(text),
            hint=f"use one of {listed}, or add this one to `remotes` in the host root file",
        )
    return source


def parse_ref(text: str) -> str:
    """A full branch name, `refs/heads/...`, of harmless characters.

    Raises:
        NotTrustedError: E_REF_NAME.
    """
    if _REF.fullmatch(text) and ".." not in text and not re.search(r"(?:\.lock|\.)(?:/|$)", text):
        return text
    raise NotTrustedError(
        f"{text!r} is no full name of a branch",
        code="E_REF_NAME",
        where=text,
        hint="write it as refs/heads/NAME, with letters, digits and . _ + - only",
    )


def _refused(text: str, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"{_shown(text)!r} is no place to read from: {why}",
        code="E_REMOTE_URL",
        hint=f"use {_ALLOWED}; a token is named by `source.token` in the host root file",
    )


def _shown(text: str) -> str:
    """A source as messages may show it: without what may be a password or a token."""
    text = re.sub(r"//[^/]*@", "//(hidden)@", text)
    text = re.sub(r"^[^/:]*:[^/]*@", "(hidden)@", text)
    return re.sub(r"[?#].*", "?(hidden)", text, flags=re.DOTALL)


def _local(path: Path) -> Source:
    real = path.resolve()
    if _is_bundle(real):
        return Source(str(real), None, local=True)
    directory = _git_directory(real) if real.is_dir() else None
    if directory is None:
        top = next((one for one in real.parents if (one / ".git").exists()), None)
        raise UsageError(
            f"there is no git repository at {path}",
            code="E_REPOSITORY",
            where=str(real),
            hint=f"it lies in the one at {top}: name that with --repo or HAOAM_REPO, or run there"
            if top is not None
            else "name a repository, its bare copy or a bundle with --repo or HAOAM_REPO; git init makes one",
        )
    return Source(str(real), directory, local=True)


def _is_bundle(real: Path) -> bool:
    """Whether it is a file that begins as git's bundles do; git would take other files for signposts elsewhere."""
    if not real.is_file():
        return False
    with real.open("rb") as file:
        return file.read(len(_BUNDLES[0])) in _BUNDLES


def _git_directory(real: Path) -> Path | None:
    """The directory that holds `objects`: of a work tree, a linked work tree, or a bare repository."""
    dot = real / ".git"
    if dot.is_file():  # a linked work tree: "gitdir: PATH", and there a file `commondir`
        named = dot.read_text(encoding="utf-8", errors="replace").removeprefix("gitdir:").strip()
        private = (real / named).resolve()
        common = private / "commondir"
        directory = (private / common.read_text(encoding="utf-8").strip()).resolve() if common.is_file() else private
    else:
        directory = dot if dot.is_dir() else real
    return directory if (directory / "objects").is_dir() else None


def _matches(source: Source, entry: str) -> bool:
    if not source.local:
        return source.url == entry
    if file := _FILE.fullmatch(entry):
        entry = file[1]
    if "://" in entry:
        return False
    path = Path(entry).resolve()
    real = Path(source.url)
    return real == path or (entry.endswith("/") and path in real.parents)
