"""A commit that is only proposed: whose endpoints, whose labels."""

from __future__ import annotations

from collections.abc import Callable

from desired_commits import BACKEND, FLEET, blobs

from haoam_sync import desired
from haoam_sync.model.desired import Desired
from haoam_sync.model.fleet import Limits
from haoam_sync.model.section import SectionId, SectionKind

Load = Callable[..., Desired]
WEB = SectionId(SectionKind.BACKEND, "web")
ACCEPTED = desired.load_fleet(blobs({}))


def test_endpoints_are_those_of_the_accepted_commit(load: Load) -> None:
    """A proposal that moves an instance, or its login, is planned against the instance that was accepted."""
    proposed = FLEET.replace("10.0.0.1:5555", "10.6.6.6:5555").replace("user: admin", "user: evil")
    proposed = proposed.replace("env/EU", "env/OTHER")
    state = load({"haoam.yaml": proposed, "haproxy/w.yaml": BACKEND}, fleet=ACCEPTED)
    assert [(i.url, i.user, i.password) for i in state.fleet.instances()] == [
        (i.url, i.user, i.password) for i in ACCEPTED.instances()
    ]


def test_labels_variables_and_waves_are_those_of_the_proposal(load: Load) -> None:
    """The plan shows what the proposal would do."""
    proposed = FLEET.replace("greeting: hello", "greeting: ahoy").replace("wave: 2", "wave: 7")
    proposed = proposed.replace("{env: prod, region: us}", "{env: test, region: us}")
    text = BACKEND.replace("  name: web", "  name: web\n  clusters: {env: prod}")
    state = load(
        {"haoam.yaml": proposed, "haproxy/w.yaml": f'{text}  description: "${{cluster.vars.greeting}}"\n'},
        fleet=ACCEPTED,
    )
    assert {
        str(key): [s.body["description"] for s in one.sections.values()] for key, one in state.instances.items()
    } == {
        "eu/eu-1": ["ahoy"],
        "eu/eu-2": ["ahoy"],
        "us/us-1": [],
    }
    assert state.fleet.clusters["eu"].wave == 7


def test_limits_are_those_of_the_accepted_commit(load: Load) -> None:
    """A proposal does not raise the limits that it is held to."""
    proposed = FLEET.replace("  clusters:", "  limits: {deleted_percent: 100}\n  clusters:", 1)
    assert load({"haoam.yaml": proposed}, fleet=ACCEPTED).fleet.limits == Limits()


def test_instances_that_only_one_of_the_two_has(load: Load) -> None:
    """A new instance has no endpoint that was accepted, one that is gone is not ours any more: both are left out."""
    proposed = FLEET.replace("eu-2:", "eu-3:").replace("10.0.0.2", "10.0.0.3")
    state = load({"haoam.yaml": proposed, "haproxy/w.yaml": BACKEND}, fleet=ACCEPTED)
    assert [str(key) for key in state.instances] == ["eu/eu-1", "us/us-1"]
    assert [str(i.id) for i in state.fleet.instances()] == ["eu/eu-1", "us/us-1"]


def test_a_new_cluster_stands_there_without_instances(load: Load) -> None:
    """It can be selected, and nothing of it can be planned."""
    login = "user: admin, password: {secret: env/AP}"
    new = f"    ap:\n      instances:\n        ap-1: {{url: 'https://10.0.0.9/v3', {login}}}\n"
    text = BACKEND.replace("  name: web", "  name: web\n  clusters: [ap]")
    state = load({"haoam.yaml": FLEET + new, "haproxy/w.yaml": text}, fleet=ACCEPTED)
    assert state.fleet.clusters["ap"].instances == ()
    assert not any(WEB in one.sections for one in state.instances.values())


def test_with_its_own_fleet_nothing_changes(load: Load) -> None:
    """A proposal that leaves haoam.yaml alone is loaded as it will be once accepted."""
    files = {"haproxy/w.yaml": BACKEND}
    assert load(files, fleet=ACCEPTED) == load(files)
