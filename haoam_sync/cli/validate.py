"""`haoam-sync validate` and `haoam-sync render`: offline, no instance is asked."""

from __future__ import annotations

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.results import ValidResult
from haoam_sync.report.text import counted


@click.command()
@click.argument("revision", default="HEAD", metavar="[COMMIT]")
@output("json")
@places
def validate(
    *, revision: str, output: str, repo: str | None, root: str | None, state: str | None, audit: str | None
) -> int:
    """Check the desired state of COMMIT (HEAD when not given), all of its problems at once.

    Reads the commit, never the working tree: commit first, and amend while you have not pushed. Where a haproxy is
    found, it also judges the rendered configuration of each instance.
    """
    found = pipeline.validate(resolve(repo, root, state, audit), revision, printing.note)
    if output == "json" and found.refused:
        raise found.failure()
    if output == "json":
        valid: ValidResult = {
            "commit": found.commit,
            "sections": found.sections,
            "instances": [str(instance) for instance in found.instances],
            "haproxy": found.haproxy or None,
            "unjudged": [str(instance) for instance in found.unjudged],
        }
        printing.as_json(valid)
    else:
        where = counted(len(found.instances), "instance")
        click.echo(f"commit {found.commit[:12]}: {counted(found.sections, 'section')} on {where}")
        for instance, words in found.refused.items():
            printing.note(f"{instance}: HAProxy refuses the rendered configuration:")
            for line in words.splitlines():
                printing.note(f"  {line}")
        if not found.haproxy:
            printing.note("no haproxy was found, so none has judged the rendered configuration")
        for instance in found.unjudged:
            printing.note(
                f"{instance}: names Lua or files elsewhere, and nobody reviewed it yet: HAProxy was not asked"
            )
        if found.haproxy and not found.refused and not found.unjudged:
            click.echo("HAProxy accepts the rendered configuration of every instance")
        if not found.refused:
            click.echo("valid")
    return InvalidDesiredError.exit if found.refused else 0


@click.command()
@click.argument("instance", metavar="CLUSTER/INSTANCE")
@click.argument("revision", default="HEAD", metavar="[COMMIT]")
@places
def render(
    *, instance: str, revision: str, repo: str | None, root: str | None, state: str | None, audit: str | None
) -> None:
    """Print the sections that COMMIT declares for an instance, as haproxy.cfg text.

    Secrets stand as their references. Sections that git does not declare are not in it.
    """
    click.echo(pipeline.render(resolve(repo, root, state, audit), instance, revision), nl=False)
