"""Trusted commits as text and JSON: who signed, who reviewed, under which policy."""

from __future__ import annotations

from rich.text import Text

from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.evidence import format_time
from haoam_sync.model.results import Step


def as_json(commit: TrustedCommit) -> Step:
    """One accepted step."""
    return {
        "commit": commit.id,
        "base": commit.base,
        "tree": commit.tree,
        "ref": commit.ref,
        "author": commit.author,
        "committer": commit.committer,
        "signers": [{"commit": s.commit, "principal": s.principal, "key": s.key} for s in commit.signers],
        "reviews": [
            {
                "principal": r.principal,
                "roles": list(r.roles),
                "evidence": r.evidence,
                "key": r.key,
                "id": r.id,
                "issued": format_time(r.issued),
            }
            for r in commit.reviews
        ],
        "policy": {"serial": commit.policy_serial, "digest": commit.policy_digest},
        "change_digest": commit.change_digest,
        "decided_at": format_time(commit.decided_at),
        "solo": commit.solo,
        "waived": list(commit.waived),
        "forge": commit.forge,
    }


def table(commits: tuple[TrustedCommit, ...]) -> Text:
    """One line a step."""
    text = Text()
    for commit in commits:
        text.append(f"{commit.id[:12]}  ")
        text.append("accepted", "green")
        text.append(f"  policy {commit.policy_serial}  signed by {', '.join(commit.authors) or 'a forge'}")
        if commit.base == commit.id:
            text.append("  introduction: believed because the host root file names it", "dim")
        elif commit.solo:
            text.append("  NOBODY REVIEWED: this host works solo", "yellow")
        elif commit.waived and not commit.reviewers:
            text.append(f"  NOBODY REVIEWED: pre-approved as {', '.join(commit.waived)}", "yellow")
        else:
            text.append(f"  reviewed by {', '.join(commit.reviewers)}")
        text.append("\n")
    return text
