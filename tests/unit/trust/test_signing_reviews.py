"""What keeps a review from being signed, beside what is wrong with the commit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import MOST_PLANS
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.review import _bound


def _policy(bind: str) -> LoadedPolicy:
    return cast("LoadedPolicy", SimpleNamespace(spec=SimpleNamespace(review=SimpleNamespace(bind=bind))))


def _plans(number: int) -> dict[str, str]:
    return {f"eu/lb{one}": f"sha256:{one:064x}" for one in range(number)}


def test_more_plans_than_a_statement_binds() -> None:
    """All that was shown is bound, or nothing is signed: some of the plans alone would look like all."""
    policy = _policy("plan")
    assert _bound(policy, _plans(MOST_PLANS), "approve", "x") == _plans(MOST_PLANS)
    with pytest.raises(NotTrustedError, match="a statement binds") as caught:
        _bound(policy, _plans(MOST_PLANS + 1), "approve", "x")
    assert caught.value.code == "E_PLAN_REVIEW"


@pytest.mark.parametrize("decision", ["reject", "withdraw"])
def test_a_no_binds_no_plan(decision: str) -> None:
    """Who says no need not have seen a plan, and neither need anybody where the policy does not bind it."""
    assert _bound(_policy("plan"), None, decision, "x") == {}  # type: ignore[arg-type]  # one of the words
    assert _bound(_policy("change"), _plans(1), "approve", "x") == {}
