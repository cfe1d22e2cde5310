"""Attacks on signatures: who signed, with what, and over which bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from trust_world import World, make_key, policy_bytes, policy_document, with_signature

from haoam_sync.model.evidence import format_time
from haoam_sync.trust import ssh
from haoam_sync.trust.sshsig import _P256_ORDER, decode_armor, encode_armor, fingerprint

_ECDSA = b"ecdsa-sha2-nistp256"

# --- E_UNSIGNED ------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_UNSIGNED")
def test_an_unsigned_commit(world: World) -> None:
    """A reviewed commit without a signature is refused."""
    head = world.move(world.commit(world.with_file(), [world.introduction], None))
    world.review("bob", world.introduction, head)
    assert world.refused("E_UNSIGNED").where == head


@pytest.mark.attack("E_UNSIGNED")
def test_an_unsigned_commit_between_signed_ones(world: World) -> None:
    """One unsigned commit among signed ones, all reviewed together, is refused by its id."""
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction])
    second = world.commit(world.with_file(content=b"2\n"), [first], None)
    third = world.move(world.commit(world.with_file(content=b"3\n"), [second]))
    world.review("bob", world.introduction, third)
    assert world.refused("E_UNSIGNED").where == second


@pytest.mark.attack("E_UNSIGNED")
def test_an_unsigned_commit_further_on_is_named_before_a_missing_review(world: World) -> None:
    """Where nobody reviewed either, the commit that nobody could ever accept is what is said."""
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction])
    second = world.commit(world.with_file(content=b"2\n"), [first], None)
    world.move(world.commit(world.with_file(content=b"3\n"), [second]))
    assert world.refused("E_UNSIGNED").where == second


@pytest.mark.attack("E_UNSIGNED")
def test_an_unsigned_commit_on_the_side_branch_of_a_signed_merge(world: World) -> None:
    """A signed and reviewed merge does not vouch for the commits that it brings in."""
    base = world.introduction
    side = world.commit(world.with_file(), [base], None)
    head = world.move(world.commit(world.with_file(), [base, side]))
    world.review("bob", base, side)
    world.review("bob", base, head)
    assert world.refused("E_UNSIGNED").where == side


@pytest.mark.attack("E_UNSIGNED")
def test_a_rebase_merge_made_by_a_forge(world: World) -> None:
    """A forge that rebases rewrites signed commits as unsigned ones: the review of the signed one does not count."""
    signed = world.commit(world.with_file(), [world.introduction])
    world.move(signed, "refs/heads/pull")
    world.review("bob", world.introduction, signed)
    rebased = world.move(world.commit(world.with_file(), [world.introduction], None, author="alice"))
    assert world.refused("E_UNSIGNED").where == rebased


# --- E_KEY_... -------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_a_strangers_key(world: World) -> None:
    """A good signature by a key that the policy does not name is worth nothing."""
    head = world.move(world.commit(world.with_file(), [world.introduction], "mallory"))
    world.review("bob", world.introduction, head)
    world.refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_the_author_line_of_alice_signed_by_mallory(world: World) -> None:
    """Names and addresses in a commit prove nothing."""
    head = world.move(world.commit(world.with_file(), [world.introduction], "mallory", author="alice"))
    world.review("bob", world.introduction, head)
    world.refused("E_KEY_UNKNOWN")


def _with_mallory(world: World) -> bytes:
    spec = policy_document({name: ssh.public_of(path) for name, path in world.keys.items()}, serial=2)
    spec["previous"] = world.root.policy
    spec["principals"]["mallory"] = {
        "keys": [{"id": "mallory-1", "type": "ssh", "public": ssh.public_of(world.keys["mallory"])}]
    }
    spec["roles"]["author"]["members"].append("mallory")
    return policy_bytes(spec)


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_a_key_added_in_the_commit_that_uses_it(world: World) -> None:
    """A policy can not vouch for the commit that brings it."""
    head = world.move(
        world.commit(world.with_file("trust.yaml", _with_mallory(world)), [world.introduction], "mallory")
    )
    world.review("bob", world.introduction, head)
    world.refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_a_key_added_on_a_side_branch_and_used_there(world: World) -> None:
    """Authority comes from the base's policy, never from a branch's."""
    base = world.introduction
    added = world.commit(world.with_file("trust.yaml", _with_mallory(world)), [base])
    used = world.commit(world.with_file(), [added], "mallory")
    head = world.move(world.commit(world.with_file(), [base, used]))
    world.review("bob", base, head)
    assert world.refused("E_KEY_UNKNOWN").where == used


def _spec_with_key(world: World, **key: str) -> World:
    """The same people, with alice's key in another condition."""
    spec = policy_document({name: ssh.public_of(path) for name, path in world.keys.items()})
    spec["principals"]["alice"]["keys"] = [
        {"id": "alice-1", "type": "ssh", "public": ssh.public_of(world.keys["alice"]), **key},
        {"id": "alice-2", "type": "ssh", "public": ssh.public_of(world.keys["alice-new"])},
    ]
    return world.other(spec, founder="bob")


