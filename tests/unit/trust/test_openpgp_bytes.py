"""OpenPGP packets, signatures and certificates: what gpg makes is read, and has one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from gnupg_home import GnupgHome, gnupg_home

from haoam_sync.trust import openpgp
from haoam_sync.trust.certificate import parse_certificate
from haoam_sync.trust.packets import KEY_ARMOR, SIGNATURE_ARMOR, decode_armor, encode_armor, packets
from haoam_sync.trust.pgpsig import OpenpgpClaim, OpenpgpSignature, parse_signature
from haoam_sync.trust.sshsig import FormatError

PAYLOAD = b"tree of nothing\n"


@pytest.fixture(scope="module")
def home() -> Iterator[GnupgHome]:
    """A gpg home with a key of each kind."""
    with gnupg_home() as made:
        yield made


@pytest.fixture(scope="module")
def users(home: GnupgHome) -> Mapping[str, str]:
    """Fingerprints of keys, by kind."""
    kinds = ("ed25519", "rsa3072", "nistp256", "nistp384", "rsa2048", "dsa2048")
    return {kind: home.make(f"{kind} <{kind}@example.com>", kind=kind) for kind in kinds}


def _made(home: GnupgHome, fingerprint: str) -> OpenpgpSignature:
    """By gpg; of ECDSA the first one with a low s: they differ by what is signed together with the payload."""
    options = ("--local-user", fingerprint, "--detach-sign")
    made = (home.run("--sig-notation", f"n@example.com={n}", *options, stdin=PAYLOAD) for n in range(64))
    return next(found for blob in made if (found := _low(blob)) is not None)


def _low(blob: bytes) -> OpenpgpSignature | None:
    try:
        return parse_signature(blob)
    except FormatError as error:
        if "high s" in str(error):
            return None
        raise


@pytest.mark.parametrize("kind", ["ed25519", "rsa3072", "nistp256"])
def test_keys_that_may_sign(home: GnupgHome, users: Mapping[str, str], kind: str) -> None:
    """Certificate and signature of each allowed kind are read, belong together, and hold for these bytes alone."""
    certificate = parse_certificate(home.certificate(users[kind]))
    assert certificate.fingerprint == users[kind]
    signature = _made(home, users[kind])
    signer = certificate.signer(signature)
    assert signer is not None
    assert signer.public.fingerprint == signature.issuer == users[kind]
    good, bad = OpenpgpClaim(signature, PAYLOAD), OpenpgpClaim(signature, PAYLOAD + b" ")
    assert openpgp.verified([(good, certificate), (bad, certificate)]) == {(good, certificate)}


@pytest.mark.parametrize("kind", ["nistp384", "rsa2048", "dsa2048"])
def test_keys_that_may_not(home: GnupgHome, users: Mapping[str, str], kind: str) -> None:
    """Weak or unlisted kinds of keys have no place in a policy."""
    with pytest.raises(FormatError):
        parse_certificate(home.certificate(users[kind]))


@pytest.mark.parametrize("kind", ["ed25519", "rsa3072"])
def test_a_forges_form(home: GnupgHome, users: Mapping[str, str], kind: str) -> None:
    """A packet with a length of the newer form is read too: forges write it."""
    blob = _made(home, users[kind]).blob
    body = next(iter(packets(blob))).body
    size = bytes([len(body)]) if len(body) < 192 else bytes([192 + (len(body) - 192 >> 8), (len(body) - 192) & 0xFF])
    signature = parse_signature(b"\xc2" + size + body)
    certificate = parse_certificate(home.certificate(users[kind]))
    asked = (OpenpgpClaim(signature, PAYLOAD), certificate)
    assert openpgp.verified([asked]) == {asked}


def test_an_armor_is_read_as_it_is_written(home: GnupgHome, users: Mapping[str, str]) -> None:
    """What gpg writes, and what we write, are the same bytes."""
    for armor, kind in (
        (home.certificate(users["rsa3072"]), KEY_ARMOR),
        (home.sign(PAYLOAD, users["ed25519"]), SIGNATURE_ARMOR),
    ):
        assert encode_armor(decode_armor(armor, kind), kind) == armor


@pytest.mark.parametrize("kind", ["ed25519", "rsa3072", "nistp256"])
def test_no_bit_of_a_signature_is_free(home: GnupgHome, users: Mapping[str, str], kind: str) -> None:
    """With any one bit of the packet flipped, the signature is refused or does not hold: also where nobody signed."""
    certificate = parse_certificate(home.certificate(users[kind]))
    signature = _made(home, users[kind])
    asked = []
    for place in range(len(signature.blob) * 8):
        changed = bytearray(signature.blob)
        changed[place // 8] ^= 1 << place % 8
        try:
            claim = OpenpgpClaim(parse_signature(bytes(changed)), PAYLOAD)
        except FormatError:
            continue
        if certificate.signer(claim.signature) is not None:
            asked.append((claim, certificate))
    unsigned = [one for one in asked if not one[0].begins_right][-16:]  # the first bytes of the hash among them
    rest = [one for one in asked if one[0].begins_right]
    assert rest, "nothing reaches gpgv: the test tests nothing"
    assert not openpgp.verified([*unsigned, *rest[:: max(1, len(rest) // 64)]])


def test_a_certificate_in_parts_is_refused(home: GnupgHome, users: Mapping[str, str]) -> None:
    """Cut short, empty, with a stray packet, or behind something else: no certificate."""
    data = decode_armor(home.certificate(users["ed25519"]), KEY_ARMOR)
    for broken in (b"", data[:-1], data[1:], data + b"\xb0\x01a", b"\xb4\x01a" + data, data + data[:53]):
        with pytest.raises(FormatError):
            parse_certificate(encode_armor(broken, KEY_ARMOR))


def test_the_answer_of_gpgv_is_about_this_key(home: GnupgHome, users: Mapping[str, str]) -> None:
    """A good signature by another key, of another kind, or with an end, is no yes."""
    certificate = parse_certificate(home.certificate(users["ed25519"]))
    claim = OpenpgpClaim(_made(home, users["ed25519"]), PAYLOAD)
    mine, other = users["ed25519"], users["rsa3072"]

    def verdict(
        fingerprint: str = mine, end: str = "0", digest: str = "8", kind: str = "00", primary: str = mine
    ) -> bool:
        valid = f"{fingerprint} 2027-01-01 1 {end} 4 0 22 {digest} {kind} {primary}"
        lines = ("NEWSIG", f"GOODSIG {mine[-16:]} x", f"VALIDSIG {valid}")
        output = "".join(f"[GNUPG:] {line}\n" for line in lines).encode()
        return openpgp._verdict(0, output, claim, certificate)

    assert verdict(digest=openpgp._NUMBERS[claim.signature.hash])
    right = openpgp._NUMBERS[claim.signature.hash]
    assert not verdict(fingerprint=other, digest=right)
    assert not verdict(primary=other, digest=right)
    assert not verdict(end="1900000000", digest=right)
    assert not verdict(kind="01", digest=right)
    assert not verdict(digest="2")
