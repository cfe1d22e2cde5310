"""Attacks by way of a forge's own key: web merges, branches brought up to date on the web, squashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_github import FakeGitHub, serving
from forge_world import ACCOUNTS, ForgeWorld, forge_policy
from gnupg_home import gnupg_home
from trust_world import NOW, closed_api, git, with_signature

ALICE, BOB, CAROL, DAVE = (ACCOUNTS[name] for name in ("alice", "bob", "carol", "dave"))
FORGE = "erin"
"""Whose key is the forge's in these tests."""


@pytest.fixture
def world(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[ForgeWorld]:
    """A repository on a forge that may merge and squash; statements and approvals both count."""
    with closed_api() as api, serving(FakeGitHub(now=NOW)) as fake:
        yield ForgeWorld(tmp_path, keys, _policy(publics), api=api, fake=fake)


def _policy(publics: Mapping[str, str], **merge: Any) -> dict[str, Any]:
    spec = forge_policy(publics, "any")
    key = {"id": "web-flow", "type": "ssh", "public": publics[FORGE]}
    spec["merge"] = {"methods": ["fast-forward", "merge", "squash"], "forge_keys": [key], **merge}
    return spec


def _squash(world: ForgeWorld, branch: str, number: int = 12, signer: str = FORGE, files: Any = None) -> str:
    """What the squash button makes of a branch."""
    base = git(world.repo, "rev-parse", "refs/heads/main").decode().strip()
    tree = git(world.repo, "rev-parse", f"{branch}^{{tree}}").decode().strip() if files is None else world.tree(files)
    head = world.move(world.signed(world.payload(tree, [base], "web"), signer))
    if number not in world.fake.pulls:
        return head
    world.move(branch, f"refs/pull/{number}/head")
    return world.fake.merge(number, head, DAVE)


def _updated(world: ForgeWorld, path: str = "docs/other.md", **merge: Any) -> tuple[str, str, str]:
    """Main moves on by carol's change, and alice's branch is brought up to date on the web: base, branch, update."""
    branch = world.branch()
    base = world.move(world.commit(world.with_file(path, b"carol\n"), [world.introduction], "carol"))
    world.review("bob", world.introduction, base)
    files = merge.pop("files", {**world.files, path: b"carol\n", "docs/web.md": b"two\n"})
    parents = merge.pop("parents", [branch, base])
    update = world.signed(world.payload(world.tree(files), parents, "web"), FORGE)
    return base, branch, update


# --- web merges ------------------------------------------------------------------------------------------------------


def test_control_a_web_merge(world: ForgeWorld) -> None:
    """A merge that the forge's key signed, of an approved branch: nobody is known to have merged it."""
    branch = world.branch()
    world.fake.open(12, [branch], ALICE)
    world.fake.review(12, BOB)
    world.fake.merge(12, world.merge(branch, FORGE), DAVE)
    commit = world.verify().commit
    assert (commit.author, commit.committer, commit.authors, commit.reviewers) == ("alice", "", ("alice",), ("bob",))


def test_control_who_merged_on_the_web_may_review(world: ForgeWorld) -> None:
    """Who pressed the button is not known, and nobody contributes by it."""
    branch = world.branch()
    world.fake.open(12, [branch], ALICE)
    world.fake.review(12, BOB)
    world.fake.merge(12, world.merge(branch, FORGE), BOB)
    assert world.verify().commit.reviewers == ("bob",)


def test_control_a_web_merge_of_disjoint_branches(world: ForgeWorld) -> None:
    """A web merge on a base that moved, of different files, is what both sides come to."""
    branch = world.branch()
    base = world.move(world.commit(world.with_file("docs/other.md", b"carol\n"), [world.introduction], "carol"))
    for head in (branch, base):
        world.review("bob", world.introduction, head)
    files = {**world.files, "docs/other.md": b"carol\n", "docs/web.md": b"two\n"}
    world.merge(branch, FORGE, base=base, files=files)
    assert world.verify().commit.committer == ""


@pytest.mark.attack("E_TREE_MISMATCH")
def test_a_web_merge_with_something_in_it(world: ForgeWorld) -> None:
    """A conflict that was solved on the web is a change that nobody signed, even when somebody reviews the merge."""
    branch = world.branch()
    head = world.merge(branch, FORGE, files=world.with_file(content=b"evil\n"))
    world.review("bob", world.introduction, head)
    world.refused("E_TREE_MISMATCH")


@pytest.mark.attack("E_FORGE_KEY_ALONE")
def test_an_edit_on_the_web(world: ForgeWorld) -> None:
    """A commit made in the forge's editor is signed by the forge, and by nobody."""
    head = world.move(world.commit(world.with_file(), [world.introduction], FORGE))
    world.review("bob", world.introduction, head)
    world.refused("E_FORGE_KEY_ALONE")


@pytest.mark.attack("E_FORGE_KEY_ALONE")
def test_an_edit_on_the_web_in_a_branch(world: ForgeWorld) -> None:
    """A suggestion that was committed on the web, within an approved branch."""
    edit = world.commit(world.with_file(content=b"edit\n"), [world.branch()], FORGE)
    world.fake.open(12, [edit], ALICE)
    world.fake.review(12, BOB)
    world.fake.merge(12, world.merge(edit, FORGE), DAVE)
    world.refused("E_FORGE_KEY_ALONE")


@pytest.mark.attack("E_KEY_RETIRED")
def test_a_web_merge_with_a_retired_key(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """A forge's key can be retired as any other."""
    spec = _policy(publics)
    spec["merge"]["forge_keys"][0]["status"] = "retired"
    world = world.with_policy(spec)
    branch = world.branch()
    world.review("bob", world.introduction, branch)
    world.merge(branch, FORGE)
    world.refused("E_KEY_RETIRED")


# --- branches brought up to date on the web --------------------------------------------------------------------------


def test_control_a_branch_brought_up_to_date_on_the_web(world: ForgeWorld) -> None:
    """The base's line was merged into the branch by the forge; the result was reviewed, and merged by the forge."""
    base, _, update = _updated(world)
    world.review("bob", base, update)
    world.merge(update, FORGE, base=base)
    commit = world.verify().commit
    assert (commit.author, commit.committer, commit.reviewers) == ("alice", "", ("bob",))


@pytest.mark.attack("E_TREE_MISMATCH")
@pytest.mark.parametrize("case", ["evil", "same"])
def test_an_update_on_the_web_that_holds_something_else(world: ForgeWorld, case: str) -> None:
    """What a conflict editor put in, or what git would have to merge within one file, is no mere update."""
    path = "docs/web.md" if case == "same" else "docs/other.md"
    files = {**world.files, path: b"carol\n", "docs/web.md": b"evil\n"}
    base, _, update = _updated(world, path, files=files)
    world.review("bob", base, update)
    world.merge(update, FORGE, base=base)
    world.refused("E_TREE_MISMATCH")


@pytest.mark.attack("E_FORGE_KEY_ALONE")
@pytest.mark.parametrize("case", ["other", "swapped"])
def test_a_web_merge_within_a_branch_of_something_else(world: ForgeWorld, case: str) -> None:
    """Only the base's own line may be merged into a branch by the forge, and only into the branch."""
    branch = world.branch()
    base = world.move(world.commit(world.with_file("docs/other.md", b"carol\n"), [world.introduction], "carol"))
    world.review("bob", world.introduction, base)
    other = world.commit(world.with_file("docs/other.md", b"carol\n"), [world.introduction], "dave")
    files = {**world.files, "docs/other.md": b"carol\n", "docs/web.md": b"two\n"}
    parents = [branch, other] if case == "other" else [base, branch]
    update = world.signed(world.payload(world.tree(files), parents, "web"), FORGE)
    head = world.commit({**files, "docs/more.md": b"more\n"}, [update], "alice")
    world.review("bob", base, head)
    world.merge(head, "dave", base=base)
    world.refused("E_FORGE_KEY_ALONE")


# --- squashes --------------------------------------------------------------------------------------------------------


def _two(world: ForgeWorld, second: str = "alice") -> tuple[str, str]:
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction], "alice")
    return first, world.move(world.commit(world.with_file(content=b"2\n"), [first], second), "refs/heads/topic")


