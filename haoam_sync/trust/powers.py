"""Who could do what under a policy, by the keys and accounts that count on one day and one host. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from haoam_sync.model.trust_policy import Rule, is_trust_file
from haoam_sync.trust.policy import AUTHOR, ROOT, KeyUse, LoadedPolicy, end_of, evidence_of, gives

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Powers:
    """Who could do what.

    Attributes:
        policy: it holds together.
        now: the one reading of the clock.
        denied: what compromised keys are called: fingerprints, and `PRINCIPAL/KEY`.
        forge: whether the host reads reviews on a forge.
    """

    policy: LoadedPolicy
    now: datetime
    denied: frozenset[str] = field(default=frozenset())
    forge: bool = False

    def counts(self, use: KeyUse) -> bool:
        """Whether what a key signs now would count."""
        over = use.key.not_after is not None and self.now >= end_of(use.key.not_after)
        return use.key.status == "active" and not over and not self.is_denied(use)

    def is_denied(self, use: KeyUse) -> bool:
        """Whether a key is compromised. Of an OpenPGP key, whether all is that may sign."""
        if use.certificate is None:
            return not self.denied.isdisjoint(use.names)
        signers = {one.public.fingerprint for one in use.certificate.signing if not one.revoked}
        return not self.denied.isdisjoint(use.names) or signers <= self.denied

    @cached_property
    def signers(self) -> frozenset[str]:
        """Principals who have a key that counts."""
        return frozenset(use.principal for use in self.policy.uses if use.principal and self.counts(use))

    def able(self, name: str, evidence: str) -> bool:
        """Whether somebody can review with this kind of evidence."""
        person = self.policy.spec.principals[name]
        account = self.forge and person.forge is not None
        return person.kind == "human" and gives(evidence, key=name in self.signers, account=account)

    def people(self, role: str, evidence: str = "signed") -> frozenset[str]:
        """Who of a role can review with this kind of evidence."""
        return frozenset(name for name in self.policy.spec.members(role) if self.able(name, evidence))

    @property
    def authors(self) -> frozenset[str]:
        """Who can write: people and bots."""
        return self.policy.spec.members(AUTHOR) & self.signers

    def contributors(self, author: str) -> frozenset[str]:
        """Whose reviews do not count for what somebody writes."""
        return frozenset({author, *self.policy.spec.principals[author].operators})

    def needed(self, rule: Rule) -> tuple[tuple[str, int, frozenset[str]], ...]:
        """What a rule asks for: role, how many, and who could; of trust files the quorum's threshold, too."""
        found = dict(rule.require)
        if any(map(is_trust_file, rule.paths)):
            found[ROOT] = max(found.get(ROOT, 0), self.policy.spec.roles[ROOT].threshold)
        evidence = evidence_of(self.policy.spec, rule)
        return tuple((role, count, self.people(role, evidence)) for role, count in found.items())

    def passes(self, rule: Rule, author: str, without: frozenset[str] = NOBODY) -> bool:
        """Whether what somebody writes below a rule can be approved, when the people of `without` are not there."""
        out = without if any(map(is_trust_file, rule.paths)) else without | self.contributors(author)
        return all(len(people - out) >= count for _, count, people in self.needed(rule))

    def reachable(self, rule: Rule, without: frozenset[str] = NOBODY) -> bool:
        """Whether anybody's change below a rule can pass without the people of `without`."""
        return any(self.passes(rule, author, without) for author in self.authors - without)

    def quorum(self, without: frozenset[str] = NOBODY) -> bool:
        """Whether the roots can change the policy without the people of `without`."""
        rules = [rule for rule in self.policy.spec.rules if any(map(is_trust_file, rule.paths))]
        return all(self.reachable(rule, without) for rule in rules)

    def fewest(self, rule: Rule) -> int:
        """How many people a change below a rule takes at least; 0 where it can not be made.

        Of a bot without operators its author is nobody who is counted: whoever drives it can review.
        """
        trust = any(map(is_trust_file, rule.paths))
        found = []
        for author in self.authors:
            if self.passes(rule, author):
                count = max(count for _, count, _ in self.needed(rule))
                person = self.policy.spec.principals[author].operators or self._is_human(author)
                makes = trust and author in self.policy.spec.members(ROOT)
                found.append(count if makes or not person else count + 1)
        return min(found, default=0)

    def stops(self, rule: Rule) -> Iterator[str]:
        """People without whom no change below a rule can pass any more."""
        everybody = sorted(name for name in self.policy.spec.principals if self._is_human(name))
        yield from (name for name in everybody if not self.reachable(rule, frozenset({name})))

    def _is_human(self, name: str) -> bool:
        return self.policy.spec.principals[name].kind == "human"
