"""Which way an instance's changes are written: the cost model. Pure.

The figures are those of FACTS.md ("Writing"), taken on one core with five servers a backend. They need not be exact:
the ways differ by orders of magnitude, and the switch only has to lie near where they meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from haoam_sync.model import run_time
from haoam_sync.model.live import Live
from haoam_sync.model.plan import Action, Change, InstancePlan

_WRITE_S = 0.003
"""A write in a transaction on a small configuration: 10 took 0.03 s at 100 backends."""
_WRITE_S_A_BACKEND = 18e-6
"""What each backend adds to it: 10 writes took 1.8 s at 10,000."""
_VALIDATION_S = 0.05
_VALIDATION_S_A_BACKEND = 80e-6
"""The extra judgement (`only_validate`) that a bulk write asks for. Writing the file, judging it and the reload cost
the same both ways (2.1 s at 10,000 backends), so they are no part of the choice."""
ACTIONS_BYTES = 4_000
"""So much goes into the header `X-Runtime-Actions`: servers and proxies in between take 8 kB for all headers."""


class Writer(StrEnum):
    """The ways."""

    DIRECT = "direct"
    """One write of the file without a reload, and with it what the worker is to do."""
    TRANSACTION = "transaction"
    """One write for each section, committed together."""
    BULK = "bulk"
    """One write of the whole file, with the sections of the plan replaced in it."""


def choose(plan: InstancePlan, live: Live) -> Writer:
    """The writer for a plan that has changes."""
    whole_file = plan.repair or plan.normal_form is not None
    if not whole_file and not any(change.cost.reload for change in plan.changes) and _fits(actions(plan, live)):
        return Writer.DIRECT
    if any(change.unshown or _forgotten(change) for change in plan.changes):
        return Writer.BULK
    return by_cost(len(plan.changes), run_time.count_backends(live))


def _forgotten(change: Change) -> bool:
    """Whether a section holds rules that the server does not show after it took them as an object (measured).

    It takes `sc-set-gpt0(0) 1` for a rule with a number and an empty expression, which it finds wrong; read from text,
    the rule is whole. So with `set-src` in a `tcp-request connection` or `session`. Lines that it does not know at all
    it keeps in a section that it replaces.
    """
    for field, rules in (change.body or {}).items():
        if isinstance(rules, Sequence) and not isinstance(rules, str):
            for rule in rules:
                if not isinstance(rule, Mapping):
                    continue
                if rule.get("sc_int") is not None:
                    return True
                if field == "tcp_request_rule_list" and rule.get("action") == "set-src":
                    return True
    return False


def by_cost(writes: int, backends: int) -> Writer:
    """Transaction or bulk, whichever should take less time.

    Args:
        writes: sections to create, update or delete.
        backends: on the instance.
    """
    transaction = writes * (_WRITE_S + _WRITE_S_A_BACKEND * backends)
    bulk = _VALIDATION_S + _VALIDATION_S_A_BACKEND * backends
    return Writer.TRANSACTION if transaction <= bulk else Writer.BULK


def actions(plan: InstancePlan, live: Live) -> str:
    """The `X-Runtime-Actions` of a plan that needs no reload."""
    found: list[str] = []
    for change in plan.changes:
        if change.action is Action.UPDATE and change.body is not None:
            found += run_time.actions(change.section, live.sections[change.section].body, change.body)
    return ";".join(found)


def _fits(header: str) -> bool:
    return len(header) <= ACTIONS_BYTES
