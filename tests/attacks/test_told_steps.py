"""What is told of steps that came by a forge: squashes, merges, and approvals there that do not count."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fake_github import TOKEN, Answer, FakeGitHub, serving
from forge_world import ACCOUNTS, STRANGER, ForgeWorld, forge_policy
from trust_world import NOW, closed_api, git

from haoam_sync import github, trust
from haoam_sync.errors import NotTrustedError
from haoam_sync.model.account import Account


@pytest.fixture
def world(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[ForgeWorld]:
    """A repository on a forge that may merge and squash; statements and approvals both count."""
    spec = forge_policy(publics, "any")
    key = {"id": "web-flow", "type": "ssh", "public": publics["erin"]}
    spec["merge"] = {"methods": ["fast-forward", "merge", "squash"], "forge_keys": [key]}
    with closed_api() as api, serving(FakeGitHub(now=NOW)) as fake:
        yield ForgeWorld(tmp_path, keys, spec, api=api, fake=fake)


def told(world: ForgeWorld) -> tuple[Account, ...]:
    """Every step of the branch, as a host tells it that remembers nothing."""
    watch = trust.Watch()
    connected = github.connect(world.fake.url, world.fake.repository, token=TOKEN)
    with contextlib.closing(world.open()) as repository, contextlib.closing(connected) as forge:
        with contextlib.suppress(NotTrustedError):
            state = trust.load_state(world.place / "state", world.root)
            grounds = trust.Grounds(repository, world.root, state, world.now, world.change_digest, forge=forge)
            trust.verify(grounds, repository.tip, watch)
        return watch.accounts(lambda _: True)


def squashed(world: ForgeWorld, approver: int) -> tuple[str, str, str]:
    """Two commits of alice's, approved by somebody, squashed on the web: first, head, and what came of them."""
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction], "alice")
    head = world.move(world.commit(world.with_file(content=b"2\n"), [first], "alice"), "refs/heads/topic")
    world.fake.open(12, [first, head], ACCOUNTS["alice"])
    world.fake.review(12, approver)
    tree = git(world.repo, "rev-parse", f"{head}^{{tree}}").decode().strip()
    squash = world.move(world.signed(world.payload(tree, [world.introduction], "web"), "erin"))
    world.move(head, "refs/pull/12/head")
    world.fake.merge(12, squash, ACCOUNTS["dave"])
    return first, head, squash


def test_a_squash_is_told_with_what_was_squashed(world: ForgeWorld) -> None:
    """Its kind, the commits that nobody sees on the branch, the approval on the forge; now, and from the memory."""
    first, head, squash = squashed(world, ACCOUNTS["bob"])
    row = told(world)[-1]
    assert (row.kind, row.commits, row.commit) == ("squash", (first, head, squash), squash)
    assert [(review.principal, review.evidence) for review in row.reviews] == [("bob", "github")]
    assert [signer.principal for signer in row.signers] == ["alice", "alice", ""]
    step = world.verify().commit
    with contextlib.closing(world.open()) as repository:
        state = trust.load_state(world.place / "state", world.root)
        case = trust.reading(trust.Grounds(repository, world.root, state, world.now, world.change_digest))
        again = trust.accepted(case, step, None, remembered=True)
    assert (again.kind, again.commits, again.reviews, again.rules) == (row.kind, row.commits, row.reviews, row.rules)


def test_approvals_on_the_forge_that_do_not_count(world: ForgeWorld) -> None:
    """A stranger's approval, and the author's own: the step is refused, and each of them says why."""
    squashed(world, STRANGER)
    world.fake.review(12, ACCOUNTS["alice"])
    row = told(world)[-1]
    assert row.refusal is not None
    assert (row.kind, row.reviews) == ("squash", ())
    assert {(one.evidence, one.code) for one in row.ignored} == {
        ("github", "E_REVIEWER_UNKNOWN"),
        ("github", "E_SELF_REVIEW"),
    }


def test_a_merge_that_came_by_a_pull_request(world: ForgeWorld) -> None:
    """Who merged is among the signers, who approved on the forge among the reviewers."""
    merge = world.merged()
    row = told(world)[-1]
    assert (row.kind, row.commit, row.accepted is not None) == ("merge", merge, True)
    assert [signer.principal for signer in row.signers] == ["alice", "dave"]
    assert [review.evidence for review in row.reviews] == ["github"]


def test_a_forge_that_gives_no_answer(world: ForgeWorld) -> None:
    """A step that is held because the forge can not be asked is a row, too, with that refusal."""
    squashed(world, ACCOUNTS["bob"])
    world.fake.wrong = lambda _path, _query: Answer(500, b"{}")
    row = told(world)[-1]
    assert row.refusal is not None
    assert (row.refusal.code, row.base, row.accepted) == ("E_FORGE_UNKNOWN", world.introduction, None)
