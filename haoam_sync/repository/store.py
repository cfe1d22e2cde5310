"""Our own bare repository, and what is fetched into it.

git is only ever run on a directory whose configuration is written here, so a source can not name programs for us to
run. Nothing is checked out. Every object is hashed again before anybody sees it: replace refs, grafts, alternates and
swapped files all end in E_OID_MISMATCH, whatever git believed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from haoam_sync.errors import HaoamError, NotTrustedError, UsageError
from haoam_sync.model.git_object import object_id, require_id
from haoam_sync.model.tree import TreeEntry, parse_tree
from haoam_sync.repository.login import Askpass, Login
from haoam_sync.repository.process import (
    LOCAL_PROGRAM,
    GitFailedError,
    GitProcess,
    fetch_failed,
    private_directory,
    require_git,
    shallow,
)
from haoam_sync.repository.source import Source, parse_ref, parse_source

ATTESTATIONS = "refs/heads/haoam/attestations"
STATE = "refs/heads/haoam/state"
HEADS = "refs/heads/haoam/heads"
"""Keeps what a forge squashed: a chain of empty commits, each with one head as its second parent."""

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

_FULL_ID = re.compile(r"[0-9a-f]{40}")
_SHORT_ID = re.compile(r"[0-9a-f]{7,39}")
_PULL = re.compile(r"(?:pr/|#)([1-9][0-9]{0,9})")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]*")
_MOST_FILES = 200_000
_MOST_DEPTH = 32
_MOST_TOGETHER = 256 << 20
_READ_AT_ONCE = 1000
_FORBIDDEN_FILES = ("info/grafts", "objects/info/alternates", "objects/info/http-alternates")


class Repository:
    """Commits, trees and blobs by id, from one source.

    Attributes:
        source: where it is read from.
        ref: the policy's branch, in full.
        tip: the commit that `ref` named when it was fetched.
        attestations: the tip of the review statements there; "" when there are none.
        records: the tip of what runners without a disk remember there; "" when there is none.
        replaced: ids that a replace ref of the source stands in front of: what people see there is another object.
    """

    def __init__(
        self, directory: Path, source: Source, ref: str, *, timeout: float, login: Login | None = None
    ) -> None:
        """See `open`."""
        self.directory = directory
        self.source = source
        self.ref = ref
        self.tip = ""
        self.attestations = ""
        self.records = ""
        self._heads = ""
        self.replaced: frozenset[str] = frozenset()
        self._asked = Askpass(source.url, login) if login is not None and login.is_for(source.url) else None
        options, extra = (self._asked.options, self._asked.environment) if self._asked is not None else ((), {})
        self._git = GitProcess((f"--git-dir={directory}", *options), timeout=timeout, extra=extra)

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
    ) -> Repository:
        """Fetch `ref` and the review statements from `source` into STATE/repository.git.

        Args:
            state_dir: the operator's `--state`.
            source: a path or a URL; see `source.parse_source`.
            ref: full name of the policy's branch.
            remotes: when not empty, `source` must be among them.
            timeout: seconds that one git command may take.
            login: for an https source; not used for any other.

        Raises:
            NotTrustedError: E_REMOTE_URL, E_REF_NAME, E_SHALLOW, E_REPO_STATE, E_REPO_CONFIG.
            UsageError: there is no repository, or it has no such branch; git is missing or too old.
        """
        require_git()
        parsed = parse_source(source, remotes)
        directory = state_dir / "repository.git"
        _prepare(directory)
        if parsed.directory is not None:
            _check_files(parsed.directory, parsed.url)
        repository = cls(directory, parsed, parse_ref(ref), timeout=timeout, login=login)
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
        refs = self._list(self.ref, ATTESTATIONS, HEADS, STATE, "refs/replace/*")
        tip = refs.get(self.ref)
        if tip is None:
            raise UsageError(
                f"the repository has no {self.ref}",
                code="E_REPOSITORY",
                where=self.source.url,
                hint="check `ref` in the host root file, and that the branch was pushed",
            )
        specs = {f"+{self.ref}:refs/source/policy": tip}
        if ATTESTATIONS in refs:
            specs[f"+{ATTESTATIONS}:refs/source/attestations"] = refs[ATTESTATIONS]
        if HEADS in refs:
            specs[f"+{HEADS}:refs/source/heads"] = refs[HEADS]
        if STATE in refs:
            specs[f"+{STATE}:refs/source/state"] = refs[STATE]
        ours = self._ours()
        stale = [spec for spec, oid in specs.items() if ours.get(spec.partition(":")[2]) != oid]
        self._fetch(stale)
        _check_files(self.directory, str(self.directory))
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
        if revision in {"", self.ref, self.ref.removeprefix("refs/heads/")}:
            return self.tip
        if _FULL_ID.fullmatch(revision):
            if self._git.objects([revision])[0] is None:
                self._fetch_proposed(revision, revision)
            return self._commit_only(revision, revision)
        if _SHORT_ID.fullmatch(revision) and (found := self._by_short_id(revision)):
            return self._commit_only(found, revision)
        name = _ref_name(revision)
        head = self._list(name).get(name) if name else None
        if head is None:
            raise self._no_commit(revision)
        if self._git.objects([head])[0] is None:
            self._fetch_proposed(name, revision)
        return self._commit_only(head, revision)

    def _by_short_id(self, revision: str) -> str:
        """The one commit whose id begins so; "" when there is none, or several."""
        found = self._git.run("rev-parse", f"--disambiguate={revision}").decode().split()
        objects = zip(found, self._git.objects(found), strict=True)
        commits = [oid for oid, answer in objects if answer is not None and answer[0] == "commit"]
        return commits[0] if len(commits) == 1 else ""

    def read(self, oid: str, kind: str) -> bytes:
        """One object's bytes, hashed again.

        Raises:
            NotTrustedError: E_OID_MISMATCH; E_REPO_STATE when it is not there or of another kind.
        """
        return self.read_many([oid], kind)[0]

    def read_many(self, ids: Sequence[str], kind: str) -> list[bytes]:
        """The bytes of several objects of one kind, in the order of `ids`, each hashed again; in one batch.

        Raises:
            NotTrustedError: as for `read`.
        """
        try:
            answers = self._git.objects(ids)
        except GitFailedError as error:
            raise NotTrustedError(
                f"the object store cannot be read: {error.words}",
                code="E_REPO_STATE",
                where=str(self.directory),
                hint="remove that directory; it is fetched again on the next run",
            ) from error
        return [self._checked(oid, kind, answer) for oid, answer in zip(ids, answers, strict=True)]

    def commit(self, oid: str) -> bytes:
        """A commit's raw bytes."""
        return self.read(oid, "commit")

    def files(self, commit: str) -> Mapping[str, TreeEntry]:
        """Every entry below the commit's tree that is no directory, by path. Grammar checked, content not read.

        Raises:
            NotTrustedError: E_TREE_ENTRY, E_PATH, E_OID_MISMATCH, E_REPO_STATE; E_LIMIT, there are too many.
        """
        raw = self.commit(commit)
        if not (raw.startswith(b"tree ") and _FULL_ID.fullmatch(raw[5:45].decode("ascii", "replace"))):
            raise NotTrustedError("the commit has no tree in its first line", code="E_COMMIT_FORMAT", where=commit)
        found: dict[str, TreeEntry] = {}
        depth = 0
        level = [("", raw[5:45].decode("ascii"))]
        while level:
            below: list[tuple[str, str]] = []
            distinct = list(dict.fromkeys(oid for _, oid in level))
            trees = dict(zip(distinct, self.read_many(distinct, "tree"), strict=True))
            entries = {oid: parse_tree(data, where=commit) for oid, data in trees.items()}
            for prefix, oid in level:
                for entry in entries[oid]:
                    path = prefix + entry.name
                    if entry.is_tree:
                        below.append((path + "/", entry.oid))
                    else:
                        found[path] = entry
                if len(found) + len(below) > _MOST_FILES or depth > _MOST_DEPTH:
                    raise NotTrustedError(
                        f"the commit holds more than {_MOST_FILES} files, or directories {_MOST_DEPTH} deep",
                        code="E_LIMIT",
                        where=commit,
                        hint="a tree of shared trees can be made to unfold without end; nobody means that",
                    )
            level, depth = below, depth + 1
        return dict(sorted(found.items()))

    def blobs(self, commit: str) -> Mapping[str, bytes]:
        """The content of every plain file of a commit, by path, sorted. 10,000 files take about 0.2 s.

        Entries that are no plain files (links, submodules) are left out: `trust` refuses commits that have any.

        Raises:
            NotTrustedError: as for `files`.
        """
        plain = {path: entry.oid for path, entry in self.files(commit).items() if entry.is_plain}
        distinct = list(dict.fromkeys(plain.values()))
        contents: dict[str, bytes] = {}
        size = 0
        for start in range(0, len(distinct), _READ_AT_ONCE):
            part = distinct[start : start + _READ_AT_ONCE]
            for oid, content in zip(part, self.read_many(part, "blob"), strict=True):
                contents[oid] = content
                size += len(content)
            if size > _MOST_TOGETHER:
                raise NotTrustedError(
                    f"the files of the commit have more than {_MOST_TOGETHER} bytes together",
                    code="E_LIMIT",
                    where=commit,
                    hint="take large files out of the repository",
                )
        return {path: contents[oid] for path, oid in plain.items()}

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
        found = self._list(STATE).get(STATE, "")
        if found and found != self.records:
            self._fetch([f"+{STATE}:refs/source/state"])
        self.records = found

    def _append(self, ref: str, name: str, content: bytes, parent: str, now: datetime) -> str:
        blob = self._store("blob", content)
        tree = self._store("tree", f"100644 {name}\0".encode() + bytes.fromhex(blob))
        stamp = f"haoam-sync <haoam-sync@localhost> {int(now.timestamp())} +0000"
        lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {stamp}", f"committer {stamp}"]
        commit = self._store("commit", ("\n".join(lines) + f"\n\n{name}\n").encode())
        self._push(commit, ref, parent)
        return commit

    def keep_head(self, head: str, *, now: datetime) -> None:
        """Keep a commit in the source, so that it can be checked after a forge squashed it and deleted its branch.

        Raises:
            NotTrustedError: E_ATTEST_RACE, somebody else pushed in between: fetch and try again.
            UsageError: the source cannot be written.
        """
        if self._heads and self._git.succeeds("merge-base", "--is-ancestor", head, self._heads):
            return
        tree = self._store("tree", b"")
        stamp = f"haoam-sync <haoam-sync@localhost> {int(now.timestamp())} +0000"
        parents = [f"parent {oid}" for oid in (self._heads, head) if oid]
        lines = [f"tree {tree}", *parents, f"author {stamp}", f"committer {stamp}"]
        commit = self._store("commit", ("\n".join(lines) + "\n\nkept to be checked\n").encode())
        self._push(commit, HEADS, self._heads)
        self.fetch()

    def bring_pull(self, number: int) -> None:
        """Fetch the head of a pull request, where the source is a forge that has it; else nothing.

        Raises:
            UsageError: the source cannot be read.
        """
        name = f"refs/pull/{number}/head"
        found = self._list(name).get(name)
        if found is not None and self._git.objects([found])[0] is None:
            self._fetch([f"+{name}:refs/source/pull"])

    def close(self) -> None:
        """End the process that reads objects, and take the token away."""
        self._git.close()
        if self._asked is not None:
            self._asked.close()

    def _checked(self, oid: str, kind: str, answer: tuple[str, bytes] | None) -> bytes:
        if answer is None:
            raise NotTrustedError(
                f"{kind} {oid} is not there",
                code="E_REPO_STATE",
                where=oid,
                hint=f"fetch the whole history, or remove {self.directory}; it is fetched again on the next run",
            )
        found, data = answer
        require_id(oid, found, data)
        if oid in self.replaced:
            raise NotTrustedError(
                f"a replace ref stands in front of {oid}: people with git see another object than the one checked",
                code="E_OID_MISMATCH",
                where=oid,
                hint=f"delete it in the source: git push --delete ORIGIN refs/replace/{oid}",
            )
        if found != kind:
            raise NotTrustedError(f"object {oid} is a {found}, not a {kind}", code="E_REPO_STATE", where=oid)
        return data

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
            hint=f"give a full id, a branch that is pushed, or pr/NUMBER; {self.ref} is at {self.tip or 'nothing'}",
        )

    def _list(self, *patterns: str) -> dict[str, str]:
        """The source's refs of these names."""
        try:
            output = self._git.run("ls-remote", *self._program("upload-pack"), "--", self.source.url, *patterns)
        except GitFailedError as error:
            raise fetch_failed(error, self.source.url, self.ref) from error
        refs = {}
        for line in output.decode("utf-8", "replace").splitlines():
            oid, _, name = line.partition("\t")
            if _FULL_ID.fullmatch(oid):
                refs[name] = oid
        return refs

    def _ours(self) -> dict[str, str]:
        output = self._git.run("for-each-ref", "--format=%(objectname) %(refname)").decode()
        return {name: oid for oid, _, name in (line.partition(" ") for line in output.splitlines())}

    def _fetch(self, specs: Sequence[str]) -> None:
        if not specs:
            return
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance")
        try:
            self._git.run("fetch", *options, *self._program("upload-pack"), "--", self.source.url, *specs)
        except GitFailedError as error:
            raise fetch_failed(error, self.source.url, self.ref) from error

    def _fetch_proposed(self, wanted: str, revision: str) -> None:
        try:
            self._fetch([f"+{wanted}:refs/source/proposed"])
        except HaoamError as error:
            raise self._no_commit(revision) from error

    def _push(self, commit: str, ref: str, parent: str) -> None:
        if self.source.directory is None and self.source.local:
            raise UsageError(
                "a bundle cannot be written to",
                code="E_REPOSITORY",
                where=self.source.url,
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
                self.source.url,
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
                where=self.source.url,
                hint="check that you may push branches below haoam/ there",
            ) from error

    def _program(self, program: str) -> tuple[str, ...]:
        if not self.source.local:
            return ()
        option = "--upload-pack" if program == "upload-pack" else "--receive-pack"
        return (f"{option}={LOCAL_PROGRAM.format(program=program)}",)

    def _store(self, kind: str, content: bytes) -> str:
        oid = self._git.run("hash-object", "-w", "-t", kind, "--stdin", stdin=content).decode().strip()
        expected = object_id(kind, content)
        if oid != expected:
            raise NotTrustedError(f"git stored {expected} as {oid}", code="E_OID_MISMATCH", where=expected)
        return oid


def _ref_name(revision: str) -> str:
    """The name of the ref in the source that a revision means; "" when it can mean none."""
    if pull := _PULL.fullmatch(revision):
        return f"refs/pull/{pull[1]}/head"
    if revision == "HEAD":
        return revision
    if _BRANCH.fullmatch(revision) and ".." not in revision:
        return revision if revision.startswith("refs/") else f"refs/heads/{revision}"
    return ""


def _prepare(directory: Path) -> None:
    """Make our bare repository, or check that it is as we made it."""
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
    _check_files(directory, str(directory))


def _check_files(directory: Path, where: str) -> None:
    """Refuse what makes git see another history than the objects hold."""
    if (directory / "shallow").exists():
        raise shallow(where)
    for name in _FORBIDDEN_FILES:
        if (directory / name).exists():
            raise NotTrustedError(
                f"the repository has {name}: git would show another history, or objects from elsewhere",
                code="E_REPO_STATE",
                where=where,
                hint="make a plain clone, without --shared or --reference, and name that",
            )
