"""How steps are told in text: nobody who reviewed is said aloud, and nothing from outside moves a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.account import Account, IgnoredReview, MatchedRule
from haoam_sync.model.commit import Signer, TrustedCommit
from haoam_sync.report import history

HEAD, BASE = "a" * 40, "b" * 40
SIGNER = Signer(HEAD, "alice", "alice-1")
STEP = TrustedCommit(
    id=HEAD,
    base=BASE,
    tree="c" * 40,
    tree_sha256="d" * 64,
    ref="refs/heads/main",
    introduction=BASE,
    policy_serial=7,
    policy_digest="sha256:" + "e" * 64,
    author="alice",
    committer="alice",
    signers=(SIGNER,),
    reviews=(),
    change_digest="sha256:" + "f" * 64,
    decided_at=datetime(2027, 3, 1, tzinfo=UTC),
)
ROW = Account(
    commit=HEAD,
    base=BASE,
    tree="c" * 40,
    ref="refs/heads/main",
    kind="fast-forward",
    changes_policy=False,
    commits=(HEAD,),
    changed=("haproxy/a.yaml", "haproxy/b.yaml", "haproxy/c.yaml", "haproxy/d.yaml"),
    policy_serial=7,
    policy_digest="sha256:" + "e" * 64,
    signers=(SIGNER,),
    reviews=(),
    ignored=(),
    rules=(MatchedRule(("haproxy/**", "docs/**"), {"reviewer": 2}, "any", ("haproxy/a.yaml",)),),
    accepted=STEP,
    refusal=None,
)
HOSTILE = "\x1b]0;gone\x07\u202e\n\r"


def test_nobody_who_reviewed_is_said_aloud() -> None:
    """Working alone and pre-approved changes are in capitals in the table."""
    alone = replace(ROW, accepted=replace(STEP, solo=True))
    waived = replace(ROW, accepted=replace(STEP, waived=("PRE-001",)))
    assert "NOBODY REVIEWED: this host works solo" in history.table([alone]).plain
    assert "NOBODY REVIEWED: pre-approved as PRE-001" in history.table([waived]).plain


def test_the_table_is_aligned() -> None:
    """Columns are as wide as their widest cell, and say rules and counts in short."""
    lines = history.table([ROW, replace(ROW, kind="merge", commits=(BASE, HEAD))]).plain.splitlines()
    assert [line.index("accepted") for line in lines[1:]] == [lines[0].index("verdict")] * 2
    assert "haproxy/**, ...: 2 reviewer any" in lines[1]
    assert "merge of 2" in lines[2]


def test_long_lists_are_cut_in_text_only() -> None:
    """Three paths are named, and how many more there are; JSON has all."""
    assert "haproxy/c.yaml" in history.explained(ROW, HEAD, behind=False, refusal=None).plain
    assert "and 1 more" in history.explained(ROW, HEAD, behind=False, refusal=None).plain
    assert history.as_json(ROW)["changed"] == list(ROW.changed)


def test_hostile_words_are_shown_as_text() -> None:
    """Messages, places, hints, paths, principals and ids: no control character of theirs reaches the terminal."""
    refusal = NotTrustedError(f"found {HOSTILE}", code="E_X", where=HOSTILE, hint=HOSTILE)
    ignored = IgnoredReview(HOSTILE, HOSTILE, "signed", HOSTILE, HOSTILE, HOSTILE, "E_Y", HOSTILE, HOSTILE)
    row = replace(
        ROW,
        accepted=None,
        refusal=refusal,
        ignored=(ignored,),
        changed=(HOSTILE,),
        signers=(Signer(HEAD, HOSTILE, "k"),),
    )
    for text in (history.table([row]), history.explained(row, HEAD, behind=True, refusal=refusal)):
        assert not set("\x1b\x07\u202e\r") & set(text.plain)
