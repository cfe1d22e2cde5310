"""`haoam-sync schema`: the JSON Schemas of the documents and of the results."""

from __future__ import annotations

from pathlib import Path

import click

from haoam_sync import desired
from haoam_sync.cli import printing
from haoam_sync.report.schemas import schemas


@click.command()
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("schemas"),
    show_default=True,
    help="Where to write them.",
)
def schema(directory: Path) -> None:
    """Write the JSON Schemas of all document kinds, and of what commands print as JSON, for editors and other tools."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in sorted({**desired.schemas(), **schemas()}.items()):
        (directory / name).write_bytes(content)
        printing.note(f"wrote {directory / name}")
