"""Every version and checksum of every instance is explained by a record, or reported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from audit_samples import COMMIT, EU1, EU2, RUNNER, authorized, instance_plan, opened, outcome, request, say, transact

from haoam_sync import audit
from haoam_sync.audit.recording import LogRecorder
from haoam_sync.model.exchange import Answer
from haoam_sync.model.outcome import Result

Told = tuple[str, str, str]


class Story:
    """One apply, told step by step."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = opened(directory)
        self.apply = self.log.intend(
            authorized(instance_plan(version=5), instance_plan(EU2, version=70)), runner=RUNNER
        )
        self.recorder: LogRecorder = self.log.recorder(self.apply)

    def read(self, version: int, **query: str) -> None:
        """The instance is seen at `version`."""
        say(self.recorder, request("GET", "/configuration/backends", **query), Answer(200, version))

    def raw(self, version: int, checksum: str) -> None:
        """The text is read."""
        say(self.recorder, request("GET", "/configuration/raw"), Answer(200, version, checksum))

    def write(self, status: int, *, version: int = 5, **query: str) -> None:
        """A write on `version`, outside a transaction."""
        asked = request("POST", "/configuration/raw", body=b"x", version=str(version), **query)
        say(self.recorder, asked, Answer(status, error_class="" if status in range(200, 300) else "x"))

    def ends(self) -> list[Told]:
        """What the verification finds."""
        self.log.close()
        checked = audit.verify(self.directory)
        assert checked.intact
        return [(change.what, change.expected, change.found) for change in checked.unattributed]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """An apply that was intended at version 5 (and 70 of the other instance)."""
    return Story(tmp_path)


def test_our_own_writes_explain_the_versions_they_make(story: Story) -> None:
    """A transaction, then two direct writes: three versions, each read back, all explained."""
    transact(story.recorder)
    story.write(202, version=6)
    story.write(200, version=7)
    story.read(8)
    assert story.ends() == []


def test_a_version_that_nobody_wrote_is_reported_once(story: Story) -> None:
    """Somebody else's write shows at the next read, and later records build on it."""
    story.read(5)
    story.read(6)
    story.read(6)
    story.write(201, version=6)
    story.read(7)
    assert story.ends() == [("version", "5", "6")]


def test_a_version_that_went_back_is_reported(story: Story) -> None:
    """A file put back from a backup shows as a lower version."""
    story.read(4)
    assert story.ends() == [("version", "5", "4")]


def test_a_change_between_our_write_and_the_next_read_is_reported(story: Story) -> None:
    """Our write explains one version, not two."""
    story.write(201)
    story.read(7)
    assert story.ends() == [("version", "6", "7")]


def test_a_write_that_vanished_is_reported(story: Story) -> None:
    """After a write that the server acknowledged, the earlier version is no longer right."""
    story.write(201)
    story.read(5)
    assert story.ends() == [("version", "6", "5")]


def test_a_write_on_a_version_that_nobody_made_is_reported(story: Story) -> None:
    """The server accepts a write only on the version there is; so that one was there."""
    story.write(201, version=9)
    story.read(10)
    assert story.ends() == [("version", "5", "9")]


@pytest.mark.parametrize("status", [401, 403, 404, 406, 409, 422, 429])
def test_a_refused_write_moves_nothing(story: Story, status: int) -> None:
    """After a refusal that wrote nothing, the version and the checksum are what they were."""
    story.raw(5, "aa")
    story.write(status)
    story.raw(5, "bb")
    story.read(6)
    assert story.ends() == [("checksum", "aa", "bb"), ("version", "5", "6")]


@pytest.mark.parametrize("status", [0, 400, 500])
@pytest.mark.parametrize("version", [5, 6])
def test_after_an_unclear_answer_both_versions_are_explained(story: Story, status: int, version: int) -> None:
    """A failed reload has moved the version, a failed validation has not; no answer may be either."""
    story.write(status)
    story.raw(version, "cc")
    story.read(version)
    story.read(8)
    assert story.ends() == [("version", str(version), "8")]


def test_an_announced_write_without_an_answer_explains_one_version(story: Story) -> None:
    """A crash after sending: the version may have gone up by one, not by two."""
    story.recorder.announce(request("POST", "/configuration/raw", version="5"))
    story.read(7)
    assert story.ends() == [("version", "5 or 6", "7")]


