"""Apply to the lab instance at argv[1] with the journal below argv[2], and die of SIGKILL at the commit."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from apply_lab import LabInstance
from test_apply_lab import WEB, World, backend, server

from haoam_sync.model.exchange import Request


def die(request: Request) -> None:
    """At the commit."""
    if request.method == "PUT" and "/transactions/" in request.path:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    world = World(LabInstance(sys.argv[1], Path()), Path(sys.argv[2]), 0)
    world.want({WEB: backend("web", server("s1", 2))})
    authorized = world.plan()
    world.lab.recorder.before = die
    world.run(authorized)
