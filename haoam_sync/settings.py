"""What the operator decides outside of git: four places, and who runs this. Frozen once read."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are.

    Attributes:
        repo: path or URL of the desired-state repository.
        root: the host root file: who is trusted to begin with. Not writable by others.
        state: directory of the runner's own memory: accepted commit, applied commits, locks.
        audit: directory of the audit log.
        runner: name of this runner in audit records.
        state_key: private key that a runner without a disk signs its memory with; None for none.
    """

    repo: str
    root: Path
    state: Path
    audit: Path
    runner: str
    state_key: Path | None = None


def default_root() -> Path:
    """`/etc/haoam/root.yaml` where it exists, else the user's own configuration directory."""
    system = Path("/etc/haoam/root.yaml")
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return system if system.exists() else home / "haoam" / "root.yaml"


def default_state() -> Path:
    """The user's own state directory."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "haoam"


def resolve(repo: str | None, root: str | None, state: str | None, audit: str | None) -> Settings:
    """Fill in what was not given: `--repo` is the current directory, `--audit` lies in the state directory."""
    chosen_state = Path(state).absolute() if state else default_state()
    return Settings(
        repo=repo or str(Path.cwd()),
        root=Path(root).absolute() if root else default_root(),
        state=chosen_state,
        audit=Path(audit).absolute() if audit else chosen_state / "audit",
        runner=os.environ.get("HAOAM_RUNNER") or socket.gethostname(),
        state_key=Path(os.environ["HAOAM_STATE_KEY"]).absolute() if os.environ.get("HAOAM_STATE_KEY") else None,
    )
