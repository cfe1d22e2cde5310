"""Attacks on OpenPGP signatures and on the certificates of the policy, and mixed teams as the control."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from gnupg_home import GnupgHome, Team, gnupg_home, team
from trust_world import World, git, policy_bytes, with_signature

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import encode_statement, pre_authentication
from haoam_sync.trust.packets import KEY_ARMOR, SIGNATURE_ARMOR, decode_armor, encode_armor
from haoam_sync.trust.ssh import public_of


@pytest.fixture(scope="module")
def home() -> Iterator[GnupgHome]:
    """One gpg home for this module's people."""
    with gnupg_home() as made:
        yield made


@pytest.fixture(scope="module")
def users(home: GnupgHome) -> Mapping[str, str]:
    """Fingerprints: alice and bob; alice's namesake; who has a subkey for signing; weak and old ones."""
    made = {name: home.make(f"{name} <{name}@example.com>") for name in ("alice", "bob")}
    made["namesake"] = home.make("alice <alice@example.com>")
    made["old"] = home.make("old <old@example.com>", "--faked-system-time", "20240101T000000!", ends="30d")
    made["revoked"] = home.make("gone <gone@example.com>")
    made["cards"] = home.make("cards <cards@example.com>", usage="cert")
    made["cards/sign"] = home.subkey(made["cards"])
    made["cards/auth"] = home.subkey(made["cards"], usage="auth")
    return made


@pytest.fixture
def mixed(world: World, home: GnupgHome, users: Mapping[str, str]) -> Team:
    """Alice signs with OpenPGP, and so does carol, by a subkey; bob and dave sign with SSH."""
    return team(world, home, alice=home.certificate(users["alice"]), carol=home.certificate(users["cards"]))


def _reviewed(mixed: Team, head: str) -> str:
    mixed.review("bob", mixed.introduction, head)
    return head


# --- controls --------------------------------------------------------------------------------------------------------


def test_control_a_team_with_both_kinds_of_keys(mixed: Team, users: Mapping[str, str], tmp_path: Path) -> None:
    """OpenPGP commit and SSH review, SSH commit and OpenPGP review by a subkey: both count, and git agrees."""
    first = mixed.openpgp_commit(users["alice"], mixed.introduction)
    mixed.review("bob", mixed.introduction, first)
    second = mixed.move(mixed.commit(mixed.with_file(content=b"3\n"), [first], "bob"))
    mixed.openpgp_review("carol", users["cards"], first, second)
    found = mixed.verify()
    assert [(step.author, step.reviewers) for step in found.steps[1:]] == [("alice", ("bob",)), ("bob", ("carol",))]
    mixed.reaches_the_api()
    signers = tmp_path / "signers"
    signers.write_text(f"bob {public_of(mixed.keys['bob'])}\n")
    for commit in (first, second):
        git(
            mixed.repo,
            "-c",
            f"gpg.ssh.allowedSignersFile={signers}",
            "-c",
            _gpg(mixed, tmp_path),
            "verify-commit",
            commit,
        )
    git(mixed.repo, "fsck", "--strict")


def _gpg(mixed: Team, place: Path) -> str:
    """A gpg that looks into the home of the tests: git gets no environment of ours."""
    program = place / "gpg"
    program.write_text(f'#!/bin/sh\nexec env GNUPGHOME={mixed.home.place} gpg "$@"\n')
    program.chmod(0o700)
    return f"gpg.program={program}"


def test_control_the_empty_line_that_github_adds(mixed: Team, users: Mapping[str, str]) -> None:
    """One empty continuation line behind the armor belongs to the grammar."""
    payload, armor = _signed(mixed, users["alice"])
    raw = with_signature(payload, armor).replace(b"-----END PGP SIGNATURE-----\n", b"-----END PGP SIGNATURE-----\n \n")
    head = _reviewed(mixed, mixed.move(mixed.store("commit", raw)))
    assert mixed.verify().commit.id == head


