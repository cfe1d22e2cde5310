"""Attacks on reviews that are given on GitHub: whose, of what, when, and whether the answers are whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_github import Answer, FakeGitHub, serving
from forge_world import ACCOUNTS, STRANGER, ForgeWorld, forge_policy, make
from trust_world import NOW, closed_api, git, policy_bytes, policy_document

ALICE, BOB, CAROL, DAVE = (ACCOUNTS[name] for name in ("alice", "bob", "carol", "dave"))


@pytest.fixture
def world(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[ForgeWorld]:
    """A repository on GitHub whose configuration is reviewed there."""
    with closed_api() as api, serving(FakeGitHub(now=NOW)) as fake:
        yield make(tmp_path, keys, publics, api, fake)


def _opened(world: ForgeWorld, number: int = 12, **options: Any) -> str:
    """A pull request by alice that nobody has looked at."""
    branch = world.branch()
    world.fake.open(number, [branch], options.pop("author", ALICE), **options)
    return branch


def _merge(world: ForgeWorld, branch: str, number: int = 12) -> str:
    return world.fake.merge(number, world.merge(branch), DAVE)


# --- positive controls -----------------------------------------------------------------------------------------------


def test_control_an_approved_pull_request(world: ForgeWorld) -> None:
    """Opened by alice, approved by bob, merged by dave: accepted; the answers are part of the decision."""
    head = world.merged()
    commit = world.verify().commit
    assert (commit.id, commit.author, commit.committer, commit.reviewers) == (head, "alice", "dave", ("bob",))
    review = commit.reviews[0]
    assert (review.evidence, review.key, review.id.partition("/review/")[0]) == ("github", "", "github/pull/12")
    assert commit.forge.startswith("sha256:")


def test_control_the_digest_is_that_of_the_answers(world: ForgeWorld) -> None:
    """Another answer, were it of no consequence, is another digest; the same answers are the same one."""
    world.merged()
    first = world.verify().commit.forge
    again = ForgeWorld.verify
    world.place = world.place / "second"
    world.place.mkdir()
    assert again(world).commit.forge == first
    world.place = world.place / "third"
    world.place.mkdir()
    world.fake.event(12, "labeled", BOB)
    assert again(world).commit.forge != first


def test_control_a_fast_forward_of_a_pull_request(world: ForgeWorld) -> None:
    """Two commits of a pull request, pushed to the branch as they are: one step, by the approval of the last."""
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction])
    head = world.commit(world.with_file(content=b"2\n"), [first])
    world.fake.open(12, [first, head], ALICE)
    world.fake.review(12, BOB)
    world.fake.merge(12, world.move(head), DAVE)
    assert [step.id for step in world.verify().steps] == [world.introduction, head]


def test_control_two_disjoint_pull_requests(world: ForgeWorld) -> None:
    """Two pull requests approved on the same base are merged one after the other, when their files are disjoint."""
    one = world.branch(path="docs/one.md")
    two = world.branch("carol", path="docs/two.md")
    for number, branch, author in ((12, one, ALICE), (13, two, CAROL)):
        world.fake.open(number, [branch], author, ref=f"topic-{number}")
        world.fake.review(number, BOB)
    base = world.fake.merge(12, world.merge(one), DAVE)
    both = {**world.files, "docs/one.md": b"two\n", "docs/two.md": b"two\n"}
    head = world.merge(two, base=base, files=both)
    world.fake.merge(13, head, DAVE)
    assert [step.id for step in world.verify().steps] == [world.introduction, base, head]


def test_control_a_new_host_years_later(world: ForgeWorld) -> None:
    """A step that a later one builds on is judged when it was approved; the newest one is judged today."""
    first = world.merged()
    second = world.commit(world.with_file(content=b"three\n"), [first])
    world.fake.open(13, [second], ALICE, ref="later")
    world.now += timedelta(days=400)
    world.fake._clock = world.now - timedelta(hours=1)
    world.fake.review(13, CAROL)
    world.fake.merge(13, world.move(second), DAVE)
    assert world.verify().commit.id == second


def test_control_many_pages(world: ForgeWorld) -> None:
    """The approval is on the last of many pages."""
    world.fake.page = 3
    branch = _opened(world)
    for _ in range(7):
        world.fake.review(12, CAROL, "COMMENTED")
        world.fake.event(12, "labeled", CAROL)
    world.fake.review(12, BOB)
    _merge(world, branch)
    assert world.verify().commit.reviewers == ("bob",)
    assert sum("/reviews" in asked for asked in world.fake.asked) == 3


def test_control_a_pull_request_of_a_fork(world: ForgeWorld) -> None:
    """Where a branch came from does not matter; what was approved and merged does."""
    branch = _opened(world, fork=815)
    world.fake.review(12, BOB)
    _merge(world, branch)
    assert world.verify().commit.reviewers == ("bob",)


# --- who -------------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_THRESHOLD")
def test_a_pull_request_that_nobody_approved(world: ForgeWorld) -> None:
    """A comment is no approval, and neither is the merge."""
    branch = _opened(world)
    world.fake.review(12, BOB, "COMMENTED")
    _merge(world, branch)
    world.refused("E_THRESHOLD")
    world.fake.review(12, BOB)
    assert world.verify().commit.reviewers == ("bob",)  # the control: an approval after the merge is one, too


@pytest.mark.attack("E_THRESHOLD")
def test_a_push_without_a_pull_request(world: ForgeWorld) -> None:
    """Where reviews on GitHub are asked for, a signed push and a signed statement do not do."""
    branch = world.branch()
    head = world.merge(branch)
    world.review("bob", world.introduction, head)
    world.refused("E_THRESHOLD")


@pytest.mark.attack("E_REVIEWER_UNKNOWN")
def test_the_same_login_with_another_number(world: ForgeWorld) -> None:
    """A login that was given up can be taken by anybody: the number counts."""
    branch = _opened(world)
    world.fake.review(12, STRANGER, login="user-1002")
    _merge(world, branch)
    world.refused("E_REVIEWER_UNKNOWN")


@pytest.mark.attack("E_REVIEWER_KIND")
@pytest.mark.parametrize("kind", ["Bot", "Organization", "Mannequin"])
def test_an_account_that_is_no_person(world: ForgeWorld, kind: str) -> None:
    """Apps and bots can approve on GitHub; here they do not, not even with a person's number."""
    branch = _opened(world)
    world.fake.review(12, BOB, kind=kind)
    _merge(world, branch)
    world.refused("E_REVIEWER_KIND")


