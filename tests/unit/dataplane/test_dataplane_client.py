"""The typed methods: what they ask, what they make of the answers, what they refuse."""

from __future__ import annotations

import pytest
from dataplane_peer import Log, Peer, reply

from haoam_sync.dataplane import Client
from haoam_sync.errors import AuditError, ConflictError, InstanceError, RefusedError
from haoam_sync.http import Reply
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.section import SectionId, SectionKind

WEB = SectionId(SectionKind.BACKEND, "web")
PEOPLE = SectionId(SectionKind.USERLIST, "people")
TID = "11111111-2222-3333-4444-555555555555"
OPENED = {"_version": 7, "id": TID, "status": "in_progress"}


def client_of(*script: Reply | BaseException, log: Log | None = None) -> tuple[Client, Peer]:
    """A client of a peer that answers by this script."""
    peer = Peer(list(script))
    return Client(peer, InstanceId("eu", "lb1"), log or Log(), sleep=lambda _: None, secrets=("adminpwd",)), peer


def test_info_reads_the_version() -> None:
    """`v3.2.15 1a2b` is API 3.2, without a warning."""
    client, peer = client_of(reply(body={"api": {"version": "v3.2.15 1a2b"}, "system": {}}, version=None))
    info = client.info()
    assert (info.version, info.warning, peer.asked) == (ApiVersion(3, 2), "", ["GET /info"])


def test_an_older_api_is_refused() -> None:
    """API 2.9 is refused with its own code, and says which are known."""
    client, _ = client_of(reply(body={"api": {"version": "v2.9.1"}}))
    with pytest.raises(InstanceError, match=r"2\.9 is too old.*3\.2 to 3\.4") as caught:
        client.info()
    assert caught.value.code == "E_API_VERSION"
    assert caught.value.where == "eu/lb1"


def test_a_newer_api_is_a_warning() -> None:
    """API 3.5 is used, with a warning that it was not measured."""
    client, _ = client_of(reply(body={"api": {"version": "v3.5.0"}}))
    assert "3.5 is newer than 3.4" in client.info().warning


@pytest.mark.parametrize("body", ['{"x": 1}', '{"api": {"version": "abc"}}', "[]", "<html></html>", ""])
def test_an_info_that_is_none_is_nonsense(body: str) -> None:
    """Whatever is not the answer of a Data Plane API is E_NONSENSE, and none of its content is shown."""
    client, _ = client_of(reply(body=body))
    with pytest.raises(InstanceError) as caught:
        client.info()
    assert caught.value.code == "E_NONSENSE"
    assert "html" not in caught.value.message


def test_sections_are_read_whole_in_one_request() -> None:
    """All backends with their children cost one request, which carries the version."""
    client, peer = client_of(reply(body=[{"name": "web", "servers": {"s1": {"name": "s1"}}}]))
    found = client.sections(SectionKind.BACKEND)
    assert peer.asked == ["GET /configuration/backends?full_section=true"]
    assert (found.version, found.bodies) == (7, ({"name": "web", "servers": {"s1": {"name": "s1"}}},))
    assert client.requests == 1


def test_global_is_one_object() -> None:
    """`global` comes as an object, not as a list."""
    client, _ = client_of(reply(body={"master-worker": True}))
    assert client.sections(SectionKind.GLOBAL).bodies == ({"master-worker": True},)


@pytest.mark.parametrize("body", [[{"mode": "http"}], ["web"], "text", [{"name": ""}], 3])
def test_sections_of_another_shape_are_nonsense(body: object) -> None:
    """A section without a name, or a list of something else, is E_NONSENSE."""
    client, _ = client_of(reply(body=body))
    with pytest.raises(InstanceError) as caught:
        client.sections(SectionKind.BACKEND)
    assert caught.value.code == "E_NONSENSE"


