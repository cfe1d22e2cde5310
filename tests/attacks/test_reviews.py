"""Attacks on reviews: who approved, what exactly, and whether it still counts."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from trust_world import World, git, policy_bytes, policy_document

from haoam_sync import trust
from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import Policy, Seen, encode_statement, format_time
from haoam_sync.model.json import canonical_json, digest_bytes
from haoam_sync.trust.signing import SshSigningKey


def _change(world: World, signer: str = "alice", content: bytes = b"two\n", path: str = "docs/web.md") -> str:
    return world.move(world.commit(world.with_file(path, content), [world.introduction], signer))


# --- E_THRESHOLD -----------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_THRESHOLD")
def test_a_signed_commit_that_nobody_reviewed(world: World) -> None:
    """A signature is not a review; the refusal says what would do."""
    head = _change(world)
    refusal = world.refused("E_THRESHOLD")
    assert f"haoam-sync review {head}" in refusal.hint


@pytest.mark.attack("E_THRESHOLD")
def test_an_empty_commit_that_nobody_reviewed(world: World) -> None:
    """A commit that changes no file needs one review all the same."""
    world.move(world.commit(world.files, [world.introduction]))
    world.refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_one_review_where_two_are_needed(world: World) -> None:
    """Every rule that matches a changed path has its own threshold."""
    head = _change(world, path="haoam.yaml")
    world.review("bob", world.introduction, head)
    world.refused("E_THRESHOLD")


def test_control_two_reviews_where_two_are_needed(world: World) -> None:
    """Two people who did not contribute are enough."""
    head = _change(world, path="haoam.yaml")
    world.review("bob", world.introduction, head)
    world.review("carol", world.introduction, head)
    assert world.verify().commit.reviewers == ("bob", "carol")


@pytest.mark.attack("E_THRESHOLD")
def test_one_person_with_two_keys(world: World, publics: dict[str, str]) -> None:
    """Two keys of one person are one review."""
    spec = policy_document(publics)
    spec["principals"]["bob"]["keys"].append({"id": "bob-2", "type": "ssh", "public": publics["bob-new"]})
    world = world.other(spec)
    head = _change(world, path="haoam.yaml")
    world.review("bob", world.introduction, head)
    world.review("bob", world.introduction, head, key="bob-new", key_id="bob-2")
    world.refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_the_same_review_twice(world: World) -> None:
    """One statement pushed twice is one review."""
    head = _change(world, path="haoam.yaml")
    envelope = world.envelope(encode_statement(world.predicate("bob", world.introduction, head)), "bob")
    world.attest(envelope)
    world.attest(envelope)
    world.refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_a_withheld_review(world: World) -> None:
    """A review that does not reach the host does not count: the old tip is all it sees."""
    head = _change(world, path="haoam.yaml")
    tip = world.review("bob", world.introduction, head)
    world.review("carol", world.introduction, head)
    git(world.repo, "update-ref", "refs/heads/haoam/attestations", tip)
    world.refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_somebody_without_the_role(world: World) -> None:
    """An approval by somebody who is no reviewer counts for nothing."""
    head = _change(world)
    world.review("dave", world.introduction, head)
    world.refused("E_THRESHOLD")


# --- E_SELF_REVIEW ---------------------------------------------------------------------------------------------------


@pytest.mark.attack("E_SELF_REVIEW")
def test_the_author_reviews(world: World) -> None:
    """Nobody approves his own change."""
    head = _change(world, "bob")
    world.review("bob", world.introduction, head)
    world.refused("E_SELF_REVIEW")


@pytest.mark.attack("E_SELF_REVIEW")
def test_the_author_reviews_with_a_second_key(world: World, publics: dict[str, str]) -> None:
    """A second key is the same person."""
    spec = policy_document(publics)
    spec["principals"]["bob"]["keys"].append({"id": "bob-2", "type": "ssh", "public": publics["bob-new"]})
    world = world.other(spec)
    head = _change(world, "bob")
    world.review("bob", world.introduction, head, key="bob-new", key_id="bob-2")
    world.refused("E_SELF_REVIEW")


@pytest.mark.attack("E_SELF_REVIEW")
def test_the_reviewer_added_a_commit(world: World) -> None:
    """Whoever signed any commit of the step contributed to it."""
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction], "bob")
    head = world.move(world.commit(world.with_file(content=b"2\n"), [first], "alice"))
    world.review("bob", world.introduction, head)
    world.refused("E_SELF_REVIEW")


@pytest.mark.attack("E_SELF_REVIEW")
def test_a_bots_operator_reviews_what_the_bot_did(world: World, publics: dict[str, str]) -> None:
    """Who drives a bot contributed what it signed."""
    spec = policy_document(publics)
    spec["principals"]["renovate"] = {
        "kind": "bot",
        "operators": ["bob"],
        "keys": [{"id": "renovate-1", "type": "ssh", "public": publics["erin"]}],
    }
    spec["roles"]["author"]["members"].append("renovate")
    world = world.other(spec)
    head = _change(world, "erin")
    world.review("bob", world.introduction, head)
    world.refused("E_SELF_REVIEW")
    world.review("carol", world.introduction, head)
    assert world.verify().commit.author == "renovate"  # the control: somebody else reviews


# --- E_REVIEW_CONTEXT, E_TREE_MISMATCH, E_CHANGE_MISMATCH ------------------------------------------------------------


@pytest.mark.attack("E_REVIEW_CONTEXT")
@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "0" * 40},
        {"ref": "refs/heads/other"},
        {"policy": Policy(serial=2, digest="sha256:" + "0" * 64)},
        {"policy": Policy(serial=1, digest="sha256:" + "0" * 64)},
    ],
)
def test_a_review_of_something_else(world: World, changes: dict[str, Any]) -> None:
    """A review for another repository, branch or policy does not count here."""
    head = _change(world)
    world.review("bob", world.introduction, head, **changes)
    world.refused("E_REVIEW_CONTEXT")


@pytest.mark.attack("E_REVIEW_CONTEXT")
def test_a_review_against_another_base(world: World) -> None:
    """What was judged against another commit was another change."""
    trusted = world.accepted_change(path="docs/other.md")
    head = world.move(world.commit({**world.files, "docs/other.md": b"two\n", "docs/a": b"a\n"}, [trusted]))
    world.review("bob", world.introduction, head)
    world.refused("E_REVIEW_CONTEXT")


@pytest.mark.attack("E_REVIEW_CONTEXT")
def test_a_review_on_a_base_with_another_policy_that_names_this_one(world: World) -> None:
    """A branch from before a change of the policy is reviewed again, whatever policy its review names."""
    changes = {"serial": 2, "previous": digest_bytes(policy_bytes(world.spec))}
    policy = policy_bytes({**world.spec, **changes})
    trusted = world.move(world.commit({**world.files, "trust.yaml": policy}, [world.introduction]))
    world.review("bob", world.introduction, trusted)
    world.verify()
    branch = world.commit({**world.files, "docs/a": b"a\n"}, [world.introduction])
    files = {**world.files, "trust.yaml": policy, "docs/a": b"a\n"}
    head = world.move(world.commit(files, [trusted, branch], "dave"))
    world.review("bob", world.introduction, branch, policy=Policy(serial=2, digest=digest_bytes(policy)))
    world.refused("E_REVIEW_CONTEXT")
    world.review("bob", trusted, head)
    world.verify()


@pytest.mark.attack("E_REVIEW_CONTEXT")
def test_the_same_tree_again_after_a_revert(world: World) -> None:
    """A review does not come back to life when its tree does."""
    head = world.accepted_change()
    revert = world.move(world.commit(world.files, [head]))
    world.review("bob", head, revert)
    world.verify()
    world.move(world.commit(world.with_file(), [revert]))
    world.refused("E_REVIEW_CONTEXT")


@pytest.mark.attack("E_TREE_MISMATCH")
@pytest.mark.parametrize("field", ["tree", "tree_sha256"])
def test_a_review_of_another_tree(world: World, field: str) -> None:
    """A review names the tree that was looked at, in SHA-1 and in SHA-256; both must be the commit's."""
    head = _change(world)
    world.review("bob", world.introduction, head, **{field: "0" * (40 if field == "tree" else 64)})
    world.refused("E_TREE_MISMATCH")


