"""HTTP to one base URL: the only importer of requests, and the one place where its exceptions become ours.

What it guarantees, whatever the environment says: no proxy and no netrc from environment variables, no redirect
followed, TLS 1.2 or newer checked against the authorities given (or the system's) and nothing else, a limit on the time
of a connection, of a silence, of a whole answer and of its size. An answer of any status is a value here: whether 409
is a failure is for the caller to say (`dataplane/failures.py` for the Data Plane API).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from http import cookiejar
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import HTTPError, ProtocolError

from haoam_sync.errors import HaoamError
from haoam_sync.http.call import Bounds, Call, Peer, Reply
from haoam_sync.http.deadline import Deadline, watched
from haoam_sync.http.unpacking import PIECE, PackedError, inflated

PAUSES_S = (0.2, 0.8)
"""Seconds before the second and the third attempt, where another attempt is safe."""


class Http:
    """A session with one base URL.

    Args:
        base: base URL, `http` or `https`.
        peer: whom errors name, and how.
        user: for basic authentication; "" for none.
        password: the same. Secret.
        bearer: token for bearer authentication, sent to this base URL alone; "" for none. Secret.
        ca: PEM of the only authorities to believe; None for the system's.
        bounds: how long and how much.
        sleep: waits that many seconds.

    Raises:
        HaoamError: of the peer's kind: E_TLS, `ca` holds no certificate; E_UNREACHABLE, `base` is no URL.
    """

    def __init__(
        self,
        base: str,
        *,
        peer: Peer,
        user: str = "",
        password: str = "",
        bearer: str = "",
        ca: bytes | None = None,
        bounds: Bounds | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._peer = peer
        self._base = base.rstrip("/")
        self._shown = _without_credentials(base, peer)
        self._bounds = bounds or Bounds()
        self._sleep = sleep
        self._session = requests.Session()
        # Proxies, netrc and CA bundles named by environment variables are not what git and the host's settings say.
        self._session.trust_env = False
        self._session.cookies.set_policy(cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        if user:
            self._session.auth = HTTPBasicAuth(user.encode(), password.encode())
        elif bearer:
            self._session.auth = _Bearer(bearer)
        self._deadline = Deadline()
        self._session.mount("http://", _Adapter(self._deadline))
        self._session.mount("https://", _PinnedAdapter(self._deadline, _tls(ca, peer)))

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def send(self, call: Call) -> Reply:
        """Send `call`, again only where that is safe.

        A GET whose connection fails or breaks is sent up to three times: it changes nothing (the one GET that does, of
        rings, is never made). Any other method is sent again only when the connection was refused: then no byte of it
        left, so the instance cannot have acted on it. After a time-out nothing is sent again: the patience is used up,
        and whether a write arrived nobody knows; the caller has to look.

        Raises:
            HaoamError: of the peer's kind: E_UNREACHABLE, E_TIMEOUT, E_TLS, or E_NONSENSE for an answer that is too
                large, or packed in a way that cannot be unpacked within bounds.
        """
        whole_s = min(self._bounds.whole_s, 2 * call.silence_s or self._bounds.whole_s)
        with self._deadline.within(whole_s):
            for pause in PAUSES_S:
                try:
                    return self._once(call, whole_s)
                except _AgainError as failure:
                    if not (failure.unsent or call.method == "GET"):
                        raise failure.error from failure.__cause__
                    self._sleep(pause)
                    if self._deadline.passed:
                        raise failure.error from failure.__cause__
            try:
                return self._once(call, whole_s)
            except _AgainError as failure:
                raise failure.error from failure.__cause__

    def _once(self, call: Call, whole_s: float) -> Reply:
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", **dict(call.headers)}
        if call.content_type:
            headers["Content-Type"] = call.content_type
        silence_s = call.silence_s or self._bounds.silence_s
        started = time.monotonic()
        try:
            with self._session.request(
                call.method,
                self._base + call.path,
                params=list(call.query),
                data=call.body or None,
                headers=headers,
                timeout=(self._bounds.connect_s, silence_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response, whole_s)
                return Reply(
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    body,
                    round((time.monotonic() - started) * 1000),
                )
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
            if self._deadline.passed:
                raise self._timeout(whole_s) from error
            raise self._failure(error, silence_s) from error

    def _read(self, response: requests.Response, whole_s: float) -> bytes:
        parts, size = [], 0
        for part in self._unpacked(response):
            parts.append(part)
            size += len(part)
            if size > self._bounds.answer_bytes:
                raise self._nonsense(f"answers more than {self._bounds.answer_bytes} bytes")
            if self._deadline.passed:
                break
        # A connection that the deadline closed can look like one that the peer closed at the end of its answer.
        if self._deadline.passed:
            raise self._timeout(whole_s)
        return b"".join(parts)

    def _nonsense(self, why: str) -> HaoamError:
        return self._peer.error(
            f"{self._shown} {why}", code="E_NONSENSE", where=self._peer.where, hint=self._peer.right
        )

    def _unpacked(self, response: requests.Response) -> Iterator[bytes]:
        """The body in pieces of bounded size. It was asked for as it is; a peer that packs it all the same is read too.

        A few bytes can unpack to gigabytes: so every piece is counted before the next one is unpacked.
        """
        packed = response.raw.stream(PIECE, decode_content=False)
        match response.headers.get("Content-Encoding", "identity").strip().lower():
            case "identity" | "":
                yield from packed
            case "gzip" | "x-gzip" | "deflate":
                yield from inflated(packed)
            case _:
                raise self._nonsense("packs its answer in a way that it was not asked for")

    def _timeout(self, seconds: float) -> HaoamError:
        return self._peer.error(
            f"{self._shown} gave no complete answer within {seconds:g} seconds",
            code="E_TIMEOUT",
            where=self._peer.where,
            hint=self._peer.quick,
        )

    def _failure(self, error: Exception, silence_s: float) -> _AgainError | HaoamError:
        """The exceptions of requests, mapped. Their texts name objects in memory: only the first cause is kept."""
        if isinstance(error, PackedError):
            return self._nonsense(str(error))
        cause = _innermost(error)
        if isinstance(error, requests.exceptions.SSLError):
            reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__
            return self._peer.error(
                f"no trusted TLS connection to {self._shown}: {reason}",
                code="E_TLS",
                where=self._peer.where,
                hint=self._peer.tls,
            )
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return self._timeout(self._bounds.connect_s)
        if isinstance(error, requests.exceptions.Timeout) or isinstance(cause, TimeoutError):
            return self._timeout(silence_s)
        if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
            return self._peer.error(
                f"{self._shown} is not a URL that can be asked",
                code="E_UNREACHABLE",
                where=self._peer.where,
                hint=self._peer.url,
            )
        name = type(cause).__name__
        reason = getattr(cause, "strerror", None) or _REASONS.get(name, name)
        if isinstance(error, ProtocolError):  # while the body was read; before it, requests wraps what goes wrong
            reason = "the answer broke off"
        return _AgainError(
            self._peer.error(
                f"cannot reach {self._shown}: {reason}",
                code="E_UNREACHABLE",
                where=self._peer.where,
                hint=self._peer.up,
            ),
            unsent=isinstance(cause, ConnectionRefusedError),
        )


_REASONS = {
    "RemoteDisconnected": "it closed the connection without an answer",
    "BadStatusLine": "what it answers is no HTTP",
}
"""What the exceptions of http.client and urllib3 mean that have no words of their own."""


class _AgainError(Exception):
    """A failure after which another attempt may help; `unsent` when no byte of the request left."""

    def __init__(self, error: HaoamError, *, unsent: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.unsent = unsent


class _Bearer(AuthBase):
    """Adds the token to a request of this session, which goes to one base URL and follows no redirect."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add it."""
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r


