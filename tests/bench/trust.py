"""What it costs to prove a history: `python -m tests.bench.trust`, a part of `make bench`."""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

from haoam_sync import trust
from haoam_sync.pipeline.opening import opened
from haoam_sync.settings import Settings
from tests.bench.history import History
from tests.bench.measure import Row, Table
from tests.bench.world import directory


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.trust", description=__doc__)
    parser.add_argument("--sizes", default="100,1000", help="numbers of commits, separated by commas")
    options = parser.parse_args()
    sys.stdout.write(f"{'commits':>8}  {'what':<34} {'seconds':>8} {'our CPU':>8} {'peak MB':>8}\n")
    peaks: dict[int, float] = {}
    for size in (int(word) for word in options.sizes.split(",")):
        with directory() as folder:
            peaks[size] = measured(folder, size)[0].peak_mb
    for (fewer, low), (more, high) in pairwise(sorted(peaks.items())):
        sys.stdout.write(f"{more} commits need {high / low:.2f} times the memory of {fewer}\n")
    return 0


def _told(row: Row) -> None:
    sys.stdout.write(f"{row.backends:>8}  {row.what:<34} {row.seconds:>8.2f} {row.cpu:>8.2f} {row.peak_mb:>8.0f}\n")
    sys.stdout.flush()


def measured(folder: Path, size: int) -> list[Row]:
    """A history of so many signed and reviewed commits: from nothing, and again."""
    table = Table(size, _told)
    history = History(folder / "repository.git", size)
    root = folder / "root.yaml"
    root.write_text(history.root_file(), encoding="utf-8")
    root.chmod(0o644)
    places = Settings(str(history.path), root, folder / "state", folder / "audit", "bench")
    with opened(places) as here:
        with table.measured("verify: a host that knows nothing"):
            accepted = here.verify("")
        if len(accepted.steps) != size + 1:
            raise SystemExit(f"{len(accepted.steps)} steps were accepted of {size + 1}")
        trust.store_state(places.state, accepted)
        with table.measured("verify: again, in the same process"):
            again = here.verify("")
        if again.steps:
            raise SystemExit("a second look finds something new")
    with table.measured("verify: again, in a new run"), opened(places) as here:
        here.verify("")
    return table.rows


if __name__ == "__main__":
    sys.exit(main())