@pytest.mark.attack("E_CHANGE_MISMATCH")
def test_a_review_of_another_change(world: World) -> None:
    """The change that the reviewer was shown is not the one computed here (another renderer, for example)."""
    head = _change(world)
    world.review("bob", world.introduction, head, change_digest="sha256:" + "0" * 64)
    world.refused("E_CHANGE_MISMATCH")


@pytest.mark.attack("E_REVIEW_STALE")
def test_an_approval_from_before_a_force_push(world: World) -> None:
    """The branch was rewritten after the review: the review was of another commit."""
    reviewed = world.commit(world.with_file(content=b"good\n"), [world.introduction])
    world.move(reviewed, "refs/heads/pull")
    world.review("bob", world.introduction, reviewed)
    _change(world, content=b"evil\n")
    world.refused("E_REVIEW_STALE")


@pytest.mark.attack("E_REVIEW_STALE")
def test_an_approval_of_an_older_commit_of_the_branch(world: World) -> None:
    """A commit pushed after the approval was not approved."""
    first = world.commit(world.with_file(content=b"1\n"), [world.introduction])
    side = world.commit(world.with_file(content=b"2\n"), [first])
    world.move(side, "refs/heads/pull")
    world.review("bob", world.introduction, first)
    world.move(world.commit(world.with_file(content=b"2\n"), [world.introduction, side], "carol"))
    world.refused("E_REVIEW_STALE")