@pytest.mark.attack("E_KEY_RETIRED")
def test_a_retired_key_makes_nothing_new(world: World) -> None:
    """A key that is retired signs no new commit."""
    world = _spec_with_key(world, status="retired")
    head = world.move(world.commit(world.with_file(), [world.introduction], "alice"))
    world.review("bob", world.introduction, head)
    world.refused("E_KEY_RETIRED")


@pytest.mark.attack("E_KEY_EXPIRED")
def test_an_expired_key_on_a_back_dated_commit(world: World) -> None:
    """Whether a key is too old is judged by our clock, not by the date that its owner wrote into the commit."""
    world = _spec_with_key(world, not_after="2027-02-27")
    head = world.move(world.commit(world.with_file(), [world.introduction], "alice"))
    assert b"1800000000" in world.read(head)  # a date in January 2027, when the key was good
    world.review("bob", world.introduction, head)
    world.refused("E_KEY_EXPIRED")


def test_control_a_key_on_its_last_day(world: World) -> None:
    """A key still counts on the day that it ends."""
    world = _spec_with_key(world, not_after="2027-03-01")
    head = world.move(world.commit(world.with_file(), [world.introduction], "alice"))
    world.review("bob", world.introduction, head)
    assert world.verify().commit.author == "alice"


@pytest.mark.attack("E_KEY_REVOKED")
def test_a_key_that_the_policy_calls_compromised(world: World) -> None:
    """A compromised key signs nothing."""
    world = _spec_with_key(world, status="compromised")
    head = world.move(world.commit(world.with_file(), [world.introduction], "alice"))
    world.review("bob", world.introduction, head)
    world.refused("E_KEY_REVOKED")


def _denylist(world: World, content: str | None) -> None:
    path = world.place / "denylist"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    world.root = replace(world.root, denylist=path)


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("entry", ["alice/alice-1", "fingerprint"])
def test_a_key_on_the_hosts_denylist(world: World, entry: str) -> None:
    """The host's own list counts at once, whatever the policy says."""
    head = world.move(world.commit(world.with_file(), [world.introduction], "dave"))
    world.review("alice", world.introduction, head)
    line = fingerprint(ssh.public_of(world.keys["alice"])) if entry == "fingerprint" else entry
    world.verify(world.introduction)
    _denylist(world, f"# stolen laptop\n{line}\n")
    world.refused("E_KEY_REVOKED")


@pytest.mark.attack("E_REVOCATION_UNAVAILABLE")
@pytest.mark.parametrize("content", [None, "what is this\n"])
def test_a_denylist_that_can_not_be_read(world: World, content: str | None) -> None:
    """A denylist that is named and not there, or not understood, holds everything."""
    world.accepted_change()
    _denylist(world, content)
    world.refused("E_REVOCATION_UNAVAILABLE")


def test_control_an_empty_denylist(world: World) -> None:
    """An empty list denies nobody."""
    _denylist(world, "")
    world.accepted_change()


# --- E_COMMIT_FORMAT, E_SIG_... --------------------------------------------------------------------------------------

Mangle = Callable[[World, bytes], bytes]


def _signed_payload(world: World, payload: bytes) -> bytes:
    return with_signature(payload, world.armor(payload, "alice"))


def _two_signatures(world: World, payload: bytes) -> bytes:
    return with_signature(payload, world.armor(payload, "alice"), world.armor(payload, "mallory"))


def _sha256_header(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload).replace(b"gpgsig ", b"gpgsig-sha256 " + b"x\ngpgsig ", 1)


def _sha256_header_after(world: World, payload: bytes) -> bytes:
    head, _, message = _signed_payload(world, payload).partition(b"\n\n")
    return head + b"\ngpgsig-sha256 x\n\n" + message


def _two_trees(world: World, payload: bytes) -> bytes:
    line = payload.partition(b"\n")[0]
    return _signed_payload(world, line + b"\n" + payload)


