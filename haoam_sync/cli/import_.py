"""`haoam-sync import` and `haoam-sync adopt`: documents for what runs already."""

from __future__ import annotations

import os
from pathlib import Path

import click

from haoam_sync import pipeline
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.errors import UsageError
from haoam_sync.importing import Choice
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.results import ImportResult
from haoam_sync.model.section import SectionId
from haoam_sync.pipeline import Endpoint, Imported, Target

_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Top of the desired-state repository.  [default: the current directory]",
)
_secrets = click.option(
    "--secrets",
    type=click.Path(path_type=Path),
    help="Where to write values of secrets, outside of the repository: a new file (NAME='value' lines), or a directory "
    "(one file each).  [default: imported/CLUSTER.env in this user's state directory]",
)


def _version(_context: click.Context, _parameter: click.Parameter, value: str) -> ApiVersion:
    try:
        return ApiVersion.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _sections(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[SectionId, ...]:
    try:
        return tuple(SectionId.parse(text) for text in value)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write KIND/NAME, such as backend/web") from error


@click.command("import")
@click.option("--file", "source", type=click.Path(dir_okay=False, path_type=Path), help="A haproxy.cfg.")
@click.option("--url", help="A Data Plane API to read it from, up to and with /v3.")
@click.option("--user", default="", help="Who logs in to that API; the userlist with this name in it stays foreign.")
@click.option("--password-env", metavar="NAME", default="", help="Variable of the environment with the password.")
@click.option("--ca", type=click.Path(dir_okay=False, path_type=Path), help="PEM file of the API's authority.")
@click.option("--cluster", required=True, help="Name of the cluster that the documents are for.")
@click.option("--instance", default="", help="Name of the instance.  [default: CLUSTER-1]")
@_directory
@_secrets
@click.option("--with-global", is_flag=True, help="Own the global section too.")
@click.option(
    "--api-version", default=str(NEWEST), show_default=True, callback=_version, help="With --file: of the API in front."
)
@output("json")
def import_(
    *,
    source: Path | None,
    url: str | None,
    user: str,
    password_env: str,
    ca: Path | None,
    cluster: str,
    instance: str,
    directory: Path,
    secrets: Path | None,
    with_global: bool,
    api_version: ApiVersion,
    output: str,
) -> None:
    """Write documents for every section of a HAProxy that runs already.

    They go to haproxy/CLUSTER/ in the directory, one file a section. Nothing that is there is overwritten, and nothing
    is written to the instance. A plan for them marks the sections as ours and changes no field. What cannot be owned
    without losing a line stays foreign, and is named with the reason.
    """
    target = Target(cluster, instance or f"{cluster}-1", directory, secrets)
    choice = Choice(with_global=with_global, user=user)
    if (source is None) == (url is None):
        raise UsageError("give --file or --url", hint="one of the two says what is imported")
    if source is not None:
        found = pipeline.import_file(source, api_version, target, choice)
    else:
        if not user or not password_env:
            raise UsageError("--url needs --user and --password-env", hint="they say how to log in to the API")
        endpoint = Endpoint(url or "", user, password_env, ca)
        found = pipeline.import_instance(endpoint, os.environ, target, choice)
    _print(found, cluster, output)


@click.command()
@click.argument("instance", metavar="CLUSTER/INSTANCE")
@click.argument("sections", nargs=-1, required=True, metavar="KIND/NAME...", callback=_sections)
@_directory
@_secrets
@output("json")
@places
def adopt(
    *,
    instance: str,
    sections: tuple[SectionId, ...],
    directory: Path,
    secrets: Path | None,
    output: str,
    repo: str | None,
    root: str | None,
    state: str | None,
    audit: str | None,
) -> None:
    """Write documents for some sections of an instance of the accepted fleet.

    Commit them, have them reviewed, and apply: from then on the sections are ours. What they refer to and git does not
    declare is named in metadata.external. The effective defaults of every proxy are proven to stay what they are.
    """
    found = pipeline.adopt(resolve(repo, root, state, audit), instance, sections, directory, secrets)
    _print(found, instance.partition("/")[0], output)


def _print(found: Imported, cluster: str, output: str) -> None:
    if output == "json":
        printing.as_json(_json(found))
        return
    printing.say(f"{_count(len(found.owned), 'section')} owned")
    for section, path in found.owned.items():
        printing.say(f"  {section}  {path}")
    printing.say(f"{_count(len(found.foreign), 'section')} foreign")
    for one in found.foreign:
        printing.say(f"  {one.heading}: {one.reason}")
    for warning in found.warnings:
        printing.note(f"warning: {warning}")
    for path in sorted(set(found.files) - set(found.owned.values())):
        printing.say(f"wrote {path}")
    if found.secrets is not None:
        kept = sum(kind != "Fleet" for _, kind, _ in found.uses)
        printing.say(f"{_count(kept, 'secret')} in {found.secrets}")
    if found.uses:
        printing.say("let the host resolve them: under `secrets` of its root file")
        for reference, kind, field in found.uses:
            printing.say(f'  - {{reference: {reference}, kinds: [{kind}], fields: ["{field}"], clusters: [{cluster}]}}')


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _json(found: Imported) -> ImportResult:
    return {
        "owned": len(found.owned),
        "foreign": len(found.foreign),
        "sections": [{"section": str(section), "file": path} for section, path in found.owned.items()],
        "foreign_sections": [{"section": one.heading, "reason": one.reason} for one in found.foreign],
        "warnings": list(found.warnings),
        "files": list(found.files),
        "secrets": str(found.secrets) if found.secrets is not None else None,
        "secret_uses": [
            {"reference": reference, "kind": kind, "field": field} for reference, kind, field in found.uses
        ],
    }
