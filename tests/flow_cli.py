"""The command line, run inside the test's own process: what a person types, and what comes back."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pydantic import TypeAdapter

from haoam_sync import cli
from haoam_sync.report.schemas import RESULTS

COMMAND = (sys.executable, "-c", "from haoam_sync.cli import main; main()")
"""The same in a process of its own, for what needs signals or real file descriptors."""


@dataclass(frozen=True)
class Ran:
    """A command that has ended.

    Attributes:
        code: its exit code.
        out: what it wrote to stdout.
        err: what it wrote to stderr.
    """

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams."""
        return self.out + self.err

    @property
    def json(self) -> Any:
        """Stdout as one JSON value: anything beside it is an error."""
        return json.loads(self.out)


def environment(places: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without anything of ours, and without the user's own git and HOME."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HAOAM_", "GIT_", "XDG_"))}
    return {**kept, "NO_COLOR": "1", **(places or {})}


def run(env: Mapping[str, str], cwd: Path, *arguments: str, stdin: str = "") -> Ran:
    """`haoam-sync ARGUMENTS` with this environment; never a traceback, whatever happens."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        patch.dict(os.environ, env, clear=True),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        patch.object(sys, "stdin", io.StringIO(stdin)),
    ):
        try:
            cli.main(list(arguments))
        except SystemExit as exited:
            code = exited.code
    ran = Ran(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())
    assert "Traceback" not in ran.said, ran.said
    if "json" in arguments and ran.out:
        _fits_its_schema(arguments, ran.json)
    return ran


def _fits_its_schema(arguments: tuple[str, ...], printed: Any) -> None:
    """Whatever a test asks for as JSON is exactly what `schemas/result-*.schema.json` say, no name more or less."""
    verb = "-".join(word for word in arguments[:2] if not word.startswith("-"))
    names = [name for name in RESULTS if f"{verb}-".startswith(f"{name}-")]
    failed = "hint" in printed
    shape = RESULTS["failure" if failed else max(names, key=len)]
    TypeAdapter(shape).validate_json(json.dumps(printed))
