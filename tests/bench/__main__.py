"""`make bench`: a table and JSON of what load, validate, read, plan, apply and drift cost by size.

On the lab's own server, or on a real one when HAOAM_DATAPLANEAPI names it. Our CPU time and the number of requests are
columns of their own: the lab is slower than a real server, which would flatter us. The floor is what any tool must wait
for: one read of all backends with `full_section`, and one raw write.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from haoam_sync import apply as applies
from haoam_sync import desired, live
from haoam_sync import plan as plans
from haoam_sync.cli import collecting
from haoam_sync.lab.haproxy import find_haproxy
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Owner
from haoam_sync.model.outcome import InstanceOutcome, Result
from haoam_sync.model.plan import InstancePlan, Plan
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.pipeline import judging
from haoam_sync.remembered import Remembered
from haoam_sync.repository import Repository
from tests.bench.measure import Row, Table
from tests.bench.world import LB1, REF, Target, directory, instance, repository

_NAIVE_S = 20.0
"""So long the naive way may take; then it is stopped, and what it would take is worked out from where it was."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sizes", default="100,1000,10000", help="numbers of backends, separated by commas")
    parser.add_argument("--json", type=Path, help="write the JSON here instead of after the table")
    parser.add_argument("--no-naive", action="store_true", help="leave the naive way out")
    options = parser.parse_args()
    rows: list[Row] = []
    _say(_machine())
    _say(f"{'backends':>8}  {'what':<34} {'seconds':>8} {'our CPU':>8} {'requests':>8} {'peak MB':>8}")
    for size in (int(word) for word in options.sizes.split(",")):
        with collecting.seldom(), directory() as folder:
            rows += _sized(folder, size, naive=not options.no_naive)
    document = json.dumps({"machine": _machine(), "rows": [asdict(row) for row in rows]}, indent=1)
    if options.json:
        options.json.write_text(document + "\n", encoding="utf-8")
    else:
        _say(document)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _machine() -> str:
    server = "a real dataplaneapi" if os.environ.get("HAOAM_DATAPLANEAPI") else "the lab's own server"
    cores = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{platform.system()} {platform.machine()}, {cores}, {server}"


def _told(row: Row) -> None:
    figures = f"{row.seconds:>8.2f} {row.cpu:>8.2f} {row.requests:>8} {row.peak_mb:>8.0f}"
    _say(f"{row.backends:>8}  {row.what:<34} {figures}  {row.note}".rstrip())


def _sized(folder: Path, size: int, *, naive: bool) -> list[Row]:
    table = Table(size, _told)
    store = Repository.open(folder / "store", str(repository(folder, size)), REF)
    try:
        for what in ("load (cold)", "load (warm)"):
            memory = Remembered(folder / "cache", lambda: b"k" * 32)
            with table.measured(what):
                wanted = desired.load(store.tip, store.blobs(store.tip), lambda _: "adminpwd", memory=memory, keep=True)
                memory.save()
    finally:
        store.close()
    with table.measured("validate (haproxy -c)") as row:
        refused, _ = judging.refusals(wanted, find_haproxy())
        row.note = "; ".join(refused.values())
    with instance(folder) as target:
        bench = _Bench(table, target, folder, wanted.instances[LB1])
        bench.first_apply()
        bench.floor()
        bench.unchanged()
        bench.rewrite()
        bench.one_server()
        if naive:
            bench.naive()
    return table.rows


