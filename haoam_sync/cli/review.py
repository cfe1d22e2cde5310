"""`haoam-sync review`: see it, then sign it."""

from __future__ import annotations

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.errors import UsageError
from haoam_sync.model.results import ReviewResult
from haoam_sync.pipeline.reviewing import Decision
from haoam_sync.report import as_json, text
from haoam_sync.report.change import change, changed_files
from haoam_sync.report.history import needs, rule_as_json


@click.command()
@click.argument("revision", metavar="COMMIT")
@click.option(
    "--key",
    required=True,
    metavar="KEY",
    help="Your SSH private key, or the fingerprint of an OpenPGP key of your gpg.",
)
@click.option("--reject", is_flag=True, help="Say no: the commit cannot be accepted.")
@click.option("--withdraw", is_flag=True, help="Take your approval back.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts, with --expect.")
@click.option("--expect", metavar="CHANGE_DIGEST", default="", help="The change digest that you mean.")
@click.option("--offline", is_flag=True, help="Do not ask the live instances; show the change alone.")
@output("json")
@places
def review(
    *,
    revision: str,
    key: str,
    reject: bool,
    withdraw: bool,
    yes: bool,
    expect: str,
    offline: bool,
    output: str,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Show what COMMIT does, ask once, and sign your decision.

    COMMIT is a commit id, a branch, or pr/12 for the head of a pull request: the head that was shown is what you sign.

    You sign the change digest: what the commit does to the desired state of each cluster, whatever the instances hold.
    The statement is pushed to refs/heads/haoam/attestations of the repository. What cannot be shown completely is not
    signed.
    """
    if yes and not expect:
        raise UsageError("--yes needs --expect", hint="name the change digest that you have looked at")
    if output == "json" and not yes:
        raise UsageError("--output json cannot ask", hint="give --yes and --expect, or take the text output")
    if reject and withdraw:
        raise UsageError("--reject and --withdraw are two different things", hint="give one of them")
    decision: Decision = "reject" if reject else "withdraw" if withdraw else "approve"
    with pipeline.reviewable(resolve(repo, root, state, audit), revision, key, with_plan=not offline) as shown:
        if output == "text":
            click.echo(f"commit   {shown.proposed.id}")
            click.echo(f"base     {shown.proposed.base}")
            printing.styled(changed_files(shown.files))
            printing.styled(change(shown.change))
            if shown.planned is not None:
                printing.styled(text.plan(shown.planned.plan, proposed=True))
            printing.styled(needs(shown.rules))
            click.echo(f"change digest {shown.change_digest}")
        if not yes:
            click.confirm(f"sign: {shown.reviewer} says {decision}?", abort=True, err=True)
        signed = pipeline.review(shown, decision, expect)
    if output == "json":
        done: ReviewResult = {
            "commit": shown.proposed.id,
            "base": shown.proposed.base,
            "change_digest": shown.change_digest,
            "change": shown.change,
            "files": [{"path": f.path, "action": f.action, "diff": f.diff} for f in shown.files],
            "rules": [rule_as_json(rule) for rule in shown.rules],
            "plan": as_json.plan(shown.planned.plan, proposed=True) if shown.planned is not None else None,
            "statement": signed.model_dump(mode="json"),
        }
        printing.as_json(done)
    else:
        click.echo(f"signed: {signed.principal} says {signed.decision}, statement {signed.id}, until {signed.expires}")
        source = shown.here.repository.source
        printing.note(f"pushed to {source.url}")
        if source.is_clone:
            printing.note(
                "  this is a clone of your own, where nobody looks: name the shared one with --repo or HAOAM_REPO,"
            )
            printing.note("  or push the branch haoam/attestations from here")