def test_control_dates_of_a_certificate_are_not_the_policys(
    world: World, home: GnupgHome, users: Mapping[str, str]
) -> None:
    """A certificate that ran out by its own date still signs while the policy calls the key active."""
    old = team(world, home, alice=home.certificate(users["old"]))
    head = _reviewed(old, old.openpgp_commit(users["old"], old.introduction, "--faked-system-time", "20240102T000000!"))
    assert old.verify().commit.id == head


# --- whose key -------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_the_user_id_of_alice_on_another_key(mixed: Team, users: Mapping[str, str]) -> None:
    """A user id proves nothing: the key is known by its fingerprint."""
    _reviewed(mixed, mixed.openpgp_commit(users["namesake"], mixed.introduction))
    mixed.refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_a_subkey_for_authentication(mixed: Team, users: Mapping[str, str]) -> None:
    """A subkey that is not for signing signs no commit, even where somebody makes it: here by another key's numbers."""
    payload, armor = _signed(mixed, users["cards"])
    blob = decode_armor(armor, SIGNATURE_ARMOR)
    forged = blob.replace(bytes.fromhex(users["cards/sign"]), bytes.fromhex(users["cards/auth"]))
    forged = forged.replace(bytes.fromhex(users["cards/sign"][-16:]), bytes.fromhex(users["cards/auth"][-16:]))
    assert forged != blob
    _reviewed(mixed, _commit(mixed, payload, encode_armor(forged, SIGNATURE_ARMOR)))
    mixed.refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_SIG_INVALID")
def test_a_subkey_that_its_primary_key_did_not_bind(world: World, home: GnupgHome, users: Mapping[str, str]) -> None:
    """Somebody's own subkey behind alice's primary key is not hers, whatever its binding signature looks like."""
    alice = decode_armor(home.certificate(users["alice"]), KEY_ARMOR)
    cards = decode_armor(home.certificate(users["cards"]), KEY_ARMOR)
    subkeys = cards[cards.index(b"\xb8\x33") :]  # from the first subkey packet on
    forged = team(world, home, alice=home.certificate(users["alice"]))
    spec, files = forged.spec, {**forged.more, "keys/alice.asc": encode_armor(alice + subkeys, KEY_ARMOR)}
    place = world.place / "unbound"
    place.mkdir()
    unbound = Team(place, world.keys, spec, "carol", api=world.api, more=files)
    unbound.home = home
    _reviewed(unbound, unbound.openpgp_commit(users["cards"], unbound.introduction))
    unbound.refused("E_SIG_INVALID")


@pytest.mark.attack("E_KEY_RETIRED")
def test_a_retired_openpgp_key(world: World, home: GnupgHome, users: Mapping[str, str]) -> None:
    """The policy's word about a key counts, not that gpg finds it good."""
    retired = team(world, home, dave=("retired", home.certificate(users["alice"])))
    _reviewed(retired, retired.openpgp_commit(users["alice"], retired.introduction))
    retired.refused("E_KEY_RETIRED")


@pytest.mark.attack("E_KEY_EXPIRED")
def test_an_openpgp_key_after_its_last_day(world: World, home: GnupgHome, users: Mapping[str, str]) -> None:
    """`not_after` of the policy counts for OpenPGP keys too, by our clock, whatever date the signature bears."""
    ended = team(world, home, dave=home.certificate(users["old"]))
    ended.spec["principals"]["dave"]["keys"][0]["not_after"] = "2027-02-27"
    place = world.place / "ended"
    place.mkdir()
    again = Team(place, world.keys, ended.spec, "alice", api=world.api, more=ended.more)
    again.home = home
    _reviewed(again, again.openpgp_commit(users["old"], again.introduction, "--faked-system-time", "20240102T000000!"))
    again.refused("E_KEY_EXPIRED")


