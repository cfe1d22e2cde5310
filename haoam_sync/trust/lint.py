"""What a policy makes possible for whom, and what it makes impossible, before it happens. Pure.

What must hold of every policy is refused elsewhere (`policy.py`); here is what may hold and is worth knowing: single
people on whom something hangs, few people who can do a lot, keys that end, rules and paths that have nothing to do
with each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from haoam_sync.model.lint import LintFinding, Severity, ordered
from haoam_sync.model.trust_policy import Rule, is_trust_file
from haoam_sync.trust.policy import MERGER, ROOT, end_of
from haoam_sync.trust.powers import Powers

_NAMED = 3
_LOCKED = "the roots change the policy first: haoam-sync trust rotate, or more people in the role"


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        powers: the policy, as it counts today on this host.
        soon: so long before its end a key is worth a word.
        paths: every file of the commit; None where there is no tree to compare with.
        classes: ids of the classes of pre-approved changes that it defines; None where they can not be read.
        may_be_solo: whether the host root file says `solo`.
    """

    powers: Powers
    soon: timedelta
    paths: Collection[str] | None = None
    classes: Collection[str] | None = None
    may_be_solo: bool = False


def lint(subject: Subject) -> tuple[LintFinding, ...]:
    """Everything worth knowing of a policy that holds together, the gravest first."""
    powers = subject.powers
    found = [*_keys(subject), *_bots(powers), *_waived(subject), *_forge(powers), *_merges(powers), *_paths(subject)]
    if powers.policy.solo:
        found.append(
            LintFinding(
                "warning",
                "L_SOLO",
                "solo",
                "one person works alone, by the word of the host root file: nobody reviews",
                "whoever has that one key can do everything; every plan and record says that nobody reviewed",
                "name two more people, and take `solo` out of the host root files",
            )
        )
    else:
        found += [*_alone(subject), *_people(powers), *_rules(powers)]
    return ordered(found)


def _keys(subject: Subject) -> Iterator[LintFinding]:
    """Keys that end, ended, or are compromised."""
    powers, endless = subject.powers, []
    for use in powers.policy.uses:
        where = f"{use.principal or 'the forge'}/{use.key.id}"
        if use.key.status != "active":
            continue
        if powers.is_denied(use):
            yield LintFinding(
                "warning",
                "L_KEY_COMPROMISED",
                where,
                "the key is compromised, and the policy still calls it active",
                "nothing that it signs counts; people who read the policy believe that it does",
                f"haoam-sync trust rotate {use.principal or 'PRINCIPAL'} NEW_KEY --retire {use.key.id}",
            )
        elif use.key.not_after is None:
            endless.append(where)
        elif powers.now >= end_of(use.key.not_after):
            yield LintFinding(
                "warning",
                "L_KEY_OVER",
                where,
                f"the key ended on {use.key.not_after}",
                "what it signs is refused",
                f"haoam-sync trust rotate {use.principal or 'PRINCIPAL'} NEW_KEY --retire {use.key.id}",
            )
        elif powers.now + subject.soon >= end_of(use.key.not_after):
            days = (end_of(use.key.not_after) - powers.now).days
            yield LintFinding(
                "warning",
                "L_KEY_ENDS",
                where,
                f"the key ends on {use.key.not_after}, in {days} day{'' if days == 1 else 's'}",
                "a new one needs a change of the policy, agreed to by the roots, before that",
                f"haoam-sync trust rotate {use.principal or 'PRINCIPAL'} NEW_KEY --retire {use.key.id}",
            )
    if endless:
        yield LintFinding(
            "note",
            "L_KEY_ENDLESS",
            "keys",
            f"{len(endless)} keys have no end: {_few(endless)}",
            "they count until somebody retires them (`not_after` would end them)",
        )


def _bots(powers: Powers) -> Iterator[LintFinding]:
    """Who drives a bot can approve what it writes, unless the policy knows who that is."""
    for name, principal in powers.policy.spec.principals.items():
        if principal.kind != "bot" or name not in powers.authors:
            continue
        if principal.operators:
            yield LintFinding(
                "note",
                "L_BOT",
                name,
                f"the bot writes changes; {', '.join(principal.operators)} can not review them",
                "its operators count as contributors",
            )
        else:
            yield LintFinding(
                "error",
                "L_BOT_OPERATOR",
                name,
                "the bot writes changes, and names no operators",
                "whoever drives it can approve what it writes: one person alone changes whatever takes one review",
                f"name who can make it sign under `operators` of {name}",
            )


