"""`lab serve` as a process: readiness, refusals, and a clean end however it comes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from lab_processes import none_left, processes
from werkzeug.test import EnvironBuilder

from haoam_sync import lab
from haoam_sync.errors import UsageError
from haoam_sync.lab.backends import Backends
from haoam_sync.lab.haproxy import check, find_haproxy
from haoam_sync.lab.server import _Busy
from haoam_sync.lab.settings import loopback
from haoam_sync.lab.worker import refuse_long_socket_path
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference

_COMMAND = "from haoam_sync.cli import main; main()"
_API = """\
#!{python}
import http.server, json, sys
config = json.load(open(sys.argv[2]))["dataplaneapi"]
http.server.HTTPServer((config["host"], config["port"]), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
"""Stands in for a real Data Plane API: it takes the same arguments, and answers something."""
HERE = Position("haoam.yaml", 1, 1)


@contextmanager
def serving(directory: Path, **changes: object) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A lab in a process of its own, killed at the end when it still runs."""
    given = {
        "listen": "127.0.0.1:0",
        "directory": str(directory),
        "user": "admin",
        "password": "adminpwd",
        "api": "3.2",
        "config": "",
        "request_log": str(directory / "requests.jsonl"),
        "reload_delay": 0.1,
        **changes,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "haoam_sync.lab"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(given))
        process.stdin.close()
        line = process.stdout.readline()
        try:
            yield process, json.loads(line) if line else {}
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_lab_and_its_haproxy(short_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end the lab with 0, and no HAProxy is left behind."""
    with serving(short_path) as (process, ready):
        assert set(ready) == {"url", "dir", "pid"}
        assert ready["pid"] == process.pid
        assert processes(short_path)
        process.send_signal(number)
        assert process.wait(20) == 0
        assert none_left(short_path)


@pytest.mark.e2e
@pytest.mark.parametrize("reloads", [0, 2])
def test_haproxy_does_not_outlive_a_killed_lab(short_path: Path, reloads: int) -> None:
    """When `lab serve` is killed outright, its HAProxy goes with it, also one that started itself anew."""
    command = [sys.executable, "-c", _COMMAND, "lab", "serve", "--listen", "127.0.0.1:0", "--dir", str(short_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            for number in range(reloads):
                text = f"{(short_path / 'haproxy.cfg').read_text()}\nbackend b{number}\n"
                place = f"{ready['url']}/services/haproxy/configuration/raw?skip_version=true&force_reload=true"
                request = urllib.request.Request(place, text.encode(), method="POST")  # noqa: S310 - the lab's own URL
                request.add_header("Authorization", "Basic YWRtaW46YWRtaW5wd2Q=")
                request.add_header("Content-Type", "text/plain")
                urllib.request.urlopen(request).close()  # noqa: S310 - the lab's own URL
            assert len(processes(short_path)) >= 2  # master and worker
        finally:
            process.kill()
            process.wait()
        assert none_left(short_path)


@pytest.mark.e2e
def test_a_real_api_does_not_outlive_a_killed_lab(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Data Plane API that the lab started beside HAProxy goes with a lab that is killed outright, too."""
    program = short_path / "api"
    program.write_text(_API.format(python=sys.executable))
    program.chmod(0o700)
    monkeypatch.setenv("HAOAM_DATAPLANEAPI", str(program))
    with serving(short_path / "lab") as (process, _):
        assert len(processes(short_path / "lab")) >= 3  # the API, HAProxy's master, its worker
        process.kill()
        process.wait()
        assert none_left(short_path / "lab")


@pytest.mark.e2e
@pytest.mark.parametrize("real", [False, True])
def test_what_the_lab_starts_gets_nothing_of_our_environment(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, *, real: bool
) -> None:
    """A configuration can read `"${NAME}"`: HAProxy, and a real API, get a small environment of their own."""
    if real:
        program = short_path / "api"
        program.write_text(_API.format(python=sys.executable))
        program.chmod(0o700)
        monkeypatch.setenv("HAOAM_DATAPLANEAPI", str(program))
    monkeypatch.setenv("EDGE_PASSWORD", "a secret of whoever starts a lab")
    with serving(short_path / "lab"):
        started = processes(short_path / "lab")
        names = {
            entry.partition(b"=")[0]
            for pid in started
            for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        }
    assert len(started) == (3 if real else 2)
    assert {name for name in names if not name.startswith(b"HAPROXY_")} <= {b"", b"PATH", b"LANG"}


@pytest.mark.e2e
def test_a_request_under_way_is_answered_before_the_end(short_path: Path) -> None:
    """SIGTERM while a forced reload runs: the answer still comes, then the lab ends."""
    with serving(short_path) as (process, ready):
        port = int(ready["url"].rpartition(":")[2].partition("/")[0])
        text = (short_path / "haproxy.cfg").read_text() + "\nfrontend clash\n  bind 203.0.113.77:18098\n"
        head = (
            "POST /v3/services/haproxy/configuration/raw?skip_version=true&force_reload=true HTTP/1.1\r\nHost: x\r\n"
            "Authorization: Basic YWRtaW46YWRtaW5wd2Q=\r\nContent-Type: text/plain\r\nConnection: close\r\n"
            f"Content-Length: {len(text)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall((head + text).encode())
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert b" 400 " in answer.split(b"\r\n")[0]
        assert b"Reload failed" in answer
        assert process.wait(20) == 0


def test_a_request_is_under_way_until_its_answer_is_sent() -> None:
    """The end waits for the bytes of an answer, not only for the decision what they are."""
    app = Flask("counted")

    @app.get("/")
    def index() -> str:
        return "all of it"

    busy = _Busy()
    answer = busy.counting(app).wsgi_app({**EnvironBuilder().get_environ()}, lambda *_: None)
    assert b"".join(answer) == b"all of it"
    assert busy._count == 1
    answer.close()
    assert busy._count == 0
    busy.wait(60)


@pytest.mark.e2e
def test_the_request_log_has_one_line_a_request(short_path: Path) -> None:
    """Method, path, query, status and duration of each request, as JSON."""
    with serving(short_path) as (_, ready):
        request = urllib.request.Request(f"{ready['url']}/info?x=1")  # noqa: S310 - the lab's own URL
        request.add_header("Authorization", "Basic YWRtaW46YWRtaW5wd2Q=")
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - the lab's own URL
            assert json.load(answer)["api"]["version"].startswith("v3.2.")
        lines = [json.loads(line) for line in (short_path / "requests.jsonl").read_text().splitlines()]
    assert [{**line, "duration": 0} for line in lines] == [
        {"method": "GET", "path": "/v3/info", "query": {"x": "1"}, "status": 200, "duration": 0}
    ]


@pytest.mark.e2e
def test_a_configuration_that_haproxy_refuses_is_said_at_once(short_path: Path) -> None:
    """A wrong --config ends the lab with 64 and HAProxy's own words, without a readiness line."""
    with serving(short_path, config="global\n  nonsense\n") as (process, ready):
        assert ready == {}
        assert process.wait(20) == UsageError.exit
        assert process.stderr is not None
        assert "unknown keyword 'nonsense'" in process.stderr.read()


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:0", "192.0.2.1:80", "example.test:80", "127.0.0.1", "127.0.0.1:99999", ":80"]
)
def test_only_loopback_is_listened_on(listen: str) -> None:
    """Anything but this machine's own loopback, or no HOST:PORT at all, is refused."""
    with pytest.raises(UsageError):
        loopback(listen)


def test_loopback_addresses_are_taken() -> None:
    """The positive control: 127.x, localhost and ::1."""
    assert loopback("127.0.0.9:80") == ("127.0.0.9", 80)
    assert loopback("localhost:0") == ("127.0.0.1", 0)
    assert loopback("[::1]:5") == ("::1", 5)


def test_a_socket_path_that_is_too_long_is_refused_by_name(tmp_path: Path) -> None:
    """Unix socket paths are short: the refusal says how long this one is and what to do."""
    with pytest.raises(UsageError, match="the path of a socket may have") as caught:
        refuse_long_socket_path(tmp_path / ("x" * 120) / "master.sock")
    assert caught.value.hint


@pytest.mark.e2e
def test_haproxy_judges_text() -> None:
    """`check` gives HAProxy's verdict and its words, and starts nothing."""
    haproxy = find_haproxy()
    assert check("global\n  maxconn 10\n", haproxy)[0]
    accepted, words = check("global\n  nonsense\n", haproxy)
    assert not accepted
    assert "unknown keyword 'nonsense'" in words


def test_a_haproxy_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """HAOAM_HAPROXY naming no program is an error, not a search elsewhere."""
    monkeypatch.setenv("HAOAM_HAPROXY", "/nonexistent/haproxy")
    with pytest.raises(UsageError, match="is not a program"):
        find_haproxy()


def _fleet(urls: dict[InstanceId, str]) -> Fleet:
    secret = SecretReference("env", "HAOAM_LAB_PASSWORD")
    clusters: dict[str, tuple[Instance, ...]] = {}
    for identity, url in urls.items():
        instance = Instance(identity, url, "admin", secret, None, {}, HERE)
        clusters[identity.cluster] = (*clusters.get(identity.cluster, ()), instance)
    return Fleet("f", {name: Cluster(name, {}, {}, 1, found, HERE) for name, found in clusters.items()})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.e2e
def test_a_fleet_runs_where_its_urls_say_until_it_is_stopped(short_path: Path) -> None:
    """One process for each instance, at its own URL, in its own directory; none is left after the block."""
    urls = {InstanceId("eu", name): f"http://127.0.0.1:{_free_port()}/v3" for name in ("a", "b")}
    with lab.up(_fleet(urls), short_path) as running:
        assert {instance.id: instance.url for instance in running.instances} == urls
        assert all(os.path.exists(f"/proc/{instance.pid}") for instance in running.instances)  # noqa: PTH110 - /proc
        assert running.instance(InstanceId("eu", "b")).directory == short_path / "eu-b"
        assert not running.ended()
    assert none_left(short_path / "eu-a")
    assert none_left(short_path / "eu-b")


def test_a_fleet_beyond_loopback_is_refused(short_path: Path) -> None:
    """An instance elsewhere, or with TLS, is refused before anything is started."""
    for url in ("http://192.0.2.1:5555/v3", "https://127.0.0.1:5555/v3", "http://127.0.0.1:5555/v2"):
        with pytest.raises(UsageError):
            lab.up(_fleet({InstanceId("eu", "a"): url}), short_path)
    assert list(short_path.iterdir()) == []


def test_backends_answer_with_their_names() -> None:
    """Each origin server says who it is, and is healthy."""
    with Backends({"one": 0, "two": 0}) as backends:
        for name, port in backends.ports.items():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/any") as answer:
                assert (answer.read(), answer.headers["X-Backend"]) == (f"{name}\n".encode(), name)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                assert answer.read() == b"ok\n"
