"""Steps of history as a table, as an explanation, and as JSON: what was signed, reviewed and asked for, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from haoam_sync.model.account import Account, IgnoredReview, MatchedRule, Refused
from haoam_sync.model.commit import Review
from haoam_sync.model.evidence import format_time
from haoam_sync.model.results import ExplainedCommit, Failure, Judged, Refusal
from haoam_sync.model.results import MatchedRule as MatchedRuleResult
from haoam_sync.model.results import Review as ReviewResult
from haoam_sync.report.commits import as_json as step_as_json
from haoam_sync.report.text import visible

_COLUMNS = ("commit", "step", "policy", "signed by", "reviewed by", "rules", "verdict")
_WIDEST = 48
"""A column is padded up to here; longer cells push the rest of their line."""
_NAMED = 3
"""So many paths, or commits, are named on one line."""
_NOTHING_HELPS = "nothing can make it acceptable"


def table(rows: Sequence[Account]) -> Text:
    """One line a step, the refused one with what was found and what would help."""
    cells = [_cells(row) for row in rows]
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(_COLUMNS, *cells, strict=True)]
    text = Text()
    text.append(f"{_line(_COLUMNS, widths)}\n", "dim")
    for row, cell in zip(rows, cells, strict=True):
        line = _line(cell, widths)
        text.append(line.removesuffix(cell[-1]), _style(row))
        text.append(f"{cell[-1]}\n", _style(row) or "green")
        if row.refusal is not None:
            _refusal(text, row.refusal)
    return text


def explained(row: Account, asked: str, *, behind: bool, refusal: Refused | None) -> Text:
    """Everything about the step that brings in the commit `asked`."""
    text = Text()
    if refusal is None:
        text.append(f"{asked} is trusted\n", "green")
    else:
        text.append(f"{asked} is not trusted: {refusal.code}\n", "bold red")
    if behind:
        text.append(f"it comes after a step that is refused, which is looked at first: {row.commit}\n", "yellow")
    if refusal is not None:
        _refusal(text, refusal)
    _field(text, "step", [f"{_kind(row)}, from {row.base[:12]} to {row.commit[:12]}", *_part(row, asked)])
    _field(text, "policy", [f"serial {row.policy_serial}, {row.policy_digest}" if row.policy_serial else "unreadable"])
    if row.accepted is not None:
        when = "remembered" if row.remembered else "judged now"
        _field(text, "accepted", [f"{format_time(row.accepted.decided_at)} ({when})"])
    _field(text, "changes", _named(row.changed) or ["no file"] * (row.kind != "introduction"))
    signed = [f"{one.commit[:12]} by {one.principal or 'the forge'}, key {one.key}" for one in row.signers]
    _field(text, "signed", signed or ["by nobody whose signature counts"])
    _field(text, "rules", [rule_in_full(rule) for rule in row.rules] or [_without_rule(row)])
    reviews = [_review(review) for review in row.reviews]
    after = [f"{_review(review)}, which only the new policy has" for review in row.reviews_after]
    _field(text, "reviews", [*reviews, *after] or [_nobody(row)])
    _field(text, "not counted", [line for one in row.ignored for line in _ignored(one)])
    return text


def as_json(row: Account) -> Judged:
    """A step as a value, ids in full."""
    refusal: Refusal | None = None
    if row.refusal is not None:
        refusal = {
            "code": row.refusal.code,
            "message": row.refusal.message,
            "where": row.refusal.where,
            "hint": row.refusal.hint,
        }
    step = step_as_json(row.accepted) if row.accepted is not None else None
    return {
        "commit": row.commit,
        "base": row.base,
        "tree": row.tree,
        "ref": row.ref,
        "author": step["author"] if step is not None else "",
        "committer": step["committer"] if step is not None else "",
        "signers": [{"commit": s.commit, "principal": s.principal, "key": s.key} for s in row.signers],
        "reviews": [_review_as_json(review) for review in row.reviews],
        "reviews_after": [_review_as_json(review) for review in row.reviews_after],
        "policy": {"serial": row.policy_serial, "digest": row.policy_digest},
        "change_digest": step["change_digest"] if step is not None else "",
        "decided_at": step["decided_at"] if step is not None else "",
        "solo": step["solo"] if step is not None else False,
        "waived": step["waived"] if step is not None else [],
        "forge": step["forge"] if step is not None else "",
        "verdict": "refused" if step is None else "accepted",
        "remembered": row.remembered,
        "kind": row.kind,
        "changes_policy": row.changes_policy,
        "commits": list(row.commits),
        "changed": list(row.changed),
        "rules": [rule_as_json(rule) for rule in row.rules],
        "ignored": [
            {
                "principal": one.principal,
                "decision": one.decision,
                "evidence": one.evidence,
                "id": one.id,
                "where": one.where,
                "issued": one.issued,
                "code": one.code,
                "message": one.message,
                "hint": one.hint,
            }
            for one in row.ignored
        ],
        "refusal": refusal,
    }


def _review_as_json(review: Review) -> ReviewResult:
    return {
        "principal": review.principal,
        "roles": list(review.roles),
        "evidence": review.evidence,
        "key": review.key,
        "id": review.id,
        "issued": format_time(review.issued),
    }


def explained_as_json(row: Account, asked: str) -> ExplainedCommit:
    """The step that brings in the commit `asked`."""
    return {**as_json(row), "asked": asked}


def failure_as_json(refusal: Refused, rows: Iterable[Account]) -> Failure:
    """What is not trusted, as every failure is told, with the steps that were looked at."""
    return {
        "exit": refusal.exit,
        "code": refusal.code,
        "message": refusal.message,
        "where": refusal.where,
        "hint": refusal.hint,
        "steps": [as_json(row) for row in rows],
    }


def _cells(row: Account) -> tuple[str, ...]:
    return (
        row.commit[:12],
        _kind(row),
        str(row.policy_serial or "?"),
        ", ".join(_signers(row)) or "-",
        ", ".join(_reviewers((*row.reviews, *row.reviews_after)))
        or ("-" if row.kind == "introduction" else _nobody(row)),
        "; ".join(_rule(rule) for rule in row.rules) or _without_rule(row),
        "accepted" if row.refusal is None else f"REFUSED {row.refusal.code}",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return visible("  ".join(padded).rstrip())


def _style(row: Account) -> str:
    if row.refusal is not None:
        return "red"
    if row.accepted is not None and row.kind != "introduction" and not row.reviews:
        return "yellow"
    return ""


def _refusal(text: Text, refusal: Refused) -> None:
    text.append(f"  found  {visible(refusal.message)}", "red")
    text.append(f" [{visible(refusal.where)}]\n" if refusal.where else "\n", "dim")
    for index, line in enumerate((refusal.hint or _NOTHING_HELPS).splitlines()):
        text.append(f"  {'to do' if not index else '     '}  {visible(line.strip())}\n")


def _kind(row: Account) -> str:
    count = f" of {len(row.commits)}" if row.kind != "introduction" and len(row.commits) > 1 else ""
    return f"{row.kind}{count}{', policy' if row.changes_policy else ''}"


def _part(row: Account, asked: str) -> list[str]:
    """Which part of the step the commit is, where it is not the step's own."""
    if asked == row.commit:
        return []
    if asked in row.commits:
        return [f"{asked[:12]} is one of the {len(row.commits)} commits that it brings in"]
    return []


