"""Histories in memory: objects, keys and statements without git and without ssh-keygen.

Signatures are bytes of the right form that stand for real ones: the world knows which of them hold.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import TrustedCommit
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
from haoam_sync.model.git_object import object_id
from haoam_sync.model.json import digest_bytes
from haoam_sync.trust import core
from haoam_sync.trust.case import Case
from haoam_sync.trust.certificate import Certificate
from haoam_sync.trust.claims import Claim
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.sshsig import SshClaim, encode_armor, fingerprint, parse_signature
from haoam_sync.trust.statements import Entry, Log
from haoam_sync.trust.trees import Trees

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
REF = "refs/heads/main"
Files = Mapping[str, bytes]


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def public_key(name: str) -> str:
    """A public key that stands for `name`'s."""
    blob = _string(b"ssh-ed25519") + _string(hashlib.sha256(name.encode()).digest())
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says about a step; everything can be wrong."""

    principal: str
    base: str
    head: str
    decision: str = "approve"
    key: str = ""
    key_id: str = ""
    age: timedelta = timedelta(hours=1)
    lifetime: timedelta = timedelta(days=6)
    change: str = ""


@dataclass
class Memory:
    """A repository and a log of statements."""

    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    good: set[SshClaim] = field(default_factory=set)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Files of each commit, as the model knows them."""
    introduction: str = ""

    denied: frozenset[str] = frozenset()

    def holds(self, claim: Claim, _certificate: Certificate | None) -> bool:
        """See `Proofs`."""
        return claim in self.good

    def read_many(self, ids: Sequence[str], kind: str) -> list[bytes]:
        """See `Objects`."""
        found = [self.objects[oid] for oid in ids]
        assert all(actual == kind for actual, _ in found)
        return [content for _, content in found]

    def store(self, kind: str, content: bytes) -> str:
        """Keep an object."""
        oid = object_id(kind, content)
        self.objects[oid] = (kind, content)
        return oid

    def tree(self, files: Files) -> str:
        """A tree of trees."""
        entries: dict[bytes, bytes] = {}
        below: dict[str, dict[str, bytes]] = {}
        for path, content in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = content
            else:
                entries[name.encode()] = _entry("100644", name, self.store("blob", content))
        for name, inside in below.items():
            entries[name.encode() + b"/"] = _entry("40000", name, self.tree(inside))
        return self.store("tree", b"".join(entries[key] for key in sorted(entries)))

    def signature(self, payload: bytes, key: str, namespace: str) -> bytes:
        """A signature blob by a key, known to hold."""
        made = bytearray(hashlib.sha512(key.encode() + payload).digest())
        made[-1] = 0  # below the order of the curve, as real ones are
        public = base64.b64decode(public_key(key).partition(" ")[2])
        inner = _string(b"ssh-ed25519") + _string(bytes(made))
        parts = (_string(public), _string(namespace.encode()), _string(b""), _string(b"sha512"), _string(inner))
        blob = b"SSHSIG" + (1).to_bytes(4, "big") + b"".join(parts)
        self.good.add(SshClaim(parse_signature(blob), payload))
        return blob

    def commit(self, files: Files, parents: Sequence[str], key: str | None, message: str) -> str:
        """A commit, signed unless `key` is None."""
        stamp = "x <x@example.com> 1800000000 +0000"
        lines = [f"tree {self.tree(files)}", *(f"parent {p}" for p in parents), f"author {stamp}", f"committer {stamp}"]
        head, message = "\n".join(lines) + "\n", f"\n{message}\n"
        payload = (head + message).encode()
        if key is not None:
            armor = encode_armor(self.signature(payload, key, "git")).decode().rstrip("\n")
            payload = (head + "gpgsig " + armor.replace("\n", "\n ") + "\n" + message).encode()
        oid = self.store("commit", payload)
        self.files[oid] = dict(files)
        return oid

    def say(self, said: Statement) -> None:
        """Append a statement to the log."""
        graph = Graph(self, self.introduction)
        tree = graph.commit(said.head).tree
        policy = self.files[said.base]["trust.yaml"]
        issued = NOW - said.age
        predicate = Predicate(
            repository=self.introduction,
            ref=REF,
            base=said.base,
            head=said.head,
            tree=tree,
            tree_sha256=Trees(graph).sha256(tree, said.head),
            policy=Policy(serial=json.loads(policy)["spec"]["serial"], digest=digest_bytes(policy)),
            change_digest=said.change or self.change_digest(said.base, said.head),
            decision=said.decision,  # type: ignore[arg-type]  # drawn from the three
            principal=said.principal,
            key=said.key_id or f"{said.principal}-1",
            issued=format_time(issued),
            expires=format_time(issued + said.lifetime),
            id=hashlib.sha256(str(len(self.entries)).encode()).hexdigest()[:32],
            seen=Seen(attestations=self.entries[-1].commit if self.entries else ""),
        )
        payload = encode_statement(predicate)
        key = said.key or said.principal
        blob = self.signature(pre_authentication(payload), key, "haoam-review@v1")
        envelope = encode_envelope(Envelope(payload, fingerprint(public_key(key)), blob))
        place = hashlib.sha1(str(len(self.entries)).encode(), usedforsecurity=False).hexdigest()
        self.entries.append(Entry(len(self.entries), place, envelope))

    def change_digest(self, base: str, head: str) -> str:
        """What a commit does to the files."""
        before, after = self.files[base], self.files[head]
        changed = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
        return digest_bytes(repr([(p, before.get(p), after.get(p)) for p in changed]).encode())

    def accept(self, trusted: str, head: str, *, first_start: bool) -> tuple[TrustedCommit, ...] | NotTrustedError:
        """The verdict of the code under test."""
        graph = Graph(self, self.introduction)
        log = Log([entry.commit for entry in self.entries], self.entries)
        case = Case(graph, log, self, REF, False, NOW, self.change_digest, first_start=first_start)
        try:
            return tuple(core.accept(case, trusted, head))
        except NotTrustedError as refusal:
            return refusal


def _entry(mode: str, name: str, oid: str) -> bytes:
    return f"{mode} {name}\0".encode() + bytes.fromhex(oid)
