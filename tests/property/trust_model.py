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
from typing import Any

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
from haoam_sync.model.root_statement import (
    Affirm,
    Compromise,
    CompromisedKey,
    Freeze,
    RootStatement,
    Thaw,
    encode_root_statement,
    statement_digest,
)
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.sshsig import SshClaim, encode_armor, fingerprint, parse_signature
from haoam_sync.trust.statements import Entry
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
    place: int = -1  # in the log


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says about everything; tips are named by their place."""

    kind: str
    principal: str
    key: str
    place: int  # in the log
    name: str
    about: str = ""  # of a thaw: the freeze's name
    whose: str = ""  # of a compromise: the key
    at: int | None = None  # of a compromise: the last tip beyond doubt; of an affirmation: the tip
    keys: tuple[str, ...] = ()  # of an affirmation


@dataclass
class Memory:
    """A repository and a log of statements."""

    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    good: set[SshClaim] = field(default_factory=set)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Files of each commit, as the model knows them."""
    introduction: str = ""
    freezes: dict[str, Freeze] = field(default_factory=dict)

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
        self._append(encode_statement(predicate), said.key or said.principal)

    def speak(self, word: Word, policy: bytes, tips: Sequence[str]) -> None:
        """Append what a root says to the log."""
        common: dict[str, Any] = {
            "repository": self.introduction,
            "ref": REF,
            "policy": Policy(serial=json.loads(policy)["spec"]["serial"], digest=digest_bytes(policy)),
            "principal": word.principal,
            "key": f"{word.principal}-2" if word.key.endswith("-new") else f"{word.principal}-1",
            "issued": format_time(NOW - timedelta(minutes=1)),
            "id": word.name,
            "seen": Seen(attestations=self.tip),
            "reason": "x",
        }
        said: RootStatement
        match word.kind:
            case "freeze":
                said = self.freezes[word.name] = Freeze(**common)
            case "thaw":
                digest = statement_digest(self.freezes[word.about])
                said = Thaw(**common, freeze=word.about, freeze_digest=digest)
            case "compromise":
                owner, key = word.whose.removesuffix("-new"), fingerprint(public_key(word.whose))
                meant = CompromisedKey(principal=owner, key=f"{owner}-1", fingerprint=key)
                said = Compromise(**common, compromised=meant, since=tips[word.at] if word.at is not None else None)
            case _:
                graph = Graph(self, self.introduction)
                commit = tips[word.at if word.at is not None else 0]
                tree = Trees(graph).sha256(graph.commit(commit).tree, commit)
                keys = tuple(sorted(fingerprint(public_key(key)) for key in word.keys))
                said = Affirm(**common, commit=commit, tree_sha256=tree, keys=keys)
        self._append(encode_root_statement(said), word.key)

    def _append(self, payload: bytes, key: str) -> None:
        blob = self.signature(pre_authentication(payload), key, "haoam-review@v1")
        envelope = encode_envelope(Envelope(payload, fingerprint(public_key(key)), blob))
        place = hashlib.sha1(str(len(self.entries)).encode(), usedforsecurity=False).hexdigest()
        self.entries.append(Entry(len(self.entries), place, envelope))

    @property
    def tip(self) -> str:
        """Of the log."""
        return self.entries[-1].commit if self.entries else ""

    def change_digest(self, base: str, head: str) -> str:
        """What a commit does to the files."""
        before, after = self.files[base], self.files[head]
        changed = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
        return digest_bytes(repr([(p, before.get(p), after.get(p)) for p in changed]).encode())


def _entry(mode: str, name: str, oid: str) -> bytes:
    return f"{mode} {name}\0".encode() + bytes.fromhex(oid)