def test_control_a_squash_of_an_approved_pull_request(world: ForgeWorld) -> None:
    """Two signed commits, approved on GitHub, squashed there; the host fetches them by the pull request's number."""
    first, head = _two(world)
    world.fake.open(12, [first, head], ALICE)
    world.fake.review(12, BOB)
    git(world.repo, "update-ref", "-d", "refs/heads/topic")
    squashed = _squash(world, head)
    commit = world.verify().commit
    assert (commit.id, commit.author, commit.committer, commit.reviewers) == (squashed, "alice", "", ("bob",))
    assert {signer.commit for signer in commit.signers} == {first, head, squashed}


def test_control_a_squash_of_a_head_that_a_statement_names(world: ForgeWorld) -> None:
    """Without a forge to ask, the reviewed head is the one that the statement names, and `review` kept it."""
    _, head = _two(world)
    world.review("bob", world.introduction, head)
    _keep(world, head)
    git(world.repo, "update-ref", "-d", "refs/heads/topic")
    _squash(world, head)
    assert world.verify(forge=None).commit.reviewers == ("bob",)


def _keep(world: ForgeWorld, *heads: str) -> None:
    repository = world.open()
    try:
        for head in heads:
            repository.resolve(head)
            repository.keep_head(head, now=world.now)
            repository.keep_head(head, now=world.now)  # once is enough
    finally:
        repository.close()


