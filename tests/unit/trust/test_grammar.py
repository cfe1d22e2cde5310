"""The grammar of commits, and of keys and signatures: what is read, and that nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import (
    Envelope,
    Policy,
    Predicate,
    Seen,
    encode_envelope,
    encode_statement,
    parse_envelope,
    parse_statement,
    pre_authentication,
)
from haoam_sync.trust import ssh
from haoam_sync.trust.grammar import parse_commit
from haoam_sync.trust.sshsig import (
    FormatError,
    SshClaim,
    commit_signature,
    decode_armor,
    encode_armor,
    fingerprint,
    parse_public,
    parse_signature,
)

HEAD = (
    b"tree " + b"1" * 40 + b"\nparent " + b"2" * 40 + b"\n"
    b"author Alice Example <alice@example.com> 1800000000 +0100\n"
    b"committer Bob <bob@example.com> 1800000001 -0000\n"
)
MESSAGE = "Say why: ünïcode\n\nBody\n".encode()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, made for these tests."""
    path = tmp_path_factory.mktemp("key") / "key"
    ssh._run(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], b"", 30)
    return path


def signed(key: Path) -> tuple[bytes, bytes]:
    """A commit's bytes, and what they are without the signature."""
    payload = HEAD + b"\n" + MESSAGE
    armor = ssh.sign(payload, key, "git").armor
    return HEAD + b"gpgsig " + armor.rstrip(b"\n").replace(b"\n", b"\n ") + b"\n\n" + MESSAGE, payload


def test_a_signed_commit(key: Path) -> None:
    """Everything of a signed commit is found, and what is signed is the rest of its bytes."""
    raw, payload = signed(key)
    commit = parse_commit("3" * 40, raw)
    assert (commit.tree, commit.parents, commit.kind) == ("1" * 40, ("2" * 40,), "ssh")
    assert commit.subject == "Say why: ünïcode"
    assert commit.payload == payload
    signature = commit_signature(commit.armor, commit.id)
    assert signature.public == ssh.public_of(key)
    assert ssh.verified([SshClaim(signature, payload)])


def test_an_unsigned_commit_is_read_and_says_so() -> None:
    """A commit without a signature is in form, and refused for what it lacks."""
    commit = parse_commit("3" * 40, HEAD + b"\n" + MESSAGE)
    with pytest.raises(NotTrustedError) as caught:
        commit.require_signature()
    assert (caught.value.code, caught.value.where) == ("E_UNSIGNED", "3" * 40)


def test_no_flipped_byte_of_a_commit_is_believed(key: Path) -> None:
    """Whichever byte changes: the commit is refused, or its signature does not hold."""
    raw, _ = signed(key)
    public = ssh.public_of(key)
    claims = []
    for place in range(len(raw)):
        flipped = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            commit = parse_commit("3" * 40, flipped)
            commit.require_signature()
            signature = commit_signature(commit.armor, commit.id)
        except NotTrustedError:
            continue
        if signature.public == public:
            claims.append(SshClaim(signature, commit.payload))
    assert len(claims) > 100
    assert not ssh.verified(claims)


def test_no_flipped_byte_of_a_statement_is_believed(key: Path) -> None:
    """Whichever byte of a review changes: it is no statement, or its signature does not hold."""
    payload = encode_statement(_predicate())
    signature = ssh.sign(pre_authentication(payload), key, "haoam-review@v1")
    raw = encode_envelope(Envelope(payload, signature.fingerprint, signature.blob))
    claims = []
    for place in range(len(raw)):
        flipped = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            envelope = parse_envelope(flipped, where="x")
            parse_statement(envelope.payload, where="x")
            found = parse_signature(envelope.signature)
        except (NotTrustedError, FormatError):
            continue
        if found.public == ssh.public_of(key) and found.fingerprint == envelope.keyid:
            claims.append(SshClaim(found, envelope.signed))
    assert claims
    assert not ssh.verified(claims)


