"""What roots say about everything: freeze, thaw, revoke."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from haoam_sync import trust
from haoam_sync.errors import UsageError
from haoam_sync.model.root_statement import RootStatement
from haoam_sync.pipeline.opening import opened
from haoam_sync.settings import Settings

Word = Literal["freeze", "thaw", "revoke"]


@contextmanager
def rooting(
    settings: Settings, word: Word, subject: str, key: str, reason: str
) -> Iterator[tuple[RootStatement, trust.RootWord]]:
    """Work out what a root would say; `RootWord.say` inside of the `with` block signs and pushes it.

    Args:
        settings: the four places.
        word: which statement.
        subject: of a thaw, the id of the freeze ("" for the only one); of a revocation, PRINCIPAL/KEY.
        key: file of the root's SSH key, or fingerprint of an OpenPGP key.
        reason: one line, for people.

    Raises:
        NotTrustedError: the key is no root's, or may not be used.
        UsageError: there is nothing of that name.
    """
    with opened(settings) as here:
        accepted = here.advance().commit.id
        root = trust.root_word(here.repository, here.root, accepted, trust.signing_key(key), here.now)
        said: RootStatement
        match word:
            case "freeze":
                said = root.freeze(reason)
            case "thaw":
                said = root.thaw(subject, reason)
            case "revoke":
                principal, slash, name = subject.partition("/")
                if not slash:
                    raise UsageError(f"{subject!r} names no key", hint="write PRINCIPAL/KEY, as trust.yaml does")
                said = root.compromise(principal, name, reason)
        yield said, root
