"""Changes that were agreed on beforehand: what a class holds needs no review, and nothing else slips in with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flow_attack import Site, document, fleet
from trust_world import closed_api, policy_document

_RULES = [
    {"paths": ["trust.yaml", "keys/**"], "require": {"root": 2}},
    {"paths": ["haoam.yaml", "access/**"], "require": {"reviewer": 2}},
    {"paths": ["haproxy/**", "docs/**"], "require": {"reviewer": 1}, "waive": ["PRE-001"]},
]
_MATCH = {"fields": ["servers.*.weight", "servers.*.maintenance"], "names": ["web*"], "capacity_left": ">=70%"}
Files = dict[str, Any]


def _class(match: Mapping[str, Any] = _MATCH, name: str = "PRE-001") -> bytes:
    return document("ChangePolicy", "classes", {"rules": [{"id": name, "match": dict(match), "require": []}]})


def _web(*weights: int, name: str = "web", more: Mapping[str, Any] | None = None, meta: Any = None) -> bytes:
    servers = {f"s{i}": {"address": "127.0.0.1", "port": 9 + i, "weight": w} for i, w in enumerate(weights)}
    found = json.loads(document("Backend", name, {"mode": "http", "servers": servers, **(more or {})}))
    found["metadata"] |= meta or {}
    return json.dumps(found).encode()


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Site]:
    """A world whose policy waives reviews of the class PRE-001, which people agreed on; its API only counts."""
    with closed_api() as api:
        site = Site(tmp_path, keys, policy_document(publics, rules=_RULES), gate=api)
        site.files = {**site.files, "access/classes.yaml": _class(), "haproxy/web.yaml": _web(10, 10, 10, 10)}
        head = site.move(site.commit(site.files, [site.introduction]))
        for name in ("bob", "carol"):
            site.review(name, site.introduction, head)
        site.tip = head
        yield site


def _unreviewed(site: Site, files: Mapping[str, Any]) -> str:
    """A commit by dave, who may not review, on top of the branch."""
    site.files = {**site.files, **files}
    site.tip = site.move(site.commit(site.files, [site.tip], "dave"))
    return site.tip


def _accepted(site: Site) -> Any:
    site.gate.forget()
    said = site.must(0, "trust", "verify", "--output", "json").json
    ran = site.cli("plan", "--output", "json")
    assert (ran.code, site.gate.connections > 0) == (7, True), ran.said  # trusted, so the instance is asked
    return said["accepted"]


def test_control_a_change_of_the_class(site: Site) -> None:
    """A weight within the class is accepted without a review, and everything says that nobody reviewed it."""
    head = _unreviewed(site, {"haproxy/web.yaml": _web(4, 10, 10, 10)})
    accepted = _accepted(site)
    assert (accepted["commit"], accepted["reviews"], accepted["waived"]) == (head, [], ["PRE-001"])
    assert "NOBODY REVIEWED: pre-approved as PRE-001" in site.must(0, "trust", "verify").out


def test_control_a_reviewed_change_waives_nothing(site: Site) -> None:
    """With the review that the rule asks for, the class is of no matter."""
    base = site.tip
    head = _unreviewed(site, {"haproxy/web.yaml": _web(4, 10, 10, 10)})
    site.review("bob", base, head)
    assert (_accepted(site)["waived"], _accepted(site)["reviews"][0]["principal"]) == ([], "bob")


@pytest.mark.attack("E_THRESHOLD")
@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"haproxy/web.yaml": _web(10, 10, 0, 0)}, id="half of the capacity"),
        pytest.param({"haproxy/web.yaml": _web(9, 10, 10, 10, more={"retries": 2})}, id="another field"),
        pytest.param({"haproxy/web.yaml": _web(9, 10, 10, 10, 10)}, id="another server"),
        pytest.param({"haproxy/web.yaml": _web(9, 10, 10)}, id="a server less"),
        pytest.param({"haproxy/web.yaml": b"# nothing\n"}, id="the section deleted"),
        pytest.param({"haproxy/new.yaml": _web(1, name="web-new")}, id="a section created"),
        pytest.param({"haproxy/web.yaml": _web(9, 10, 10, 10, meta={"protected": True})}, id="protected"),
        pytest.param(
            {"haproxy/web.yaml": _web(9, 10, 10, 10, meta={"ignore": ["servers.*.maintenance"]})}, id="ignored"
        ),
        pytest.param({"docs/a.md": b"a\n"}, id="a change that a class cannot see"),
        pytest.param({"haproxy/web.yaml": _web(9, 10, 10, 10), "docs/a.md": b"a\n"}, id="beside one that it holds"),
    ],
)
def test_a_change_that_is_not_wholly_of_the_class(site: Site, files: Files) -> None:
    """Whatever else a commit does, or does more, needs its review."""
    _unreviewed(site, files)
    site.apply_refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_small_steps_that_are_one_large_one(site: Site) -> None:
    """Capacity is measured from what people reviewed last: each step is small, the last one takes too much."""
    for weights in ((6, 10, 10, 10), (2, 10, 10, 10), (2, 6, 10, 10)):
        _unreviewed(site, {"haproxy/web.yaml": _web(*weights)})
        assert _accepted(site)["waived"] == ["PRE-001"]
    base = site.tip
    head = _unreviewed(site, {"haproxy/web.yaml": _web(2, 2, 10, 10)})
    site.apply_refused("E_THRESHOLD")
    site.review("bob", base, head)  # the control: a person looks, and from there it counts anew
    _accepted(site)
    _unreviewed(site, {"haproxy/web.yaml": _web(2, 2, 9, 8)})
    assert _accepted(site)["waived"] == ["PRE-001"]


@pytest.mark.attack("E_THRESHOLD")
@pytest.mark.parametrize("content", [b"text\n", b"# a comment\n"], ids=["text", "comment"])
def test_small_steps_with_a_reviewed_text_between(site: Site, content: bytes) -> None:
    """Who reviews what changes nothing on any instance did not look at the weights: they count from where they did."""
    _unreviewed(site, {"haproxy/web.yaml": _web(2, 6, 10, 10)})
    assert _accepted(site)["waived"] == ["PRE-001"]
    base = site.tip
    head = _unreviewed(site, {"docs/a.md": content} if content[:1] != b"#" else {"haproxy/a.yaml": content})
    site.review("bob", base, head)
    assert _accepted(site)["waived"] == []
    _unreviewed(site, {"haproxy/web.yaml": _web(2, 2, 10, 10)})
    site.apply_refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_small_steps_pushed_at_once(site: Site) -> None:
    """The same on a host that sees all the steps at once, and starts from nothing."""
    for weights in ((6, 10, 10, 10), (2, 10, 10, 10), (2, 6, 10, 10), (2, 2, 10, 10)):
        _unreviewed(site, {"haproxy/web.yaml": _web(*weights)})
    site.apply_refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
@pytest.mark.parametrize(
    "match",
    [
        pytest.param({**_MATCH, "names": ["api*"]}, id="another name"),
        pytest.param({**_MATCH, "clusters": ["other"]}, id="another cluster"),
        pytest.param({**_MATCH, "fields": ["servers.s1.weight"]}, id="another server's weight"),
        pytest.param({**_MATCH, "kinds": ["Frontend"], "fields": ["maxconn"]}, id="another kind"),
    ],
)
def test_a_class_that_means_something_else(site: Site, match: Mapping[str, Any]) -> None:
    """Only what the agreed class means is waived."""
    more = '    other: {labels: {env: test}, instances: {lb2: {url: "http://127.0.0.1:9/v3", user: admin, '
    more += "password: {secret: env/EDGE_PASSWORD}}}}\n"
    base = site.tip
    site.files = {**site.files, "haoam.yaml": fleet(site.gate.url, more), "access/classes.yaml": _class(match)}
    site.tip = site.move(site.commit(site.files, [base]))
    for name in ("bob", "carol"):
        site.review(name, base, site.tip)
    _unreviewed(site, {"haproxy/web.yaml": _web(9, 10, 10, 10)})
    site.apply_refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_a_class_widened_in_the_commit_that_uses_it(site: Site) -> None:
    """Which classes there are, the commit before says."""
    wide = _class({"fields": ["servers.*.weight"], "capacity_left": ">=0%"})
    _unreviewed(site, {"access/classes.yaml": wide, "haproxy/web.yaml": _web(1, 0, 0, 0)})
    site.apply_refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_a_class_that_the_policy_does_not_waive(site: Site) -> None:
    """A class alone waives nothing: the trust policy names it by its id."""
    base = site.tip
    site.files = {**site.files, "access/classes.yaml": _class(name="PRE-002")}
    site.tip = site.move(site.commit(site.files, [base]))
    for name in ("bob", "carol"):
        site.review(name, base, site.tip)
    _unreviewed(site, {"haproxy/web.yaml": _web(9, 10, 10, 10)})
    site.apply_refused("E_THRESHOLD")


@pytest.mark.attack("E_THRESHOLD")
def test_a_cluster_relabelled_to_come_into_a_class(site: Site) -> None:
    """A change of labels is for people; with it in the same commit nothing is of the class."""
    base = site.tip
    site.files = {**site.files, "access/classes.yaml": _class({**_MATCH, "clusters": ["eu"]})}
    site.tip = site.move(site.commit(site.files, [base]))
    for name in ("bob", "carol"):
        site.review(name, base, site.tip)
    labelled = fleet(site.gate.url, "      labels: {env: test}\n")
    _unreviewed(site, {"haoam.yaml": labelled, "haproxy/web.yaml": _web(9, 10, 10, 10)})
    site.apply_refused("E_THRESHOLD")


def _two_teams(site: Site) -> tuple[Site, str]:
    """A world where those who review the fleet are not asked about sections, and the other way round."""
    spec = policy_document(site.publics)
    spec["roles"]["netops"] = {"members": ["bob", "carol"]}
    spec["rules"] = [
        {"paths": ["trust.yaml", "keys/**"], "require": {"root": 2}},
        {"paths": ["haoam.yaml", "access/**"], "require": {"reviewer": 1}},
        {"paths": ["haproxy/**", "docs/**"], "require": {"netops": 1}, "waive": ["PRE-001"]},
    ]
    place = site.place / "teams"
    place.mkdir()
    other = Site(place, site.keys, spec, gate=site.gate)
    other.files = {**other.files, "access/classes.yaml": _class(), "haproxy/web.yaml": _web(10, 10, 10, 10)}
    other.tip = other.move(other.commit(other.files, [other.introduction], "dave"))
    other.review("bob", other.introduction, other.tip)
    return other, other.tip


def test_control_a_reviewed_class_beside_a_waived_change(site: Site) -> None:
    """What the others reviewed stands beside what is waived, when no instance is reached otherwise by it."""
    other, base = _two_teams(site)
    files = {"access/more.yaml": _class(name="PRE-009").replace(b"classes", b"more")}
    head = _unreviewed(other, {**files, "haproxy/web.yaml": _web(9, 10, 10, 10)})
    other.review("alice", base, head)
    assert _accepted(other)["waived"] == ["PRE-001"]


@pytest.mark.attack("E_THRESHOLD")
def test_a_reviewed_change_of_the_fleet_beside_one_of_the_class(site: Site) -> None:
    """A label that its reviewers agreed to does not ride along with a change that needs no review of its own."""
    other, base = _two_teams(site)
    labelled = fleet(other.gate.url, "      labels: {env: test}\n")
    head = _unreviewed(other, {"haoam.yaml": labelled, "haproxy/web.yaml": _web(9, 10, 10, 10)})
    other.review("alice", base, head)
    other.apply_refused("E_THRESHOLD")


@pytest.mark.attack("E_REVIEW_WITHDRAWN")
def test_a_pre_approved_change_that_somebody_rejects(site: Site) -> None:
    """Who may review may say no to what needs no yes."""
    base = site.tip
    head = _unreviewed(site, {"haproxy/web.yaml": _web(9, 10, 10, 10)})
    site.review("carol", base, head, decision="reject")
    site.apply_refused("E_REVIEW_WITHDRAWN")


@pytest.mark.attack("E_UNSIGNED")
def test_a_pre_approved_change_without_a_signature(site: Site) -> None:
    """Whose change it is must be known all the same."""
    site.files = {**site.files, "haproxy/web.yaml": _web(9, 10, 10, 10)}
    site.move(site.commit(site.files, [site.tip], None))
    site.apply_refused("E_UNSIGNED")


def test_the_audit_log_names_the_class(site: Site) -> None:
    """A commit that is accepted for the sake of a class stands in the log with it."""
    site.must(0, "trust", "state", "seed", site.tip, "--yes", "--without=eu/lb1")
    _unreviewed(site, {"haproxy/web.yaml": _web(9, 10, 10, 10)})
    site.cli("apply", "sha256:" + "0" * 64)
    log = sorted((site.place / "audit").rglob("*.jsonl"))
    lines = [json.loads(line) for file in log for line in file.read_text().splitlines()]
    accepted = [line["detail"] for line in lines if line["event"] == "commit.accepted"]
    assert accepted[-1]["waived"] == ["PRE-001"]
