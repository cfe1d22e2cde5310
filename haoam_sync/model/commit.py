"""Commits, as far as they are believed.

A commit id is text: 40 hex digits. What follows is made by the trust stage alone; tests/shape holds that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Signer:
    """Who signed one commit of a step.

    Attributes:
        commit: id of the commit signed.
        principal: name in the policy that judged it; "" for a forge's own key.
        key: id of the key in that policy.
    """

    commit: str
    principal: str
    key: str


@dataclass(frozen=True, slots=True, order=True)
class Review:
    """An approval that counted.

    Attributes:
        principal: name in the policy that judged it.
        roles: the principal's roles at that time, sorted.
        evidence: `signed` or `github`.
        key: id of the key that signed it, "" for `github`.
        id: of the statement, or `github/pull/N/review/M`.
        issued: when it was given, in the reviewer's words.
    """

    principal: str
    roles: tuple[str, ...]
    evidence: str
    key: str
    id: str
    issued: datetime


@dataclass(frozen=True, slots=True)
class TrustedCommit:
    """A commit that is signed and reviewed. Only the trust stage makes one.

    Attributes:
        id: 40 hex digits.
        base: the commit accepted before it; its own id for the introduction commit.
        tree: id of its tree.
        tree_sha256: the id that the same tree has in a repository of git's SHA-256 format.
        ref: the policy's branch, in full.
        introduction: id of the introduction commit: the repository's identity.
        policy_serial: serial of the policy that judged it (`base`'s).
        policy_digest: `sha256:` digest of that policy's file.
        author: principal who signed the commit that was reviewed: the last one who contributed.
        committer: principal who signed the commit itself (of a merge: who merged).
        signers: everybody who signed a commit of the step, sorted.
        reviews: the approvals that counted, sorted; empty for the introduction, and when `solo`.
        change_digest: of `base` to `id`, `sha256:...`; "" for the introduction.
        decided_at: when it was accepted first.
        solo: nobody reviewed, because the host root file says that one person works alone.
        waived: classes of pre-approved changes for whose sake reviews were not asked for, sorted.
        reviewed: the last commit, up to this one, that people reviewed; its own id unless something was waived.
        forge: digest of the forge's answers that the decision rests on (`model.forge.digest_of`); "" for none.
    """

    id: str
    base: str
    tree: str
    tree_sha256: str
    ref: str
    introduction: str
    policy_serial: int
    policy_digest: str
    author: str
    committer: str
    signers: tuple[Signer, ...]
    reviews: tuple[Review, ...]
    change_digest: str
    decided_at: datetime
    solo: bool = False
    waived: tuple[str, ...] = ()
    reviewed: str = ""
    forge: str = ""

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Principals who approved, sorted, each once."""
        return tuple(sorted({review.principal for review in self.reviews}))

    @property
    def authors(self) -> tuple[str, ...]:
        """Principals who signed any commit of the step, sorted, each once."""
        return tuple(sorted({signer.principal for signer in self.signers if signer.principal}))


@dataclass(frozen=True, slots=True)
class ProposedCommit:
    """A commit that nobody is asked to believe: for plans of pull requests, and for reviewers.

    Endpoints, authorities and credentials come from `accepted`, its secret references are never resolved, and
    `authorize` does not take it.

    Attributes:
        id: 40 hex digits.
        tree: id of its tree.
        base: the accepted commit that it builds on; where the reviewed change begins.
        accepted: the commit accepted last.
    """

    id: str
    tree: str
    base: str
    accepted: TrustedCommit
