"""What GitHub's answers say about one commit: parsed strictly, checked against each other, and not judged yet. Pure.

F1  Exactly one pull request of this repository (numeric id) was merged into this branch with the commit as its
    `merge_commit_sha`; the list of pull requests and the pull request itself agree. Others that were merged as the same
    commit are passed over when nobody of the policy decided anything in them; who opened them contributed all the same.
F2  Every event of the timeline and of the issue's events is of a kind that is known here. Base changes are documented
    for the events only, commits and reviews for the timeline only: both are read.
F3  The timeline holds the head; every decisive review stands in it, with the same state, commit and account.
F4  The activity of the head's branch says who pushed the head.

What is missing, of another type, or says something else in two places is E_FORGE_UNKNOWN. The order of the answers is
that in which they are asked for: reviews before the timeline, so that what changes in between shows as a disagreement.

https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit
https://docs.github.com/rest/pulls/reviews#list-reviews-for-a-pull-request
https://docs.github.com/rest/using-the-rest-api/issue-event-types
https://docs.github.com/rest/repos/repos#list-repository-activities
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from haoam_sync.model.evidence import parse_time
from haoam_sync.model.forge import Forge, Page, digest_of, unknown
from haoam_sync.model.strict_json import json_of
from haoam_sync.trust.forge_events import HARMLESS, MOVES
from haoam_sync.trust.graph import Recent

_Value = TypeVar("_Value")

APPROVED, CHANGES_REQUESTED, DISMISSED = "APPROVED", "CHANGES_REQUESTED", "DISMISSED"
_DECISIVE: Final = frozenset({APPROVED, CHANGES_REQUESTED, DISMISSED})
_INDECISIVE: Final = frozenset({"COMMENTED", "PENDING"})


class _Strict(BaseModel):
    """A part of an answer: fields that are not named here may be anything, those that are may not."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


_Id = Annotated[int, Field(ge=1)]
_Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


class _Account(_Strict):
    id: _Id
    type: str


class _Repository(_Strict):
    id: _Id


class _Base(_Strict):
    ref: str
    repo: _Repository


class _Head(_Strict):
    ref: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    sha: _Commit
    repo: _Repository | None


class _Pull(_Strict):
    number: _Id
    merged_at: str | None
    merge_commit_sha: _Commit | None
    base: _Base
    head: _Head
    user: _Account | None


class _WholePull(_Pull):
    merged: bool


class _Review(_Strict):
    id: _Id
    state: str
    user: _Account | None
    commit_id: _Commit | None
    submitted_at: str | None = None


class _Dismissed(_Strict):
    review_id: _Id


class _Event(_Strict):
    event: str
    id: Any = None
    sha: Any = None
    state: Any = None
    commit_id: Any = None
    user: Any = None
    created_at: Any = None
    dismissed_review: Any = None


class _Activity(_Strict):
    after: _Commit
    ref: str
    actor: _Account | None


_PULLS, _PULL = TypeAdapter(list[_Pull]), TypeAdapter(_WholePull)
_REVIEWS, _EVENTS, _ACTIVITY = TypeAdapter(list[_Review]), TypeAdapter(list[_Event]), TypeAdapter(list[_Activity])


@dataclass(frozen=True, slots=True)
class Decision:
    """The last decisive review of one account.

    Attributes:
        id: of the review.
        account: numeric id.
        kind: `User`, `Bot`, ...
        state: APPROVED, CHANGES_REQUESTED or DISMISSED.
        commit: what it was given for; "" when GitHub does not know any more.
        given: when, by GitHub's clock.
        moved: whether the branch or the base moved, or the pull request was opened again, after it was given.
    """

    id: int
    account: int
    kind: str
    state: str
    commit: str
    given: datetime
    moved: bool


@dataclass(frozen=True, slots=True)
class PullRequest:
    """The pull request that a commit came by.

    Attributes:
        number: in this repository.
        head: the commit that was merged.
        openers: numeric ids of who opened it, or another one that was merged as the same commit.
        pushers: numeric ids of who pushed the head.
        decisions: one for each account.
        digest: of every answer that this was read from.
    """

    number: int
    head: str
    openers: frozenset[int]
    pushers: frozenset[int]
    decisions: tuple[Decision, ...]
    digest: str


