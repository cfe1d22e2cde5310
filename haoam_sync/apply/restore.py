"""Putting an instance back to what it was before the apply, and proving that it is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from haoam_sync.apply import runtime_state, worker
from haoam_sync.apply.earlier import reads_back, text_to_restore
from haoam_sync.apply.running import Running, spread
from haoam_sync.apply.runtime_state import RuntimeState
from haoam_sync.dataplane import Client
from haoam_sync.dataplane.answers import Raw
from haoam_sync.errors import ConflictError, InstanceError, NotRestoredError
from haoam_sync.model.json import digest_bytes
from haoam_sync.model.live import Live
from haoam_sync.model.section import SectionId, SectionKind

_ATTEMPTS = 5
_PAUSE_S = 1.0
_SETTLED = 3
_PASSING = frozenset({"E_UNREACHABLE", "E_TIMEOUT"})


@dataclass(frozen=True, slots=True)
class Restored:
    """The earlier state is back and proven.

    Attributes:
        version: configuration version now.
        checksum: of the text now, as `Live.checksum`.
        notes: what somebody should know.
    """

    version: int
    checksum: str
    notes: tuple[str, ...] = ()


def restore(
    client: Client,
    before: Live,
    changed: Collection[SectionId],
    states: RuntimeState,
    *,
    sleep: Callable[[float], None],
    settle: bool = False,
) -> Restored:
    """Write the earlier text back where it is not there any more, and prove file, memory and worker.

    A failed reload leaves the file as it was while the API keeps the broken configuration in memory (FACTS.md), so
    equal text alone does not do: the version in the text must be the API's too. What somebody else has written since
    stays (`earlier.py`). A file that was not in the server's normal form comes back in it: the server writes no other.

    Args:
        client: of the instance.
        before: the snapshot taken before the first write.
        changed: the sections that the apply was about.
        states: what the worker ran before.
        sleep: waits that many seconds.
        settle: a request may still be at work on the instance, since its answer never came: the earlier state counts
            only when it is seen several times.

    Raises:
        NotRestoredError: the earlier text is not back, or the worker does not run it.
    """
    problem = ""
    written = False
    sightings = _SETTLED if settle else 1
    for attempt in range(_ATTEMPTS + sightings):
        if attempt:
            sleep(_PAUSE_S * attempt)
        try:
            raw = client.raw()
            earlier = text_to_restore(before.text, raw.text, changed, before.api)
            back = _equal(raw.text, earlier.text) or (written and reads_back(earlier.text, raw.text, before.api))
            if _in_step(raw) and back:
                sightings -= 1
                if not sightings:
                    break
                continue
            client.write_raw(earlier.text, version=_version(raw, client))
            written = True
        except ConflictError as error:
            problem = error.message
        except InstanceError as error:
            problem = error.message
            if error.code not in _PASSING:
                raise _not_restored(client, problem) from error
    else:
        raise _not_restored(client, problem or "the configuration is not the one that was written back")
    sections = {section: found.body for section, found in before.sections.items()}
    wanted = {section: sections.get(section) for section in changed}
    running = Running(client, raw.text, spread([s.name for s in changed if s.kind is SectionKind.BACKEND]))
    orders, notes = runtime_state.put_back(client, states, before, before, running, sleep=sleep)
    wrong = worker.differences(client, wanted, orders, text=raw.text, sleep=sleep)
    if wrong:
        raise _not_restored(client, f"the earlier text is back, but HAProxy does not run it: {'; '.join(wrong)}")
    if earlier.others:
        notes = (*notes, f"somebody else has changed {', '.join(earlier.others)} meanwhile; that was kept")
    return Restored(_version(raw, client), digest_bytes(raw.text.encode()), notes)


def _equal(one: str, other: str) -> bool:
    return one.strip("\n") == other.strip("\n")


def _in_step(raw: Raw) -> bool:
    """Whether the file is what the API has in its memory."""
    return raw.file_version in (None, raw.version)


def _version(raw: Raw, client: Client) -> int:
    if raw.version is None:
        raise InstanceError("an answer without Configuration-Version", code="E_NONSENSE", where=str(client.id))
    return raw.version


def _not_restored(client: Client, why: str) -> NotRestoredError:
    return NotRestoredError(
        f"the earlier state could not be restored: {why}",
        where=str(client.id),
        hint="look at this instance now: compare haproxy.cfg with the journal's copy of it, and reload HAProxy by hand",
    )
