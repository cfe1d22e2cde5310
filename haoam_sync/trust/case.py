"""What a judgement is based on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.json import digest_bytes
from haoam_sync.model.trust_policy import TRUST_FILE
from haoam_sync.trust.certificate import Certificate
from haoam_sync.trust.claims import Claim
from haoam_sync.trust.forge import Pulls
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.policy import LoadedPolicy, load_policy
from haoam_sync.trust.signatures import Proofs
from haoam_sync.trust.statements import Log
from haoam_sync.trust.trees import Trees

PreApproved = Callable[[str, str, str], frozenset[str]]
"""Ids of the classes that hold a change: of the commit reviewed last, the base that defines them, and the head."""


NamedBy = Callable[[str], Mapping[str, frozenset[str]]]
"""Files of a commit that its documents name, by path, with the paths of these documents."""


def no_class(_reviewed: str, _base: str, _head: str) -> frozenset[str]:
    """Nothing is agreed on beforehand."""
    return frozenset()


def nothing_named(_commit: str) -> Mapping[str, frozenset[str]]:
    """No document names a file."""
    return {}


def _all_denied(_commit: str) -> None:
    return None


def _bring_nothing(_number: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way in which a step is judged.

    Attributes:
        base: the commit accepted before.
        head: the commit to be accepted.
        squashed: the head that a forge may have squashed into it; "" for none.
        at: when keys and reviews are judged.
    """

    base: str
    head: str
    squashed: str
    at: datetime


def tell_nobody(_attempt: Attempt) -> None:
    """Nobody explains it."""


@dataclass(frozen=True)
class Denying:
    """The same proofs, with other keys denied."""

    proofs: Proofs
    denied: frozenset[str]

    def holds(self, claim: Claim, certificate: Certificate | None) -> bool:
        """See `Proofs`."""
        return self.proofs.holds(claim, certificate)


@dataclass(frozen=True)
class Case:
    """What a judgement is based on.

    Attributes:
        graph: commits, trees and files.
        log: review statements.
        proofs: signatures that hold.
        ref: the branch of the host root file.
        may_be_solo: whether the host root file says `solo`.
        now: the one reading of the clock.
        change_digest: computes the change digest of base and head.
        first_start: whether this host has accepted nothing yet.
        pre_approved: classes that the change from the commit reviewed last to a head belongs to, wholly, as the base
            defines them; asked with reviewed, base and head.
        named: files that the documents of a commit name: each counts as these documents, too.
        revoked_by: keys that roots called compromised, and where the log says so.
        reviewed: the commit that people reviewed last, when the judgement begins; "" for the commit it begins with.
        pulls: pull requests on the forge that the host root file names; None when it names none.
        against: what keys are denied by in a step that ends in a commit; None for all that the proofs deny.
        bring: fetches the head of a pull request, where the source has it; what it brings is judged as all else.
        tried: told of each way in which a step is judged, for those who explain it.
    """

    graph: Graph
    log: Log
    proofs: Proofs
    ref: str
    may_be_solo: bool
    now: datetime
    change_digest: Callable[[str, str], str]
    first_start: bool = True
    pre_approved: PreApproved = no_class
    named: NamedBy = nothing_named
    revoked_by: Mapping[str, str] = field(default_factory=dict)
    reviewed: str = ""
    pulls: Pulls | None = None
    bring: Callable[[int], None] = _bring_nothing
    tried: Callable[[Attempt], None] = tell_nobody
    against: Callable[[str], frozenset[str] | None] = _all_denied

    @cached_property
    def trees(self) -> Trees:
        """Facts about trees, kept for the whole judgement."""
        return Trees(self.graph)

    def about(self, head: str) -> Case:
        """The same for one step, which ends in `head`: a key that nobody holds against it is not denied."""
        denied = self.against(head)
        if denied is None or denied == self.proofs.denied:
            return self
        found = replace(self, proofs=Denying(self.proofs, denied))
        vars(found)["trees"] = self.trees  # kept for the whole judgement
        return found

    def policy_bytes(self, commit: str) -> bytes:
        """`trust.yaml` of a commit.

        Raises:
            NotTrustedError: E_TRUST_MISSING, there is none, or it is no plain file.
        """
        entry = self.graph.entry(self.graph.commit(commit).tree, TRUST_FILE, commit)
        if entry is None or not entry.is_plain:
            raise NotTrustedError(
                "trust.yaml is not there" if entry is None else "trust.yaml is no plain file",
                code="E_TRUST_MISSING",
                where=commit,
                hint="put it back; the policy can be changed, but not be taken away",
            )
        return self.graph.blobs([entry.oid])[0]

    def policy(self, commit: str) -> LoadedPolicy:
        """The policy of a commit: P(x).

        Raises:
            NotTrustedError: E_TRUST_MISSING, E_YAML, E_POLICY_INVARIANT.
        """
        return load_policy(
            self.policy_bytes(commit),
            ref=self.ref,
            may_be_solo=self.may_be_solo,
            where=commit,
            read=lambda path: self.graph.file(commit, path),
        )

    def policy_digest(self, commit: str) -> str:
        """Digest of a commit's policy; "" when it has none that can be read."""
        try:
            return digest_bytes(self.policy_bytes(commit))
        except NotTrustedError:
            return ""