def _waived(subject: Subject) -> Iterator[LintFinding]:
    """Changes that one person makes alone."""
    powers = subject.powers
    for rule in powers.policy.spec.rules:
        for one in rule.waive:
            if subject.classes is not None and one not in subject.classes:
                yield LintFinding(
                    "warning",
                    "L_CLASS_UNKNOWN",
                    _name(rule),
                    f"it waives reviews for the class {one}, which no ChangePolicy of the commit defines",
                    "it waives nothing; whoever adds such a class decides what one person may do",
                    f"define {one} in access/, or take it out of `waive`",
                )
            else:
                yield LintFinding(
                    "note",
                    "L_WAIVED",
                    _name(rule),
                    f"any one of {', '.join(sorted(powers.authors))} alone changes what the class {one} holds",
                    "nobody reviews it, and every record says so",
                )


def _forge(powers: Powers) -> Iterator[LintFinding]:
    """Accounts and rules that have nothing to do with each other, and what a forge can do."""
    spec = powers.policy.spec
    asking = [rule for rule in spec.rules if rule.evidence != "signed"]
    accounts = sorted(name for name, one in spec.principals.items() if one.forge is not None)
    if accounts and not (asking and powers.forge):
        why = "no rule takes reviews on a forge" if not asking else "this host's root file names no forge"
        yield LintFinding("note", "L_FORGE_UNUSED", ", ".join(accounts), "accounts without a use", why)
    for rule in asking:
        if rule.evidence in {"github", "both"} and not powers.forge:
            yield LintFinding(
                "error",
                "L_FORGE_MISSING",
                _name(rule),
                f"it takes evidence `{rule.evidence}`, and this host's root file names no forge",
                "no change of it can be accepted on this host",
                "name the repository under `forge` in the host root file, or take `signed` or `any`",
            )
        elif powers.forge and rule.evidence in {"github", "any"}:
            yield LintFinding(
                "note",
                "L_FORGE_POWER",
                _name(rule),
                f"approvals on the forge are enough (evidence `{rule.evidence}`)",
                "whoever controls the forge can make them up: with one author's key that is a change",
            )


def _merges(powers: Powers) -> Iterator[LintFinding]:
    """What a forge's own key can do, and methods that nobody can use."""
    merge = powers.policy.spec.merge
    if merge.forge_keys:
        can = " and squash" if "squash" in merge.methods else ""
        yield LintFinding(
            "note",
            "L_FORGE_KEY",
            ", ".join(key.id for key in merge.forge_keys),
            f"the forge's own key can merge{can} what was reviewed, and add nothing to it",
            "who pressed the button is not known",
        )
    elif "squash" in merge.methods:
        yield LintFinding(
            "note", "L_METHOD_UNUSED", "squash", "only a forge squashes, and no forge key is listed", "it never happens"
        )
    if "merge" in merge.methods and not (powers.policy.spec.members(MERGER) & powers.signers or powers.authors):
        yield LintFinding("note", "L_METHOD_UNUSED", "merge", "nobody who may merge has a key", "it never happens")


def _paths(subject: Subject) -> Iterator[LintFinding]:
    """Files without a rule, and rules without a file."""
    if subject.paths is None:
        return
    rules = subject.powers.policy.spec.rules
    without = sorted(path for path in subject.paths if not any(rule.matches(path) for rule in rules))
    if without:
        yield LintFinding(
            "warning",
            "L_NO_RULE",
            without[0],
            f"no rule names {len(without)} file{'' if len(without) == 1 else 's'}: {_few(without)}",
            "nobody can change or delete them",
            "add a rule for them, or take them out before the rules go",
        )
    for rule in rules:
        if not any(map(is_trust_file, rule.paths)) and not any(map(rule.matches, subject.paths)):
            yield LintFinding(
                "note",
                "L_RULE_IDLE",
                _name(rule),
                "no file of the commit is one of these",
                "it waits for the first one",
            )


