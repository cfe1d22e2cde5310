"""The client understands what real servers of both API versions have answered (the recordings of tests/contract)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dataplane_peer import Log, Peer

from haoam_sync.dataplane import Client
from haoam_sync.errors import ConflictError, HaoamError, InstanceError, MissingObjectError, RefusedError
from haoam_sync.http import Reply
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.section import SectionId, SectionKind

RECORDINGS = Path(__file__).parents[2] / "contract"
VERSIONS = pytest.mark.parametrize("api", ["3.2", "3.4"])
PREFIX = "/services/haproxy"
TID = "11111111-2222-3333-4444-555555555555"


def recorded(api: str, name: str, step: int) -> Reply:
    """The answer to one step of a conversation, its volatile parts filled in."""
    answer = json.loads((RECORDINGS / api / f"{name}.json").read_text())["steps"][step]["response"]
    body = answer["body"]
    heads = {"content-type": "application/json", "configuration-version": "7"}
    heads.update({key: value.replace("*", "2026-11-24-1") for key, value in answer["headers"].items()})
    if isinstance(body, str):
        heads["content-type"] = "text/plain"
        data = body.replace("_md5hash=*", "_md5hash=00").replace("_version=*", "_version=7").encode()
    else:
        if isinstance(body, dict) and body.get("id") == "*":
            body["id"] = TID
        data = json.dumps(body).encode()
    return Reply(answer["status"], heads, data)


def client_of(*replies: Reply) -> tuple[Client, Peer]:
    """A client of a peer that gives these answers."""
    peer = Peer(list(replies))
    return Client(peer, InstanceId("eu", "lb1"), Log(), sleep=lambda _: None), peer


def sent(api: str, name: str, step: int) -> tuple[str, str, dict[str, str]]:
    """Method, path and parameters of a recorded request."""
    request = json.loads((RECORDINGS / api / f"{name}.json").read_text())["steps"][step]["request"]
    return request["method"], request["path"], request.get("query", {})


@VERSIONS
def test_sections_of_each_kind(api: str) -> None:
    """Backends, frontends, defaults, the one global and userlists come out as recorded."""
    kinds = {0: SectionKind.BACKEND, 4: SectionKind.FRONTEND, 6: SectionKind.DEFAULTS, 8: SectionKind.GLOBAL}
    for step, kind in (kinds | {9: SectionKind.USERLIST}).items():
        client, peer = client_of(recorded(api, "01-read-sections", step))
        found = client.sections(kind)
        assert (found.version, len(found.bodies)) == (7, 1)
        method, path, query = sent(api, "01-read-sections", step)
        assert (peer.calls[0].method, peer.calls[0].path, dict(peer.calls[0].query)) == (method, path, query)


@VERSIONS
def test_a_transaction_as_recorded(api: str) -> None:
    """Opening, a creation and a forced commit are asked as recorded, and the recorded answers are success."""
    name = "06-transaction-force-reload"
    client, peer = client_of(*(recorded(api, name, step) for step in range(3)))
    with client.transaction(7) as transaction:
        transaction.create(SectionId(SectionKind.BACKEND, "api"), {"name": "api"})
        transaction.commit()
    for step, call in enumerate(peer.calls):
        method, path, query = sent(api, name, step)
        expected = {key: value.replace("${version}", "7").replace("${tid}", TID) for key, value in query.items()}
        assert (call.method, call.path, dict(call.query)) == (method, path.replace("${tid}", TID), expected)


@VERSIONS
@pytest.mark.parametrize(
    ("name", "step", "error", "words"),
    [
        ("06-transaction-force-reload", 3, None, ""),
        ("08-version-conflict", 4, ConflictError, "version mismatch"),
        ("10-haproxy-refuses", 2, RefusedError, "validation error"),
        ("10-haproxy-refuses", 5, ConflictError, "cannot be committed"),
        ("11-reload-fails", 2, RefusedError, "Reload failed"),
        ("05-transaction-commit", 9, MissingObjectError, "does not exist"),
    ],
)
def test_commits_that_fail(api: str, name: str, step: int, error: type[HaoamError] | None, words: str) -> None:
    """Each recorded refusal of a commit is the error that the apply stage acts on."""
    opened = recorded(api, "06-transaction-force-reload", 0)
    client, _ = client_of(opened, recorded(api, name, step), Reply(204, {}))
    with client.transaction(7) as transaction:
        if error is None:
            transaction.commit()
        else:
            with pytest.raises(error, match=words):
                transaction.commit()


@VERSIONS
@pytest.mark.parametrize(
    ("name", "step", "code"),
    [
        ("08-version-conflict", 8, "E_CONFLICT"),
        ("25-open-transactions", 20, "E_TOO_MANY_TRANSACTIONS"),
        ("18-auth", 0, "E_UNAUTHORIZED"),
    ],
)
def test_transactions_that_cannot_be_opened(api: str, name: str, step: int, code: str) -> None:
    """A stale version, the twenty-first transaction and a wrong password have each their code."""
    client, _ = client_of(recorded(api, name, step))
    with pytest.raises(InstanceError) as caught, client.transaction(7):
        pass
    assert caught.value.code == code


def _raw(client: Client) -> str:
    return client.raw().text


def _written(client: Client) -> str:
    return client.write_raw("global\n", version=7).text


@VERSIONS
@pytest.mark.parametrize(("step", "ask"), [(0, _raw), (3, _written)])
def test_raw_text(api: str, step: int, ask: Callable[[Client], str]) -> None:
    """The text comes without the server's two lines, also as the answer to a forced write."""
    client, _ = client_of(recorded(api, "16-raw", step))
    assert ask(client).startswith("global\n  master-worker\n")


