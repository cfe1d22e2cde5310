"""The one place that runs git, by way of GitPython.

GitPython starts the processes and carries bytes; nothing that it parses is believed. Every process gets an environment
written here from nothing (`env -i`): no variable of the caller's, no system or user configuration, no replace refs, no
grafts, no prompts, and only the transports of `source.py`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from subprocess import PIPE

from git.cmd import Git
from git.exc import GitCommandError, GitCommandNotFound

from haoam_sync.errors import HaoamError, NotTrustedError, UsageError
from haoam_sync.model.program import GIT

_PASSED = ("PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "https_proxy", "no_proxy")
"""What a process may see of the operator's environment."""

_FIXED: Mapping[str, str] = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_ALLOW_PROTOCOL": "file:https:ssh",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oClearAllForwardings=yes -oPermitLocalCommand=no",
}

LOCAL_PROGRAM = (
    "env GIT_GRAFT_FILE=/dev/null GIT_NO_REPLACE_OBJECTS=1 "
    "git -c core.fsmonitor=false -c core.hooksPath=/dev/null -c receive.autogc=false "
    "-c advice.graftFileDeprecated=false {program}"
)
"""How `upload-pack` and `receive-pack` are started on a local source, whose configuration and hooks are not ours."""

MOST_BYTES = 32 << 20
"""An object larger than this is refused unread, whatever a policy allows."""
MOST_TOGETHER = 256 << 20
"""Objects asked for together that have more than this are refused: a few kilobytes can unfold to gigabytes."""
_MOST_SHOWN = 5
"""Branches that a message names."""
_BATCH = 1000
"""Ids written before answers are read: 41 bytes each, so that they fit into a pipe's buffer of 64 KiB."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every git process, from nothing."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {"PATH": os.defpath, **passed, **_FIXED, **(extra or {})}


class GitProcess:
    """git on one directory."""

    def __init__(self, options: Sequence[str], *, timeout: float = 120, extra: Mapping[str, str] | None = None) -> None:
        """`options` stand before the command (`--git-dir=...`, `-C ...`); `timeout` is in seconds."""
        self._git = Git()
        pairs = [f"{name}={value}" for name, value in environment(extra).items()]
        self._prefix = ["env", "-i", *pairs, "git", *options]
        self._timeout = timeout
        self._reader: Git.AutoInterrupt | None = None
        self._lock = threading.Lock()

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """The standard output of one command.

        Raises:
            GitFailedError: it ended with another code than 0, or ran longer than the time-out.
            UsageError: there is no git.
        """
        with tempfile.TemporaryFile() as file:
            file.write(stdin)
            file.seek(0)
            try:
                output = self._git.execute(
                    [*self._prefix, *arguments],
                    istream=file,
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                    kill_after_timeout=self._timeout,
                )
            except GitCommandNotFound as error:
                raise _no_git() from error
            except GitCommandError as error:
                raise GitFailedError(arguments, error.status, str(error.stderr)) from error
        return output if isinstance(output, bytes) else str(output).encode()

    def succeeds(self, *arguments: str) -> bool:
        """Whether a command that answers by its exit code says yes.

        Raises:
            UsageError: there is no git.
        """
        try:
            self.run(*arguments)
        except GitFailedError:
            return False
        return True

    def objects(self, ids: Sequence[str]) -> list[tuple[str, bytes] | None]:
        """Kind and content of each object, in the order of `ids`, by one long-lived `cat-file --batch`.

        None stands for an object that is not there. Nothing of what is returned is proven yet.

        Raises:
            GitFailedError: git's answer ended early.
            NotTrustedError: E_LIMIT, an object is too large to be read at all, or all of them are together.
        """
        answers: list[tuple[str, bytes] | None] = []
        left = MOST_TOGETHER
        with self._lock:
            for start in range(0, len(ids), _BATCH):
                try:
                    for answer in self._batch(ids[start : start + _BATCH]):
                        answers.append(answer)
                        left -= len(answer[1]) if answer is not None else 0
                        _require_some_left(left, ids[len(answers) - 1])
                except BaseException:
                    self._end()  # what is left in its pipe belongs to nobody
                    raise
        return answers

    def _batch(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes] | None]:
        reader = self._cat_file()
        stdin, stdout = reader.stdin, reader.stdout
        if stdin is None or stdout is None:
            raise GitFailedError(("cat-file",), None, "no pipe")
        try:
            stdin.write("".join(f"{oid}\n" for oid in ids).encode("ascii"))
            stdin.flush()
            for _ in ids:
                header = stdout.readline().decode("ascii", "replace").split()
                if len(header) == 2 and header[1] == "missing":  # noqa: PLR2004  # "ID missing"
                    yield None
                    continue
                if len(header) != 3:  # noqa: PLR2004  # "ID KIND SIZE"
                    raise GitFailedError(("cat-file",), None, f"answered {' '.join(header)!r}")
                size = int(header[2])
                if size > MOST_BYTES:
                    raise _too_large(header[0], size)
                content = stdout.read(size + 1)
                if len(content) != size + 1:
                    raise GitFailedError(("cat-file",), None, "ended in the middle of an object")
                yield header[1], content[:-1]
        except (OSError, ValueError) as error:
            raise GitFailedError(("cat-file",), None, str(error)) from error

    def _cat_file(self) -> Git.AutoInterrupt:
        if self._reader is None:
            try:
                self._reader = self._git.execute([*self._prefix, "cat-file", "--batch"], istream=PIPE, as_process=True)
            except GitCommandNotFound as error:
                raise _no_git() from error
        return self._reader

    def close(self) -> None:
        """End the long-lived process."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        reader, self._reader = self._reader, None
        if reader is None:
            return
        process = reader.proc
        reader.proc = None  # it is ended and closed here, not by a finaliser at some later time
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue  # a pipe with bytes that nobody will read
        process.wait()