def test_sections_without_a_version_are_nonsense() -> None:
    """Without Configuration-Version nothing can be said about the configuration: absence is failure."""
    client, _ = client_of(reply(body=[], version=None))
    with pytest.raises(InstanceError, match="Configuration-Version"):
        client.sections(SectionKind.BACKEND)


def test_rings_are_never_read() -> None:
    """Reading rings breaks the server, so that request cannot be made."""
    client, peer = client_of()
    with pytest.raises(AssertionError):
        client.sections(SectionKind.RING)
    assert peer.calls == []


def test_raw_splits_text_and_versions() -> None:
    """The header lines of the API are taken off, and the version in them is kept beside that of the answer."""
    text = "# _md5hash=0cc175b9c0f1b6a831c399e269772661\n# _version=5\n\nglobal\n  daemon\n"
    client, _ = client_of(
        reply(body=text, version=6, headers={"configuration-checksum": "0cc1", "content-type": "text/plain"})
    )
    raw = client.raw()
    assert (raw.text, raw.version, raw.file_version, raw.checksum) == ("global\n  daemon\n", 6, 5, "0cc1")


def test_raw_without_a_version_line() -> None:
    """A file that lost its version line says nothing about a version; comments of people stay in the text."""
    client, _ = client_of(reply(body="# mine\nglobal\n", headers={"content-type": "text/plain"}))
    raw = client.raw()
    assert (raw.text, raw.file_version) == ("# mine\nglobal\n", None)


def test_a_raw_write_is_forced_and_under_the_version() -> None:
    """The whole text is written only over the version it was made for, and the answer waits for the reload."""
    client, peer = client_of(reply(201, "# _md5hash=x\n# _version=8\n\nglobal\n", version=8))
    assert client.write_raw("global\n", version=7).file_version == 8
    assert peer.asked == ["POST /configuration/raw?version=7&force_reload=true"]
    assert (peer.calls[0].body, peer.calls[0].content_type) == (b"global\n", "text/plain")


def test_a_202_is_awaited_by_its_id() -> None:
    """A write that only promises a reload counts when that reload has succeeded."""
    client, peer = client_of(
        reply(202, "# _version=8\n\nglobal\n", headers={"reload-id": "2026-11-24-3"}),
        reply(body={"id": "2026-11-24-3", "status": "in_progress"}),
        reply(body={"id": "2026-11-24-3", "status": "succeeded", "response": ""}),
    )
    client.write_raw("global\n", version=7, force_reload=False)
    assert peer.asked[1:] == ["GET /reloads/2026-11-24-3"] * 2


def test_a_202_without_an_id_is_an_error() -> None:
    """Nobody can know whether HAProxy reloads: an error, not a success."""
    client, _ = client_of(reply(202, "# _version=8\n\nglobal\n"))
    with pytest.raises(InstanceError, match="without a Reload-ID") as caught:
        client.write_raw("global\n", version=7)
    assert caught.value.code == "E_NONSENSE"


def test_an_awaited_reload_that_fails() -> None:
    """HAProxy's words about the failed reload are the error."""
    client, _ = client_of(
        reply(202, "# _version=8\n\nglobal\n", headers={"reload-id": "r1"}),
        reply(body={"id": "r1", "status": "failed", "response": "cannot bind socket [203.0.113.77:80]"}),
    )
    with pytest.raises(RefusedError, match=r"Reload failed: cannot bind socket \[203"):
        client.write_raw("global\n", version=7)


def test_only_validate_changes_nothing() -> None:
    """A text can be judged by the instance's HAProxy without writing it."""
    client, peer = client_of(reply(202, "# _version=7\n\nglobal\n"))
    client.validate_raw("global\n", version=7)
    assert peer.asked == ["POST /configuration/raw?version=7&only_validate=true"]


