"""What roots say about everything: freezes, thaws, and keys that nobody is to believe any more."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from trust_world import World, git, policy_bytes

from haoam_sync import trust
from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.evidence import Envelope, Policy, Seen, encode_envelope, format_time
from haoam_sync.model.json import digest_bytes
from haoam_sync.model.root_statement import (
    Compromise,
    CompromisedKey,
    Freeze,
    RootStatement,
    Thaw,
    encode_root_statement,
    parse_root_statement,
    statement_digest,
)
from haoam_sync.trust import ssh
from haoam_sync.trust.case import Case
from haoam_sync.trust.signing import SshSigningKey
from haoam_sync.trust.sshsig import fingerprint


def _said(world: World, who: str, **changes: Any) -> dict[str, Any]:
    repository = world.open()
    tip = repository.attestations
    repository.close()
    policy = policy_bytes(world.spec)
    return {
        "repository": world.introduction,
        "ref": "refs/heads/main",
        "policy": Policy(serial=world.spec["serial"], digest=digest_bytes(policy)),
        "principal": who,
        "key": f"{who}-1",
        "issued": format_time(world.now - timedelta(hours=1)),
        "id": os.urandom(16).hex(),
        "seen": Seen(attestations=tip),
        "reason": "why not",
        **changes,
    }


def _push(world: World, said: RootStatement, key: str, namespace: str = "haoam-review@v1") -> str:
    return world.attest(world.envelope(encode_root_statement(said), key, namespace))


def freeze(world: World, who: str = "carol", key: str = "", **changes: Any) -> Freeze:
    """Somebody's freeze, pushed."""
    said = Freeze(**_said(world, who, **changes))
    _push(world, said, key or who)
    return said


def _a_thaw(world: World, who: str, freeze: Freeze, **changes: Any) -> Thaw:
    values = {"freeze": freeze.id, "freeze_digest": statement_digest(freeze), **changes}
    return Thaw(**_said(world, who, **values))


def thaw(world: World, who: str, freeze: Freeze, key: str = "", **changes: Any) -> Thaw:
    """Somebody's thaw of it, pushed."""
    said = _a_thaw(world, who, freeze, **changes)
    _push(world, said, key or who)
    return said


def compromise(world: World, who: str, owner: str, key: str = "", **changes: Any) -> Compromise:
    """Somebody says that the key of `owner` is compromised, pushed."""
    found = CompromisedKey(principal=owner, key=f"{owner}-1", fingerprint=fingerprint(world.publics[owner]))
    said = Compromise(**_said(world, who, compromised=found, **changes))
    _push(world, said, key or who)
    return said


def _change(world: World, signer: str = "alice", reviewer: str = "bob", content: bytes = b"two\n") -> str:
    base = git(world.repo, "rev-parse", "refs/heads/main").decode().strip()
    head = world.move(world.commit(world.with_file(content=content), [base], signer))
    world.review(reviewer, base, head)
    return head


def _forged(world: World, key: str) -> Freeze:
    return freeze(world, "carol", key)


# --- E_FROZEN --------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_FROZEN")
def test_a_change_while_everything_is_frozen(world: World) -> None:
    """One root stops everything; what was accepted before is kept, and nothing is applied, not even that."""
    world.accepted_change(content=b"1\n")
    freeze(world)
    world.refused("E_FROZEN")
    _change(world)
    world.refused("E_FROZEN")


def test_control_a_freeze_that_a_quorum_lifted(world: World) -> None:
    """Two of three roots lift it; then the change that waited is accepted."""
    stop = freeze(world)
    head = _change(world)
    thaw(world, "alice", stop)
    world.refused("E_FROZEN")
    thaw(world, "bob", stop)
    assert world.verify().commit.id == head
    world.reaches_the_api()


