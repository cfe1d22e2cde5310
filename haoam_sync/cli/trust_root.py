"""`haoam-sync trust freeze|thaw|revoke|affirm`: what roots say about everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import places, resolve
from haoam_sync.model.root_statement import Affirm, Compromise, Freeze, RootStatement, Thaw
from haoam_sync.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _root(command: _Command) -> _Command:
    """Add what every statement of a root needs."""
    command = places(command)
    command = click.option("--yes", is_flag=True, help="Do not ask.")(command)
    command = click.option("--reason", required=True, help="Why, in one line; everybody will read it.")(command)
    return click.option(
        "--key", required=True, metavar="KEY", help="Your SSH key file, or the fingerprint of your OpenPGP key."
    )(command)


@click.command()
@_root
def freeze(
    *,
    key: str,
    reason: str,
    yes: bool,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Stop everything: nothing is accepted or applied any more. One root is enough.

    What runs is kept. A quorum of the roots lifts it: haoam-sync trust thaw.
    """
    _say(resolve(repo, root, state, audit), "freeze", "", key, reason, yes=yes)


@click.command()
@click.argument("freeze_id", default="", metavar="[FREEZE]")
@_root
def thaw(
    *,
    freeze_id: str,
    key: str,
    reason: str,
    yes: bool,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Your part in lifting a freeze; it ends when as many roots as the policy's threshold have said so."""
    _say(resolve(repo, root, state, audit), "thaw", freeze_id, key, reason, yes=yes)


@click.command()
@click.argument("subject", metavar="PRINCIPAL/KEY")
@click.option(
    "--since",
    default="",
    metavar="COMMIT",
    help="The last commit that is beyond doubt: what the key did up to it stands.",
)
@_root
def revoke(
    *,
    subject: str,
    since: str,
    key: str,
    reason: str,
    yes: bool,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Say that a key is compromised: nothing that it ever signed counts any more. It cannot be taken back.

    One root is enough. What was accepted and rests on the key holds everything, until a quorum of the roots affirms it:
    haoam-sync trust affirm. Then change the policy: the owner gets another key.
    """
    _say(resolve(repo, root, state, audit), "revoke", subject, key, reason, yes=yes, since=since)


@click.command()
@click.argument("commit", metavar="COMMIT")
@_root
def affirm(
    *,
    commit: str,
    key: str,
    reason: str,
    yes: bool,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Your part in letting a commit stand, and all that it builds on, though a compromised key had a part in it.

    It stands when as many roots as the policy's threshold have said so. Look at what is listed first.
    """
    _say(resolve(repo, root, state, audit), "affirm", commit, key, reason, yes=yes)


def _say(
    places: Settings, word: pipeline.Word, subject: str, key: str, reason: str, *, yes: bool, since: str = ""
) -> None:
    with pipeline.rooting(places, word, subject, key, reason, since=since) as rooting:
        said = rooting.said
        for rests in rooting.resting:
            printing.note(
                f"{rests.step.id} ({rests.step.base[:12]}..{rests.step.id[:12]}) rests on key {rests.key} "
                f"of {rests.principal}, which is compromised"
            )
        printing.note(f"{said.principal} says, by key {said.key}:")
        printing.note(f"  {_words(said)}")
        printing.note(f"  because: {said.reason}")
        if not yes:
            click.confirm("sign and push that?", abort=True, err=True)
        rooting.say()
    click.echo(f"signed: {said.principal} says {word}, statement {said.id}")
    match said:
        case Freeze():
            click.echo(f"to lift it, enough roots run: haoam-sync trust thaw {said.id} --key KEY --reason WHY")
        case Thaw():
            click.echo("haoam-sync trust verify says whether that was enough")
        case Compromise():
            click.echo(
                "now, on each host that applies, add this line to its denylist, in case statements are withheld:"
            )
            click.echo(f"  {said.compromised.fingerprint}")
            click.echo("where a commit that is accepted rests on it, everything is held until enough roots run:")
            click.echo("  haoam-sync trust affirm COMMIT --key KEY --reason WHY")
            click.echo("then change the policy: retire that key, and add another one for its owner")
        case Affirm():
            click.echo("haoam-sync trust verify says whether that was enough")


def _words(said: RootStatement) -> str:
    match said:
        case Freeze():
            return "nothing is accepted or applied any more"
        case Thaw():
            return f"the freeze {said.freeze} may end"
        case Compromise():
            one = said.compromised
            return f"nothing that key {one.key} of {one.principal} ({one.fingerprint}) ever signed counts any more" + (
                f", but for what it did up to {said.since}" if said.since is not None else ""
            )
        case Affirm():
            return f"{said.commit} may stand, and all that it builds on, whatever was done with {', '.join(said.keys)}"