def _two_authors(world: World, payload: bytes) -> bytes:
    author = next(line for line in payload.split(b"\n") if line.startswith(b"author "))
    return _signed_payload(world, payload.replace(author, author + b"\n" + author, 1))


def _nul(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload + b"\0hidden\n")


def _unknown_header(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload.replace(b"\n\n", b"\nx-trust me\n\n", 1))


def _encoding(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload.replace(b"\n\n", b"\nencoding ISO-8859-1\n\n", 1))


def _mergetag(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload.replace(b"\n\n", b"\nmergetag object " + b"0" * 40 + b"\n\n", 1))


def _one_parent_twice(world: World, payload: bytes) -> bytes:
    line = b"parent " + world.introduction.encode() + b"\n"
    return _signed_payload(world, payload.replace(line, line * 2, 1))


def _no_utf8_in_the_message(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload + b"\xff\n")


def _no_utf8_in_the_author(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload.replace(b"author alice", b"author al\xffce", 1))


def _control_characters_in_the_author(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload.replace(b"author alice", b"author \x1b[2Jalice", 1))


def _a_time_in_two_spellings(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload.replace(b"> 18", b"> 018"))


def _a_megabyte(world: World, payload: bytes) -> bytes:
    return _signed_payload(world, payload + b"x" * (1 << 20))


@pytest.mark.attack("E_COMMIT_FORMAT")
@pytest.mark.parametrize(
    "mangle",
    [
        _one_parent_twice,
        _no_utf8_in_the_message,
        _no_utf8_in_the_author,
        _control_characters_in_the_author,
        _a_time_in_two_spellings,
        _a_megabyte,
        _two_signatures,
        _sha256_header,
        _sha256_header_after,
        _two_trees,
        _two_authors,
        _nul,
        _unknown_header,
        _encoding,
        _mergetag,
    ],
)
def test_a_commit_that_is_not_canonical(world: World, mangle: Mangle) -> None:
    """What git calls a good signature over a strange commit is refused: everything in it must be in its place."""
    world.verify()
    payload = world.payload(world.tree(world.with_file()), [world.introduction])
    head = world.store("commit", mangle(world, payload))
    assert world.refused("E_COMMIT_FORMAT", _pushed(world, head)).where == head


def _pushed(world: World, head: str) -> str:
    """Put a malformed commit on the branch, and give the id that is asked about."""
    (world.repo / "refs/heads/main").write_text(head + "\n")
    return head


@pytest.mark.attack("E_SIG_ARMOR")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"-----END SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----\n trailing"),
        (b"-----END SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----\n \n "),
        (b"-----BEGIN SSH SIGNATURE-----\n ", b"-----BEGIN SSH SIGNATURE-----\n \n "),
        (b"-----BEGIN SSH SIGNATURE-----\n U", b"-----BEGIN SSH SIGNATURE-----\n =U"),
        (b"SSH SIGNATURE", b"STRANGE SIGNATURE"),
    ],
)
def test_something_else_in_the_armor(world: World, old: bytes, new: bytes) -> None:
    """Bytes before, inside or behind the armor, which git overlooks, are refused."""
    payload = world.payload(world.tree(world.with_file()), [world.introduction])
    head = world.store("commit", _signed_payload(world, payload).replace(old, new))
    world.refused("E_SIG_ARMOR", _pushed(world, head))


@pytest.mark.attack("E_SIG_ARMOR")
def test_another_end_of_a_line_in_the_armor(world: World) -> None:
    """A signed commit has one form: a carriage return ends no line of its signature."""
    payload = world.payload(world.tree(world.with_file()), [world.introduction])
    twin = re.sub(rb"(\n [A-Za-z0-9+/]{60,})\n ", rb"\1\r ", _signed_payload(world, payload), count=1)
    assert twin.count(b"\r") == 1
    head = world.store("commit", twin)
    world.refused("E_SIG_ARMOR", _pushed(world, head))


@pytest.mark.attack("E_SIG_MULTIPLE")
def test_two_signatures_in_one_header(world: World) -> None:
    """A second signature block in the same header is refused, whoever made it."""
    payload = world.payload(world.tree(world.with_file()), [world.introduction])
    both = world.armor(payload, "alice") + world.armor(payload, "mallory")
    head = world.store("commit", with_signature(payload, both))
    world.refused("E_SIG_MULTIPLE", _pushed(world, head))


