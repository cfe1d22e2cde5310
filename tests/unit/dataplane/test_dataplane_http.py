"""The HTTP session, against real servers on loopback: what the environment cannot change, and what is sent again."""

from __future__ import annotations

import gzip
import ipaddress
import random
import socket
import ssl
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haoam_sync.dataplane.client import peer
from haoam_sync.errors import InstanceError
from haoam_sync.http import Bounds, Call, Http
from haoam_sync.http.unpacking import PIECE, inflated
from haoam_sync.model.fleet import InstanceId

Handle = Callable[[BaseHTTPRequestHandler], None]
PEER = peer(InstanceId("eu", "lb1"))
QUICK = Bounds(connect_s=2, silence_s=0.3, whole_s=0.6, answer_bytes=1000)


@contextmanager
def serving(handle: Handle, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server on a free port of loopback; gives its address, and the list of requests it got."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            seen.append(f"{self.command} {self.path}")
            handle(self)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def answer(body: bytes = b"{}", status: int = 200, **headers: str) -> Handle:
    """Handle every request with one answer."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return handle


@contextmanager
def session(address: str, scheme: str = "http", **arguments: object) -> Iterator[Http]:
    """A session with that address."""
    http = Http(f"{scheme}://{address}/v3", peer=PEER, sleep=lambda _: None, **arguments)  # type: ignore[arg-type]
    try:
        yield http
    finally:
        http.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_asks_with_user_password_and_query() -> None:
    """Base URL, path, query in order and basic authentication arrive; the answer's headers are in lower case."""
    heads: list[str | None] = []

    def handle(request: BaseHTTPRequestHandler) -> None:
        heads.append(request.headers["Authorization"])
        answer(b"[1]", Configuration_Version="4")(request)

    with serving(handle) as (address, seen), session(address, user="admin", password="pä") as http:
        reply = http.send(Call("GET", "/a%2Fb", (("z", "1"), ("a", "2 3"))))
    assert seen == ["GET /v3/a%2Fb?z=1&a=2+3"]
    assert heads == ["Basic YWRtaW46cMOk"]
    assert (reply.status, reply.body, reply.headers["configuration-version"]) == (200, b"[1]", "4")


@pytest.mark.parametrize("status", [204, 302, 401, 404, 409, 500])
def test_every_status_is_an_answer(status: int) -> None:
    """Whether a status is a failure is for the caller to say; 4xx and 5xx answers are not falsy here."""
    with serving(answer(b"" if status == 204 else b"x", status)) as (address, seen), session(address) as http:
        assert http.send(Call("POST", "/x", body=b"y")).status == status
    assert len(seen) == 1


def test_redirects_are_not_followed() -> None:
    """A redirect could lead credentials elsewhere: it is an answer and nothing more."""
    with (
        serving(answer()) as (other, elsewhere),
        serving(answer(b"", 307, Location=f"http://{other}/v3")) as (address, _),
        session(address) as http,
    ):
        assert http.send(Call("GET", "/info")).status == 307
    assert elsewhere == []


def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Proxies, netrc and CA bundles from the environment do not count."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    heads: list[str | None] = []

    def handle(request: BaseHTTPRequestHandler) -> None:
        heads.append(request.headers["Authorization"])
        answer()(request)

    with serving(answer()) as (proxy, proxied):
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy}")
        monkeypatch.setenv("NO_PROXY", "")
        with serving(handle) as (address, seen), session(address) as http:
            http.send(Call("GET", "/info"))
    assert (proxied, len(seen), heads) == ([], 1, [None])


def test_a_refused_connection_is_tried_three_times() -> None:
    """Nothing was sent, so any method may be sent again; the error says where and why, and not more."""
    pauses: list[float] = []
    http = Http(f"http://127.0.0.1:{free_port()}/v3", peer=PEER, sleep=pauses.append)
    with pytest.raises(InstanceError, match=r"cannot reach http://127\.0\.0\.1:\d+/v3: Connection refused") as caught:
        http.send(Call("POST", "/x", body=b"y"))
    assert (caught.value.code, caught.value.where, len(pauses)) == ("E_UNREACHABLE", "eu/lb1", 2)
    assert "object at 0x" not in str(caught.value)
    http.close()


def _broken(request: BaseHTTPRequestHandler) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True


