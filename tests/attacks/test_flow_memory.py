"""Attacks on a host that lost its memory, and on the marks of ownership: what the instances and the audit log know.

All by the command line, against a running HAProxy. A refusal here needs the instance to be read; nothing is written.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from apply_lab import LabInstance, lab
from flow_attack import ANY_DIGEST, Site, web
from flow_gate import Gate
from trust_world import REF, git, policy_document

pytestmark = pytest.mark.e2e

_API = web(1000).replace(b"name: web", b"name: api")


@pytest.fixture(scope="module")
def instance() -> Iterator[LabInstance]:
    """One HAProxy with its API."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, "") as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance) -> Iterator[Site]:
    """A world whose introduction commit is believed, with a gate in front of its only API."""
    instance.unmark()
    with Gate(instance.url) as gate:
        yield Site(tmp_path, keys, policy_document(publics), gate=gate)


def _applied(site: Site, base: str, milliseconds: int, *, new: Mapping[str, bytes] | None = None) -> str:
    """A change by alice, reviewed by bob, planned and applied."""
    files = {**site.with_timeout(milliseconds), **(new or {})}
    head = site.move(site.commit(files, [base]))
    site.review("bob", base, head)
    _apply(site)
    return head


def _apply(site: Site) -> None:
    site.must(0, "apply", site.must(2, "plan", "--output", "json").json["plan_digest"])


def _held(site: Site, code: str = "E_STATE_ROLLBACK", exit_code: int = 4) -> str:
    """Plan and apply are refused, and nothing was written."""
    site.gate.forget()
    said = site.must(exit_code, "apply", ANY_DIGEST).err
    assert said.startswith(f"{code}: "), said
    assert site.must(exit_code, "plan").err.startswith(f"{code}: ")
    assert site.gate.writes == []
    return said


def _forget(site: Site, *, audit: bool) -> None:
    """The host loses what it remembers."""
    shutil.rmtree(site.host)
    if audit:
        shutil.rmtree(site.place / "audit")


def _marked(instance: LabInstance, **changes: str) -> None:
    """Somebody who may write to the instance changes members of the marks there."""
    client = instance.client()
    try:
        now = client.raw()
        text = now.text
        for name, value in changes.items():
            text = re.sub(rf'"{name}":"[^"]*"', f'"{name}":"{value}"', text)
        assert text != now.text
        client.write_raw(text, version=now.version or 0)
    finally:
        client.close()


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_lost_memory_and_an_older_history_by_the_audit_log(site: Site) -> None:
    """The state is gone and the remote shows an older commit: the audit log names a newer one. No API hears of it."""
    first = _applied(site, site.introduction, 2001)
    second = _applied(site, first, 2002)
    _forget(site, audit=False)
    site.move(first)
    site.gate.forget()
    assert site.must(4, "apply", ANY_DIGEST).err.startswith("E_STATE_ROLLBACK: ")
    assert site.gate.requests == []
    site.move(second)
    assert site.must(0, "plan", "--output", "json").json["commit"] == second


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_lost_memory_and_an_older_history_by_the_marks(site: Site) -> None:
    """State and audit log are gone: the marks on the instance name a newer commit, and nothing is written."""
    first = _applied(site, site.introduction, 2003)
    second = _applied(site, first, 2004)
    _forget(site, audit=True)
    site.move(first)
    assert second[:12] in _held(site)
    site.move(second)
    _applied(site, second, 2005)


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_lost_memory_and_another_history(site: Site) -> None:
    """A signed and reviewed sibling of what was applied does not contain it; nor does it keep the right history out."""
    first = _applied(site, site.introduction, 2006)
    _forget(site, audit=True)
    head = site.move(site.commit(site.with_timeout(2007), [site.introduction]))
    site.review("bob", site.introduction, head)
    _held(site)
    assert site.must(0, "trust", "state", "show", "--output", "json").json["accepted"] == []
    site.move(first)
    _applied(site, first, 2016)


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_mark_of_a_commit_that_nobody_made(site: Site, instance: LabInstance) -> None:
    """A mark of ours that names no commit of the history holds everything, and is named."""
    first = _applied(site, site.introduction, 2008)
    _marked(instance, commit="9" * 40)
    assert "backend/web" in _held(site)
    instance.unmark()
    _applied(site, first, 2009)


def test_a_forged_mark_deletes_nothing(site: Site, instance: LabInstance) -> None:
    """A section of somebody else's with a made-up mark of ours stays; the control: what we made and took out goes."""
    first = _applied(site, site.introduction, 2010, new={"haproxy/api.yaml": _API})
    client = instance.client()
    try:
        now = client.raw()
        line = re.search(r'backend web.*# ({"haoam":.*})', now.text)
        assert line is not None
        theirs = f"\nbackend legacy # {line[1]}\n  mode http\n"
        client.write_raw(now.text + theirs, version=now.version or 0)
    finally:
        client.close()
    head = site.move(site.commit(site.with_timeout(2010), [first]))
    site.review("bob", first, head)
    planned = site.must(2, "plan", "--output", "json").json["instances"][0]
    assert [(c["action"], c["section"]) for c in planned["changes"]] == [("delete", "backend/api")]
    assert "backend/legacy" in planned["foreign"]
    _apply(site)
    assert "backend legacy" in instance.file
    assert "backend api" not in instance.file


