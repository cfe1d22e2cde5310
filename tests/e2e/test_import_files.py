"""Import with the files that an instance has stored: they become documents, and nothing on the instance changes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from apply_lab import free_port, lab
from flow_certificate import self_signed
from import_lab import Adopted

from haoam_sync.model.outcome import Result
from haoam_sync.model.plan import Action, Reason

pytestmark = pytest.mark.e2e

CONFIG = """\
global
  master-worker
  stats socket ${DIR}/admin.sock mode 600 level admin expose-fd listeners

defaults base
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  errorfile 503 ${DIR}/general/sorry.http

userlist controller
  user admin insecure-password adminpwd

frontend fe from base
  bind 127.0.0.1:PORT
  bind 127.0.0.1:TLS ssl crt-list ${DIR}/general/list.txt ca-file ${DIR}/general/clients.pem verify optional
  acl blocked path -f ${DIR}/general/blocked.lst
  http-request deny if blocked
  http-request deny if { path -f ${DIR}/general/more.lst }
  http-request set-header X-Elsewhere %[req.hdr(host),map(${DIR}/elsewhere.map)]
  use_backend %[req.hdr(host),lower,map(${DIR}/maps/hosts.map,web)]

backend web from base
  http-request set-header X-To %[req.hdr(host),map(${DIR}/maps/hosts.map)]
  http-request set-header X-Key %[req.hdr(host),map(${DIR}/general/inplace.map)]
  server s1 127.0.0.1:9 ssl ca-file ${DIR}/general/clients.pem crt ${DIR}/ssl/client.pem verify required
"""


_PATHS = ("${DIR}/general/list.txt", "${DIR}/general/blocked.lst", "map(${DIR}/maps/hosts.map,web)")


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Adopted]:
    """An instance whose files were stored by somebody."""
    short = Path(tempfile.mkdtemp(prefix="imp"))
    directory = short / "lb"
    for folder in ("general", "maps", "ssl"):
        (directory / folder).mkdir(parents=True)
    certificate, key = self_signed("edge")
    (directory / "ssl" / "site.pem").write_bytes(certificate + key)
    (directory / "ssl" / "client.pem").write_bytes(certificate + key)
    contents = {
        "general/sorry.http": "HTTP/1.0 503 No\r\nContent-Type: text/plain\r\n\r\nsorry\n",
        "general/list.txt": f"{directory}/ssl/site.pem [alpn h2,http/1.1] *.edge.example edge.example\n",
        "general/clients.pem": certificate.decode(),
        "general/blocked.lst": "/secret\n",
        "general/more.lst": "/hidden\n\x01\n",
        "general/inplace.map": "a b\n",
        "maps/hosts.map": "# by hand\nweb.example   web\n",
        "maps/unused.map": "a b\n",
        "elsewhere.map": "a b\n",
    }
    for path, text in contents.items():
        (directory / path).write_bytes(text.encode())
    config = CONFIG.replace("PORT", str(free_port())).replace("TLS", str(free_port()))
    with lab(directory, config, api="3.4") as instance:
        yield Adopted(
            instance, tmp_path / "tree", tmp_path / "secrets.env", config.replace("${DIR}", str(directory)), tmp_path
        )
    shutil.rmtree(short)


def _stored(one: Adopted) -> dict[str, bytes]:
    folders = [one.lab.directory / folder for folder in ("general", "maps", "ssl")]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for folder in folders for path in folder.iterdir()}


def test_stored_files_become_documents(one: Adopted) -> None:
    """Every file that the API gives, and that is text for git, is declared under its name; the rest is said by name."""
    before = _stored(one)
    result = one.imported()
    kinds = {path.name for path in (one.tree / "haproxy" / "eu").glob("*-*.yaml")}
    assert {name for name in kinds if name.startswith(("map-", "file-", "ca-file-", "crt-list-"))} == {
        "ca-file-clients.yaml",
        "crt-list-list.yaml",
        "file-blocked.lst.yaml",
        "file-sorry.http.yaml",
        "map-hosts.yaml",
    }
    frontend = (one.tree / "haproxy" / "eu" / "frontend-fe.yaml").read_text()
    for words in ("crt_list: list", "ssl_cafile: clients", "-f blocked.lst", "map(hosts,web)"):
        assert words in frontend, frontend
    said = "\n".join(result["warnings"])
    for path, reason in (
        ("general/more.lst", "control characters"),
        ("general/inplace.map", "no such file"),
        ("elsewhere.map", "in no storage"),
        ("ssl/client.pem", "does not return the contents of certificates"),
    ):
        assert any(path in line and reason in line for line in said.splitlines()), (path, said)
    assert "unused.map" not in said
    plan = one.plan()
    assert {(c.action, c.reason, c.fields) for c in plan.changes} == {(Action.UPDATE, Reason.ADOPT, ())}
    assert (plan.files, plan.certificates) == ((), ())
    assert one.apply().result is Result.APPLIED
    assert one.plan().empty
    assert _stored(one) == before
    assert all(path.replace("${DIR}", str(one.lab.directory)) in one.lab.file for path in _PATHS)


def test_a_changed_content_leaves_the_old_file_to_its_owner(one: Adopted) -> None:
    """Another content gets a file with a name of its own; what was there before the import stays as it is."""
    one.imported()
    assert one.apply().result is Result.APPLIED
    before = _stored(one)
    (one.tree / "files" / "eu" / "hosts.map").write_text("web.example web\nmore.example web\n")
    outcome = one.apply()
    assert outcome.result is Result.APPLIED
    (new,) = set(_stored(one)) - set(before)
    assert new.startswith("maps/hosts-")
    assert {name: _stored(one)[name] for name in before} == before
    assert new in one.lab.file
    assert one.plan().empty


def test_a_file_alone_says_what_it_could_not_read(one: Adopted, tmp_path: Path) -> None:
    """`import --file` has no contents: every path stays, and is named."""
    config = tmp_path / "haproxy.cfg"
    config.write_text(one.before)
    result = one.imported_file(config, tmp_path / "from-file")
    (said,) = [line for line in result["warnings"] if line.startswith("not read")]
    for name in ("sorry.http", "list.txt", "clients.pem", "blocked.lst", "more.lst", "hosts.map", "client.pem"):
        assert f"/{name}" in said
    assert list((tmp_path / "from-file" / "haproxy" / "eu").glob("map-*")) == []
