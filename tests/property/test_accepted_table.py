"""The table of what HAProxy accepts: it holds every field of the server's models, and every refusal has a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from accepted_documents import load
from accepted_examples import table
from accepted_values import FINAL, NO_VALUE
from codec_bodies import actions
from model_items import RULES, held, items, properties, rules

from haoam_sync.haproxycfg import lost, refused
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

VERSIONS = ("3.2", "3.4")
_each = pytest.mark.parametrize(
    ("version", "kind"), [(version, kind) for version in VERSIONS for kind in SectionKind], ids=str
)


def _names(entry: Mapping[str, Any], of: str) -> set[str]:
    return {name for names in entry[of].values() for name in names}


@_each
def test_nothing_is_missing(version: str, kind: SectionKind) -> None:
    """Each field and value of the models is in a body that HAProxy takes, or refused with a reason, or void."""
    entry = table(version)[kind]
    accepted = {name for body in entry["bodies"] for name in held(kind, body, version)} - set(entry["nothing"])
    refused_ones = _names(entry, "refused") | _names(entry, "ours")
    within = {name for name in items(kind, version) if f"{name.rpartition('].')[0]}]" in refused_ones}
    known = accepted | refused_ones | set(entry["nothing"]) | within
    assert items(kind, version).keys() - known == set()
    assert known - items(kind, version).keys() == set()
    assert accepted & refused_ones == set()


@_each
def test_refusals_say_why(version: str, kind: SectionKind) -> None:
    """What HAProxy says against a field is about the field, not about a value that was badly chosen."""
    entry = table(version)[kind]
    unclear = {why: names for why, names in entry["refused"].items() if not FINAL.search(why) and why not in NO_VALUE}
    assert unclear == {}


@_each
def test_bodies_are_what_a_commit_may_hold(version: str, kind: SectionKind) -> None:
    """Each body of the table passes the stage that reads commits; so what we refuse is in none of them."""
    api = ApiVersion.parse(version)
    for body in table(version)[kind]["bodies"]:
        load({(kind, "" if kind is SectionKind.GLOBAL else "n"): body}, api)


@pytest.mark.parametrize("version", VERSIONS)
def test_fields_of_other_actions_are_refused(version: str) -> None:
    """A field of a rule that its action has not is none that HAProxy could accept: we name it as lost, or refuse it."""
    api = ApiVersion.parse(version)
    for name, model in RULES.items():
        known = actions(version)[model]
        for rule in rules(name, version):
            action = known.by_name.get(rule.get(known.key, ""))
            if action is None:
                continue
            for field in (
                properties(model, version) - action.fields - {"cond", "cond_test", "type", "action", "metadata"}
            ):
                body = {"name": "n", name: [{**rule, field: 1}]}
                kind = SectionKind.BACKEND if "check" in name else SectionKind.FRONTEND
                assert refused(kind, body, api) or lost(kind, body, api), (rule, field)
