"""`X-Runtime-Actions`: changes in the running worker that come along with a raw write."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from haoam_sync.lab.worker import Worker, WorkerUnreachableError

_COMMANDS: Mapping[str, str] = {
    "SetFrontendMaxConn": "set maxconn frontend {} {}",
    "SetServerAddr": "set server {}/{} addr {}",
    "SetServerAddrPort": "set server {}/{} addr {} port {}",
    "SetServerState": "set server {}/{} state {}",
    "SetServerWeight": "set server {}/{} weight {}",
    "SetServerHealth": "set server {}/{} health {}",
    "SetServerCheckPort": "set server {}/{} check-port {}",
    "EnableAgentCheck": "enable agent {}/{}",
    "DisableAgentCheck": "disable agent {}/{}",
    "EnableServer": "enable server {}/{}",
    "DisableServer": "disable server {}/{}",
    "SetServerAgentAddr": "set server {}/{} agent-addr {}",
    "SetServerAgentSend": "set server {}/{} agent-send {}",
}
"""Commands by action; as many words must follow the action as there are places."""
_WITH_PORT = 4


def run_actions(worker: Worker, header: str) -> None:
    """Do what the header says (`SetServerWeight web s1 50;SetServerState web s1 maint`), action by action.

    What HAProxy thinks of one is not told, as by the server.
    """
    for action in header.split(";"):
        command = _command(action.split())
        if command:
            with contextlib.suppress(WorkerUnreachableError):
                worker.ask(command)


def _command(words: Sequence[str]) -> str:
    """The command for one action; "" for one that is unknown or has not as many arguments as it needs."""
    if not words:
        return ""
    name, arguments = words[0], words[1:]
    if name == "SetServerAddr" and len(arguments) == _WITH_PORT:
        name = "SetServerAddrPort"
    command = _COMMANDS.get(name, "")
    return command.format(*arguments) if command and command.count("{}") == len(arguments) else ""
