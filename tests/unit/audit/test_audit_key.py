"""The key of the digests."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path

import pytest

from haoam_sync.audit.key import AuditKey, load_key
from haoam_sync.errors import AuditError


def test_the_key_is_made_once_and_stays(tmp_path: Path) -> None:
    """The first call makes 32 bytes that only the owner can read; later calls read the same ones."""
    state = tmp_path / "state"
    first = load_key(state)
    assert load_key(state) == first
    assert stat.S_IMODE((state / "audit.key").stat().st_mode) == 0o600
    assert len((state / "audit.key").read_bytes()) == 32
    assert [path.name for path in state.iterdir()] == ["audit.key"]


def test_the_bytes_come_from_the_source_given(tmp_path: Path) -> None:
    """The caller's source of randomness is the only one."""
    assert load_key(tmp_path, random=lambda count: b"\x07" * count).secret == b"\x07" * 32


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Whoever can read the key can try secrets against the digests, so such a key is not used."""
    load_key(tmp_path)
    (tmp_path / "audit.key").chmod(0o640)
    with pytest.raises(AuditError) as refusal:
        load_key(tmp_path)
    assert (refusal.value.exit, refusal.value.code) == (11, "E_AUDIT_KEY")


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_file_of_another_size_is_no_key_and_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    """A damaged key is refused and left as it is."""
    path = tmp_path / "audit.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(AuditError):
        load_key(tmp_path)
    assert path.read_bytes() == content


def test_a_link_or_a_directory_is_no_key(tmp_path: Path) -> None:
    """A key is a plain file in the state directory, not something elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    load_key(elsewhere)
    for name, make in (
        ("link", lambda path: path.symlink_to(elsewhere / "audit.key")),
        ("directory", lambda path: path.mkdir()),
    ):
        state = tmp_path / name
        state.mkdir()
        make(state / "audit.key")
        with pytest.raises(AuditError):
            load_key(state)


def test_somebody_who_made_the_key_meanwhile_wins(tmp_path: Path) -> None:
    """Two first runs at once end with one key, whole."""

    def meanwhile(count: int) -> bytes:
        load_key(tmp_path, random=lambda many: b"\x01" * many)
        return b"\x02" * count

    assert load_key(tmp_path, random=meanwhile).secret == b"\x01" * 32


def test_a_state_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A file in the way gives one clear refusal."""
    (tmp_path / "state").write_text("")
    with pytest.raises(AuditError) as refusal:
        load_key(tmp_path / "state")
    assert refusal.value.code == "E_AUDIT_WRITE"


def test_a_digest_is_an_hmac_and_shows_nothing_of_the_key() -> None:
    """HMAC-SHA256 of the bytes; neither `repr` nor the key's id holds the secret."""
    secret = os.urandom(32)
    key = AuditKey(secret)
    assert key.digest(b"body") == "hmac-sha256:" + hmac.new(secret, b"body", hashlib.sha256).hexdigest()
    assert secret.hex() not in repr(key) + key.id
    assert repr(secret) not in repr(key)
    assert key.id != AuditKey(os.urandom(32)).id
