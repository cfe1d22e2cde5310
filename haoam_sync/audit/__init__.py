"""Stage: what was done, by whose authority, as a log that anyone can verify offline.

::

    log      = audit.open_log(settings.audit, clock=now, key=audit.load_key(settings.state))
    log.start(runner)                                  HOA001
    log.accepted(trusted) / log.refused(error)         HOA010, HOA011, HOA020
    apply    = log.intend(authorized, runner=runner)   HOA021, HOA022: on the disk before anything is written
    recorder = log.recorder(apply)                     HOA030 before each write, HOA031 and HOA032 after each answer
    log.conclude(apply, outcome)                       HOA023, HOA024

`audit.leftovers(directory)` finds what a crash left, `log.resume` takes it up; `audit.verify(directory)` says whether
the log is whole and what it does not explain. docs/audit.md shows all of it, docs/formats.md the bytes.
"""

from haoam_sync.audit.attribution import Unattributed
from haoam_sync.audit.codes import REFUSALS, Event, Flaw
from haoam_sync.audit.key import AuditKey, load_key
from haoam_sync.audit.leftovers import Leftovers, LeftTransaction, Unfinished, last_accepted, leftovers, unfinished
from haoam_sync.audit.log import Apply, AuditLog, open_log
from haoam_sync.audit.recording import LogRecorder
from haoam_sync.audit.verdict import LogFlaw, SegmentSummary, Verification
from haoam_sync.audit.verification import verify

__all__ = [
    "REFUSALS",
    "Apply",
    "AuditKey",
    "AuditLog",
    "Event",
    "Flaw",
    "LeftTransaction",
    "Leftovers",
    "LogFlaw",
    "LogRecorder",
    "SegmentSummary",
    "Unattributed",
    "Unfinished",
    "Verification",
    "last_accepted",
    "leftovers",
    "load_key",
    "open_log",
    "unfinished",
    "verify",
]
