"""The plan: what an apply will do, as a sorted value that knows its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import Json, JsonObject, digest
from haoam_sync.model.position import Position
from haoam_sync.model.section import SectionId
from haoam_sync.model.stored import FileId, FileStore

UNSHOWN = "unshown_lines"
"""Path of a field change that stands for lines of the file that the API does not show: they go away."""


class Action(StrEnum):
    """What a change does, in the imperative."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Reason(StrEnum):
    """Why a change is needed."""

    GIT = "git changed"
    DRIFT = "drift"
    BOTH = "git changed and drift"
    ADOPT = "adopt"
    """The section was there already, and was not ours: from this apply on it is."""
    RENEWED = "content changed at its source"
    """Git is as it was; a secret that it refers to has another content now, such as a renewed certificate."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs.

    Attributes:
        path: dotted path in the section (`servers.s1.weight`); whole ordered lists are one field.
        before: live value; None when absent. For a secret-typed field `{"secret": DIGEST}`, never the value.
        after: desired value; None when it goes away. For a secret-typed field `{"secret": REFERENCE}`.
        secret: whether the field is secret by type.
    """

    path: str
    before: Json
    after: Json
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What a change costs.

    Attributes:
        reload: whether HAProxy must reload for it.
        servers_leaving: servers that leave rotation, `backend/server`.
        capacity_left: percent of a backend's live weight that stays; None where no backend is meant.
    """

    reload: bool = True
    servers_leaving: tuple[str, ...] = ()
    capacity_left: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One section to create, update or delete.

    Attributes:
        action: what is done.
        section: to what.
        reason: why.
        fields: what differs, sorted by path; secrets are digests.
        position: where git says so; None for a deletion.
        cost: what it costs.
        protected: what it deletes was declared `protected` by the commit applied last.
        body: the whole section to write, canonical, secrets in clear, our mark included; None for a deletion.
            Never printed, never part of a digest.
    """

    action: Action
    section: SectionId
    reason: Reason
    fields: tuple[FieldChange, ...]
    position: Position | None
    cost: Cost
    body: JsonObject | None = field(repr=False, compare=False)
    protected: bool = False

    @property
    def unshown(self) -> bool:
        """Whether lines go away that the API does not show, and keeps when the section is written through it."""
        return any(one.path == UNSHOWN for one in self.fields)


@dataclass(frozen=True, slots=True)
class CertificateChange:
    """A certificate file to create or to delete. Names are content-addressed, so an update is a repair.

    Attributes:
        action: CREATE, DELETE, or UPDATE where the instance shows another content than the name says.
        name: storage name on the instance.
        reason: why.
        position: where git says so; None for a deletion.
        content: PEM to upload; None for a deletion. Never printed, never part of a digest.
    """

    action: Action
    name: str
    reason: Reason
    position: Position | None
    content: bytes | None = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FileUpload:
    """Another file to create, to repair or to delete: a map, an error page, authorities, a crt-list.

    Attributes:
        action: CREATE, DELETE, or UPDATE where the instance shows another content than the name says.
        store: where it is kept.
        name: storage name on the instance.
        file: the document's kind and name; None for a deletion of which that is not known.
        reason: why.
        position: where git says so; None for a deletion.
        content: what to write, files that it names as `@ssl_certs_dir/...`; None for a deletion, or where it is not
            known. Never printed, never part of a digest.
        secret: whether the content is one.
    """

    action: Action
    store: FileStore
    name: str
    file: FileId | None
    reason: Reason
    position: Position | None
    content: bytes | None = field(repr=False, compare=False)
    secret: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.store}/{self.name}"


@dataclass(frozen=True, slots=True)
class Guard:
    """Which configuration a plan was computed against. Not part of the plan digest."""

    version: int
    checksum: str


