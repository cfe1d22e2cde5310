"""Which clusters a document is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haoam_sync.desired.problems import Problems, choice
from haoam_sync.documents import Document, Path
from haoam_sync.model.fleet import Cluster, Fleet

_PATH: Path = ("metadata", "clusters")


def select(
    selector: Mapping[str, str] | Sequence[str] | None,
    fleet: Fleet | None,
    document: Document,
    problems: Problems,
    at: Path = _PATH,
) -> tuple[Cluster, ...]:
    """The clusters that a selector means, in the fleet's order; what is wrong with it is noted.

    A selector that matches nothing is an error: whoever wrote it meant some cluster. Without a fleet (that problem is
    noted elsewhere) there are none.
    """
    if fleet is None:
        return ()
    if selector is None:
        return tuple(fleet.clusters.values())
    if isinstance(selector, Mapping):
        return _by_labels(selector, fleet, document, problems, at)
    return _by_names(selector, fleet, document, problems, at)


def _by_names(
    names: Sequence[str], fleet: Fleet, document: Document, problems: Problems, at: Path
) -> tuple[Cluster, ...]:
    for index, name in enumerate(names):
        if name not in fleet.clusters:
            hint = choice(name, fleet.clusters)
            problems.value(document, (*at, index), f"the fleet has no cluster `{name}`", hint)
        elif name in names[:index]:
            problems.value(document, (*at, index), f"cluster `{name}` is named twice", "keep one of them")
    return tuple(cluster for name, cluster in fleet.clusters.items() if name in names)


def _by_labels(
    labels: Mapping[str, str], fleet: Fleet, document: Document, problems: Problems, at: Path
) -> tuple[Cluster, ...]:
    known: dict[str, set[str]] = {}
    for cluster in fleet.clusters.values():
        for key, value in cluster.labels.items():
            known.setdefault(key, set()).add(value)
    good = True
    for key, value in labels.items():
        path = (*at, key)
        if key not in known:
            problems.key(document, path, f"no cluster has a label `{key}`", choice(key, known))
            good = False
        elif value not in known[key]:
            problems.value(document, path, f"no cluster has the label {key}: {value}", choice(value, known[key]))
            good = False
    found = tuple(c for c in fleet.clusters.values() if all(c.labels.get(k) == v for k, v in labels.items()))
    if good and not found:
        wanted = ", ".join(f"{key}: {value}" for key, value in labels.items())
        problems.key(document, at, f"no cluster has all of these labels: {wanted}", "each of them has some cluster")
    return found