@pytest.mark.attack("E_FROZEN")
@pytest.mark.parametrize(
    "how",
    [
        "twice by one root",
        "who froze it, alone",
        "no root",
        "another's name",
        "another freeze",
        "retired",
        "before it",
    ],
)
def test_a_freeze_that_too_few_lifted(world: World, how: str) -> None:
    """A quorum is so many different roots, each with an active key, of this very freeze, after it."""
    early = Freeze(**_said(world, "carol"))
    if how == "before it":
        thaw(world, "bob", early)
    stop = early if how == "before it" else freeze(world)
    if how == "before it":
        _push(world, early, "carol")
    thaw(world, "alice", stop)
    match how:
        case "twice by one root":
            thaw(world, "alice", stop)
        case "who froze it, alone":
            pass
        case "no root":
            thaw(world, "dave", stop)
        case "another's name":
            thaw(world, "bob", stop, key="mallory")
        case "another freeze":
            thaw(world, "bob", stop, freeze_digest="sha256:" + "0" * 64)
        case "retired":
            thaw(world, "bob", stop, key="bob-new")
        case _:
            pass
    _change(world)
    world.refused("E_FROZEN")


@pytest.mark.attack("E_FROZEN")
@pytest.mark.parametrize("how", ["another root's name", "another namespace", "other words"])
def test_a_thaw_that_no_second_root_signed(world: World, how: str) -> None:
    """One root does not lift a freeze in the names of others, nor with what they signed for something else."""
    stop = freeze(world)
    thaw(world, "alice", stop)
    said = _a_thaw(world, "bob", stop)
    match how:
        case "another root's name":
            _push(world, said, "alice")
        case "another namespace":
            _push(world, said, "bob", "file")
        case _:
            true = ssh.sign(b"x", world.keys["bob"], "haoam-review@v1")
            world.attest(encode_envelope(Envelope(encode_root_statement(said), true.fingerprint, true.blob)))
    world.refused("E_FROZEN")
    _push(world, said, "bob")
    world.verify()


@pytest.mark.attack("E_FROZEN")
def test_a_thaw_replayed_for_a_second_freeze(world: World) -> None:
    """What lifted one freeze does not lift the next one."""
    stop = freeze(world)
    for who in ("alice", "bob"):
        thaw(world, who, stop)
    _change(world)
    world.verify()
    again = freeze(world)
    repository = world.open()
    entries = git(world.repo, "log", "--format=%H", repository.attestations).decode().split()
    repository.close()
    for commit in reversed(entries):  # everything that was ever said, once more
        world.attest(git(world.repo, "show", f"{commit}:statement.json"))
    _change(world, content=b"three\n")
    world.refused("E_FROZEN")
    for who in ("alice", "bob"):
        thaw(world, who, again)
    world.verify()


@pytest.mark.attack("E_FROZEN")
def test_a_freeze_by_a_root_whose_key_is_retired_later(world: World) -> None:
    """A freeze is judged by the accepted policy that it names, too: a rotation that came first does not undo it."""
    spec = {**world.spec, "serial": 2, "previous": digest_bytes(policy_bytes(world.spec))}
    principals = {**spec["principals"]}
    old = {**principals["carol"]["keys"][0], "status": "retired"}
    new = {"id": "carol-2", "type": "ssh", "public": ssh.public_of(world.keys["erin"])}
    spec["principals"] = {**principals, "carol": {"kind": "human", "keys": [old, new]}}
    said = Freeze(**_said(world, "carol"))
    base = world.introduction
    files = world.with_file("trust.yaml", policy_bytes(spec))
    head = world.move(world.commit(files, [base]))
    world.review("bob", base, head)
    world.verify()
    _push(world, said, "carol")
    world.refused("E_FROZEN")


def test_control_a_freeze_by_somebody_who_is_no_root(world: World) -> None:
    """Who is no root stops nobody: not by his own name, and not by a root's."""
    freeze(world, "dave")
    _forged(world, "mallory")
    _push(world, Freeze(**_said(world, "carol")), "carol", "file")
    freeze(world, "carol", repository="0" * 40)
    freeze(world, "carol", ref="refs/heads/other")
    head = _change(world)
    assert world.verify().commit.id == head


