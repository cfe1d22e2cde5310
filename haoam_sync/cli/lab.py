"""`haoam-sync lab`: a Data Plane API over a real HAProxy, for trying things out."""

from __future__ import annotations

import contextlib
import json
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from haoam_sync import desired
from haoam_sync.cli import printing
from haoam_sync.cli.places import places, resolve
from haoam_sync.cli.verbs import Verbs
from haoam_sync.errors import UsageError
from haoam_sync.lab import up as start_fleet
from haoam_sync.lab.settings import LabSettings, api_version, login_of_environment, loopback
from haoam_sync.pipeline import opening

_LOOK_SECONDS = 0.5


@click.group("lab", cls=Verbs)
def lab() -> None:
    """A Data Plane API in front of a real HAProxy, on this machine only."""


@lab.command("serve")
@click.option("--listen", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT", help="Loopback; port 0: any.")
@click.option(
    "--dir",
    "directory",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where configuration, sockets, certificates and maps are.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="haproxy.cfg to begin with; ${DIR} in it stands for the directory.",
)
@click.option("--api-version", "api", default="3.2", show_default=True, metavar="3.2|3.4", help="Answer as this one.")
@click.option(
    "--request-log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that gets one JSON line for each request.",
)
def serve(listen: str, directory: Path, config: Path | None, api: str, request_log: Path | None) -> None:
    """Serve one instance; one JSON line says when it is ready.

    Its login is admin and adminpwd, or what HAOAM_LAB_USER and HAOAM_LAB_PASSWORD say, whatever a userlist in --config
    says. Ctrl-C ends it.
    """
    host, port = loopback(listen)
    _serving()(
        LabSettings(
            host,
            port,
            directory.absolute(),
            login_of_environment(),
            api=api_version(api),
            config=config.read_text(encoding="utf-8") if config else "",
            request_log=request_log.absolute() if request_log else None,
        )
    )


def _serving() -> Callable[[LabSettings], None]:
    """What serves an instance, imported only now: it is an extra, and nothing else needs its web framework.

    Raises:
        UsageError: E_LAB, the extra is not installed.
    """
    try:
        from haoam_sync.lab.serve import serve as serving  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the lab is not installed: there is no module {error.name}",
            code="E_LAB",
            hint="in a clone of haoam-sync, with the pip of this environment: pip install '.[lab]'",
        ) from error
    return serving


@lab.command("up")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the instances live, one directory below it each; a temporary one when not given.",
)
@click.option("--api-version", "api", default="3.2", show_default=True, metavar="3.2|3.4", help="Answer as this one.")
@places
def up(
    *, directory: Path | None, api: str, repo: str | None, root: str | None, state: str | None, audit: str | None
) -> None:
    """Serve every instance of the repository's fleet until Ctrl-C, each where haoam.yaml says it is.

    All of their URLs must be on loopback. One JSON line for each instance says where it is. The login is that of `lab
    serve`.
    """
    _serving()
    with opening.repository_alone(resolve(repo, root, state, audit)) as repository:
        fleet = desired.load_fleet(repository.blobs(repository.resolve("HEAD")))
    printing.note("starting every instance; each line of JSON is one that is ready")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="haoam-lab-") as temporary,
        start_fleet(fleet, (directory or Path(temporary)).absolute(), api=api_version(api)) as running,
    ):
        for instance in running.instances:
            shown = {"instance": str(instance.id), "url": instance.url, "dir": str(instance.directory)}
            click.echo(json.dumps({**shown, "pid": instance.pid}))
        while not running.ended():
            time.sleep(_LOOK_SECONDS)
        raise UsageError("an instance of the lab has ended by itself", code="E_LAB", hint="see its lab.log")
