"""What `doctor` makes of an instance, of its API from outside, and of what it found."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flow_cli import environment, run

from haoam_sync import dataplane
from haoam_sync.dataplane import Outside
from haoam_sync.errors import InstanceError, NotTrustedError, UsageError
from haoam_sync.model.finding import Finding, exit_code, fault, note, ordered
from haoam_sync.model.fleet import Instance, InstanceId
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference
from haoam_sync.pipeline.doctor_instance import judged, judged_text
from haoam_sync.report import doctor as report

CLOSED = Outside(401, (), None)
GOOD = "global\n  master-worker\n  stats socket /s mode 600 level admin\n\nuserlist api\n  user admin password $6$x\n"


def _instance(url: str = "https://10.0.0.1:5555/v3") -> Instance:
    reference = SecretReference.parse("env/PASSWORD")
    return Instance(InstanceId("eu", "lb1"), url, "admin", reference, None, {}, Position("haoam.yaml", 1, 1))


def _codes(instance: Instance, outside: Outside = CLOSED) -> list[str]:
    return [one.code for one in judged(instance, outside)]


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/v3", "http://127.0.0.1:5555/v3", "http://[::1]/v3", "http://localhost/v3"]
)
def test_control_an_api_as_it_should_be(url: str) -> None:
    """TLS, or loopback; a 401 to strangers; no open documents: nothing is said."""
    assert _codes(_instance(url)) == []


@pytest.mark.parametrize("url", ["http://10.0.0.1/v3", "http://127.0.0.1.example.com/v3", "http://lb1/v3"])
def test_a_password_on_the_wire(url: str) -> None:
    """Plain HTTP beyond loopback is named, also where a name only looks like loopback."""
    assert _codes(_instance(url)) == ["D_PLAIN_HTTP"]


def test_what_strangers_see() -> None:
    """An open API, a strange answer, and each open document are named."""
    assert _codes(_instance(), Outside(200, (), None)) == ["D_OPEN_API"]
    assert _codes(_instance(), Outside(302, (), None)) == ["D_STRANGE_API"]
    assert _codes(_instance(), Outside(401, ("/v3/docs", "/swagger.json"), None)) == ["D_OPEN_DOCUMENTS"] * 2


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (GOOD, []),
        (GOOD.replace("  master-worker\n", ""), ["D_NO_MASTER"]),
        (GOOD.replace("  stats socket", "  # stats socket"), ["D_NO_SOCKET"]),
        (GOOD.replace("stats socket", "stats timeout"), ["D_NO_SOCKET"]),
        (GOOD.replace("password $6$x", "insecure-password hunter2"), ["D_PLAIN_PASSWORD"]),
        ("backend b\n  stats socket /x\n  master-worker\n", ["D_NO_SOCKET", "D_NO_MASTER"]),
    ],
)
def test_what_the_file_says(text: str, codes: list[str]) -> None:
    """Lines count in their own section, and a password never stands in what is said about it."""
    found = list(judged_text(_instance(), text))
    assert [one.code for one in found] == codes
    assert "hunter2" not in str(found)


class _Api:
    """An API that answers each path with a status, and remembers what it was asked, and with what headers."""

    def __init__(self, answers: Mapping[str, int]) -> None:
        self.asked: list[tuple[str, bool]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, "Authorization" in self.headers))
                self.send_response(answers.get(self.path, 401))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """As an instance's."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/v3"


@contextmanager
def _api(answers: Mapping[str, int]) -> Iterator[_Api]:
    api = _Api(answers)
    thread = threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        api.server.shutdown()
        api.server.server_close()
        thread.join()


def test_strangers_send_no_credentials() -> None:
    """The look from outside asks three questions without a password, and takes the clock from the answer."""
    with _api({}) as api:
        outside = dataplane.look(_instance(api.url))
    assert (outside.is_closed, outside.documents) == (True, ())
    assert outside.clock is not None
    assert api.asked == [("/v3/info", False), ("/v3/docs", False), ("/swagger.json", False)]


def test_an_open_api_is_seen() -> None:
    """200 to a stranger is an open API; 200 for a document is an open document."""
    with _api({"/v3/info": 200, "/swagger.json": 200}) as api:
        outside = dataplane.look(_instance(api.url))
    assert (outside.is_open, outside.documents) == (True, ("/swagger.json",))


def test_an_instance_that_is_not_there() -> None:
    """Nothing is guessed about an API that cannot be reached."""
    with pytest.raises(InstanceError):
        dataplane.look(_instance("http://127.0.0.1:1/v3"))


def test_the_exit_code_is_the_gravest_one() -> None:
    """Notes earn 0, something to mend 2, and refusals what a run would end with; wrong usage is to be mended too."""
    seen = note("D_PROGRAM", "git", "2.39")
    warned = Finding("warning", "D_OPEN_API", "eu/lb1", "open")
    missing = fault(UsageError("no gpgv", code="E_NO_GPG"), "gpgv", "")
    distrusted = fault(NotTrustedError("no", code="E_UNSIGNED"), "x", "")
    down = fault(InstanceError("down", code="E_UNREACHABLE"), "eu/lb1", "")
    assert [exit_code(found) for found in ([], [seen], [seen, warned], [missing])] == [0, 0, 2, 2]
    assert [exit_code(found) for found in ([warned, distrusted], [distrusted, down])] == [4, 7]
    assert ordered([seen, warned, missing]) == (missing, warned, seen)
    assert report.as_json([seen])["exit"] == 0
    assert "nothing to mend" in report.findings([seen]).plain
    text = report.findings([Finding("warning", "D_X", "eu/\x1b[31mlb", "x")]).plain
    assert ("\x1b" in text, "1 thing to mend" in text) == (False, True)


def test_places_that_others_may_read(tmp_path: Path) -> None:
    """A root file that others may write, a world-readable state directory and a missing repository are all named."""
    root, state = tmp_path / "root.yaml", tmp_path / "state"
    root.write_text("{}")
    root.chmod(0o666)
    state.mkdir()
    state.chmod(0o755)
    places = {"HAOAM_REPO": str(tmp_path / "none"), "HAOAM_ROOT": str(root), "HAOAM_STATE": str(state)}
    ran = run(environment(places), tmp_path, "doctor", "--output", "json")
    found = {(one["code"], one["where"]) for one in json.loads(ran.out)["findings"]}
    assert ran.code == 4, ran.said
    assert {("E_ROOT_FILE", str(root)), ("D_PLACE_OPEN", str(state))} <= found
