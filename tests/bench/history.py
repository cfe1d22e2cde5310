"""A history of signed commits, each with one review, written object by object: git itself would take minutes."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from haoam_sync import desired
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
from haoam_sync.model.git_object import object_id, object_sha256
from haoam_sync.model.json import digest_bytes
from haoam_sync.trust.sshsig import encode_armor, fingerprint

_REF = "refs/heads/main"
_ATTESTATIONS = "refs/heads/haoam/attestations"
_FLEET = b"""\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: bench}
spec: {clusters: {eu: {instances: {lb1: {url: "http://127.0.0.1:1/v3", user: a, password: {secret: env/X}}}}}}
"""


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


class Person:
    """Somebody with an ed25519 key that lives as long as the bench."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = Ed25519PrivateKey.generate()
        self._blob = _string(b"ssh-ed25519") + _string(self._key.public_key().public_bytes_raw())
        self.public = f"ssh-ed25519 {base64.b64encode(self._blob).decode()}"

    def sign(self, payload: bytes, namespace: bytes) -> bytes:
        """An SSHSIG blob, as `ssh-keygen -Y sign` makes it."""
        about = _string(namespace) + _string(b"") + _string(b"sha512")
        inner = self._key.sign(b"SSHSIG" + about + _string(hashlib.sha512(payload).digest()))
        version = (1).to_bytes(4, "big")
        return b"SSHSIG" + version + _string(self._blob) + about + _string(_string(b"ssh-ed25519") + _string(inner))


@dataclass(frozen=True)
class Tree:
    """A tree, by its id in both of git's formats."""

    sha1: str
    sha256: bytes


