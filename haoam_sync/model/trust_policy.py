"""The trust policy (`trust.yaml`): who may author, review and merge what.

Values only; `trust/policy.py` judges them.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from haoam_sync.model import glob
from haoam_sync.model.evidence import YEARS

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""A principal's or role's name: no patterns, no spaces."""
KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{40}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Serial = Annotated[int, Field(ge=1, le=2**53 - 1)]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DURATION = re.compile(r"P(?:(\d{1,4})W|(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?)?)")
_PATTERN = re.compile(r"[A-Za-z0-9._@+=,~*-]+(?:/[A-Za-z0-9._@+=,~*-]+)*")

_ANY_NAMES = "(?:[^/]+/)"

TRUST_FILE = "trust.yaml"
KEY_DIRECTORY = "keys/"
SECTIONS = "haproxy/"
"""Where the documents lie that declare sections."""


def is_trust_file(path: str) -> bool:
    """Whether `path` is part of the policy: changed alone, by a quorum of the roots."""
    return path == TRUST_FILE or path.startswith(KEY_DIRECTORY)


def _date_text(text: str) -> str:
    if _DATE.fullmatch(text) is None:
        raise ValueError('a date is written "2027-11-01"')
    if date.fromisoformat(text).year not in YEARS:
        raise ValueError(f"the year is from {YEARS[0]} to {YEARS[-1]}")
    return text


def _duration_text(text: str) -> str:
    parse_duration(text)
    return text


def _pattern_text(text: str) -> str:
    if _PATTERN.fullmatch(text) is None or any(part in {".", ".."} for part in text.split("/")):
        raise ValueError("a path pattern holds names, `*` (within a name) and `**` (any number of names), without `..`")
    if any("**" in part and part != "**" for part in text.split("/")):
        raise ValueError("`**` stands for whole names, between slashes")
    return text


def parse_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of weeks, or of days, hours and minutes: `P7D`, `PT12H`, `P2W`.

    Raises:
        ValueError: it is none, or is no time at all.
    """
    found = _DURATION.fullmatch(text)
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups()) if found is not None else (0, 0, 0, 0)
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not length:
        raise ValueError("a duration is written P7D, PT12H or P2W")
    return length


DateText = Annotated[str, AfterValidator(_date_text)]
DurationText = Annotated[str, AfterValidator(_duration_text)]
PathPattern = Annotated[str, AfterValidator(_pattern_text)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


KeyStatus = Literal["active", "retired", "compromised"]
"""`retired` keys make nothing new, their history stays valid. `compromised` ones make nothing new
either; only the host's denylist takes away what they made."""