# --- E_REVIEW_EXPIRED, E_REVIEW_WITHDRAWN ----------------------------------------------------------------------------


@pytest.mark.attack("E_REVIEW_EXPIRED")
def test_an_expired_review(world: World) -> None:
    """A review ends when it says so."""
    head = _change(world)
    world.review("bob", world.introduction, head, expires=format_time(world.now))
    world.refused("E_REVIEW_EXPIRED")


@pytest.mark.attack("E_REVIEW_EXPIRED")
def test_a_review_older_than_the_policy_allows(world: World) -> None:
    """A review that wants to live longer than the policy lets it ends with the policy's age."""
    head = _change(world)
    world.review("bob", world.introduction, head, expires=format_time(world.now + timedelta(days=1000)))
    world.now += timedelta(days=7)
    world.refused("E_REVIEW_EXPIRED")


def test_control_a_new_host_walks_old_history(world: World) -> None:
    """Steps that later ones build on were complete in time: a new host accepts them long after their reviews ended."""
    world.accepted_change(content=b"1\n")
    world.now += timedelta(days=90)
    head = world.accepted_change(content=b"2\n")
    for file in sorted((world.place / "state" / "trust").iterdir()):
        file.unlink()
    accepted = world.verify()
    assert accepted.commit.id == head
    assert len(accepted.steps) == 3


def test_control_rubbish_does_not_age_old_history(world: World) -> None:
    """A statement that nobody signed has no say in when an old step was complete."""
    old = world.accepted_change(content=b"1\n")
    world.now += timedelta(days=90)
    world.review("bob", world.introduction, old, key="mallory")  # bob's name, today's date
    head = world.accepted_change(content=b"2\n")
    for file in sorted((world.place / "state" / "trust").iterdir()):
        file.unlink()
    assert world.verify().commit.id == head


@pytest.mark.attack("E_REVIEW_EXPIRED")
def test_an_expired_review_beside_a_late_one(world: World) -> None:
    """Reviews of one step must have counted at the same time: a late one does not bring an expired one back."""
    head = _change(world, path="haoam.yaml")
    world.review("bob", world.introduction, head)
    world.now += timedelta(days=30)
    world.review("carol", world.introduction, head)
    after = world.move(world.commit(world.with_file("haoam.yaml", b"3\n"), [head]))
    world.review("bob", head, after)
    world.review("carol", head, after)
    world.refused("E_REVIEW_EXPIRED")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
@pytest.mark.parametrize("decision", ["reject", "withdraw"])
def test_a_review_taken_back(world: World, decision: str) -> None:
    """The last word of a reviewer counts; one rejection stops a change, whoever else approves it."""
    head = _change(world)
    world.review("bob", world.introduction, head)
    world.review("carol", world.introduction, head)
    world.review("bob", world.introduction, head, decision=decision)
    world.refused("E_REVIEW_WITHDRAWN")


def test_control_approved_after_a_rejection(world: World) -> None:
    """Whoever rejected can approve."""
    head = _change(world)
    world.review("bob", world.introduction, head, decision="reject")
    world.review("bob", world.introduction, head)
    assert world.verify().commit.reviewers == ("bob",)


def test_control_a_rejection_by_somebody_without_a_say(world: World) -> None:
    """Who may not review can not stop a change either."""
    head = _change(world)
    world.review("dave", world.introduction, head, decision="reject")
    world.review("bob", world.introduction, head)
    assert world.verify().commit.reviewers == ("bob",)


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_rejection_evaded_by_amending(world: World) -> None:
    """The same files in a new commit are still the change that was rejected."""
    first = _change(world)
    world.review("carol", world.introduction, first, decision="reject")
    amended = world.move(world.commit(world.with_file(), [world.introduction], message="again\n"))
    world.review("bob", world.introduction, amended)
    world.refused("E_REVIEW_WITHDRAWN")