def test_a_transaction_writes_and_commits() -> None:
    """Create, replace and delete name the transaction and the whole section; the commit waits for the reload."""
    log = Log()
    client, peer = client_of(
        reply(201, OPENED),
        reply(202, {}),
        reply(202, {}),
        reply(202),
        reply(200, {**OPENED, "status": "success"}),
        log=log,
    )
    with client.transaction(7) as transaction:
        transaction.create(WEB, {"name": "web"})
        transaction.replace(WEB, {"name": "web", "mode": "tcp"})
        transaction.delete(SectionId(SectionKind.FRONTEND, "fe"))
        transaction.commit()
    assert peer.asked == [
        "POST /transactions?version=7",
        f"POST /configuration/backends?transaction_id={TID}&full_section=true",
        f"PUT /configuration/backends/web?transaction_id={TID}&full_section=true",
        f"DELETE /configuration/frontends/fe?transaction_id={TID}",
        f"PUT /transactions/{TID}?force_reload=true",
    ]
    assert log.answers[0][1].transaction_id == TID
    assert all(answer.transaction_id == "" for _, answer in log.answers[1:])


def test_a_transaction_that_is_not_committed_is_deleted() -> None:
    """Leaving without a commit deletes it: the server has room for twenty."""
    client, peer = client_of(reply(201, OPENED), reply(204))
    with client.transaction(7):
        pass
    assert peer.asked[-1] == f"DELETE /transactions/{TID}"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_a_transaction_is_deleted_after_any_error(error: BaseException) -> None:
    """An error or Ctrl-C in the middle leaves nothing open, and stays the error."""
    client, peer = client_of(reply(201, OPENED), reply(204))
    with pytest.raises(type(error)), client.transaction(7):
        raise error
    assert peer.asked[-1] == f"DELETE /transactions/{TID}"


def test_a_failed_commit_deletes_the_transaction() -> None:
    """After a refusal the transaction is `failed`, and it is deleted; the refusal is what is raised."""
    client, peer = client_of(
        reply(201, OPENED), reply(400, {"code": 400, "message": "validation error: unknown keyword"}), reply(204)
    )
    with pytest.raises(RefusedError, match="unknown keyword"), client.transaction(7) as transaction:
        transaction.commit()
    assert peer.asked[-1] == f"DELETE /transactions/{TID}"
    assert transaction.closed


def test_a_transaction_that_cannot_be_deleted_is_said() -> None:
    """When cleaning up fails too, the first error is raised and says which transaction is left."""
    client, _ = client_of(
        reply(201, OPENED),
        reply(409, {"code": 409, "message": "version mismatch"}),
        InstanceError("cannot reach it", code="E_UNREACHABLE"),
    )
    with pytest.raises(ConflictError) as caught, client.transaction(7) as transaction:
        transaction.commit()
    assert TID in caught.value.__notes__[0]
    assert not transaction.closed


def test_a_transaction_forgotten_by_the_server_is_closed() -> None:
    """A failed reload removes the transaction from the list: 404 on deleting it is no error."""
    client, _ = client_of(
        reply(201, OPENED),
        reply(400, {"code": 400, "message": "Reload failed: cannot bind"}),
        reply(404, {"code": 404, "message": "transaction does not exist"}),
    )
    with pytest.raises(RefusedError, match="Reload failed"), client.transaction(7) as transaction:
        transaction.commit()
    assert transaction.closed


def test_a_userlist_is_replaced_by_deleting_and_adding() -> None:
    """Userlists know no PUT; within a transaction nobody sees the gap."""
    client, peer = client_of(reply(201, OPENED), reply(202), reply(202, {}), reply(204))
    with client.transaction(7) as transaction:
        transaction.replace(PEOPLE, {"name": "people"})
    assert [line.split("?")[0] for line in peer.asked[1:3]] == [
        "DELETE /configuration/userlists/people",
        "POST /configuration/userlists",
    ]


def test_peers_are_replaced_by_deleting_and_adding() -> None:
    """Peers know no PUT either."""
    client, peer = client_of(reply(201, OPENED), reply(202), reply(202, {}), reply(204))
    with client.transaction(7) as transaction:
        transaction.replace(SectionId(SectionKind.PEERS, "mesh"), {"name": "mesh"})
    assert [line.split("?")[0] for line in peer.asked[1:3]] == [
        "DELETE /configuration/peer_section/mesh",
        "POST /configuration/peer_section",
    ]


