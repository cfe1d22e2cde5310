"""Answers of somebody who is no Data Plane API, or of one that somebody has taken over."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from dataplane_peer import Log, Peer, reply

from haoam_sync.dataplane import Client, connect
from haoam_sync.errors import HaoamError, InstanceError
from haoam_sync.http import Bounds
from haoam_sync.model import strict_json as strict
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.fleet import Instance, InstanceId
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference
from haoam_sync.model.section import SectionKind

ID = InstanceId("eu", "lb1")
PASSWORD = "pw-secret"
Say = Callable[[socket.socket], None]


@contextlib.contextmanager
def peer(say: Say, bounds: Bounds | None = None) -> Iterator[Client]:
    """A client of a server that does `say` with each connection, once it has read something."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    say(connection)

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v3"
        instance = Instance(ID, url, "u", SecretReference("env", "X"), None, {}, Position("haoam.yaml"))
        with connect(instance, PASSWORD, Unrecorded(), bounds=bounds) as client:
            yield client
        server.shutdown(socket.SHUT_RDWR)


def answer(body: bytes, headers: bytes = b"Configuration-Version: 1\r\n", status: bytes = b"200 OK") -> Say:
    """Answer with these bytes."""
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % (status, len(body))
    return lambda connection: connection.sendall(head + headers + b"\r\n" + body)


DEEP = b"[" * 100_000 + b"]" * 100_000
NONSENSE = {
    "superscript version": answer(b"[]", b"Configuration-Version: \xb2\r\n"),
    "long version": answer(b"[]", b"Configuration-Version: " + b"9" * 5000 + b"\r\n"),
    "signed version": answer(b"[]", b"Configuration-Version: -1\r\n"),
    "deep": answer(DEEP),
    "deep error": answer(DEEP, status=b"400 No"),
    "as deep as Python still reads": answer(b'[{"name":"x","a":' + b"[" * 200 + b"]" * 200 + b"}]"),
    "not a number": answer(b'[{"name":"x","maxconn":NaN}]'),
    "infinity": answer(b'[{"name":"x","maxconn":1e999}]'),
    "beyond exact": answer(b'[{"name":"x","maxconn":9007199254740993}]'),
    "5,000 digits": answer(b'[{"name":"x","maxconn":' + b"9" * 5000 + b"}]"),
    "lone surrogate": answer(b'[{"name":"\\ud800"}]'),
    "lone surrogate in bytes": answer(b'[{"name":"\xed\xa0\x80"}]'),
    "a name twice": answer(b'[{"name":"x","mode":"tcp","mode":"http"}]'),
    "sections of strings": answer(b'["x"]'),
}


