"""`haoam-sync audit`."""

from __future__ import annotations

import click

from haoam_sync import audit as log
from haoam_sync.cli import printing
from haoam_sync.cli.places import output, places, resolve
from haoam_sync.cli.verbs import Verbs
from haoam_sync.errors import AuditError
from haoam_sync.report.verification import verification

FINDINGS = 2


@click.group(cls=Verbs)
def audit() -> None:
    """The record of what was intended, asked, answered and concluded."""


@audit.command()
@output("json")
@places
def verify(*, output: str, repo: str | None, root: str | None, state: str | None, audit: str | None) -> int:
    """Check the audit log: every hash, every gap, every configuration version.

    Exit 11 when the log is not whole; 2 when it is whole, and tells of something that nobody recorded, or of an apply
    without an outcome. Offline: nothing but the log is read.
    """
    found = log.verify(resolve(repo, root, state, audit).audit)
    value = found.to_json()
    printing.result(verification(value), value, output)
    if not found.intact:
        return AuditError.exit
    return FINDINGS if found.unattributed or found.unfinished or found.transactions else 0