class History:
    """A bare repository that grows by reviewed commits.

    Attributes:
        path: of the repository.
        introduction: id of its first commit.
        commits: ids of all of them, oldest first.
        policy: digest of that commit's policy.
        now: when the history ends.

    Args:
        path: where to write it.
        steps: so many commits after the introduction commit.
        files: what each of them holds beside trust.yaml, by its number and path; the introduction commit is 0.
    """

    def __init__(self, path: Path, steps: int, files: Callable[[int], Mapping[str, bytes]] | None = None) -> None:
        self._files = files if files is not None else _files
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)  # noqa: S607 - on PATH
        self.path = path
        self.now = datetime.now(UTC)
        self._people = {name: Person(name) for name in ("alice", "bob", "carol")}
        self._policy = self._policy_bytes()
        self.policy = digest_bytes(self._policy)
        base = self.introduction = self._commit(self._tree(0), [], "alice")
        self.commits = [base]
        tip = ""
        for number in range(1, steps + 1):
            tree = self._tree(number)
            head = self._commit(tree, [base], "alice")
            tip = self._attest(base, head, tree, number, tip)
            base = head
            self.commits.append(head)
        for ref, oid in ((_REF, base), (_ATTESTATIONS, tip)):
            subprocess.run(["git", "-C", str(path), "update-ref", ref, oid], check=True)  # noqa: S607 - on PATH
        subprocess.run(["git", "-C", str(path), "repack", "-adq"], check=True)  # noqa: S607 - on PATH

    def root_file(self) -> str:
        """The host root file for it."""
        return (
            "apiVersion: haoam/v1\nkind: HostRoot\nspec:\n"
            f'  introduction: "{self.introduction}"\n  policy: {self.policy}\n  ref: {_REF}\n'
        )

    def _store(self, kind: str, content: bytes) -> str:
        oid = object_id(kind, content)
        file = self.path / "objects" / oid[:2] / oid[2:]
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(f"{kind} {len(content)}\0".encode() + content, 1))
        return oid

    def _tree_of(self, entries: list[tuple[str, str, str, bytes]]) -> Tree:
        """Entries: mode, name, and the id in both formats, in git's order."""
        content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for mode, name, oid, _ in entries)
        long = b"".join(f"{mode} {name}\0".encode() + oid for mode, name, _, oid in entries)
        return Tree(self._store("tree", content), object_sha256("tree", long))

    def _blob(self, name: str, content: bytes) -> tuple[str, str, str, bytes]:
        return ("100644", name, self._store("blob", content), object_sha256("blob", content))

    def _tree(self, number: int) -> Tree:
        return self._folder({**self._files(number), "trust.yaml": self._policy})

    def _folder(self, files: Mapping[str, bytes]) -> Tree:
        """The tree of these paths, folders within it included; git sorts a folder as if its name ended in `/`."""
        inside: dict[str, dict[str, bytes]] = {}
        entries: list[tuple[str, str, str, bytes]] = []
        for path, content in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                inside.setdefault(name, {})[rest] = content
            else:
                entries.append(self._blob(name, content))
        for name, held in inside.items():
            below = self._folder(held)
            entries.append(("40000", name, below.sha1, below.sha256))
        return self._tree_of(sorted(entries, key=lambda one: one[1] + "/" * (one[0] == "40000")))

    def _commit(self, tree: Tree, parents: list[str], author: str) -> str:
        stamp = f"{author} <{author}@example.com> 1800000000 +0000"
        lines = [f"tree {tree.sha1}", *(f"parent {oid}" for oid in parents), f"author {stamp}", f"committer {stamp}"]
        head, message = "\n".join(lines) + "\n", "\nA step\n"
        armor = encode_armor(self._people[author].sign((head + message).encode(), b"git")).decode().rstrip("\n")
        return self._store("commit", (head + "gpgsig " + armor.replace("\n", "\n ") + "\n" + message).encode())

    def _attest(self, base: str, head: str, tree: Tree, number: int, tip: str) -> str:
        issued = self.now - timedelta(hours=1)
        states = (desired.load(base, self._files(number - 1), None), desired.load(head, self._files(number), None))
        said = Predicate(
            repository=self.introduction,
            ref=_REF,
            base=base,
            head=head,
            tree=tree.sha1,
            tree_sha256=tree.sha256.hex(),
            policy=Policy(serial=1, digest=self.policy),
            change_digest=desired.change_digest(*states),
            decision="approve",
            principal="bob",
            key="bob-1",
            issued=format_time(issued),
            expires=format_time(issued + timedelta(days=6)),
            id=f"{number:032x}",
            seen=Seen(attestations=tip),
        )
        payload, bob = encode_statement(said), self._people["bob"]
        signature = bob.sign(pre_authentication(payload), b"haoam-review@v1")
        envelope = encode_envelope(Envelope(payload, fingerprint(bob.public), signature))
        content = self._tree_of([self._blob("statement.json", envelope)])
        stamp = "bob <bob@example.com> 1800000000 +0000"
        lines = [f"tree {content.sha1}", *([f"parent {tip}"] if tip else []), f"author {stamp}", f"committer {stamp}"]
        return self._store("commit", ("\n".join(lines) + "\n\nA review\n").encode())

    def _policy_bytes(self) -> bytes:
        names = list(self._people)
        spec = {
            "serial": 1,
            "ref": _REF,
            "principals": {
                name: {"keys": [{"id": f"{name}-1", "type": "ssh", "public": person.public}]}
                for name, person in self._people.items()
            },
            "roles": {
                "root": {"members": names, "threshold": 2},
                "author": {"members": names},
                "reviewer": {"members": names},
                "merger": {"members": names},
            },
            "rules": [
                {"paths": ["trust.yaml", "keys/**"], "require": {"root": 2}},
                {"paths": ["haoam.yaml"], "require": {"reviewer": 2}},
                {"paths": ["haproxy/**"], "require": {"reviewer": 1}},
            ],
        }
        return json.dumps({"apiVersion": "haoam/v1", "kind": "TrustPolicy", "spec": spec}).encode()


def _files(number: int) -> dict[str, bytes]:
    return {"haoam.yaml": _FLEET, "haproxy/web.yaml": _web(number)}


def _web(number: int) -> bytes:
    return b"apiVersion: haoam/v1\nkind: Backend\nmetadata: {name: web}\nspec: {mode: http, retries: %d}\n" % (
        number + 1
    )