class _Bench:
    def __init__(self, table: Table, target: Target, folder: Path, wanted: DesiredInstance) -> None:
        self.table = table
        self.target = target
        self.wanted = wanted
        self.applied: DesiredInstance | None = None
        self.journal = applies.FileJournal(folder / "journal")

    def first_apply(self) -> None:
        """Everything is new."""
        self._apply("apply: create all", self.wanted)

    def floor(self) -> None:
        """What the server itself needs."""
        with self.target.client() as client:
            with self.table.measured("floor: one full_section read", client):
                client.sections(SectionKind.BACKEND)
            raw = client.raw()
            with self.table.measured("floor: one raw write", client):
                client.write_raw(raw.text, version=raw.version or 0)

    def unchanged(self) -> None:
        """Read, plan and drift of a configuration that is as it should be."""
        with self.target.client() as client:
            with self.table.measured("read", client):
                snapshot = live.read(client, LB1)
            with self.table.measured("plan (nothing to do)"):
                plan = self._replan(snapshot)
            if plan.changes:
                raise SystemExit(f"the plan after an apply is not empty: {plan.changes[0]}")
            with self.table.measured("drift (unchanged)", client):
                same = live.unchanged(client, snapshot.version, snapshot.checksum)
            if not same:
                raise SystemExit("the configuration is not the one just read")

    def rewrite(self) -> None:
        """Every backend changes, in a way that needs a reload."""
        self._apply("apply: rewrite all", _changed(self.wanted, {"balance": {"algorithm": "leastconn"}}))

    def one_server(self) -> None:
        """One weight, without a reload; one new server, with one."""
        first = SectionId(SectionKind.BACKEND, "b00000")
        self._apply("apply: one address", _server(self.wanted, first, "s0", {"address": "10.99.0.1"}))
        self._apply("apply: one option", _server(self.wanted, first, "s0", {"check": "enabled"}))

    def naive(self) -> None:
        """One write an object, in one transaction that is never committed."""
        with self.target.client() as client, self.table.measured("naive: one write an object", client) as row:
            version = client.version()
            with client.transaction(version) as transaction:
                started = time.perf_counter()
                done = 0
                sections = sorted(self.wanted.sections.items())
                for identity, section in sections:
                    transaction.replace(identity, section.body)
                    done += 1
                    if time.perf_counter() - started > _NAIVE_S:
                        break
                took = time.perf_counter() - started
            if done < len(sections):
                row.note = f"stopped after {done} of {len(sections)}: about {took / done * len(sections):.0f} s in all"

    def _apply(self, what: str, wanted: DesiredInstance) -> None:
        """Plan and apply; the plan's snapshot is read outside the clock, as `plan` is a command of its own."""
        self.wanted = wanted
        with self.target.client() as client:
            snapshot = live.read(client, LB1)
        with self.table.measured(f"plan: {what.partition(': ')[2]}"):
            plan = self._replan(snapshot)
        with self.table.measured(what) as row:
            outcome = self._run(AuthorizedPlan(Plan("c" * 40, {}, "", (plan,)), _trusted()), snapshot, plan)
            row.requests = outcome.requests
            row.note = outcome.reload
        if outcome.result is not Result.APPLIED:
            raise SystemExit(f"{what}: {outcome.result}: {outcome.error}")
        self.applied = wanted

    def _run(self, authorized: AuthorizedPlan, snapshot: Live, plan: InstancePlan) -> InstanceOutcome:
        outcome = applies.run(
            authorized,
            lambda _: self.target.client(),
            plans.Again(self._replan, [(snapshot, plan)]),
            read=live.Reader({LB1: snapshot}),
            fleet=self.target.fleet,
            journal=self.journal,
        )
        return outcome.instances[0]

    def _replan(self, snapshot: Live) -> InstancePlan:
        return plans.compute_instance(self.wanted, snapshot, self.applied, Owner("a" * 40, "c" * 40))


def _changed(wanted: DesiredInstance, fields: Mapping[str, object]) -> DesiredInstance:
    sections = {
        identity: replace(section, body={**section.body, **fields}, digest=f"{section.digest}1")
        if identity.kind is SectionKind.BACKEND
        else section
        for identity, section in wanted.sections.items()
    }
    return replace(wanted, sections=sections)


def _server(wanted: DesiredInstance, section: SectionId, name: str, fields: Mapping[str, object]) -> DesiredInstance:
    old = wanted.sections[section]
    servers = old.body["servers"]
    if not isinstance(servers, Mapping) or not isinstance(servers[name], Mapping):
        raise TypeError("a backend of ours has servers")
    body = {**old.body, "servers": {**servers, name: {**servers[name], **fields}}}
    return replace(wanted, sections={**wanted.sections, section: replace(old, body=body, digest=f"{old.digest}2")})


def _trusted() -> TrustedCommit:
    """A commit as the trust stage would have made it: none is verified here."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return TrustedCommit(
        "c" * 40, "b" * 40, "d" * 40, "e" * 64, REF, "a" * 40, 1, "sha256:00", "ann", "ann", (), (), "", now
    )


if __name__ == "__main__":
    sys.exit(main())
