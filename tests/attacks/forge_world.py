"""The world of the attacks on trust, with a GitHub beside it: accounts, pull requests, and a host that reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

from fake_github import TOKEN, FakeGitHub
from flow_gate import Gate
from trust_world import World, git, policy_document

from haoam_sync import github, trust
from haoam_sync.errors import HaoamError, NotTrustedError
from haoam_sync.model.host_root import GitHubAccess
from haoam_sync.model.secret import SecretReference

ACCOUNTS = {"alice": 1001, "bob": 1002, "carol": 1003, "dave": 1004}
STRANGER = 1666


def forge_policy(publics: Mapping[str, str], evidence: str = "github", **changes: Any) -> dict[str, Any]:
    """Everybody has an account, and configuration takes this evidence."""
    spec = policy_document(publics, **changes)
    for name, account in ACCOUNTS.items():
        spec["principals"][name]["forge"] = {"github": account}
    for rule in spec["rules"][1:]:
        rule["evidence"] = evidence
    return spec


@dataclass
class ForgeWorld(World):
    """One repository on GitHub, and one host that reads both."""

    fake: FakeGitHub = field(kw_only=True)

    def __post_init__(self) -> None:
        """Begin with the introduction commit; the host's operator names the repository on GitHub."""
        super().__post_init__()
        access = GitHubAccess(self.fake.url, self.fake.repository, SecretReference("env", "FORGE_TOKEN"))
        self.root = replace(self.root, github=access)

    def with_policy(self, spec: dict[str, Any]) -> ForgeWorld:
        """A second world with another policy, beside the same GitHub."""
        place = self.place / f"other-{len(list(self.place.iterdir()))}"
        place.mkdir()
        return ForgeWorld(place, self.keys, spec, api=self.api, fake=self.fake)

    def verify(self, head: str = "", **options: Any) -> trust.Accepted:
        """With a session of its own, as each run has one."""
        with closing(github.connect(self.fake.url, self.fake.repository, token=TOKEN)) as forge:
            return super().verify(head, **{"forge": forge, **options})

    def apply(self, head: str = "") -> HaoamError:
        """With the token in the environment, where the host root file says it is."""
        with mock.patch.dict(os.environ, {"FORGE_TOKEN": TOKEN}):
            return super().apply(head)

    def branch(self, signer: str = "alice", path: str = "docs/web.md", content: bytes = b"two\n") -> str:
        """One commit on a branch from the beginning."""
        head = self.commit(self.with_file(path, content), [self.introduction], signer)
        return self.move(head, "refs/heads/topic")

    def merge(self, branch: str, signer: str = "dave", base: str = "", files: Any = None) -> str:
        """A merge of the branch onto the policy's branch, pushed; of the branch's own tree unless `files` are given."""
        base = base or git(self.repo, "rev-parse", "refs/heads/main").decode().strip()
        tree = git(self.repo, "rev-parse", f"{branch}^{{tree}}").decode().strip() if files is None else self.tree(files)
        payload = self.payload(tree, [base, branch], signer)
        return self.move(self.signed(payload, signer))

    def merged(self, number: int = 12, *, path: str = "docs/web.md", approve: tuple[str, ...] = ("bob",)) -> str:
        """The whole of it, done right: alice opens, the others approve, dave merges. Gives back the merge."""
        branch = self.branch(path=path)
        self.fake.open(number, [branch], ACCOUNTS["alice"])
        for name in approve:
            self.fake.review(number, ACCOUNTS[name])
        return self.fake.merge(number, self.merge(branch), ACCOUNTS["dave"])

    def held(self, head: str = "") -> NotTrustedError:
        """The refusal of what the forge does not say."""
        return self.refused("E_FORGE_UNKNOWN", head)


def make(place: Path, keys: Mapping[str, Path], publics: Mapping[str, str], api: Gate, fake: FakeGitHub) -> ForgeWorld:
    """A world whose configuration is reviewed on GitHub."""
    return ForgeWorld(place, keys, forge_policy(publics), api=api, fake=fake)
