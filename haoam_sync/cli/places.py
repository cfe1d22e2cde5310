"""The options that every verb shares: the four places, the output format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from haoam_sync import settings
from haoam_sync.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])

_ROOT = (
    "Host root file: who is trusted to begin with; /etc/haoam/root.yaml, or where that is not there "
    "~/.config/haoam/root.yaml, when not given."
)


def places(command: _Command) -> _Command:
    """Add `--repo --root --state --audit`, handed to the command as four strings or None."""
    for name, variable, text in (
        ("audit", "HAOAM_AUDIT", "Directory of the audit log; audit in the state directory when not given."),
        ("state", "HAOAM_STATE", "Directory of this host's memory; ~/.local/state/haoam when not given."),
        ("root", "HAOAM_ROOT", _ROOT),
        ("repo", "HAOAM_REPO", "Path or URL of the desired-state repository; the current directory when not given."),
    ):
        command = click.option(f"--{name}", envvar=variable, show_envvar=True, metavar="PLACE", help=text)(command)
    return command


def output(*formats: str) -> Callable[[_Command], _Command]:
    """Add `--output` with the formats that the command has."""
    return click.option(
        "--output",
        type=click.Choice(["text", *formats]),
        default="text",
        show_default=True,
        help="Form of the result.",
    )


def resolve(repo: str | None, root: str | None, state: str | None, audit: str | None) -> Settings:
    """The four places, defaults filled in."""
    return settings.resolve(repo, root, state, audit)