def test_control_heads_are_kept_one_behind_the_other(world: ForgeWorld) -> None:
    """Every head that was kept stays reachable from the one branch, each once."""
    one, two = world.branch(), world.commit(world.with_file(content=b"3\n"), [world.introduction])
    world.move(two, "refs/heads/two")
    _keep(world, one, two)
    listed = git(world.repo, "rev-list", "--first-parent", "refs/heads/haoam/heads").decode().split()
    assert {one, two} < set(git(world.repo, "rev-list", "refs/heads/haoam/heads").decode().split())
    assert git(world.repo, "rev-parse", f"{listed[0]}^2").decode().strip() == two


@pytest.mark.attack("E_REPO_STATE")
def test_a_squash_whose_head_is_gone(world: ForgeWorld) -> None:
    """What was squashed and is no longer there can not be checked."""
    head = world.branch()
    world.review("bob", world.introduction, head)
    git(world.repo, "update-ref", "-d", "refs/heads/topic")
    _squash(world, head)
    (world.place / "state").rename(world.place / "reviewer")
    assert "haoam/heads" in world.refused("E_REPO_STATE").hint
    world.move(head, "refs/heads/haoam/heads")
    assert world.verify().commit.reviewers == ("bob",)  # the control: pushed again


@pytest.mark.attack("E_FORGE_KEY_ALONE")
def test_a_squash_that_nobody_reviewed(world: ForgeWorld) -> None:
    """A squash of nothing that anybody looked at is a commit by the forge alone."""
    _squash(world, world.branch())
    world.refused("E_FORGE_KEY_ALONE")


@pytest.mark.attack("E_FORGE_KEY_ALONE")
def test_a_squash_where_the_policy_allows_none(world: ForgeWorld, publics: Mapping[str, str]) -> None:
    """The policy says how changes may come onto the branch."""
    world = world.with_policy(_policy(publics, methods=["fast-forward", "merge"]))
    head = world.branch()
    world.review("bob", world.introduction, head)
    _squash(world, head)
    world.refused("E_FORGE_KEY_ALONE")


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_a_squash_signed_by_a_strangers_forge(world: ForgeWorld) -> None:
    """Another forge's key is nobody's."""
    head = world.branch()
    world.review("bob", world.introduction, head)
    _squash(world, head, signer="mallory")
    world.refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_TREE_MISMATCH")
def test_a_squash_with_something_in_it(world: ForgeWorld) -> None:
    """The squashed commit has the tree of the head that was approved."""
    head = world.branch()
    world.fake.open(12, [head], ALICE)
    world.fake.review(12, BOB)
    _squash(world, head, files=world.with_file(content=b"evil\n"))
    assert "the squashed commit" in world.refused("E_TREE_MISMATCH").message


@pytest.mark.attack("E_NOT_UP_TO_DATE")
def test_a_squash_of_a_branch_that_is_behind(world: ForgeWorld) -> None:
    """The head must build on the base: its tree would take the base's change back."""
    branch = world.branch()
    base = world.move(world.commit(world.with_file("docs/other.md", b"carol\n"), [world.introduction], "carol"))
    world.review("bob", world.introduction, base)
    world.fake.open(12, [branch], ALICE)
    world.fake.review(12, BOB)
    _squash(world, branch)
    world.refused("E_NOT_UP_TO_DATE")


