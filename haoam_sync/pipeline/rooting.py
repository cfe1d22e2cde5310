"""What roots say about everything: freeze, thaw, revoke, affirm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from haoam_sync import trust
from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.root_statement import RootStatement
from haoam_sync.pipeline.opening import Opened, opened
from haoam_sync.settings import Settings

Word = Literal["freeze", "thaw", "revoke", "affirm"]


@dataclass(frozen=True)
class Rooting:
    """What a root is about to say.

    Attributes:
        said: the statement, not signed yet.
        resting: of an affirmation, the steps that it would let stand, and their keys.
        root: who says it.
    """

    said: RootStatement
    resting: tuple[trust.Rests, ...]
    root: trust.RootWord

    def say(self) -> None:
        """Sign it and push it.

        Raises:
            UsageError: the key can not sign, or the source can not be written.
        """
        self.root.say(self.said)


@contextmanager
def rooting(
    settings: Settings, word: Word, subject: str, key: str, reason: str, *, since: str = ""
) -> Iterator[Rooting]:
    """Work out what a root would say; `Rooting.say` inside of the `with` block signs and pushes it.

    Args:
        settings: the four places.
        word: which statement.
        subject: of a thaw, the id of the freeze ("" for the only one); of a revocation, PRINCIPAL/KEY; of an
            affirmation, a commit.
        key: file of the root's SSH key, or fingerprint of an OpenPGP key.
        reason: one line, for people.
        since: of a revocation, the last commit that is beyond doubt; "" for none.

    Raises:
        NotTrustedError: the key is no root's, or may not be used.
        UsageError: there is nothing of that name.
    """
    with opened(settings) as here:
        signer = trust.signing_key(key)
        if word == "affirm":
            found = here.questioned(subject)
            root = trust.root_word(here.repository, here.root, found.speaking, signer, here.now)
            yield Rooting(root.affirm(found, reason), found.resting, root)
            return
        root = _root_word(here, signer)
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
                last = here.repository.resolve(since) if since else ""
                said = root.compromise(principal, name, reason, since=last)
        yield Rooting(said, (), root)


def _root_word(here: Opened, signer: trust.SigningKey) -> trust.RootWord:
    """The root whose key it is, by the newest policy that has the key as a root's.

    Raises:
        NotTrustedError: the key is no root's, or may not be used.
    """
    refusal: NotTrustedError | None = None
    for commit in here.speaking():
        try:
            return trust.root_word(here.repository, here.root, commit, signer, here.now)
        except NotTrustedError as error:
            if error.code not in {"E_ROLE", "E_KEY_RETIRED"}:
                raise
            refusal = refusal or error
    raise refusal or AssertionError("some policy is in force")