def test_a_broken_get_is_sent_again_and_a_broken_write_is_not() -> None:
    """After a connection broke, nobody knows whether a write arrived; reading again is safe."""
    with serving(_broken) as (address, seen), session(address) as http:
        for method in ("GET", "POST"):
            with pytest.raises(InstanceError) as caught:
                http.send(Call(method, "/x", body=b"" if method == "GET" else b"y"))
            assert caught.value.code == "E_UNREACHABLE"
    assert seen.count("GET /v3/x") == 3
    assert seen.count("POST /v3/x") == 1


def test_silence_ends() -> None:
    """An endpoint that hangs is E_TIMEOUT, and is not asked again."""
    release = threading.Event()
    with (
        serving(lambda _: (release.wait(5), None)[1]) as (address, seen),
        session(address, bounds=QUICK) as http,
    ):
        with pytest.raises(InstanceError, match=r"within 0\.3 seconds") as caught:
            http.send(Call("GET", "/info"))
        release.set()
    assert caught.value.code == "E_TIMEOUT"
    assert seen == ["GET /v3/info"]


def test_dripping_ends() -> None:
    """An answer that comes byte by byte, each within the allowed silence, still ends."""
    stop = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        while not stop.wait(0.05):
            request.wfile.write(b"1\r\nx\r\n")

    with serving(drip) as (address, _), session(address, bounds=QUICK) as http:
        with pytest.raises(InstanceError) as caught:
            http.send(Call("GET", "/info"))
        stop.set()
    assert caught.value.code == "E_TIMEOUT"


def test_an_endless_answer_ends() -> None:
    """An answer larger than the bound is E_NONSENSE."""
    with (
        serving(answer(b"x" * 2000)) as (address, _),
        session(address, bounds=QUICK) as http,
        pytest.raises(InstanceError, match="more than 1000 bytes") as caught,
    ):
        http.send(Call("GET", "/info"))
    assert caught.value.code == "E_NONSENSE"


def packed(size: int, kind: int = 16 + zlib.MAX_WBITS) -> bytes:
    """So many zeros in gzip, or in what else zlib writes."""
    machine = zlib.compressobj(9, wbits=kind)
    return b"".join(machine.compress(bytes(1 << 20)) for _ in range(size >> 20)) + machine.flush()


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "deflate"])
def test_a_packed_answer_is_unpacked(name: str) -> None:
    """Nobody asked for it; a peer that packs its answers all the same is understood."""
    body = zlib.compress(b"[1]") if name == "deflate" else gzip.compress(b"[1]")
    with serving(answer(body, Content_Encoding=name)) as (address, _), session(address, bounds=QUICK) as http:
        assert http.send(Call("GET", "/info")).body == b"[1]"


@pytest.mark.parametrize("size", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7])
@pytest.mark.parametrize("repeated", [True, False], ids=["zeros", "noise"])
def test_every_byte_is_unpacked(size: int, *, repeated: bool) -> None:
    """Around the size of a piece nothing is lost and nothing is added, however well it was packed."""
    body = bytes(size) if repeated else random.Random(1).randbytes(size)  # noqa: S311 - no secret
    for step in (1, 7, 1000, PIECE):
        packed = gzip.compress(body, mtime=0)
        parts = [packed[place : place + step] for place in range(0, len(packed), step)]
        if len(parts) < 5000:
            assert b"".join(inflated(parts)) == body