@pytest.mark.attack("E_SELF_REVIEW")
@pytest.mark.parametrize("evidence", ["statement", "github"])
def test_the_author_of_a_squashed_head_approves(world: ForgeWorld, evidence: str) -> None:
    """Squashing hides who signed; the head's commits are the step's all the same."""
    first, head = _two(world, "bob")
    world.fake.open(12, [first, head], ALICE)
    if evidence == "statement":
        world.review("bob", world.introduction, head)
    else:
        world.fake.review(12, BOB)
    _squash(world, head)
    world.refused("E_SELF_REVIEW")
    world.fake.review(12, CAROL)
    assert world.verify().commit.reviewers == ("carol",)


@pytest.mark.attack("E_UNSIGNED")
def test_a_squash_of_an_unsigned_commit(world: ForgeWorld) -> None:
    """What is squashed away is judged as if it were not."""
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction], None)
    head = world.move(world.commit(world.with_file(content=b"2\n"), [first]), "refs/heads/topic")
    world.fake.open(12, [first, head], ALICE)
    world.fake.review(12, BOB)
    _squash(world, head)
    world.refused("E_UNSIGNED")


@pytest.mark.attack("E_KEY_UNKNOWN")
def test_a_squash_of_a_strangers_commit(world: ForgeWorld) -> None:
    """A stranger's commit does not become somebody's by being squashed."""
    head = world.branch("mallory")
    world.fake.open(12, [head], ALICE)
    world.fake.review(12, BOB)
    _squash(world, head)
    world.refused("E_KEY_UNKNOWN")


@pytest.mark.attack("E_REVIEW_STALE")
def test_a_squash_of_more_than_was_approved(world: ForgeWorld) -> None:
    """A commit pushed after the approval, squashed along."""
    first, head = _two(world)
    world.fake.open(12, [first], ALICE)
    world.fake.review(12, BOB)
    world.fake.push(12, [head], ALICE)
    _squash(world, head)
    world.refused("E_REVIEW_STALE")


def test_control_a_squash_of_a_branch_brought_up_to_date_on_the_web(world: ForgeWorld) -> None:
    """Update on the web, approve, squash: the whole of it without leaving the forge."""
    base, branch, update = _updated(world)
    world.fake.open(12, [branch, update], ALICE)
    world.fake.review(12, BOB)
    _squash(world, update)
    commit = world.verify().commit
    assert (commit.base, commit.author, commit.reviewers) == (base, "alice", ("bob",))


# --- a forge that signs with OpenPGP ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_control_a_forge_that_signs_with_openpgp(world: ForgeWorld, publics: Mapping[str, str], method: str) -> None:
    """GitHub's own commits: OpenPGP, with one empty line behind the armor."""
    with gnupg_home() as home:
        key = home.make("web-flow <web@example.com>", kind="rsa3072")
        certificate = home.certificate(key)
        spec = _policy(publics)
        spec["merge"]["forge_keys"] = [
            {"id": "web-flow", "type": "openpgp", "fingerprint": key, "certificate": "keys/web-flow.asc"}
        ]
        place = world.place / "openpgp"
        place.mkdir()
        world = ForgeWorld(
            place, world.keys, spec, api=world.api, fake=world.fake, more={"keys/web-flow.asc": certificate}
        )
        branch = world.branch()
        world.fake.open(12, [branch], ALICE)
        world.fake.review(12, BOB)
        world.move(branch, "refs/pull/12/head")
        tree = git(world.repo, "rev-parse", f"{branch}^{{tree}}").decode().strip()
        parents = [world.introduction, *([branch] if method == "merge" else [])]
        payload = world.payload(tree, parents, "web")
        raw = with_signature(payload, home.sign(payload, key))
        end = b"-----END PGP SIGNATURE-----\n"
        head = world.move(world.store("commit", raw.replace(end, end + b" \n")))
        world.fake.merge(12, head, DAVE)
        commit = world.verify().commit
    assert (commit.id, commit.author, commit.committer, commit.reviewers) == (head, "alice", "", ("bob",))


@pytest.mark.attack("E_METHOD")
@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_fast_forward_where_the_policy_allows_none(
    world: ForgeWorld, publics: Mapping[str, str], method: str
) -> None:
    """What was reviewed may come onto the branch in the ways of the policy only."""
    world = world.with_policy(_policy(publics, methods=[method]))
    head = world.move(world.branch())
    world.review("bob", world.introduction, head)
    world.refused("E_METHOD")
