"""The only place that prints: results to stdout, failures as text to stderr or as the JSON result."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

import click
from rich.console import Console
from rich.text import Text

from haoam_sync.errors import HaoamError, InvalidDesiredError
from haoam_sync.model.results import Failure
from haoam_sync.report.text import quoted, visible


def result(text: Text, value: Mapping[str, object], output: str) -> None:
    """Print a result in the form asked for."""
    if output == "json":
        as_json(value)
        return
    styled(text)


def styled(text: Text) -> None:
    """Print styled text; colour only where the terminal has it, and NO_COLOR is not set."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True, no_color=bool(os.environ.get("NO_COLOR")))
    console.print(text, end="")


def as_json(value: Mapping[str, object]) -> None:
    """Print one JSON value."""
    click.echo(json.dumps(value, indent=2))


def say(message: str) -> None:
    """Print one line of a result that may hold words of others, such as names on an instance."""
    click.echo(visible(message))


def note(message: str) -> None:
    """Say something beside the result, to stderr."""
    click.echo(visible(message), err=True)


def failure(error: HaoamError, output: str) -> None:
    """Print a failure: what, where, what to do."""
    problems = error.problems if isinstance(error, InvalidDesiredError) else ()
    if output == "json":
        value: Failure = {
            "exit": error.exit,
            "code": error.code,
            "message": error.message,
            "where": error.where,
            "hint": error.hint,
        }
        if problems:
            value["problems"] = [
                {"file": p.file, "line": p.line, "column": p.column, "message": p.message, "hint": p.hint}
                for p in problems
            ]
        click.echo(json.dumps(value, indent=2))
        return
    if problems:
        for problem in problems:
            note(str(problem))
        count = len(problems)
        note(f"{error.code}: the desired state has {count} problem{'' if count == 1 else 's'}")
        return
    where = f" [{error.where}]" if error.where else ""
    first, others = quoted(error.message)
    note(f"{error.code}: {first}{where}")
    for line in others:
        note(line)
    for line in error.hint.splitlines():
        note(f"  {line.strip()}")