def test_control_a_freeze_by_a_key_on_the_hosts_denylist(world: World, tmp_path: Path) -> None:
    """A stolen root key that the operator denied stops nothing on his host."""
    freeze(world)
    head = _change(world)
    world.refused("E_FROZEN")
    denied = tmp_path / "denied"
    denied.write_text("carol/carol-1\n")
    denied.chmod(0o644)
    world.root = replace(world.root, denylist=denied)
    assert world.verify().commit.id == head


@pytest.mark.attack("E_ATTEST_ROLLBACK")
def test_a_freeze_withheld_behind_a_later_review(world: World) -> None:
    """Who reviews after the freeze has seen it: that review without the freeze holds everything."""
    stop = freeze(world)
    repository = world.open()
    tip = repository.attestations
    repository.close()
    git(world.repo, "update-ref", "-d", "refs/heads/haoam/attestations")
    base = world.introduction
    head = world.move(world.commit(world.with_file(), [base]))
    world.review("bob", base, head, seen=Seen(attestations=tip))
    world.refused("E_ATTEST_ROLLBACK")
    assert stop.principal == "carol"


@pytest.mark.attack("E_ATTEST_ROLLBACK")
def test_a_statement_withheld_behind_a_freeze(world: World) -> None:
    """What a root saw must be in our copy."""
    freeze(world, seen=Seen(attestations="a" * 40))
    _change(world)
    world.refused("E_ATTEST_ROLLBACK")


def test_advance_keeps_what_is_accepted_while_frozen(world: World) -> None:
    """A plan and a review rest on the commit accepted last, and say why there is nothing newer."""
    kept = world.accepted_change(content=b"1\n")
    freeze(world)
    _change(world)
    repository = world.open()
    state = trust.load_state(world.place / "state", world.root)
    found = trust.advance(trust.Grounds(repository, world.root, state, world.now, world.change_digest))
    repository.close()
    assert (found.commit.id, found.refusal.code if found.refusal else "") == (kept, "E_FROZEN")


# --- E_KEY_REVOKED ---------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("owner", ["alice", "bob"])
def test_a_key_that_a_root_called_compromised(world: World, owner: str) -> None:
    """Neither its commits nor its reviews count, also those made before; it cannot be taken back."""
    _change(world)
    compromise(world, "carol", owner)
    world.refused("E_KEY_REVOKED")


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("owner", ["alice", "bob"])
def test_an_accepted_commit_that_rests_on_a_compromised_key(world: World, owner: str) -> None:
    """What was accepted is not applied again, and a new commit on top with good keys does not mend that."""
    base = world.accepted_change()
    compromise(world, "carol", owner)
    world.refused("E_KEY_REVOKED")
    head = world.move(world.commit(world.with_file(content=b"looked at\n"), [base], "dave"))
    world.review("carol", base, head)
    assert world.refused("E_KEY_REVOKED").where == base


@pytest.mark.attack("E_KEY_REVOKED")
def test_old_history_by_a_compromised_key(world: World) -> None:
    """A new host does not accept what the key once signed either."""
    base = world.introduction
    first = _change(world, "dave", "bob")
    head = _change(world, "alice", "bob", b"three\n")
    assert world.verify().commit.id == head
    compromise(world, "carol", "dave")
    (world.place / "state" / "trust").rename(world.place / "elsewhere")
    assert world.refused("E_KEY_REVOKED").where == first
    assert base


@pytest.mark.attack("E_FROZEN")
def test_a_thaw_by_a_key_that_is_called_compromised_later(world: World) -> None:
    """A quorum that needed a stolen key was none."""
    stop = freeze(world)
    for who in ("alice", "bob"):
        thaw(world, who, stop)
    _change(world, "dave", "carol")
    compromise(world, "carol", "bob")
    world.refused("E_FROZEN")
    thaw(world, "carol", stop)
    world.verify()


