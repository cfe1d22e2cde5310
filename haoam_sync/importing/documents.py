"""Candidates as documents of the desired state, their secrets beside them (rule I6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from haoam_sync.importing import emitting
from haoam_sync.importing.values import Candidate, Path, Tree
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.secret import secret_field, secret_paths
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.sections import section_model
from haoam_sync.model.sections.structure import OWN_NAME, Shape, fields

_API_VERSION = "haoam/v1"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_NOT_IN_FILES = re.compile(r"[^A-Za-z0-9._-]")
_FIRST = ("from", "mode", "description", "binds", "balance")
"""Fields that people look for first; the others follow in the order of the file."""
References = Callable[[SectionKind, JsonObject], Iterable[str]]
"""What a section refers to, each as `KIND/NAME`."""


def tree(
    candidates: Sequence[Candidate],
    cluster: str,
    references: References,
    *,
    secrets: str = "env",
    folder: str = "",
    declared: Collection[str] = (),
) -> Tree:
    """The documents of all candidates, one file each.

    Args:
        candidates: what to declare.
        cluster: that they are for.
        references: finds what a section refers to; what is not among the candidates is said to be external.
        secrets: scheme of the references that stand in place of secrets, `env` or `file`.
        declared: what documents beside these declare, each as `KIND/NAME`.
        folder: where the files lie, with a `/` at its end; `haproxy/CLUSTER/` when it is not given.
    """
    known = {*declared, *(str(candidate.id) for candidate in candidates)}
    names = _Names()
    files: dict[str, bytes] = {}
    places: dict[SectionId, str] = {}
    values: dict[str, str] = {}
    uses: set[tuple[str, str, str]] = set()
    for candidate in candidates:
        identity = candidate.id
        stem = _NOT_IN_FILES.sub("_", f"{identity.kind.value}-{identity.name}" if identity.name else "global")
        places[identity] = f"{folder or f'haproxy/{cluster}/'}{names.free(stem, '-')}.yaml"
        replaced: dict[Path, str] = {}
        for path in secret_paths(identity.kind, candidate.body):
            reference = names.reference(secrets, cluster, identity, _labels(candidate.body, path))
            replaced[path] = reference
            values[reference] = str(_at(candidate.body, path))
            uses.add((reference, identity.kind.document_kind, secret_field(identity.kind, path)))
        external = sorted({*references(identity.kind, candidate.body)} - known)
        files[places[identity]] = _document(candidate, cluster, external, replaced).encode()
    return Tree(files, places, values, tuple(sorted(uses)))


def _document(candidate: Candidate, cluster: str, external: list[str], secrets: Mapping[Path, str]) -> str:
    identity = candidate.id
    metadata: dict[str, Json] = {"name": identity.name or "global", "clusters": [cluster]}
    if external:
        metadata["external"] = list(external)
    spec = _spec(identity.kind, candidate.body, secrets)
    head: list[str] = [
        *emitting.comment_lines(candidate.comments.lead, 0),
        f"apiVersion: {_API_VERSION}",
        f"kind: {identity.kind.document_kind}",
        "metadata:",
        *emitting.block(metadata, 2, {}),
    ]
    body = ["spec:", *emitting.block(spec, 2, candidate.comments.above)] if spec else ["spec: {}"]
    homeless = [text for path, texts in candidate.comments.above.items() if not _is_in(spec, path) for text in texts]
    tail = emitting.comment_lines([*homeless, *candidate.comments.tail], 2)
    return "".join(f"{line}\n" for line in (*head, *body, *tail))


def _is_in(spec: JsonObject, path: Path) -> bool:
    return bool(path) and _at(spec, path) is not None


def _spec(kind: SectionKind, body: JsonObject, secrets: Mapping[Path, str]) -> dict[str, Json]:
    """The body as a document writes it: names as keys alone, secrets as references."""
    shapes = fields(section_model(kind))

    def written(value: Json, path: Path) -> Json:
        if path in secrets:
            return {"secret": secrets[path]}
        if isinstance(value, Mapping):
            return {key: written(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [written(item, (*path, place)) for place, item in enumerate(value)]
        return value

    spec: dict[str, Json] = {}
    for field in sorted(body, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST)):
        if field == "name":
            continue
        value = written(body[field], (field,))
        shape = shapes.get(field)
        if shape is not None and shape.shape is Shape.NAMED and shape.model is not None and isinstance(value, Mapping):
            own = OWN_NAME.get(field, "name")
            value = {key: _without(value[key], own) for key in sorted(value)}
        spec[field] = value
    return spec


def _without(child: Json, own: str) -> Json:
    return {key: item for key, item in child.items() if key != own} if isinstance(child, Mapping) else child


def _at(value: Json, path: Path) -> Json:
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _labels(body: JsonObject, path: Path) -> list[str]:
    """Words that tell a secret from the others of its section: names where there are names, not places in a list."""
    labels = []
    for depth, step in enumerate(path):
        item = _at(body, path[: depth + 1])
        user = item.get("user") if isinstance(step, int) and isinstance(item, Mapping) else None
        labels.append(str(user or step))
    return labels


class _Names:
    """Names of files and secrets, each given once; equal but for the case of letters counts as equal."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def free(self, name: str, between: str) -> str:
        found, number = name, 1
        while found.lower() in self._given:
            number += 1
            found = f"{name}{between}{number}"
        self._given.add(found.lower())
        return found

    def reference(self, scheme: str, cluster: str, identity: SectionId, labels: list[str]) -> str:
        words = [cluster, identity.kind.value, identity.name, *labels]
        if scheme == "env":
            name = "_".join(_NOT_IN_NAMES.sub("_", word) for word in words if word).upper()
            return f"env/{self.free(name if not name[:1].isdigit() else f'_{name}', '_')}"
        stem = "-".join(_NOT_IN_FILES.sub("_", word) for word in words[1:] if word)
        return f"file/{cluster}/{self.free(stem, '-')}"


def fleet_document(cluster: str, instance: str, url: str, user: str, password_env: str, ca_file: str) -> str:
    """haoam.yaml for one instance.

    Args:
        cluster: its name.
        instance: name of the instance.
        url: of its API, `/v3` included.
        user: that logs in.
        password_env: variable that holds the password.
        ca_file: path in the repository of the authority of the API's certificate; "" for the system's.
    """
    one: dict[str, Json] = {"url": url, "user": user, "password": {"secret": f"env/{password_env}"}}
    if ca_file:
        one["ca_file"] = ca_file
    document: dict[str, Json] = {
        "apiVersion": _API_VERSION,
        "kind": "Fleet",
        "metadata": {"name": "fleet"},
        "spec": {"clusters": {cluster: {"instances": {instance: one}}}},
    }
    return "".join(f"{line}\n" for line in emitting.block(document, 0, {}))
