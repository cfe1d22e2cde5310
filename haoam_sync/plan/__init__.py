"""Stage: desired and live become a plan. Pure: no I/O, no clock.

The rules, in the order in which a section meets them:

P1  A section is *owned* when the commit applied last declares it, or when it carries our mark and a commit of our
    history made that mark (`Owner.proven`). The rest is foreign, and so is whatever carries the mark of another
    repository: declaring that is an error (E_OWNER). A mark from before marks named their repository proves nothing by
    itself.
P2  Both sides are compared in canonical form for the instance's API version, without any `metadata`.
P3  What `metadata.ignore` names is taken from the live side: never compared, never written.
P4  Declared, not there: create. Declared and owned, different: update. Declared, there, not owned: adopt.
    Owned and not declared: delete. Anything else is left alone.
P5  A change says why: git changed since the commit applied last, drift from it, or both.
P6  `metadata` that is not ours stays on what we write.
P7  Before the first write the file is brought into the server's normal form, with an explicit `from` on every proxy, so
    that no proxy changes its defaults. A document that names the defaults in force at a proxy's place differs in
    nothing from the instance. A file with `.if` is refused: the server's first write would break it.
P8  The file counts beside the API's objects: lines of a declared section that no object holds go away, as the plan says
    (`haproxycfg/unshown.py`). HAProxy obeys them, and whoever has a shell on the instance could hide in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from haoam_sync.haproxycfg import FileLines
from haoam_sync.model.bodies import with_metadata, without_metadata
from haoam_sync.model.desired import DesiredInstance, DesiredSection
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import Json, JsonObject, digest
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.mark import MARK, Owner
from haoam_sync.model.plan import Action, CertificateChange, Change, FileUpload, Guard, InstancePlan, Reason
from haoam_sync.model.run_time import RunTimeView
from haoam_sync.model.section import MARKED_KINDS, SectionId, SectionKind
from haoam_sync.model.stored import KnownFiles, in_directories
from haoam_sync.plan import cost, normal_form, older_api, ownership
from haoam_sync.plan import files as stored_files
from haoam_sync.plan.again import Again
from haoam_sync.plan.bodies import mapped, without_secrets
from haoam_sync.plan.differences import field_changes, unshown_lines
from haoam_sync.plan.in_use import InUse
from haoam_sync.plan.target import target_of, unresolved_paths

__all__ = ["Again", "compute_instance", "nothing"]

_WRITE_ORDER = {
    kind: place
    for place, kind in enumerate(
        (
            SectionKind.GLOBAL,
            SectionKind.HTTP_ERRORS,
            SectionKind.CRT_STORE,
            SectionKind.RING,
            SectionKind.RESOLVERS,
            SectionKind.MAILERS,
            SectionKind.PEERS,
            SectionKind.CACHE,
            SectionKind.FCGI_APP,
            SectionKind.DEFAULTS,
            SectionKind.USERLIST,
            SectionKind.LOG_FORWARD,
            SectionKind.BACKEND,
            SectionKind.FRONTEND,
        )
    )
}
"""Each kind after those that it can refer to."""
_STORED = re.compile(r"(?<![A-Za-z0-9_.-])([A-Za-z0-9][A-Za-z0-9_.-]*-)[0-9a-f]{32}((?:\.[a-z0-9.]+)?)")
"""The name of a stored file, in any text."""


def compute_instance(
    wanted: DesiredInstance, live: Live, applied: DesiredInstance | None, owner: Owner, known: KnownFiles | None = None
) -> InstancePlan:
    """Compare one instance with what is wanted of it; see the module's rules.

    Args:
        wanted: of it.
        live: its snapshot.
        applied: what the commit applied last wanted of it; None when nothing was applied.
        owner: whose the marks are.
        known: what the record of applies says of its files; None when it says nothing.

    Raises:
        InvalidDesiredError: a field that the instance's API version does not have, refuses or loses.
        NotAuthorizedError: E_OWNER, a declared section carries the mark of another repository; E_FILE_TAKEN, a file of
            somebody else lies under the name of a declared one.
        OverLimitError: its file holds conditionals that a write would break.
    """
    older_api.refuse(wanted, live)
    ownership.refuse_strangers(wanted, live, owner)
    live = normal_form.explicit(wanted, live)
    unknown = unresolved_paths(wanted, live)
    changes: list[Change] = []
    owned: dict[SectionId, str] = {}
    foreign = list(live.foreign_texts)
    unresolved = False
    view = RunTimeView.of(live)
    lines = FileLines(live.text, live.api)
    for identity in sorted({*wanted.sections, *live.sections}):
        section = wanted.sections.get(identity)
        there = live.sections.get(identity)
        before = applied.sections.get(identity) if applied else None
        ours = there is not None and ownership.is_ours(there, before, owner)
        now = without_metadata(there.body) if there is not None else None
        target = target_of(section, now, live, unknown) if section else None
        unresolved = unresolved or (section is not None and not section.resolved and bool(section.secrets))
        if now is not None and ours:
            owned[identity] = digest(without_secrets(identity.kind, now, target))
        if section is not None and target is not None:
            hidden = lines.unshown(identity, now) if now is not None else ()
            change = _wanted_change(section, target, there, now, before, live, view, owner, hidden, ours=ours)
            if change is not None:
                changes.append(change)
        elif there is not None and ours:
            changes.append(_deletion(there, before))
        elif there is not None:
            foreign.append(str(identity))
    planned = stored_files.compute(wanted, live, applied, known, InUse(live, {*wanted.sections, *owned}))
    certificates, files = planned.certificates, planned.others
    changes.sort(key=_written_in_order)
    changes = [_renewed(change, live, certificates, files) for change in changes]
    writes = bool(changes or certificates or files)
    normal = normal_form.first_write(live) if writes else None
    return InstancePlan(
        id=live.id,
        changes=tuple(changes),
        certificates=certificates,
        files=files,
        normal_form=normal,
        normal_form_diff=normal_form.text_diff(live.text, normal) if normal is not None else "",
        repair=live.phantom,
        owned=owned,
        foreign=tuple(sorted(foreign)),
        guard=Guard(live.version, live.checksum),
        unresolved=unresolved,
        warnings=(
            *_warnings(wanted, live),
            *ownership.warnings(wanted, live, applied, owner),
            *planned.warnings,
        ),
    )


def nothing(identity: InstanceId, guard: Guard) -> InstancePlan:
    """The plan of an instance that is known to be as it should, without looking at its sections."""
    return InstancePlan(
        id=identity,
        changes=(),
        certificates=(),
        normal_form=None,
        normal_form_diff="",
        repair=False,
        owned={},
        foreign=(),
        guard=guard,
    )


def _wanted_change(
    section: DesiredSection,
    target: JsonObject,
    there: LiveSection | None,
    now: JsonObject | None,
    before: DesiredSection | None,
    live: Live,
    view: RunTimeView,
    owner: Owner,
    hidden: tuple[str, ...],
    *,
    ours: bool,
) -> Change | None:
    """P4 to P6 and P8 for a declared section; None when there is nothing to do."""
    kind = section.id.kind
    adopting = there is not None and not ours
    needs_mark = adopting and kind in MARKED_KINDS
    if now == target and not needs_mark and not hidden:
        return None
    action = Action.UPDATE if there is not None else Action.CREATE
    reason = Reason.ADOPT if adopting else _reason(section, target, there, now, before, live, hidden)
    body = with_metadata(target, there.body if there is not None else None)
    if kind in MARKED_KINDS:
        mark = owner.mark(section.position.file, section.digest).to_json()
        foreign = body.get("metadata")
        body = {**body, "metadata": {**(foreign if isinstance(foreign, Mapping) else {}), MARK: mark}}
    return Change(
        action=action,
        section=section.id,
        reason=reason,
        fields=(*field_changes(kind, now or {}, target, section), *([unshown_lines(hidden)] if hidden else ())),
        position=section.position,
        cost=cost.of_change(section.id, now, target, None if hidden else view),
        body=body,
    )


def _renewed(
    change: Change, live: Live, certificates: tuple[CertificateChange, ...], files: tuple[FileUpload, ...]
) -> Change:
    """P5: a section that drifted only in that it names a file whose content is another one now at its source."""
    if change.reason is not Reason.DRIFT or change.body is None:
        return change
    names = [one.name for one in certificates if one.reason is Reason.RENEWED]
    names += [one.name for one in files if one.reason is Reason.RENEWED]
    there = live.sections.get(change.section)
    if not names or there is None:
        return change
    digits = {re.sub(r"-[0-9a-f]{32}", "-", name) for name in names}

    def alike(text: str) -> str:
        return _STORED.sub(lambda found: found[1] if found[1] + found[2] in digits else found[0], text)

    wanted = in_directories(without_metadata(change.body), live.directories)
    before = json.dumps(mapped(without_metadata(there.body), alike), sort_keys=True)
    return (
        replace(change, reason=Reason.RENEWED)
        if before == json.dumps(mapped(wanted, alike), sort_keys=True)
        else change
    )


def _deletion(there: LiveSection, before: DesiredSection | None) -> Change:
    now = without_metadata(there.body)
    return Change(
        action=Action.DELETE,
        section=there.id,
        reason=Reason.GIT,
        fields=field_changes(there.id.kind, now, {}, None),
        position=None,
        cost=cost.of_change(there.id, now, None, None),
        body=None,
        protected=before is not None and before.protected,
    )


def _reason(
    section: DesiredSection,
    target: JsonObject,
    there: LiveSection | None,
    now: JsonObject | None,
    before: DesiredSection | None,
    live: Live,
    hidden: tuple[str, ...],
) -> Reason:
    """P5: compare three ways when the commit applied last is known, by our mark otherwise."""
    if before is None:
        if there is not None and there.mark is not None and there.mark.digest == section.digest:
            return Reason.DRIFT
        return Reason.GIT
    earlier = target_of(before, now, live, {})
    git_changed = before.digest != section.digest or _structure(earlier, section) != _structure(target, section)
    drifted = now is None or bool(hidden) or now != (earlier if git_changed else target)
    if git_changed and drifted:
        return Reason.BOTH
    return Reason.GIT if git_changed else Reason.DRIFT


def _structure(body: JsonObject, section: DesiredSection) -> Json:
    """`body` without its secrets: a secret renewed behind the same reference is drift, not a change of git."""
    return without_secrets(section.id.kind, body, None)


def _warnings(wanted: DesiredInstance, live: Live) -> Iterable[str]:
    kinds = {SectionKind.FRONTEND, SectionKind.BACKEND}
    if any(identity.kind is SectionKind.DEFAULTS for identity in (*wanted.sections, *live.sections)):
        for identity, section in sorted(wanted.sections.items()):
            if identity.kind in kinds and "from" not in section.body:
                yield f"{identity} has no `from`: it takes whichever defaults section stands last in the file"


def _written_in_order(change: Change) -> tuple[int, int, str]:
    """What others refer to is written before them, and deleted after them."""
    rank = _WRITE_ORDER.get(change.section.kind, 9)
    if change.action is Action.DELETE:
        return (1, -rank, change.section.name)
    return (0, rank, change.section.name)
