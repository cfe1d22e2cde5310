"""`haoam-sync trust lint`: what would be possible for whom."""

from __future__ import annotations

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.model.lint import exit_code
from haoam_sync.report import lint as report


@click.command()
@click.argument("revision", default="", metavar="[COMMIT]")
@click.option(
    "--days",
    type=click.IntRange(0, 3650),
    default=30,
    show_default=True,
    help="Name keys that end within so many days.",
)
@output("json")
@places
def lint(
    *,
    revision: str,
    days: int,
    output: str,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> int:
    """Say what the trust policy makes possible for whom, and what it makes impossible.

    Single people on whom something hangs, few who can do everything, keys that end, thresholds that cannot be reached,
    paths without a rule, rules without a path, waived classes, bots, forges. Of the branch's tip, or of COMMIT, which
    need not be trusted: a change of the policy can be looked at before anybody agrees to it.

    Exit 2 when something is an error, else 0.
    """
    found = pipeline.lint_trust(resolve(repo, root, state, audit), revision, days=days)
    value = report.as_json(found.commit, found.serial, found.digest, found.findings)
    if output == "text":
        click.echo(f"trust policy {found.serial or 'that does not hold together'} of commit {found.commit[:12]}")
    printing.result(report.findings(found.findings), value, output)
    return exit_code(found.findings)
