"""`haoam-sync trust`: set it up, verify, explain."""

from __future__ import annotations

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.cli.trust_lint import lint
from haoam_sync.cli.trust_root import affirm, freeze, revoke, thaw
from haoam_sync.cli.trust_rotate import rotate
from haoam_sync.cli.trust_state import state
from haoam_sync.cli.verbs import Verbs
from haoam_sync.errors import HaoamError
from haoam_sync.model.account import Refused
from haoam_sync.model.results import Trusted
from haoam_sync.report import commits, history


@click.group(cls=Verbs)
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
@click.argument("span", default="", metavar="[A..B]")
@output("json")
@places
def verify(*, span: str, output: str, repo: str | None, root: str | None, state: str | None, audit: str | None) -> int:
    """Prove that history is signed and reviewed, and show its steps as a table.

    Without an argument: what is new on the policy's branch since the commit accepted last. COMMIT: up to there. A..B:
    the steps after A up to B; A.. ends at the branch's tip, ..B begins at the introduction commit. A range cuts what is
    shown, never what is verified. Commits are ids, branches, HEAD or pr/12, with ~3 for three steps before.

    The first step that is refused ends the table, with what was found and what would help; exit 4, or 3 where its
    desired state is invalid. Nothing is remembered: only `apply` moves what is accepted.
    """
    found = pipeline.verify_trust(resolve(repo, root, state, audit), span)
    if isinstance(found.verdict, HaoamError):
        _not_trusted(found, found.verdict, output)
        return found.verdict.exit
    if output == "json":
        shown: Trusted = {
            "accepted": commits.as_json(found.verdict),
            "steps": [history.as_json(row) for row in found.rows],
        }
        printing.as_json(shown)
        return 0
    printing.styled(history.table(found.rows))
    click.echo(f"{found.head} is trusted")
    return 0


def _not_trusted(found: pipeline.Examined, refusal: Refused, output: str) -> None:
    if output == "json":
        printing.as_json(history.failure_as_json(refusal, found.rows))
        return
    printing.styled(history.table(found.rows))
    if not any(row.refusal is refusal for row in found.rows):
        printing.failure(refusal, output)  # about all of it, and no step's
    click.echo(f"{found.head} is NOT trusted: {refusal.code}")


@trust.command()
@click.argument("revision", metavar="COMMIT")
@output("json")
@places
def explain(
    *, revision: str, output: str, repo: str | None, root: str | None, state: str | None, audit: str | None
) -> int:
    """Say which step brings COMMIT in, and what it rests on; or why it is refused, and what would help.

    Shown are the policy, the signatures, the rules that asked for reviews, the reviews that counted, and each one that
    did not, with the reason. COMMIT is an id, a branch, HEAD or pr/12, with ~3 for three steps before.
    """
    found = pipeline.explain_trust(resolve(repo, root, state, audit), revision)
    if output == "json":
        if found.refusal is None:
            printing.as_json(history.explained_as_json(found.row, found.commit))
            return 0
        printing.as_json(history.failure_as_json(found.refusal, [found.row]))
        return found.refusal.exit
    printing.styled(history.explained(found.row, found.commit, behind=found.behind, refusal=found.refusal))
    return found.refusal.exit if found.refusal is not None else 0


trust.add_command(state)
for command in (rotate, lint, freeze, thaw, revoke, affirm):
    trust.add_command(command)
