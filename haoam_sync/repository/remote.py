"""The source's refs: list, fetch, and push behind what was seen. No tags, no submodules, no program that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.repository.process import LOCAL_PROGRAM, GitFailedError, GitProcess, fetch_failed
from haoam_sync.repository.source import Source

_FULL_ID = re.compile(r"[0-9a-f]{40}")


class Remote:
    """One source, as our own repository's git reaches it."""

    def __init__(self, git: GitProcess, source: Source, ref: str) -> None:
        """`ref` is the policy's branch, for messages."""
        self._git = git
        self._source = source
        self._ref = ref

    def refs(self, *patterns: str) -> dict[str, str]:
        """The source's refs of these names, with their ids.

        Raises:
            UsageError: the source cannot be read.
            NotTrustedError: E_SHALLOW.
        """
        try:
            output = self._git.run("ls-remote", *self._program("upload-pack"), "--", self._source.url, *patterns)
        except GitFailedError as error:
            raise fetch_failed(error, self._source.url, self._ref) from error
        refs = {}
        for line in output.decode("utf-8", "replace").splitlines():
            oid, _, name = line.partition("\t")
            if _FULL_ID.fullmatch(oid):
                refs[name] = oid
        return refs

    def fetch(self, specs: Sequence[str]) -> None:
        """Bring refs, `+THERE:HERE` each; nothing for none.

        Raises:
            UsageError: the source cannot be read.
            NotTrustedError: E_SHALLOW.
        """
        if not specs:
            return
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance")
        try:
            self._git.run("fetch", *options, *self._program("upload-pack"), "--", self._source.url, *specs)
        except GitFailedError as error:
            raise fetch_failed(error, self._source.url, self._ref) from error

    def push(self, commit: str, ref: str, parent: str) -> None:
        """Let `ref` there name `commit`, if it still names `parent` ("" for: is not there). Compare and swap.

        Raises:
            NotTrustedError: E_ATTEST_RACE, somebody else pushed in between.
            UsageError: the source cannot be written.
        """
        if self._source.directory is None and self._source.local:
            raise UsageError(
                "a bundle cannot be written to",
                code="E_REPOSITORY",
                where=self._source.url,
                hint="name a repository with --repo; then make a new bundle of it",
            )
        lease = f"--force-with-lease={ref}:{parent}"
        try:
            self._git.run(
                "push",
                "--quiet",
                "--no-verify",
                lease,
                *self._program("receive-pack"),
                "--",
                self._source.url,
                f"{commit}:{ref}",
            )
        except GitFailedError as error:
            if "stale info" in error.words or "rejected" in error.words or "failed to update ref" in error.words:
                raise NotTrustedError(
                    f"somebody else pushed to {ref} in between",
                    code="E_ATTEST_RACE",
                    where=ref,
                    hint="try again",
                ) from error
            raise UsageError(
                f"{ref} cannot be pushed: {error.words}",
                code="E_REPOSITORY",
                where=self._source.url,
                hint="check that you may push branches below haoam/ there",
            ) from error

    def _program(self, program: str) -> tuple[str, ...]:
        if not self._source.local:
            return ()
        option = "--upload-pack" if program == "upload-pack" else "--receive-pack"
        return (f"{option}={LOCAL_PROGRAM.format(program=program)}",)
