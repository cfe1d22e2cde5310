"""References to secrets, and which fields of the API are secret by type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionKind

_REFERENCE = re.compile(r"(env|file|command|sops)/(\S+)")


@dataclass(frozen=True, slots=True, order=True)
class SecretReference:
    """`{secret: SCHEME/LOCATOR}` in a document: where a value is to be found, never the value."""

    scheme: str
    locator: str

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """Read `env/NAME`, `file/PATH`, `command/NAME` or `sops/FILE#KEY`.

        Raises:
            ValueError: it is none of these.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise ValueError(f"not a secret reference: {text!r}; expected env/NAME or file/PATH")
        return cls(found[1], found[2])

    def __str__(self) -> str:
        return f"{self.scheme}/{self.locator}"


@dataclass(frozen=True, slots=True, order=True)
class SecretUse:
    """A reference, and where it is used: what host settings allow or refuse.

    Attributes:
        reference: the reference.
        kind: document kind (`Userlist`, `Certificate`, `Fleet`).
        field: dotted path in the document's spec, names replaced by `*` (`users.*.password`).
        cluster: the cluster it is resolved for.
        path: keys from the section's body down to the value (`("users", "alice", "password")`).
    """

    reference: SecretReference
    kind: str
    field: str
    cluster: str
    path: tuple[str | int, ...] = ()


SECRET_FIELDS: Mapping[SectionKind, tuple[str, ...]] = {
    SectionKind.GLOBAL: ("cluster_secret",),
    SectionKind.DEFAULTS: ("dynamic_cookie_key", "stats_options.stats_auths.*.passwd"),
    SectionKind.USERLIST: ("users.*.password",),
    SectionKind.FRONTEND: ("binds.*.ca_sign_pass", "stats_options.stats_auths.*.passwd"),
    SectionKind.BACKEND: ("dynamic_cookie_key", "stats_options.stats_auths.*.passwd"),
    SectionKind.PEERS: ("binds.*.ca_sign_pass", "default_bind.ca_sign_pass"),
    SectionKind.LOG_FORWARD: ("binds.*.ca_sign_pass",),
}
"""Secret-typed fields: `*` stands for every key of an object or every index of an array."""


ENDPOINT_FIELD = "clusters.*.instances.*.password"
"""The secret-typed field of the fleet document, as `SecretUse.field` names it."""


def secret_field(kind: SectionKind, path: tuple[str | int, ...]) -> str:
    """The secret-typed field that stands at `path`, as `SecretUse.field` names it.

    Raises:
        ValueError: none does.
    """
    for pattern in SECRET_FIELDS.get(kind, ()):
        parts = pattern.split(".")
        if len(parts) == len(path) and all(part in {"*", str(step)} for part, step in zip(parts, path, strict=True)):
            return pattern
    raise ValueError(f"no secret field of {kind}: {path}")


def secret_paths(kind: SectionKind, body: JsonObject) -> Iterator[tuple[str | int, ...]]:
    """Every path in `body` at which a secret-typed value stands."""
    for pattern in SECRET_FIELDS.get(kind, ()):
        yield from _matches(body, tuple(pattern.split(".")), ())


def _matches(value: Json, pattern: tuple[str, ...], path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if not pattern:
        yield path
        return
    head, rest = pattern[0], pattern[1:]
    if isinstance(value, Mapping):
        for key in value if head == "*" else (head,):
            if key in value:
                yield from _matches(value[key], rest, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and head == "*":
        for index, item in enumerate(value):
            yield from _matches(item, rest, (*path, index))