class _Adapter(HTTPAdapter):
    """Makes connections that the deadline of a request can close."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The pool for a request."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        return watched(pool, self._deadline)


class _PinnedAdapter(_Adapter):
    """Believes the authorities of one context and no others.

    requests would add its own bundle (`certifi`) to whatever a context holds: `cert_verify` is where it does.
    """

    def __init__(self, deadline: Deadline, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(deadline)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Hand the context to every connection."""
        super().init_poolmanager(*args, **{**kwargs, "ssl_context": self._context})

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Require a certificate, and leave the authorities to the context."""
        del url, verify, cert
        conn.cert_reqs = "CERT_REQUIRED"
        conn.ca_certs = None
        conn.ca_cert_dir = None


def _tls(ca: bytes | None, peer: Peer) -> ssl.SSLContext:
    try:
        if ca is None:
            context = ssl.create_default_context()
        else:
            # An empty `cadata` would mean the system's authorities, so it is loaded by itself: then it is an error.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=ca.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise peer.error(
            "the certificate authority given is not PEM",
            code="E_TLS",
            where=peer.where,
            hint="the file of the authority holds PEM",
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _without_credentials(url: str, peer: Peer) -> str:
    """The URL as messages may show it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        place = f"[{host}]" if ":" in host else host
        return urlunsplit((parts.scheme, f"{place}:{parts.port}" if parts.port else place, parts.path, "", ""))
    except ValueError as error:
        raise peer.error(
            "the url is not a URL",
            code="E_UNREACHABLE",
            where=peer.where,
            hint=peer.url,
        ) from error


def _innermost(error: BaseException) -> BaseException:
    """What failed first: the last exception of the chain, which says why in the system's words."""
    for link in _chain(error):
        error = link
    return error


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