@pytest.mark.attack("E_KEY_REVOKED")
def test_a_revoked_certificate(world: World, home: GnupgHome, users: Mapping[str, str]) -> None:
    """A key whose certificate carries its owner's revocation signs nothing."""
    before = home.certificate(users["revoked"])
    armor_of: dict[str, bytes] = {}
    plain = team(world, home, dave=before)
    payload, armor_of["good"] = _signed(plain, users["revoked"])
    with gnupg_home() as other:
        other.run("--import", stdin=home.secret(users["revoked"]))
        file = home.place / "openpgp-revocs.d" / f"{users['revoked']}.rev"
        other.run("--import", stdin=file.read_bytes().replace(b":-----", b"-----"))
        after = other.certificate(users["revoked"])
    assert after != before
    _reviewed(plain, _commit(plain, payload, armor_of["good"]))
    assert plain.verify().commit.author == "dave"  # the control: before it was revoked
    gone = team(world, home, dave=("retired", after))
    payload, armor = _signed(gone, users["revoked"])
    _reviewed(gone, _commit(gone, payload, armor))
    gone.refused("E_KEY_REVOKED")


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("whose", ["cards", "cards/sign"])
def test_an_openpgp_key_on_the_hosts_denylist(mixed: Team, users: Mapping[str, str], whose: str) -> None:
    """The fingerprint of the primary key, or of the subkey that signed, on the host's list counts at once."""
    head = mixed.move(mixed.commit(mixed.with_file(), [mixed.introduction], "bob"))
    mixed.openpgp_review("carol", users["cards"], mixed.introduction, head)
    mixed.verify(mixed.introduction)
    path = mixed.place / "denylist"
    path.write_text(f"# lost card\n{users[whose]}\n")
    path.chmod(0o600)
    mixed.root = replace(mixed.root, denylist=path)
    mixed.refused("E_KEY_REVOKED")


@pytest.mark.attack("E_KEY_REVOKED")
@pytest.mark.parametrize("whose", ["cards", "cards/sign"])
def test_an_openpgp_key_on_the_denylist_after_it_was_used(mixed: Team, users: Mapping[str, str], whose: str) -> None:
    """What was accepted last does not stand on a subkey that is compromised, either."""
    head = mixed.move(mixed.commit(mixed.with_file(), [mixed.introduction], "bob"))
    mixed.openpgp_review("carol", users["cards"], mixed.introduction, head)
    mixed.verify()
    path = mixed.place / "denylist"
    path.write_text(f"{users[whose]}\n")
    path.chmod(0o600)
    mixed.root = replace(mixed.root, denylist=path)
    mixed.refused("E_KEY_REVOKED")


# --- what was signed -------------------------------------------------------------------------------------------------


def _signed(mixed: Team, fingerprint: str, *options: str) -> tuple[bytes, bytes]:
    payload = mixed.payload(mixed.tree(mixed.with_file()), [mixed.introduction])
    return payload, mixed.home.sign(payload, fingerprint, *options)


def _commit(mixed: Team, payload: bytes, armor: bytes) -> str:
    head = mixed.store("commit", with_signature(payload, armor))
    (mixed.repo / "refs/heads/main").write_text(head + "\n")
    return head


@pytest.mark.attack("E_SIG_INVALID")
def test_an_openpgp_signature_taken_from_another_commit(mixed: Team, users: Mapping[str, str]) -> None:
    """A signature covers the bytes that it was made for."""
    payload, armor = _signed(mixed, users["alice"])
    _reviewed(mixed, _commit(mixed, payload.replace(b"change\n", b"another\n"), armor))
    mixed.refused("E_SIG_INVALID")


@pytest.mark.attack("E_SIG_MULTIPLE")
def test_two_openpgp_signatures_in_one_armor(mixed: Team, users: Mapping[str, str]) -> None:
    """A second signature in the same armor is refused, though gpg verifies the first and says good."""
    payload, armor = _signed(mixed, users["alice"])
    both = decode_armor(armor, SIGNATURE_ARMOR) + decode_armor(_signed(mixed, users["bob"])[1], SIGNATURE_ARMOR)
    _commit(mixed, payload, encode_armor(both, SIGNATURE_ARMOR))
    mixed.refused("E_SIG_MULTIPLE")


