"""One request and its answer: announced, sent, recorded, checked.

Everything that goes to an instance goes through `Exchange.ask`, so that nothing is written that was not announced to
the audit log first, and every answer is either one of those expected or an error of `errors.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from haoam_sync.dataplane.answers import TransactionState
from haoam_sync.dataplane.failures import Masks, failure, message_of, nonsense, word
from haoam_sync.errors import InstanceError, RefusedError
from haoam_sync.http import Call, Reply, Transport
from haoam_sync.model.exchange import Answer, Recorder, Request
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import Json
from haoam_sync.model.strict_json import json_of, whole

T = TypeVar("T")

_HEADER = re.compile(r"[A-Za-z0-9_:.-]{1,128}")
_SHAPE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_SHOWN_CHARACTERS = 300
_TRANSPORT_WORDS = {"E_TIMEOUT": "timeout", "E_TLS": "tls", "E_UNREACHABLE": "unreachable"}


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that was expected, with what the API says about the configuration."""

    reply: Reply
    what: str
    version: int | None
    checksum: str
    reload_id: str


class Exchange:
    """The conversation with one instance.

    Attributes:
        where: the instance.
        masks: what must not leave in a message.
        requests: how many were sent.
    """

    def __init__(self, transport: Transport, where: InstanceId, recorder: Recorder) -> None:
        self.where = where
        self.masks = Masks()
        self.requests = 0
        self._transport = transport
        self._recorder = recorder

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        content_type: str = "",
        shown: Json = None,
        expect: tuple[int, ...] = (200,),
        silence_s: float = 0,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Asked:
        """Ask, and give back an answer with one of the statuses in `expect`.

        Raises:
            InstanceError: no answer, or another one; see `failures.failure`.
        """
        writes = method != "GET"
        request = Request(self.where.cluster, self.where.name, method, path, query, writes, body, shown)
        if writes:
            self._recorder.announce(request)
        self.requests += 1
        what = f"{method} {path}"
        try:
            reply = self._transport.send(Call(method, path, query, body, content_type, silence_s, headers))
        except InstanceError as error:
            words = _TRANSPORT_WORDS.get(error.code, "nonsense")
            self._recorder.answered(request, Answer(0, error_class=words, error_text=error.message))
            raise
        except BaseException as error:
            # Interrupted while waiting: the log must still say that this request was sent and its answer is not known.
            self._recorder.answered(request, Answer(0, error_class="interrupted", error_text=type(error).__name__))
            raise
        asked = Asked(
            reply,
            what,
            _number(reply.headers.get("configuration-version")),
            _name(reply.headers.get("configuration-checksum")),
            _name(reply.headers.get("reload-id")),
        )
        # A page of HTML is never the API's word, whatever its status: it is some proxy's.
        expected = reply.status in expect and not reply.headers.get("content-type", "").startswith("text/html")
        said = "" if expected else message_of(reply) or ""
        self._recorder.answered(
            request,
            Answer(
                reply.status,
                asked.version,
                asked.checksum,
                asked.reload_id,
                reply.duration_ms,
                "" if expected else word(reply.status, said) or "nonsense",
                said,
                _transaction_id(request, reply) if expected else "",
            ),
        )
        if not expected:
            raise failure(reply, asked=what, where=str(self.where), masks=self.masks)
        if asked.version is None and "configuration-version" in reply.headers:
            raise self.nonsense(asked, "a Configuration-Version that is no number")
        return asked

    def parsed(self, asked: Asked, parse: Callable[[Json], T]) -> T:
        """The JSON body of an answer through `parse`.

        Raises:
            InstanceError: E_NONSENSE, it is not JSON, or not of the shape that `parse` wants.
        """
        try:
            document = json_of(asked.reply.body)
        except ValueError as error:
            raise nonsense(asked.reply, asked=asked.what, where=str(self.where)) from error
        try:
            return parse(document)
        except _SHAPE as error:
            why = self.masks.hide(f"JSON of another shape ({error})")[:_SHOWN_CHARACTERS]
            raise nonsense(asked.reply, asked=asked.what, where=str(self.where), why=why) from error

    def nonsense(self, asked: Asked, why: str) -> InstanceError:
        """The error for an answer whose status was expected and whose content is not."""
        return nonsense(asked.reply, asked=asked.what, where=str(self.where), why=why)

    def refused(self, message: str) -> RefusedError:
        """The error for a refusal told in another way than by a status; `message` is the server's, masked here."""
        return RefusedError(self.masks.hide(message), where=str(self.where))


def _transaction_id(request: Request, reply: Reply) -> str:
    """The id of the transaction that this very request opened."""
    if request.method != "POST" or not request.path.endswith("/transactions"):
        return ""
    try:
        return TransactionState.parse(json_of(reply.body)).id
    except ValueError:
        return ""


def _number(text: str | None) -> int | None:
    try:
        return whole(text.strip()) if text is not None else None
    except ValueError:
        return None


def _name(text: str | None) -> str:
    """A reload id or a checksum: one that is none counts as absent, and absence is told where it matters."""
    return text if text is not None and _HEADER.fullmatch(text) else ""
