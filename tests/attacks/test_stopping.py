"""Attacks by people who may say little, to stop everybody or to silence somebody."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from trust_world import World, git, policy_bytes, policy_document

from haoam_sync import trust
from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import Seen, encode_statement, format_time
from haoam_sync.model.json import digest_bytes
from haoam_sync.repository import process
from haoam_sync.trust import statements
from haoam_sync.trust.graph import Graph

ATTESTATIONS = "refs/heads/haoam/attestations"
HUGE = 33 << 20


def _change(world: World, path: str = "docs/web.md") -> str:
    return world.move(world.commit(world.with_file(path), [world.introduction], "dave"))


def _new_host(world: World) -> None:
    for file in sorted((world.place / "state" / "trust").iterdir()):
        file.unlink()


@pytest.mark.parametrize("who", ["dave", "alice"])
def test_a_late_word_does_not_age_old_history(world: World, who: str) -> None:
    """Nobody who contributed or may not review keeps a new host from starting, by approving an old step today."""
    old = world.accepted_change(content=b"1\n")
    world.now += timedelta(days=90)
    world.review(who, world.introduction, old)
    head = world.accepted_change(content=b"2\n")
    _new_host(world)
    assert world.verify().commit.id == head


def test_a_reviewers_late_word_does_not_age_old_history(world: World) -> None:
    """A reviewer who approves an old step once more does not undo that it was complete long ago."""
    old = world.move(
        world.commit(world.with_file("haoam.yaml", world.files["haoam.yaml"] + b"# 1\n"), [world.introduction], "dave")
    )
    for name in ("alice", "bob"):
        world.review(name, world.introduction, old)
    world.verify()
    world.now += timedelta(days=90)
    world.review("bob", world.introduction, old)
    after = world.move(world.commit({**world.with_file(), "haoam.yaml": world.files["haoam.yaml"] + b"# 1\n"}, [old]))
    world.review("bob", old, after)
    _new_host(world)
    assert world.verify().commit.id == after


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_an_author_who_names_statements_that_never_were(world: World, decision: str) -> None:
    """Who may not review holds no step, by no statement about it: not even the one that takes him out."""
    spec: dict[str, Any] = policy_document(world.publics, serial=2, previous=digest_bytes(policy_bytes(world.spec)))
    del spec["principals"]["dave"]
    for role in ("author", "merger"):
        spec["roles"][role]["members"].remove("dave")
    head = world.move(world.commit(world.with_file("trust.yaml", policy_bytes(spec)), [world.introduction]))
    world.review("dave", world.introduction, head, decision=decision, seen=Seen(attestations="0" * 40))
    world.review("bob", world.introduction, head)
    assert world.verify().commit.id == head


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
@pytest.mark.parametrize("signer", ["mallory", "dave"])
def test_a_no_behind_its_own_shadow(world: World, signer: str) -> None:
    """A copy of a rejection that its reviewer did not sign, put before it, does not take its place."""
    head = _change(world)
    no = encode_statement(world.predicate("bob", world.introduction, head, {"decision": "reject"}))
    world.attest(world.envelope(no, signer))
    world.attest(world.envelope(no, "bob"))
    world.review("carol", world.introduction, head)
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_no_behind_somebody_elses_statement_of_its_name(world: World) -> None:
    """A statement of somebody else with the random id of a rejection does not take its place."""
    head = _change(world)
    said = world.predicate("bob", world.introduction, head, {"decision": "reject"})
    world.review("dave", world.introduction, head, id=said.id)
    world.attest(world.envelope(encode_statement(said), "bob"))
    world.review("carol", world.introduction, head)
    world.refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_an_approval_again_after_a_withdrawal(world: World) -> None:
    """What was taken back does not come back when its bytes are pushed once more."""
    head = _change(world)
    yes = world.envelope(encode_statement(world.predicate("bob", world.introduction, head)), "bob")
    world.attest(yes)
    world.review(
        "bob", world.introduction, head, decision="withdraw", issued=format_time(world.now - timedelta(hours=2))
    )
    world.attest(yes)
    world.refused("E_REVIEW_WITHDRAWN")


def test_rubbish_that_is_too_large_among_the_statements(world: World) -> None:
    """A file that is too large to be read at all is no statement, and stops nobody."""
    tip = git(world.repo, "for-each-ref", "--format=%(objectname)", ATTESTATIONS).decode().strip()
    huge = world.commit({"statement.json": b"\0" * HUGE}, [tip] if tip else [], None)
    world.move(huge, ATTESTATIONS)
    world.accepted_change()


@pytest.mark.parametrize("name", [".gitattributes", "statement.json"])
def test_rubbish_trees_among_the_statements(world: World, name: str) -> None:
    """A tree that no reader of ours would read is no statement, and stops nobody; what lies around it is read."""
    head = _change(world)
    blob = world.store("blob", b"x")
    rubbish = world.raw_tree([("100644", name, blob), ("100644", "b", blob), ("100644", "b", blob)])
    tip = world.move(world.store("commit", world.payload(rubbish, [])), ATTESTATIONS)
    world.review("bob", world.introduction, head)
    assert git(world.repo, "rev-parse", f"{ATTESTATIONS}^").decode().strip() == tip
    assert world.verify().commit.id == head


@pytest.mark.attack("E_LIMIT")
def test_more_statements_than_anybody_could_have_meant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log without an end is not read to its end."""
    head = _change(world)
    world.review("bob", world.introduction, head)
    monkeypatch.setattr(statements, "_MOST_STATEMENTS", 1)
    world.review("carol", world.introduction, head)
    assert "review statements" in str(world.refused("E_LIMIT"))


def test_statements_that_unfold_to_more_than_fits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many large files among the statements, small as they are pushed, are never in memory together."""
    monkeypatch.setattr(process, "MOST_TOGETHER", 3 << 20)
    tip = ""
    for number in range(5):
        content = {"statement.json": bytes([number]) * (1 << 20)}
        tip = world.move(world.commit(content, [tip] if tip else [], None), ATTESTATIONS)
    world.accepted_change()


@pytest.mark.attack("E_LIMIT")
def test_a_commit_that_unfolds_to_more_than_fits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are small each, and too much together, are refused before all of them are read."""
    monkeypatch.setattr(process, "MOST_TOGETHER", 3 << 20)
    files = {f"docs/{number}.md": bytes([number]) * (1 << 20) for number in range(5)}
    head = world.move(world.commit({**world.files, **files}, [world.introduction]))
    world.review_raw("bob", world.introduction, head)
    assert "together" in str(world.refused("E_LIMIT"))


@pytest.mark.attack("E_NOT_DESCENDANT")
def test_a_proposal_with_a_long_history_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has nothing to do with the repository is walked through once, not once for every accepted commit."""
    lines = []
    for parents in ([world.introduction], []):
        for _ in range(20):
            parents = [world.commit(world.files, parents, None)]  # noqa: PLW2901  # one behind the other
        lines.append(parents[0])
    world.move(lines[0])
    world.move(lines[1], "refs/heads/elsewhere")
    asked: list[str] = []
    parents_of = Graph.parents

    def counted(graph: Graph, oid: str) -> tuple[str, ...]:
        asked.append(oid)
        return parents_of(graph, oid)

    monkeypatch.setattr(Graph, "parents", counted)
    with closing(world.open()) as repository:
        repository.resolve("elsewhere")
        accepted = mock.Mock(commit=mock.Mock(id=lines[0]))
        with pytest.raises(NotTrustedError) as caught:
            trust.propose(repository, world.root, accepted, lines[1])
    assert caught.value.code == "E_NOT_DESCENDANT"
    assert len(asked) < 100