@pytest.mark.attack("E_SIG_MULTIPLE")
def test_a_second_armor(mixed: Team, users: Mapping[str, str]) -> None:
    """A second block behind the first one is refused."""
    payload, armor = _signed(mixed, users["alice"])
    _commit(mixed, payload, armor + _signed(mixed, users["bob"])[1])
    mixed.refused("E_SIG_MULTIPLE")


Change = Callable[[bytes], bytes]


@pytest.mark.attack("E_SIG_ARMOR")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda blob: blob + b"\xb0\x03abc", id="a trust packet behind it"),
        pytest.param(lambda blob: b"\xa8\x03PGP" + blob, id="a marker packet before it"),
        pytest.param(lambda blob: blob + b"\0", id="a zero behind it"),
        pytest.param(lambda blob: b"\x89\0" + blob[1:], id="a length in a longer form"),
        pytest.param(lambda blob: blob[:2] + b"\x04\x01" + blob[4:], id="a signature of text"),
        pytest.param(lambda blob: blob[:2] + b"\x03" + blob[3:], id="version 3"),
        pytest.param(lambda blob: _unhashed(blob, b"\x05\x02\0\0\0\0"), id="another date, unsigned"),
        pytest.param(lambda blob: _unhashed(blob, b"\x0a\x1cMallory!!"), id="another user id, unsigned"),
    ],
)
def test_something_else_in_an_openpgp_signature(mixed: Team, users: Mapping[str, str], change: Change) -> None:
    """Packets, lengths and unsigned parts that gpg overlooks are refused."""
    payload, armor = _signed(mixed, users["alice"])
    _commit(mixed, payload, encode_armor(change(decode_armor(armor, SIGNATURE_ARMOR)), SIGNATURE_ARMOR))
    mixed.refused("E_SIG_ARMOR")


def _unhashed(blob: bytes, more: bytes) -> bytes:
    """The signature with more in its unsigned part, which holds the key's id."""
    place = blob.index(b"\0\x0a\x09\x10")
    size = 10 + len(more)
    return (
        bytes([blob[0], blob[1] + len(more)])
        + blob[2:place]
        + size.to_bytes(2, "big")
        + blob[place + 2 : place + 12]
        + more
        + blob[place + 12 :]
    )


@pytest.mark.attack("E_SIG_ARMOR")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SIGNATURE-----\n \n", b"SIGNATURE-----\n Comment: x\n \n"),
        (b"SIGNATURE-----\n \n", b"SIGNATURE-----\n"),
        (b"-----END PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----\n trailing"),
        (b"-----END PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----\n \n "),
        (b"\n =", b"\n =A"),
        (b"\n iH", b"\n i\n H"),
        (b"\n iH", b"\n iH="),
    ],
)
def test_something_else_in_the_openpgp_armor(mixed: Team, users: Mapping[str, str], old: bytes, new: bytes) -> None:
    """Headers, a wrong checksum, other line breaks and what stands around the armor are refused."""
    payload, armor = _signed(mixed, users["alice"])
    raw = with_signature(payload, armor)
    assert old in raw
    head = mixed.store("commit", raw.replace(old, new, 1))
    (mixed.repo / "refs/heads/main").write_text(head + "\n")
    mixed.refused("E_SIG_ARMOR", head)


@pytest.mark.attack("E_SIG_ARMOR")
@pytest.mark.parametrize("options", [("--digest-algo", "SHA1"), ("--default-sig-expire", "1d")])
def test_a_signature_that_gpg_should_not_have_made(
    mixed: Team, users: Mapping[str, str], options: tuple[str, ...]
) -> None:
    """SHA-1 carries no weight, and a signature that ends by itself is none for a history."""
    payload, armor = _signed(mixed, users["alice"], *options)
    _commit(mixed, payload, armor)
    mixed.refused("E_SIG_ARMOR")


