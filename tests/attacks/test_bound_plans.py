"""`bind: plan`: what is done to an instance is what people looked at, whatever moved since, and nothing else."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from apply_lab import LabInstance, lab
from flow_attack import ANY_DIGEST, Site
from flow_cli import Ran
from flow_gate import Gate
from trust_world import policy_document

pytestmark = pytest.mark.e2e

_VALUES = itertools.count(4001)
_TWO = [
    {"paths": ["trust.yaml", "keys/**"], "require": {"root": 2}},
    {"paths": ["haoam.yaml", "haproxy/**"], "require": {"reviewer": 2}},
    {"paths": ["docs/**"], "require": {"reviewer": 1}},
]


@pytest.fixture(scope="module")
def instance() -> Iterator[LabInstance]:
    """One HAProxy with its API for all of them."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, "") as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance) -> Iterator[Site]:
    """Two people look at each change of haproxy/, and at each plan."""
    instance.unmark()
    spec = policy_document(publics, rules=_TWO, review={"max_age": "P7D", "bind": "plan"})
    with Gate(instance.url) as gate:
        yield Site(tmp_path, keys, spec, gate=gate)


def _change(site: Site, milliseconds: int, path: str = "") -> str:
    """A change by dave on top of the branch."""
    site.files = {**site.files, **({path: b"words\n"} if path else site.with_timeout(milliseconds))}
    site.tip = site.move(site.commit(site.files, [site.tip or site.introduction], "dave"))
    return site.tip


def _look(site: Site, name: str, *more: str) -> Ran:
    """`review` at the command line, by somebody who sees what the operator sees."""
    return site.cli("review", site.tip, "--key", str(site.keys[name]), "--yes", "--expect", _shown(site), *more)


def _shown(site: Site) -> str:
    """The change digest that `review` shows."""
    shown = site.cli("review", site.tip, "--key", str(site.keys["bob"]), "--yes", "--expect", ANY_DIGEST)
    return shown.err.partition("has the digest ")[2].partition(",")[0]


def _by_hand(instance: LabInstance, value: int) -> None:
    """Somebody changes the value on the instance, past git."""
    with instance.client() as client:
        now = client.raw()
        assert f"timeout server {value}ms" in now.text
        client.write_raw(
            now.text.replace(f"timeout server {value}ms", "timeout server 666ms"), version=now.version or 0
        )


def _reviewed(site: Site, *names: str) -> None:
    for name in names:
        ran = _look(site, name)
        assert ran.code == 0, ran.said


def _held(site: Site) -> str:
    """The plan as it is now is not done: the instance is read, and nothing is written to it."""
    digest = site.must(2, "plan", "--output", "json").json["plan_digest"]
    site.gate.forget()
    ran = site.must(4, "apply", digest, "--output", "json")
    assert (ran.json["code"], site.gate.writes) == ("E_PLAN_REVIEW", [])
    return str(ran.json["message"])


def _applied(site: Site) -> None:
    site.must(0, "apply", site.must(2, "plan", "--output", "json").json["plan_digest"])
    site.must(0, "plan")


@pytest.mark.attack("E_PLAN_REVIEW")
def test_a_plan_that_moved_after_the_reviews(site: Site, instance: LabInstance) -> None:
    """Somebody changes the instance between review and apply: the plan is another one, and waits for new looks."""
    value = next(_VALUES)
    _change(site, value)
    _reviewed(site, "bob", "carol")
    _applied(site)  # the control
    _change(site, next(_VALUES))
    _reviewed(site, "bob", "carol")
    _by_hand(instance, value)
    assert "was not reviewed" in _held(site)
    _reviewed(site, "bob")
    _held(site)  # one of two looked again
    _reviewed(site, "carol")
    _applied(site)


@pytest.mark.attack("E_PLAN_REVIEW")
def test_drift_of_a_commit_applied_long_ago(site: Site, instance: LabInstance) -> None:
    """What was done by hand is put back only after people looked at the plan that does it."""
    value = next(_VALUES)
    _change(site, value)
    _reviewed(site, "bob", "carol")
    _applied(site)
    _by_hand(instance, value)
    _held(site)
    _reviewed(site, "bob", "carol")
    _applied(site)
    assert f"timeout server {value}ms" in (instance.directory / "haproxy.cfg").read_text()


