"""`review`: show what a commit does, then sign exactly that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from haoam_sync import desired, trust
from haoam_sync.errors import NotTrustedError
from haoam_sync.model import files
from haoam_sync.model.account import MatchedRule
from haoam_sync.model.commit import ProposedCommit
from haoam_sync.model.evidence import Predicate
from haoam_sync.model.files import FileChange
from haoam_sync.model.json import JsonObject
from haoam_sync.pipeline import planning
from haoam_sync.pipeline.opening import Opened, opened
from haoam_sync.pipeline.planning import Planned, planned_proposal
from haoam_sync.settings import Settings

Decision = Literal["approve", "reject", "withdraw"]


@dataclass(frozen=True)
class Reviewable:
    """What a reviewer is shown.

    Attributes:
        here: the places, as they were opened for showing: what is signed is bound to that reading.
        accepted: what the trust stage could accept.
        proposed: the commit under review, and where what it changes begins.
        key: what the reviewer signs with.
        reviewer: whose key that is.
        change: what it does to the desired state of each cluster (`desired.change`).
        change_digest: digest of that; what the reviewer signs.
        planned: what it would change on the live instances; None when that was not asked for, or cannot be worked out
            because the commit accepted last has no valid desired state to take the endpoints from.
        files: every file that differs; with its text where the change of the desired state does not show it.
        rules: what the change must meet.
    """

    here: Opened
    accepted: trust.Accepted
    proposed: ProposedCommit
    key: trust.SigningKey
    reviewer: str
    change: JsonObject
    change_digest: str
    planned: Planned | None
    files: tuple[FileChange, ...]
    rules: tuple[MatchedRule, ...]


@contextmanager
def reviewable(settings: Settings, revision: str, key: str, *, with_plan: bool) -> Iterator[Reviewable]:
    """Work out everything that a reviewer must see; what is signed inside the `with` block is bound to that reading.

    Args:
        settings: the four places.
        revision: names the commit.
        key: file of the reviewer's SSH key, or the fingerprint of an OpenPGP key: a wrong one is told before anything
            is shown.
        with_plan: ask the instances what the commit would change there.

    Raises:
        InvalidDesiredError: the commit's desired state is wrong; it is not shown, and cannot be signed.
        HaoamError: as for each stage. What cannot be shown completely is not signed.
    """
    signing = trust.signing_key(key)
    with opened(settings) as here:
        accepted = here.advance()
        proposed = trust.propose(here.repository, here.root, accepted, here.repository.resolve(revision))
        proposed = trust.under_review(accepted, proposed)
        who = trust.reviewer(here.repository, here.root, proposed, key=signing, now=here.now)
        base, head = here.base_of_change(proposed.base), here.unresolved(proposed.id)
        planned = None
        if with_plan and here.base_of_change(proposed.accepted.id) is not None:
            planned = planned_proposal(here, proposed, (), accepted.refusal)
        yield Reviewable(
            here=here,
            accepted=accepted,
            proposed=proposed,
            key=signing,
            reviewer=who,
            change=desired.change(base, head),
            change_digest=desired.change_digest(base, head),
            planned=planned,
            files=_files(here, proposed),
            rules=trust.needed(here.repository, here.root, proposed, now=here.now, named=here.named),
        )


def _files(here: Opened, proposed: ProposedCommit) -> tuple[FileChange, ...]:
    repository = here.repository
    paths = files.changed(repository.files(proposed.base), repository.files(proposed.id))
    return files.changes(paths, repository.blobs(proposed.base), repository.blobs(proposed.id), where=proposed.id)


def review(shown: Reviewable, decision: Decision, expect: str) -> Predicate:
    """Sign the decision about what was shown, and push it.

    Args:
        shown: what `reviewable` gave.
        decision: what the reviewer says.
        expect: change digest that the reviewer means, "" when it was just shown to a person.

    Raises:
        NotTrustedError: E_CHANGE_MISMATCH, the change is not the one expected; and whatever `sign_review` says.
    """
    if expect and expect != shown.change_digest:
        raise NotTrustedError(
            f"the change has the digest {shown.change_digest}, not {expect}",
            code="E_CHANGE_MISMATCH",
            where=shown.proposed.id,
            hint="look at the change again before you sign it",
        )
    return trust.sign_review(
        shown.here.repository,
        shown.here.root,
        shown.accepted,
        shown.proposed,
        key=shown.key,
        decision=decision,
        change_digest=shown.change_digest,
        now=shown.here.now,
        named=shown.here.named,
        plans=None if shown.planned is None else planning.reviewed(shown.planned.plan),
    )
