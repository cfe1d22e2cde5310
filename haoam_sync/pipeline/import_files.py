"""Where an import goes: documents into the repository, values of secrets outside of it, nothing over what is there."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from haoam_sync.errors import UsageError
from haoam_sync.importing import Foreign, Reading, Tree
from haoam_sync.model.section import SectionId
from haoam_sync.settings import default_state


@dataclass(frozen=True, slots=True)
class Target:
    """Where an import goes.

    Attributes:
        cluster: that the documents are for.
        instance: of that cluster, which is read.
        directory: the top of the desired-state repository.
        secrets: file to write values of secrets to, or a directory; None for one beside this user's state.
    """

    cluster: str
    instance: str
    directory: Path
    secrets: Path | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote.

    Attributes:
        owned: the path of each section's document, in the order of plans.
        foreign: what stays foreign, in the order of haproxy.cfg.
        warnings: things to know that stop nothing.
        files: every file written below the repository, sorted.
        secrets: file, or directory, that values of secrets were written to; None where there were none.
        uses: what the host must allow for what was written: reference, document kind, field.
    """

    owned: Mapping[SectionId, str]
    foreign: tuple[Foreign, ...]
    warnings: tuple[str, ...]
    files: tuple[str, ...]
    secrets: Path | None
    uses: tuple[tuple[str, str, str], ...]


def write(reading: Reading, tree: Tree, target: Target, extra: Mapping[str, bytes]) -> Imported:
    """Write the files, none of which may be there."""
    files = {**extra, **tree.files}
    for path in files:
        if (target.directory / path).exists():
            raise UsageError(
                f"{target.directory / path} is there already",
                code="E_EXISTS",
                hint="nothing was written; move it away, or import into an empty directory",
            )
    secrets = _write_secrets(tree, target) if tree.secrets else None
    for path, content in sorted(files.items()):
        place = target.directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            file.write(content)
    warnings = [*reading.warnings, *(text for one in reading.candidates for text in one.warnings)]
    return Imported(tree.places, reading.foreign, tuple(warnings), tuple(sorted(files)), secrets, tree.uses)


def _write_secrets(tree: Tree, target: Target) -> Path:
    """Write the values where only this user can read them, outside of the repository."""
    place = target.secrets or default_state() / "imported" / f"{target.cluster}.env"
    place = place.absolute()
    top = _top(target.directory)
    if place.resolve().is_relative_to(top):
        raise UsageError(
            f"{place} lies in the repository {top}",
            code="E_SECRETS_PLACE",
            hint="nothing was written; give --secrets a place outside of it",
        )
    if place.is_dir():
        for reference, value in sorted(tree.secrets.items()):
            _write_private(place / reference.removeprefix("file/"), f"{value}\n")
        return place
    lines = (f"{name.removeprefix('env/')}={shlex.quote(value)}\n" for name, value in sorted(tree.secrets.items()))
    _write_private(place, "".join(lines))
    return place


def _top(directory: Path) -> Path:
    """The top of the repository that a directory lies in; itself when it lies in none."""
    here = directory.resolve()
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), here)


def _write_private(place: Path, text: str) -> None:
    for parent in reversed(place.parents):  # one by one: `parents=True` would give the mode to the last one alone
        parent.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"{place} is there already", code="E_EXISTS", hint="move it away, or give another place by --secrets"
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
