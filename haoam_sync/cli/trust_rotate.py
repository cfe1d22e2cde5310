"""`haoam-sync trust rotate`: a new key for somebody, as a proposal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from haoam_sync import pipeline, trust
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.model.results import PolicyName, Roots, RotationResult
from haoam_sync.report.text import visible


@click.command()
@click.argument("principal", metavar="PRINCIPAL")
@click.argument("new", default="", metavar="[KEYFILE]")
@click.option("--retire", multiple=True, metavar="KEY_ID", help="Retire this key.  [default: the only active one]")
@click.option("--keep", is_flag=True, help="Retire none: KEYFILE is one more.")
@click.option("--id", "key_id", default="", metavar="KEY_ID", help="What to call the new key.")
@click.option("--not-after", default="", metavar="DATE", help='The last day on which it counts, "2027-11-01".')
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Top of the work tree.  [default: the current directory]",
)
@output("json")
@places
def rotate(
    *,
    output: str,
    principal: str,
    new: str,
    retire: tuple[str, ...],
    keep: bool,
    key_id: str,
    not_after: str,
    directory: Path,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Replace a key of PRINCIPAL in trust.yaml: the key in KEYFILE becomes active, the old one retired.

    KEYFILE is an SSH public key, or an armored OpenPGP certificate. Without it, --retire alone takes a key away.

    trust.yaml (and keys/) of the work tree is edited, its comments and layout stay, serial and previous are set. It is
    a proposal: what to do then is printed. What would not hold together is refused, and nothing is written.
    """
    change = trust.Change(principal, new, key_id, not_after, retire, keep)
    found = pipeline.rotate(resolve(repo, root, state, audit), directory, change)
    if output == "json":
        value: RotationResult = {
            "principal": found.principal,
            "added": found.added,
            "fingerprint": found.fingerprint,
            "retired": list(found.retired),
            "files": sorted(found.files),
            "before": _roots(found.before, found.needed),
            "after": _roots(found.after, found.needed_after),
        }
        printing.as_json(value)
        return
    for line in _said(found):
        click.echo(visible(line))


def _roots(policy: trust.LoadedPolicy, needed: int) -> Roots:
    name: PolicyName = {"serial": policy.spec.serial, "digest": policy.digest}
    return {"policy": name, "needed": needed, "members": _able(policy)}


def _said(found: trust.Rotation) -> Iterator[str]:
    before, after = found.before.spec, found.after.spec
    branch = f"rotate-{found.principal}-{after.serial}"
    files = sorted(found.files)
    yield f"wrote {', '.join(files)}: serial {before.serial} becomes {after.serial}"
    if found.added:
        yield f"  {found.principal} gets the key {found.added} ({found.fingerprint})"
    for key in found.retired:
        yield f"  {found.principal}'s key {key} is retired: what it signed stays valid, it makes nothing new"
    if not any(key.status == "active" for key in after.principals[found.principal].keys):
        yield f"  {found.principal} has no active key after this"
    yield ""
    yield "Compare the fingerprint with its owner over the phone. Then, as a commit that changes nothing else:"
    yield f"  git switch -c {branch} && git add {shlex.join(files)}"
    yield f"  git commit -S -m 'Trust policy {after.serial}: keys of {found.principal}' && git push origin {branch}"
    yield (
        f"signed by an author with a key that the policy has now. {found.needed} of its roots "
        f"({_names(found.before)}) must agree,"
    )
    yield (
        f"and {found.needed_after} of the roots of the new one ({_names(found.after)}), with keys that it has; each "
        "one by"
    )
    yield f"  haoam-sync review {branch} --key KEY"
    yield from _who_counts(found)
    yield "Then:"
    yield f"  git switch main && git merge --ff-only {branch} && git push origin main && haoam-sync trust verify"
    yield ""
    yield "Host root files stay as they are: they name the introduction commit and its policy. When every host has"
    yield f"accepted this, `smallest_serial: {after.serial}` there keeps older policies out."
    if found.retired:
        yield (
            "If a key was stolen, retiring it is not enough: haoam-sync trust revoke "
            f"{found.principal}/{found.retired[0]}"
        )


def _who_counts(found: trust.Rotation) -> Iterator[str]:
    yield "Who signed the commit is one of them by that signature."
    if found.principal not in found.before.spec.members("root") | found.after.spec.members("root"):
        return
    if found.retired and found.added:
        yield f"{found.principal} counts in the new policy with {found.added} only: who signed the commit with"
        yield f"{' or '.join(found.retired)} reviews it with {found.added}, too, unless others are enough."


def _names(policy: trust.LoadedPolicy) -> str:
    return ", ".join(_able(policy))


def _able(policy: trust.LoadedPolicy) -> list[str]:
    """The roots who have a key to agree with, sorted."""
    people = policy.spec.principals
    return [n for n in sorted(policy.spec.members("root")) if any(k.status == "active" for k in people[n].keys)]