class SshKey(_Strict):
    """An SSH public key, `TYPE BASE64` and nothing else."""

    id: KeyId
    type: Literal["ssh"] = "ssh"
    public: Annotated[str, StringConstraints(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$", max_length=2048)]
    status: KeyStatus = "active"
    not_after: DateText | None = None


class OpenpgpKey(_Strict):
    """An OpenPGP key, named by its primary fingerprint; the certificate lies beside the policy."""

    id: KeyId
    type: Literal["openpgp"]
    fingerprint: Fingerprint
    certificate: Annotated[str, StringConstraints(pattern=r"^keys/[A-Za-z0-9._-]+$")]
    status: KeyStatus = "active"
    not_after: DateText | None = None


Key = Annotated[SshKey | OpenpgpKey, Field(discriminator="type")]


class Forge(_Strict):
    """Accounts on forges, by their numeric ids only: logins can be renamed and taken by others."""

    github: Annotated[int, Field(ge=1)]


class Principal(_Strict):
    """A person, or a bot and who operates it."""

    kind: Literal["human", "bot"] = "human"
    keys: tuple[Key, ...] = ()
    forge: Forge | None = None
    operators: tuple[Name, ...] = ()


class Role(_Strict):
    """Who is in a role; `threshold` has a meaning for `root` alone."""

    members: tuple[Name, ...]
    threshold: Annotated[int, Field(ge=1, le=100)] = 1


class Rule(_Strict):
    """What a change of some paths needs. All rules that match a path count; a path without a rule can not change."""

    paths: Annotated[tuple[PathPattern, ...], Field(min_length=1)]
    require: Annotated[dict[Name, Annotated[int, Field(ge=1, le=100)]], Field(min_length=1)]
    evidence: Literal["signed", "github", "any", "both"] = "signed"
    waive: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{0,31}$")], ...] = ()

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("|".join(_expression(pattern) for pattern in self.paths))

    def matches(self, path: str) -> bool:
        """Whether one of the patterns is the whole `path`."""
        return self._expression.fullmatch(path) is not None


class Merge(_Strict):
    """How changes may come onto the branch."""

    methods: Annotated[tuple[Literal["fast-forward", "merge", "squash"], ...], Field(min_length=1)] = (
        "fast-forward",
        "merge",
    )
    forge_keys: tuple[Key, ...] = ()
    up_to_date: Literal["required", "disjoint"] = "disjoint"


class ReviewTerms(_Strict):
    """What a review is worth: how long it counts, and whether it binds the plan too."""

    max_age: DurationText = "P7D"
    bind: Literal["change", "plan"] = "change"


class TrustLimits(_Strict):
    """What one step, and the tree after it, may hold at most."""

    commits: Annotated[int, Field(ge=1, le=10_000)] = 200
    file_bytes: Annotated[int, Field(ge=1)] = 1 << 20
    tree_bytes: Annotated[int, Field(ge=1)] = 1 << 23
    files: Annotated[int, Field(ge=1)] = 50_000


class TrustPolicy(_Strict):
    """The `spec` of `trust.yaml`.

    Attributes:
        serial: one more at each change, never reused.
        previous: digest of the policy file before; absent in the first one.
        ref: the branch that is applied, in full.
        principals: people and bots, by name.
        roles: `root`, `author`, `reviewer`, `merger`, and any others that rules ask for.
        rules: what changes of which paths need.
        merge: how changes may come onto the branch.
        review: what a review is worth.
        limits: bounds of a step.
    """

    serial: Serial
    previous: Digest | None = None
    ref: Annotated[str, StringConstraints(pattern=r"^refs/heads/[A-Za-z0-9._/+-]{1,200}$")]
    principals: dict[Name, Principal]
    roles: dict[Name, Role]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    merge: Merge = Merge()
    review: ReviewTerms = ReviewTerms()
    limits: TrustLimits = TrustLimits()

    def members(self, role: str) -> frozenset[str]:
        """Names in a role; none when there is no such role."""
        found = self.roles.get(role)
        return frozenset(found.members) if found is not None else frozenset()

    def roles_of(self, principal: str) -> tuple[str, ...]:
        """The roles of a principal, sorted."""
        return tuple(sorted(name for name, role in self.roles.items() if principal in role.members))

    def rules_for(self, path: str) -> tuple[Rule, ...]:
        """Every rule that matches `path`."""
        return tuple(rule for rule in self.rules if rule.matches(path))


def _expression(pattern: str) -> str:
    """A path pattern as a regular expression, matched against whole paths; it never goes back (`glob`).

    What stands between two `**` is searched for once: another `**` follows, so that its first place is as good as any.
    """
    blocks: list[list[str]] = [[]]
    for part in pattern.split("/"):
        if part == "**":
            blocks.append([])
        else:
            blocks[-1].append(glob.expression(part, "[^/]"))
    first, *others = ["".join(f"{part}/" for part in block) for block in blocks]
    if not others:
        return first.removesuffix("/")
    *middle, last = others
    kept = "".join(f"(?>{_ANY_NAMES}*?{block})" for block in middle if block)
    return first + kept + (f"{_ANY_NAMES}*{last.removesuffix('/')}" if last else ".+")
