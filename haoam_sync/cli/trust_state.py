"""`haoam-sync trust state`: what this host remembers."""

from __future__ import annotations

from typing import Literal

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.cli.verbs import Verbs
from haoam_sync.model.results import TrustState
from haoam_sync.report import commits
from haoam_sync.settings import Settings


@click.group(cls=Verbs, invoke_without_command=True)
@output("json")
@places
@click.pass_context
def state(
    context: click.Context,
    *,
    output: str,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Show what this host has accepted and applied; or begin that memory by your word."""
    if context.invoked_subcommand is None:
        context.invoke(show, output=output, repo=repo, root=root, state=state, audit=audit)


@state.command()
@output("json")
@places
def show(*, output: str, repo: str | None, root: str | None, state: str | None, audit: str | None) -> None:
    """Show what this host has accepted, and what was applied to each cluster."""
    found = pipeline.remembered(resolve(repo, root, state, audit))
    if output == "json":
        shown: TrustState = {
            "accepted": [commits.as_json(commit) for commit in found.accepted],
            "applied": {name: record.commit for name, record in found.applied.items() if record.commit},
            "instances": {
                f"{name}/{one}": seen.commit
                for name, record in found.applied.items()
                for one, seen in sorted(record.instances.items())
            },
        }
        printing.as_json(shown)
        return
    if not found.accepted:
        click.echo("nothing is accepted yet")
    printing.styled(commits.table(found.accepted))
    for name, record in found.applied.items():
        if record.commit:
            click.echo(f"{name}: {record.commit[:12]} was applied last")
        for one, seen in sorted(record.instances.items()):
            if seen.commit != record.commit:
                click.echo(f"{name}/{one}: {seen.commit[:12]} was applied last")


@state.command()
@click.argument("revision", metavar="COMMIT")
@click.option(
    "--without",
    multiple=True,
    metavar="CLUSTER/INSTANCE",
    help="Do not ask this instance what it carries: it is down, and you looked yourself.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@places
def seed(
    *,
    revision: str,
    without: tuple[str, ...],
    yes: bool,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Begin the memory of a runner without a disk: COMMIT is accepted, and nothing was before.

    COMMIT is proven from the introduction commit on, shown, and recorded after one yes. The record is signed with the
    key that HAOAM_STATE_KEY names, which must be one of the host root file's `runners`.
    """
    _begin(resolve(repo, root, state, audit), revision, "seed", without, yes=yes)


@state.command()
@click.argument("revision", metavar="COMMIT")
@click.option(
    "--without",
    multiple=True,
    metavar="CLUSTER/INSTANCE",
    help="Do not ask this instance what it carries: it is down, and you looked yourself.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@places
def confirm(
    *,
    revision: str,
    without: tuple[str, ...],
    yes: bool,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """After a loss, or where what is remembered cannot be believed: COMMIT is the commit that is accepted.

    COMMIT is proven from the introduction commit on, and may not be older than what the audit log, the records of
    applies, or an instance names. Look first at what really runs: whoever can take your memory back may want you to
    apply an old configuration.
    """
    _begin(resolve(repo, root, state, audit), revision, "confirm", without, yes=yes)


def _begin(
    places: Settings, revision: str, kind: Literal["seed", "confirm"], without: tuple[str, ...], *, yes: bool
) -> None:
    with pipeline.beginning(places, revision, without) as shown:
        printing.styled(commits.table((shown.accepted.commit,)))
        if not yes:
            click.confirm(f"is {shown.accepted.commit.id} what this host has accepted?", abort=True, err=True)
        pipeline.begin(shown, kind)
    click.echo(f"{shown.accepted.commit.id} is accepted; the memory begins there")
