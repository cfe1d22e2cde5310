"""Plans, drift and outcomes as text for people. Colour is a matter of the console that prints it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from haoam_sync.errors import HaoamError
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import Json
from haoam_sync.model.outcome import InstanceOutcome, Outcome, Result
from haoam_sync.model.plan import Action, CertificateChange, Change, FieldChange, FileUpload, InstancePlan, Plan, Reason

_SIGN = {Action.CREATE: ("+", "green"), Action.UPDATE: ("~", "yellow"), Action.DELETE: ("-", "red")}
_RESULT_STYLE = {
    Result.APPLIED: "green",
    Result.UNCHANGED: "dim",
    Result.RESTORED: "yellow",
    Result.NOT_RESTORED: "bold red",
    Result.FAILED: "red",
    Result.NOT_ATTEMPTED: "dim",
}


def plan(value: Plan, *, proposed: bool = False) -> Text:
    """The plan, instance by instance, then its digest."""
    text = Text()
    title = "plan of a proposed change (it cannot be applied yet)" if proposed else "plan"
    text.append(f"{title} for commit {value.commit[:12]}\n", "bold")
    if value.change_digest:
        text.append(f"change digest {value.change_digest}\n")
    for instance in value.instances:
        text.append("\n")
        _instance(text, instance)
    text.append(f"\n{_summary(value)}\n", "bold")
    text.append(f"plan digest {value.digest}\n")
    return text


def drift(
    value: Plan,
    never_applied: Iterable[str] = (),
    failed: Mapping[InstanceId, HaoamError] | None = None,
    worker: Mapping[InstanceId, tuple[str, ...]] | None = None,
) -> Text:
    """What differs from the commit applied last: live value first, then what git says; what the worker runs behind."""
    text = Text()
    for cluster in never_applied:
        text.append(f"{cluster}: nothing applied yet, nothing to compare\n", "dim")
    for instance in value.instances:
        if instance.empty:
            text.append(f"{instance.id}: in sync\n", "green")
            continue
        text.append(f"{instance.id}: drift\n", "yellow")
        if instance.repair:
            text.append(
                "  the API shows a configuration that the file does not hold (phantom); apply repairs it\n", "red"
            )
        for change in instance.changes:
            _drifted(text, change)
        for certificate in instance.certificates:
            text.append(f"  certificate {visible(certificate.name)}: {_drift_of(certificate)}\n")
        for file in instance.files:
            text.append(f"  {visible(str(file))}: {_drift_of(file)}\n")
    _running(text, worker or {})
    for identity, error in sorted((failed or {}).items()):
        first, others = quoted(error.message)
        text.append(
            "".join(f"{line}\n" for line in (f"{identity}: not compared: {error.code}: {first}", *others)), "red"
        )
        for line in error.hint.splitlines():
            text.append(f"  {visible(line.strip())}\n", "dim")
    return text


def _running(text: Text, worker: Mapping[InstanceId, tuple[str, ...]]) -> None:
    """What each worker runs otherwise; names come from the instance."""
    for identity, differences in sorted(worker.items()):
        if not differences:
            text.append(f"{identity}: the worker runs it\n", "green")
            continue
        text.append(f"{identity}: the worker runs something else\n", "yellow")
        for line in differences:
            text.append(f"  {visible(line)}\n")


def outcome(value: Outcome) -> Text:
    """What an apply did, instance by instance."""
    text = Text()
    for instance in value.instances:
        _outcome(text, instance)
    return text


def visible(value: str) -> str:
    """`value` without characters that could move a terminal's cursor, hide text or reorder it."""
    return "".join(
        char
        if char == "\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else f"\\u{ord(char):04x}"
        for char in value
    )


