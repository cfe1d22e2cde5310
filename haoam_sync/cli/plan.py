"""`haoam-sync plan` and `haoam-sync drift`."""

from __future__ import annotations

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.errors import worst_exit
from haoam_sync.report import as_json, text

DIFFERENCES = 2

clusters = click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only this cluster; repeatable.")


@click.command()
@click.argument("revision", default="", metavar="[COMMIT]")
@clusters
@output("json")
@places
def plan(
    *,
    revision: str,
    clusters: tuple[str, ...],
    output: str,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> int:
    """Show what applying COMMIT would change; exit 2 when anything would.

    COMMIT is a commit id or a branch; without it, the tip of the policy's branch. A commit that is not signed and
    reviewed yet can be planned too: then the endpoints are those of the commit accepted last, secrets are not resolved,
    and the plan cannot be applied.
    """
    planned = pipeline.plan(resolve(repo, root, state, audit), revision, clusters)
    if planned.refusal is not None:
        printing.note(f"this commit is not trusted yet: {planned.refusal.code}: {planned.refusal.message}")
    proposed = planned.refusal is not None
    printing.result(text.plan(planned.plan, proposed=proposed), as_json.plan(planned.plan, proposed=proposed), output)
    return 0 if planned.plan.empty else DIFFERENCES


@click.command()
@clusters
@click.option("--worker", is_flag=True, help="Compare what HAProxy runs as well: states, weights, addresses.")
@output("json")
@places
def drift(
    *,
    clusters: tuple[str, ...],
    worker: bool,
    output: str,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> int:
    """Compare every instance with the commit applied to it last; exit 2 when one differs.

    An instance that cannot be read is named, and the others are compared all the same; the exit code is then 7.
    """
    found = pipeline.drift(resolve(repo, root, state, audit), clusters, worker=worker)
    printing.result(
        text.drift(found.plan, found.never_applied, found.failed, found.worker),
        as_json.drift(found.plan, found.never_applied, found.failed, found.worker),
        output,
    )
    if output == "text":
        printing.note(text.counted(found.requests, "API request"))
    differs = {DIFFERENCES} if found.found else set()
    return worst_exit({*differs, *(error.exit for error in found.failed.values())})