# --- reviews ---------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_SIG_INVALID")
def test_an_openpgp_commit_signature_as_a_review(mixed: Team, users: Mapping[str, str]) -> None:
    """OpenPGP has no namespaces: what was signed begins with `tree ` or with `DSSEv1 `, and is never both."""
    head = mixed.openpgp_commit(users["alice"], mixed.introduction)
    raw = mixed.read(head)
    armor = raw[raw.index(b"-----BEGIN") : raw.index(b"\n\nchange")].replace(b"\n ", b"\n") + b"\n"
    with_bob = mixed.move(mixed.commit(mixed.with_file(), [mixed.introduction], "bob"))
    payload = encode_statement(mixed.predicate("alice", mixed.introduction, with_bob))
    envelope = mixed.openpgp_envelope(payload, users["alice"])
    stolen = _replaced(envelope, decode_armor(armor, SIGNATURE_ARMOR))
    mixed.attest(stolen)
    mixed.refused("E_SIG_INVALID")


def _replaced(envelope: bytes, signature: bytes) -> bytes:
    head, _, _ = envelope.partition(b'"sig":"')
    return head + b'"sig":"' + b64encode(signature) + b'"}]}'


@pytest.mark.attack("E_SIG_INVALID")
def test_an_openpgp_review_signature_in_a_commit(mixed: Team, users: Mapping[str, str]) -> None:
    """What alice signed as a review does not sign a commit."""
    statement = pre_authentication(encode_statement(mixed.predicate("alice", mixed.introduction, mixed.introduction)))
    payload, _ = _signed(mixed, users["alice"])
    _reviewed(mixed, _commit(mixed, payload, mixed.home.sign(statement, users["alice"])))
    mixed.refused("E_SIG_INVALID")


@pytest.mark.attack("E_STATEMENT_SIGNER")
@pytest.mark.parametrize(("signer", "named"), [("alice", "cards"), ("cards", "alice")])
def test_a_review_in_the_name_of_another_openpgp_key(
    mixed: Team, users: Mapping[str, str], signer: str, named: str
) -> None:
    """The envelope's keyid is the primary fingerprint that the policy lists, and the signature is by that key."""
    head = mixed.move(mixed.commit(mixed.with_file(), [mixed.introduction], "bob"))
    mixed.openpgp_review("carol", users[signer], mixed.introduction, head, keyid=users[named])
    mixed.refused("E_STATEMENT_SIGNER")


@pytest.mark.attack("E_STATEMENT_SIGNER")
def test_carols_name_under_alices_openpgp_signature(mixed: Team, users: Mapping[str, str]) -> None:
    """Alice cannot review in carol's name."""
    head = mixed.move(mixed.commit(mixed.with_file(), [mixed.introduction], "bob"))
    mixed.openpgp_review("carol", users["alice"], mixed.introduction, head)
    mixed.refused("E_STATEMENT_SIGNER")


# --- certificates of the policy --------------------------------------------------------------------------------------


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_a_certificate_swapped_in_the_commit_that_uses_it(mixed: Team, users: Mapping[str, str]) -> None:
    """Certificates come from the tree of the policy that judges, never from the commit that is judged."""
    spec = {**mixed.spec, "serial": 2, "previous": mixed.root.policy}
    spec["principals"] = dict(spec["principals"])
    spec["principals"]["alice"] = {
        "kind": "human",
        "keys": [{**mixed.spec["principals"]["alice"]["keys"][0], "fingerprint": users["namesake"]}],
    }
    files = {
        **mixed.files,
        "trust.yaml": policy_bytes(spec),
        "keys/alice.asc": mixed.home.certificate(users["namesake"]),
    }
    payload = mixed.payload(mixed.tree(files), [mixed.introduction])
    head = _commit(mixed, payload, mixed.home.sign(payload, users["namesake"]))
    mixed.review("bob", mixed.introduction, head)
    mixed.refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_POLICY_INVARIANT")