def counted(number: int, word: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def quoted(message: str) -> tuple[str, tuple[str, ...]]:
    """A message as lines for a terminal: the first one, and the others behind a bar, so that none passes for ours.

    HAProxy answers in several lines, the one that says what is wrong often the last.
    """
    first, *others = message.split("\n")
    return visible(first), tuple(f"  | {visible(line)}" for line in others if line.strip())


def _instance(text: Text, instance: InstancePlan) -> None:
    text.append(f"{instance.id}", "bold")
    text.append(f"  (version {instance.guard.version})\n", "dim")
    _remarks(text, instance)
    if instance.normal_form is not None:
        text.append("  ~ haproxy.cfg is brought into the server's normal form first\n", "yellow")
        for line in instance.normal_form_diff.splitlines():
            text.append(
                f"      {visible(line)}\n",
                "green" if line.startswith("+") else "red" if line.startswith("-") else "dim",
            )
    for certificate in instance.certificates:
        _file(text, certificate, f"certificate/{certificate.name}")
    for file in instance.files:
        _file(text, file, str(file))
    for change in instance.changes:
        _change(text, change)
    if instance.empty:
        text.append("  nothing to do\n", "green")
    if instance.foreign:
        text.append(f"  left alone (not ours): {visible(', '.join(instance.foreign))}\n", "dim")


def _remarks(text: Text, instance: InstancePlan) -> None:
    if instance.repair:
        text.append(
            "  ! the API shows a configuration that the running HAProxy never took (phantom): repaired first\n", "red"
        )
    for warning in instance.warnings:
        text.append(f"  ! {visible(warning)}\n", "yellow")
    if instance.unresolved:
        text.append("  ! secrets were not resolved: secret fields are not compared\n", "yellow")


def _change(text: Text, change: Change) -> None:
    sign, style = _SIGN[change.action]
    text.append(f"  {sign} {change.action.value} {visible(str(change.section))}", style)
    text.append(f"  [{change.reason.value}]")
    if change.position is not None:
        text.append(f"  {visible(str(change.position))}", "dim")
    text.append("\n")
    for field in change.fields:
        _field(text, field, change.action)
    if change.cost.servers_leaving:
        text.append(f"      ! leaves rotation: {visible(', '.join(change.cost.servers_leaving))}\n", "yellow")
    if change.cost.capacity_left is not None and change.cost.capacity_left < 100:  # noqa: PLR2004 - percent
        text.append(f"      ! capacity left: {change.cost.capacity_left} %\n", "yellow")


def _field(text: Text, field: FieldChange, action: Action) -> None:
    if _is_list(field.before) or _is_list(field.after):
        text.append(f"      {visible(field.path)}:\n")
        before = [shown(item) for item in field.before] if isinstance(field.before, Sequence) else []
        after = [shown(item) for item in field.after] if isinstance(field.after, Sequence) else []
        for sign, line in _line_diff(before, after):
            text.append(f"        {sign} {line}\n", {"+": "green", "-": "red"}.get(sign, "dim"))
        return
    text.append(f"      {visible(field.path)}: ")
    match action:
        case Action.CREATE:
            text.append(f"{shown(field.after)}\n", "green")
        case Action.DELETE:
            text.append(f"{shown(field.before)}\n", "red")
        case Action.UPDATE:
            text.append(shown(field.before), "red")
            text.append(" -> ")
            text.append(f"{shown(field.after)}\n", "green")


def _line_diff(before: list[str], after: list[str]) -> Iterable[tuple[str, str]]:
    """Both lists as one, `-` and `+` before what differs."""
    import difflib  # noqa: PLC0415 - only plans with lists need it

    for line in difflib.ndiff(before, after):
        if not line.startswith("?"):
            yield line[0], line[2:]


def _file(text: Text, change: CertificateChange | FileUpload, name: str) -> None:
    sign, style = _SIGN[change.action]
    text.append(f"  {sign} {change.action.value} {visible(name)}", style)
    text.append(f"  [{change.reason.value}]")
    if change.position is not None:
        text.append(f"  {visible(str(change.position))}", "dim")
    text.append("\n")


def _drift_of(change: CertificateChange | FileUpload) -> str:
    """What is wrong with a file, in a few words."""
    if change.reason is Reason.RENEWED:
        where = f" of {visible(str(change.position))}" if change.position is not None else ""
        return f"the content{where} changed at its source since it was applied"
    match change.action:
        case Action.CREATE:
            return "missing"
        case Action.UPDATE:
            return "holds another content than its name says"
        case Action.DELETE:
            return "not in git"


def _drifted(text: Text, change: Change) -> None:
    section = visible(str(change.section))
    match change.action:
        case Action.CREATE:
            text.append(f"  {section}: missing\n", "red")
        case Action.DELETE:
            text.append(f"  {section}: carries our mark, but git does not declare it\n", "red")
        case Action.UPDATE:
            text.append(f"  {section}:\n")
            for field in change.fields:
                text.append(
                    f"    {visible(field.path)}: live {shown(field.before)}, git {shown(field.after)}\n", "yellow"
                )


def _outcome(text: Text, instance: InstanceOutcome) -> None:
    text.append(f"{instance.id}: ", "bold")
    text.append(
        instance.result.value.upper() if instance.result is Result.NOT_RESTORED else instance.result.value,
        _RESULT_STYLE[instance.result],
    )
    counts = [
        f"{len(names)} {word}"
        for word, names in (("created", instance.created), ("updated", instance.updated), ("deleted", instance.deleted))
        if names
    ]
    if counts:
        text.append(f"  {', '.join(counts)}")
    if instance.version_after is not None and instance.version_after != instance.version_before:
        text.append(f"  version {instance.version_before} -> {instance.version_after}", "dim")
    text.append(f"  reload {instance.reload}, {instance.requests} requests\n", "dim")
    for note in instance.notes:
        text.append(f"  {visible(note)}\n", "yellow")
    if instance.error:
        first, others = quoted(instance.error)
        text.append("".join(f"  {line}\n" for line in (f"{instance.error_code}: {first}", *others)), "red")


def shown(value: Json) -> str:
    """One value on one line, for a terminal."""
    match value:
        case None:
            return "(absent)"
        case str():
            return visible(value) if value and value == value.strip() else json.dumps(value)
        case Mapping() if set(value) == {"secret"}:
            return f"(secret: {shown(value['secret'])})"
        case _:
            return visible(json.dumps(value, sort_keys=True, ensure_ascii=False))


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _summary(value: Plan) -> str:
    changes = [change.action for instance in value.instances for change in instance.changes]
    changes += [change.action for instance in value.instances for change in instance.certificates]
    changes += [change.action for instance in value.instances for change in instance.files]
    if not changes:
        repairs = sum(instance.repair for instance in value.instances)
        return f"{repairs} to repair" if repairs else "nothing to do"
    count = {action: changes.count(action) for action in Action}
    return (
        f"{count[Action.CREATE]} to create, {count[Action.UPDATE]} to update, {count[Action.DELETE]} to delete "
        f"on {sum(not instance.empty for instance in value.instances)} of {len(value.instances)} instances"
    )
