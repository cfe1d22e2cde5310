"""What one run made of a file is used for the next commit that has it, and never instead of what that commit says."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from desired_commits import FLEET, Files, blobs

from haoam_sync import desired, haproxycfg
from haoam_sync.desired.links import Links
from haoam_sync.errors import InvalidDesiredError, Problem
from haoam_sync.haproxycfg import section
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.desired import Desired
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionKind
from haoam_sync.remembered import Remembered


def document(kind: str, name: str, spec: str, metadata: str = "") -> str:
    """One document."""
    return f"---\napiVersion: haoam/v1\nkind: {kind}\nmetadata: {{name: {name}{metadata}}}\nspec: {spec}\n"


WEB = document("Backend", "web", "{mode: http, from: base, servers: {s1: {address: 10.0.0.1, port: 80}}}")
BASE = document("Defaults", "base", "{mode: http}")
PROD = document("Backend", "prod", "{mode: http}", ", clusters: {region: eu}")
NAMED = document("Backend", "named", "{mode: http}", ", clusters: [us]")
OUTSIDE = document("Frontend", "out", "{mode: http, default_backend: old}", ", external: [backend/old]")
ROUTED = document(
    "Frontend",
    "fe",
    "{mode: http, default_backend: web, backend_switching_rule_list: [{name: '%[path,map(m)]'}]}",
)
MAP = document("Map", "m", "{entries: {a: b}}")
VARIABLE = document(
    "Backend", "v", '{mode: http, servers: {s: {address: 10.0.0.1, port: "${cluster.vars.backend_port}"}}}'
)
USERS = document(
    "Userlist",
    "u",
    "{groups: {g: {users: ann}}, users: {ann: {password: {secret: env/A}, secure_password: false}}}",
)
AUTH = document("Backend", "a", "{mode: http, acl_list: [{acl_name: x, criterion: http_auth_group(u), value: g}]}")
TABLES = document(
    "Backend",
    "t",
    "{mode: http, server_switching_rule_list: [{target_server: s1, cond: if, cond_test: x}], "
    "servers: {s1: {address: 10.0.0.1, port: 80}}}",
)
ALL = {
    "haproxy/a.yaml": WEB,
    "haproxy/b.yaml": BASE + PROD,
    "haproxy/c.yaml": NAMED + OUTSIDE,
    "haproxy/d.yaml": ROUTED,
    "haproxy/e.yaml": MAP + VARIABLE,
    "haproxy/f.yaml": USERS + AUTH,
    "haproxy/g.yaml": TABLES,
}
COMMITS: dict[str, Files] = {
    "all": ALL,
    "another place": {path.replace("/", "/sub/"): text for path, text in ALL.items()},
    "no labels": {**ALL, "haoam.yaml": FLEET.replace("region: eu", "region: asia")},
    "no cluster": {**ALL, "haoam.yaml": FLEET.replace("    us:", "    america:")},
    "other variables": {**ALL, "haoam.yaml": FLEET.replace("backend_port: 9100", "backend_port: 1")},
    "no defaults": {**ALL, "haproxy/b.yaml": PROD},
    "twice": {**ALL, "haproxy/z.yaml": WEB},
    "another map": {**ALL, "haproxy/e.yaml": MAP.replace("a: b", "a: c") + VARIABLE},
    "no map": {**ALL, "haproxy/e.yaml": VARIABLE},
    "no group": {**ALL, "haproxy/f.yaml": USERS.replace("groups: {g: {users: ann}}, ", "") + AUTH},
    "in access": {**ALL, "access/a.yaml": NAMED},
    "only in access": {**{p: t for p, t in ALL.items() if p != "haproxy/c.yaml"}, "access/c.yaml": NAMED + OUTSIDE},
    "no backend": {path: text for path, text in ALL.items() if path != "haproxy/a.yaml"},
    "no fleet": {**ALL, "haoam.yaml": "nothing: here\n"},
}


def verdict(files: Files, **options: object) -> Desired | tuple[Problem, ...]:
    """What a commit says, or all that is wrong with it."""
    try:
        return desired.load("c" * 40, blobs(files), None, **options)  # type: ignore[arg-type]
    except InvalidDesiredError as error:
        return error.problems


def test_the_commits_are_told_apart() -> None:
    """Most of these commits are good or wrong in a way of their own, so that a mix-up would show."""
    verdicts = [verdict(files) for files in COMMITS.values()]
    good = [one for one in verdicts if isinstance(one, Desired)]
    assert len(good) == 4
    assert sum(a == b for a, b in itertools.combinations(verdicts, 2)) == 0


@pytest.mark.parametrize("first", COMMITS)
def test_a_commit_is_what_its_files_say_whatever_was_read_before(tmp_path: Path, first: str) -> None:
    """After any other commit, in the same run and from what was remembered of it, each loads to the same."""
    for second, files in COMMITS.items():
        directory = tmp_path / second.replace(" ", "-")
        memory = Remembered(directory, lambda: b"k" * 32)
        made = desired.Made()
        verdict(COMMITS[first], memory=memory, keep=True, made=made)
        memory.save()
        expected = verdict(files)
        assert verdict(files, made=made) == expected, second
        assert verdict(files, memory=memory, keep=True, made=made) == expected, second
        assert verdict(files, memory=Remembered(directory, lambda: b"k" * 32)) == expected, second


def test_each_document_with_a_wrong_selector_is_told() -> None:
    """A selector is worked out once for all documents that write it, and what is wrong with it told for each."""
    wrong = NAMED.replace("[us]", "[nowhere]")
    told = verdict({"haproxy/a.yaml": wrong, "haproxy/b.yaml": wrong.replace("name: named", "name: other")})
    assert [(one.file, one.message) for one in told] == [  # type: ignore[union-attr]
        (f"haproxy/{name}.yaml", "the fleet has no cluster `nowhere`") for name in "ab"
    ]


def test_what_several_commits_hold_is_made_once() -> None:
    """The sections of an unchanged file are the same objects, so that nobody compares them field by field."""
    made = desired.Made()
    before, after = verdict(ALL, made=made), verdict(COMMITS["another map"], made=made)
    assert isinstance(before, Desired)
    assert isinstance(after, Desired)
    pairs = [
        (one, after.instances[instance].sections[identity])
        for instance, held in before.instances.items()
        for identity, one in held.sections.items()
    ]
    same = {str(one.id) for one, other in pairs if one is other}
    assert same == {"backend/web", "defaults/base", "backend/prod", "backend/named", "frontend/out", "backend/t"}
    changed = {str(one.id) for one, other in pairs if one != other}
    assert changed == {"frontend/fe"}, "it names the map"


def test_what_a_commit_that_is_wrong_holds_is_not_kept() -> None:
    """A commit with a problem anywhere leaves nothing behind in the run."""
    made = desired.Made()
    assert not isinstance(verdict(COMMITS["twice"], made=made), Desired)
    assert made.get(NEWEST, "haproxy/a.yaml", WEB.encode()) is None
    verdict(ALL, made=made)
    assert made.get(NEWEST, "haproxy/a.yaml", WEB.encode()) is not None


@pytest.mark.parametrize(
    "spec",
    [
        {"from": "base", "default_backend": "b", "binds": {"x": {"name": "x", "ssl_certificate": "c"}}},
        {"http_request_rule_list": [{"type": "set-var", "var_expr": "path,map(m)", "cond_test": "{ src -f lan }"}]},
        {"stick_rule_list": [{"table": "p/t"}], "acl_list": [{"criterion": "http_auth_group(u)", "value": "g"}]},
        {"crt_loads": {"one": {"certificate": "one"}}},
        {},
    ],
)
def test_links_outlive_the_run(spec: dict[str, object]) -> None:
    """What a body refers to is read back from JSON as it was."""
    links = Links.of(SectionKind.FRONTEND, spec)  # type: ignore[arg-type]
    assert Links.from_json(links.to_json()) == links
    assert bool(links.targets or links.inside) == bool(spec)


def test_what_is_said_to_be_canonical_is(tmp_path: Path) -> None:
    """A section is known to be in canonical form when it is, also from memory; one that is not, is worked out."""
    rule = '{type: deny, deny_status: 403, cond: if, cond_test: "  x "}'
    odd = document("Backend", "odd", f"{{mode: http, http_request_rule_list: [{rule}]}}")
    files = {**ALL, "haproxy/odd.yaml": odd}
    memory = Remembered(tmp_path, lambda: b"k" * 32)
    for _ in range(2):
        wanted = verdict(files, memory=memory, keep=True)
        assert isinstance(wanted, Desired)
        (first, *_) = wanted.instances.values()
        said = {str(one.id) for one in first.sections.values() if one.forms}
        really = {
            str(one.id)
            for one in first.sections.values()
            if haproxycfg.canonical(one.id.kind, one.body, NEWEST) == one.body
        }
        assert "backend/web" in said
        assert "backend/odd" not in really
        assert said <= really
        for one in first.sections.values():
            for api in (NEWEST, ApiVersion(3, 2)):
                expected = haproxycfg.canonical(one.id.kind, one.body, api)
                assert haproxycfg.canonical_of(one, api) == haproxycfg.canonical_of(one, api) == expected
    older = desired.load("c" * 40, blobs(files), None, ApiVersion(3, 2))
    assert not any(one.forms for held in older.instances.values() for one in held.sections.values())


def test_the_canonical_form_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one section it is asked for once, and never that of another or of another version."""
    wanted = verdict({"haproxy/b.yaml": document("Backend", "b", "{mode: http, balance: {algorithm: roundrobin}}")})
    assert isinstance(wanted, Desired)
    asked: list[ApiVersion] = []
    really = section.canonical

    def counted(kind: SectionKind, body: JsonObject, api: ApiVersion) -> JsonObject:
        asked.append(api)
        return really(kind, body, api)

    monkeypatch.setattr(section, "canonical", counted)
    (first, *_) = wanted.instances.values()
    (one,) = first.sections.values()
    one.forms.clear()
    for api in (NEWEST, ApiVersion(3, 2), NEWEST):
        haproxycfg.canonical_of(one, api)
    assert asked == [NEWEST, ApiVersion(3, 2)]
