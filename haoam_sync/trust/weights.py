"""S5: what a changed path counts as. Pure.

A file that a document names is part of what the document says, wherever it lies: who may change it alone could change
which API is believed (`ca_file`) or what HAProxy answers (`content_file`, `chain_file`) past the document's own rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from haoam_sync.model.trust_policy import Rule, is_trust_file
from haoam_sync.trust.case import Case

Weights = Mapping[str, frozenset[str]]
"""Changed paths, each with the paths whose rules its change must meet: itself, and the documents that name it."""


def weigh(case: Case, base: str, head: str, paths: Iterable[str]) -> Weights:
    """What each of `paths` counts as, by what the documents of both commits say.

    Both, since a file may not lose its weight in the commit that changes it, nor gain a use there unseen. Trust files
    need a quorum of the roots, who may change any rule.
    """
    changed = tuple(paths)
    names = [case.named(commit) for commit in (base, head)] if not all(map(is_trust_file, changed)) else []
    return {path: frozenset({path}).union(*(named.get(path, frozenset()) for named in names)) for path in changed}


def meant(rule: Rule, weights: Weights) -> tuple[str, ...]:
    """The changed paths that a rule is about."""
    return tuple(path for path, others in weights.items() if any(map(rule.matches, others)))