def test_name_servers_of_new_resolvers_are_put() -> None:
    """API 3.2 drops them from a section that is added, and takes them when it is replaced."""
    client, peer = client_of(reply(201, OPENED), reply(202, {}), reply(202, {}), reply(204))
    body = {"name": "dns", "nameservers": {"n": {"name": "n", "address": "127.0.0.1", "port": 53}}}
    with client.transaction(7) as transaction:
        transaction.create(SectionId(SectionKind.RESOLVERS, "dns"), body)
    assert [line.split("?")[0] for line in peer.asked[1:3]] == [
        "POST /configuration/resolvers",
        "PUT /configuration/resolvers/dns",
    ]


def test_loads_of_a_store_are_added_one_by_one() -> None:
    """The server takes no load within a crt-store; one that is replaced is deleted first, so that none stays."""
    client, peer = client_of(reply(201, OPENED), reply(202), reply(202, {}), reply(202, {}), reply(202, {}), reply(204))
    loads = {name: {"certificate": name} for name in ("a.pem", "b.pem")}
    with client.transaction(7) as transaction:
        transaction.replace(SectionId(SectionKind.CRT_STORE, "web"), {"name": "web", "crt_loads": loads})
    assert [line.split("?")[0] for line in peer.asked[1:5]] == [
        "DELETE /configuration/crt_stores/web",
        "POST /configuration/crt_stores",
        "POST /configuration/crt_stores/web/crt_loads",
        "POST /configuration/crt_stores/web/crt_loads",
    ]


def test_global_is_always_put() -> None:
    """`global` exists always: creating it is replacing it, and its path has no name."""
    client, peer = client_of(reply(201, OPENED), reply(202, {}), reply(204))
    with client.transaction(7) as transaction:
        transaction.create(SectionId(SectionKind.GLOBAL, ""), {"daemon": True})
    assert peer.asked[1] == f"PUT /configuration/global?transaction_id={TID}&full_section=true"


def test_a_name_cannot_leave_its_path() -> None:
    """Names are escaped: a section called `../x?y` stays below its collection."""
    client, peer = client_of(reply(201, OPENED), reply(202), reply(204))
    with client.transaction(7) as transaction:
        transaction.delete(SectionId(SectionKind.BACKEND, "../x?y"))
    assert peer.calls[1].path == "/services/haproxy/configuration/backends/..%2Fx%3Fy"


def test_a_preview_is_the_text_as_it_would_be() -> None:
    """The raw text can be read through the transaction."""
    client, peer = client_of(reply(201, OPENED), reply(body="# _version=7\n\nglobal\n"), reply(204))
    with client.transaction(7) as transaction:
        assert transaction.preview() == "global\n"
    assert peer.asked[1] == f"GET /configuration/raw?transaction_id={TID}"


def test_certificates_are_listed_with_their_directory() -> None:
    """The list says name and path; the directory is where binds find them."""
    client, _ = client_of(reply(body=[{"storage_name": "a.pem", "file": "/etc/ssl/a.pem", "description": "x"}]))
    (certificate,) = client.certificates()
    assert (certificate.name, certificate.directory) == ("a.pem", "/etc/ssl/")


@pytest.mark.parametrize("body", [[], None, "null"])
def test_no_certificates(body: object) -> None:
    """An empty list, also as Go's null, is an empty list."""
    client, _ = client_of(reply(body="[]" if body is None else body))
    assert client.certificates() == ()