def test_writes_inside_a_transaction_move_nothing(story: Story) -> None:
    """Only the commit moves the version; what is read inside the transaction does not count."""
    say(story.recorder, request("POST", "/transactions", version="5"), Answer(201, 5, transaction_id="t1"))
    say(story.recorder, request("PUT", "/configuration/backends/web", transaction_id="t1"), Answer(202, 5))
    story.read(99, transaction_id="t1")
    story.read(5)
    say(story.recorder, request("DELETE", "/transactions/t1"), Answer(204))
    story.read(5)
    assert story.ends() == []


def test_a_commit_that_conflicts_moves_nothing_and_shows_the_other(story: Story) -> None:
    """Our commit got 409 because somebody else wrote: that write is reported, ours is not counted."""
    say(story.recorder, request("POST", "/transactions", version="5"), Answer(201, 5, transaction_id="t1"))
    say(story.recorder, request("PUT", "/transactions/t1"), Answer(409, error_class="conflict"))
    story.read(6)
    assert story.ends() == [("version", "5", "6")]


def test_validation_and_other_writes_move_nothing(story: Story) -> None:
    """`only_validate`, certificates and runtime commands do not move the version."""
    story.write(202, only_validate="true")
    say(story.recorder, request("POST", "/storage/ssl_certificates", body=b"pem"), Answer(201))
    say(story.recorder, request("PUT", "/runtime/backends/web/servers/s1", body=b"{}"), Answer(200))
    story.read(5)
    assert story.ends() == []


def test_another_text_at_the_same_version_is_reported(story: Story) -> None:
    """A raw write can keep its version: then the checksum tells."""
    story.raw(5, "aa")
    story.raw(5, "aa")
    story.raw(5, "bb")
    story.raw(5, "bb")
    assert story.ends() == [("checksum", "aa", "bb")]


def test_our_own_write_changes_the_checksum(story: Story) -> None:
    """After a write of ours another checksum is expected."""
    story.raw(5, "aa")
    story.write(201)
    story.raw(6, "bb")
    assert story.ends() == []


def test_errors_say_nothing_about_the_version(story: Story) -> None:
    """A read that failed is no observation."""
    say(story.recorder, request("GET", "/configuration/raw"), Answer(503, 99, error_class="x"))
    assert story.ends() == []


def test_instances_are_followed_apart(story: Story) -> None:
    """A write to one instance explains nothing at another, and versions do not mix."""
    transact(story.recorder, EU2, version=70)
    story.read(5)
    story.read(6)
    assert story.ends() == [("version", "5", "6")]


def test_what_the_outcome_left_is_where_the_next_apply_begins(tmp_path: Path) -> None:
    """Between two applies somebody wrote: version and text at the next intention do not continue the last outcome."""
    for version in (5, 6, 8):
        with opened(tmp_path) as log:
            apply = log.intend(authorized(instance_plan(version=version)), runner=RUNNER)
            transact(log.recorder(apply), version=version, transaction=f"t{version}")
            log.conclude(apply, outcome(version=version))
    found = audit.verify(tmp_path).unattributed
    assert [(change.what, change.expected, change.found) for change in found] == [("version", "7", "8")]
    assert found[0].instance == EU1


def test_a_drift_check_sees_another_text_at_the_version_left(tmp_path: Path) -> None:
    """Same version, other checksum than the outcome left: an unattributed change."""
    with opened(tmp_path) as log:
        apply = log.intend(authorized(), runner=RUNNER)
        transact(log.recorder(apply))
        log.conclude(apply, outcome())
        plan = instance_plan(version=6)
        log.drift(plan, commit=COMMIT)
        changed = type(plan.guard)(6, "sha256:" + "f" * 64)
        log.drift(replace(plan, guard=changed), commit=COMMIT)
    found = audit.verify(tmp_path).unattributed
    assert [(change.what, change.found) for change in found] == [("checksum", "sha256:" + "f" * 64)]


def test_an_outcome_at_a_version_that_we_did_not_make_is_reported(story: Story) -> None:
    """The version in the outcome must follow from the writes too."""
    transact(story.recorder)
    story.log.conclude(story.apply, outcome(version=6))
    assert story.ends() == [("version", "6", "7")]


def test_an_apply_that_failed_and_was_restored_is_explained(story: Story) -> None:
    """Commit refused by the reload, earlier text written back: two versions, both ours."""
    say(story.recorder, request("POST", "/transactions", version="5"), Answer(201, 5, transaction_id="t1"))
    say(story.recorder, request("PUT", "/transactions/t1"), Answer(400, 5, error_class="reload"))
    story.read(6)
    story.write(201, version=6)
    story.read(7)
    story.log.conclude(story.apply, outcome(result=Result.RESTORED, version=6))
    assert story.ends() == []