@VERSIONS
def test_validation_only(api: str) -> None:
    """202 to `only_validate` needs no reload; a refusal is one."""
    client, _ = client_of(recorded(api, "16-raw", 1), recorded(api, "16-raw", 7))
    client.validate_raw("global\n", version=7)
    with pytest.raises(RefusedError):
        client.validate_raw("global\n", version=7)


@VERSIONS
def test_certificates(api: str) -> None:
    """List, upload, one by name, a second upload, one that is missing."""
    name = "13-ssl-certificates"
    client, _ = client_of(*(recorded(api, name, step) for step in (0, 3, 1, 4, 2, 15)))
    assert client.certificates() == ()
    assert [certificate.name for certificate in client.certificates()] == ["a.pem"]
    uploaded = client.upload_certificate("a.pem", b"x")
    assert (uploaded.size, uploaded.directory) == (2868, "${DIR}/ssl/")
    assert client.certificate("a.pem").serial == uploaded.serial
    with pytest.raises(ConflictError):
        client.upload_certificate("a.pem", b"x")
    with pytest.raises(MissingObjectError):
        client.certificate("a.pem")


@VERSIONS
def test_junk_is_refused(api: str) -> None:
    """500 to an upload that is no certificate is a refusal."""
    client, _ = client_of(recorded(api, "13-ssl-certificates", 12))
    with pytest.raises(RefusedError):
        client.upload_certificate("junk.pem", b"not a certificate")


@VERSIONS
def test_runtime_servers(api: str) -> None:
    """Servers as the worker runs them, a drain, and a server that is not there."""
    name = "17-runtime-servers"
    client, _ = client_of(*(recorded(api, name, step) for step in (0, 1, 5)))
    servers = client.runtime_servers("web")
    assert [(server.name, server.admin_state, server.port) for server in servers] == [
        ("s1", "ready", 18081),
        ("s2", "ready", 18082),
    ]
    assert [server.initial_weight for server in servers] == ([None, None] if api == "3.2" else [100, 50])
    assert client.set_admin_state("web", "s1", "drain").admin_state == "drain"
    with pytest.raises(MissingObjectError):
        client.set_admin_state("web", "none", "ready")


@VERSIONS
def test_statistics(api: str) -> None:
    """A backend as the worker runs it."""
    client, _ = client_of(recorded(api, "24-stats", 0))
    (stat,) = client.stats("backend", "web")
    assert (stat.name, stat.status, stat.weight) == ("web", "UP", 50)


@VERSIONS
def test_reloads(api: str) -> None:
    """A write that answers 202 is awaited by the id in its header, and succeeds with the recorded reload."""
    reloads: list[dict[str, Any]] = json.loads(recorded(api, "05-transaction-commit", 10).body)
    done = Reply(200, {"content-type": "application/json"}, json.dumps({**reloads[0], "id": "2026-11-24-1"}).encode())
    client, peer = client_of(
        recorded(api, "06-transaction-force-reload", 0), recorded(api, "05-transaction-commit", 7), done
    )
    with client.transaction(7) as transaction:
        transaction.commit(force_reload=False)
    assert peer.calls[-1].path == f"{PREFIX}/reloads/2026-11-24-1"


def _refusals() -> Iterator[tuple[str, int]]:
    steps = json.loads((RECORDINGS / "3.2" / "09-bad-input.json").read_text())["steps"]
    for number, step in enumerate(steps):
        if step["response"]["status"] in (400, 405, 415, 422):
            yield "09-bad-input", number


@VERSIONS
@pytest.mark.parametrize(("name", "step"), list(_refusals()))
def test_bad_input_is_refused(api: str, name: str, step: int) -> None:
    """Whatever the server calls bad input is a refusal that tells its words."""
    client, _ = client_of(recorded(api, "06-transaction-force-reload", 0), recorded(api, name, step), Reply(204, {}))
    with client.transaction(7) as transaction, pytest.raises(RefusedError):
        transaction.create(SectionId(SectionKind.BACKEND, "x"), {"name": "x"})