@pytest.mark.attack("E_OWNER")
def test_the_mark_of_another_fleet(site: Site, instance: LabInstance) -> None:
    """What carries another repository's mark is foreign, whatever was applied here last; with ours on it, it goes."""
    first = _applied(site, site.introduction, 2011, new={"haproxy/api.yaml": _API})
    _marked(instance, repository="8" * 40)
    head = site.move(site.commit({**site.with_timeout(2011), "haproxy/web.yaml": web(2012)}, [first]))
    site.review("bob", first, head)
    said = _held(site, "E_OWNER", 5)
    assert "backend/web ('888888888888')" in said
    assert "backend/api" not in said
    _marked(instance, repository=site.introduction)
    _apply(site)
    assert "backend api" not in instance.file


def test_the_marks_alone_lead_back_to_what_is_ours(site: Site, instance: LabInstance) -> None:
    """A host that lost everything still knows by the marks what it made, and deletes what git took out."""
    first = _applied(site, site.introduction, 2013, new={"haproxy/api.yaml": _API})
    _forget(site, audit=True)
    head = site.move(site.commit(site.with_timeout(2013), [first]))
    site.review("bob", first, head)
    _apply(site)
    assert git(site.repo, "rev-parse", REF).decode().strip() == head
    assert "backend api" not in instance.file


@pytest.mark.attack("E_STATE_ROLLBACK")
@pytest.mark.parametrize("verb", ["seed", "confirm"])
def test_an_operators_word_for_a_commit_older_than_what_an_instance_carries(site: Site, verb: str) -> None:
    """Nobody begins the memory behind the marks on an instance; the commit that they name, and newer ones, will do."""
    first = _applied(site, site.introduction, 2021)
    second = _applied(site, first, 2022)
    _forget(site, audit=True)
    if verb == "confirm":
        (site.host / "trust").mkdir(parents=True)
        (site.host / "trust" / "accepted.json").write_bytes(b"{}")
        site.host.chmod(0o700)
    said = site.must(4, "trust", "state", verb, first, "--yes").err
    assert said.startswith("E_STATE_ROLLBACK: "), said
    assert second[:12] in said
    site.must(0, "trust", "state", verb, second, "--yes")
    assert site.must(0, "plan", "--output", "json").json["commit"] == second


@pytest.mark.attack("E_STATE_ROLLBACK")
def test_a_review_on_a_host_that_lost_its_memory(site: Site) -> None:
    """A plan of a proposal does not take endpoints and logins from an older history than the audit log knows."""
    first = _applied(site, site.introduction, 2031)
    second = _applied(site, first, 2032)
    _forget(site, audit=False)
    site.move(first)
    proposal = site.commit(site.with_timeout(2033), [first])
    site.move(proposal, "refs/heads/proposal")
    site.gate.forget()
    assert site.must(4, "plan", "proposal").err.startswith("E_STATE_ROLLBACK: ")
    assert site.gate.requests == []
    site.move(second)
    assert site.cli("plan", "proposal").code in {0, 2}


@pytest.mark.parametrize(
    "change", [("file", "haproxy/other.yaml"), ("digest", "sha256:" + "0" * 64)], ids=["file", "digest"]
)
def test_a_mark_of_a_section_that_was_ours_once_deletes_nothing(
    site: Site, instance: LabInstance, change: tuple[str, str]
) -> None:
    """A section of somebody else's, under a name that was ours, with a mark that says anything else than ours did."""
    first = _applied(site, site.introduction, 2041, new={"haproxy/api.yaml": _API})
    line = re.search(r'backend api.*# ({"haoam":.*})', instance.file)
    assert line is not None
    second = _applied(site, first, 2042)
    assert "backend api" not in instance.file
    mark = re.sub(rf'"{change[0]}":"[^"]*"', f'"{change[0]}":"{change[1]}"', line[1])
    assert mark != line[1]
    client = instance.client()
    try:
        now = client.raw()
        client.write_raw(f"{now.text}\nbackend api # {mark}\n  mode http\n", version=now.version or 0)
    finally:
        client.close()
    head = site.move(site.commit(site.with_timeout(2043), [second]))
    site.review("bob", second, head)
    planned = site.must(2, "plan", "--output", "json").json["instances"][0]
    assert [(c["action"], c["section"]) for c in planned["changes"]] == [("update", "backend/web")]
    assert "backend/api" in planned["foreign"]
