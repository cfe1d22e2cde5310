"""`haoam-sync lab`: a Data Plane API over a real HAProxy, for trying things out."""

from __future__ import annotations

from pathlib import Path

import click

from haoam_sync.lab.serve import serve as serve_instance
from haoam_sync.lab.settings import LabSettings, api_version, login_of_environment, loopback


@click.group("lab")
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
    """Serve one instance; one JSON line says when it is ready."""
    host, port = loopback(listen)
    serve_instance(
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