class Pulls:
    """The pull requests of one branch, read once each for a judgement."""

    def __init__(self, forge: Forge, ref: str) -> None:
        """`ref` is the policy's branch, in full."""
        self._forge = forge
        self._ref = ref
        self._listed = Recent[tuple[tuple[_Pull, ...], tuple[Page, ...]]](64)
        self._found = Recent[PullRequest | None](64)

    def ends(self, commit: str) -> frozenset[str]:
        """The commits by which the pull requests that hold `commit` came onto the branch.

        Raises:
            NotTrustedError: E_FORGE_UNKNOWN.
        """
        pulls, _ = self._of(commit)
        return frozenset(pull.merge_commit_sha for pull in pulls if pull.merge_commit_sha is not None)

    def by(self, commit: str, people: frozenset[int]) -> PullRequest | None:
        """F1 to F4: the pull request that `commit` came by; None when it came by none.

        Args:
            commit: the one that was merged.
            people: accounts of the policy.

        Raises:
            NotTrustedError: E_FORGE_UNKNOWN.
        """
        key = f"{commit} {' '.join(map(str, sorted(people)))}"
        return self._found.get(key, lambda: self._read(commit, people))

    def _of(self, commit: str) -> tuple[tuple[_Pull, ...], tuple[Page, ...]]:
        return self._listed.get(commit, lambda: self._list(commit))

    def _list(self, commit: str) -> tuple[tuple[_Pull, ...], tuple[Page, ...]]:
        pages = self._ask(f"/commits/{commit}/pulls")
        return tuple(pull for page in pages for pull in _parsed(_PULLS, page) if self._is_ours(pull)), pages

    def _is_ours(self, pull: _Pull) -> bool:
        """F1: merged, into this branch of this repository."""
        return (
            pull.merged_at is not None
            and pull.base.repo.id == self._forge.repository
            and f"refs/heads/{pull.base.ref}" == self._ref
        )

    def _read(self, commit: str, people: frozenset[int]) -> PullRequest | None:
        listed, pages = self._of(commit)
        mine = [pull for pull in listed if pull.merge_commit_sha == commit]
        if not mine:
            return None
        openers = frozenset(pull.user.id for pull in mine if pull.user is not None)
        decided, asked = self._decided(mine, people, commit)
        pages = (*pages, *asked)
        if decided is None:
            self._forge.keep(pages)
            return PullRequest(mine[0].number, mine[0].head.sha, openers, frozenset(), (), digest_of(pages))
        number = decided.number
        (page,) = self._forge.read(self._path(f"/pulls/{number}"), listed=False)
        pull = _parsed(_PULL, page)
        if _facts(pull) != _facts(decided) or not pull.merged or not self._is_ours(pull):
            raise unknown(f"two answers about pull request #{number} say different things", where=commit)
        reviews = self._ask(f"/pulls/{number}/reviews")
        timeline = self._ask(f"/issues/{number}/timeline")
        events = self._ask(f"/issues/{number}/events")
        pushes = self._pushes(pull, commit)
        where = f"#{number}"
        answers = (*pages, page, *reviews, *timeline, *events, *pushes)
        self._forge.keep(answers)
        return PullRequest(
            number=number,
            head=pull.head.sha,
            openers=openers,
            pushers=_pushers(pull, pushes, where),
            decisions=_decisions(_all(_REVIEWS, reviews), _all(_EVENTS, timeline), _all(_EVENTS, events), pull, where),
            digest=digest_of(answers),
        )

    def _decided(
        self, mine: Sequence[_Pull], people: frozenset[int], commit: str
    ) -> tuple[_Pull | None, tuple[Page, ...]]:
        """F1: of several pull requests the only one in which people of the policy decided anything; None for none.

        Everybody can open another one with the same head, and the forge calls it merged, too: that must hold nobody.
        """
        if len(mine) == 1:
            return mine[0], ()
        pages: list[Page] = []
        found: list[_Pull] = []
        for pull in mine:
            answers = self._ask(f"/pulls/{pull.number}/reviews")
            pages += answers
            by_people = [one for one in _all(_REVIEWS, answers) if one.user is not None and one.user.id in people]
            if any(one.state not in _INDECISIVE for one in by_people):
                found.append(pull)
        if len(found) > 1:
            numbers = ", ".join(f"#{pull.number}" for pull in found)
            raise unknown(f"the pull requests {numbers} are said to have been merged as one commit", where=commit)
        return (found[0] if found else None), tuple(pages)

    def _pushes(self, pull: _Pull, where: str) -> tuple[Page, ...]:
        if pull.head.repo is None:
            raise unknown(f"the repository that #{pull.number} came from is gone, so who pushed it is", where=where)
        path = f"/repositories/{pull.head.repo.id}/activity"
        return self._forge.read(path, (("ref", f"refs/heads/{pull.head.ref}"),), listed=True)

    def _ask(self, path: str) -> tuple[Page, ...]:
        return self._forge.read(self._path(path), listed=True)

    def _path(self, path: str) -> str:
        return f"/repositories/{self._forge.repository}{path}"


