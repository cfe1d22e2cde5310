"""`trust lint`: what a commit's policy makes possible, on this host, today. Nothing is judged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from haoam_sync import trust
from haoam_sync.errors import InvalidDesiredError, NotTrustedError
from haoam_sync.model.lint import LintFinding
from haoam_sync.pipeline.opening import Opened, opened
from haoam_sync.settings import Settings


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found.

    Attributes:
        commit: whose policy.
        serial: of the policy; 0 where it does not hold together.
        digest: of the policy; "" where it does not hold together.
        findings: the gravest first.
    """

    commit: str
    serial: int
    digest: str
    findings: tuple[LintFinding, ...]


def lint_trust(settings: Settings, revision: str, *, days: int) -> Linted:
    """Look at the policy of a commit, with its tree, this host's root file and what roots said.

    Args:
        settings: the four places.
        revision: `COMMIT` or `COMMIT~N`; "" for the tip of the policy's branch. It need not be trusted.
        days: so long before its end a key is worth a word.

    Raises:
        NotTrustedError: the host root file, its denylist or the repository can not be believed.
        UsageError: there is no such commit.
    """
    with opened(settings) as here:
        commit = trust.Revision.parse(revision).find(here.repository, here.root)
        try:
            policy = trust.policy_at(here.repository, here.root, commit, here.now)
        except NotTrustedError as error:
            broken = LintFinding(
                "error",
                error.code,
                "trust.yaml",
                error.message,
                "no commit that brings this policy in can be accepted",
                error.hint,
            )
            return Linted(commit, 0, "", (broken,))
        found = trust.lint(
            trust.Subject(
                powers=trust.Powers(policy, here.now, _denied(here), forge=here.root.github is not None),
                soon=timedelta(days=days),
                paths=tuple(here.repository.files(commit)),
                classes=_classes(here, commit),
                may_be_solo=here.root.solo,
            )
        )
        return Linted(commit, policy.spec.serial, policy.digest, found)


def _denied(here: Opened) -> frozenset[str]:
    """Keys called compromised; where nothing can be accepted, those of the host's own list."""
    try:
        accepted = here.speaking()[0]
    except NotTrustedError:
        return trust.read_denylist(here.root)
    return trust.denied_keys(here.repository, here.root, accepted, here.now)


def _classes(here: Opened, commit: str) -> Collection[str] | None:
    try:
        return frozenset(one.id for one in here.unresolved(commit).classes)
    except InvalidDesiredError:
        return None
