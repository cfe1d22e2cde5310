"""The mark of ownership that stands on the sections of an instance; docs/formats.md gives it byte for byte.

A mark says whose a section is and where its authority lies: which repository, and which document of which commit it was
written from. It is written with the section and only then: an apply that leaves a section alone leaves its mark alone,
so a mark names the commit of the last apply that wrote the section, not the newest one. It is no part of any
comparison.

A mark is what somebody who may write to the instance wants it to be. It proves nothing alone: what it names must be in
the history of the repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import SectionId

MARK: Final = "haoam"
"""Its key in `metadata`."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A mark of ownership, `metadata: {haoam: {repository, commit, file, digest}}`.

    Attributes:
        file: path in git of the document that declares the section.
        digest: `DesiredSection.digest` at the apply that wrote it.
        repository: id of the introduction commit of the repository that owns the section; "" in a mark from before
            marks named one.
        commit: the commit that was applied when the section was written last; "" where `repository` is.
    """

    file: str
    digest: str
    repository: str = ""
    commit: str = ""

    def to_json(self) -> JsonObject:
        """The `haoam` member of `metadata`."""
        return {"commit": self.commit, "digest": self.digest, "file": self.file, "repository": self.repository}

    @classmethod
    def parse(cls, value: Json) -> Mark | None:
        """Read the `haoam` member of `metadata`, with members of a later version too; None for anything else."""
        if not isinstance(value, Mapping):
            return None
        file, digest = value.get("file"), value.get("digest")
        repository, commit = value.get("repository", ""), value.get("commit", "")
        if (
            isinstance(file, str)
            and isinstance(digest, str)
            and isinstance(repository, str)
            and isinstance(commit, str)
        ):
            return cls(file, digest, repository, commit)
        return None


@dataclass(frozen=True, slots=True)
class Owner:
    """For whom a plan is made.

    Attributes:
        repository: id of the introduction commit: goes into the marks that the plan writes.
        commit: the commit that is applied: goes there too.
        proven: marks of sections, as they were found, of which it was shown that a commit in the history of `commit`
            declares that section in that file with that digest.
    """

    repository: str
    commit: str
    proven: frozenset[tuple[SectionId, Mark]] = frozenset()

    def owns(self, section: SectionId, mark: Mark | None) -> bool:
        """Whether a mark alone makes a section ours."""
        return mark is not None and (section, mark) in self.proven

    def stranger(self, mark: Mark | None) -> bool:
        """Whether a mark is that of another repository."""
        return mark is not None and mark.repository not in {"", self.repository}

    def mark(self, file: str, digest: str) -> Mark:
        """The mark that goes onto a section written for this owner."""
        return Mark(file, digest, self.repository, self.commit)