def test_an_upload_is_multipart_and_shows_nothing() -> None:
    """The content goes out byte for byte in the field file_upload, and nothing of it is shown to the log."""
    log = Log()
    client, peer = client_of(reply(201, {"storage_name": "a.pem", "file": "/ssl/a.pem", "size": 4}), log=log)
    assert client.upload_certificate("a.pem", b"PEM\n").size == 4
    assert b'name="file_upload"; filename="a.pem"' in peer.calls[0].body
    assert b"\r\n\r\nPEM\n\r\n--haoam" in peer.calls[0].body
    assert log.announced[0].shown is None


def test_an_upload_that_is_no_certificate_is_refused() -> None:
    """The server answers 500 to junk; that is a refusal, not a broken server."""
    client, _ = client_of(reply(500, {"code": 500, "message": "failed to parse certificate"}))
    with pytest.raises(RefusedError, match="cannot read certificate junk"):
        client.upload_certificate("junk.pem", b"x")


def test_a_certificate_is_deleted_without_a_reload() -> None:
    """A file that nothing uses needs no reload; one that is gone already is fine."""
    client, peer = client_of(reply(204), reply(404, {"code": 404, "message": "missing object"}))
    assert client.delete_certificate("a.pem") is True
    assert client.delete_certificate("a.pem") is False
    assert peer.asked[0] == "DELETE /storage/ssl_certificates/a.pem?skip_reload=true"


def test_runtime_servers_of_both_api_versions() -> None:
    """3.4 tells weights, 3.2 does not."""
    old = {"name": "s1", "address": "127.0.0.1", "port": 80, "admin_state": "ready"}
    client, _ = client_of(reply(body=[old]), reply(body=[{**old, "iweight": 100, "uweight": 7}]))
    assert client.runtime_servers("web")[0].weight is None
    server = client.runtime_servers("web")[0]
    assert (server.initial_weight, server.weight, server.port) == (100, 7, 80)


def test_stats_ask_for_names() -> None:
    """The worker is asked for one name; its status is HAProxy's word."""
    entry = {"type": "server", "name": "s1", "backend_name": "web", "stats": {"status": "DRAIN", "weight": 3}}
    client, peer = client_of(
        reply(body={"runtimeAPI": "/s", "stats": [entry]}),
        reply(body={"stats": None}),
        reply(body={"runtimeAPI": "/s"}),
    )
    (stat,) = client.stats("server", "s1", backend="web")
    assert (stat.status, stat.backend, stat.weight) == ("DRAIN", "web", 3)
    assert client.stats("frontend", "none") == ()
    assert client.stats("frontend", "none") == ()
    assert peer.asked[0] == "GET /stats/native?type=server&name=s1&parent=web"


@pytest.mark.parametrize("body", [{"error": "no socket"}, {"stats": 3}, {"stats": [{"type": "server"}]}, {}])
def test_a_worker_that_does_not_answer(body: object) -> None:
    """An error in place of statistics proves nothing: it is never taken for `not there`."""
    client, _ = client_of(reply(body=body))
    with pytest.raises(InstanceError):
        client.stats("backend", "web")


def test_a_page_is_no_answer_to_a_write() -> None:
    """A proxy's page with status 200 is not the success of a commit."""
    page = Reply(200, {"content-type": "text/html; charset=utf-8"}, b"<html>please log in</html>")
    log = Log()
    client, _ = client_of(reply(201, OPENED), page, reply(204), log=log)
    with client.transaction(7) as transaction, pytest.raises(InstanceError) as caught:
        transaction.commit()
    assert (caught.value.code, log.answers[1][1].error_class, transaction.committed) == (
        "E_NONSENSE",
        "nonsense",
        False,
    )


def test_a_write_is_announced_before_it_is_sent() -> None:
    """When the audit log cannot be written, nothing is sent."""
    client, peer = client_of(reply(201, OPENED), log=Log(refuse=AuditError("disk full")))
    with pytest.raises(AuditError), client.transaction(7):
        pass
    assert peer.calls == []


