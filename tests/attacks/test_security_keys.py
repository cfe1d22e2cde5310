"""Keys on security tokens, with a small software authenticator in the place of the hardware."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from trust_world import World, policy_document, with_signature

from haoam_sync.trust.sshsig import encode_armor

TYPE = b"sk-ssh-ed25519@openssh.com"
APPLICATION = b"ssh:"


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


class Authenticator:
    """What a token does: it signs a hash together with its application, what the person did, and a counter.

    https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.u2f
    """

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        self._counter = 0
        self.blob = _string(TYPE) + _string(self._key.public_key().public_bytes_raw()) + _string(APPLICATION)
        self.public = f"{TYPE.decode()} {base64.b64encode(self.blob).decode()}"

    def sign(self, payload: bytes, *, flags: int = 1, namespace: bytes = b"git") -> bytes:
        """An armored signature of `payload`; bit 0 of `flags` says that somebody touched the token."""
        self._counter += 1
        hashed = hashlib.sha512(payload).digest()
        message = b"SSHSIG" + _string(namespace) + _string(b"") + _string(b"sha512") + _string(hashed)
        tail = bytes([flags]) + self._counter.to_bytes(4, "big")
        signed = hashlib.sha256(APPLICATION).digest() + tail + hashlib.sha256(message).digest()
        inner = _string(TYPE) + _string(self._key.sign(signed)) + tail
        blob = b"SSHSIG" + (1).to_bytes(4, "big") + _string(self.blob) + _string(namespace)
        return encode_armor(blob + _string(b"") + _string(b"sha512") + _string(inner))


@pytest.fixture
def token() -> Authenticator:
    """Dave's token."""
    return Authenticator()


@pytest.fixture
def world(world: World, token: Authenticator) -> World:
    """A world in which dave signs with a token."""
    spec = policy_document(world.publics)
    spec["principals"]["dave"]["keys"] = [{"id": "dave-token", "type": "ssh", "public": token.public}]
    return world.other(spec)


def _commit(world: World, token: Authenticator, flags: int, namespace: bytes = b"git") -> str:
    payload = world.payload(world.tree(world.with_file()), [world.introduction])
    armor = token.sign(payload, flags=flags, namespace=namespace)
    head = world.move(world.store("commit", with_signature(payload, armor)))
    world.review("bob", world.introduction, head)
    return head


@pytest.mark.parametrize("flags", [1, 5])
def test_control_a_commit_signed_with_a_token(world: World, token: Authenticator, flags: int) -> None:
    """A signature for which somebody touched the token counts, with or without a PIN."""
    head = _commit(world, token, flags)
    assert (world.verify().commit.id, world.verify().commit.author) == (head, "dave")


@pytest.mark.attack("E_SIG_ARMOR")
@pytest.mark.parametrize("flags", [0, 4])
def test_a_token_that_nobody_touched(world: World, token: Authenticator, flags: int) -> None:
    """A program that reaches a token from afar gets signatures without a touch: they do not count."""
    _commit(world, token, flags)
    assert "touched" in world.refused("E_SIG_ARMOR").message


@pytest.mark.attack("E_SIG_NAMESPACE")
def test_a_tokens_signature_for_something_else(world: World, token: Authenticator) -> None:
    """The namespace is part of what a token signs, too."""
    _commit(world, token, 1, b"file")
    world.refused("E_SIG_NAMESPACE")


@pytest.mark.attack("E_SIG_INVALID")
def test_a_tokens_signature_of_other_bytes(world: World, token: Authenticator) -> None:
    """The signature of one commit does not hold for another."""
    payload = world.payload(world.tree(world.with_file()), [world.introduction])
    head = world.move(world.store("commit", with_signature(payload, token.sign(payload + b"x"))))
    world.review("bob", world.introduction, head)
    world.refused("E_SIG_INVALID")