# --- E_REVIEWER_..., E_STATEMENT_..., E_SIG_NAMESPACE ----------------------------------------------------------------


@pytest.mark.attack("E_REVIEWER_KIND")
def test_a_bot_reviews(world: World, publics: dict[str, str]) -> None:
    """Bots never review."""
    spec = policy_document(publics)
    spec["principals"]["robot"] = {"kind": "bot", "keys": [{"id": "robot-1", "type": "ssh", "public": publics["erin"]}]}
    world = world.other(spec)
    head = _change(world)
    world.review("robot", world.introduction, head, key="erin")
    world.refused("E_REVIEWER_KIND")


@pytest.mark.attack("E_REVIEWER_UNKNOWN")
def test_somebody_whom_the_policy_does_not_name(world: World) -> None:
    """A stranger's approval is nobody's."""
    head = _change(world)
    world.review("mallory", world.introduction, head)
    world.refused("E_REVIEWER_UNKNOWN")


@pytest.mark.attack("E_STATEMENT_SIGNER")
def test_bobs_name_and_mallorys_key(world: World) -> None:
    """A review in somebody's name counts only with that person's key."""
    head = _change(world)
    world.review("bob", world.introduction, head, key="mallory")
    world.refused("E_STATEMENT_SIGNER")


@pytest.mark.attack("E_STATEMENT_SIGNER")
def test_bobs_name_and_carols_key(world: World) -> None:
    """Another reviewer's key does not do either."""
    head = _change(world)
    world.review("bob", world.introduction, head, key="carol")
    world.refused("E_STATEMENT_SIGNER")


@pytest.mark.attack("E_STATEMENT_SIGNER")
def test_an_envelope_that_names_another_key(world: World) -> None:
    """The key that the envelope names is the one that signed."""
    head = _change(world)
    payload = encode_statement(world.predicate("bob", world.introduction, head))
    envelope = json.loads(world.envelope(payload, "bob"))
    envelope["signatures"][0]["keyid"] = "SHA256:" + "A" * 43
    world.attest(canonical_json(envelope))
    world.refused("E_STATEMENT_SIGNER")


@pytest.mark.attack("E_SIG_NAMESPACE")
def test_a_commit_signature_as_a_review(world: World) -> None:
    """A signature made for a commit is no review."""
    head = _change(world)
    world.review("bob", world.introduction, head, namespace="git")
    world.refused("E_SIG_NAMESPACE")


@pytest.mark.attack("E_SIG_INVALID")
def test_a_signature_of_another_statement(world: World) -> None:
    """A review whose words were changed after signing does not hold."""
    head = _change(world)
    said = world.predicate("bob", world.introduction, head, {"decision": "reject"})
    envelope = json.loads(world.envelope(encode_statement(said), "bob"))
    forged = encode_statement(said.model_copy(update={"decision": "approve"}))
    envelope["payload"] = base64.b64encode(forged).decode()
    world.attest(canonical_json(envelope))
    world.refused("E_SIG_INVALID")


def _duplicate_key(payload: bytes) -> bytes:
    return payload.replace(b'"decision":"approve"', b'"decision":"reject","decision":"approve"')


def _trailing_bytes(payload: bytes) -> bytes:
    return payload + b" "


def _extra_subject(payload: bytes) -> bytes:
    statement = json.loads(payload)
    statement["subject"].append(statement["subject"][0])
    return canonical_json(statement)


def _unknown_field(payload: bytes) -> bytes:
    statement = json.loads(payload)
    statement["predicate"]["scope"] = "everything"
    return canonical_json(statement)


def _other_subject(payload: bytes) -> bytes:
    statement = json.loads(payload)
    statement["subject"][0]["digest"]["gitCommit"] = "0" * 40
    return canonical_json(statement)


def _other_kind(payload: bytes) -> bytes:
    statement = json.loads(payload)
    statement["predicateType"] = "urn:haoam-sync:review:v0"
    return canonical_json(statement)