def test_control_the_empty_line_that_github_adds(world: World) -> None:
    """One empty continuation line behind the armor belongs to the grammar."""
    payload = world.payload(world.tree(world.with_file()), [world.introduction])
    raw = _signed_payload(world, payload).replace(b"-----END SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n \n")
    head = world.move(world.store("commit", raw))
    world.review("bob", world.introduction, head)
    assert world.verify().commit.id == head


@pytest.mark.attack("E_SIG_NAMESPACE")
@pytest.mark.parametrize("namespace", ["file", "haoam-review@v1"])
def test_a_signature_made_for_something_else(world: World, namespace: str) -> None:
    """A signature of a file, or of a review, is no signature of a commit."""
    head = world.move(world.commit(world.with_file(), [world.introduction], namespace=namespace))
    world.review("bob", world.introduction, head)
    world.refused("E_SIG_NAMESPACE")


@pytest.mark.attack("E_SIG_INVALID")
@pytest.mark.parametrize("by", ["arithmetic", "ssh-keygen"])
def test_a_signature_taken_from_another_commit(world: World, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature covers the bytes that it was made for; ssh-keygen says so, whatever is plainly forged before."""
    if by == "ssh-keygen":
        monkeypatch.setattr(ssh, "is_forged", lambda _: False)
    first = world.payload(world.tree(world.with_file(content=b"1\n")), [world.introduction])
    other = world.payload(world.tree(world.with_file(content=b"2\n")), [world.introduction])
    head = world.move(world.store("commit", with_signature(other, world.armor(first, "alice"))))
    world.review("bob", world.introduction, head)
    world.refused("E_SIG_INVALID")


@pytest.mark.attack("E_SIG_ARMOR")
def test_a_malleable_ecdsa_signature(world: World, tmp_path: Path) -> None:
    """The twin of an ECDSA signature, with the other s, is refused: one commit has one form."""
    key = make_key(tmp_path, "ecdsa", "ecdsa", "-b", "256")
    spec = policy_document({name: ssh.public_of(path) for name, path in world.keys.items()})
    spec["principals"]["dave"]["keys"].append({"id": "dave-2", "type": "ssh", "public": ssh.public_of(key)})
    world.keys = {**world.keys, "dave-2": key}
    world = world.other(spec)
    payload = world.payload(world.tree(world.with_file()), [world.introduction])
    good = world.store("commit", with_signature(payload, world.armor(payload, "dave-2")))
    world.move(good)
    world.review("bob", world.introduction, good)
    assert world.verify().commit.author == "dave"  # the control: with a low s it counts
    payload = world.payload(world.tree(world.with_file(content=b"3\n")), [good])
    armor = _other_s(decode_armor(world.armor(payload, "dave-2")))
    refusal = world.refused("E_SIG_ARMOR", _pushed(world, world.store("commit", with_signature(payload, armor))))
    assert "high s" in refusal.message


def _other_s(blob: bytes) -> bytes:
    """The same signature with n - s in the place of s, and the lengths around it set right."""
    size = 32 if blob[-36:-32] == (32).to_bytes(4, "big") else 31
    head, low = blob[: -size - 4], int.from_bytes(blob[-size:], "big")
    high = (_P256_ORDER - low).to_bytes(33, "big")
    name = head.rindex(_ECDSA)
    for place in (name - 8, name + len(_ECDSA)):  # the lengths of the signature, and of the two numbers in it
        length = int.from_bytes(head[place : place + 4], "big") + len(high) - size
        head = head[:place] + length.to_bytes(4, "big") + head[place + 4 :]
    return encode_armor(head + len(high).to_bytes(4, "big") + high)


@pytest.mark.attack("E_ROLE")
def test_a_reviewer_who_may_not_author(world: World, publics: dict[str, str]) -> None:
    """A known key whose owner has not the role author signs no change."""
    spec = policy_document(publics)
    spec["principals"]["erin"] = {"keys": [{"id": "erin-1", "type": "ssh", "public": publics["erin"]}]}
    spec["roles"]["reviewer"]["members"].append("erin")
    world = world.other(spec)
    head = world.move(world.commit(world.with_file(), [world.introduction], "erin"))
    world.review("bob", world.introduction, head)
    world.refused("E_ROLE")


def test_control_review_times_are_the_hosts(world: World) -> None:
    """A review issued a few minutes ahead of our clock still counts: clocks differ a little."""
    head = world.move(world.commit(world.with_file(), [world.introduction]))
    world.review("bob", world.introduction, head, issued=format_time(world.now + timedelta(minutes=4)))
    assert world.verify().commit.id == head
