"""What whole commands cost, from the start of the process to its end: `python -m tests.bench.commands`.

`plan`, `apply` and `drift` as people run them: proving the commits, loading, reading, planning, authorizing, the audit
log, writing, proof in the worker. CPU is that of the process and of those that it waited for (git, ssh-keygen); the
instance's is not in it. Cold is without what was remembered of blobs; warm is the run after `plan`, as in real life.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from haoam_sync.model.section import SectionKind
from tests.bench.history import History
from tests.bench.measure import Row, Table
from tests.bench.world import Target, backend, defaults, directory, instance

_DIFFERENCES = 2
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SECRETS = """\
  secrets:
    - {reference: env/HAOAM_LAB_PASSWORD, kinds: [Fleet], fields: ["*"], clusters: ["*"]}
"""
_FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {{name: bench}}
spec:
  management_networks: [127.0.0.0/8]
  limits: {{changed_percent: 100}}
  clusters:
    eu:
      instances:
        lb1: {{url: "{url}", user: admin, password: {{secret: env/HAOAM_LAB_PASSWORD}}}}
"""
_CHANGES = ("create all", "rewrite all", "one address", "one option")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.commands", description=__doc__)
    parser.add_argument("--sizes", default="1000,10000", help="numbers of backends, separated by commas")
    parser.add_argument("--json", type=Path, help="write the JSON here")
    parser.add_argument("--profile", type=Path, help="a directory for the profile of each command; it slows them")
    options = parser.parse_args()
    rows: list[Row] = []
    sys.stdout.write(f"{'backends':>8}  {'what':<34} {'seconds':>8} {'our CPU':>8} {'requests':>8} {'peak MB':>8}\n")
    for size in (int(word) for word in options.sizes.split(",")):
        with directory() as folder, instance(folder) as target:
            rows += _Commands(folder, size, target, options.profile).all()
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return 0


def _told(row: Row) -> None:
    figures = f"{row.seconds:>8.2f} {row.cpu:>8.2f} {row.requests:>8} {row.peak_mb:>8.0f}"
    sys.stdout.write(f"{row.backends:>8}  {row.what:<34} {figures}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class _Ended:
    code: int
    out: str
    err: str


class _Commands:
    """The commands on one host, with one instance.

    Args:
        folder: for everything.
        size: number of backends.
        target: the instance.
        profiles: where profiles go; None for none.
    """

    def __init__(self, folder: Path, size: int, target: Target, profiles: Path | None) -> None:
        self._size = size
        self._target = target
        self._folder = folder
        self._profiles = profiles
        self._table = Table(size, _told)
        self._history = History(folder / "repository.git", len(_CHANGES) - 1, self._files)
        root = folder / "root.yaml"
        root.write_text(self._history.root_file() + _SECRETS, encoding="utf-8")
        root.chmod(0o644)

    def _files(self, number: int) -> Mapping[str, bytes]:
        """Everything; then another way to balance; then one other address; then one option that needs a reload."""
        algorithm = "leastconn" if number else "roundrobin"
        files = {"haoam.yaml": _FLEET.format(url=self._target.url), "haproxy/base.yaml": defaults()}
        for place in range(self._size):
            text = backend(place, algorithm)
            if place == self._size // 2:
                text = text.replace(".1, port", ".9, port", 1) if number > 1 else text
                text = text.replace("weight: 100", "weight: 100, check: enabled", 1) if number > 2 else text
            files[f"haproxy/backends/b{place:05d}.yaml"] = text
        return {path: text.encode() for path, text in files.items()}

    def all(self) -> list[Row]:
        """Each change planned and applied; the rewrite warm and, from the same state, cold; drift of what is there."""
        self._run("drift, nothing applied yet", (0,), "drift")
        for what, commit in zip(_CHANGES, self._history.commits, strict=True):
            ended = self._run(f"plan: {what}", (_DIFFERENCES,), "plan", commit)
            digest = _DIGEST.findall(ended.out)[-1]
            if what == "rewrite all":
                before = self._folder / "before"
                shutil.copytree(self._folder / "state", before, symlinks=True)
                self._forget()
                self._run("plan, cold: rewrite all", (_DIFFERENCES,), "plan", commit)
                self._floor()
                self._run(f"apply, warm: {what}", (0,), "apply", digest, commit)
            else:
                self._run(f"apply, warm: {what}", (0,), "apply", digest, commit)
        self._run("drift, unchanged", (0,), "drift")
        self._run("drift --worker, unchanged", (0,), "drift", "--worker")
        self._back()
        return self._table.rows

    def _back(self) -> None:
        """What was there is written anew in another way by somebody else; drift brings all of it back, cold."""
        with self._target.client() as client:
            raw = client.raw()
            client.write_raw(raw.text.replace("balance leastconn", "balance first"), version=raw.version or 0)
        ended = self._run("plan: bring all back", (_DIFFERENCES,), "plan", self._history.commits[-1])
        self._forget()
        digest = _DIGEST.findall(ended.out)[-1]
        self._run("apply, cold: bring all back", (0,), "apply", digest, self._history.commits[-1])

    def _floor(self) -> None:
        with self._target.client() as client:
            with self._table.measured("floor: one full_section read", client):
                client.sections(SectionKind.BACKEND)
            raw = client.raw()
            with self._table.measured("floor: one raw write", client):
                client.write_raw(raw.text, version=raw.version or 0)

    def _forget(self) -> None:
        shutil.rmtree(self._folder / "state" / "cache", ignore_errors=True)

    def _run(self, what: str, codes: tuple[int, ...], *arguments: str) -> _Ended:
        row = Row(self._size, what)
        program = ["-c", "from haoam_sync.cli import main; main()"]
        if self._profiles is not None:
            script = self._folder / "command.py"
            script.write_text("from haoam_sync.cli import main; main()\n", encoding="utf-8")
            name = re.sub(r"[^a-z]+", "-", what)
            program = ["-m", "cProfile", "-o", str(self._profiles / f"{name}.prof"), str(script)]
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            started = time.perf_counter()
            actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
            command = [sys.executable, *program, *arguments]
            process = os.posix_spawn(sys.executable, command, self._environment(), file_actions=actions)
            _, status, used = os.wait4(process, 0)
            row.seconds = time.perf_counter() - started
            out.seek(0)
            err.seek(0)
            ended = _Ended(os.waitstatus_to_exitcode(status), out.read(), err.read())
        row.cpu, row.peak_mb = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        if ended.code not in codes and self._profiles is None:  # a profile swallows exit codes
            raise SystemExit(f"{what}: exit {ended.code}: {ended.out[-2000:]} {ended.err[-2000:]}")
        asked = re.search(r"([0-9]+) API requests", ended.err)
        row.requests = int(asked[1]) if asked else 0
        self._table.rows.append(row)
        _told(row)
        return ended

    def _environment(self) -> dict[str, str]:
        names = {"HAOAM_HAPROXY", "HAOAM_DATAPLANEAPI"}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HAOAM_") or key in names}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled once
        places = {"REPO": "repository.git", "ROOT": "root.yaml", "STATE": "state", "AUDIT": "audit"}
        return {
            **kept,
            **{f"HAOAM_{name}": str(self._folder / place) for name, place in places.items()},
            "HAOAM_LAB_PASSWORD": "adminpwd",
            "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", str(self._folder / "compiled")),
        }


if __name__ == "__main__":
    sys.exit(main())
