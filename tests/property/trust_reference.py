"""What docs/trust.md says of a history, in words: slow, and written apart from the code that it is compared with.

The reference knows what was *done* (who signed, who said what about which step, and what roots said about everything);
it never looks at an object's bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from trust_model import NOW, REF, Statement, Word, public_key

from haoam_sync.model.json import digest_bytes

WRITERS = ("alice", "bob", "carol", "dave")
ROOTS = ("alice", "bob", "carol")
DAY = timedelta(days=1)
NOWHERE = -1


def first_policy() -> dict[str, Any]:
    """Alice, bob and carol do everything; dave writes and merges."""
    people = {name: {"keys": [{"id": f"{name}-1", "type": "ssh", "public": public_key(name)}]} for name in WRITERS}
    return {
        "serial": 1,
        "ref": REF,
        "principals": people,
        "roles": {
            "root": {"members": list(ROOTS), "threshold": 2},
            "author": {"members": list(WRITERS)},
            "reviewer": {"members": ["alice", "bob", "carol"]},
            "merger": {"members": list(WRITERS)},
        },
        "rules": [
            {"paths": ["trust.yaml", "keys/**"], "require": {"root": 2}},
            {"paths": ["haoam.yaml"], "require": {"reviewer": 2}},
            {"paths": ["haproxy/**"], "require": {"reviewer": 1}},
        ],
        "merge": {"methods": ["fast-forward", "merge"], "up_to_date": "disjoint"},
    }


def policy_bytes(spec: dict[str, Any]) -> bytes:
    """`trust.yaml`."""
    return json.dumps({"apiVersion": "haoam/v1", "kind": "TrustPolicy", "spec": spec}).encode()


@dataclass
class Step:
    """What was done between two commits of the branch."""

    base: str
    head: str
    signers: list[str | None]  # names of keys, of everything that the step brings in; the last one signed `head`
    before: dict[str, bytes]  # files of `base`
    after: dict[str, bytes]  # files of `head`
    branch: str = ""
    fork: str = ""  # where the branch began
    mechanical: bool = False
    policy: dict[str, Any] | None = None  # the new policy, when the step changes it
    statements: list[Statement] = field(default_factory=list)
    disjoint: bool = True

    @property
    def paths(self) -> set[str]:
        """What differs: something that comes and goes again does not."""
        return {path for path in {*self.before, *self.after} if self.before.get(path) != self.after.get(path)}


@dataclass(frozen=True)
class Passed:
    """A step that was accepted, and the names of the keys that it rests on."""

    step: Step
    place: int  # of the tip that it ends in
    keys: frozenset[str]


@dataclass(frozen=True)
class Past:
    """What a host accepted so far; the spec is that of the tip at `place`."""

    passed: tuple[Passed, ...]
    place: int
    spec: dict[str, Any]


@dataclass(frozen=True)
class Held:
    """What is held against keys: until which tip nothing is, and where in the log the first word about each stands."""

    until: dict[str, int]
    said: dict[str, int]

    def against(self, place: int) -> dict[str, int]:
        """The keys that count for nothing in a step that ends in the tip at `place`."""
        return {key: said for key, said in self.said.items() if self.until.get(key, NOWHERE) < place}


def people(spec: dict[str, Any], denied: Sequence[str] = ()) -> dict[str, str]:
    """Whose each active key is that counts."""
    out = {public_key(key) for key in denied}
    return {
        key["public"]: name
        for name, person in spec["principals"].items()
        for key in person["keys"]
        if key.get("status", "active") == "active" and key["public"] not in out
    }


# --- everything ------------------------------------------------------------------------------------------------------


def verdict(steps: Sequence[Step], words: Sequence[Word], past: Past, *, first_start: bool) -> Past | None:
    """What a host that accepted `past` comes to know of all the steps; None when it accepts no more.

    In the way that keys are judged first by the policies that it knows, and then, when somebody affirmed something, by
    those that it would come to know.
    """
    line = specs(steps, past)
    frozen = freezes(words)
    said: dict[str, int] = {}
    for word in words:
        if word.kind == "compromise" and spoken(word, said):
            said.setdefault(word.whose, word.place)
    for hopeful in (False, True):
        known = line[: past.place + 1]
        until = affirmed(words, said, past.passed, known)
        if not hopeful and rests(past.passed, Held(until, said)):
            continue
        walking = hoped(words, until) if hopeful else until
        further = reference(
            steps[past.place :], line[past.place], Held(walking, said), past.place, first_start=first_start
        )
        if further is None:
            continue
        everything = (*past.passed, *further)
        if rests(everything, Held(affirmed(words, said, everything, line), said)):
            continue
        return None if frozen - thawed(words, said) else Past(everything, len(steps), line[-1])
    return None


def specs(steps: Sequence[Step], past: Past) -> list[dict[str, Any]]:
    """The policy at each tip."""
    found = [first_policy()]
    for step in steps:
        found.append(step.policy or found[-1])
    assert found[past.place] == past.spec
    return found


def spoken(word: Word, said: dict[str, int]) -> bool:
    """A root said it with a key that nobody had called compromised before."""
    return word.principal in ROOTS and word.key in {word.principal, f"{word.principal}-new"} and word.key not in said


def freezes(words: Sequence[Word]) -> set[str]:
    """Names of those that were said, whatever became of the key since."""
    said: dict[str, int] = {}
    found: set[str] = set()
    for word in words:
        if not spoken(word, said):
            continue
        if word.kind == "compromise":
            said.setdefault(word.whose, word.place)
        if word.kind == "freeze":
            found.add(word.name)
    return found


def thawed(words: Sequence[Word], said: dict[str, int]) -> set[str]:
    """Names of freezes that two roots lifted with good keys."""
    by: dict[str, set[str]] = {}
    for word in words:
        if word.kind == "thaw" and spoken(word, said):
            by.setdefault(word.about, set()).add(word.principal)
    return {name for name, roots in by.items() if len(roots) >= 2}


def rests(passed: Sequence[Passed], held: Held) -> bool:
    """Whether any of them rests on a key that is held against it."""
    return any(not one.keys.isdisjoint(held.against(one.place)) for one in passed)


def affirmed(
    words: Sequence[Word], said: dict[str, int], passed: Sequence[Passed], line: Sequence[dict[str, Any]]
) -> dict[str, int]:
    """How far nothing is held against each key: by who called it compromised, and by who affirmed a commit since."""
    since: dict[str, list[int]] = {}
    earlier: dict[str, int] = {}
    for word in words:
        if word.kind == "compromise" and spoken(word, earlier):
            earlier.setdefault(word.whose, word.place)
            since.setdefault(word.whose, []).append(place_of(word))
    until = {key: min(places) for key, places in since.items()}
    while True:
        more = dict(until)
        for last, spec in in_force(passed, Held(until, said), line):
            heard = [
                word
                for word in words
                if word.kind == "affirm"
                and spoken(word, said)
                and place_of(word) <= last
                and people(spec).get(public_key(word.key)) == word.principal
            ]
            for key in said:
                far = {
                    name: max((place_of(w) for w in heard if w.principal == name and key in w.keys), default=NOWHERE)
                    for name in ROOTS
                }
                more[key] = max(more.get(key, NOWHERE), sorted(far.values())[-2])
        if more == until:
            return until
        until = more


def place_of(word: Word) -> int:
    """Of the tip that it names."""
    return word.at if word.at is not None else NOWHERE


def in_force(
    passed: Sequence[Passed], held: Held, line: Sequence[dict[str, Any]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The sound policies, and up to which tip each was in force; the newest one for ever."""
    bad = {one.place for one in passed if not one.keys.isdisjoint(held.against(one.place))}
    begun = 0
    for place in range(1, len(line)):
        if line[place] != line[place - 1]:
            if place in bad:
                yield 10**6, line[begun]
                return
            yield place - 1, line[begun]
            begun = place
    yield 10**6, line[begun]


