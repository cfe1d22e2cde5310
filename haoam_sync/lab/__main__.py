"""`python -m haoam_sync.lab`: what `lab up` starts for each instance; its settings come as JSON on stdin."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from haoam_sync.errors import HaoamError
from haoam_sync.lab.login import Login
from haoam_sync.lab.serve import serve
from haoam_sync.lab.settings import LabSettings, api_version, loopback


def main() -> int:
    """Serve what stdin describes."""
    given = json.load(sys.stdin)
    try:
        host, port = loopback(given["listen"])
        serve(
            LabSettings(
                host,
                port,
                Path(given["directory"]),
                Login(given["user"], given["password"]),
                api=api_version(given["api"]),
                config=given["config"],
                request_log=Path(given["request_log"]) if given["request_log"] else None,
                reload_delay=given["reload_delay"],
            )
        )
    except HaoamError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return error.exit
    return 0


if __name__ == "__main__":
    sys.exit(main())