def _alone(subject: Subject) -> Iterator[LintFinding]:
    """Few people who can do everything."""
    powers, spec = subject.powers, subject.powers.policy.spec
    roots = sorted(powers.people(ROOT))
    threshold = spec.roles[ROOT].threshold
    if powers.quorum():
        yield LintFinding(
            "note",
            "L_ROOTS",
            ROOT,
            f"any {threshold} of {', '.join(roots)} can change who is trusted, and by that everything",
            "they are the ones whose keys need the most care",
        )
    for rule in spec.rules:
        count = powers.fewest(rule)
        if count == 1 or (count and not any(map(is_trust_file, rule.paths))):
            needs = ", ".join(f"{number} of {', '.join(sorted(who))}" for _, number, who in powers.needed(rule))
            author = f": an author, and without the author {needs}" if count > 1 else ""
            yield LintFinding(
                "error" if count == 1 else "note",
                "L_ALONE" if count == 1 else "L_POWER",
                _name(rule),
                f"it takes {count} {'person' if count == 1 else 'people'}{author}",
                "one person alone can change it"
                if count == 1
                else "so many stolen keys, or people who conspire, are enough",
                "ask for more reviews, or name the operators of bots" if count == 1 else "",
            )
    if subject.may_be_solo:
        yield LintFinding(
            "note",
            "L_SOLO",
            "solo",
            "the host root file says `solo`; it has no effect with several people",
            "take it out",
        )


def _people(powers: Powers) -> Iterator[LintFinding]:
    """People whose roles are worth nothing, and names without a role."""
    spec = powers.policy.spec
    for name, principal in spec.principals.items():
        roles = spec.roles_of(name)
        able = name in powers.signers or (principal.forge is not None and powers.forge)
        if roles and not able:
            yield LintFinding(
                "warning",
                "L_NO_KEY",
                name,
                f"has the role{'' if len(roles) == 1 else 's'} {', '.join(roles)} and no key that counts",
                "can do nothing, and is counted by whoever reads the policy",
                f"haoam-sync trust rotate {name} NEW_KEY, or take {name} out of the roles",
            )
        elif not roles:
            yield LintFinding("note", "L_NO_ROLE", name, "has no role", "can do nothing")


def _rules(powers: Powers) -> Iterator[LintFinding]:
    """Thresholds that can not be reached, or only just; people without whom nothing goes on."""
    if not powers.quorum():
        yield LintFinding(
            "error",
            "L_ROOTS_LOST",
            ROOT,
            f"{len(powers.people(ROOT))} roots have keys that count, and more are needed to change the policy",
            "the policy can never be changed again: nobody can add a key",
            "begin anew: a new introduction commit, and host root files that name it",
        )
    else:
        for name in sorted(powers.people(ROOT)):
            if not powers.quorum(frozenset({name})):
                yield LintFinding(
                    "warning",
                    "L_SINGLE_POINT",
                    name,
                    "without this root the policy can never be changed again",
                    "one lost key locks everybody out for good",
                    "give one more root a key that counts",
                )
    for rule in powers.policy.spec.rules:
        if any(map(is_trust_file, rule.paths)):
            continue
        yield from _threshold(powers, rule)


def _threshold(powers: Powers, rule: Rule) -> Iterator[LintFinding]:
    stuck = sorted(author for author in powers.authors if not powers.passes(rule, author))
    if not powers.reachable(rule):
        yield LintFinding(
            "error",
            "L_UNREACHABLE",
            _name(rule),
            f"nobody's change of it can be approved: {_missing(powers, rule)}",
            "too few people have keys or accounts that count",
            _LOCKED,
        )
        return
    if stuck:
        yield LintFinding(
            "warning",
            "L_UNREACHABLE",
            _name(rule),
            f"what {', '.join(stuck)} writes can not be approved: {_missing(powers, rule)}",
            "too few others have keys or accounts that count",
            _LOCKED,
        )
    stops = list(powers.stops(rule))
    if stops:
        severity: Severity = "note" if all(powers.quorum(frozenset({name})) for name in stops) else "warning"
        yield LintFinding(
            severity,
            "L_JUST_REACHABLE",
            _name(rule),
            f"it stands still without any one of {', '.join(stops)}",
            "only just enough people are left; the other roots can change the policy then"
            if severity == "note"
            else "only just enough people are left, and the roots can not change the policy then",
            "" if severity == "note" else "give more people the role",
        )


def _missing(powers: Powers, rule: Rule) -> str:
    return " and ".join(
        f"{count} of the role {role} are needed, {len(people)} can ({', '.join(sorted(people)) or 'nobody'})"
        for role, count, people in powers.needed(rule)
    )


def _name(rule: Rule) -> str:
    return _few(rule.paths)


def _few(values: Sequence[str]) -> str:
    more = len(values) - _NAMED
    return ", ".join([*values[:_NAMED], *([f"and {more} more"] if more > 0 else [])])
