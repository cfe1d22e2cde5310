"""`${cluster...}` and `${instance...}`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desired_commits import BACKEND
from hypothesis import given
from hypothesis import strategies as st

from haoam_sync.desired import variables
from haoam_sync.desired.variables import Reference
from haoam_sync.model.desired import Desired
from haoam_sync.model.json import JsonObject

Load = Callable[..., Desired]
SpecRefusals = Callable[..., list[str]]


def bodies(load: Load, spec: str) -> dict[str, JsonObject]:
    """The body of the backend for each instance."""
    state = load({"haproxy/f.yaml": f"{BACKEND}  {spec}\n"})
    return {str(key): section.body for key, one in state.instances.items() for section in one.sections.values()}


def test_a_whole_scalar_takes_the_type(load: Load) -> None:
    """A scalar that is one reference becomes a number or a boolean where the variable is one."""
    found = bodies(
        load, 'servers: {s: {address: a, port: "${cluster.vars.backend_port}"}}\n  disabled: "${cluster.vars.debug}"'
    )
    assert found["eu/eu-1"]["servers"] == {"s": {"name": "s", "address": "a", "port": 9000}}
    assert found["us/us-1"]["servers"] == {"s": {"name": "s", "address": "a", "port": 9100}}
    assert found["eu/eu-2"]["disabled"] is False
    assert found["us/us-1"]["disabled"] is True


def test_references_inside_text(load: Load) -> None:
    """Beside other text everything becomes text."""
    first, second = "${instance.name} of ${cluster.name} (${cluster.labels.region})", "${instance.vars.port}"
    spec = f'description: "{first}, {second}, ${{cluster.vars.debug}}"'
    found = bodies(load, spec)
    assert found["eu/eu-1"]["description"] == "eu-1 of eu (eu), 8001, false"
    assert found["us/us-1"]["description"] == "us-1 of us (us), 8003, true"


def test_instances_of_a_cluster_share_what_only_the_cluster_changes(load: Load) -> None:
    """A section is made once for each value its variables take."""
    state = load({"haproxy/f.yaml": f'{BACKEND}  description: "${{cluster.name}}"\n'})
    sections = [next(iter(one.sections.values())) for one in state.instances.values()]
    assert sections[0] is sections[1]
    assert sections[0] is not sections[2]


@pytest.mark.parametrize(
    "text",
    [
        '\\"${HOME}\\"',
        "${clusters.name}",
        "$cluster.name",
        "${cluster}",
        "${instances.vars.x}",
        "%[env(HOME)]",
        "${CLUSTER.name}",
    ],
)
def test_what_is_not_ours_stays(load: Load, text: str) -> None:
    """Only `${cluster.` and `${instance.` are ours; HAProxy's own syntax is left to HAProxy."""
    found = bodies(load, f'description: "{text}"')
    assert found["eu/eu-1"]["description"] == text.replace("\\", "")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (
            "${cluster.vars.backend_prot}",
            "${cluster.vars.backend_prot}: cluster eu has no variable `backend_prot` (did you mean `backend_port`?) 6",
        ),
        (
            "${cluster.labels.zone}",
            "${cluster.labels.zone}: cluster eu has no label `zone` (give it one in haoam.yaml) 6:16",
        ),
        (
            "x ${instance.vars.prot}",
            "${instance.vars.prot}: instance eu/eu-1 has no variable `prot` (did you mean `port`?) 6:16",
        ),
        ("${cluster.nme}", "`${cluster.nme}` is no variable; known are ${cluster.name}, ${cluster.labels.X}, "),
        ("${cluster.vars}", "`${cluster.vars}` is no variable; known are"),
        ("${cluster.vars.}", "`${cluster.vars.}` is no variable; known are"),
        ("${cluster.vars.a b}", "`${cluster.vars.a b}` is no variable; known are"),
        ("${instance.labels.x}", "`${instance.labels.x}` is no variable; known are"),
        ("${cluster.name", "`${cluster.name` is no variable; known are"),
        ("${cluster.vars.${cluster.name}}", "`${cluster.vars.${cluster.name}` is no variable; known are"),
    ],
)
def test_variables_that_are_refused(spec_refusals: SpecRefusals, text: str, refusal: str) -> None:
    """A variable that is not there, or is not written as one, is named where it stands."""
    found = spec_refusals(f'description: "{text}"')
    assert any(line.startswith(refusal) for line in found), found


def test_an_unknown_variable_is_said_for_each_that_lacks_it(spec_refusals: SpecRefusals) -> None:
    """Two clusters without it are two things to do."""
    found = spec_refusals('description: "${cluster.vars.nothing}"')
    assert [line.split(" has no")[0] for line in found] == [
        "${cluster.vars.nothing}: cluster eu",
        "${cluster.vars.nothing}: cluster us",
    ]


def test_a_value_is_judged_once_it_is_filled_in(spec_refusals: SpecRefusals) -> None:
    """A variable that gives a field the wrong type or a bad value is refused at the field, once for all clusters."""
    assert spec_refusals('retries: "${cluster.vars.greeting}"') == [
        (
            "spec.retries: expected a whole number, found `hello` "
            "(this is the value of ${cluster.vars.greeting}; give it as a whole number in haoam.yaml) 6:12"
        )
    ]
    assert spec_refusals('description: "${cluster.vars.backend_port}"') == [
        (
            "spec.description: expected text, found the number 9000 "
            "(this is the value of ${cluster.vars.backend_port}; give it as text in haoam.yaml) 6:16"
        )
    ]
    assert spec_refusals('mode: "${cluster.labels.env}"') == ["spec.mode: `prod` is none of http, tcp, log 6:9"]


def test_a_mistake_that_several_instances_share_is_said_once(spec_refusals: SpecRefusals) -> None:
    """A document that differs for each instance, and is wrong for all of them, has one problem, and no section."""
    spec = 'description: "${instance.name}"\nbalance: roundrobin\nacl_list: [x]'
    assert spec_refusals(spec) == [
        "spec.balance: expected an object, found `roundrobin` 7:12",
        "spec.acl_list.0: expected an object, found `x` 8:14",
    ]


def test_not_in_names(spec_refusals: SpecRefusals) -> None:
    """A key is a name, and is what it says."""
    (found, *_) = spec_refusals('servers: {"${cluster.name}": {address: a}}')
    assert found.startswith("`${cluster.name}`: variables stand in values, not in names 6:13")


@given(st.text(st.sampled_from("${}.clusternameiv abx_-"), max_size=40))
def test_every_text_is_a_reference_a_mistake_or_left_alone(text: str) -> None:
    """No text raises; what does not hold our prefixes holds no reference."""
    found = list(variables.references(text, ()))
    assert all(isinstance(one, Reference | str) for one in found)
    if "${cluster." not in text and "${instance." not in text:
        assert found == []
    else:
        assert found != []
