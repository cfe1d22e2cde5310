"""Import what a real HAProxy runs, apply it, change one server: nothing else may move."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from import_lab import CONFIGURATIONS, Adopted, adopted, configuration

from haoam_sync import haproxycfg
from haoam_sync.haproxycfg.words import split
from haoam_sync.importing import moved_defaults
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.outcome import Result
from haoam_sync.model.plan import Action, Reason

pytestmark = pytest.mark.e2e

FOREIGN = {
    **{name: {"global"} for name in CONFIGURATIONS},
    "data-stores": {"global", "frontend postgres"},
    "discovery": {"global", "backend proxy"},
    "guarded-shop": {"global", "frontend shop", "backend stable"},
    "headers": {"global", "frontend fe"},
    "kubernetes-edge": {"global", "defaults unnamed_defaults_1", "listen healthz"},
    "mail-relay": {"global", "listen ldap", "peers mates"},
    "many-defaults": {"global", "listen mixed"},
    "maps": {"global", "frontend tenants"},
    "positional": {"global", "listen smtp"},
    "stick-tables": {"global", "peers lbs"},
    "switched-off": {"global", "defaults unnamed_defaults_1", "frontend fe"},
    "whole-house": {"global", "userlist dataplane-users", "backend strange", "listen stats"},
}
"""What stays foreign, for each sample configuration."""
OLDER = {"small-things": {"backend two"}}
"""What stays foreign besides on API 3.2."""


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path is short enough for sockets in it."""
    directory = Path(tempfile.mkdtemp(prefix="imp"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(params=CONFIGURATIONS)
def world(request: pytest.FixtureRequest, short_path: Path, tmp_path: Path) -> Iterator[tuple[str, Adopted]]:
    """Each sample configuration, running."""
    with adopted(short_path / "lb", tmp_path, configuration(request.param)) as one:
        yield request.param, one


def test_import_apply_and_change_one_server(world: tuple[str, Adopted]) -> None:
    """An imported tree plans to adoption alone, applies to no other behaviour, and then one server changes one line."""
    name, one = world
    running = one.lab.proxies()
    result = one.imported()
    later = "cannot be owned by this version"
    foreign = {one["section"] for one in result["foreign_sections"] if not one["reason"].endswith(later)}
    older = OLDER.get(name, set()) if one.lab.read().api < NEWEST else set()
    assert foreign == FOREIGN[name] | older
    assert result["owned"] == len(result["sections"])
    login = {"reference": "env/API_PASSWORD", "kind": "Fleet", "field": "clusters.*.instances.*.password"}
    assert login in result["secret_uses"]  # of the haoam.yaml that was written as well
    first = one.plan()
    assert {(c.action, c.reason, c.fields) for c in first.changes} == {(Action.UPDATE, Reason.ADOPT, ())}
    assert one.apply().result is Result.APPLIED
    assert one.plan().empty
    assert one.lab.proxies() == running
    after = one.lab.file
    _same_meaning(one.before, after)

    place, old, new = _another_port(one.tree)
    assert one.apply().result is Result.APPLIED
    assert one.plan().empty
    before_lines, after_lines = _lines(after), _lines(one.lab.file)
    changed = [(b, a) for b, a in zip(before_lines, after_lines, strict=True) if b != a]
    assert [(a.replace(new, old) == b) for b, a in changed] == [True], (place, changed)


def _another_port(tree: Path) -> tuple[Path, str, str]:
    """Give the first server that there is another port, as a person would."""
    for file in sorted(tree.glob("haproxy/**/backend-*.yaml")):
        text = file.read_text(encoding="utf-8")
        found = re.search(r"address: 127\.0\.0\.1,?\s+port: (\d+)", text)
        if found is not None:
            file.write_text(text.replace(found[0], found[0].replace(found[1], "9999"), 1), encoding="utf-8")
            return file, f"127.0.0.1:{found[1]}", "127.0.0.1:9999"
    raise AssertionError("no server")


def _lines(text: str) -> list[str]:
    """The lines without the server's own at the top and without marks."""
    return [
        re.sub(r' # \{.*"haoam":\{.*', "", line).rstrip() for line in text.splitlines() if not line.startswith("# _")
    ]


def _same_meaning(before: str, after: str) -> None:
    """Every proxy keeps its defaults, every section what it says; of foreign ones the server moves words at most."""
    assert moved_defaults(before, after, NEWEST) == ()
    normal = haproxycfg.ConfigFile.parse(haproxycfg.normal_form(haproxycfg.with_explicit_defaults(before), NEWEST))
    final = haproxycfg.ConfigFile.parse(after)
    assert [(s.keyword, s.name) for s in normal] == [(s.keyword, s.name) for s in final]
    for was, now in zip(normal, final, strict=True):
        if '"haoam":{' not in now.text:
            assert Counter(now.text.split()) == Counter(was.text.split())
            assert [c.lstrip("# ") for c in now.comments] == [c.lstrip("# ") for c in was.comments]
        else:
            left, right = (haproxycfg.parse(_bare(s.text), NEWEST) for s in (was, now))
            canonical = haproxycfg.canonical(left.kind, left.body, NEWEST)
            assert canonical == haproxycfg.canonical(right.kind, right.body, NEWEST)


def _bare(text: str) -> str:
    """A section without comments."""
    return "\n  ".join(" ".join(split(line)[0]) for line in text.split("\n"))
