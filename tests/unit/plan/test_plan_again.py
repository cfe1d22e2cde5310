"""Planning again: an equal snapshot has the same plan, any other is planned anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haoam_sync import plan as plans
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.plan import Guard, InstancePlan
from haoam_sync.model.section import SectionId, SectionKind

WEB = SectionId(SectionKind.BACKEND, "web")
SNAPSHOT = Live(
    id=InstanceId("eu", "lb1"),
    api=ApiVersion(3, 2),
    version=3,
    checksum="sha256:00",
    text="backend web\n",
    sections={WEB: LiveSection(WEB, {"name": "web"})},
    foreign_texts=(),
    certificates=(),
    certificate_dir=None,
    phantom=False,
    file_version=3,
    requests=8,
)


class Counted:
    """A planner that counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, snapshot: Live) -> InstancePlan:
        """An empty plan."""
        self.calls += 1
        return plans.nothing(snapshot.id, Guard(snapshot.version, snapshot.checksum))


def test_an_equal_snapshot_is_not_planned_twice() -> None:
    """The same configuration read again, in fewer requests, has the plan that it had."""
    compute, snapshot = Counted(), SNAPSHOT
    plan = plans.nothing(snapshot.id, Guard(snapshot.version, snapshot.checksum))
    again = plans.Again(compute, [(snapshot, plan)])
    assert again(replace(snapshot, requests=99)) is plan
    assert compute.calls == 0


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"checksum": "sha256:other"},
        {"text": "global\n  daemon\n"},
        {"sections": {}},
        {"certificates": ("a.pem",)},
        {"phantom": True},
    ],
)
def test_any_other_snapshot_is_planned_anew(change: dict[str, object]) -> None:
    """Whatever differs, the plan is computed of what is there now."""
    compute, snapshot = Counted(), SNAPSHOT
    again = plans.Again(compute, [(snapshot, plans.nothing(snapshot.id, Guard(0, "")))])
    assert again(replace(snapshot, **change)).guard.version == replace(snapshot, **change).version  # type: ignore[arg-type]
    assert compute.calls == 1
