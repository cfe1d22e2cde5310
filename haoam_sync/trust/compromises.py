"""E3: commits that rest on a key that is compromised, however long ago they were accepted. Pure.

C1  A step rests on the keys that signed its commits, and on those of the approvals that counted when it was accepted.
    The introduction commit rests on the host root file, which names it.
C2  A compromised key counts for nothing, in no step. A root who says so may name the last commit that is beyond doubt
    (`since`); then nothing is held against the key up to there. Of several roots the one who trusts it least is heard,
    and the host's denylist trusts it nowhere.
C3  What rests on such a key holds everything that comes after it, reviewed or not: nobody who reviews a change looks at
    what it builds on. It holds until a quorum of the roots affirms a commit for that very key: then nothing is held
    against the key up to there.
C4  An affirmation counts with a key that is not compromised and was usable when it was given, under one policy that was
    in force at the affirmed commit or later; or under the newest sound one, when all of those are not. It is not of the
    future, and names the commit's tree in SHA-256 too.
C5  A policy is sound when no change of the policy up to it rests on a compromised key. The first one is: the host root
    file names it. So those who stole the keys of a quorum can not make roots who affirm what they did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.evidence import parse_time
from haoam_sync.model.root_statement import Affirm
from haoam_sync.trust.case import Case
from haoam_sync.trust.policy import ROOT, LoadedPolicy
from haoam_sync.trust.reviews import CLOCK_SKEW
from haoam_sync.trust.standing import Policies, Standing, signer
from haoam_sync.trust.statements import Entry

NOWHERE = -1
"""In place of a commit's place on the branch's line, that there is none."""


@dataclass(frozen=True)
class Doubt:
    """Which keys are held against which steps.

    Attributes:
        denied: what compromised keys are called: fingerprints, and `PRINCIPAL/KEY`.
        introduction: id of the introduction commit.
        places: commits of the branch's line by their place, the introduction first.
        until: places up to which nothing is held against a key, by what it is called.
    """

    denied: frozenset[str]
    introduction: str = ""
    places: Mapping[str, int] = field(default_factory=dict)
    until: Mapping[str, int] = field(default_factory=dict)

    def against(self, commit: str) -> frozenset[str]:
        """What is held against a step that ends in `commit`."""
        if commit == self.introduction:
            return frozenset()
        if not self.until:
            return self.denied
        place = self.places.get(commit)
        if place is None:
            return self.denied
        return frozenset(name for name in self.denied if self.until.get(name, NOWHERE) < place)


@dataclass(frozen=True, slots=True)
class Rests:
    """A step and a key that it must not rest on.

    Attributes:
        step: the step.
        principal: whose the key is, in the policy that judged it.
        key: its id there.
        names: all that it may be denied by there.
    """

    step: TrustedCommit
    principal: str
    key: str
    names: frozenset[str]

    def refusal(self) -> NotTrustedError:
        """E_KEY_REVOKED."""
        return NotTrustedError(
            f"{self.step.id} rests on key {self.key} of {self.principal}, which is compromised; "
            "so does all that comes after it",
            code="E_KEY_REVOKED",
            where=self.step.id,
            hint="look at what that key did, and put right what is wrong; then enough roots run: "
            "haoam-sync trust affirm COMMIT",
        )


def resting(case: Case, doubt: Doubt, steps: Iterable[TrustedCommit]) -> Iterator[Rests]:
    """C1 and C2: where a compromised key had a part, oldest first."""
    if not doubt.denied:
        return
    known: dict[tuple[str, str, str], frozenset[str]] = {}
    for step in steps:
        used = {(one.principal, one.key) for one in step.signers}
        used |= {(one.principal, one.key) for one in step.reviews if one.key}
        against = doubt.against(step.id)
        for principal, key in sorted(used):
            name = (step.policy_digest, principal, key)
            if name not in known:
                known[name] = case.policy(step.base).names_of(principal, key)
            if not known[name].isdisjoint(against):
                yield Rests(step, principal, key, known[name])


def doubted(
    case: Case,
    accepted: str,
    found: Standing,
    host: frozenset[str],
    steps: Iterable[TrustedCommit],
    places: Mapping[str, int],
) -> Doubt:
    """C2 to C5: what is held against which steps.

    Args:
        case: what is known.
        accepted: the last commit whose policy is known to be in force.
        found: what roots said.
        host: the host's denylist.
        steps: every accepted step up to `accepted`, oldest first, as far as they are known; looked at more than once.
        places: the branch's line.
    """
    until = {
        name: min(places.get(commit, NOWHERE) for commit in commits)
        for name, commits in found.since.items()
        if name not in host
    }
    doubt = Doubt(host | found.revoked, case.graph.introduction, places, until)
    while found.affirmed:
        sound = _sound(case, doubt, steps)
        more = _affirmed(case, Policies(case, accepted), doubt, sound, found)
        more = {name: max(place, doubt.until.get(name, NOWHERE)) for name, place in more.items()}
        if all(doubt.until.get(name, NOWHERE) == place for name, place in more.items()):
            break
        doubt = replace(doubt, until={**doubt.until, **more})
    return doubt


def hoped(doubt: Doubt, found: Sequence[Entry]) -> Doubt:
    """The same, as if every affirmation were enough: to walk to the policies by which it will be judged.

    What is found that way is believed only when `doubted` says the same afterwards.
    """
    until = dict(doubt.until)
    for entry in found:
        said = entry.parsed_root.said
        if isinstance(said, Affirm):
            place = doubt.places.get(said.commit, NOWHERE)
            until.update({name: max(place, until.get(name, NOWHERE)) for name in said.keys})
    return replace(doubt, until=until)


@dataclass(frozen=True, slots=True)
class _InForce:
    """A sound policy, and the place up to which it was in force."""

    digest: str
    last: int


def _sound(case: Case, doubt: Doubt, steps: Iterable[TrustedCommit]) -> list[_InForce]:
    """C5: the sound policies, oldest first. The newest one is in force for ever, as far as anybody can know."""
    bad = {rests.step.id for rests in resting(case, doubt, steps)}
    found: list[_InForce] = []
    digest: str | None = None
    for step, digest in _followed(case, steps):
        changed = digest != step.policy_digest
        if changed and step.id in bad:
            return [*found, _InForce(step.policy_digest, len(doubt.places))]
        if changed:
            found.append(_InForce(step.policy_digest, doubt.places.get(step.id, NOWHERE) - 1))
    if digest is None:
        digest = case.policy_digest(case.graph.introduction)
    return [*found, _InForce(digest, len(doubt.places))]


def _followed(case: Case, steps: Iterable[TrustedCommit]) -> Iterator[tuple[TrustedCommit, str]]:
    """Steps, each with the digest of the policy that is in force after it."""
    last: TrustedCommit | None = None
    for step in steps:
        if last is not None:
            yield last, step.policy_digest
        last = step
    if last is not None:
        yield last, case.policy_digest(last.id)


def _affirmed(
    case: Case, policies: Policies, doubt: Doubt, sound: Sequence[_InForce], found: Standing
) -> dict[str, int]:
    """C3 and C4: how far a quorum affirms, for each key; the best that any one policy makes of it."""
    until: dict[str, int] = {}
    for one in sound:
        policy = policies.find(one.digest)
        if policy is None:
            continue
        said: dict[str, dict[str, int]] = {}
        for word, entry in found.affirmed:
            place = _place(case, doubt, word)
            if place == NOWHERE or one.last < place or not _counts(case, policy, doubt, word, entry):
                continue
            for name in word.keys:
                by = said.setdefault(name, {})
                by[word.principal] = max(place, by.get(word.principal, NOWHERE))
        needed = policy.spec.roles[ROOT].threshold
        for name, by in said.items():
            if len(by) >= needed:
                far = sorted(by.values(), reverse=True)[needed - 1]
                until[name] = max(far, until.get(name, NOWHERE))
    return until


def _place(case: Case, doubt: Doubt, word: Affirm) -> int:
    """Where the affirmed commit stands; nowhere when it is not on the line, or is not what the root looked at."""
    place = doubt.places.get(word.commit, NOWHERE)
    if place == NOWHERE:
        return NOWHERE
    tree = case.graph.commit(word.commit).tree
    return place if case.trees.sha256(tree, word.commit) == word.tree_sha256 else NOWHERE


def _counts(case: Case, policy: LoadedPolicy, doubt: Doubt, word: Affirm, entry: Entry) -> bool:
    """C4: whether a root's word counts under a policy."""
    use = signer(case, policy, entry)
    issued = parse_time(word.issued)
    if use is None or not doubt.denied.isdisjoint(use.names) or issued > case.now + CLOCK_SKEW:
        return False
    try:
        policy.require_usable(use, issued, entry.commit)
    except NotTrustedError:
        return False
    return True