@pytest.mark.attack("E_PLAN_REVIEW")
def test_reviews_that_bind_no_plan(site: Site) -> None:
    """Approvals of the change alone make the commit trusted, and its plan waits."""
    base = site.introduction
    head = _change(site, next(_VALUES))
    for name in ("bob", "carol"):
        site.review(name, base, head)
    site.must(0, "trust", "verify")
    _held(site)
    _reviewed(site, "bob", "carol")
    _applied(site)


@pytest.mark.attack("E_PLAN_REVIEW")
@pytest.mark.parametrize("place", ["eu/lb1", "eu/lb2"], ids=["another plan", "another instance"])
def test_a_review_of_another_plan(site: Site, place: str) -> None:
    """An approval that names another plan, or this one for another instance, is none of this plan."""
    base = site.introduction
    head = _change(site, next(_VALUES))
    ran = _look(site, "bob", "--output", "json")
    (plan,) = ran.json["statement"]["plans"].values()
    site.review("carol", base, head, plans={place: plan if place != "eu/lb1" else "sha256:" + "1" * 64})
    _held(site)
    site.review("carol", base, head, plans={"eu/lb1": plan})
    _applied(site)


@pytest.mark.attack("E_PLAN_REVIEW")
def test_a_light_commit_in_front_of_a_heavy_plan(site: Site) -> None:
    """Who needs one review for docs/ does not get a plan of haproxy/ done with it, though the commit is accepted."""
    base = site.introduction
    head = _change(site, next(_VALUES))
    for name in ("bob", "carol"):
        site.review(name, base, head)
    _change(site, 0, "docs/free.md")
    _reviewed(site, "bob")
    _held(site)
    _reviewed(site, "carol")
    _applied(site)


@pytest.mark.attack("E_PLAN_REVIEW")
def test_an_author_who_looks_at_his_own_plan(site: Site) -> None:
    """The plan of a change is not for its author to approve either."""
    site.tip = site.move(site.commit(site.with_timeout(next(_VALUES)), [site.introduction], "bob"))
    site.review("carol", site.introduction, site.tip)
    site.review("alice", site.introduction, site.tip)
    _held(site)
    assert "E_SELF_REVIEW" in _look(site, "bob").err
    _reviewed(site, "carol", "alice")
    _applied(site)


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_no_to_a_plan_of_an_accepted_commit(site: Site, instance: LabInstance) -> None:
    """A rejection holds the plans of a commit that is accepted, until its author approves."""
    value = next(_VALUES)
    _change(site, value)
    _reviewed(site, "bob", "carol")
    _applied(site)
    _by_hand(instance, value)
    _reviewed(site, "bob", "carol")
    assert _look(site, "carol", "--reject").code == 0
    digest = site.must(2, "plan", "--output", "json").json["plan_digest"]
    site.gate.forget()
    assert site.must(4, "apply", digest, "--output", "json").json["code"] == "E_REVIEW_WITHDRAWN"
    assert site.gate.writes == []
    _reviewed(site, "carol")
    _applied(site)


@pytest.mark.attack("E_PLAN_REVIEW")
def test_an_approval_of_a_plan_that_was_not_shown(site: Site) -> None:
    """Nobody signs a plan unseen."""
    _change(site, next(_VALUES))
    ran = _look(site, "bob", "--offline")
    assert (ran.code, "E_PLAN_REVIEW" in ran.err) == (4, True)


@pytest.mark.attack("E_PLAN_REVIEW")
def test_the_plan_of_the_introduction_commit(site: Site) -> None:
    """Nobody reviewed it, so nothing of it is done before a change that was."""
    _held(site)


def test_control_a_branch_and_its_merge(site: Site) -> None:
    """A merge that adds nothing has the plan of its branch, and needs no second look."""
    files = site.with_timeout(next(_VALUES))
    branch = site.commit(files, [site.introduction], "dave")
    site.tip = site.move(branch, "refs/heads/topic")
    _reviewed(site, "bob", "carol")
    site.tip = site.move(site.commit(files, [site.introduction, branch], "alice"))
    _applied(site)


def test_control_a_light_plan(site: Site) -> None:
    """Where nothing would be done to an instance, nobody has to look at a plan."""
    _change(site, next(_VALUES))
    _reviewed(site, "bob", "carol")
    _applied(site)
    base = site.tip
    _change(site, 0, "docs/free.md")
    site.review("bob", base, site.tip)
    site.must(0, "apply", site.must(0, "plan", "--output", "json").json["plan_digest"])