@pytest.mark.attack("E_STATEMENT_FORMAT")
@pytest.mark.parametrize(
    "mangle", [_duplicate_key, _trailing_bytes, _extra_subject, _unknown_field, _other_subject, _other_kind]
)
def test_a_statement_that_could_be_read_in_two_ways(world: World, mangle: Any) -> None:
    """A well signed statement that is not exactly in form is no statement."""
    head = _change(world)
    payload = mangle(encode_statement(world.predicate("bob", world.introduction, head)))
    world.attest(world.envelope(payload, "bob"))
    world.refused("E_STATEMENT_FORMAT")


@pytest.mark.attack("E_STATEMENT_FORMAT")
@pytest.mark.parametrize("extra", [b"\n", b"{}"])
def test_an_envelope_with_trailing_bytes(world: World, extra: bytes) -> None:
    """Bytes behind the envelope are refused."""
    head = _change(world)
    payload = encode_statement(world.predicate("bob", world.introduction, head))
    world.attest(world.envelope(payload, "bob") + extra)
    world.refused("E_STATEMENT_FORMAT")


def test_control_rubbish_among_the_statements(world: World) -> None:
    """Whoever may push there can not stop everybody by pushing rubbish."""
    world.attest(b"\xff" * 100)
    world.attest(b"[" * 30_000)
    world.attest(b"{}")
    world.accepted_change()


@pytest.mark.attack("E_CLOCK")
def test_a_review_from_the_future(world: World) -> None:
    """A review that was not given yet does not count."""
    head = _change(world)
    later = world.now + timedelta(hours=1)
    world.review("bob", world.introduction, head, issued=format_time(later))
    world.refused("E_CLOCK")


# --- E_ATTEST_ROLLBACK -----------------------------------------------------------------------------------------------


@pytest.mark.attack("E_ATTEST_ROLLBACK")
@pytest.mark.parametrize("gone", [True, False])
def test_the_statements_are_reset(world: World, gone: bool) -> None:  # noqa: FBT001  # pytest's parametrize
    """A host that saw a tip holds everything when that tip is no longer there."""
    head = _change(world)
    first = world.review("bob", world.introduction, head)
    world.review("carol", world.introduction, head)
    world.verify()
    options = ("-d", "refs/heads/haoam/attestations") if gone else ("refs/heads/haoam/attestations", first)
    git(world.repo, "update-ref", *options)
    world.refused("E_ATTEST_ROLLBACK")


@pytest.mark.attack("E_ATTEST_ROLLBACK")
def test_a_withdrawal_withheld_behind_an_unchanged_tip(world: World) -> None:
    """Withholding a statement shows as soon as anybody reviews who saw it."""
    head = _change(world)
    tip = world.review("bob", world.introduction, head)
    world.verify()
    hidden = world.review("bob", world.introduction, head, decision="withdraw")
    git(world.repo, "update-ref", "refs/heads/haoam/attestations", tip)
    after = world.move(world.commit(world.with_file(content=b"3\n"), [head]))
    world.review("carol", head, after, seen=Seen(attestations=hidden))
    world.refused("E_ATTEST_ROLLBACK")


def test_control_a_statement_about_nothing_stops_nobody(world: World) -> None:
    """Whoever may sign something can not hold all others by naming statements that never were."""
    elsewhere = world.move(world.commit(world.with_file("docs/a"), [world.introduction], "dave"), "refs/heads/dave")
    world.review("dave", world.introduction, elsewhere, seen=Seen(attestations="0" * 40))
    world.accepted_change()


@pytest.mark.attack("E_ATTEST_ROLLBACK")
def test_statements_that_are_taken_back_while_somebody_reviews(world: World) -> None:
    """Between showing and signing the statements are read once more: what was seen must still be among them."""
    head = world.commit(world.with_file(), [world.introduction])
    world.move(head, "refs/heads/topic")
    with closing(world.open()) as repository:
        state = trust.TrustState(world.introduction, world.root.ref)
        accepted = trust.advance(trust.Grounds(repository, world.root, state, world.now, world.change_digest))
        proposed = trust.propose(repository, world.root, accepted, repository.resolve("topic"))
        gone = replace(accepted, state=replace(accepted.state, attestations="f" * 40))
        sign: dict[str, Any] = {
            "key": SshSigningKey(world.keys["bob"]),
            "decision": "approve",
            "change_digest": world.change_digest(world.introduction, head),
            "now": world.now,
        }
        with pytest.raises(NotTrustedError) as caught:
            trust.sign_review(repository, world.root, gone, proposed, **sign)
        assert caught.value.code == "E_ATTEST_ROLLBACK"
        assert trust.sign_review(repository, world.root, accepted, proposed, **sign).principal == "bob"