@pytest.mark.parametrize("what", ["secret", "two", "other", "missing", "revoked", "rubbish"])
def test_a_certificate_that_does_not_hold_together(
    mixed: Team, users: Mapping[str, str], home: GnupgHome, what: str
) -> None:
    """A secret key, two keys in a file, another key's, none, a revoked or unreadable one: no such policy."""
    alice, bob = (home.certificate(users[name]) for name in ("alice", "bob"))
    joined = encode_armor(decode_armor(alice, KEY_ARMOR) + decode_armor(bob, KEY_ARMOR), KEY_ARMOR)
    public_armor = home.secret(users["alice"]).replace(b"PRIVATE", b"PUBLIC")
    files: dict[str, bytes | None] = {
        "secret": public_armor,
        "two": joined,
        "other": bob,
        "missing": None,
        "rubbish": alice[:-60],
    }
    content = files[what] if what in files else _revoked(home, users["alice"])
    spec = {**mixed.spec, "serial": 2, "previous": mixed.root.policy}
    changed = {**mixed.files, "trust.yaml": policy_bytes(spec), "keys/alice.asc": content}
    changed = {path: found for path, found in changed.items() if found is not None}
    head = mixed.move(mixed.commit(changed, [mixed.introduction], "bob"))
    for name in ("bob", "carol"):
        _raw_review(mixed, name, users, head)
    refusal = mixed.refused("E_POLICY_INVARIANT")
    assert what != "secret" or "SECRET" in refusal.message


def _revoked(home: GnupgHome, fingerprint: str) -> bytes:
    with gnupg_home() as other:
        other.run("--import", stdin=home.secret(fingerprint))
        file = home.place / "openpgp-revocs.d" / f"{fingerprint}.rev"
        other.run("--import", stdin=file.read_bytes().replace(b":-----", b"-----"))
        return other.certificate(fingerprint)


def _raw_review(mixed: Team, name: str, users: Mapping[str, str], head: str) -> None:
    if name == "carol":
        mixed.openpgp_review("carol", users["cards"], mixed.introduction, head)
    else:
        mixed.review(name, mixed.introduction, head)


def test_control_a_new_certificate_for_the_same_key(mixed: Team, users: Mapping[str, str], home: GnupgHome) -> None:
    """A policy change may bring a certificate with a new subkey; from the next change on that subkey counts."""
    new = home.subkey(users["cards"])
    try:
        spec = {**mixed.spec, "serial": 2, "previous": mixed.root.policy}
        files = {**mixed.files, "trust.yaml": policy_bytes(spec), "keys/carol.asc": home.certificate(users["cards"])}
        first = mixed.move(mixed.commit(files, [mixed.introduction], "bob"))
        mixed.openpgp_review("carol", users["cards/sign"] + "!", mixed.introduction, first, keyid=users["cards"])
        mixed.verify()
        mixed.files = files
        payload = mixed.payload(mixed.tree(mixed.with_file()), [first])
        head = mixed.move(mixed.store("commit", with_signature(payload, home.sign(payload, new + "!"))))
        mixed.review("bob", first, head)
        assert mixed.verify().commit.author == "carol"
    finally:
        home.run("--yes", "--delete-secret-and-public-key", new + "!")


def test_a_strange_answer_of_gpgv_is_no_yes(
    mixed: Team, users: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A gpgv that says nothing, or twice good, is not believed."""
    for words in ("", "[GNUPG:] GOODSIG x y", "[GNUPG:] NEWSIG\n[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG x y"):
        program = tmp_path / "gpgv"
        program.write_text(
            f"#!/bin/sh\n[ $1 = --version ] && exec echo gpgv 2.2.40\ncat >/dev/null\nprintf '%s\\n' '{words}'\n"
        )
        program.chmod(0o700)
        head = _reviewed(mixed, mixed.openpgp_commit(users["alice"], mixed.introduction))
        with monkeypatch.context() as patch:
            patch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
            with pytest.raises(NotTrustedError) as caught:
                mixed.verify(head)
        assert caught.value.code == "E_SIG_PROGRAM"
