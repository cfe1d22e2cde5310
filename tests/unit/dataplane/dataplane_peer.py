"""A peer in memory: answers by a script and logs what was asked. What a test did not script it does not get."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from haoam_sync.errors import HaoamError
from haoam_sync.http import Call, Reply
from haoam_sync.model.exchange import Answer, Request


def reply(
    status: int = 200, body: object = None, *, version: int | None = 7, headers: Mapping[str, str] | None = None
) -> Reply:
    """An answer as the Data Plane API gives it."""
    heads = {"content-type": "application/json", **(headers or {})}
    if version is not None:
        heads["configuration-version"] = str(version)
    data = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Reply(status, heads, data, 3)


@dataclass
class Peer:
    """Answers in the order of `script`; an error in it is raised.

    Attributes:
        script: answers still to give.
        calls: what was asked, in order.
    """

    script: list[Reply | BaseException]
    calls: list[Call] = field(default_factory=list)

    def send(self, call: Call) -> Reply:
        """The next answer."""
        self.calls.append(call)
        answer = self.script.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def asked(self) -> list[str]:
        """`METHOD PATH?QUERY` of each call, without the common prefix."""
        return [
            f"{call.method} {call.path.removeprefix('/services/haproxy')}"
            + ("?" + "&".join(f"{key}={value}" for key, value in call.query) if call.query else "")
            for call in self.calls
        ]


@dataclass
class Log:
    """A recorder that keeps everything, or refuses to announce.

    Attributes:
        refuse: raised by `announce`.
        events: requests announced, and (request, answer) of those answered.
    """

    refuse: HaoamError | None = None
    announced: list[Request] = field(default_factory=list)
    answers: list[tuple[Request, Answer]] = field(default_factory=list)

    def announce(self, request: Request) -> None:
        """Keep it, or refuse."""
        if self.refuse is not None:
            raise self.refuse
        self.announced.append(request)

    def answered(self, request: Request, answer: Answer) -> None:
        """Keep it."""
        self.answers.append((request, answer))
