"""What the body of one section refers to, worked out once for everybody who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from haoam_sync.desired import file_references, references
from haoam_sync.desired.external import CERTIFICATE, External
from haoam_sync.desired.file_references import FileReference
from haoam_sync.documents import Path
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionKind
from haoam_sync.model.stored import FileKind

Target = tuple[Path, External, tuple[External, ...]]
"""Where a reference stands, what it means, and what else it may mean."""


@dataclass(frozen=True, slots=True)
class Links:
    """What a body, as it stands in its document, refers to.

    Attributes:
        targets: every section, certificate and file that must be declared, or be said to be there.
        certificates: those that binds and servers refer to by name, by the place.
        loads: certificates of a crt-store, by name.
        files: other files.
        inside: whether its parts refer to one another, or to the parts of other sections: groups of userlists,
            servers of `use-server`.
    """

    targets: tuple[Target, ...] = ()
    certificates: Mapping[Path, str] = field(default_factory=dict)
    loads: tuple[str, ...] = ()
    files: tuple[FileReference, ...] = ()
    inside: bool = False

    @classmethod
    def of(cls, kind: SectionKind, body: JsonObject) -> Links:
        """Look through one body."""
        certificates = dict(references.certificates(body))
        loads = file_references.crt_loads(body)
        files = tuple(file_references.files(body))
        targets: list[Target] = [
            (r.path, External(r.kind.value, r.name), (External(r.or_kind.value, r.name),) if r.or_kind else ())
            for r in references.sections(kind, body)
        ]
        targets += [(path, External(CERTIFICATE, name), ()) for path, name in certificates.items()]
        targets += [(("crt_loads", name), External(CERTIFICATE, name), ()) for name in loads]
        targets += [
            (r.path, External(r.kind.value, r.name), (External(r.or_kind.value, r.name),) if r.or_kind else ())
            for r in files
        ]
        inside = kind is SectionKind.USERLIST or "server_switching_rule_list" in body
        inside = inside or next(references.groups(body), None) is not None
        return cls(tuple(targets), certificates, loads, files, inside)

    @property
    def name_files(self) -> bool:
        """Whether files are named, so that the section is another when one of them is."""
        return bool(self.certificates or self.loads or self.files)

    def to_json(self) -> Json:
        """For the memory of later runs."""
        return [
            [[list(path), [_words(other) for other in (one, *others)]] for path, one, others in self.targets],
            [[list(path), name] for path, name in self.certificates.items()],
            list(self.loads),
            [[r.kind.value, r.name, list(r.path), r.or_kind.value if r.or_kind else ""] for r in self.files],
            self.inside,
        ]

    @classmethod
    def from_json(cls, value: Json) -> Links:
        """What `to_json` wrote.

        Raises:
            ValueError, TypeError: it is nothing of the kind.
        """
        targets, certificates, loads, files, inside = cast("_Written", value)
        return cls(
            tuple((tuple(path), _external(one), tuple(map(_external, others))) for path, (one, *others) in targets),
            {tuple(path): name for path, name in certificates},
            tuple(loads),
            tuple(
                FileReference(FileKind(kind), name, tuple(path), FileKind(other) if other else None)
                for kind, name, path, other in files
            ),
            bool(inside),
        )


_Step = list[str | int]
_Written = tuple[
    list[tuple[_Step, list[list[str]]]], list[tuple[_Step, str]], list[str], list[tuple[str, str, _Step, str]], bool
]
"""`Links` as JSON: targets, certificates, loads, files, inside."""


def _words(one: External) -> list[Json]:
    return [one.kind, one.name]


def _external(words: list[str]) -> External:
    kind, name = words
    return External(kind, name)
