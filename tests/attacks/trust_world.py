"""A small world for attacks on trust: people with keys, a repository made object by object, and a host that verifies.

Objects are written as bytes, so that a test can make what git's own commands would never make.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from flow_gate import Gate

from haoam_sync import pipeline, trust
from haoam_sync.errors import HaoamError, NotTrustedError
from haoam_sync.model.evidence import (
    Envelope,
    Policy,
    Predicate,
    Seen,
    encode_envelope,
    encode_statement,
    format_time,
    pre_authentication,
)
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.json import digest_bytes
from haoam_sync.pipeline import opening
from haoam_sync.repository import Repository
from haoam_sync.settings import Settings
from haoam_sync.trust import ssh
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.sshsig import REVIEW_NAMESPACE
from haoam_sync.trust.trees import Trees

NOW = datetime(2027, 3, 1, 12, 0, 0, tzinfo=UTC)
REF = "refs/heads/main"
PEOPLE = ("alice", "bob", "carol", "dave", "mallory", "erin")
Files = Mapping[str, "bytes | tuple[str, str]"]
"""Content by path; a pair is a mode and an id that stand in the tree as they are."""

FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {{name: attacked}}
spec:
  clusters:
    eu: {{instances: {{lb1: {{url: "{url}", user: admin, password: {{secret: env/EDGE_PASSWORD}}}}}}}}
"""
ANY_DIGEST = "sha256:" + "0" * 64

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "LC_ALL": "C",
}


