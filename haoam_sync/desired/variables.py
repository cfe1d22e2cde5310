"""`${cluster...}` and `${instance...}` in scalars. Nothing else: HAProxy's own `"${VAR}"` is left to HAProxy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from haoam_sync.desired.problems import did_you_mean
from haoam_sync.documents import Path
from haoam_sync.model.fleet import Cluster, Instance
from haoam_sync.model.json import Json

OURS = re.compile(r"\$\{(?:cluster|instance)\.[^}]*\}?")
"""What is ours, well written or not: no name of HAProxy's environment variables holds a dot."""
_GRAMMAR = re.compile(r"\$\{(cluster|instance)\.(?:(name)|(labels|vars)\.([A-Za-z_][A-Za-z0-9_-]*))\}")
_KNOWN = "${cluster.name}, ${cluster.labels.X}, ${cluster.vars.X}, ${instance.name}, ${instance.vars.X}"


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference to a variable.

    Attributes:
        scope: `cluster` or `instance`.
        group: `name`, `labels` or `vars`.
        key: of the label or variable, "" for a name.
        path: where it stands in the document.
    """

    scope: str
    group: str
    key: str
    path: Path

    def __str__(self) -> str:
        return f"${{{self.scope}.{self.group}{'.' if self.key else ''}{self.key}}}"


def references(text: str, path: Path) -> Iterator[Reference | str]:
    """The references in a scalar; what is ours and not well written comes as a message."""
    for found in OURS.finditer(text):
        parts = _GRAMMAR.fullmatch(found[0])
        if parts is None or (parts[1] == "instance" and parts[3] == "labels"):
            yield f"`{found[0]}` is no variable; known are {_KNOWN}"
        else:
            yield Reference(parts[1], parts[2] or parts[3], parts[4] or "", path)


@dataclass(frozen=True, slots=True)
class Scope:
    """What variables mean in one place."""

    cluster: Cluster
    instance: Instance

    def value(self, scope: str, group: str, key: str) -> str | int | bool:
        """What a reference stands for.

        Raises:
            KeyError: the cluster or instance has no such label or variable.
        """
        match scope, group:
            case "cluster", "name":
                return self.cluster.name
            case "cluster", "labels":
                return self.cluster.labels[key]
            case "cluster", _:
                return self.cluster.vars[key]
            case _, "name":
                return self.instance.id.name
        return self.instance.vars[key]

    def unknown(self, reference: Reference) -> tuple[str, str] | None:
        """Message and hint for a reference to what is not there; None when it is."""
        try:
            self.value(reference.scope, reference.group, reference.key)
        except KeyError:
            pass
        else:
            return None
        cluster = reference.scope == "cluster"
        known = set(self.cluster.vars if cluster else self.instance.vars)
        if reference.group == "labels":
            known = set(self.cluster.labels)
        owner = f"cluster {self.cluster.name}" if cluster else f"instance {self.instance.id}"
        word = "label" if reference.group == "labels" else "variable"
        hint = did_you_mean(reference.key, known) or "give it one in haoam.yaml"
        return f"{reference}: {owner} has no {word} `{reference.key}`", hint


def fill(value: Json, scope: Scope) -> Json:
    """`value` with every reference replaced; a scalar that is one reference takes the variable's type.

    Raises:
        KeyError: a reference to what is not there.
    """
    if isinstance(value, str):
        return _scalar(value, scope) if "${" in value else value
    if isinstance(value, dict):
        return {key: fill(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, scope) for item in value]
    return value


def _scalar(text: str, scope: Scope) -> Json:
    def found_value(found: re.Match[str]) -> str | int | bool:
        return scope.value(found[1], found[2] or found[3], found[4] or "")

    def as_text(found: re.Match[str]) -> str:
        value = found_value(found)
        return str(value).lower() if isinstance(value, bool) else str(value)

    whole = _GRAMMAR.fullmatch(text)
    return found_value(whole) if whole is not None else _GRAMMAR.sub(as_text, text)