def hoped(words: Sequence[Word], until: dict[str, int]) -> dict[str, int]:
    """As if whatever anybody affirmed were enough."""
    found = dict(until)
    for word in words:
        if word.kind == "affirm" and word.at is not None:
            for key in word.keys:
                found[key] = max(word.at, found.get(key, NOWHERE))
    return found


# --- one step after the other ----------------------------------------------------------------------------------------


def reference(
    steps: Sequence[Step], spec: dict[str, Any], held: Held, place: int, *, first_start: bool
) -> tuple[Passed, ...] | None:
    """The steps in which docs/trust.md accepts this history; None when it does not accept all of it.

    Several that somebody reviewed as one are one step (E2).
    """
    if not steps:
        return ()
    for count in range(len(steps), 0, -1):
        step = steps[0] if count == 1 else together(steps[:count])
        denied = held.against(place + count)
        keys = accepts(step, spec, denied, now=count == len(steps) or not first_start) if step is not None else None
        if step is not None and keys is not None:
            rest = reference(steps[count:], step.policy or spec, held, place + count, first_start=first_start)
            return (Passed(step, place + count, keys), *rest) if rest is not None else None
    return None


def together(steps: Sequence[Step]) -> Step | None:
    """E2: several steps as one, when somebody reviewed their two ends and no policy changes."""
    base, last = steps[0].base, steps[-1]
    if any(step.policy for step in steps) or not any(s.base == base and s.head == last.head for s in last.statements):
        return None
    signers = [signer for step in steps for signer in step.signers]
    return Step(base, last.head, signers, steps[0].before, last.after, statements=last.statements)


