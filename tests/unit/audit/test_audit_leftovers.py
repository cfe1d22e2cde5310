"""What earlier runs left behind is findable."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit_samples import COMMIT, EU1, EU2, RUNNER, apply_once, authorized, instance_plan, opened, outcome, request, say

from haoam_sync import audit
from haoam_sync.errors import AuditError
from haoam_sync.model.exchange import Answer


def test_nothing_is_left_by_applies_that_ended(tmp_path: Path) -> None:
    """Concluded applies and committed transactions are not found; neither is anything where there is no log yet."""
    with opened(tmp_path / "audit", segment_bytes=3000) as log:
        for turn in range(3):
            apply_once(log, version=5 + turn, transaction=f"t{turn}")
    assert audit.leftovers(tmp_path / "audit") == audit.Leftovers((), ())
    assert audit.leftovers(tmp_path / "nowhere") == audit.Leftovers((), ())


def test_an_apply_without_an_outcome_is_found_with_its_authority(tmp_path: Path) -> None:
    """After a crash the next run knows which apply it was, by what authority, and about which instances."""
    with opened(tmp_path) as log:
        apply_once(log)
        plan = authorized(instance_plan(EU1), instance_plan(EU2))
        apply = log.intend(plan, runner=RUNNER)
    (left,) = audit.unfinished(tmp_path)
    assert (left.apply, left.seq, left.instances) == (apply.id, 15, (EU1, EU2))
    assert (left.authority.commit, left.authority.plan_digest) == (COMMIT, plan.plan.digest)


def test_a_resumed_apply_ends_as_recovered(tmp_path: Path) -> None:
    """The next run may write in its name, and its outcome closes it."""
    with opened(tmp_path) as log:
        log.intend(authorized(), runner=RUNNER)
    with opened(tmp_path) as log:
        apply = log.resume(audit.unfinished(tmp_path)[0])
        say(log.recorder(apply), request("POST", "/configuration/raw", body=b"x", version="5"), Answer(201))
        log.conclude(apply, outcome())
    assert audit.unfinished(tmp_path) == ()
    assert '"event":"apply.recovered"' in (tmp_path / "audit-000001.jsonl").read_text().splitlines()[-1]
    assert audit.verify(tmp_path).intact


@pytest.mark.parametrize(
    ("method", "status", "left"),
    [("DELETE", 204, 0), ("DELETE", 404, 0), ("PUT", 202, 0), ("DELETE", 0, 1), ("PUT", 400, 1), ("PUT", 409, 1)],
)
def test_a_transaction_is_left_until_it_is_committed_or_gone(
    tmp_path: Path, method: str, status: int, left: int
) -> None:
    """Failed and outdated transactions stay in the server's list (FACTS.md), so they stay in ours."""
    with opened(tmp_path) as log:
        recorder = log.recorder(log.intend(authorized(), runner=RUNNER))
        say(recorder, request("POST", "/transactions", version="5"), Answer(201, transaction_id="t1"))
        say(recorder, request("POST", "/transactions", EU2, version="5"), Answer(429, error_class="busy"))
        say(recorder, request(method, "/transactions/t1"), Answer(status, error_class="x" if left else ""))
        say(recorder, request("DELETE", "/transactions/t1", EU2), Answer(204))
    found = audit.leftovers(tmp_path).transactions
    assert [(one.instance, one.id) for one in found] == [(EU1, "t1")] * left


def test_a_body_that_looks_like_a_record_changes_nothing(tmp_path: Path) -> None:
    """A redacted body that holds the text of a telling code is only a body."""
    shown = {"code": "HOA024", "apply": "20260301T120000-1", "event": "apply.concluded"}
    with opened(tmp_path) as log:
        apply = log.intend(authorized(), runner=RUNNER)
        log.recorder(apply).announce(request("PUT", "/configuration/global", body=b"x", shown=shown))
    assert [left.apply for left in audit.unfinished(tmp_path)] == [apply.id]


def test_a_broken_telling_line_is_an_error(tmp_path: Path) -> None:
    """What was left cannot be known from a log that is broken there: exit 11 with file and line."""
    with opened(tmp_path) as log:
        log.intend(authorized(), runner=RUNNER)
    path = tmp_path / "audit-000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"alice", b"mallo", 1))
    with pytest.raises(AuditError) as refusal:
        audit.leftovers(tmp_path)
    assert refusal.value.where.endswith("audit-000001.jsonl:1")
