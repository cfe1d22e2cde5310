"""What this host remembers: show it, and begin it by an operator's word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from haoam_sync import trust
from haoam_sync.errors import UsageError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.pipeline import connecting, owning
from haoam_sync.pipeline.opening import Opened, audit_log, opened
from haoam_sync.settings import Settings
from haoam_sync.state import Applied, StateDirectory


@dataclass(frozen=True, slots=True)
class Remembered:
    """What this host knows.

    Attributes:
        accepted: every commit it accepted, oldest first.
        applied: what was applied to each cluster last.
    """

    accepted: tuple[TrustedCommit, ...]
    applied: Mapping[str, Applied]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an operator is shown before the memory begins anew.

    Attributes:
        here: the places, as they were opened for showing.
        accepted: the commit, proven from the introduction on.
    """

    here: Opened
    accepted: trust.Accepted


@contextmanager
def beginning(settings: Settings, revision: str, without: tuple[str, ...]) -> Iterator[Beginning]:
    """Prove a commit from the introduction on, as if nothing were remembered, and ask every instance of it.

    Args:
        settings: the four places.
        revision: the commit.
        without: instances, `CLUSTER/NAME`, that are not asked: nobody knows what they carry.

    Raises:
        NotTrustedError: it is not trusted; or E_STATE_ROLLBACK, something newer was applied or accepted before, as the
            audit log, the records of applies or the marks on an instance say.
        InstanceError: an instance that must be asked does not answer.
        UsageError: there is no such commit, or no such instance.
    """
    with opened(settings) as here:
        accepted = here.verify_from_nothing(revision)
        fleet = here.fleet(accepted.commit)
        unknown = set(without) - {str(one.id) for one in fleet.instances()}
        if unknown:
            raise UsageError(f"there is no instance {min(unknown)!r}", hint="write CLUSTER/NAME, as haoam.yaml does")
        asked = [one for one in fleet.instances() if str(one.id) not in without]
        snapshots = connecting.snapshots(asked, here.reveal, Unrecorded(), {})
        owning.require_newest(here, accepted.commit.id, snapshots)
        yield Beginning(here, accepted)


def begin(shown: Beginning, kind: Literal["seed", "confirm"]) -> None:
    """By an operator's word, remember what was shown.

    Args:
        shown: what `beginning` gave.
        kind: `seed` where nothing is remembered, `confirm` where what is there can not be believed.

    Raises:
        UsageError: E_STATE_SEED, the other kind is meant; E_SIGN, there is no key for a record.
        AuditError: it could not be recorded.
    """
    with audit_log(shown.here.settings) as log:
        shown.here.memory.begin(shown.accepted, kind)
        log.begun(shown.accepted.commit)


def remembered(settings: Settings) -> Remembered:
    """What this host accepted and applied.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK.
    """
    if trust.read_root(settings.root).runners:
        with opened(settings) as here:
            here.memory.load()
            return Remembered(tuple(here.memory.history()), here.memory.all_applied())
    state = StateDirectory(settings.state)
    return Remembered(tuple(trust.history(settings.state)), state.all_applied())
