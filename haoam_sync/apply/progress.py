"""How far the apply of one instance has come: what is needed to say how it came out, and to put it back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from haoam_sync.apply.runtime_state import RuntimeState
from haoam_sync.model.live import Live
from haoam_sync.model.plan import InstancePlan
from haoam_sync.model.stored import FileStore, StoredFiles


@dataclass(slots=True)
class Progress:
    """Changes as the apply goes on.

    Attributes:
        before: the snapshot before the first write; None until then.
        states: what the worker ran then.
        repaired: the phantom is repaired.
        normalised: the file is in normal form.
        uploaded: certificates that are there by our doing.
        files: other files, the same.
        writing: a request was sent that may have changed the configuration or a file.
        committing: a commit was sent whose outcome is success or not known.
        reloaded: HAProxy has reloaded at our request.
        live: the newest snapshot; None until the first.
        notes: for the outcome.
    """

    before: Live | None = None
    states: RuntimeState = field(default_factory=RuntimeState)
    repaired: bool = False
    normalised: bool = False
    uploaded: list[str] = field(default_factory=list)
    files: list[tuple[FileStore, str]] = field(default_factory=list)
    writing: bool = False
    committing: bool = False
    reloaded: bool = False
    live: Live | None = None
    notes: list[str] = field(default_factory=list)

    def without_own(self, live: Live) -> Live:
        """`live` as it would be without the files we uploaded, to plan again from the same start."""
        if not (self.uploaded or self.files) or self.before is None:
            return live
        kept = tuple(name for name in live.certificates if name not in self.uploaded)
        directory = live.certificate_dir if kept else self.before.certificate_dir
        before = self.before.files
        files = {
            store: _without(found, {name for where, name in self.files if where is store}, before.get(store))
            for store, found in live.files.items()
        }
        return replace(live, certificates=kept, certificate_dir=directory, files=files)

    def with_done(self, plan: InstancePlan, expected: InstancePlan) -> InstancePlan:
        """`plan` with what is done already counted as still to do, to compare its digest with the authorized one."""
        if not (self.repaired or self.normalised):
            return plan
        return replace(
            plan,
            repair=plan.repair or (self.repaired and expected.repair),
            normal_form=expected.normal_form if self.normalised else plan.normal_form,
        )


def _without(found: StoredFiles, ours: set[str], before: StoredFiles | None) -> StoredFiles:
    kept = tuple(name for name in found.names if name not in ours)
    directory = found.directory if kept or before is None else before.directory
    return StoredFiles(kept, directory, {name: text for name, text in found.contents.items() if name in kept})
