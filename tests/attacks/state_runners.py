"""Runners without a disk, as attacks meet them: each run begins with an empty state directory."""

from __future__ import annotations

import shutil
from pathlib import Path

from flow_attack import Site
from trust_world import git

from haoam_sync.model.state_record import StateRecord, encode_record, state_authentication
from haoam_sync.trust import ssh

STATE = "refs/heads/haoam/state"


class Runners:
    """A site whose hosts have no disk: each run begins with an empty state directory."""

    def __init__(self, site: Site, key: Path, other: Path) -> None:
        self.site = site
        self.key = key
        self.other = other
        self.site.allowed = f'  runners: ["{ssh.public_of(key)}"]\n'
        self.site.write_root()
        self.site.secrets = {"HAOAM_STATE_KEY": str(key)}
        self.count = 0

    def change(self) -> str:
        """A reviewed change on top of the branch."""
        self.count += 1
        base = self.tip("refs/heads/main")
        head = self.site.move(self.site.commit(self.site.with_timeout(1000 + self.count), [base]))
        self.site.review("bob", base, head)
        return head

    def new_machine(self) -> None:
        """Whatever the last run left is gone."""
        shutil.rmtree(self.site.host, ignore_errors=True)
        shutil.rmtree(self.site.place / "audit", ignore_errors=True)

    def accept(self) -> str:
        """A run on a new machine: it accepts the branch and comes to the instance, which does not answer."""
        self.new_machine()
        self.site.gate.forget()
        ran = self.site.must(7, "apply", "sha256:" + "0" * 64)
        assert self.site.gate.connections > 0, ran.said
        return self.accepted()

    def accepted(self) -> str:
        """What the source's record says."""
        self.new_machine()
        found = self.site.must(0, "trust", "state", "--output", "json").json["accepted"]
        commit = found[-1]["commit"]
        assert isinstance(commit, str)
        return commit

    def refused(self, code: str, *, keep: bool = False) -> None:
        """A run is refused with this code before any request, and nothing is recorded."""
        if not keep:
            self.new_machine()
        before = self.tip(STATE)
        self.site.apply_refused(code)
        assert self.tip(STATE) == before

    def tip(self, ref: str) -> str:
        """What a branch names; "" when there is none."""
        return git(self.site.repo, "for-each-ref", "--format=%(objectname)", ref).decode().strip()

    def seed(self) -> None:
        """The operator begins with the introduction commit."""
        self.site.must(0, "trust", "state", "seed", self.site.introduction, "--yes", "--without=eu/lb1")

    def record(self, commit: str) -> bytes:
        """The record that a commit carries."""
        return git(self.site.repo, "show", f"{commit}:record.json")

    def parent(self, commit: str) -> str:
        """The commit before it."""
        return git(self.site.repo, "rev-parse", f"{commit}^").decode().strip()

    def push(self, content: bytes, parent: str = "") -> str:
        """Somebody puts a record on the branch."""
        parents = [parent] if parent else []
        return self.site.move(self.site.commit({"record.json": content}, parents, None), STATE)

    def signed(self, payload: bytes, key: Path, namespace: str = "haoam-state@v1") -> bytes:
        """A record with this payload, signed by somebody."""
        return encode_record(StateRecord(payload, ssh.sign(state_authentication(payload), key, namespace).blob))
