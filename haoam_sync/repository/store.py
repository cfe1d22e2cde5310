"""Our own bare repository, and what is fetched into it.

git is only ever run on a directory whose configuration is written here, so a source can not name programs for us to
run. Nothing is checked out. Every object is hashed again before anybody sees it: replace refs, grafts, alternates and
swapped files all end in E_OID_MISMATCH, whatever git believed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from haoam_sync.errors import HaoamError, UsageError
from haoam_sync.repository import own
from haoam_sync.repository.login import Askpass, Login
from haoam_sync.repository.objects import Objects
from haoam_sync.repository.process import GitProcess, no_branch, require_git
from haoam_sync.repository.remote import Remote
from haoam_sync.repository.source import Source, parse_ref, parse_source

ATTESTATIONS = "refs/heads/haoam/attestations"
STATE = "refs/heads/haoam/state"
HEADS = "refs/heads/haoam/heads"
"""Keeps what a forge squashed: a chain of empty commits, each with one head as its second parent."""

_FULL_ID = re.compile(r"[0-9a-f]{40}")
_SHORT_ID = re.compile(r"[0-9a-f]{7,39}")
_MOST_NAMED = 5
_PULL = re.compile(r"(?:pr/|#)([1-9][0-9]{0,9})")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]*")


class Repository(Objects):
    """Commits, trees and blobs by id, from one source.

    Attributes:
        source: where it is read from.
        ref: the policy's branch, in full.
        tip: the commit that `ref` named when it was fetched.
        attestations: the tip of the review statements there; "" when there are none.
        records: the tip of what runners without a disk remember there; "" when there is none.
    """

    def __init__(
        self,
        directory: Path,
        source: Source,
        ref: str,
        *,
        timeout: float,
        login: Login | None = None,
        branch_needed: bool = True,
    ) -> None:
        """See `open`."""
        self.source = source
        self.ref = ref
        self.tip = ""
        self.attestations = ""
        self.records = ""
        self._heads = ""
        self._branch_needed = branch_needed
        self._asked = Askpass(source.url, login) if login is not None and login.is_for(source.url) else None
        options, extra = (self._asked.options, self._asked.environment) if self._asked is not None else ((), {})
        git = GitProcess((f"--git-dir={directory}", *options), timeout=timeout, extra=extra)
        super().__init__(git, directory)
        self._remote = Remote(git, source, ref)

    @classmethod
    def open(
        cls,
        state_dir: Path,
        source: str,
        ref: str,
        *,
        remotes: Collection[str] = (),
        timeout: float = 120,
        login: Login | None = None,
        branch_needed: bool = True,
    ) -> Repository:
        """Fetch `ref` and the review statements from `source` into STATE/repository.git.

        Args:
            state_dir: the operator's `--state`.
            source: a path or a URL; see `source.parse_source`.
            ref: full name of the policy's branch.
            remotes: when not empty, `source` must be among them.
            timeout: seconds that one git command may take.
            login: for an https source; not used for any other.
            branch_needed: whether a source without `ref` is refused; not where no trust is asked for: a checkout of a
                pull request has no branch at all.

        Raises:
            NotTrustedError: E_REMOTE_URL, E_REF_NAME, E_SHALLOW, E_REPO_STATE, E_REPO_CONFIG.
            UsageError: there is no repository, or it has no such branch; git is missing or too old.
        """
        require_git()
        parsed = parse_source(source, remotes)
        directory = state_dir / "repository.git"
        own.prepare(directory)
        if parsed.directory is not None:
            own.check_files(parsed.directory, parsed.url)
        repository = cls(directory, parsed, parse_ref(ref), timeout=timeout, login=login, branch_needed=branch_needed)
        try:
            repository.fetch()
        except BaseException:
            repository.close()
            raise
        return repository

    def fetch(self) -> None:
        """Read the source's branches again.

        Raises:
            NotTrustedError: E_SHALLOW, E_REPO_STATE.
            UsageError: it cannot be read, or has no such branch.
        """
        refs = self._remote.refs(self.ref, ATTESTATIONS, HEADS, STATE, "refs/replace/*")
        tip = refs.get(self.ref, "")
        if not tip and self._branch_needed:
            raise no_branch(self.source.url, self.ref, self._remote.refs("refs/heads/*"))
        specs = {f"+{self.ref}:refs/source/policy": tip} if tip else {}
        if ATTESTATIONS in refs:
            specs[f"+{ATTESTATIONS}:refs/source/attestations"] = refs[ATTESTATIONS]
        if HEADS in refs:
            specs[f"+{HEADS}:refs/source/heads"] = refs[HEADS]
        if STATE in refs:
            specs[f"+{STATE}:refs/source/state"] = refs[STATE]
        ours = self._ours()
        stale = [spec for spec, oid in specs.items() if ours.get(spec.partition(":")[2]) != oid]
        self._remote.fetch(stale)
        own.check_files(self.directory, str(self.directory))
        self.tip = tip
        self.attestations = refs.get(ATTESTATIONS, "")
        self._heads = refs.get(HEADS, "")
        self.records = refs.get(STATE, "")
        self.replaced = frozenset(name.rpartition("/")[2] for name in refs if name.startswith("refs/replace/"))

    def resolve(self, revision: str) -> str:
        """The id of a commit: a full id, a short one (7 digits or more) that is unique, a branch, or the source's HEAD.

        `pr/12` and `#12` are the head of a pull request on GitHub, and never a branch of that name.

        Raises:
            UsageError: there is no such commit.
        """
        if self.tip and revision in {"", self.ref, self.ref.removeprefix("refs/heads/")}:
            return self.tip
        if _FULL_ID.fullmatch(revision):
            if self._git.objects([revision])[0] is None:
                self._fetch_proposed(revision, revision)
            return self._commit_only(revision, revision)
        if _SHORT_ID.fullmatch(revision) and (found := self._by_short_id(revision)):
            return self._commit_only(found, revision)
        name = _ref_name(revision)
        head = self._remote.refs(name).get(name) if name else None
        if head is None:
            raise self._no_commit(revision)
        if self._git.objects([head])[0] is None:
            self._fetch_proposed(name, revision)
        return self._commit_only(head, revision)

    def _by_short_id(self, revision: str) -> str:
        """The one commit whose id begins so; "" when there is none.

        Raises:
            UsageError: there are several; a branch of that name is then not meant either, whoever pushed it.
        """
        found = self._git.run("rev-parse", f"--disambiguate={revision}").decode().split()
        objects = zip(found, self._git.objects(found), strict=True)
        commits = [oid for oid, answer in objects if answer is not None and answer[0] == "commit"]
        if len(commits) > 1:
            raise UsageError(
                f"{revision} is how several commits begin",
                code="E_NO_COMMIT",
                where=self.source.url,
                hint=f"give one of {', '.join(sorted(commits)[:_MOST_NAMED])}",
            )
        return commits[0] if commits else ""

    def append_statement(self, statement: bytes, *, parent: str, now: datetime) -> str:
        """Put one statement behind `parent` (the tip seen, "" for none) in the source's attestations.

        The push succeeds only when the branch there still is `parent` (compare and swap).

        Returns:
            The new tip.

        Raises:
            NotTrustedError: E_ATTEST_RACE, somebody else pushed in between: fetch and try again.
            UsageError: the source cannot be written.
        """
        commit = self._append(ATTESTATIONS, "statement.json", statement, parent, now)
        self.fetch()
        return commit

    def append_record(self, record: bytes, *, parent: str, now: datetime) -> str:
        """Put one record behind `parent` (the tip seen, "" for none) in the source's state branch. Compare and swap.

        Returns:
            The new tip.

        Raises:
            NotTrustedError: E_ATTEST_RACE, somebody else pushed in between.
            UsageError: the source cannot be written.
        """
        self.records = self._append(STATE, "record.json", record, parent, now)
        return self.records

    def fetch_records(self) -> None:
        """Read the state branch alone again: what else was read stays as it is.

        Raises:
            UsageError: the source cannot be read.
        """
        found = self._remote.refs(STATE).get(STATE, "")
        if found and found != self.records:
            self._remote.fetch([f"+{STATE}:refs/source/state"])
        self.records = found

    def _append(self, ref: str, name: str, content: bytes, parent: str, now: datetime) -> str:
        blob = self.store("blob", content)
        tree = self.store("tree", f"100644 {name}\0".encode() + bytes.fromhex(blob))
        stamp = f"haoam-sync <haoam-sync@localhost> {int(now.timestamp())} +0000"
        lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {stamp}", f"committer {stamp}"]
        commit = self.store("commit", ("\n".join(lines) + f"\n\n{name}\n").encode())
        self._remote.push(commit, ref, parent)
        return commit

    def keep_head(self, head: str, *, now: datetime) -> None:
        """Keep a commit in the source, so that it can be checked after a forge squashed it and deleted its branch.

        Raises:
            NotTrustedError: E_ATTEST_RACE, somebody else pushed in between: fetch and try again.
            UsageError: the source cannot be written.
        """
        if self._heads and self._git.succeeds("merge-base", "--is-ancestor", head, self._heads):
            return
        tree = self.store("tree", b"")
        stamp = f"haoam-sync <haoam-sync@localhost> {int(now.timestamp())} +0000"
        parents = [f"parent {oid}" for oid in (self._heads, head) if oid]
        lines = [f"tree {tree}", *parents, f"author {stamp}", f"committer {stamp}"]
        commit = self.store("commit", ("\n".join(lines) + "\n\nkept to be checked\n").encode())
        self._remote.push(commit, HEADS, self._heads)
        self.fetch()

    def bring_pull(self, number: int) -> None:
        """Fetch the head of a pull request, where the source is a forge that has it; else nothing.

        Raises:
            UsageError: the source cannot be read.
        """
        name = f"refs/pull/{number}/head"
        found = self._remote.refs(name).get(name)
        if found is not None and self._git.objects([found])[0] is None:
            self._remote.fetch([f"+{name}:refs/source/pull"])

    def close(self) -> None:
        """End the process that reads objects, and take the token away."""
        self._git.close()
        if self._asked is not None:
            self._asked.close()

    def _commit_only(self, oid: str, revision: str) -> str:
        answer = self._git.objects([oid])[0]
        if answer is None or answer[0] != "commit":
            raise self._no_commit(revision)
        return oid

    def _no_commit(self, revision: str) -> UsageError:
        return UsageError(
            f"the repository has no commit {revision!r}",
            code="E_NO_COMMIT",
            where=self.source.url,
            hint=(
                f"give a full id, a branch that is pushed, or pr/NUMBER; {self.ref} is at {self.tip}"
                if self.tip
                else f"it has no {self.ref}; commit something first, or name a commit that it has"
            )
            + (
                "\nthis is a clone of your own: name the shared one with --repo or HAOAM_REPO"
                if self.source.is_clone
                else ""
            ),
        )

    def _ours(self) -> dict[str, str]:
        output = self._git.run("for-each-ref", "--format=%(objectname) %(refname)").decode()
        return {name: oid for oid, _, name in (line.partition(" ") for line in output.splitlines())}

    def _fetch_proposed(self, wanted: str, revision: str) -> None:
        try:
            self._remote.fetch([f"+{wanted}:refs/source/proposed"])
        except HaoamError as error:
            raise self._no_commit(revision) from error


def _ref_name(revision: str) -> str:
    """The name of the ref in the source that a revision means; "" when it can mean none."""
    if pull := _PULL.fullmatch(revision):
        return f"refs/pull/{pull[1]}/head"
    if revision == "HEAD":
        return revision
    if _BRANCH.fullmatch(revision) and ".." not in revision:
        return revision if revision.startswith("refs/") else f"refs/heads/{revision}"
    return ""