def _signers(row: Account) -> list[str]:
    return list(dict.fromkeys(signer.principal or "a forge" for signer in row.signers))


def _reviewers(reviews: Sequence[Review]) -> list[str]:
    """Each person once, with the kinds of evidence."""
    kinds: dict[str, list[str]] = {}
    for review in reviews:
        kinds.setdefault(review.principal, []).append(review.evidence)
    return [f"{name} ({', '.join(sorted(set(found)))})" for name, found in kinds.items()]


def _reviewed_by(row: Account) -> str:
    names = _reviewers((*row.reviews, *row.reviews_after))
    return ", ".join(names) or ("-" if row.kind == "introduction" else _nobody(row))


def _nobody(row: Account) -> str:
    step = row.accepted
    if step is None:
        return "nobody"
    if row.kind == "introduction":
        return "nobody: the host root file names it"
    if step.solo:
        return "NOBODY REVIEWED: this host works solo"
    if row.changes_policy:
        return "nobody: who signed it are enough"
    return f"NOBODY REVIEWED: pre-approved as {', '.join(step.waived)}" if step.waived else "nobody"


def _rule(rule: MatchedRule) -> str:
    waived = f" waived by {', '.join(rule.waived)}" if rule.waived else ""
    return f"{_short(rule.paths)}: {_require(rule.require)} {rule.evidence}{waived}"


def rule_in_full(rule: MatchedRule) -> str:
    """A rule with everything that it asks for, and what it is about."""
    waived = f"; waived for {', '.join(rule.waived)}" if rule.waived else ""
    about = ", ".join(_named(rule.changed))
    return f"{', '.join(rule.paths)}: {_require(rule.require)}, evidence {rule.evidence} (for {about}){waived}"


def rule_as_json(rule: MatchedRule) -> MatchedRuleResult:
    """A rule, for machines."""
    return {
        "paths": list(rule.paths),
        "require": dict(rule.require),
        "evidence": rule.evidence,
        "changed": list(rule.changed),
        "waived": list(rule.waived),
    }


def needs(rules: Sequence[MatchedRule]) -> Text:
    """What a change that is under review must meet, one line a rule."""
    text = Text()
    for rule in rules:
        text.append(f"needs    {visible(rule_in_full(rule))}\n")
    return text


def _without_rule(row: Account) -> str:
    if row.kind == "introduction":
        return "-"
    return "-" if row.changed or row.refusal is not None else "no file changes: 1 reviewer"


def _require(require: Mapping[str, int]) -> str:
    return " + ".join(f"{count} {role}" for role, count in require.items())


def _short(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]}, ..."


def _named(values: Sequence[str]) -> list[str]:
    more = len(values) - _NAMED
    return [*values[:_NAMED], *([f"and {more} more"] if more > 0 else [])]


def _review(review: Review) -> str:
    how = f"statement {review.id}, key {review.key}" if review.evidence == "signed" else review.id
    return f"{review.principal} ({', '.join(review.roles)}) on {format_time(review.issued)}: {review.evidence}, {how}"


def _ignored(one: IgnoredReview) -> list[str]:
    who = f"{one.principal} says {one.decision}" if one.principal else "a review"
    when = f" on {one.issued}" if one.issued else ""
    place = f" [{one.where[:40]}]" if one.where else ""
    return [f"{who}{when}: {one.code}: {one.message}{place}", *([f"  {one.hint}"] if one.hint else [])]


def _field(text: Text, name: str, lines: Sequence[str]) -> None:
    for index, line in enumerate(lines):
        text.append(f"  {name if not index else '':12}", "dim")
        text.append(f"{visible(line)}\n")
