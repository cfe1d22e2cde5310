"""`trust lint`: what is found in policies that hold together, by the day and by the host."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from trust_world import REF, policy_bytes, policy_document

from haoam_sync.model.lint import LintFinding, exit_code
from haoam_sync.trust.lint import Subject, lint
from haoam_sync.trust.policy import load_policy
from haoam_sync.trust.powers import Powers
from haoam_sync.trust.sshsig import fingerprint

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
FILES = ("trust.yaml", "haoam.yaml", "haproxy/web.yaml")


def public() -> str:
    """A key that nobody has."""
    return Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


PUBLICS = {name: public() for name in ("alice", "bob", "carol", "dave", "erin", "robot")}
SPEC = policy_document(PUBLICS)


def person(name: str, **more: Any) -> dict[str, Any]:
    """Somebody with a key."""
    return {"kind": "human", "keys": [{"id": f"{name}-1", "type": "ssh", "public": PUBLICS[name], **more}]}


def people(**changed: dict[str, Any]) -> dict[str, Any]:
    """The principals of the policy, some of them changed or added."""
    return {"principals": {**SPEC["principals"], **changed}}


def looked(
    spec: dict[str, Any] | None = None,
    *,
    denied: frozenset[str] = frozenset(),
    forge: bool = False,
    solo: bool = False,
    days: int = 30,
    **options: Any,
) -> tuple[LintFinding, ...]:
    """What is found in a policy."""
    policy = load_policy(policy_bytes({**SPEC, **(spec or {})}), ref=REF, may_be_solo=solo, where="here")
    powers = Powers(policy, NOW, denied, forge=forge)
    return lint(Subject(powers, timedelta(days=days), **{"paths": FILES, "may_be_solo": solo, **options}))


def found(code: str, *arguments: Any, **options: Any) -> list[tuple[str, str]]:
    """Severity and place of the findings with this code."""
    return [(one.severity, one.where) for one in looked(*arguments, **options) if one.code == code]


def rules(*more: dict[str, Any]) -> dict[str, Any]:
    """The policy's rules for trust files and the fleet, and others."""
    return {"rules": [*SPEC["rules"][:2], *more]}


HAPROXY = {"paths": ["haproxy/**"], "require": {"reviewer": 1}, "evidence": "signed"}


def test_a_policy_of_four_people_has_notes_only() -> None:
    """Nothing of it is an error or a warning; the notes say who can do what."""
    got = looked()
    assert {one.severity for one in got} == {"note"}
    assert exit_code(got) == 0
    assert ("note", "root") in found("L_ROOTS")
    assert "any 2 of alice, bob, carol" in next(one.what for one in got if one.code == "L_ROOTS")
    assert "it takes 3 people" in next(one.what for one in got if (one.code, one.where) == ("L_POWER", "haoam.yaml"))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2027-02-28", ("L_KEY_OVER", "warning")),
        ("2027-03-01", ("L_KEY_ENDS", "warning")),
        ("2027-03-30", ("L_KEY_ENDS", "warning")),
        ("2027-04-01", None),
    ],
)
def test_keys_that_end(day: str, expected: tuple[str, str] | None) -> None:
    """By the clock: over, soon over within the days asked for, or later; the last day itself still counts."""
    got = looked(people(dave=person("dave", not_after=day)))
    about = [(one.code, one.severity) for one in got if one.where == "dave/dave-1"]
    assert about == ([expected] if expected else [])
    if expected and expected[0] == "L_KEY_ENDS":
        assert found("L_KEY_ENDS", people(dave=person("dave", not_after="2027-03-30")), days=3) == []


def test_retired_keys_are_no_matter() -> None:
    """Only keys that the policy calls active can end."""
    old = {"id": "dave-0", "type": "ssh", "public": public(), "status": "retired", "not_after": "2020-01-01"}
    dave = person("dave")
    assert found("L_KEY_OVER", people(dave={**dave, "keys": [old, *dave["keys"]]})) == []


def test_compromised_keys() -> None:
    """A key on the denylist, or called compromised by a root, that the policy still calls active."""
    for name in (fingerprint(PUBLICS["dave"]), "dave/dave-1"):
        assert found("L_KEY_COMPROMISED", denied=frozenset({name})) == [("warning", "dave/dave-1")]
        assert found("L_NO_KEY", denied=frozenset({name})) == [("warning", "dave")]


def test_the_last_roots() -> None:
    """One root's key ends: the others are single points. Two end: the policy can never be changed again."""
    ended = {"bob": person("bob", not_after="2027-01-01")}
    assert found("L_SINGLE_POINT", people(**ended)) == [("warning", "alice"), ("warning", "carol")]
    assert found("L_ROOTS_LOST", people(**ended)) == []
    both = people(**ended, carol=person("carol", not_after="2027-01-01"))
    assert found("L_ROOTS_LOST", both) == [("error", "root")]
    assert exit_code(looked(both)) == 2


def test_thresholds_that_can_not_be_reached() -> None:
    """Reviewers without keys: for all authors it is an error, for some of them a warning."""
    some = people(bob=person("bob", not_after="2027-01-01"))
    assert found("L_UNREACHABLE", some) == [("warning", "haoam.yaml")]  # alice's and carol's; dave's have both
    all_of_them = people(bob=person("bob", not_after="2027-01-01"), carol=person("carol", not_after="2027-01-01"))
    assert ("error", "haoam.yaml") in found("L_UNREACHABLE", all_of_them)