@dataclass(frozen=True)
class InstancePlan:
    """What will be done to one instance.

    Attributes:
        id: the instance.
        changes: in the order of writing.
        certificates: sorted by action and name.
        normal_form: the whole text to write first, when the file is not in the server's normal form yet; else None.
        normal_form_diff: unified diff from the live text to `normal_form`, passwords masked; "" when there is none.
        repair: the instance is phantom: the text it runs must be written back first.
        owned: digest of each owned section as it stands live, secrets as "matches" or "differs".
        foreign: sections that are not ours, sorted; left alone.
        guard: which configuration this was computed against.
        unresolved: secrets were not resolved, so secret-typed fields were not compared (proposed commits).
        warnings: things to know that stop nothing.
        files: other files, sorted by action, storage and name.
    """

    id: InstanceId
    changes: tuple[Change, ...]
    certificates: tuple[CertificateChange, ...]
    normal_form: str | None = field(repr=False)
    normal_form_diff: str = field(repr=False)
    repair: bool
    owned: Mapping[SectionId, str]
    foreign: tuple[str, ...]
    guard: Guard
    unresolved: bool = False
    warnings: tuple[str, ...] = ()
    files: tuple[FileUpload, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.changes or self.certificates or self.files or self.repair)

    def digested(self) -> JsonObject:
        """The part of this plan that its digest covers; docs/formats.md gives it byte for byte."""
        files: dict[str, Json] = {}
        if self.files:
            files["files"] = [{"action": f.action.value, "name": str(f), "reason": f.reason.value} for f in self.files]
        return {
            **files,
            "instance": str(self.id),
            "changes": [
                {
                    "action": change.action.value,
                    "section": str(change.section),
                    "reason": change.reason.value,
                    "fields": [
                        {
                            "path": f.path,
                            "before": "secret" if f.secret and f.before is not None else f.before,
                            "after": f.after,
                        }
                        for f in change.fields
                    ],
                }
                for change in self.changes
            ],
            "certificates": [
                {"action": c.action.value, "name": c.name, "reason": c.reason.value} for c in self.certificates
            ],
            "normal_form": _shown(self.normal_form_diff) if self.normal_form is not None else "",
            "repair": self.repair,
            "owned": {str(section): value for section, value in sorted(self.owned.items())},
        }

    @cached_property
    def digest(self) -> str:
        """Digest of this instance's part alone."""
        return digest(self.digested())

    @property
    def reviewed(self) -> str:
        """Digest of what a reviewer is shown of this instance; docs/formats.md gives it byte for byte.

        Only of a plan whose secrets are not resolved: so the reviewer and the runner come to the same. What depends on
        what a host remembers (the reasons, what is owned beside the changes) is no part of it, and neither is the
        commit: a branch and its merge have one plan.
        """
        whole = self.digested()
        parts = {
            name: [{key: value for key, value in one.items() if key != "reason"} for one in _objects(whole.get(name))]
            for name in ("changes", "certificates", "files")
        }
        rest = {name: whole[name] for name in ("instance", "normal_form", "repair")}
        return digest({"haoam_reviewed_plan": 1, **parts, **rest})


def _objects(value: Json) -> list[JsonObject]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _shown(diff: str) -> str:
    """Digest of the lines that a diff takes out and puts in.

    Places and the lines around them are left out: a foreign change elsewhere in the file does not void the plan.
    """
    lines = [line for line in diff.split("\n")[2:] if line[:1] in {"+", "-"}]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """What an apply will do.

    Attributes:
        commit: the commit whose desired state this reaches.
        applied: for each cluster the commit applied last, "" for none.
        change_digest: of the reviewed change (base to head), "" when there is no base.
        instances: sorted by identity.
    """

    commit: str
    applied: Mapping[str, str]
    change_digest: str
    instances: tuple[InstancePlan, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do anywhere."""
        return all(instance.empty for instance in self.instances)

    @cached_property
    def digest(self) -> str:
        """The plan digest: SHA-256 of the canonical JSON; docs/formats.md gives it byte for byte."""
        return digest(
            {"haoam_plan": 1, "commit": self.commit, "instances": [instance.digested() for instance in self.instances]}
        )
