"""The one place where an answer of the Data Plane API becomes an error of ours.

The server's own words are what a user needs when HAProxy refuses a configuration, and they may echo a line of it. So
they are shown with every secret masked that this client has sent to or read from the instance (`Masks`), by its exact
value in each spelling in which it may come back. Values shorter than four characters are masked only as whole words:
masking `a` everywhere would tell more than it hides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from haoam_sync.errors import ConflictError, HaoamError, InstanceError, MissingObjectError, RefusedError
from haoam_sync.http import Reply
from haoam_sync.model.strict_json import json_of

_MASK = "(secret)"
_SHORT = 4
_SHOWN_CHARACTERS = 2000
_VALIDATION_FILE = re.compile(r"[^\s\[]{0,200}/onlyvalidate\d+")


class Masks:
    """Secrets that must not leave in a message."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def add(self, secrets: Iterable[str]) -> None:
        """Never show these again."""
        self._secrets.update(secret for secret in secrets if secret)

    def hide(self, text: str) -> str:
        """`text` without any of them, the longest first, so that one that holds another goes as a whole."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            for spelling in _spellings(secret):
                if len(spelling) < _SHORT:
                    text = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", _MASK, text)
                else:
                    text = text.replace(spelling, _MASK)
        return text


def _spellings(secret: str) -> tuple[str, ...]:
    """As it is, as JSON escapes it, and as a configuration line escapes it."""
    escaped = re.sub(r"([\\ \"'#])", r"\\\1", secret)
    return tuple(dict.fromkeys((secret, json.dumps(secret)[1:-1], escaped)))


def word(status: int, message: str) -> str:
    """What went wrong in one word, for the audit log; "" for an answer that is none."""
    words = {
        401: "unauthorized",
        403: "forbidden",
        404: "missing",
        405: "refused",
        406: "conflict",
        409: "conflict",
        415: "refused",
        422: "refused",
        429: "too-many-transactions",
    }
    if status < 300:  # noqa: PLR2004 - HTTP's own classes of status
        return ""
    if status == 400:  # noqa: PLR2004 - HTTP's own number
        return "reload" if message.startswith("Reload failed") else "validation"
    return words.get(status, "server" if status >= 500 else "nonsense")  # noqa: PLR2004 - HTTP's own classes


def message_of(reply: Reply) -> str | None:
    """The server's own words in an answer that is an error, None when it is none of a Data Plane API."""
    try:
        document = json_of(reply.body)
    except ValueError:
        return None
    match document:
        case {"message": str(message)}:
            return message
    return None


def failure(reply: Reply, *, asked: str, where: str, masks: Masks) -> HaoamError:
    """The error for an answer that is none of those expected.

    Args:
        reply: the answer.
        asked: method and path.
        where: cluster/instance.
        masks: what must not leave.
    """
    if reply.status == 401:  # noqa: PLR2004 - HTTP's own number
        return InstanceError(
            "the Data Plane API does not accept user and password",
            code="E_UNAUTHORIZED",
            where=where,
            hint="check its user, and the value that its password has on this host; a user that the API was told of "
            "counts after a restart only",
        )
    message = message_of(reply)
    if message is None:
        return nonsense(reply, asked=asked, where=where)
    # Masked before it is cut: half a secret is none that could be recognised.
    said = _VALIDATION_FILE.sub("haproxy.cfg", masks.hide(message)[:_SHOWN_CHARACTERS]).strip()
    match reply.status:
        case 403:
            return InstanceError(
                f"{asked} is forbidden: {said}",
                code="E_FORBIDDEN",
                where=where,
                hint="see what stands in front of the API, and what the instance's user may do there",
            )
        case 404:
            return MissingObjectError(f"{asked}: {said}", where=where)
        case 406 | 409:
            return ConflictError(
                f"somebody else wrote to the instance in between: {said}", where=where, hint="plan again, then apply"
            )
        case 429:
            return InstanceError(
                f"the instance has no room for another transaction: {said}",
                code="E_TOO_MANY_TRANSACTIONS",
                where=where,
                hint="delete abandoned ones: GET and DELETE /services/haproxy/transactions",
            )
        case 400 | 422 | 405 | 415:
            return RefusedError(f"the instance refuses it: {said}", where=where)
        case _:
            return InstanceError(f"{asked} answers {reply.status}: {said}", where=where)


def nonsense(reply: Reply, *, asked: str, where: str, why: str = "") -> InstanceError:
    """The error for an answer that no Data Plane API gives. Nothing of its body is shown: it may be anything."""
    kind = reply.headers.get("content-type", "no content type").split(";")[0][:80]
    what = why or f"{reply.status} with {kind}"
    return InstanceError(
        f"{asked} answers what no Data Plane API answers: {what}",
        code="E_NONSENSE",
        where=where,
        hint="check that the instance's url ends with /v3 and names the Data Plane API itself",
    )
