"""`haoam-sync trust`: set it up, verify, explain."""

from __future__ import annotations

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.cli.trust_root import freeze, revoke, thaw
from haoam_sync.cli.trust_state import state
from haoam_sync.errors import NotTrustedError
from haoam_sync.model.results import Trusted
from haoam_sync.report import commits


@click.group()
def trust() -> None:
    """Who is trusted, and why a commit is or is not."""


@trust.command()
@click.option(
    "--member",
    "members",
    multiple=True,
    required=True,
    metavar="NAME=KEYFILE[:ROLE,...]",
    help="A person and the SSH public key or armored OpenPGP certificate; roles are root, author, reviewer, merger "
    "(all when none is named).",
)
@click.option(
    "--key",
    metavar="KEY",
    help="Private SSH key, or fingerprint of the OpenPGP key, of the member who commits the first policy.",
)
@click.option("--ref", default="refs/heads/main", show_default=True, help="The branch that is applied.")
@click.option("--solo", is_flag=True, help="One person works alone: nobody reviews, and every record says so.")
@click.option("--with", "also", multiple=True, metavar="PATH", help="Commit this file too; haoam.yaml always is.")
@places
def init(
    *,
    members: tuple[str, ...],
    key: str | None,
    ref: str,
    solo: bool,
    also: tuple[str, ...],
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Write the first trust.yaml and the host root file.

    With --key, trust.yaml and haoam.yaml are committed, signed with that key, and the host root file is written for
    that commit. Without it, trust.yaml is written for you to commit, signed; then run this again.
    """
    made = pipeline.init_trust(resolve(repo, root, state, audit), members, ref=ref, solo=solo, key=key, also=also)
    if made.root is None:
        click.echo(f"wrote {made.policy}")
        click.echo("commit it signed, together with haoam.yaml, then run the same command again:")
        click.echo(f"  git add {made.policy.name} haoam.yaml && git commit -S -m 'Introduce the trust policy'")
        return
    click.echo(f"introduction commit {made.introduction}")
    click.echo(f"wrote {made.root}: everything rests on it; only you may write it")


@trust.command()
@click.argument("revision", default="", metavar="[COMMIT]")
@output("json")
@places
def verify(
    *, revision: str, output: str, repo: str | None, root: str | None, state: str | None, audit: str | None
) -> None:
    """Prove that COMMIT is signed and reviewed, step by step from the commit accepted last.

    Nothing is remembered: only `apply` moves what is accepted.
    """
    accepted = pipeline.verify_trust(resolve(repo, root, state, audit), revision)
    if output == "json":
        shown: Trusted = {
            "accepted": commits.as_json(accepted.commit),
            "steps": [commits.as_json(step) for step in accepted.steps],
        }
        printing.as_json(shown)
        return
    printing.styled(commits.table(accepted.steps or (accepted.commit,)))
    click.echo(f"{accepted.commit.id} is trusted")


@trust.command()
@click.argument("revision", metavar="COMMIT")
@output("json")
@places
def explain(
    *, revision: str, output: str, repo: str | None, root: str | None, state: str | None, audit: str | None
) -> int:
    """Say whether COMMIT is trusted, and if not, what was found and what would make it acceptable."""
    try:
        accepted = pipeline.verify_trust(resolve(repo, root, state, audit), revision)
    except NotTrustedError as refusal:
        if output == "json":
            raise
        click.echo(f"not trusted: {refusal.code}")
        printing.note(f"  commit: {refusal.where or revision}")
        printing.note(f"  found:  {refusal.message}")
        printing.note(f"  to do:  {refusal.hint or 'nothing can make it acceptable'}")
        return refusal.exit
    if output == "json":
        printing.as_json(commits.as_json(accepted.commit))
    else:
        printing.styled(commits.table((accepted.commit,)))
    return 0


trust.add_command(state)
for command in (freeze, thaw, revoke):
    trust.add_command(command)
