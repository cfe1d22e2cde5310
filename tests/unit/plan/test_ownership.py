"""Whose a section is: marks of ours, of an earlier version, of another repository, and marks that nobody made."""

from __future__ import annotations

import pytest
from plan_values import COMMIT, REPOSITORY, Given, compute

from haoam_sync.errors import NotAuthorizedError
from haoam_sync.model.mark import Mark, Owner
from haoam_sync.model.plan import Action, Reason
from haoam_sync.model.section import SectionId

WEB = {"mode": "http"}
STRANGER = Mark("haproxy/x.yaml", "sha256:00", "f" * 40, "d" * 40)
OLD = Mark("haproxy/x.yaml", "sha256:00")
OURS = Mark("haproxy/x.yaml", "sha256:00", REPOSITORY, "b" * 40)


def test_a_proven_mark_makes_a_section_ours(given: Given) -> None:
    """Without a record of the last apply, a mark that a commit made is enough to delete what git no longer has."""
    result = compute(given.desired(), given.live(given.there("backend/web", WEB, mark=OURS)), None)
    assert [(c.action, str(c.section)) for c in result.changes] == [(Action.DELETE, "backend/web")]
    assert result.warnings == ()


def test_a_mark_that_no_commit_made_deletes_nothing(given: Given) -> None:
    """A made-up mark of ours leads to no deletion; the plan says so."""
    live = given.live(given.there("backend/web", WEB, mark=OURS))
    result = compute(given.desired(), live, None, proven=False)
    assert result.empty
    assert result.foreign == ("backend/web",)
    assert "backend/web carries a mark of ours that no commit made" in result.warnings[0]


@pytest.mark.parametrize("mark", [OURS, OLD], ids=["no commit made it", "of an earlier version"])
def test_a_section_with_a_mark_that_proves_nothing_is_adopted(given: Given, mark: Mark) -> None:
    """Declared, it is adopted like any other section that is there, and gets a mark that names its commit."""
    live = given.live(given.there("backend/web", WEB, mark=mark))
    (change,) = compute(given.desired(given.section("backend/web", WEB)), live, None, proven=False).changes
    assert (change.action, change.reason, change.fields) == (Action.UPDATE, Reason.ADOPT, ())
    assert change.body is not None
    assert change.body["metadata"]["haoam"]["commit"] == COMMIT  # type: ignore[index,call-overload]


def test_a_mark_of_an_earlier_version_without_a_record_deletes_nothing(given: Given) -> None:
    """Which repository wrote it, nobody knows: the plan leaves the section alone and says so."""
    result = compute(given.desired(), given.live(given.there("backend/web", WEB, mark=OLD)), None)
    assert result.empty
    assert "backend/web carries a mark of an earlier version" in result.warnings[0]


def test_a_mark_of_an_earlier_version_stays_ours_by_the_record(given: Given) -> None:
    """What the last apply declared is ours: unchanged it needs nothing, taken out of git it goes."""
    web = given.section("backend/web", WEB)
    live = given.live(given.there("backend/web", WEB, mark=OLD))
    assert compute(given.desired(web), live, given.desired(web)).empty
    (change,) = compute(given.desired(), live, given.desired(web)).changes
    assert change.action is Action.DELETE


def test_a_mark_of_another_repository_is_foreign(given: Given) -> None:
    """What another repository owns is left alone, whatever was applied here last; many of them are said in one line."""
    web = given.section("backend/web", WEB)
    sections = [given.there(f"backend/{name}", WEB, mark=STRANGER) for name in ("api", "web")]
    result = compute(given.desired(), given.live(*sections), given.desired(web))
    assert result.empty
    assert result.foreign == ("backend/api", "backend/web")
    assert result.owned == {}
    assert result.warnings == ("another repository ('ffffffffffff') owns 2 sections here: left alone",)


def test_declaring_what_another_repository_owns_is_an_error(given: Given) -> None:
    """Two owners would undo each other's changes for ever: the plan names section and owner, and there is none."""
    web = given.section("backend/web", WEB)
    live = given.live(given.there("backend/web", WEB, mark=STRANGER))
    with pytest.raises(NotAuthorizedError) as caught:
        compute(given.desired(web), live, given.desired(web))
    assert caught.value.code == "E_OWNER"
    assert "backend/web ('ffffffffffff')" in caught.value.message


def test_the_mark_stays_as_it_is_while_the_section_does(given: Given) -> None:
    """A later commit that leaves a section alone leaves its mark alone too, or no plan would ever be empty."""
    web = given.section("backend/web", WEB)
    assert compute(given.desired(web), given.live(given.there("backend/web", WEB, mark=web)), None).empty


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        ({"file": "f", "digest": "d"}, Mark("f", "d")),
        ({"file": "f", "digest": "d", "repository": "r", "commit": "c", "later": 1}, Mark("f", "d", "r", "c")),
        ({"file": "f"}, None),
        ({"file": 1, "digest": "d"}, None),
        ({"file": "f", "digest": "d", "repository": 1}, None),
        ("text", None),
        (None, None),
    ],
)
def test_reading_a_mark(value: object, mark: Mark | None) -> None:
    """A mark of this version, of an earlier and of a later one is read; anything else is none."""
    assert Mark.parse(value) == mark  # type: ignore[arg-type]


def test_a_mark_is_about_one_section() -> None:
    """Copied to another section, a proven mark proves nothing."""
    owner = Owner(REPOSITORY, COMMIT, frozenset({(SectionId.parse("backend/web"), OURS)}))
    assert owner.owns(SectionId.parse("backend/web"), OURS)
    assert not owner.owns(SectionId.parse("backend/api"), OURS)