def test_thresholds_that_are_only_just_reached() -> None:
    """Without dave, two of three must review what the third writes: each of them can stop it by being away."""
    three = {
        "principals": {name: one for name, one in SPEC["principals"].items() if name != "dave"},
        "roles": {**SPEC["roles"], "author": {"members": ["alice", "bob", "carol"]}, "merger": {"members": ["alice"]}},
    }
    assert found("L_JUST_REACHABLE", three) == [("note", "haoam.yaml")]
    assert found("L_JUST_REACHABLE") == []  # dave writes, and any two of three review


@pytest.mark.parametrize(("operators", "expected"), [([], [("error", "robot")]), (["dave"], [])])
def test_bots(operators: list[str], expected: list[tuple[str, str]]) -> None:
    """Whoever drives a bot could approve what it writes, unless the policy says who that is."""
    bot = {**people(robot={**person("robot"), "kind": "bot", "operators": operators})}
    roles = {**SPEC["roles"], "author": {"members": [*SPEC["roles"]["author"]["members"], "robot"]}}
    assert found("L_BOT_OPERATOR", {**bot, "roles": roles}) == expected
    alone = found("L_ALONE", {**bot, "roles": roles})
    assert alone == ([("error", "haproxy/**, docs/**")] if not operators else [])


def test_paths_and_rules_that_miss_each_other() -> None:
    """Files that nothing may change, and rules that wait for a file."""
    assert found("L_NO_RULE", paths=(*FILES, "tools/x.sh", "tools/y.sh")) == [("warning", "tools/x.sh")]
    assert found("L_NO_RULE") == []
    access = {"paths": ["access/**"], "require": {"reviewer": 1}}
    assert found("L_RULE_IDLE", rules(HAPROXY, access)) == [("note", "access/**")]
    assert found("L_RULE_IDLE", rules(HAPROXY, access), paths=None) == []


def test_waived_classes() -> None:
    """A class that exists is one person's to change; one that does not waives nothing, and is for anybody to define."""
    waived = rules({**HAPROXY, "waive": ["PRE-001"]})
    assert found("L_WAIVED", waived, classes={"PRE-001"}) == [("note", "haproxy/**")]
    assert found("L_CLASS_UNKNOWN", waived, classes=set()) == [("warning", "haproxy/**")]
    assert found("L_WAIVED", waived, classes=None) == [("note", "haproxy/**")]


def test_forges() -> None:
    """Accounts without a use, rules that a host without a forge can not meet, and what a forge is trusted with."""
    accounts = people(
        **{
            name: {**person(name), "forge": {"github": number}}
            for number, name in enumerate(("alice", "bob", "carol"), 1)
        }
    )
    strict = {**accounts, **rules({**HAPROXY, "evidence": "github"})}
    assert found("L_FORGE_UNUSED", {**accounts, **rules(HAPROXY)}, forge=True) == [("note", "alice, bob, carol")]
    assert found("L_FORGE_UNUSED", strict, forge=True) == []
    assert found("L_FORGE_MISSING", strict) == [("error", "haproxy/**")]
    assert found("L_FORGE_MISSING", strict, forge=True) == []
    assert found("L_FORGE_POWER", strict, forge=True) == [("note", "haproxy/**")]
    assert found("L_FORGE_POWER", {**accounts, **rules({**HAPROXY, "evidence": "both"})}, forge=True) == []


def test_what_a_forges_key_can_do() -> None:
    """With a key of its own a forge merges; a method that nobody can use is said."""
    key = {"id": "web-flow", "type": "ssh", "public": public()}
    squash = {"methods": ["fast-forward", "squash"]}
    assert found("L_FORGE_KEY", {"merge": {**squash, "forge_keys": [key]}}) == [("note", "web-flow")]
    assert found("L_METHOD_UNUSED", {"merge": squash}) == [("note", "squash")]
    assert found("L_METHOD_UNUSED") == []


def test_people_without_a_use() -> None:
    """A role without a key, and a name without a role."""
    more = people(erin={"kind": "human", "keys": []}, robot={"kind": "human", "keys": person("robot")["keys"]})
    roles = {**SPEC["roles"], "merger": {"members": ["alice", "erin"]}}
    assert found("L_NO_KEY", {**more, "roles": roles}) == [("warning", "erin")]
    assert found("L_NO_ROLE", {**more, "roles": roles}) == [("note", "robot")]


def test_working_alone() -> None:
    """One person alone is a warning; a host root file that says `solo` for a team is a note."""
    alone = {
        "principals": {"alice": person("alice")},
        "roles": {name: {"members": ["alice"]} for name in ("root", "author", "reviewer", "merger")},
        "rules": [
            {"paths": ["trust.yaml", "keys/**"], "require": {"root": 1}},
            {"paths": ["haoam.yaml", "haproxy/**"], "require": {"reviewer": 1}},
        ],
    }
    assert found("L_SOLO", alone, solo=True) == [("warning", "solo")]
    assert found("L_SOLO", solo=True) == [("note", "solo")]
