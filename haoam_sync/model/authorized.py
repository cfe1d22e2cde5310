"""A plan that somebody allowed."""

from __future__ import annotations

from dataclasses import dataclass

from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.plan import Plan


@dataclass(frozen=True, slots=True)
class AuthorizedPlan:
    """A plan, and the trusted commit that it does. `apply` takes nothing else.

    Only `authorize.py` makes one: a test on the syntax tree holds that.

    Attributes:
        plan: what will be done.
        commit: who wanted it and who reviewed it.
    """

    plan: Plan
    commit: TrustedCommit