def test_control_a_compromise_by_somebody_without_a_say(world: World) -> None:
    """Who is no root, who uses another's name, or whose key was called compromised before, revokes nothing."""
    world.verify()
    compromise(world, "dave", "bob")
    compromise(world, "carol", "bob", key="mallory")
    compromise(world, "carol", "alice")
    compromise(world, "alice", "bob")  # alice's key is stolen, and speaks too late
    head = _change(world, "dave", "bob")
    assert world.verify().commit.id == head


@pytest.mark.attack("E_FROZEN")
def test_no_flipped_byte_of_a_thaw_lifts_anything(world: World) -> None:
    """Whichever byte of the second thaw changes: there is one root's word, and it is not enough."""
    stop = freeze(world)
    thaw(world, "alice", stop)
    said = Thaw(**_said(world, "bob", freeze=stop.id, freeze_digest=statement_digest(stop)))
    content = world.envelope(encode_root_statement(said), "bob")
    for place in range(0, len(content), 97):
        world.attest(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    world.refused("E_FROZEN")
    world.attest(content)
    world.verify()


@pytest.mark.attack("E_STATEMENT_FORMAT")
@pytest.mark.parametrize("how", ["a key twice", "white space", "another subject", "an unknown word", "two lines"])
def test_a_roots_statement_that_could_be_read_in_two_ways(world: World, how: str) -> None:
    """A well signed statement of a root that is not exactly in form says nothing."""
    said = Freeze(**_said(world, "carol"))
    good = encode_root_statement(said)
    bad = {
        "a key twice": good.replace(b'"reason"', b'"reason":"x","reason"'),
        "white space": good.replace(b'":', b'": ', 1),
        "another subject": good.replace(world.introduction.encode(), b"0" * 40, 1),
        "an unknown word": good.replace(b'"reason"', b'"more":1,"reason"'),
        "two lines": good.replace(b"why not", b"why\\nnot"),
    }[how]
    assert bad != good
    with pytest.raises(NotTrustedError) as caught:
        parse_root_statement(bad, where="x")
    assert caught.value.code == "E_STATEMENT_FORMAT"
    world.attest(world.envelope(bad, "carol"))
    head = _change(world)
    assert world.verify().commit.id == head


# --- making them -----------------------------------------------------------------------------------------------------


def _word(world: World, who: str) -> trust.RootWord:
    repository = world.open()
    try:
        return trust.root_word(repository, world.root, world.introduction, SshSigningKey(world.keys[who]), world.now)
    except NotTrustedError:
        repository.close()
        raise


def test_a_root_freezes_thaws_and_revokes(world: World) -> None:
    """What the tool signs and pushes counts."""
    word = _word(world, "carol")
    word.say(word.freeze("something is wrong"))
    word.repository.close()
    world.refused("E_FROZEN")
    for who in ("alice", "bob"):
        word = _word(world, who)
        word.say(word.thaw("", "it was nothing"))
        word.repository.close()
    world.verify()
    word = _word(world, "carol")
    word.say(word.compromise("dave", "dave-1", "the laptop is gone"))
    word.repository.close()
    _change(world, "dave")
    world.refused("E_KEY_REVOKED")


def test_statements_that_name_policies_that_never_were(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may push may name as many policies as he likes: history is walked for them once, not once for each."""
    base = world.introduction
    for number in range(3):
        head = world.move(world.commit(world.with_file("docs/web.md", b"%d\n" % number), [base], "alice"))
        world.review("bob", base, head)
        base = head
    world.verify()
    for number in range(4):
        freeze(world, "alice", "mallory", policy=Policy(serial=1, digest=f"sha256:{number:064}"))
    asked: list[str] = []
    digest = Case.policy_digest
    monkeypatch.setattr(Case, "policy_digest", lambda case, commit: asked.append(commit) or digest(case, commit))
    world.verify()
    assert asked.count(world.introduction) == 2  # by the policy to begin with, and by the one that was arrived at


def test_thousands_of_forged_statements_start_no_program_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root's true signature under other words is found out without ssh-keygen: they lie there for ever."""
    true = ssh.sign(b"x", world.keys["alice"], "haoam-review@v1")
    for _ in range(3):
        payload = encode_root_statement(Freeze(**_said(world, "alice")))
        world.attest(encode_envelope(Envelope(payload, true.fingerprint, true.blob)))
    asked: list[object] = []
    verify = ssh._verify  # what is counted
    monkeypatch.setattr(ssh, "_verify", lambda claim, place: asked.append(claim) or verify(claim, place))
    world.verify()
    assert len(asked) == 1  # the introduction commit's


def test_several_freezes_with_one_id(world: World) -> None:
    """Whoever freezes chooses the id: the tool lifts the oldest of them, then the next."""
    first = freeze(world, "alice")
    second = freeze(world, "alice", id=first.id, reason="the same again")
    for frozen in (first, second):
        for who in ("bob", "carol"):
            word = _word(world, who)
            said = word.thaw(first.id, "")
            assert said.freeze_digest == statement_digest(frozen)
            word.say(said)
            word.repository.close()
    world.verify()


@pytest.mark.attack("E_ROLE")
def test_who_is_no_root_signs_no_freeze(world: World, keys: Mapping[str, Path]) -> None:
    """The tool does not sign what would not count."""
    for who in ("dave", "mallory"):
        with pytest.raises(NotTrustedError) as caught:
            _word(world, who)
        assert caught.value.code == "E_ROLE"
    assert keys


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("how", ["denylist", "statement"])
def test_a_root_whose_key_is_stolen_signs_nothing_more(world: World, tmp_path: Path, how: str) -> None:
    """The tool does not sign what would not count, and says to use another key."""
    if how == "denylist":
        denied = tmp_path / "denied"
        denied.write_text("carol/carol-1\n")
        world.root = replace(world.root, denylist=denied)
    else:
        compromise(world, "alice", "carol")
    with pytest.raises(NotTrustedError) as caught:
        _word(world, "carol")
    assert (caught.value.code, caught.value.hint) == ("E_KEY_REVOKED", "use another key")
    _word(world, "bob").repository.close()


@pytest.mark.attack("E_KEY_RETIRED")
def test_a_root_with_a_key_that_is_over_signs_nothing_more(world: World) -> None:
    """A retired key of a root freezes nothing new, and a key whose last day has passed neither."""
    retired = {"id": "carol-1", "type": "ssh", "public": world.publics["carol"], "status": "retired"}
    principals = json.loads(json.dumps(world.spec["principals"]))
    principals["carol"]["keys"] = [retired, {"id": "carol-2", "type": "ssh", "public": world.publics["alice-new"]}]
    principals["bob"]["keys"][0]["not_after"] = "2027-02-01"
    world = world.other(world.spec | {"principals": principals})
    for who, code in (("carol", "E_KEY_RETIRED"), ("bob", "E_KEY_EXPIRED")):
        with pytest.raises(NotTrustedError) as caught:
            _word(world, who)
        assert caught.value.code == code


def test_what_a_root_can_not_say(world: World) -> None:
    """A thaw of nothing, or of one of two; a key that the policy has not: told before anything is signed."""
    word = _word(world, "carol")
    with pytest.raises(UsageError, match="no such freeze"):
        word.thaw("", "why")
    for whose, key in (("nobody", "x"), ("dave", "dave-9")):
        with pytest.raises(UsageError, match="has no key"):
            word.compromise(whose, key, "why")
    word.repository.close()
    one = freeze(world, "alice")
    freeze(world, "alice")
    word = _word(world, "carol")
    with pytest.raises(UsageError, match="several freezes"):
        word.thaw("", "why")
    assert word.thaw(one.id, "why").freeze == one.id
    word.repository.close()