def _facts(pull: _Pull) -> tuple[object, ...]:
    return pull.number, pull.merged_at, pull.merge_commit_sha, pull.base, pull.head, pull.user


def _parsed(adapter: TypeAdapter[_Value], page: Page) -> _Value:
    try:
        return adapter.validate_python(json_of(page.body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise unknown(f"{page.asked} answers something else: {place}: {first['msg']}", where=page.asked) from error
    except ValueError as error:
        raise unknown(f"{page.asked} answers no whole JSON", where=page.asked) from error


def _all(adapter: TypeAdapter[list[_Value]], pages: Iterable[Page]) -> list[_Value]:
    return [one for page in pages for one in _parsed(adapter, page)]


def _pushers(pull: _Pull, pages: Iterable[Page], where: str) -> frozenset[int]:
    """F4."""
    ref = f"refs/heads/{pull.head.ref}"
    found = [push for push in _all(_ACTIVITY, pages) if push.after == pull.head.sha and push.ref == ref]
    if not found:
        raise unknown(f"nobody is said to have pushed {pull.head.sha[:12]} to {pull.head.ref}", where=where)
    return frozenset(push.actor.id for push in found if push.actor is not None)


def _decisions(
    reviews: Sequence[_Review], timeline: Sequence[_Event], events: Sequence[_Event], pull: _Pull, where: str
) -> tuple[Decision, ...]:
    """F2 and F3."""
    for event in (*timeline, *events):
        if event.event not in MOVES and event.event not in HARMLESS:
            raise unknown(f"something happened that is not known here: {event.event[:64]!a}", where=where)
    if not any(event.event == "committed" and event.sha == pull.head.sha for event in timeline):
        raise unknown(f"the timeline does not hold the head {pull.head.sha[:12]}", where=where)
    last = max((place for place, event in enumerate(timeline) if event.event in MOVES), default=-1)
    moves = [event for event in (*timeline, *events) if event.event in MOVES - {"committed"}]
    moved_at = max((_time(event.created_at, where) for event in moves), default=None)
    dismissed = _dismissed((*timeline, *events), where)
    found: list[Decision] = []
    for review, given in _last_of_each(reviews, where):
        account = review.user
        if account is None:
            continue
        place = _place(review, timeline, where)
        if review.state != DISMISSED and review.id in dismissed:
            raise unknown(f"review {review.id} is said to be dismissed, and not to be", where=where)
        found.append(
            Decision(
                id=review.id,
                account=account.id,
                kind=account.type,
                state=review.state,
                commit=review.commit_id or "",
                given=given,
                moved=place < last or (moved_at is not None and given <= moved_at),
            )
        )
    return tuple(found)


def _last_of_each(reviews: Iterable[_Review], where: str) -> list[tuple[_Review, datetime]]:
    """The last decisive review of each account, whatever the order of the list; a dismissed one is a last word too."""
    last: dict[int, tuple[_Review, datetime]] = {}
    for review in reviews:
        if review.state not in _DECISIVE | _INDECISIVE:
            raise unknown(f"review {review.id} has a state that is not known here: {review.state[:64]!a}", where=where)
        if review.state in _INDECISIVE or review.user is None:
            continue
        given = _time(review.submitted_at, where)
        known = last.get(review.user.id)
        if known is None or (known[1], known[0].id) < (given, review.id):
            last[review.user.id] = review, given
    return list(last.values())


def _place(review: _Review, timeline: Sequence[_Event], where: str) -> int:
    """F3: where the review stands in the timeline."""
    account = review.user.id if review.user is not None else 0
    for place, event in enumerate(timeline):
        if event.event == "reviewed" and event.id == review.id:
            same = isinstance(event.state, str) and event.state.upper() == review.state
            user = event.user if isinstance(event.user, dict) else {}
            if same and event.commit_id == review.commit_id and user.get("id") == account:
                return place
            raise unknown(f"two answers about review {review.id} say different things", where=where)
    raise unknown(f"review {review.id} is not in the timeline", where=where)


def _dismissed(events: Iterable[_Event], where: str) -> frozenset[int]:
    try:
        found = (event.dismissed_review for event in events if event.event == "review_dismissed")
        return frozenset(_Dismissed.model_validate(review).review_id for review in found)
    except ValidationError as error:
        raise unknown("a review was dismissed, and not said which", where=where) from error


def _time(text: object, where: str) -> datetime:
    try:
        return parse_time(text if isinstance(text, str) else "")
    except ValueError as error:
        raise unknown("a time is missing or can not be read", where=where) from error