@pytest.mark.parametrize("say", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_an_error_of_that_instance(say: Say) -> None:
    """Whatever an instance answers is E_NONSENSE of that instance, never a defect of ours."""
    with peer(say) as client, pytest.raises(InstanceError) as caught:
        client.sections(SectionKind.BACKEND)
    assert (caught.value.code, caught.value.where, len(str(caught.value)) < 500) == ("E_NONSENSE", "eu/lb1", True)


@pytest.mark.parametrize("first", ["# _version=" + "1" * 5000, "# _version=²", "# _version=-1"])
def test_the_version_inside_the_text_is_a_number(first: str) -> None:
    """A version line of another shape is E_NONSENSE."""
    with (
        peer(answer(f"{first}\nglobal\n".encode())) as client,
        pytest.raises(InstanceError, match="no text of a configuration"),
    ):
        client.raw()


def test_what_the_api_really_answers_is_read() -> None:
    """The control: numbers, nesting, escapes and pairs of surrogates are as they were sent."""
    document = [{"name": "x😀", "weight": 256, "rate": 0.5, "deep": [[[{"a": None}]]], "lf": "a\nb"}]
    with peer(answer(json.dumps(document).encode())) as client:
        found = client.sections(SectionKind.BACKEND)
    assert (list(found.bodies), found.version) == (document, 1)


@pytest.mark.parametrize("text", ["", "²", "\u0661", "+1", " 1", "1_0", "9" * 16, "1.0"])
def test_a_whole_number_is_ascii_digits(text: str) -> None:
    """Nothing but up to 15 digits from 0 to 9 is a version."""
    with pytest.raises(ValueError, match="not a whole number"):
        strict.whole(text)
    assert strict.whole("000123456789012") == 123456789012


def test_a_reload_id_of_another_shape_counts_as_none() -> None:
    """An id goes into a path, and a 202 without one is an error."""
    script = [reply(202, None, headers={"reload-id": "../../../x?y=1"})]
    with pytest.raises(InstanceError, match="202 without a Reload-ID"):
        Client(Peer([*script]), ID, Log()).delete_certificate("a.pem")


QUICK = Bounds(connect_s=1, silence_s=1, whole_s=0.8, answer_bytes=10**6)


def _drips(first: bytes, each: bytes) -> Say:
    def say(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(50):
            connection.sendall(each)
            time.sleep(0.1)

    return say


DRIPS = {
    "body": _drips(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "),
    "body until the end of the connection": _drips(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "chunks": _drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "headers": _drips(b"HTTP/1.1 200 OK\r\n", b"X-A: y\r\n"),
    "status line": _drips(b"HTTP/1.1 ", b"2"),
}


@pytest.mark.parametrize("say", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_ends_in_time(say: Say) -> None:
    """`whole_s` holds for one whole request, whatever comes byte by byte and however often it would be repeated."""
    began = time.monotonic()
    with peer(say, QUICK) as client:
        with pytest.raises(InstanceError) as caught:
            client.version()
        took = time.monotonic() - began
    assert (caught.value.code, took < 2.5, took > 0.5) == ("E_TIMEOUT", True, True)


def test_repetitions_share_one_deadline() -> None:
    """A peer that takes every connection and breaks it late does not get three times the patience."""

    def breaks(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        time.sleep(0.5)

    began = time.monotonic()
    with peer(breaks, QUICK) as client, pytest.raises(InstanceError):
        client.version()
    assert time.monotonic() - began < 2


def test_a_connection_is_used_again_after_a_deadline_that_was_kept() -> None:
    """The timer of one request does not close the connection of the next."""

    def twice(connection: socket.socket) -> None:
        answer(b"7")(connection)
        time.sleep(1)
        connection.recv(65536)
        answer(b"8")(connection)

    with peer(twice, Bounds(connect_s=1, silence_s=5, whole_s=0.8, answer_bytes=1000)) as client:
        assert client.version() == 7
        time.sleep(1)
        assert client.version() == 8


def _echo(text: str) -> Say:
    return answer(json.dumps({"code": 400, "message": text}).encode(), status=b"400 No")


def test_the_credentials_in_their_http_form_are_masked() -> None:
    """A proxy that echoes the Authorization header does not spill it."""
    basic = base64.b64encode(f"u:{PASSWORD}".encode()).decode()
    with peer(_echo(f"bad request: Authorization: Basic {basic}")) as client, pytest.raises(HaoamError) as caught:
        client.version()
    assert "Authorization: Basic (secret)" in str(caught.value)
    assert basic not in str(caught.value)


KEY = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"


@pytest.mark.parametrize(
    "echoed", [f"-----BEGIN PRIVATE KEY-----{KEY}", f"line 2: {KEY[:24]}", f"got {KEY}", f"{KEY[:24]}\n{KEY[24:]}"]
)
def test_an_uploaded_private_key_is_masked(echoed: str) -> None:
    """A server that echoes the key it got, whole or a line of it, does not spill it."""
    log = Log()
    pem = f"-----BEGIN PRIVATE KEY-----\n{KEY[:24]}\n{KEY[24:]}\n-----END PRIVATE KEY-----\n".encode()
    client = Client(Peer([reply(400, {"code": 400, "message": f"cannot store {echoed}"})]), ID, log)
    with pytest.raises(HaoamError) as caught:
        client.upload_certificate("a.pem", pem)
    assert "(secret)" in str(caught.value)
    assert KEY[:24] not in str(caught.value)
    assert KEY[24:] not in str(caught.value)