@pytest.mark.attack("E_REVIEWER_KIND")
def test_a_bot_of_the_policy_approves_on_github(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """A machine's account that GitHub takes for a user's is a bot when the policy says so."""
    spec = forge_policy(publics)
    spec["principals"]["renovate"] = {"kind": "bot", "operators": ["carol"], "forge": {"github": 1009}}
    world = world.with_policy(spec)
    branch = _opened(world)
    world.fake.review(12, 1009)
    _merge(world, branch)
    world.refused("E_REVIEWER_KIND")


@pytest.mark.attack("E_SELF_REVIEW")
def test_a_signer_approves_the_pull_request(world: ForgeWorld) -> None:
    """Whoever signed a commit of the step does not review it, with whatever account it was opened."""
    branch = world.branch("bob")
    world.fake.open(12, [branch], ALICE)
    world.fake.review(12, BOB)
    _merge(world, branch)
    world.refused("E_SELF_REVIEW")
    world.fake.review(12, CAROL)
    assert world.verify().commit.reviewers == ("carol",)


@pytest.mark.attack("E_SELF_REVIEW")
def test_who_opened_the_pull_request_approves_it(world: ForgeWorld) -> None:
    """Who proposes somebody else's commits does not review them."""
    branch = _opened(world, author=BOB)
    world.fake.push(12, [branch], ALICE)
    world.fake.activity[world.fake.repository] = world.fake.activity[world.fake.repository][:1]
    world.fake.review(12, BOB)
    _merge(world, branch)
    world.refused("E_SELF_REVIEW")


@pytest.mark.attack("E_SELF_REVIEW")
def test_who_opened_the_pull_request_signs_a_statement(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """Opening a change is contributing to it, for a signed review too."""
    world = world.with_policy(forge_policy(publics, "any"))
    branch = _opened(world, author=BOB)
    world.review("bob", world.introduction, branch)
    _merge(world, branch)
    world.refused("E_SELF_REVIEW")


@pytest.mark.attack("E_SELF_REVIEW")
def test_the_last_pusher_approves(world: ForgeWorld) -> None:
    """Who chooses which of alice's signed commits is the head does not approve that choice."""
    branch = _opened(world)
    world.fake.push(12, [branch], BOB, force=True)
    world.fake.review(12, BOB)
    _merge(world, branch)
    world.refused("E_SELF_REVIEW")
    world.fake.review(12, CAROL)
    assert world.verify().commit.reviewers == ("carol",)


@pytest.mark.attack("E_SELF_REVIEW")
def test_a_bots_operator_approves_on_github(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """Who drives the bot that opened the pull request does not review it."""
    spec = forge_policy(publics)
    spec["principals"]["renovate"] = {"kind": "bot", "operators": ["bob"], "forge": {"github": 1009}}
    world = world.with_policy(spec)
    branch = _opened(world, author=1009, kind="Bot")
    world.fake.review(12, BOB)
    _merge(world, branch)
    world.refused("E_SELF_REVIEW")


@pytest.mark.attack("E_THRESHOLD")
def test_a_statement_and_an_approval_by_one_person(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """The same person by statement and on GitHub is one reviewer."""
    world = world.with_policy(forge_policy(publics, "any"))
    branch = world.branch(path="haoam.yaml")
    world.fake.open(12, [branch], ALICE)
    world.fake.review(12, BOB)
    world.review("bob", world.introduction, branch)
    _merge(world, branch)
    world.refused("E_THRESHOLD")
    world.fake.review(12, CAROL)
    assert world.verify().commit.reviewers == ("bob", "carol")


@pytest.mark.attack("E_THRESHOLD")
@pytest.mark.parametrize("given", ["signed", "github"])
def test_both_asks_for_both(world: ForgeWorld, publics: Mapping[str, str], given: str) -> None:
    """Where both are asked for, neither a stolen key nor a forge that lies is enough."""
    world = world.with_policy(forge_policy(publics, "both"))
    branch = _opened(world)
    if given == "signed":
        world.review("bob", world.introduction, branch)
    else:
        world.fake.review(12, BOB)
    _merge(world, branch)
    world.refused("E_THRESHOLD")
    if given == "signed":
        world.fake.review(12, BOB)
    else:
        world.review("bob", world.introduction, branch)
    assert world.verify().commit.reviewers == ("bob",)


# --- what ------------------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_REVIEW_STALE")
def test_an_approval_of_an_older_head(world: ForgeWorld) -> None:
    """A commit that was pushed after the approval was not approved."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    head = world.commit(world.with_file(content=b"three\n"), [branch])
    world.fake.push(12, [head], ALICE)
    _merge(world, head)
    world.refused("E_REVIEW_STALE")


@pytest.mark.attack("E_REVIEW_STALE")
def test_an_approval_from_before_a_force_push_that_names_the_new_head(world: ForgeWorld) -> None:
    """GitHub has been seen to report the new head for an old approval: the place in the timeline counts, too."""
    old = _opened(world)
    review = world.fake.review(12, BOB)
    head = world.commit(world.with_file(content=b"three\n"), [world.introduction])
    world.fake.push(12, [head], ALICE, force=True)
    for said in (review, *(e for e in world.fake.timeline[12] if e["event"] == "reviewed")):
        assert said["commit_id"] == old
        said["commit_id"] = head
    _merge(world, head)
    world.refused("E_REVIEW_STALE")
    world.fake.review(12, BOB)
    assert world.verify().commit.reviewers == ("bob",)


@pytest.mark.attack("E_REVIEW_STALE")
def test_an_approval_of_an_older_head_with_a_commit_dated_back(world: ForgeWorld) -> None:
    """Where a commit stands in the timeline its maker chooses by its date: what the approval was given for counts."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    head = world.commit(world.with_file(content=b"three\n"), [branch])
    world.fake.push(12, [head], ALICE)
    world.fake.timeline[12].insert(0, world.fake.timeline[12].pop())
    _merge(world, head)
    world.refused("E_REVIEW_STALE")


@pytest.mark.attack("E_REVIEW_STALE")
def test_an_approval_from_before_a_commit_that_names_the_new_head(world: ForgeWorld) -> None:
    """A commit in the timeline has no time of GitHub's: its place after the approval is enough."""
    branch = _opened(world)
    review = world.fake.review(12, BOB)
    head = world.commit(world.with_file(content=b"three\n"), [branch])
    world.fake.push(12, [head], ALICE)
    for said in (review, *(e for e in world.fake.timeline[12] if e["event"] == "reviewed")):
        said["commit_id"] = head
    _merge(world, head)
    world.refused("E_REVIEW_STALE")


@pytest.mark.attack("E_REVIEW_STALE")
def test_an_approval_at_the_moment_of_a_force_push(world: ForgeWorld) -> None:
    """An approval in the same second as the force-push, wherever it stands in the timeline, is not after it."""
    branch = _opened(world)
    world.fake.push(12, [branch], ALICE, force=True)
    review = world.fake.review(12, BOB)
    forced = next(e for e in world.fake.timeline[12] if e["event"] == "head_ref_force_pushed")
    for said in (review, world.fake.timeline[12][-1]):
        said["submitted_at"] = forced["created_at"]
    _merge(world, branch)
    world.refused("E_REVIEW_STALE")


@pytest.mark.attack("E_REVIEW_STALE")
@pytest.mark.parametrize(
    ("event", "timeline"),
    [
        ("reopened", True),
        ("base_ref_changed", False),
        ("base_ref_changed", True),
        ("base_ref_force_pushed", True),
        ("base_ref_deleted", True),
        ("automatic_base_change_succeeded", False),
    ],
)
def test_the_base_moved_after_the_approval(world: ForgeWorld, event: str, *, timeline: bool) -> None:
    """What was approved against another base, or before it was closed and opened again, is another change."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    world.fake.event(12, event, ALICE, timeline=timeline)
    _merge(world, branch)
    world.refused("E_REVIEW_STALE")
    world.fake.review(12, BOB)
    assert world.verify().commit.reviewers == ("bob",)


@pytest.mark.attack("E_THRESHOLD")
def test_a_dismissed_approval(world: ForgeWorld) -> None:
    """A dismissed review is worth nothing, and what the reviewer said before it neither."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    world.fake.dismiss(12, world.fake.review(12, BOB), ALICE)
    _merge(world, branch)
    world.refused("E_THRESHOLD")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_change_request_beside_an_approval(world: ForgeWorld) -> None:
    """One reviewer who requests changes stops the change, whoever approves it, and whatever commit it was."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    world.fake.review(12, CAROL, "CHANGES_REQUESTED", commit="f" * 40)
    _merge(world, branch)
    world.refused("E_REVIEW_WITHDRAWN")
    world.fake.review(12, CAROL)
    assert world.verify().commit.reviewers == ("bob", "carol")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_an_approval_that_became_a_change_request(world: ForgeWorld) -> None:
    """The last decisive word of a reviewer counts; a comment after it takes nothing back."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    world.fake.review(12, BOB, "CHANGES_REQUESTED")
    world.fake.review(12, BOB, "COMMENTED")
    _merge(world, branch)
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_change_request_against_signed_approvals(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """A no on GitHub stops what statements approve, and a signed no stops what GitHub approves."""
    world = world.with_policy(forge_policy(publics, "any"))
    branch = _opened(world)
    world.review("bob", world.introduction, branch)
    world.fake.review(12, CAROL, "CHANGES_REQUESTED")
    _merge(world, branch)
    world.refused("E_REVIEW_WITHDRAWN")
    world.fake.review(12, CAROL)
    world.review("bob", world.introduction, branch, decision="reject")
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_change_request_against_a_policy_change(world: ForgeWorld) -> None:
    """A root's no on GitHub stops a change of the policy, too, although a yes there is worth nothing."""
    spec = world.spec | {"serial": 2, "previous": world.root.policy}
    branch = world.branch(path="trust.yaml", content=_policy(spec))
    world.review("bob", world.introduction, branch)
    world.fake.open(12, [branch], ALICE)
    world.fake.review(12, CAROL, "CHANGES_REQUESTED")
    _merge(world, branch)
    world.refused("E_REVIEW_WITHDRAWN")
    world.fake.review(12, CAROL)
    assert world.verify().commit.reviewers == ("bob",)


@pytest.mark.attack("E_ROOT_QUORUM")
def test_a_policy_change_approved_on_github_alone(world: ForgeWorld) -> None:
    """A forge must not be able to change who is trusted."""
    spec = world.spec | {"serial": 2, "previous": world.root.policy}
    branch = world.branch(path="trust.yaml", content=_policy(spec))
    world.fake.open(12, [branch], ALICE)
    world.fake.review(12, BOB)
    world.fake.review(12, CAROL)
    _merge(world, branch)
    world.refused("E_ROOT_QUORUM")


@pytest.mark.attack("E_POLICY_INVARIANT")
@pytest.mark.parametrize("case", ["trust", "broad", "accounts"])
def test_a_policy_that_trusts_a_forge_too_far(world: ForgeWorld, publics: Mapping[str, str], case: str) -> None:
    """Trust files take signed reviews only, and a rule asks for no evidence that nobody could give."""
    spec = forge_policy(publics) | {"serial": 2, "previous": world.root.policy}
    if case == "trust":
        spec["rules"][0]["evidence"] = "any"
    elif case == "broad":
        spec["rules"].append({"paths": ["**"], "require": {"reviewer": 1}, "evidence": "github"})
    else:
        for name in ("bob", "carol"):
            del spec["principals"][name]["forge"]
    world.move(world.commit({**world.files, "trust.yaml": _policy(spec)}, [world.introduction]))
    world.review("bob", world.introduction, git(world.repo, "rev-parse", "main").decode().strip())
    world.refused("E_POLICY_INVARIANT")


@pytest.mark.attack("E_REVIEW_CONTEXT")
def test_a_merge_of_something_else_than_the_head(world: ForgeWorld) -> None:
    """The pull request's head is the merge's second parent, or its approvals are of something else."""
    _opened(world)
    world.fake.review(12, BOB)
    other = world.commit(world.with_file(content=b"other\n"), [world.introduction])
    _merge(world, other)
    world.refused("E_REVIEW_CONTEXT")


@pytest.mark.attack("E_TREE_MISMATCH")
def test_an_evil_merge_of_an_approved_pull_request(world: ForgeWorld) -> None:
    """A merge that holds something that the approved branch has not is refused."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    world.fake.merge(12, world.merge(branch, "alice", files=world.with_file(content=b"evil\n")), DAVE)
    world.refused("E_TREE_MISMATCH")


@pytest.mark.attack("E_CHANGE_MISMATCH")
def test_a_disjoint_merge_of_an_approved_pull_request_that_does_another_change(world: ForgeWorld) -> None:
    """Disjoint files can still do something else together than what was approved."""
    one, two = world.branch(path="docs/one.md"), world.branch("carol", path="docs/two.md")
    for number, branch, author in ((12, one, ALICE), (13, two, CAROL)):
        world.fake.open(number, [branch], author, ref=f"topic-{number}")
        world.fake.review(number, BOB)
    base = world.fake.merge(12, world.merge(one), DAVE)
    both = {**world.files, "docs/one.md": b"two\n", "docs/two.md": b"two\n"}
    head = world.fake.merge(13, world.merge(two, base=base, files=both), DAVE)
    world.digests[base, head] = "sha256:" + "2" * 64
    world.refused("E_CHANGE_MISMATCH")


@pytest.mark.attack("E_NOT_UP_TO_DATE")
def test_two_pull_requests_that_touch_the_same_file(world: ForgeWorld) -> None:
    """Two changes of one file were never seen together by anybody on GitHub either."""
    one, two = world.branch(content=b"1\n"), world.branch("carol", content=b"2\n")
    for number, branch, author in ((12, one, ALICE), (13, two, CAROL)):
        world.fake.open(number, [branch], author, ref=f"topic-{number}")
        world.fake.review(number, BOB)
    base = world.fake.merge(12, world.merge(one), DAVE)
    world.fake.merge(13, world.merge(two, "alice", base=base, files=world.with_file(content=b"both\n")), DAVE)
    world.refused("E_NOT_UP_TO_DATE")


@pytest.mark.attack("E_REVIEW_CONTEXT")
def test_a_pull_request_approved_under_another_policy(world: ForgeWorld) -> None:
    """Who approved before the policy changed did not approve under the one that judges the merge."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    spec = {**world.spec, "serial": 2, "previous": world.root.policy}
    files = {**world.files, "trust.yaml": policy_bytes(spec)}
    base = world.move(world.commit(files, [world.introduction], "alice"))
    world.review("bob", world.introduction, base)
    assert world.verify().commit.id == base
    world.fake.merge(12, world.merge(branch, base=base, files={**files, "docs/web.md": b"two\n"}), DAVE)
    world.refused("E_REVIEW_CONTEXT")


@pytest.mark.attack("E_REVIEW_EXPIRED")
def test_an_approval_on_github_that_is_too_old(world: ForgeWorld) -> None:
    """How long a review counts is the policy's, on GitHub too."""
    world.merged()
    world.now += timedelta(days=8)
    world.refused("E_REVIEW_EXPIRED")


@pytest.mark.attack("E_CLOCK")
def test_an_approval_on_github_from_the_future(world: ForgeWorld) -> None:
    """An approval that was not given yet does not count."""
    world.merged()
    world.now -= timedelta(days=1)
    world.refused("E_CLOCK")


@pytest.mark.attack("E_UNSIGNED")
def test_an_unsigned_commit_in_an_approved_pull_request(world: ForgeWorld) -> None:
    """An approval does not replace a signature."""
    branch = world.commit(world.with_file(), [world.introduction], None)
    world.fake.open(12, [branch], ALICE)
    world.fake.review(12, BOB)
    _merge(world, branch)
    world.refused("E_UNSIGNED")


# --- E_FORGE_UNKNOWN: which pull request -----------------------------------------------------------------------------


@pytest.mark.attack("E_THRESHOLD")
@pytest.mark.parametrize("case", ["fork", "branch", "open", "other"])
def test_a_pull_request_of_something_else(world: ForgeWorld, case: str) -> None:
    """A pull request of a fork with the same numbers, of another branch, not merged, or merged as another commit."""
    head = world.merged()
    pull = world.fake.pulls[12]
    match case:
        case "fork":
            pull["base"]["repo"]["id"] = 999
        case "branch":
            pull["base"]["ref"] = "release"
        case "open":
            pull |= {"merged": False, "merged_at": None}
        case _:
            pull["merge_commit_sha"] = world.introduction
    assert world.fake.of_commit[head] == [12]
    world.refused("E_THRESHOLD")


@pytest.mark.attack("E_FORGE_UNKNOWN")
def test_two_pull_requests_for_one_commit(world: ForgeWorld) -> None:
    """A second pull request with the same head, opened to get round a no, leaves nobody sure which one was merged."""
    head = world.merged()
    branch = world.fake.pulls[12]["head"]["sha"]
    world.fake.open(13, [branch], DAVE)
    world.fake.review(13, CAROL)
    world.fake.merge(13, head, DAVE)
    world.held()


@pytest.mark.parametrize("said", [None, "APPROVED", "CHANGES_REQUESTED"])
def test_control_a_stranger_opens_the_same_pull_request_again(world: ForgeWorld, said: str | None) -> None:
    """A second pull request with the same head, in which nobody of the policy spoke, holds nothing."""
    head = world.merged()
    branch = world.fake.pulls[12]["head"]["sha"]
    world.fake.open(13, [branch], STRANGER, fork=99)
    if said is not None:
        world.fake.review(13, STRANGER + 1, said)
    world.fake.merge(13, head, DAVE)
    world.fake.pulls[13]["head"]["repo"] = None
    assert world.verify().commit.reviewers == ("bob",)


@pytest.mark.attack("E_SELF_REVIEW")
def test_who_opened_one_of_two_pull_requests_approves_the_other(world: ForgeWorld) -> None:
    """Opening the same change in a second pull request is contributing to it, too."""
    head = world.merged()
    branch = world.fake.pulls[12]["head"]["sha"]
    world.fake.open(13, [branch], BOB)
    world.fake.merge(13, head, DAVE)
    world.refused("E_SELF_REVIEW")


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("state", ["CHANGES_REQUESTED", "DISMISSED"])
def test_a_no_in_the_second_of_two_pull_requests(world: ForgeWorld, state: str) -> None:
    """Whatever somebody of the policy decided in another pull request of the same commit is not passed over."""
    head = world.merged()
    branch = world.fake.pulls[12]["head"]["sha"]
    world.fake.open(13, [branch], STRANGER)
    review = world.fake.review(13, CAROL, "APPROVED" if state == "DISMISSED" else state)
    if state == "DISMISSED":
        world.fake.dismiss(13, review, DAVE)
    world.fake.merge(13, head, DAVE)
    world.held()


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("field", ["number", "merged", "merge_commit_sha", "head", "base", "user"])
def test_two_answers_that_differ(world: ForgeWorld, field: str) -> None:
    """The list of pull requests and the pull request itself say the same, or nothing is believed."""
    world.merged()
    other = {
        "number": 13,
        "merged": False,
        "merge_commit_sha": world.introduction,
        "head": world.fake.pulls[12]["head"] | {"sha": world.introduction},
        "base": world.fake.pulls[12]["base"] | {"ref": "release"},
        "user": world.fake.user(BOB),
    }
    pull = world.fake.pulls[12] | {field: other[field]}
    world.fake.wrong = lambda path, _: Answer(body=json.dumps(pull).encode()) if path.endswith("/pulls/12") else None
    world.held()
    world.fake.wrong = lambda _path, _query: None
    assert world.verify().commit.reviewers == ("bob",)


# --- E_FORGE_UNKNOWN: answers ----------------------------------------------------------------------------------------

_ALL = ("/pulls", "/pulls/12", "/reviews", "/timeline", "/events", "/activity")


def _instead(end: str, answer: Answer) -> Callable[[str, Mapping[str, str]], Answer | None]:
    return lambda path, _query: answer if path.endswith(end) else None


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("end", _ALL)
@pytest.mark.parametrize("status", [204, 304, 401, 403, 404, 410, 422, 429, 500, 502, 503])
def test_an_answer_that_is_none(world: ForgeWorld, end: str, status: int) -> None:
    """Whatever is not answered holds the commit: nothing is taken for granted."""
    world.merged()
    world.fake.wrong = _instead(end, Answer(status, b"" if status in {204, 304} else b'{"message":"no"}'))
    world.held()


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("end", _ALL)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b'[{"number":',
        b"[1]",
        b'["\xff"]',
        b"<html></html>",
        b'[{"id":1,"id":2}]',
        b"[" * 100 + b"]" * 100,
    ],
)
def test_an_answer_that_is_something_else(world: ForgeWorld, end: str, body: bytes) -> None:
    """Cut off, of another shape, said twice, or nested deeper than any answer."""
    world.merged()
    world.fake.wrong = _instead(end, Answer(body=body))
    world.held()


@pytest.mark.attack("E_FORGE_UNKNOWN")
def test_an_answer_in_another_type(world: ForgeWorld) -> None:
    """What does not call itself JSON is a page of some proxy."""
    world.merged()
    world.fake.wrong = lambda path, query: Answer(
        body=json.dumps(world.fake.document(path, query)).encode(), headers={"Content-Type": "text/html"}
    )
    world.held()


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host(world: ForgeWorld, status: int) -> None:
    """No redirect is followed, and the token goes nowhere else."""
    world.merged()
    with serving(FakeGitHub(now=NOW)) as elsewhere:
        target = f"{elsewhere.url}/repositories/4711/pulls/12"
        world.fake.wrong = _instead("/pulls/12", Answer(status, b"{}", {"Location": target}))
        world.held()
        assert elsewhere.asked == []


@pytest.mark.attack("E_FORGE_UNKNOWN")
def test_a_next_page_on_another_host(world: ForgeWorld) -> None:
    """A `Link` that leads elsewhere is not followed either."""
    world.merged()
    with serving(FakeGitHub(now=NOW)) as elsewhere:
        links = {"Link": f'<{elsewhere.url}/repositories/4711/pulls/12/reviews?page=2>; rel="next"'}
        world.fake.wrong = _instead("/reviews", Answer(body=b"[]", headers=links))
        assert "said to be elsewhere" in world.held().message
        assert elsewhere.asked == []


def _rejected_on_page_two(world: ForgeWorld) -> None:
    """Bob approves on the first page, carol's no is the only review on the second one."""
    branch = _opened(world)
    world.fake.review(12, BOB)
    for _ in range(99):
        world.fake.review(12, DAVE, "COMMENTED")
    world.fake.review(12, CAROL, "CHANGES_REQUESTED")
    _merge(world, branch)


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_no_on_the_second_page(world: ForgeWorld) -> None:
    """Every page is read."""
    _rejected_on_page_two(world)
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_no_behind_a_link_that_was_taken_away(world: ForgeWorld) -> None:
    """A full page that names no next one is not believed to be the last."""
    _rejected_on_page_two(world)

    def wrong(path: str, query: Mapping[str, str]) -> Answer | None:
        if not path.endswith("/reviews"):
            return None
        part, _ = world.fake._cut(world.fake.reviews[12], path, query)
        return Answer(body=json.dumps(part).encode())

    world.fake.wrong = wrong
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("case", ["404", "502", "last", "loop", "unreadable", "twice"])
def test_a_page_that_is_missing(world: ForgeWorld, case: str) -> None:
    """A page that is named and does not come, or pages without end."""
    world.merged()
    here = f"{world.fake.url}/repositories/4711/pulls/12/reviews"
    body = json.dumps(world.fake.reviews[12]).encode()
    links = {
        "last": f'<{here}?per_page=100&page=3>; rel="last"',
        "loop": f'<{here}?per_page=100>; rel="next"',
        "unreadable": f"<{here}?per_page=100&page=2>; rel=next, rubbish",
        "twice": f'<{here}?page=2>; rel="next", <{here}?page=3>; rel="next"',
    }
    link = links.get(case, f'<{here}?per_page=100&page=2>; rel="next", <{here}?per_page=100&page=2>; rel="last"')

    def wrong(path: str, query: Mapping[str, str]) -> Answer | None:
        if not path.endswith("/reviews"):
            return None
        if case in {"404", "502"} and query.get("page") == "2":
            return Answer(int(case), b"{}")
        return Answer(body=body, headers={"Link": link})

    world.fake.wrong = wrong
    world.held()


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize(
    ("where", "changes"),
    [
        ("reviews", {"state": "ENDORSED"}),
        ("reviews", {"submitted_at": None}),
        ("reviews", {"submitted_at": "yesterday"}),
        ("reviews", {"user": {"id": "1002", "type": "User"}}),
        ("reviews", {"user": {"id": True, "type": "User"}}),
        ("reviews", {"commit_id": "main"}),
        ("reviews", {"id": 5}),
        ("timeline", {"event": "endorsed"}),
        ("timeline", {"state": "dismissed"}),
        ("timeline", {"commit_id": "f" * 40}),
        ("timeline", {"user": {"id": 1003}}),
        ("timeline", {"id": 5}),
    ],
)
def test_a_review_that_can_not_be_understood(world: ForgeWorld, where: str, changes: dict[str, Any]) -> None:
    """An unknown state or event, a wrong type, or a review that the timeline tells otherwise."""
    world.merged()
    listed = world.fake.reviews[12] if where == "reviews" else world.fake.timeline[12]
    review = next(one for one in listed if one.get("state"))
    review |= changes
    world.held()


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("case", ["head", "review", "pusher", "fork", "events", "dismissed", "when"])
def test_something_that_is_not_there(world: ForgeWorld, case: str) -> None:
    """A head or a review that is not in the timeline, nobody who pushed, a fork that is gone, an unknown event."""
    world.merged()
    fake = world.fake
    match case:
        case "head":
            fake.timeline[12] = [e for e in fake.timeline[12] if e["event"] != "committed"]
        case "review":
            fake.timeline[12] = [e for e in fake.timeline[12] if e["event"] != "reviewed"]
        case "pusher":
            fake.activity.clear()
        case "fork":
            fake.pulls[12]["head"]["repo"] = None
        case "events":
            fake.event(12, "base_ref_swapped", ALICE, timeline=False)
        case "dismissed":
            fake.event(12, "review_dismissed", ALICE, dismissed_review={"review_id": fake.reviews[12][0]["id"]})
        case _:
            fake.event(12, "reopened", ALICE)["created_at"] = None
    world.held()


@pytest.mark.attack("E_FORGE_UNKNOWN")
def test_a_forge_that_is_down_where_a_statement_would_do(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """A no on GitHub counts, so that a GitHub which can not be asked holds what statements approve."""
    world = world.with_policy(forge_policy(publics, "any"))
    branch = _opened(world)
    world.review("bob", world.introduction, branch)
    _merge(world, branch)
    world.fake.wrong = lambda _path, _query: Answer(503, b"{}")
    world.held()
    world.fake.wrong = lambda _path, _query: None
    assert world.verify().commit.reviewers == ("bob",)


def _signed_alone(world: ForgeWorld, publics: Mapping[str, str]) -> tuple[ForgeWorld, str]:
    """A merge that a statement approves, by rules that take statements alone."""
    world = world.with_policy(forge_policy(publics, "signed"))
    branch = _opened(world)
    world.review("bob", world.introduction, branch)
    return world, _merge(world, branch)


@pytest.mark.parametrize("answer", [Answer(503, b"{}"), Answer(403, b"{}", {"X-RateLimit-Remaining": "0"})])
def test_a_forge_that_is_down_where_statements_alone_count(
    world: ForgeWorld, publics: Mapping[str, str], answer: Answer
) -> None:
    """An outage of GitHub holds nothing that needs no review there; the record names no answers."""
    world, merge = _signed_alone(world, publics)
    world.fake.wrong = lambda _path, _query: answer
    accepted = world.verify().commit
    assert (accepted.id, accepted.reviewers, accepted.forge) == (merge, ("bob",), "")
    spec = world.spec | {"serial": 2, "previous": world.root.policy}
    head = world.move(world.commit({**world.files, "trust.yaml": _policy(spec), "docs/web.md": b"two\n"}, [merge]))
    world.review("bob", merge, head)
    assert world.verify().commit.id == head


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_change_request_where_statements_alone_count(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """A no on GitHub stops a change whose rules take statements alone, as long as GitHub says it."""
    world, _ = _signed_alone(world, publics)
    world.fake.review(12, CAROL, "CHANGES_REQUESTED")
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_FORGE_UNKNOWN")
@pytest.mark.parametrize("answer", [Answer(404, b"{}"), Answer(401, b"{}"), Answer(302, b"{}"), Answer(200, b"[")])
def test_a_forge_that_answers_nonsense_where_statements_alone_count(
    world: ForgeWorld, publics: Mapping[str, str], answer: Answer
) -> None:
    """What is no outage may hide a no: a wrong token, a redirect, half an answer, an unknown event hold it."""
    world, _ = _signed_alone(world, publics)
    world.fake.wrong = lambda _path, _query: answer
    world.held()
    world.fake.wrong = lambda _path, _query: None
    world.fake.event(12, "base_ref_swapped", ALICE)
    world.held()


@pytest.mark.attack("E_FORGE_UNKNOWN")
def test_a_host_that_asks_no_forge(world: ForgeWorld) -> None:
    """A policy that asks for reviews on GitHub is not met by a host that can not read them."""
    world.merged()
    world.refused("E_FORGE_UNKNOWN", forge=None)


def test_control_a_host_that_asks_no_forge_takes_statements(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """Where either evidence does, a host without a network takes the signed one."""
    world = world.with_policy(forge_policy(publics, "any"))
    branch = world.branch()
    world.review("bob", world.introduction, branch)
    world.merge(branch)
    assert world.verify(forge=None).commit.reviewers == ("bob",)


def _policy(spec: Mapping[str, Any]) -> bytes:
    return json.dumps({"apiVersion": "haoam/v1", "kind": "TrustPolicy", "spec": spec}).encode()


def test_the_policy_of_the_other_attacks_is_not_changed(publics: Mapping[str, str]) -> None:
    """The worlds share one policy, but for accounts and evidence."""
    spec = forge_policy(publics, "any")
    assert spec["roles"] == policy_document(publics)["roles"]
