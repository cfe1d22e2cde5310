"""Files that documents name weigh what these documents weigh: no change slips in beside the text that was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flow_attack import Site, document
from flow_certificate import self_signed
from trust_world import closed_api, policy_bytes, policy_document

from haoam_sync.model.json import digest_bytes

_RULES = [
    {"paths": ["trust.yaml", "keys/**"], "require": {"root": 2}},
    {"paths": ["haoam.yaml", "access/**", "haproxy/heavy.yaml"], "require": {"reviewer": 2}},
    {"paths": ["haproxy/**", "files/**", "docs/**"], "require": {"reviewer": 1}, "waive": ["PRE-001"]},
]
_CLASS = {"rules": [{"id": "PRE-001", "match": {"fields": ["server_timeout"], "names": ["web"]}, "require": []}]}
Files = Mapping[str, Any]


def _fleet(ca: str) -> bytes:
    instance = {"url": "https://127.0.0.1:9/v3", "user": "admin", "password": {"secret": "env/EDGE_PASSWORD"}}
    return document(
        "Fleet",
        "attacked",
        {"clusters": {"eu": {"instances": {"lb1": {**instance, **({"ca_file": ca} if ca else {})}}}}},
    )


def _heavy(lua: str = "files/hello.lua") -> bytes:
    site = {"chain_file": "files/chain.pem", "key": {"secret": "file/site.key"}}
    return b"\n---\n".join(
        [document("File", "hello.lua", {"content_file": lua}), document("Certificate", "site", site)]
    )


def _authority(name: str) -> bytes:
    return self_signed(name)[0]


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Site]:
    """Two people agreed on whose API is believed, and on a Lua script; anybody may change docs/ with one review."""
    with closed_api() as api:
        site = Site(tmp_path, keys, policy_document(publics, rules=_RULES), gate=api)
        site.files = {
            **site.files,
            "haoam.yaml": _fleet("docs/ca.pem"),
            "access/classes.yaml": document("ChangePolicy", "classes", _CLASS),
            "docs/ca.pem": _authority("api"),
            "docs/free.md": b"words\n",
            "files/hello.lua": b"-- one\n",
            "files/chain.pem": _authority("site"),
            "haproxy/heavy.yaml": _heavy(),
        }
        site.tip = site.introduction
        _step(site, {}, "bob", "carol")
        assert _accepted(site) == site.tip
        yield site


def _step(site: Site, files: Files, *reviewers: str) -> str:
    """A commit by dave on top of the branch; None takes a file away."""
    base = site.tip
    site.files = {path: content for path, content in {**site.files, **files}.items() if content is not None}
    site.tip = site.move(site.commit(site.files, [base], "dave"))
    for name in reviewers:
        site.review(name, base, site.tip)
    return base


def _accepted(site: Site) -> Any:
    return site.must(0, "trust", "verify", "--output", "json").json["accepted"]["commit"]


def _expecting(site: Site) -> tuple[str, str]:
    return "--expect", site.change_digest(site.introduction, site.tip)


def _refused_until_two(site: Site, files: Files) -> None:
    base = _step(site, files, "bob")
    assert "need 2 of the role reviewer" in site.apply_refused("E_THRESHOLD").err
    site.review("carol", base, site.tip)  # the control
    assert _accepted(site) == site.tip


@pytest.mark.attack("E_THRESHOLD")
@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param("docs/ca.pem", _authority("mallory"), id="which API is believed"),
        pytest.param("files/hello.lua", b"os.execute('true')\n", id="what HAProxy runs"),
        pytest.param("files/chain.pem", _authority("mallory"), id="what clients are shown"),
    ],
)
def test_a_named_file_with_too_few_reviews(site: Site, path: str, content: bytes) -> None:
    """One review is enough where the file lies, and not for the document that names it: the second is missing."""
    _refused_until_two(site, {path: content})


@pytest.mark.attack("E_THRESHOLD")
def test_a_named_file_beside_an_honest_change(site: Site) -> None:
    """What else a commit changes does not matter."""
    _refused_until_two(site, {"docs/ca.pem": _authority("mallory"), "docs/free.md": b"other words\n"})


@pytest.mark.attack("E_THRESHOLD")
def test_a_new_name_for_a_file(site: Site) -> None:
    """A file that was free weighs more as soon as a document names it, and that needs the document's reviews."""
    _step(site, {"docs/other.pem": _authority("mallory")}, "bob")
    assert _accepted(site) == site.tip  # nobody names it
    _refused_until_two(site, {"haoam.yaml": _fleet("docs/other.pem")})
    _refused_until_two(site, {"docs/other.pem": _authority("mallory again")})