def git(directory: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git as an attacker or a developer would."""
    done = subprocess.run(  # a list of arguments
        ["git", "-C", str(directory), *arguments],  # noqa: S607  # the git of the PATH
        input=stdin,
        capture_output=True,
        check=False,
        env=_ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def make_key(directory: Path, name: str, kind: str = "ed25519", *options: str) -> Path:
    """A key pair without a passphrase."""
    path = directory / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, *options, "-N", "", "-C", name, "-f", str(path)],  # noqa: S607
        check=True,
        capture_output=True,
    )
    return path


def policy_document(publics: Mapping[str, str], **changes: Any) -> dict[str, Any]:
    """The policy of the tests: alice, bob and carol do everything, dave only writes and merges."""
    spec: dict[str, Any] = {
        "serial": 1,
        "ref": REF,
        "principals": {
            name: {"kind": "human", "keys": [{"id": f"{name}-1", "type": "ssh", "public": publics[name]}]}
            for name in ("alice", "bob", "carol", "dave")
        },
        "roles": {
            "root": {"members": ["alice", "bob", "carol"], "threshold": 2},
            "author": {"members": ["alice", "bob", "carol", "dave"]},
            "reviewer": {"members": ["alice", "bob", "carol"]},
            "merger": {"members": ["alice", "bob", "carol", "dave"]},
        },
        "rules": [
            {"paths": ["trust.yaml", "keys/**"], "require": {"root": 2}, "evidence": "signed"},
            {"paths": ["haoam.yaml"], "require": {"reviewer": 2}, "evidence": "signed"},
            {"paths": ["haproxy/**", "docs/**"], "require": {"reviewer": 1}, "evidence": "any"},
        ],
        "merge": {"methods": ["fast-forward", "merge"], "up_to_date": "disjoint"},
        "review": {"max_age": "P7D"},
        "limits": {"commits": 50, "file_bytes": 100_000, "tree_bytes": 1_000_000},
    }
    return spec | changes


def policy_bytes(spec: Mapping[str, Any]) -> bytes:
    """`trust.yaml`, written as JSON: every JSON text is YAML."""
    return json.dumps({"apiVersion": "haoam/v1", "kind": "TrustPolicy", "spec": spec}, indent=1).encode()


def closed_api() -> Gate:
    """An API that cuts each connection; it listens until it is closed."""
    gate = Gate()
    gate.refusing = True
    return gate


@dataclass
class World:
    """One repository, the people around it, and one host."""

    place: Path
    keys: Mapping[str, Path]
    spec: dict[str, Any]
    founder: str = "alice"
    root: HostRoot = field(init=False)
    files: dict[str, bytes | tuple[str, str]] = field(default_factory=dict)
    now: datetime = NOW
    digests: dict[tuple[str, str], str] = field(default_factory=dict)
    """Change digests that a test wants to be others than those of the files."""
    api: Gate = field(default_factory=closed_api)
    """Where the only instance's API would be: it cuts each connection, and counts it."""
    more: Mapping[str, bytes] = field(default_factory=dict)
    """What the introduction commit holds beside the policy and the fleet: certificates."""

    def __post_init__(self) -> None:
        """Begin with the introduction commit, by the founder."""
        self.repo = self.place / "repo.git"
        self.repo.mkdir()
        self.source = self.repo
        git(self.repo, "init", "-q", "--bare", "--initial-branch=main")
        self.files = {
            "trust.yaml": policy_bytes(self.spec),
            "haoam.yaml": FLEET.format(url=self.api.url).encode(),
            "docs/web.md": b"one\n",
            **self.more,
        }
        self.introduction = self.commit(self.files, [], self.founder)
        self.move(self.introduction)
        self.root = HostRoot(self.introduction, digest_bytes(policy_bytes(self.spec)), REF)

    @property
    def publics(self) -> dict[str, str]:
        """Everybody's public key."""
        return {name: ssh.public_of(path) for name, path in self.keys.items()}

    def other(self, spec: dict[str, Any], founder: str = "alice") -> World:
        """A second world with another policy."""
        place = self.place / f"other-{len(list(self.place.iterdir()))}"
        place.mkdir()
        return World(place, self.keys, spec, founder, api=self.api)

    def change_digest(self, base: str, head: str) -> str:
        """Stands for the digest of the desired state's change: what the files' change is."""
        known = self.digests.get((base, head))
        return known or digest_bytes(git(self.repo, "diff-tree", "-r", base, head))

    # --- objects -------------------------------------------------------------------------------------------------

    def store(self, kind: str, content: bytes) -> str:
        """Write an object as it is, however malformed."""
        return git(self.repo, "hash-object", "-w", "--literally", "-t", kind, "--stdin", stdin=content).decode().strip()

    def read(self, oid: str, kind: str = "commit") -> bytes:
        """An object's bytes."""
        return git(self.repo, "cat-file", kind, oid)

    def tree(self, files: Files) -> str:
        """A tree of trees, in git's order."""
        here: dict[str, tuple[str, str]] = {}
        below: dict[str, dict[str, bytes | tuple[str, str]]] = {}
        for path, content in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = content
            elif isinstance(content, tuple):
                here[name] = content
            else:
                here[name] = ("100644", self.store("blob", content))
        here |= {name: ("40000", self.tree(inside)) for name, inside in below.items()}
        ordered = sorted(here.items(), key=lambda item: item[0].encode() + (b"/" if item[1][0] == "40000" else b""))
        return self.raw_tree([(mode, name, oid) for name, (mode, oid) in ordered])

    def raw_tree(self, entries: Sequence[tuple[str, str, str]]) -> str:
        """A tree with exactly these entries (mode, name, id), in this order."""
        content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for mode, name, oid in entries)
        return self.store("tree", content)

    def payload(self, tree: str, parents: Sequence[str], author: str = "alice", message: str = "change\n") -> bytes:
        """A commit's bytes without a signature."""
        stamp = f"{author} <{author}@example.com> 1800000000 +0000"
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {stamp}", f"committer {stamp}"]
        return ("\n".join(lines) + "\n\n" + message).encode()

    def armor(self, payload: bytes, signer: str, namespace: str = "git") -> bytes:
        """The signature of some bytes by somebody's key."""
        return ssh.sign(payload, self.keys[signer], namespace).armor

    def commit(
        self,
        files: Files,
        parents: Sequence[str],
        signer: str | None = "alice",
        *,
        author: str = "",
        message: str = "change\n",
        namespace: str = "git",
    ) -> str:
        """A commit, signed unless `signer` is None."""
        payload = self.payload(self.tree(files), parents, author or signer or "alice", message)
        if signer is None:
            return self.store("commit", payload)
        return self.store("commit", with_signature(payload, self.armor(payload, signer, namespace)))

    def signed(self, payload: bytes, signer: str) -> str:
        """A commit of these bytes, signed."""
        return self.store("commit", with_signature(payload, self.armor(payload, signer)))

    def move(self, oid: str, ref: str = REF) -> str:
        """Let a branch name a commit, as whoever may push can."""
        git(self.repo, "update-ref", ref, oid)
        return oid

    def with_file(self, path: str = "docs/web.md", content: bytes = b"two\n") -> dict[str, bytes | tuple[str, str]]:
        """The first files, with one of them changed or added."""
        return {**self.files, path: content}

    # --- reviews -------------------------------------------------------------------------------------------------

    def open(self) -> Repository:
        """The host's repository."""
        return Repository.open(self.place / "state", str(self.source), REF)

    def predicate(self, principal: str, base: str, head: str, changes: Mapping[str, Any] | None = None) -> Predicate:
        """What somebody says about a change; everything can be made wrong."""
        repository = self.open()
        try:
            graph = Graph(repository, self.introduction)
            tree = graph.commit(repository.resolve(head)).tree
            policy = graph.blobs([graph.entry(graph.commit(base).tree, "trust.yaml", base).oid])[0]  # type: ignore[union-attr]
            values: dict[str, Any] = {
                "repository": self.introduction,
                "ref": REF,
                "base": base,
                "head": head,
                "tree": tree,
                "tree_sha256": Trees(graph).sha256(tree, head),
                "policy": Policy(serial=_serial(policy), digest=digest_bytes(policy)),
                "change_digest": self.change_digest(base, head),
                "decision": "approve",
                "principal": principal,
                "key": f"{principal}-1",
                "issued": format_time(self.now - timedelta(hours=1)),
                "expires": format_time(self.now + timedelta(days=6)),
                "id": os.urandom(16).hex(),
                "seen": Seen(attestations=repository.attestations),
            }
        finally:
            repository.close()
        return Predicate(**(values | dict(changes or {})))

    def review_raw(self, principal: str, base: str, head: str) -> str:
        """A statement about a commit that our own code would not read."""
        said = self.predicate(principal, base, base)
        changes = {"head": head, "change_digest": self.change_digest(base, head)}
        return self.attest(self.envelope(encode_statement(said.model_copy(update=changes)), principal))

    def review(
        self, principal: str, base: str, head: str, *, key: str = "", namespace: str = REVIEW_NAMESPACE, **changes: Any
    ) -> str:
        """Somebody's statement, pushed; returns the new tip. `key` is whose key signs, `key_id` what it says."""
        if "key_id" in changes:
            changes["key"] = changes.pop("key_id")
        payload = encode_statement(self.predicate(principal, base, head, changes))
        return self.attest(self.envelope(payload, key or principal, namespace))

    def envelope(self, payload: bytes, signer: str, namespace: str = REVIEW_NAMESPACE) -> bytes:
        """A signed statement, as it is kept."""
        signature = ssh.sign(pre_authentication(payload), self.keys[signer], namespace)
        return encode_envelope(Envelope(payload, signature.fingerprint, signature.blob))

    def attest(self, content: bytes) -> str:
        """Push a file as a statement, whatever it holds."""
        repository = self.open()
        try:
            return repository.append_statement(content, parent=repository.attestations, now=self.now)
        finally:
            repository.close()

    # --- the host ------------------------------------------------------------------------------------------------

    def verify(self, head: str = "", **options: Any) -> trust.Accepted:
        """What the host does before an apply: verify the branch, and remember."""
        repository = self.open()
        try:
            state = trust.load_state(self.place / "state", self.root)
            grounds = trust.Grounds(repository, self.root, state, self.now, self.change_digest, **options)
            accepted = trust.verify(grounds, head or repository.tip)
            trust.store_state(self.place / "state", accepted)
        finally:
            repository.close()
        self.good_for_git(accepted)
        return accepted

    def good_for_git(self, accepted: trust.Accepted) -> None:
        """Differential: git finds each accepted signature good, and each object that came with it well formed."""
        commits = {signer.commit for step in accepted.steps for signer in step.signers}
        signed = sorted(oid for oid in commits if b"BEGIN SSH SIGNATURE" in self.read(oid))
        if not signed:
            return
        policies = {git(self.repo, "show", f"{step.base}:trust.yaml") for step in accepted.steps}
        specs = [json.loads(policy)["spec"] for policy in policies]
        people = [person for spec in specs for person in spec["principals"].values()]
        keys = [key for person in people for key in person["keys"]]
        keys += [key for spec in specs for key in spec.get("merge", {}).get("forge_keys", [])]
        signers = self.place / "allowed"
        signers.write_text("".join(f"* {key['public']}\n" for key in keys if key["type"] == "ssh"))
        scratch = self.place / "scratch.git"  # with a configuration of its own, whatever the source's says
        git(self.place, "init", "-q", "--bare", str(scratch))
        (scratch / "objects" / "info" / "alternates").write_text(f"{self.repo / 'objects'}\n")
        git(scratch, "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", *signed)
        objects = git(scratch, "rev-list", "--objects", accepted.commit.id)
        pack = git(scratch, "pack-objects", "--stdout", "-q", stdin=objects)
        git(scratch, "index-pack", "--strict", "--stdin", stdin=pack)

    def refused(self, code: str, head: str = "", **options: Any) -> NotTrustedError:
        """The refusal with this code: of the stage, and of a whole `apply`, which sends nothing to any API.

        What the host remembers is what it was.
        """
        before = self.remembered()
        self.api.forget()
        with pytest.raises(NotTrustedError) as caught:
            self.verify(head, **options)
        assert caught.value.code == code, str(caught.value)
        assert self.remembered() == before
        if not options:
            error = self.apply(head)
            assert error.code == code, str(error)
            assert self.remembered() == before
        assert (self.api.connections, self.api.requests) == (0, [])
        return caught.value

    def apply(self, head: str = "") -> HaoamError:
        """What `apply` of a commit ends with: no digest is that of its plan, and the API answers nothing."""
        places = Settings(
            repo=str(self.source),
            root=self.place / "root.yaml",
            state=self.place / "state",
            audit=self.place / "audit",
            runner="host",
        )
        with (
            mock.patch.object(trust, "read_root", return_value=self.root),
            mock.patch.object(opening, "now", return_value=self.now),
            mock.patch.object(opening.Opened, "change_digest", self.change_digest),
            mock.patch.object(opening.Opened, "reveal", return_value="password"),
            pytest.raises(HaoamError) as caught,
        ):
            pipeline.apply(places, head, ANY_DIGEST, ())
        return caught.value

    def remembered(self) -> dict[str, bytes]:
        """Every file of the host's memory."""
        folder = self.place / "state" / "trust"
        return {file.name: file.read_bytes() for file in sorted(folder.glob("accepted*")) if file.is_file()}

    def accepted_change(self, **file: Any) -> str:
        """A positive control: a change by alice, reviewed by bob, on top of the branch."""
        base = git(self.repo, "rev-parse", REF).decode().strip()
        head = self.move(self.commit(self.with_file(**file), [base]))
        self.review("bob", base, head)
        self.verify()
        self.reaches_the_api()
        return head

    def reaches_the_api(self) -> None:
        """What the refusals are compared with: an `apply` of the branch as it is asks the instance."""
        self.api.forget()
        error = self.apply()
        assert (error.exit, self.api.connections > 0) == (7, True), str(error)


def _serial(policy: bytes) -> int:
    serial = json.loads(policy)["spec"]["serial"]
    assert isinstance(serial, int)
    return serial


def with_signature(payload: bytes, *armors: bytes, header: str = "gpgsig") -> bytes:
    """A commit's bytes with signatures behind the committer's line."""
    head, _, message = payload.partition(b"\n\n")
    signatures = b"".join(
        header.encode() + b" " + armor.rstrip(b"\n").replace(b"\n", b"\n ") + b"\n" for armor in armors
    )
    return head + b"\n" + signatures + b"\n" + message
