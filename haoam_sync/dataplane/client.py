"""The Data Plane API of one instance, as methods with types.

Paths, parameters and answers are those recorded from API 3.2 and 3.4. What a method raises beyond what it says is in
`failures.py`: an `InstanceError` whose place is cluster/instance.
"""

from __future__ import annotations

import base64
import secrets as random_source
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import quote

from haoam_sync.dataplane.answers import (
    Info,
    Raw,
    Reload,
    RuntimeServer,
    Sections,
    Stat,
    StoredCertificate,
    StoredFile,
    TransactionState,
    objects,
    once_each,
)
from haoam_sync.dataplane.exchange import Asked, Exchange
from haoam_sync.dataplane.redaction import private_keys_in, secrets_in, words_in
from haoam_sync.dataplane.transaction import Transaction
from haoam_sync.errors import HaoamError, InstanceError, MissingObjectError, RefusedError
from haoam_sync.haproxycfg import secrets as secrets_in_text
from haoam_sync.http import Bounds, Http, Peer, Transport
from haoam_sync.model.api_version import NEWEST, OLDEST
from haoam_sync.model.exchange import Recorder
from haoam_sync.model.fleet import Instance, InstanceId
from haoam_sync.model.json import Json, canonical_json
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.stored import FileStore

_HAPROXY = "/services/haproxy"
_RAW = f"{_HAPROXY}/configuration/raw"
_STORAGE = f"{_HAPROXY}/storage"
_CERTIFICATES = f"{_STORAGE}/ssl_certificates"
_TRANSACTIONS = f"{_HAPROXY}/transactions"
_FIRST_ANSWER_S = 15.0
"""How long the first answer of an instance may take: an endpoint that hangs is found soon."""
_RELOAD_POLLS = 240
_RELOAD_PAUSE_S = 0.5


