"""`haoam-sync doctor`."""

from __future__ import annotations

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.model.finding import exit_code
from haoam_sync.report import doctor as report


@click.command()
@output("json")
@places
def doctor(*, output: str, repo: str | None, root: str | None, state: str | None, audit: str | None) -> int:
    """Look at this machine, the four places, the policy and every instance, and say what to mend.

    Changes nothing. Exit 0 when nothing is to be mended, 2 when something is, 4 when the repository is not trusted, 7
    when an instance cannot be reached.
    """
    found = pipeline.doctor(resolve(repo, root, state, audit))
    printing.result(report.findings(found), report.as_json(found), output)
    return exit_code(found)