def test_reading_needs_no_announcement_and_is_recorded() -> None:
    """A GET is not announced, and its answer is recorded with version and duration."""
    log = Log()
    client, _ = client_of(reply(body=[], version=9), log=log)
    client.sections(SectionKind.BACKEND)
    assert log.announced == []
    (request, answer) = log.answers[0]
    assert (request.cluster, request.instance, request.path, request.writes) == (
        "eu",
        "lb1",
        "/services/haproxy/configuration/backends",
        False,
    )
    assert (answer.status, answer.version, answer.duration_ms, answer.error_class) == (200, 9, 3, "")


def test_nothing_can_be_written_unrecorded() -> None:
    """A client made for reading cannot write."""
    peer = Peer([])
    client = Client(peer, InstanceId("eu", "lb1"), Unrecorded())
    with pytest.raises(RuntimeError, match="without an audit record"):
        client.write_raw("global\n", version=1)
    assert peer.calls == []


def test_a_failed_request_is_recorded() -> None:
    """When no answer came, the record says which kind of failure it was."""
    log = Log()
    client, _ = client_of(InstanceError("no answer", code="E_TIMEOUT"), log=log)
    with pytest.raises(InstanceError):
        client.version()
    assert (log.answers[0][1].status, log.answers[0][1].error_class) == (0, "timeout")


def test_an_interrupted_request_is_recorded() -> None:
    """Ctrl-C while waiting leaves a record that the request was sent and its answer is not known."""
    log = Log()
    client, _ = client_of(KeyboardInterrupt(), log=log)
    with pytest.raises(KeyboardInterrupt):
        client.write_raw("global\n", version=1)
    assert log.answers[0][1].error_class == "interrupted"


def test_secrets_in_a_body_are_redacted_by_field_type() -> None:
    """The log is shown a userlist without its passwords; what is sent has them."""
    log = Log()
    body = {"name": "people", "users": {"bob": {"username": "bob", "password": "hunter22", "secure_password": False}}}
    client, peer = client_of(reply(201, OPENED), reply(202, {}), reply(204), log=log)
    with client.transaction(7) as transaction:
        transaction.create(PEOPLE, body)
    shown = log.announced[1].shown
    assert isinstance(shown, dict)
    assert shown["users"] == {"bob": {"username": "bob", "password": {"secret": "redacted"}, "secure_password": False}}
    assert b"hunter22" in peer.calls[1].body
    assert "hunter22" not in repr(log.announced[1])


def test_a_refusal_shows_the_servers_words_without_secrets() -> None:
    """HAProxy's message is what the user needs; a password it echoes is masked in it."""
    client, _ = client_of(
        reply(201, OPENED),
        reply(202, {}),
        reply(400, {"code": 400, "message": "validation error: line 3: user bob insecure-password 'hunter22' junk"}),
        reply(204),
    )
    with client.transaction(7) as transaction:
        transaction.create(PEOPLE, {"name": "people", "users": {"bob": {"username": "bob", "password": "hunter22"}}})
        with pytest.raises(RefusedError) as caught:
            transaction.commit()
    assert "line 3: user bob insecure-password '(secret)' junk" in caught.value.message


def test_secrets_read_or_sent_as_text_are_masked_too() -> None:
    """Passwords in a raw text, of sections that are not ours included, never come back in a message."""
    text = (
        "userlist u\n  user a insecure-password tiger123\n  user b password $5$saltsalt$hash\n"
        "listen stats\n  stats auth ops:swordfish\nbackend b\n  dynamic-cookie-key kookie99\n"
        "global\n  cluster-secret clu5ter\nfrontend f\n  bind :1 ssl ca-sign-pass s1gn crt x\n"
    )
    echo = "validation error: tiger123 $5$saltsalt$hash swordfish kookie99 adminpwd clu5ter s1gn end"
    client, _ = client_of(reply(400, {"code": 400, "message": echo}))
    with pytest.raises(RefusedError) as caught:
        client.write_raw(text, version=1)
    assert caught.value.message.endswith(
        "validation error: (secret) (secret) (secret) (secret) (secret) (secret) (secret) end"
    )
