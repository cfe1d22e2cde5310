"""Random histories, each with at most one hostile act, judged by the code and by a slow reference.

Both must agree on every history: for a host that begins, and for one that looked now and then and remembers, in records
that it signed. Between the steps roots say what they like about everything.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from trust_builder import Builder
from trust_host import Host
from trust_reference import Past, first_policy, verdict

from haoam_sync.errors import NotTrustedError

_HOSTILE = st.sampled_from((False, False, False, True))
_WORDS = st.sampled_from(("freeze", "revoke", "revoke", "settle"))


class Histories(RuleBasedStateMachine):
    """Steps and words in any order, one of them hostile; at the end the code and the reference judge the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.builder = Builder()
        self.spoiled = False
        self.place = tempfile.TemporaryDirectory()
        self.host = Host(self.builder.memory, Path(self.place.name))
        self.past = Past((), 0, first_policy())
        self.lost = False

    def act(self, data: st.DataObject, act: str, *, hostile: bool) -> None:
        """Make one step, or say something; only the first that wants to be hostile is."""
        self.builder.data = data
        getattr(self.builder, act)(hostile=hostile and not self.spoiled)
        self.spoiled |= hostile

    @rule(data=st.data(), hostile=_HOSTILE)
    def forward(self, data: st.DataObject, hostile: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, "forward", hostile=hostile)

    @rule(data=st.data(), hostile=_HOSTILE)
    def merge(self, data: st.DataObject, hostile: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, "merge", hostile=hostile)

    @rule(data=st.data(), hostile=_HOSTILE)
    def rotate(self, data: st.DataObject, hostile: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, "rotate", hostile=hostile)

    @precondition(lambda self: len(self.builder.tips) > 1)
    @rule(data=st.data(), hostile=_HOSTILE)
    def revert(self, data: st.DataObject, hostile: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, "revert", hostile=hostile)

    @rule(data=st.data(), hostile=_HOSTILE, word=_WORDS)
    def say(self, data: st.DataObject, hostile: bool, word: str) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, word, hostile=hostile)

    @precondition(lambda self: self.builder.words)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """See `Builder`."""
        self.act(data, "settle", hostile=False)

    @rule()
    def look(self) -> None:
        """The host that remembers judges what there is by now."""
        found, expected = self.host.look(self.builder.tips[-1]), self.expected(self.past, first_start=False)
        self.agree(found, expected if not self.lost else None, self.past)
        self.past = expected if expected is not None and not self.lost else self.past

    @precondition(lambda self: self.past.place > 0 and not self.spoiled)
    @rule(how=st.sampled_from(("older", "deleted", "other key", "another word")))
    def spoil_records(self, how: str) -> None:
        """Somebody who may push there changes what the host remembers."""
        self.spoiled = True
        self.lost = self.host.spoil(how)
        event(f"records: {how}")

    def teardown(self) -> None:
        """Both verdicts, on a host that begins here and on the one that remembers."""
        self.look()
        begun = Past((), 0, first_policy())
        self.agree(self.host.begin(self.builder.tips[-1]), self.expected(begun, first_start=True), begun)
        self.place.cleanup()

    def expected(self, past: Past, *, first_start: bool) -> Past | None:
        """What docs/trust.md says of all that there is, in words."""
        return verdict(self.builder.steps, self.builder.words, past, first_start=first_start)

    def agree(self, found: Any, expected: Past | None, before: Past) -> None:
        """The code says the same."""
        event(f"accepted: {expected is not None}{' after words' if self.builder.words else ''}")
        if isinstance(found, NotTrustedError):
            event(f"code: {found.code}")
            assert expected is None, found
            return
        assert expected is not None
        passed = expected.passed[len(before.passed) :]
        assert [step.id for step in found] == [one.step.head for one in passed]
        for step, one in zip(found, passed, strict=True):
            assert len(step.signers) == len(one.step.signers)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=250,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
