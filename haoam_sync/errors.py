"""Everything that haoam-sync refuses or fails at, as one tree.

::

    HaoamError                exit 1    anything unexpected that we still could name
    ├── InvalidDesiredError   exit 3    the desired state is wrong; carries every problem of the commit
    ├── NotTrustedError       exit 4    E_...: the commit, its reviews or its repository are not trusted
    │   └── ForgeDownError              the forge gives no answer at all: what it would say is not known
    ├── NotAuthorizedError    exit 5    the commit is trusted, but may not make this change
    ├── OverLimitError        exit 6    the plan goes over a limit
    ├── InstanceError         exit 7    an instance cannot be reached, or answers nonsense
    │   ├── ConflictError               409 or 406: somebody else wrote in between; read and plan again
    │   ├── RefusedError                the instance's own HAProxy refuses the configuration (validation or reload)
    │   └── MissingObjectError          404 for an object
    ├── RestoredError         exit 8    the apply failed, the earlier state is restored and proven
    ├── NotRestoredError      exit 9    the apply failed, and the earlier state is NOT restored
    ├── PlanMismatchError     exit 10   the digest given is not the plan's
    ├── AuditError            exit 11   the audit log cannot be written, or does not verify
    ├── LockedError           exit 12   somebody else holds the lock
    └── UsageError            exit 64   wrong usage

Each error says what, where, why (its message) and what to do (its hint). Only the command line turns one into text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with the desired state.

    Attributes:
        file: path inside the repository, or "" where no file is meant.
        line: counted from 1; 0 when unknown.
        column: counted from 1; 0 when unknown.
        message: what is wrong and what was expected.
        hint: what to do, "did you mean" included; may be "".
        code: name of the refusal: E_INVALID, E_YAML (the file itself), E_SECRET_REFERENCE (a secret out of place).
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    code: str = "E_INVALID"

    def __str__(self) -> str:
        """`message (hint) file:line:column`, the position last, as in every message of this tool."""
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.message}{hint} {where}".strip()


class HaoamError(Exception):
    """The root of the tree.

    Attributes:
        exit: the process's exit code for this family.
        code: stable name of the refusal (E_...).
        where: file:line:column, a commit, or cluster/instance/section.
        hint: what to do.
    """

    exit: ClassVar[int] = 1
    default_code: ClassVar[str] = "E_UNEXPECTED"

    def __init__(self, message: str, *, code: str = "", where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """One line for people: message, place, what to do."""
        where = f" [{self.where}]" if self.where else ""
        hint = f"\n  {self.hint}" if self.hint else ""
        return f"{self.message}{where}{hint}"


class InvalidDesiredError(HaoamError):
    """The desired state is wrong. Carries every problem found, not only the first; its code is their gravest."""

    exit = 3
    default_code = "E_INVALID"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        codes = {problem.code for problem in problems}
        first = self.problems[0]
        super().__init__(
            f"the desired state has {count} problem{'' if count == 1 else 's'}; the first: {first.message}",
            code=next((code for code in ("E_SECRET_REFERENCE", "E_YAML") if code in codes), ""),
            where=":".join(str(part) for part in (first.file, first.line, first.column) if part),
            hint=first.hint,
        )


class NotTrustedError(HaoamError):
    """A commit, a review, or the repository that carries them is not trusted."""

    exit = 4
    default_code = "E_NOT_TRUSTED"


class ForgeDownError(NotTrustedError):
    """A forge gives no answer at all: no connection, no time, an error of its own, or its rate limit is used up.

    An answer that is wrong or incomplete is none of these: somebody may have made it so.
    """

    default_code = "E_FORGE_UNKNOWN"


class NotAuthorizedError(HaoamError):
    """The commit is trusted, but nobody allowed this change."""

    exit = 5
    default_code = "E_NOT_AUTHORIZED"


class OverLimitError(HaoamError):
    """The plan goes over a limit of haoam.yaml."""

    exit = 6
    default_code = "E_OVER_LIMIT"


class InstanceError(HaoamError):
    """An instance cannot be reached, or answers nonsense."""

    exit = 7
    default_code = "E_INSTANCE"


class ConflictError(InstanceError):
    """Somebody else wrote in between (409, 406): nothing of ours was written; read and plan again."""

    default_code = "E_CONFLICT"


class RefusedError(InstanceError):
    """The instance's HAProxy refuses what was written, at validation or at reload."""

    default_code = "E_REFUSED"


class MissingObjectError(InstanceError):
    """The object asked for is not there (404)."""

    default_code = "E_MISSING_OBJECT"


class RestoredError(HaoamError):
    """The apply failed; the earlier state is restored and proven."""

    exit = 8
    default_code = "E_RESTORED"


class NotRestoredError(HaoamError):
    """The apply failed, and the earlier state is NOT restored: somebody must look now."""

    exit = 9
    default_code = "E_NOT_RESTORED"


class PlanMismatchError(HaoamError):
    """The digest given is not the digest of the plan computed now: what was shown is not what would be done."""

    exit = 10
    default_code = "E_PLAN_MISMATCH"


class AuditError(HaoamError):
    """The audit log cannot be written, or does not verify."""

    exit = 11
    default_code = "E_AUDIT"


class LockedError(HaoamError):
    """Somebody else holds the lock of a cluster."""

    exit = 12
    default_code = "E_LOCKED"


class UsageError(HaoamError):
    """The command line, or a file it names, is wrong."""

    exit = 64
    default_code = "E_USAGE"


EXIT_PRECEDENCE: tuple[int, ...] = (9, 8, 11, 7, 4, 5, 10, 6, 12, 3, 2)
"""When several exit codes hold, the first of these that does is the process's."""


def worst_exit(codes: set[int]) -> int:
    """The exit code of a run in which each of `codes` was earned; 0 when there is none."""
    for code in EXIT_PRECEDENCE:
        if code in codes:
            return code
    return max(codes, default=0)
