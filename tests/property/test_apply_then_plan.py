"""The law that decides whether this tool is usable: apply, then plan again: empty. On a real HAProxy."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from any_sections import FOREIGN_DEFAULTS, Documents, documents
from apply_lab import AT, LB1, LabInstance, free_port, lab
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from haoam_sync import apply, desired, live
from haoam_sync import plan as plans
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.fleet import Cluster, Fleet, Instance
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Owner
from haoam_sync.model.outcome import Result
from haoam_sync.model.plan import InstancePlan, Plan
from haoam_sync.model.secret import SecretReference, SecretUse

pytestmark = pytest.mark.e2e

PORTS = [free_port() for _ in range(2)]
FLEET = b"""\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: f}
spec:
  clusters:
    eu:
      instances:
        lb1: {url: "http://127.0.0.1:1/v3", user: admin, password: {secret: env/X}}
"""


class Reconciler:
    """Everything behind trust: from documents to what HAProxy runs.

    Attributes:
        lab: the instance.
    """

    def __init__(self, instance: LabInstance, state: Path) -> None:
        self.lab = instance
        self._journal = apply.FileJournal(state / "journal")
        self._applied: DesiredInstance | None = None

    def load(self, wanted: Documents) -> DesiredInstance:
        """The stage that reads a commit."""
        external = [f"defaults/{FOREIGN_DEFAULTS}"]
        texts = [
            json.dumps(
                {
                    "apiVersion": "haoam/v1",
                    "kind": kind,
                    "metadata": {"name": name, "external": external},
                    "spec": spec,
                }
            )
            for (kind, name), spec in wanted.items()
        ]
        files = {"haoam.yaml": FLEET}
        if texts:
            files["haproxy/all.yaml"] = "\n---\n".join(texts).encode()
        return desired.load("c" * 40, files, _reveal).instances[LB1]

    def plan(self, wanted: DesiredInstance) -> InstancePlan:
        """What an apply would do."""
        return plans.compute_instance(wanted, self.lab.read(), self._applied, _OWNER)

    def apply(self, wanted: DesiredInstance) -> None:
        """Do it; what HAProxy does not take is an error of the test."""

        def replan(found: Live) -> InstancePlan:
            return plans.compute_instance(wanted, found, self._applied, _OWNER)

        instance = Instance(LB1, self.lab.url, "admin", SecretReference("env", "X"), None, {}, AT)
        outcome = apply.run(
            AuthorizedPlan(Plan("c" * 40, {}, "", (self.plan(wanted),)), _TRUSTED),
            lambda _: self.lab.client(),
            replan,
            read=live.read,
            fleet=Fleet("f", {"eu": Cluster("eu", {}, {}, 1, (instance,), AT)}),
            journal=self._journal,
        ).instances[0]
        assert outcome.result in {Result.APPLIED, Result.UNCHANGED}, outcome.error
        self._applied = wanted


_OWNER = Owner("a" * 40, "c" * 40)


def _reveal(_use: SecretUse) -> str:
    return "any-password"


_TRUSTED = TrustedCommit(
    "c" * 40, "b" * 40, "d" * 40, "e" * 64, "refs/heads/main", "a" * 40, 1, "sha256:00", "ann", "ann", (), (), "",
    datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture(scope="module", params=["3.2", "3.4"])
def reconciler(request: pytest.FixtureRequest) -> Iterator[Reconciler]:
    """One instance for all examples: each begins where the one before ended."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path / "lb1", "", api=request.param) as instance:
        yield Reconciler(instance, path)
    shutil.rmtree(path, ignore_errors=True)


@settings(
    max_examples=20,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller example would cost hundreds of applies
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_apply_then_plan_is_empty(reconciler: Reconciler, data: st.DataObject) -> None:
    """Whatever was declared: after the apply nothing is left to do, and the worker has every proxy."""
    wanted = reconciler.load(data.draw(documents(PORTS)))
    reconciler.apply(wanted)
    again = reconciler.plan(wanted)
    assert again.empty, again.changes
    running = {name for name in reconciler.lab.proxies() if not name.startswith("server/")}
    declared = {str(section) for section in wanted.sections if section.kind.value in {"frontend", "backend"}}
    assert declared == running