def accepts(step: Step, spec: dict[str, Any], denied: dict[str, int], *, now: bool) -> frozenset[str] | None:
    """One step, at the time when it must hold: the keys that it rests on; None when it does not pass."""
    if now:
        return accepts_at(step, spec, denied, NOW)
    both = people(spec) | (people(step.policy) if step.policy is not None else {})
    heads = {step.head, step.branch}
    given = {NOW - s.age for s in step.statements if s.decision == "approve" and s.head in heads and genuine(s, both)}
    for at in sorted(given, reverse=True) or [NOW]:
        keys = accepts_at(step, spec, denied, at)
        if keys is not None:
            return keys
    return None


def accepts_at(step: Step, spec: dict[str, Any], denied: dict[str, int], at: Any) -> frozenset[str] | None:
    """S1, S3, S5, S6 and S7, in words."""
    keys = people(spec, list(denied))
    names = [keys.get(public_key(signer)) if signer is not None else None for signer in step.signers]
    if any(name not in spec["roles"]["author"]["members"] for name in names):  # S1
        return None
    contributors = set(names[:-1] if step.mechanical else names)  # S7
    yes = agreed(step, spec, denied, contributors, at)
    if yes is None:
        return None
    if step.policy is not None:
        if not policy_accepted(step, spec, set(yes), {names[-1]}, denied, at):
            return None
    else:
        voters = {name for name in yes if name in spec["roles"]["reviewer"]["members"]}
        if len(voters) < (2 if "haoam.yaml" in step.paths else 1):
            return None
    return frozenset({signer for signer in step.signers if signer} | {said.key or n for n, said in yes.items()})


def agreed(
    step: Step, spec: dict[str, Any], denied: dict[str, int], contributors: set[str | None], at: Any
) -> dict[str, Statement] | None:
    """Whose last word about a step is yes; None when it is no for somebody who may say so."""
    everybody, keys = people(spec), people(spec, list(denied))
    yes: dict[str, Statement] = {}
    no: dict[str, timedelta] = {}  # and how long ago the newest one was said
    ever: dict[str, timedelta] = {}
    able = set(spec["roles"]["reviewer"]["members"]) | set(spec["roles"]["root"]["members"])
    for said in step.statements:
        late = denied.get(said.key or said.principal, 10**6) < said.place
        if not genuine(said, everybody) or late:
            continue
        if said.decision != "approve":  # it outlives what is said of its key later
            if said.head in {step.head, step.branch or step.head} and said.principal in able:
                no[said.principal] = said.age
                yes.pop(said.principal, None)
            ever[said.principal] = min(said.age, ever.get(said.principal, said.age))
        elif genuine(said, keys) and counts(said, step, at) and (step.policy or said.principal not in contributors):
            if said.principal in ever and said.age > ever[said.principal]:
                continue  # signed before the no
            yes[said.principal] = said
            no.pop(said.principal, None)
    return None if no else yes


def genuine(said: Statement, keys: dict[str, str]) -> bool:
    """Signed by a key of the person it names, under the id that the policy gives it."""
    key = said.key or said.principal
    expected = f"{said.principal}-2" if key.endswith("-new") else f"{said.principal}-1"
    return keys.get(public_key(key)) == said.principal and (said.key_id or f"{said.principal}-1") == expected


def counts(said: Statement, step: Step, at: Any) -> bool:
    """The statement is about exactly this step, and of now."""
    if said.change or at >= NOW - said.age + min(said.lifetime, 7 * DAY) or NOW - said.age > at + timedelta(minutes=5):
        return False
    if said.head == step.head:
        return said.base == step.base
    if said.head != step.branch or not step.branch or not step.mechanical:
        return False
    return said.base == step.fork if step.fork != step.base else said.base == step.base


def policy_accepted(
    step: Step, old: dict[str, Any], voters: set[str], makers: set[str | None], denied: dict[str, int], at: Any
) -> bool:
    """S6."""
    new = step.policy
    assert new is not None
    if step.paths - {"trust.yaml"} or new["serial"] != old["serial"] + 1:
        return False
    if new["previous"] != digest_bytes(policy_bytes(old)):
        return False
    if new["roles"]["root"]["threshold"] < 2:
        return False
    if len((voters | makers) & set(old["roles"]["root"]["members"])) < 2:
        return False
    keys = people(new, list(denied))
    signer = step.signers[-1]
    agreed = {keys.get(public_key(signer))} if signer is not None else set()
    yes = [said for said in step.statements if said.decision == "approve" and counts(said, step, at)]
    agreed |= {said.principal for said in yes if genuine(said, keys)}
    return len(agreed & set(new["roles"]["root"]["members"])) >= 2
