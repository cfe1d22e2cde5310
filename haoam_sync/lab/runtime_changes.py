"""Changes that need no reload: made in the running worker, as the server makes them outside a transaction.

A changed field counts only when it is a scalar or an object: changes in arrays, maps and metadata are not seen (so
they reach the file and never the worker, FACTS.md). When every field that counts is one that HAProxy can change while
it runs, and got a value, the change is made by commands; a command that HAProxy refuses makes it a reload after all,
except for those whose answer the server does not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from haoam_sync.lab.document import Body, Document, write_section
from haoam_sync.lab.engine import AtRunTime, Engine
from haoam_sync.lab.worker import WorkerUnreachableError
from haoam_sync.model.section import SectionId, SectionKind

_SERVER_FIELDS = frozenset(
    {"weight", "address", "port", "maintenance", "agent-check", "agent-addr", "agent-send", "health_check_port"}
)
_LEFT_OUT = frozenset({"metadata", "maintenance", "init-addr", "redir", "stick"})
"""Fields that a server added at run time does without."""
_MAY_GO_AWAY = frozenset({"maintenance"})


def frontend_at_run_time(engine: Engine, section: SectionId, body: Body) -> AtRunTime:
    """A replaced frontend: `maxconn` can change while HAProxy runs."""

    def attempt(before: Document) -> bool:
        changes = _changes(before.body(section, engine.api), body)
        if changes.keys() - {"maxconn"} or None in changes.values():
            return False
        if "maxconn" not in changes:
            return True
        return _silent(engine, f"set maxconn frontend {section.name} {changes['maxconn']}")

    return attempt


def server_at_run_time(engine: Engine, backend: SectionId, name: str, body: Body) -> AtRunTime:
    """A replaced server."""

    def attempt(before: Document) -> bool:
        old = before.body(backend, engine.api).get("servers", {}).get(name)
        if old is None:
            return False
        changes = _changes(old, body)
        if changes.keys() - _SERVER_FIELDS:
            return False
        if any(value is None and field not in _MAY_GO_AWAY for field, value in changes.items()):
            return False
        return _change_server(engine, f"{backend.name}/{name}", changes, body)

    return attempt


def template_at_run_time(engine: Engine, backend: SectionId, prefix: str, body: Body) -> AtRunTime:
    """A replaced server template: only when nothing that counts changes."""

    def attempt(before: Document) -> bool:
        old = before.body(backend, engine.api).get("server_templates", {}).get(prefix)
        return old is not None and not _changes(old, body)

    return attempt


def added_server_at_run_time(engine: Engine, backend: SectionId, server: Body) -> AtRunTime:
    """A new server: added to the running worker, where HAProxy leaves it in maintenance."""

    def attempt(before: Document) -> bool:
        if "id" in server or server["address"].startswith("/"):
            return False
        body = before.body(backend, engine.api)
        if "default_server" in body or _inherits_default_server(before, body, engine):
            return False
        line = _server_line(engine, backend, server)
        try:
            return "New server registered" in engine.worker.ask(f"add server {backend.name}/{line}")
        except WorkerUnreachableError:
            return False

    return attempt


def _inherits_default_server(document: Document, backend: Body, engine: Engine) -> bool:
    """Whether the `defaults` of this backend (the last ones when it names none) have a `default-server`."""
    names = document.names(SectionKind.DEFAULTS)
    name = backend.get("from") or (names[-1] if names else "")
    return name in names and "default_server" in document.body(SectionId(SectionKind.DEFAULTS, name), engine.api)


def _server_line(engine: Engine, backend: SectionId, server: Body) -> str:
    """What follows `server` on the server's line, without its comment and what the server leaves out of the command."""
    shown = {field: value for field, value in server.items() if field not in _LEFT_OUT}
    text = write_section(backend.kind, {"name": backend.name, "servers": {server["name"]: shown}}, engine.api)
    line = next(line for line in text.splitlines() if line.startswith("  server "))
    return line.split(None, 1)[1]


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that count, with their new value; None for one that is gone."""
    return {
        field: new.get(field)
        for field in old.keys() | new.keys()
        if field not in {"metadata", "name"} and old.get(field) != new.get(field) and _counts(old, new, field)
    }


def _counts(old: Mapping[str, Any], new: Mapping[str, Any], field: str) -> bool:
    value = new.get(field, old.get(field))
    if isinstance(value, list):
        return False
    return not (isinstance(value, dict) and field in _MAPS)


_MAPS = frozenset({"binds", "servers", "server_templates"})


def _change_server(engine: Engine, server: str, changes: Mapping[str, Any], body: Body) -> bool:
    commands: list[tuple[str, bool]] = []
    if "weight" in changes:
        commands.append((f"set server {server} weight {changes['weight']}", True))
    if changes.keys() & {"address", "port"}:
        port = f" port {body['port']}" if "port" in body else ""
        commands.append((f"set server {server} addr {body['address']}{port}", False))
    if "maintenance" in changes:
        state = "maint" if changes["maintenance"] == "enabled" else "ready"
        commands.append((f"set server {server} state {state}", True))
    if "agent-check" in changes:
        verb = "enable" if changes["agent-check"] == "enabled" else "disable"
        commands.append((f"{verb} agent {server}", True))
    if "agent-addr" in changes:
        commands.append((f"set server {server} agent-addr {changes['agent-addr']}", False))
    if "agent-send" in changes:
        commands.append((f"set server {server} agent-send {changes['agent-send']}", True))
    if "health_check_port" in changes:
        commands.append((f"set server {server} check-port {changes['health_check_port']}", False))
    run: Callable[[str], bool] = lambda command: _silent(engine, command)  # noqa: E731 - one word below for two cases
    return all(run(command) or not strict for command, strict in commands)


def _silent(engine: Engine, command: str) -> bool:
    """Whether HAProxy did it: it says nothing then."""
    try:
        return not engine.worker.ask(command).strip()
    except WorkerUnreachableError:
        return False
