"""Planning again, under the lock, what was planned before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from haoam_sync.model.live import Live
from haoam_sync.model.plan import InstancePlan


class Again:
    """A planner that remembers: a plan is a pure function of the snapshot, so an equal one has the same plan.

    Equal is everything that a snapshot holds (version, checksum, text, sections, files) but the number of requests that
    it took. Whatever differs in anything is planned anew.

    Args:
        compute: the plan stage for one snapshot, desired state and commit applied last given.
        planned: snapshots, and the plans that `compute` made of them.
    """

    def __init__(
        self, compute: Callable[[Live], InstancePlan], planned: Iterable[tuple[Live, InstancePlan]] = ()
    ) -> None:
        self._compute = compute
        self._planned = {snapshot.id: (replace(snapshot, requests=0), plan) for snapshot, plan in planned}

    def __call__(self, snapshot: Live) -> InstancePlan:
        """The plan of a snapshot.

        Raises:
            HaoamError: as `compute` does.
        """
        plain = replace(snapshot, requests=0)
        known = self._planned.get(snapshot.id)
        if known is None or known[0] != plain:
            known = self._planned[snapshot.id] = plain, self._compute(snapshot)
        return known[1]
