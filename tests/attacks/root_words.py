"""What roots say about everything, made by hand so that a test can make it wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from trust_world import REF, World, _serial, git

from haoam_sync.model.evidence import Policy, Seen, format_time
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
from haoam_sync.trust.sshsig import fingerprint
from haoam_sync.trust.trees import Trees


def common(world: World, principal: str, base: str = "") -> dict[str, Any]:
    """What all of them carry, said by somebody who has accepted `base`."""
    repository = world.open()
    try:
        seen = repository.attestations
    finally:
        repository.close()
    policy = git(world.repo, "cat-file", "blob", f"{base or world.introduction}:trust.yaml")
    return {
        "repository": world.introduction,
        "ref": REF,
        "policy": Policy(serial=_serial(policy), digest=digest_bytes(policy)),
        "principal": principal,
        "key": f"{principal}-1",
        "issued": format_time(world.now - timedelta(minutes=30)),
        "id": os.urandom(16).hex(),
        "seen": Seen(attestations=seen),
    }


def say(world: World, said: RootStatement, key: str = "") -> RootStatement:
    """Sign it and push it; `key` is whose key signs."""
    world.attest(world.envelope(encode_root_statement(said), key or said.principal))
    return said


def a_freeze(world: World, principal: str = "alice", changes: Mapping[str, Any] | None = None) -> Freeze:
    """A freeze, not pushed."""
    return Freeze(**(common(world, principal) | {"reason": "something is wrong"} | dict(changes or {})))


def freeze(world: World, principal: str = "alice", key: str = "", **changes: Any) -> Freeze:
    """A freeze, pushed."""
    if "key_id" in changes:
        changes["key"] = changes.pop("key_id")
    said = a_freeze(world, principal, changes)
    say(world, said, key)
    return said


def a_thaw(world: World, principal: str, frozen: Freeze, changes: Mapping[str, Any] | None = None) -> Thaw:
    """A part in lifting a freeze, not pushed."""
    more = {"freeze": frozen.id, "freeze_digest": statement_digest(frozen), "reason": ""}
    return Thaw(**(common(world, principal) | more | dict(changes or {})))


def thaw(world: World, principal: str, frozen: Freeze, key: str = "", **changes: Any) -> Thaw:
    """A part in lifting a freeze, pushed."""
    if "key_id" in changes:
        changes["key"] = changes.pop("key_id")
    said = a_thaw(world, principal, frozen, changes)
    say(world, said, key)
    return said


def compromise(world: World, principal: str, whose: str, key: str = "", **changes: Any) -> Compromise:
    """Somebody calls somebody's first key compromised."""
    if "key_id" in changes:
        changes["key"] = changes.pop("key_id")
    meant = CompromisedKey(principal=whose, key=f"{whose}-1", fingerprint=fingerprint(world.publics[whose]))
    said = Compromise(**(common(world, principal) | {"compromised": meant, "reason": "stolen"} | changes))
    say(world, said, key)
    return said


def names(world: World, *people: str) -> tuple[str, ...]:
    """Everything that the first keys of these people are denied by."""
    found = {fingerprint(world.publics[name]) for name in people} | {f"{name}-1" for name in people}
    return tuple(sorted({one if one.startswith("SHA256:") else f"{one[:-2]}/{one}" for one in found}))


def affirm(world: World, principal: str, commit: str, *whose: str, key: str = "", **changes: Any) -> Affirm:
    """Somebody's part in letting a commit stand, pushed; `whose` keys are compromised."""
    repository = world.open()
    try:
        graph = Graph(repository, world.introduction)
        tree = Trees(graph).sha256(graph.commit(commit).tree, commit)
    finally:
        repository.close()
    if "key_id" in changes:
        changes["key"] = changes.pop("key_id")
    base = changes.pop("base", "")
    more = {"commit": commit, "tree_sha256": tree, "keys": names(world, *whose), "reason": "looked at"}
    said = Affirm(**(common(world, principal, base) | more | changes))
    say(world, said, key)
    return said
