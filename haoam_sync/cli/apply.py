"""`haoam-sync apply`."""

from __future__ import annotations

import click

from haoam_sync import pipeline
from haoam_sync.apply import Interrupted
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.cli.plan import clusters
from haoam_sync.report import as_json, text


@click.command()
@click.argument("plan_digest", metavar="PLAN_DIGEST")
@click.argument("revision", default="", metavar="[COMMIT]")
@clusters
@output("json")
@places
def apply(
    *,
    plan_digest: str,
    revision: str,
    clusters: tuple[str, ...],
    output: str,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> int:
    """Do exactly the plan that has PLAN_DIGEST (`plan` prints it), and prove that the running HAProxy took it.

    COMMIT must be signed and reviewed. The plan is computed again; when its digest is another one, nothing is written
    and the exit code is 10. When an instance fails, its earlier state is restored and the rest is not attempted; so it
    is after Ctrl-C. Where it could not be written down what was applied, that is said beside the outcome: run it again.
    """
    try:
        outcome = pipeline.apply(resolve(repo, root, state, audit), revision, plan_digest, clusters)
    except Interrupted as stopped:
        outcome = stopped.outcome
        if not outcome.exit:
            raise
    printing.result(text.outcome(outcome), as_json.outcome(outcome), output)
    if output == "text":
        if outcome.unrecorded is not None:
            printing.failure(outcome.unrecorded, output)
        printing.note(text.counted(sum(instance.requests for instance in outcome.instances), "API request"))
    return outcome.exit
