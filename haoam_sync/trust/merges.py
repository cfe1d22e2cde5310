"""Whether a merge adds nothing to what its two sides have. Pure."""

from __future__ import annotations

from haoam_sync.trust.graph import Graph
from haoam_sync.trust.trees import Trees, is_disjoint_merge


def fork_point(graph: Graph, base: str, branch: str) -> str:
    """The last commit of the base's history that a branch builds on; "" when there is none, or several.

    A branch that was brought up to date builds on several: on the last one, if that holds all the others.
    """
    if graph.reaches(branch, base):
        return base
    new = graph.between(base, branch)
    known = frozenset(new)
    found = list(dict.fromkeys(p for oid in new for p in graph.parents(oid) if p not in known))
    return next((one for one in found if all(graph.reaches(one, other) for other in found)), "")


def is_mechanical(graph: Graph, trees: Trees, ours: str, theirs: str, tree: str, where: str) -> bool:
    """Whether `tree` is what merging two commits comes to without anybody's doing.

    One of them holds the other and the tree is its own; or both sides changed different files since the fork point, and
    the tree holds exactly both. What git could merge within a file is not worked out here: that is not mechanical.
    """
    for one, other in ((theirs, ours), (ours, theirs)):
        if graph.reaches(one, other):
            return graph.commit(one).tree == tree
    fork = fork_point(graph, ours, theirs)
    if not fork:
        return False
    ground = graph.commit(fork).tree
    left = trees.changes(ground, graph.commit(ours).tree, where)
    right = trees.changes(ground, graph.commit(theirs).tree, where)
    return is_disjoint_merge(left, right, trees.changes(ground, tree, where))
