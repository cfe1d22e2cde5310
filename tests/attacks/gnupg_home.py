"""People with OpenPGP keys: a gpg home of its own, made for a test run and gone after it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from trust_world import World, policy_bytes, policy_document, with_signature

from haoam_sync.model.evidence import Envelope, encode_envelope, encode_statement, pre_authentication


class GnupgHome:
    """A gpg home, and what its owner does with it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.environment = {"PATH": os.environ["PATH"], "GNUPGHOME": str(place), "LC_ALL": "C"}

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """gpg, without questions."""
        command = ["gpg", "--batch", "--quiet", "--no-tty", "--passphrase", "", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, env=self.environment)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def make(self, user: str, *options: str, kind: str = "ed25519", usage: str = "sign", ends: str = "never") -> str:
        """A new key; its primary fingerprint."""
        before = set(self.fingerprints())
        self.run(*options, "--yes", "--quick-generate-key", user, kind, usage, ends)
        return next(one for one in self.fingerprints() if one not in before)

    def fingerprints(self) -> list[str]:
        """Of all primary keys."""
        lines = self.run("--list-keys", "--with-colons").decode().splitlines()
        pairs = pairwise(lines)
        return [below.split(":")[9] for above, below in pairs if above.startswith("pub:") and below.startswith("fpr:")]

    def subkey(self, primary: str, *, kind: str = "ed25519", usage: str = "sign", ends: str = "never") -> str:
        """A new subkey; its fingerprint."""
        self.run("--quick-add-key", primary, kind, usage, ends)
        lines = self.run("--list-keys", "--with-colons", "--with-subkey-fingerprint", primary).decode().splitlines()
        return next(line.split(":")[9] for line in reversed(lines) if line.startswith("fpr:"))

    def revoke(self, primary: str) -> None:
        """Publish the revocation that gpg made when it made the key."""
        file = self.place / "openpgp-revocs.d" / f"{primary}.rev"
        self.run("--import", stdin=file.read_bytes().replace(b":-----", b"-----"))

    def certificate(self, fingerprint: str) -> bytes:
        """As it is put beside a policy."""
        return self.run("--armor", "--export-options", "export-minimal", "--export", fingerprint)

    def secret(self, fingerprint: str) -> bytes:
        """What must never be put there."""
        return self.run("--armor", "--export-secret-keys", fingerprint)

    def sign(self, payload: bytes, fingerprint: str, *options: str) -> bytes:
        """As git has gpg sign a commit."""
        return self.run(*options, "--local-user", fingerprint, "-bsa", stdin=payload)


@contextmanager
def gnupg_home() -> Iterator[GnupgHome]:
    """A home with a short path: the agent's socket lies in it."""
    place = Path(tempfile.mkdtemp(prefix="hg-", dir="/tmp"))  # the path of a socket has 107 bytes at most
    home = GnupgHome(place)
    try:
        yield home
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False, env=home.environment)  # noqa: S607  # of this home
        shutil.rmtree(place, ignore_errors=True)


class Team(World):
    """A world in which some sign with OpenPGP."""

    home: GnupgHome

    def openpgp_commit(self, fingerprint: str, parent: str, *options: str, content: bytes = b"two\n") -> str:
        """A change, signed by gpg, on the branch."""
        payload = self.payload(self.tree(self.with_file(content=content)), [parent])
        armor = self.home.sign(payload, fingerprint, *options)
        return self.move(self.store("commit", with_signature(payload, armor)))

    def openpgp_review(self, principal: str, fingerprint: str, base: str, head: str, *, keyid: str = "") -> str:
        """A statement, signed by gpg, pushed."""
        payload = encode_statement(self.predicate(principal, base, head))
        return self.attest(self.openpgp_envelope(payload, fingerprint, keyid=keyid))

    def openpgp_envelope(self, payload: bytes, fingerprint: str, *, keyid: str = "") -> bytes:
        """A signed statement, as it is kept."""
        signature = self.home.run("--local-user", fingerprint, "--detach-sign", stdin=pre_authentication(payload))
        return encode_envelope(Envelope(payload, keyid or fingerprint.rstrip("!"), signature))


def team(world: World, home: GnupgHome, **people: bytes | tuple[str, bytes]) -> Team:
    """A world whose `people` have these certificates in the place of their SSH keys (or with another `status`)."""
    spec = policy_document(world.publics)
    files = {}
    for name, given in people.items():
        status, certificate = given if isinstance(given, tuple) else ("active", given)
        spec["principals"][name]["keys"] = [
            {
                "id": f"{name}-1",
                "type": "openpgp",
                "fingerprint": primary_of(home, certificate),
                "certificate": f"keys/{name}.asc",
                "status": status,
            }
        ]
        files[f"keys/{name}.asc"] = certificate
    place = world.place / f"team-{len(list(world.place.iterdir()))}"
    place.mkdir()
    founder = next(name for name in ("alice", "carol", "bob") if name not in people)
    made = Team(place, world.keys, spec, founder, api=world.api, more=files)
    made.home = home
    return made


def primary_of(home: GnupgHome, certificate: bytes) -> str:
    """The fingerprint that gpg itself finds in a certificate."""
    lines = home.run("--show-keys", "--with-colons", stdin=certificate).decode().splitlines()
    return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))


__all__ = ["GnupgHome", "Team", "gnupg_home", "policy_bytes", "primary_of", "team"]