class Client:
    """One instance's Data Plane API.

    Args:
        transport: sends one request.
        where: the instance.
        recorder: told of every request.
        sleep: waits that many seconds (reloads are awaited).
        secrets: values never to be shown in a message, besides those this client sends and reads.
    """

    def __init__(
        self,
        transport: Transport,
        where: InstanceId,
        recorder: Recorder,
        *,
        sleep: Callable[[float], None] = time.sleep,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.id = where
        self._transport = transport
        self._exchange = Exchange(transport, where, recorder)
        self._exchange.masks.add(secrets)
        self._sleep = sleep

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._exchange.requests

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        if isinstance(self._transport, Http):
            self._transport.close()

    # What it is

    def info(self) -> Info:
        """Which API this is; the first question to an instance.

        Raises:
            InstanceError: E_API_VERSION, it is older than what was measured.
        """
        asked = self._exchange.ask("GET", "/info", silence_s=_FIRST_ANSWER_S)
        info = self._exchange.parsed(asked, lambda document: Info.parse(document, asked.version))
        if info.version < OLDEST:
            raise InstanceError(
                f"Data Plane API {info.version} is too old: haoam-sync knows {OLDEST} to {NEWEST}",
                code="E_API_VERSION",
                where=str(self.id),
                hint=f"upgrade dataplaneapi to {OLDEST} or newer",
            )
        return info

    def version(self) -> int:
        """The configuration's version."""
        asked = self._exchange.ask("GET", f"{_HAPROXY}/configuration/version")
        return self._exchange.parsed(asked, _whole)

    # The configuration

    def sections(self, kind: SectionKind) -> Sections:
        """All sections of a kind with their children, in one request; none when there is no `global`.

        Rings must not be read like this: it breaks the server (FACTS.md).
        """
        if kind is SectionKind.RING:
            raise AssertionError("GET configuration/rings poisons the server's memory")
        try:
            asked = self._exchange.ask(
                "GET", f"{_HAPROXY}/configuration/{kind.collection}", query=(("full_section", "true"),)
            )
        except MissingObjectError:
            if kind is not SectionKind.GLOBAL:
                raise
            return Sections((), self.version())

        def parse(document: Json) -> Sections:
            found = Sections.parse(document, asked.version)
            for body in found.bodies:
                self._exchange.masks.add(secrets_in(kind, body))
            return found

        return self._exchange.parsed(asked, parse)

    def section(self, section: SectionId) -> Sections:
        """One section with its children.

        Raises:
            MissingObjectError: it is not there.
        """
        if section.kind is SectionKind.GLOBAL:
            return self.sections(section.kind)
        path = f"{_HAPROXY}/configuration/{section.kind.collection}/{quote(section.name, safe='')}"
        asked = self._exchange.ask("GET", path, query=(("full_section", "true"),))
        found = self._exchange.parsed(asked, lambda document: Sections.parse([document], asked.version))
        self._exchange.masks.add(secrets_in(section.kind, found.bodies[0]))
        return found

    def raw(self, *, transaction: str = "") -> Raw:
        """The whole text: of the file on disk, or as a transaction would leave it."""
        query = (("transaction_id", transaction),) if transaction else ()
        return self._raw(self._exchange.ask("GET", _RAW, query=query))

    def write_raw(self, text: str, *, version: int, force_reload: bool = True) -> Raw:
        """Replace the whole configuration, if it still has `version`, and wait for the reload.

        Raises:
            ConflictError: it has another version.
            RefusedError: HAProxy refuses the text, or cannot load it. After a failed load the API shows what the file
                does not hold (FACTS.md): write the earlier text back.
        """
        query = (("version", str(version)), *((("force_reload", "true"),) if force_reload else ()))
        asked = self._post_raw(text, query, (200, 201, 202))
        if asked.reply.status == 202 or asked.reload_id:  # noqa: PLR2004 - HTTP's own number
            self.await_reload(asked)
        return self._raw(asked)

    def write_raw_at_run_time(self, text: str, *, version: int, actions: str) -> Raw:
        """Replace the whole configuration, if it still has `version`, without a reload; the worker is told `actions`.

        Args:
            text: of the configuration.
            version: that it has.
            actions: `X-Runtime-Actions`, for example `SetServerWeight web s1 50;SetServerState web s1 maint`.

        Raises:
            ConflictError: it has another version.
            RefusedError: HAProxy refuses the text. What the worker thinks of the actions is not told by every server
                (FACTS.md): look at it.
        """
        query = (("version", str(version)), ("skip_reload", "true"))
        headers = (("X-Runtime-Actions", actions),) if actions else ()
        return self._raw(self._post_raw(text, query, (200, 201, 202), headers))

    def validate_raw(self, text: str, *, version: int) -> None:
        """Let the instance's own HAProxy judge a text; nothing changes.

        Raises:
            RefusedError: HAProxy refuses it.
        """
        self._post_raw(text, (("version", str(version)), ("only_validate", "true")), (200, 201, 202))

    def _post_raw(
        self,
        text: str,
        query: tuple[tuple[str, str], ...],
        expect: tuple[int, ...],
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Asked:
        self._exchange.masks.add(secrets_in_text.secrets(text))
        return self._exchange.ask(
            "POST",
            _RAW,
            query=query,
            body=text.encode(),
            content_type="text/plain",
            expect=expect,
            headers=headers,
        )

    def _raw(self, asked: Asked) -> Raw:
        try:
            text = asked.reply.body.decode()
            if asked.reply.headers.get("content-type", "").startswith("application/json") and text[:1] == '"':
                text = self._exchange.parsed(asked, _text)
            raw = Raw.parse(text, asked.version, asked.checksum)
        except ValueError as error:
            raise self._exchange.nonsense(asked, "no text of a configuration") from error
        if raw.text[:1] == "<":
            raise self._exchange.nonsense(asked, "HTML")
        self._exchange.masks.add(secrets_in_text.secrets(raw.text))
        return raw

    @contextmanager
    def transaction(self, version: int) -> Iterator[Transaction]:
        """Writes that take effect together, or not at all; deleted on the way out unless it was committed.

        Raises:
            ConflictError: the configuration has another version than `version`.
            InstanceError: E_TOO_MANY_TRANSACTIONS, the server's 20 are in use.
        """
        asked = self._exchange.ask("POST", _TRANSACTIONS, query=(("version", str(version)),), expect=(201,))
        opened = Transaction(self._exchange, self._exchange.parsed(asked, TransactionState.parse).id, self)
        try:
            yield opened
        except BaseException as error:
            try:
                opened.close()
            except Exception as second:  # noqa: BLE001 - the first error is the one that counts, an interruption above all
                why = second.message if isinstance(second, HaoamError) else type(second).__name__
                error.add_note(f"transaction {opened.id} could not be deleted: {why}")
            raise
        else:
            opened.close()

    def transactions(self) -> tuple[TransactionState, ...]:
        """The transactions that the server keeps, ours and others'."""
        asked = self._exchange.ask("GET", _TRANSACTIONS)
        return self._exchange.parsed(
            asked, lambda document: tuple(TransactionState.parse(item) for item in objects(document))
        )

    def delete_transaction(self, name: str) -> bool:
        """Delete one; False when it is not there (any more)."""
        try:
            self._exchange.ask("DELETE", f"{_TRANSACTIONS}/{quote(name, safe='')}", expect=(200, 202, 204))
        except MissingObjectError:
            return False
        return True

    # Reloads

    def reload(self, name: str) -> Reload:
        """How a reload went."""
        asked = self._exchange.ask("GET", f"{_HAPROXY}/reloads/{quote(name, safe='')}")
        return self._exchange.parsed(asked, Reload.parse)

    def await_reload(self, asked: Asked) -> None:
        """Wait for the reload that an answer names.

        Raises:
            InstanceError: E_NONSENSE, it names none; E_TIMEOUT, it does not end.
            RefusedError: it failed.
        """
        if not asked.reload_id:
            raise self._exchange.nonsense(asked, "202 without a Reload-ID: whether HAProxy reloads cannot be known")
        for _ in range(_RELOAD_POLLS):
            state = self.reload(asked.reload_id)
            if state.status == "succeeded":
                return
            if state.status == "failed":
                raise self._exchange.refused(f"Reload failed: {state.response.strip()}")
            self._sleep(_RELOAD_PAUSE_S)
        raise InstanceError(
            f"reload {asked.reload_id} did not end within {_RELOAD_POLLS * _RELOAD_PAUSE_S:g} seconds",
            code="E_TIMEOUT",
            where=str(self.id),
        )

    # Certificates

    def certificates(self) -> tuple[StoredCertificate, ...]:
        """All certificate files, names and paths only."""
        asked = self._exchange.ask("GET", _CERTIFICATES)
        return self._exchange.parsed(
            asked,
            lambda document: once_each((StoredCertificate.parse(item) for item in objects(document)), lambda c: c.name),
        )

    def certificate(self, name: str) -> StoredCertificate:
        """One, with serial, size and dates. Content cannot be read back."""
        asked = self._exchange.ask("GET", f"{_CERTIFICATES}/{quote(name, safe='')}")
        return self._exchange.parsed(asked, StoredCertificate.parse)

    def upload_certificate(self, name: str, content: bytes) -> StoredCertificate:
        """Store a new file. There is no overwriting: what was there could not be put back.

        Raises:
            ConflictError: there is one of that name.
            RefusedError: it is no certificate.
        """
        self._exchange.masks.add(private_keys_in(content))
        content_type, body = _multipart(name, content)
        try:
            asked = self._exchange.ask(
                "POST",
                _CERTIFICATES,
                body=body,
                content_type=content_type,
                expect=(201, 202),
            )
        except InstanceError as error:
            if type(error) is InstanceError and "failed to parse certificate" in error.message:
                raise RefusedError(
                    f"the instance cannot read certificate {name}: it must be PEM, chain and key", where=str(self.id)
                ) from error
            raise
        return self._exchange.parsed(asked, StoredCertificate.parse)

    def delete_certificate(self, name: str) -> bool:
        """Delete one; False when it is not there (any more). HAProxy need not reload for a file it does not use."""
        try:
            asked = self._exchange.ask(
                "DELETE",
                f"{_CERTIFICATES}/{quote(name, safe='')}",
                query=(("skip_reload", "true"),),
                expect=(200, 202, 204),
            )
        except MissingObjectError:
            return False
        if asked.reply.status == 202:  # noqa: PLR2004 - HTTP's own number
            self.await_reload(asked)
        return True

    # Other files

    def files(self, store: FileStore) -> tuple[StoredFile, ...]:
        """All files of a storage, names and paths only."""
        asked = self._exchange.ask("GET", f"{_STORAGE}/{store}")
        return self._exchange.parsed(
            asked, lambda document: once_each((StoredFile.parse(item) for item in objects(document)), lambda f: f.name)
        )

    def content(self, store: FileStore, name: str, *, secret: bool = False) -> bytes:
        """What a file of `general` or `maps` holds; a `secret` one is shown in no message from then on.

        Raises:
            MissingObjectError: it is not there (any more).
        """
        content = self._exchange.ask("GET", f"{_STORAGE}/{store}/{quote(name, safe='')}").reply.body
        if secret:
            self._exchange.masks.add(words_in(content))
        return content

    def upload_file(self, store: FileStore, name: str, content: bytes, *, secret: bool = False) -> StoredFile:
        """Store a new file; HAProxy need not reload for a file that it does not use yet.

        Raises:
            ConflictError: there is one of that name.
        """
        if secret:
            self._exchange.masks.add(words_in(content))
        content_type, body = _multipart(name, content)
        asked = self._exchange.ask(
            "POST", f"{_STORAGE}/{store}", body=body, content_type=content_type, expect=(201, 202)
        )
        return self._exchange.parsed(asked, StoredFile.parse)

    def repair_file(self, store: FileStore, name: str, content: bytes, *, secret: bool = False) -> None:
        """Put the content back of which the name of a file is made, and wait for the reload.

        Raises:
            RefusedError: HAProxy cannot be reloaded with it.
        """
        self._exchange.masks.add([*private_keys_in(content), *(words_in(content) if secret else ())])
        if store is FileStore.GENERAL:
            content_type, body = _multipart(name, content)
        else:
            content_type, body = "text/plain", content
        asked = self._exchange.ask(
            "PUT",
            f"{_STORAGE}/{store}/{quote(name, safe='')}",
            query=(("force_reload", "true"),),
            body=body,
            content_type=content_type,
            expect=(200, 202, 204),
        )
        if asked.reply.status == 202:  # noqa: PLR2004 - HTTP's own number
            self.await_reload(asked)

    def delete_file(self, store: FileStore, name: str) -> bool:
        """Delete one; False when it is not there (any more)."""
        try:
            self._exchange.ask("DELETE", f"{_STORAGE}/{store}/{quote(name, safe='')}", expect=(200, 202, 204))
        except MissingObjectError:
            return False
        return True

    # The worker

    def runtime_servers(self, backend: str) -> tuple[RuntimeServer, ...]:
        """The servers of a backend as the worker runs them; none when it does not run the backend."""
        try:
            asked = self._exchange.ask("GET", f"{_HAPROXY}/runtime/backends/{quote(backend, safe='')}/servers")
        except MissingObjectError:
            return ()
        return self._exchange.parsed(
            asked, lambda document: tuple(RuntimeServer.parse(item) for item in objects(document))
        )

    def all_runtime_servers(self) -> tuple[RuntimeServer, ...]:
        """The servers of every proxy as the worker runs them: 0.15 s for 50,000, where one by one takes minutes.

        The API hands the name of the backend to HAProxy's `show servers state [BACKEND]`, and a blank names none. The
        answer is in the worker's order, that of its file; API 3.2 does not tell which backend a server belongs to.
        """
        return self.runtime_servers(" ")

    def set_admin_state(self, backend: str, server: str, state: str) -> RuntimeServer:
        """Put a server into `ready`, `drain` or `maint` in the worker; the configuration does not change."""
        body = {"admin_state": state}
        asked = self._exchange.ask(
            "PUT",
            f"{_HAPROXY}/runtime/backends/{quote(backend, safe='')}/servers/{quote(server, safe='')}",
            body=canonical_json(body),
            content_type="application/json",
            shown=body,
        )
        return self._exchange.parsed(asked, RuntimeServer.parse)

    def stats(self, kind: str, name: str = "", *, backend: str = "") -> tuple[Stat, ...]:
        """The worker's statistics for `frontend`, `backend` or `server`: one by name, or all.

        All cost the worker 1 ms a backend (FACTS.md): ask for names where names are known.
        """
        query = [("type", kind)]
        if name:
            query.append(("name", name))
        if backend:
            query.append(("parent", backend))
        asked = self._exchange.ask("GET", f"{_HAPROXY}/stats/native", query=tuple(query))
        return self._exchange.parsed(asked, Stat.parse_all)


def peer(instance: InstanceId) -> Peer:
    """An instance, as errors of its session name it."""
    return Peer(
        str(instance),
        InstanceError,
        url="an instance's url is http(s)://HOST:PORT/v3",
        up="check that the instance's Data Plane API runs, and its url in haoam.yaml",
        quick="check that the instance is up and not overloaded",
        tls="check the instance's `ca_file` in haoam.yaml (for import: --ca), and the name in its certificate",
        right="check that the URL is that of a Data Plane API",
    )


def connect(instance: Instance, password: str, recorder: Recorder, *, bounds: Bounds | None = None) -> Client:
    """A client for an instance of the fleet.

    Raises:
        InstanceError: E_TLS, its `ca` is not PEM; E_UNREACHABLE, its `url` is not a URL. Nothing is sent yet.
    """
    http = Http(
        instance.url,
        peer=peer(instance.id),
        user=instance.user,
        password=password,
        ca=instance.ca,
        bounds=bounds,
    )
    # A proxy in between may show the header that carries both: its value is the password in another spelling.
    basic = base64.b64encode(f"{instance.user}:{password}".encode()).decode()
    return Client(http, instance.id, recorder, secrets=(password, basic))


def _multipart(name: str, content: bytes) -> tuple[str, bytes]:
    """Content type and body of an upload."""
    boundary = "haoam" + random_source.token_hex(16)
    body = b"".join(
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file_upload"; filename="{name}"\r\n'.encode(),
            b"Content-Type: application/octet-stream\r\n\r\n",
            content,
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
    return f"multipart/form-data; boundary={boundary}", body


def _whole(document: object) -> int:
    if isinstance(document, bool) or not isinstance(document, int):
        raise TypeError("not a whole number")
    return document


def _text(document: object) -> str:
    if not isinstance(document, str):
        raise TypeError("not text")
    return document
