"""`review` of a commit whose reviews suffice already, and with a key that is nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_attack import Site, web
from trust_world import git, make_key, policy_bytes

from haoam_sync.model.json import digest_bytes
from haoam_sync.pipeline.opening import opened
from haoam_sync.settings import Settings


@pytest.fixture
def head(site: Site) -> str:
    """A commit that bob approved; no apply has remembered it yet."""
    commit = site.move(site.commit(site.with_timeout(2), [site.introduction]))
    site.review("bob", site.introduction, commit)
    site.must(0, "trust", "verify")
    return commit


def sign(site: Site, who: str, head: str, *more: str) -> tuple[str, ...]:
    """A review of what the step to `head` does, by its change digest."""
    digest = site.change_digest(site.introduction, head)
    return ("review", head, f"--key={site.keys[who]}", "--offline", "--yes", f"--expect={digest}", *more)


def test_an_approval_can_be_taken_back_until_it_is_applied(site: Site, head: str) -> None:
    """Bob withdraws the approval that made the commit trusted: it is trusted no more, until he approves it again."""
    site.must(0, *sign(site, "bob", head, "--withdraw"))
    assert "E_REVIEW_WITHDRAWN" in site.must(4, "trust", "verify").said
    site.must(0, *sign(site, "bob", head))
    site.must(0, "trust", "verify")


def test_another_approval_can_be_added(site: Site, head: str) -> None:
    """Carol is shown the step, not an empty change, and what she signs counts beside bob's approval."""
    shown = site.must(0, *sign(site, "carol", head))
    assert f"base     {site.introduction}" in shown.out
    assert f"change digest {site.change_digest(site.introduction, head)}" in shown.out
    assert "signed: carol says approve" in shown.out


def test_who_wrote_it_is_told_so_even_then(site: Site, head: str) -> None:
    """Alice signed the commit; that others' reviews suffice does not make her a reviewer."""
    assert site.must(4, *sign(site, "alice", head)).err.startswith("E_SELF_REVIEW: ")


def test_a_commit_below_the_one_accepted_last_is_not_reviewed_any_more(site: Site, head: str) -> None:
    """What lies behind for good is refused with what to do, instead of a signature that counts for nothing."""
    later = site.move(site.commit(site.with_timeout(3), [head]))
    site.review("bob", head, later)
    place = Settings(str(site.source), site.place / "root.yaml", site.host, site.place / "audit", "host")
    with opened(place) as here:
        here.memory.store(here.verify(""))
    for commit in (head, site.introduction):
        ran = site.must(64, "review", commit, f"--key={site.keys['carol']}", "--offline")
        assert ran.err.startswith(f"E_ACCEPTED: {commit} is accepted")
        assert "git revert" in ran.err
        assert ran.out == ""


def test_a_commit_below_the_tip_can_be_reviewed_while_nothing_is_remembered(site: Site, head: str) -> None:
    """Two commits whose reviews suffice: the approval of the first one can be taken back as well."""
    later = site.move(site.commit(site.with_timeout(3), [head]))
    site.review("bob", head, later)
    site.must(0, *sign(site, "bob", head, "--withdraw"))
    assert "E_REVIEW_WITHDRAWN" in site.must(4, "trust", "verify", head).said


def test_a_wrong_key_is_told_before_anything_is_shown(site: Site, head: str, tmp_path: Path) -> None:
    """A file that is no key, or a key that the policy does not list: nothing is shown, and nothing is asked."""
    stranger = make_key(tmp_path, "mallory")
    for code, key, words in ((64, tmp_path / "nokey", "E_SIGN: "), (4, stranger, "E_REVIEWER_UNKNOWN: ")):
        ran = site.must(code, "review", head, f"--key={key}", "--offline")
        assert ran.err.startswith(words)
        assert ran.out == ""
        assert "[y/N]" not in ran.err


@pytest.mark.parametrize(("changes", "code"), [({"serial": 3}, "E_SERIAL"), ({"serial": 2}, "E_TRUST_MIXED")])
def test_a_policy_that_could_never_be_accepted_is_not_signed(site: Site, changes: dict[str, int], code: str) -> None:
    """A root is told before he signs, not afterwards by every host: the wrong serial, other files beside it."""
    before = policy_bytes(site.spec)
    spec = {**site.spec, **changes, "previous": digest_bytes(before), "review": {"max_age": "P3D"}}
    files = {**site.files, "trust.yaml": policy_bytes(spec)}
    if code == "E_TRUST_MIXED":
        files["haproxy/web.yaml"] = web(7)
    head = site.move(site.commit(files, [site.introduction]))
    assert site.must(4, *sign(site, "bob", head)).err.startswith(f"{code}: ")
    assert "attestations" not in git(site.repo, "for-each-ref").decode()
