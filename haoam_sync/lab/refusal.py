"""What the server says no with: a status, a code and its words, as the recordings have them."""

from __future__ import annotations

from http import HTTPStatus


class Refusal(Exception):  # noqa: N818 - the server's own answer, not a fault of the lab
    """An answer other than the one asked for.

    Attributes:
        status: HTTP status.
        code: the `code` inside the body, where it is not the status (602, 605, ... of API 3.2).
        message: the server's words.
        allow: methods that would be answered, for 405.
        version: what `Configuration-Version` says; None for the current version.
        leaves_transaction: whether the server forgets to clean up: a transaction in progress stays in its list.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: int = 0,
        allow: str = "",
        version: int | None = None,
        leaves_transaction: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or status
        self.message = message
        self.allow = allow
        self.version = version
        self.leaves_transaction = leaves_transaction


def missing(words: str) -> Refusal:
    """404 for an object of the configuration."""
    return Refusal(HTTPStatus.NOT_FOUND, f"missing object: {words}")


def exists(words: str) -> Refusal:
    """409 for a name that is taken."""
    return Refusal(HTTPStatus.CONFLICT, f"object already exists: {words}")


def no_parent(kind: str, name: str) -> Refusal:
    """400 for a part of a section that is not there."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"missing parent: {kind} {name} does not exist")


def stale(current: int, given: int) -> Refusal:
    """409 for a write on top of another version."""
    return Refusal(
        HTTPStatus.CONFLICT,
        f"version mismatch: version in configuration file is {current}, given version is {given}",
    )


def unknown_transaction(name: str) -> Refusal:
    """400 for reading or writing in a transaction that is not in progress; its version is told as 0."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"transaction does not exist: {name}", version=0)


NEITHER_VERSION_NOR_TRANSACTION = (
    "version or transaction not specified: version or transaction not specified, specify only one"
)
BOTH_VERSION_AND_TRANSACTION = "both version and transaction specified, specify only one"
