"""A transaction: writes that take effect together, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol
from urllib.parse import quote

from haoam_sync.dataplane.answers import Raw
from haoam_sync.dataplane.exchange import Asked, Exchange
from haoam_sync.dataplane.redaction import redacted, secrets_in
from haoam_sync.errors import MissingObjectError
from haoam_sync.model.json import JsonObject, canonical_json
from haoam_sync.model.section import SectionId, SectionKind

_HAPROXY = "/services/haproxy"
_WRITTEN = (200, 201, 202, 204)
_ADDED_ANEW = frozenset({SectionKind.USERLIST, SectionKind.PEERS, SectionKind.CRT_STORE})
"""Kinds of which nothing is replaced in place."""


class Owner(Protocol):
    """What a transaction needs of the client that opened it."""

    def await_reload(self, asked: Asked) -> None:
        """Wait for the reload that an answer names."""

    def raw(self, *, transaction: str) -> Raw:
        """The text as the transaction would leave it."""


class Transaction:
    """One open transaction; made by `Client.transaction`.

    Attributes:
        id: the server's name for it.
        committed: whether the server took it. After a commit that failed it is False, although a reload that failed
            after validation leaves the API showing what the file does not hold (FACTS.md).
        commit_sent: whether a commit was asked for: from then on the configuration may have changed.
    """

    def __init__(self, exchange: Exchange, name: str, owner: Owner) -> None:
        self.id = name
        self.committed = False
        self.commit_sent = False
        self._exchange = exchange
        self._owner = owner
        self._closed = False

    def create(self, section: SectionId, body: JsonObject) -> None:
        """Add a section with all its children. `global` is always there and is replaced."""
        if section.kind is SectionKind.GLOBAL:
            self.replace(section, body)
            return
        self._write("POST", f"{_HAPROXY}/configuration/{section.kind.collection}", section.kind, body)
        match section.kind:
            case SectionKind.RESOLVERS if body.get("nameservers"):
                # API 3.2 drops the name servers of a new section and takes them when it is replaced (measured)
                self._write("PUT", _path(section), section.kind, body)
            case SectionKind.CRT_STORE:
                self._create_loads(section, body)

    def replace(self, section: SectionId, body: JsonObject) -> None:
        """Put a whole section, children included, in the place of the one there is.

        Userlists and peers know no PUT (FACTS.md), and that of a crt-store leaves its loads as they are: these are
        deleted and added, which within a transaction nobody sees.
        """
        if section.kind in _ADDED_ANEW:
            self.delete(section)
            self.create(section, body)
            return
        self._write("PUT", _path(section), section.kind, body)

    def delete(self, section: SectionId) -> None:
        """Take a section away.

        Raises:
            MissingObjectError: it is not there.
        """
        self._exchange.ask("DELETE", _path(section), query=(("transaction_id", self.id),), expect=_WRITTEN)

    def preview(self) -> str:
        """The whole text as a commit would leave it; nothing changes."""
        return self._owner.raw(transaction=self.id).text

    def commit(self, *, force_reload: bool = True) -> None:
        """Validate, write and reload; returns when the reload is done and succeeded.

        Raises:
            ConflictError: somebody else wrote since the transaction was opened.
            RefusedError: HAProxy refuses the configuration, or the reload failed.
            InstanceError: among others E_TIMEOUT, after which nobody knows whether it was written.
        """
        self.commit_sent = True
        asked = self._exchange.ask(
            "PUT",
            f"{_HAPROXY}/transactions/{quote(self.id, safe='')}",
            query=(("force_reload", "true"),) if force_reload else (),
            expect=(200, 202),
        )
        self.committed = True
        if asked.reply.status == 202:  # noqa: PLR2004 - HTTP's own number
            self._owner.await_reload(asked)

    def close(self) -> None:
        """Delete it unless it was committed. One that the server has forgotten already is fine."""
        if self._closed or self.committed:
            return
        with suppress(MissingObjectError):
            self._exchange.ask("DELETE", f"{_HAPROXY}/transactions/{quote(self.id, safe='')}", expect=(200, 202, 204))
        self._closed = True

    @property
    def closed(self) -> bool:
        """Whether the server does not keep it any more."""
        return self._closed or self.committed

    def _create_loads(self, store: SectionId, body: JsonObject) -> None:
        """The loads of a crt-store, which the server takes one by one only."""
        loads = body.get("crt_loads")
        for load in loads.values() if isinstance(loads, Mapping) else ():
            if isinstance(load, Mapping):
                self._write("POST", f"{_path(store)}/crt_loads", store.kind, load)

    def _write(self, method: str, path: str, kind: SectionKind, body: JsonObject) -> None:
        self._exchange.masks.add(secrets_in(kind, body))
        self._exchange.ask(
            method,
            path,
            query=(("transaction_id", self.id), ("full_section", "true")),
            body=canonical_json(body),
            content_type="application/json",
            shown=redacted(kind, body),
            expect=_WRITTEN,
        )


def _path(section: SectionId) -> str:
    collection = f"{_HAPROXY}/configuration/{section.kind.collection}"
    return f"{collection}/{quote(section.name, safe='')}" if section.name else collection