def _predicate() -> Predicate:
    return Predicate(
        repository="a" * 40,
        ref="refs/heads/main",
        base="b" * 40,
        head="c" * 40,
        tree="d" * 40,
        tree_sha256="e" * 64,
        policy=Policy(serial=1, digest="sha256:" + "0" * 64),
        change_digest="sha256:" + "1" * 64,
        decision="approve",
        principal="bob",
        key="bob-1",
        issued="2027-03-01T00:00:00Z",
        expires="2027-03-08T00:00:00Z",
        id="f" * 32,
        seen=Seen(attestations=""),
    )


def test_a_statement_survives_writing_and_reading() -> None:
    """What was said is what is read."""
    assert parse_statement(encode_statement(_predicate()), where="x") == _predicate()


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    """Bytes that are no commit, no envelope and no statement end in a refusal, never in another error."""
    with pytest.raises(NotTrustedError):
        parse_commit("3" * 40, data)
    with pytest.raises(NotTrustedError):
        parse_envelope(data, where="x")
    with pytest.raises(NotTrustedError):
        parse_statement(data, where="x")
    with pytest.raises(FormatError):
        parse_signature(data)


@given(st.binary(min_size=1, max_size=400))
def test_an_armor_has_one_form(blob: bytes) -> None:
    """An armor is read as what was written, and nothing can be added to it."""
    armor = encode_armor(blob)
    assert decode_armor(armor) == blob
    for changed in (armor + b"\n", b"\n" + armor, armor.replace(b"\n", b"\r\n"), armor[:-1]):
        with pytest.raises(FormatError):
            decode_armor(changed)


@pytest.mark.parametrize(
    "old_new",
    [
        (b"tree ", b"tree  "),
        (b"\nparent ", b"\nparent 2"),
        (b"Alice Example <", b"Alice <Example <"),
        (b" 1800000000 ", b" 01800000000 "),
        (b"+0100", b"+01:00"),
        (b"author", b"Author"),
        (b"\ncommitter Bob", b"\ncommitter Bob\x01"),
        (b"\ncommitter", b"\r\ncommitter"),
    ],
)
def test_a_head_that_git_would_not_write(old_new: tuple[bytes, bytes]) -> None:
    """Lines of a commit have exactly one spelling."""
    with pytest.raises(NotTrustedError) as caught:
        parse_commit("3" * 40, HEAD.replace(*old_new, 1) + b"\n" + MESSAGE)
    assert caught.value.code == "E_COMMIT_FORMAT"


@pytest.mark.parametrize(("kind", "bits", "good"), [("rsa", 3072, True), ("rsa", 2048, False), ("ecdsa", 384, False)])
def test_keys_that_are_too_weak_or_of_another_kind(tmp_path: Path, kind: str, bits: int, good: bool) -> None:  # noqa: FBT001
    """RSA from 3,072 bits on, ed25519 and P-256 are keys; everything else is not."""
    path = tmp_path / "key"
    ssh._run(["-q", "-t", kind, "-b", str(bits), "-N", "", "-f", str(path)], b"", 60)
    public = ssh.public_of(path)
    if good:
        assert fingerprint(public).startswith("SHA256:")
        assert parse_public(public)
        claim = SshClaim(ssh.sign(b"x", path, "git"), b"x")
        assert ssh.verified([claim])
    else:
        with pytest.raises(FormatError):
            parse_public(public)


def test_a_signature_counts_for_its_namespace_and_payload_only(key: Path) -> None:
    """ssh-keygen is asked with the namespace that the signature names, so it is compared before."""
    signature = ssh.sign(b"payload", key, "git")
    assert ssh.verified([SshClaim(signature, b"payload")])
    assert not ssh.verified([SshClaim(signature, b"Payload")])
    assert signature.namespace == "git"
    assert ssh.sign(b"payload", key, "file").namespace == "file"
