"""Every event that the audit log knows, and every problem that its verification can find: two tables.

docs/audit.md shows both; a test holds them equal. Codes are never reused for something else.
"""

from __future__ import annotations

from enum import Enum


class Event(Enum):
    """What a record is about: name, code, meaning."""

    LOG_OPENED = ("log.opened", "HOA001", "a run opened the log; names the runner and the key of the digests")
    LOG_TORN = ("log.torn", "HOA002", "a crash left an incomplete last line; it stays where it is, and is named here")
    LOG_CLOCK = ("log.clock", "HOA003", "the clock went back; times start again from here")
    COMMIT_ACCEPTED = ("commit.accepted", "HOA010", "a commit was found signed and reviewed")
    COMMIT_REFUSED = ("commit.refused", "HOA011", "a commit was not trusted; the error names the refusal")
    MEMORY_BEGUN = ("memory.begun", "HOA012", "an operator said what is accepted: the memory begins anew from there")
    APPLY_REFUSED = ("apply.refused", "HOA020", "an apply was refused before it wrote: not authorized, limit, digest")
    APPLY_INTENDED = ("apply.intended", "HOA021", "an apply is about to begin, by this authority")
    INSTANCE_INTENDED = ("instance.intended", "HOA022", "what the apply is about to do to one instance")
    INSTANCE_CONCLUDED = ("instance.concluded", "HOA023", "how one instance came out, and what it holds now")
    APPLY_CONCLUDED = ("apply.concluded", "HOA024", "how the apply came out")
    APPLY_RECOVERED = ("apply.recovered", "HOA025", "a later run closed an apply that ended without an outcome")
    REQUEST_ANNOUNCED = ("request.announced", "HOA030", "a request that writes is about to be sent")
    REQUEST_ANSWERED = ("request.answered", "HOA031", "its answer, or that none came")
    READ_ANSWERED = ("read.answered", "HOA032", "a request that only reads, and its answer")
    DRIFT_FOUND = ("drift.found", "HOA040", "an instance differs from the commit applied last")
    DRIFT_NONE = ("drift.none", "HOA041", "an instance was compared with the commit applied last, and does not differ")
    DRIFT_FAILED = ("drift.failed", "HOA042", "an instance could not be compared with the commit applied last")

    def __init__(self, label: str, code: str, meaning: str) -> None:
        self.label = label
        self.code = code
        self.meaning = meaning


EVENT_OF_CODE = {event.code: event for event in Event}

REFUSALS = {
    "E_AUDIT": "the log was closed, failed earlier in this run, or is broken where it had to be read",
    "E_AUDIT_WRITE": "log or key cannot be written, or others may write them: nothing is done that cannot be recorded",
    "E_AUDIT_READ": "the log cannot be read, or there is none",
    "E_AUDIT_TAIL": "the end of the log does not verify, so nothing is appended to it",
    "E_AUDIT_KEY": "the key file is no key, or others can read it",
    "E_AUDIT_ORDER": "a write outside an open apply, one that was not announced, or an outcome without an intention",
    "E_LOCKED": "another process writes this log",
}
"""With which codes the log itself refuses; all but the last are exit 11."""


class Flaw(Enum):
    """What verification can find wrong with a log: code and meaning. Each of them breaks the log."""

    FORMAT = ("E_AUDIT_FORMAT", "a line is no record in canonical form, or its event and code do not belong together")
    HASH = ("E_AUDIT_HASH", "a record does not give the hash that it carries")
    CHAIN = ("E_AUDIT_CHAIN", "a record does not name the hash of the one before it")
    SEQ = ("E_AUDIT_SEQ", "record numbers have a gap, a duplicate, or another order")
    TIME = ("E_AUDIT_TIME", "time goes back further than the tolerance, and no log.clock record says so")
    SEGMENT = ("E_AUDIT_SEGMENT", "a segment is missing, or empty in the middle of the log")
    TORN = ("E_AUDIT_TORN", "an incomplete line that no log.torn record names, or one named that is not there")
    KEY = ("E_AUDIT_KEY", "a run made its digests with another key than the one given")
    ORDER = ("E_AUDIT_ORDER", "a write, an answer or an outcome without the intention or announcement before it")

    def __init__(self, code: str, meaning: str) -> None:
        self.code = code
        self.meaning = meaning