def test_an_answer_that_unpacks_without_end_ends() -> None:
    """A few hundred kilobytes that unpack to 256 MB are refused at the bound, and are never in memory as a whole."""
    bomb = packed(256 << 20)
    assert len(bomb) < 1 << 20
    with serving(answer(bomb, Content_Encoding="gzip")) as (address, _), session(address, bounds=QUICK) as http:
        tracemalloc.start()
        try:
            with pytest.raises(InstanceError, match="more than 1000 bytes") as caught:
                http.send(Call("GET", "/info"))
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert caught.value.code == "E_NONSENSE"
    assert most < 8 << 20


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"no gzip at all"),
        ("gzip", gzip.compress(b"[1]", mtime=0)[:-4]),
        ("gzip", gzip.compress(b"[1]", mtime=0) + b"more"),
        ("br", b"[1]"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"[1]", mtime=0), mtime=0)),
    ],
    ids=["none", "cut", "more", "unknown", "twice"],
)
def test_an_answer_that_is_packed_strangely(encoding: str, body: bytes) -> None:
    """What does not unpack to exactly one whole answer is E_NONSENSE."""
    with (
        serving(answer(body, Content_Encoding=encoding)) as (address, _),
        session(address) as http,
        pytest.raises(InstanceError) as caught,
    ):
        http.send(Call("GET", "/info"))
    assert caught.value.code == "E_NONSENSE"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", "the answer broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", "the answer broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n{}", "the answer broke off"),
        (b"", "it closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what it answers is no HTTP"),
    ],
)
def test_why_there_was_no_answer_is_said_in_words(said: bytes, words: str) -> None:
    """An answer that ends in the middle, never begins, or is none, is told without the names of exceptions."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(said)
        request.wfile.flush()
        _broken(request)

    with serving(handle) as (address, _), session(address) as http, pytest.raises(InstanceError) as caught:
        http.send(Call("POST", "/x", body=b"y"))
    assert caught.value.message == f"cannot reach http://{address}/v3: {words}"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/v3", "127.0.0.1:5555", "http://[::1/v3"])
def test_what_is_no_url(url: str) -> None:
    """A url that requests cannot use is a clear error."""
    with pytest.raises(InstanceError) as caught:
        Http(url, peer=PEER).send(Call("GET", "/info"))
    assert caught.value.code == "E_UNREACHABLE"


def test_credentials_in_a_url_are_not_shown() -> None:
    """Whatever stands before the @ of a url stays out of messages."""
    http = Http(f"http://admin:hunter2@127.0.0.1:{free_port()}/v3", peer=PEER, sleep=lambda _: None)
    with pytest.raises(InstanceError) as caught:
        http.send(Call("GET", "/info"))
    assert "hunter2" not in str(caught.value)
    http.close()


class Authority:
    """A certificate authority made for one test."""

    def __init__(self, directory: Path, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key.public_key(), ca=True)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self._directory = directory

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool, ip: str = "") -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        if ip:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ip))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def server(self, ip: str = "127.0.0.1") -> ssl.SSLContext:
        """The context of a server whose certificate is for that address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lb1")])
        chain = self._directory / "server.pem"
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + self._sign(subject, key.public_key(), ca=False, ip=ip).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


def test_tls_with_the_authority_given(tmp_path: Path) -> None:
    """A server whose certificate comes from the authority given is believed."""
    ours = Authority(tmp_path, "ours")
    with (
        serving(answer(b"[]"), ours.server()) as (address, seen),
        session(address, "https", ca=ours.pem) as http,
    ):
        assert http.send(Call("GET", "/info")).body == b"[]"
    assert seen == ["GET /v3/info"]


@pytest.mark.parametrize("case", ["another authority", "the system's authorities", "another address"])
def test_tls_that_is_not_trusted(tmp_path: Path, case: str) -> None:
    """Another authority, only the system's, or another name in the certificate: E_TLS, and no request arrives."""
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    server = (
        theirs.server()
        if case == "another authority"
        else ours.server("127.0.0.9" if "address" in case else "127.0.0.1")
    )
    ca = None if "system" in case else ours.pem
    with (
        serving(answer(), server) as (address, seen),
        session(address, "https", ca=ca) as http,
        pytest.raises(InstanceError, match="no trusted TLS connection") as caught,
    ):
        http.send(Call("GET", "/info"))
    assert (caught.value.code, seen) == ("E_TLS", [])
    assert "object at 0x" not in str(caught.value)


def test_a_plain_server_behind_https(tmp_path: Path) -> None:
    """A server that does not speak TLS at all is E_TLS."""
    with (
        serving(answer()) as (address, seen),
        session(address, "https", ca=Authority(tmp_path, "ours").pem) as http,
        pytest.raises(InstanceError) as caught,
    ):
        http.send(Call("GET", "/info"))
    assert (caught.value.code, seen) == ("E_TLS", [])


@pytest.mark.parametrize(
    "ca", [b"", b"not PEM", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"]
)
def test_an_authority_that_is_none(ca: bytes) -> None:
    """What is not PEM is refused before anything is sent; an empty file never means the system's authorities."""
    with pytest.raises(InstanceError, match="not PEM") as caught:
        Http("https://127.0.0.1:1/v3", peer=PEER, ca=ca)
    assert caught.value.code == "E_TLS"