def _frozen(site: Site) -> Site:
    """Another repository, whose policy has no rule for haoam.yaml, which names docs/ca.pem."""
    spec = policy_document(
        site.publics, rules=[_RULES[0], {"paths": ["haproxy/**", "docs/**"], "require": {"reviewer": 1}}]
    )
    other = site.place / "other"
    other.mkdir()
    frozen = Site(other, site.keys, spec, gate=site.gate)
    files = {**frozen.files, "haoam.yaml": _fleet("docs/ca.pem"), "docs/ca.pem": _authority("api")}
    frozen.introduction = frozen.tip = frozen.move(frozen.commit(files, [], "alice"))
    frozen.files = files
    frozen.root = replace(frozen.root, introduction=frozen.introduction)
    frozen.write_root()
    return frozen


@pytest.mark.attack("E_NO_RULE")
def test_a_named_file_whose_document_may_not_change(site: Site) -> None:
    """Where the policy has no rule for haoam.yaml, the authority that it names stays as it is, too."""
    frozen = _frozen(site)
    _step(frozen, {"docs/free.md": b"words\n"}, "bob")
    assert _accepted(frozen) == frozen.tip  # the control
    _step(frozen, {"docs/ca.pem": _authority("mallory")}, "bob", "carol")
    assert "haoam.yaml, which names docs/ca.pem" in frozen.apply_refused("E_NO_RULE").err
    ran = frozen.must(
        4, "review", frozen.tip, "--key", str(frozen.keys["bob"]), "--offline", "--yes", *_expecting(frozen)
    )
    assert "haoam.yaml, which names docs/ca.pem" in ran.err  # nor is it offered for signing


@pytest.mark.attack("E_CHANGE_MISMATCH")
def test_a_naming_that_was_reviewed_before_the_file_changed(site: Site) -> None:
    """Two agreed to name a file, then somebody changed it with one review: the two agreed to another content."""
    _step(site, {"docs/other.pem": _authority("new api")}, "bob")
    base = site.tip
    naming = {**site.files, "haoam.yaml": _fleet("docs/other.pem")}
    branch = site.commit(naming, [base], "dave")
    for name in ("bob", "carol"):
        site.review(name, base, branch)
    _step(site, {"docs/other.pem": _authority("mallory")}, "bob")
    assert _accepted(site) == site.tip
    merge = site.commit({**site.files, "haoam.yaml": _fleet("docs/other.pem")}, [site.tip, branch], "dave")
    site.move(merge)
    site.apply_refused("E_CHANGE_MISMATCH")


def test_control_a_file_that_nobody_names(site: Site) -> None:
    """A file of the same folder that no document names needs what its folder needs."""
    _step(site, {"docs/free.md": b"other words\n"}, "bob")
    assert _accepted(site) == site.tip


def _review(site: Site, digest: str, who: str = "bob") -> tuple[str, ...]:
    return ("review", site.tip, "--offline", "--yes", "--expect", digest, f"--key={site.keys[who]}")


def test_a_review_shows_what_the_change_needs(site: Site) -> None:
    """Whoever reviews a file that haoam.yaml names sees the rule of haoam.yaml, as `verify` asks for it."""
    base = _step(site, {"docs/ca.pem": _authority("mallory")})
    digest = site.change_digest(base, site.tip)
    shown = site.must(0, *_review(site, digest, "carol")).out
    assert "needs    haoam.yaml, access/**, haproxy/heavy.yaml: 2 reviewer, evidence signed (for docs/ca.pem)" in shown
    shown_rules = site.must(0, *_review(site, digest), "--output", "json").json["rules"]
    asked = site.must(0, "trust", "verify", "--output", "json", f"{base}..{site.tip}").json["steps"][-1]["rules"]
    assert shown_rules == asked
    assert [rule["require"] for rule in shown_rules] == [{"reviewer": 2}, {"reviewer": 1}]


@pytest.mark.attack("E_NO_RULE")
def test_a_review_of_a_named_file_that_may_not_change(site: Site) -> None:
    """What `verify` refuses whoever reviews it is not signed: the document that names the file has no rule."""
    frozen = _frozen(site)
    base = _step(frozen, {"docs/free.md": b"words\n"})
    frozen.must(0, *_review(frozen, frozen.change_digest(base, frozen.tip)))  # the control
    base = _step(frozen, {"docs/ca.pem": _authority("mallory")})
    ran = frozen.must(4, *_review(frozen, frozen.change_digest(base, frozen.tip)))
    assert ran.err.startswith("E_NO_RULE: ")
    assert "haoam.yaml, which names docs/ca.pem" in ran.err


@pytest.mark.attack("E_SERIAL")
def test_a_review_of_a_policy_that_does_not_follow(site: Site) -> None:
    """No root is asked to sign a policy whose number `verify` refuses; the next one is signed."""
    for serial, code in ((7, 4), (2, 0)):
        base = site.tip
        policy = policy_bytes({**site.spec, "serial": serial, "previous": digest_bytes(site.files["trust.yaml"])})
        head = site.commit({**site.files, "trust.yaml": policy}, [base], "alice")
        site.tip = site.move(head)
        ran = site.must(code, *_review(site, site.change_digest(base, head)))
        assert ran.err.startswith("E_SERIAL: ") is (code == 4)
        site.tip = site.move(base)
