"""The world of the attacks on trust, with a whole flow in it: a fleet, a host, and an API that is watched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flow_cli import Ran, environment, run
from flow_gate import Gate
from trust_world import REF, World, git, policy_bytes

from haoam_sync import desired
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.json import digest_bytes

PASSWORD = "adminpwd"
ANY_DIGEST = "sha256:" + "0" * 64
INTRODUCTION = "web-of-the-introduction"

_FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {{name: attacked}}
spec:
  clusters:
    eu:
      instances:
        lb1: {{url: "{url}", user: admin, password: {{secret: env/EDGE_PASSWORD}}}}
"""
_WEB = """\
apiVersion: haoam/v1
kind: Backend
metadata: {{name: web}}
spec: {{mode: http, server_timeout: {timeout}, servers: {{s1: {{address: 127.0.0.1, port: 9}}}}}}
"""
_ROOT = """\
apiVersion: haoam/v1
kind: HostRoot
spec:
  introduction: "{introduction}"
  policy: {policy}
  ref: refs/heads/main
  secret_files: {files}
  secrets:
    - {{reference: env/EDGE_PASSWORD, kinds: [Fleet], fields: ["*"], clusters: [eu]}}
{more}"""


@dataclass
class Site(World):
    """One repository, the people around it, a host, and one instance.

    Attributes:
        gate: in front of the instance's API.
        tip: the last commit, where a test keeps it.
        allowed: more lines for the host root file's `secrets`.
        secrets: variables of the environment beside EDGE_PASSWORD.
    """

    gate: Gate = field(kw_only=True)
    tip: str = ""
    api: Gate = field(init=False)
    allowed: str = ""
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the introduction commit."""
        self.api = self.gate
        self.now = datetime.now(UTC)
        self.repo = self.place / "repo.git"
        self.repo.mkdir()
        self.source = self.repo
        git(self.repo, "init", "-q", "--bare", "--initial-branch=main")
        self.files = {
            "trust.yaml": policy_bytes(self.spec),
            "haoam.yaml": fleet(self.gate.url),
            "haproxy/web.yaml": web(1000),
        }
        self.introduction = self.commit(self.files, [], self.founder)
        self.move(self.introduction)
        self.root = HostRoot(self.introduction, digest_bytes(policy_bytes(self.spec)), REF)
        (self.place / "files").mkdir(mode=0o700)
        self.write_root()

    def write_root(self) -> None:
        """What the operator of the host wrote."""
        text = _ROOT.format(
            introduction=self.introduction,
            policy=self.root.policy,
            files=self.place / "files",
            more=self.allowed,
        )
        file = self.place / "root.yaml"
        file.write_text(text)
        file.chmod(0o644)

    @property
    def host(self) -> Path:
        """The host's own memory; what reviewers keep lies elsewhere."""
        return self.place / "host"

    def change_digest(self, base: str, head: str) -> str:
        """The real one."""
        if (base, head) in self.digests:
            return self.digests[base, head]
        repository = self.open()
        try:
            before, after = (desired.load(commit, repository.blobs(commit), None) for commit in (base, head))
            return desired.change_digest(before, after)
        finally:
            repository.close()

    def cli(self, *arguments: str) -> Ran:
        """A command of the host's operator."""
        places = {
            "HAOAM_REPO": str(self.source),
            "HAOAM_ROOT": str(self.place / "root.yaml"),
            "HAOAM_STATE": str(self.host),
            "HAOAM_AUDIT": str(self.place / "audit"),
            "EDGE_PASSWORD": PASSWORD,
            **self.secrets,
        }
        return run(environment(places), self.place, *arguments)

    def must(self, code: int, *arguments: str) -> Ran:
        """The same, with the exit code that it must have."""
        ran = self.cli(*arguments)
        assert ran.code == code, ran.said
        return ran

    def with_timeout(self, milliseconds: int) -> dict[str, bytes | tuple[str, str]]:
        """The first files, with another value in backend web."""
        return self.with_file("haproxy/web.yaml", web(milliseconds))

    def apply_refused(self, code: str, revision: str = "", exit_code: int = 4, digest: str = ANY_DIGEST) -> Ran:
        """`apply` is refused with this code, in both formats, and not one connection is made to the API."""
        self.gate.forget()
        arguments = [digest, *([revision] if revision else [])]
        ran = self.must(exit_code, "apply", *arguments)
        assert ran.err.startswith(f"{code}: "), ran.err
        assert ran.out == ""
        said = self.must(exit_code, "apply", *arguments, "--output", "json").json
        assert (said["exit"], said["code"]) == (exit_code, code)
        assert set(said) == {"exit", "code", "message", "where", "hint"}
        assert (self.gate.connections, self.gate.requests) == (0, [])
        return ran

    def goes_through(self, head: str, milliseconds: int, config: Path) -> None:
        """The control: this commit is planned and applied, and the value is in the file that HAProxy runs."""
        assert f"timeout server {milliseconds}ms" not in _file(config)
        plan = self.must(2, "plan", "--output", "json").json
        assert (plan["commit"], plan["proposed"]) == (head, False)
        self.must(0, "apply", plan["plan_digest"])
        assert f"timeout server {milliseconds}ms" in _file(config)
        assert self.gate.writes

    def honest(self, config: Path, milliseconds: int) -> None:
        """The control in the same world: a change by alice, reviewed by bob, goes through."""
        head = self.move(self.commit(self.with_timeout(milliseconds), [self.introduction]))
        self.review("bob", self.introduction, head)
        self.goes_through(head, milliseconds, config)


def _file(config: Path) -> str:
    return config.read_text(encoding="utf-8")


def fleet(url: str, more: str = "") -> bytes:
    """haoam.yaml with one instance."""
    return (_FLEET.format(url=url) + more).encode()


def web(milliseconds: int) -> bytes:
    """Backend web with a value to be recognised by."""
    return _WEB.format(timeout=milliseconds).encode()


def document(kind: str, name: str, spec: Mapping[str, Any]) -> bytes:
    """A document, written as JSON."""
    return json.dumps({"apiVersion": "haoam/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}).encode()