class GitFailedError(HaoamError):
    """git ended with an error. Mapped to a refusal by whoever knows what was tried."""

    default_code = "E_GIT"

    def __init__(self, arguments: Sequence[str], status: object, words: str) -> None:
        """`words`: git's own, from its standard error."""
        self.words = _cleaned(words)
        super().__init__(f"git {arguments[0] if arguments else ''} failed ({status}): {self.words}")


def fetch_failed(error: GitFailedError, source: str, ref: str) -> HaoamError:
    """The refusal for a fetch that failed, by git's words."""
    words = error.words
    if "couldn't find remote ref" in words:
        return no_branch(source, ref, None)
    if "dubious ownership" in words:
        return UsageError(
            "the repository belongs to another user of this machine, and git will not read it",
            code="E_REPOSITORY",
            where=source,
            hint="run as its owner, or hand it over as a bundle: git bundle create FILE --all",
        )
    if "shallow" in words:
        return shallow(source)
    if any(sign in words for sign in ("corrupt", "hash mismatch", "did not send all", "bad object", "missing")):
        return NotTrustedError(
            f"the repository is damaged: {words}",
            code="E_REPO_STATE",
            where=source,
            hint="run `git fsck --full` there",
        )
    return UsageError(
        f"the repository cannot be read: {words}",
        code="E_REPOSITORY",
        where=source,
        hint="check the address, and that this user may read it without being asked: the key of an ssh agent, or "
        "`source.token` of the host root file for https",
    )


def no_branch(source: str, ref: str, there: Collection[str] | None) -> UsageError:
    """The refusal of a repository without the policy's branch; `there`: the branches that it has, None for unknown."""
    names = sorted(name for name in there or () if not name.startswith("refs/heads/haoam/"))
    has = f"it has {', '.join(names[:_MOST_SHOWN])}" if names else "commit and push to it first"
    return UsageError(
        f"the repository has no {ref}",
        code="E_REPOSITORY",
        where=source,
        hint=f"{has}; `ref` in the host root file says which one is applied (trust init --ref)",
    )


def shallow(where: str) -> NotTrustedError:
    """The refusal of a repository without its history."""
    return NotTrustedError(
        "the repository is shallow: commits are missing that must be checked",
        code="E_SHALLOW",
        where=where,
        hint="fetch everything: git fetch --unshallow (actions/checkout: fetch-depth: 0)",
    )


def _too_large(oid: str, size: int) -> NotTrustedError:
    return NotTrustedError(
        f"object {oid} has {size} bytes, more than {MOST_BYTES}",
        code="E_LIMIT",
        where=oid,
        hint="take it out of the commit",
    )


def _require_some_left(left: int, oid: str) -> None:
    if left < 0:
        raise NotTrustedError(
            f"objects that belong together have more than {MOST_TOGETHER} bytes",
            code="E_LIMIT",
            where=oid,
            hint="take large files out of the commit",
        )


def require_git() -> str:
    """Refuse a git that is missing or too old, asked once for each program and process.

    Returns:
        Its version.

    Raises:
        UsageError: E_NO_GIT, E_PROGRAM_VERSION.
    """
    path = shutil.which(GIT.name)
    if path is None:
        raise _no_git()
    return GIT.require(_words_of_git(path))


@lru_cache(maxsize=8)
def _words_of_git(_path: str) -> str:
    try:
        return GitProcess(()).run("version").decode("utf-8", "replace")
    except GitFailedError as error:
        return error.words


def private_directory(path: Path) -> None:
    """Make `path`, closed to others, and its parents."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _cleaned(words: str) -> str:
    lines = [line.strip().removeprefix("stderr: ").strip("'").strip() for line in words.splitlines()]
    text = "; ".join(line for line in lines if line and not line.removeprefix("remote: ").startswith("hint:"))
    return "".join(c if c.isprintable() else "?" for c in text)[:500]


def _no_git() -> UsageError:
    return UsageError("there is no git on the PATH", code="E_NO_GIT", hint=GIT.install)
