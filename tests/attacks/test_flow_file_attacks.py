"""Files on an instance: nobody's but ours are touched, a hostile API gains nothing, and no secret of a file is said."""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from apply_lab import LabInstance, lab
from flow_attack import PASSWORD, Site, document
from flow_certificate import self_signed
from flow_cli import Ran
from lying_api import Lie, LyingApi, Said
from trust_world import policy_document

from haoam_sync.model.stored import FileId, FileKind

pytestmark = pytest.mark.e2e

CONFIG = f"""\
global
  master-worker
  stats socket ${{DIR}}/admin.sock mode 600 level admin expose-fd listeners

defaults base
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

userlist controller
  user admin insecure-password {PASSWORD}
"""
_TEXT = "a.example a\nb.example b\n"
_NAME = FileId(FileKind.MAP, "hosts").storage_name(_TEXT.encode())
_MAPS = "/storage/maps"
_ALLOWED = """\
    - {reference: file/tokens.map, kinds: [Map], fields: [content], clusters: [eu]}
    - {reference: file/page.http, kinds: [File], fields: [content], clusters: [eu]}
"""
TOKEN = "T0ken+of+a+customer"
SECOND = "an0ther+t0ken"
PAGE = "Only+for+those+who+know"


@pytest.fixture
def instance() -> Iterator[LabInstance]:
    """A HAProxy whose file is in the server's normal form after the first write."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, CONFIG) as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def api(instance: LabInstance) -> Iterator[LyingApi]:
    """What stands in front of it."""
    with LyingApi(instance.url) as relay:
        yield relay


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], api: LyingApi) -> Site:
    """A world whose introduction commit is believed."""
    site = Site(tmp_path, keys, policy_document(publics), gate=api)  # type: ignore[arg-type]
    site.tip = site.introduction
    return site


def _using(name: str) -> bytes:
    """Backend web, which looks something up in a map."""
    rule = {"type": "set-header", "hdr_name": "X-To", "hdr_format": f"%[req.hdr(host),map({name})]"}
    return document("Backend", "web", {"from": "edge", "mode": "http", "http_request_rule_list": [rule]})


EDGE = document("Defaults", "edge", {"mode": "http", "connect_timeout": 1, "client_timeout": 1, "server_timeout": 1})
HOSTS = {
    "haproxy/edge.yaml": EDGE,
    "haproxy/web.yaml": _using("hosts"),
    "haproxy/hosts.yaml": document("Map", "hosts", {"content": _TEXT}),
}
PLAIN = {
    "haproxy/edge.yaml": EDGE,
    "haproxy/web.yaml": document("Backend", "web", {"from": "edge", "mode": "http", "server_timeout": 77}),
}


def _land(site: Site, files: Mapping[str, bytes]) -> None:
    """A change by alice, reviewed by bob: besides what every commit has, these files."""
    head = site.move(site.commit({**site.files, **files}, [site.tip]))
    site.review("bob", site.tip, head)
    site.tip = head


def _apply(site: Site, code: int = 0) -> dict[str, Any]:
    digest = site.must(2, "plan", "--output", "json").json["plan_digest"]
    site.gate.forget()
    return dict(site.must(code, "apply", digest, "--output", "json").json["instances"][0])


def _refused(site: Site, code: str, exit_code: int) -> Ran:
    """Plan and apply are refused with this code, and nothing is written."""
    site.gate.forget()
    ran = site.must(exit_code, "plan")
    assert ran.err.startswith(f"{code}: "), ran.err
    said = site.must(exit_code, "apply", f"sha256:{'0' * 64}", "--output", "json").json
    assert (said["exit"], said["code"]) == (exit_code, code)
    assert site.gate.writes == []
    return ran


def _stored(instance: LabInstance, folder: str = "maps") -> dict[str, str]:
    return {path.name: path.read_text() for path in (instance.directory / folder).iterdir()}


@pytest.mark.attack("E_FILE_TAKEN")
def test_another_file_under_the_name_of_ours(site: Site, instance: LabInstance) -> None:
    """Another content under our name is not overwritten, used or deleted; ours is used, and stays: it is not ours."""
    theirs = instance.directory / "maps" / _NAME
    theirs.write_text("a.example evil\n")
    _land(site, HOSTS)
    _refused(site, "E_FILE_TAKEN", 5)
    assert _stored(instance) == {_NAME: "a.example evil\n"}

    theirs.write_text(_TEXT)
    assert _apply(site)["created"] == ["backend/web", "defaults/edge"]
    _land(site, PLAIN)
    assert _apply(site)["deleted"] == []
    assert not [one for one in site.gate.writes if "/storage/" in one]
    assert _stored(instance) == {_NAME: _TEXT}


@pytest.mark.attack("E_FILE_TAKEN")
def test_a_file_that_is_stored_between_plan_and_upload(site: Site, instance: LabInstance, api: LyingApi) -> None:
    """Who is faster than our upload, with another content: the apply fails, and that file stays."""
    _land(site, HOSTS)
    theirs = instance.directory / "maps" / _NAME
    api.before = lambda request: (
        (theirs.write_text("a.example evil\n") and None) if request.startswith("POST ") and _MAPS in request else None
    )
    before = instance.file
    outcome = _apply(site, 7)
    assert (outcome["result"], outcome["error"]["code"]) == ("failed", "E_FILE_TAKEN")
    assert _stored(instance) == {_NAME: "a.example evil\n"}
    assert instance.file == before
    assert not [one for one in api.writes if one.startswith("DELETE ")]

    api.before = lambda _: None
    theirs.unlink()
    assert f"maps/{_NAME}" in _apply(site)["created"]


@pytest.mark.attack("E_FILE_TAKEN")
def test_the_same_file_stored_between_plan_and_upload_is_not_ours(
    site: Site, instance: LabInstance, api: LyingApi
) -> None:
    """Another fleet stores the same content while we apply: it is used, and stays when we stop; it is not ours."""
    _land(site, HOSTS)
    theirs = instance.directory / "maps" / _NAME
    api.before = lambda request: (
        (theirs.write_text(_TEXT) and None) if request.startswith("POST ") and _MAPS in request else None
    )
    assert f"maps/{_NAME}" not in _apply(site)["created"]
    api.before = lambda _: None
    theirs.write_text("a.example evil\n")
    _refused(site, "E_FILE_TAKEN", 5)
    theirs.write_text(_TEXT)
    _land(site, PLAIN)
    assert _apply(site)["deleted"] == []
    assert _stored(instance) == {_NAME: _TEXT}


def _entry(name: str, file: str = "") -> dict[str, str]:
    return {"storage_name": name, "file": file or f"/maps/{name}", "description": "managed map file"}


LISTINGS: Mapping[str, object] = {
    "up and out": [_entry("../x.map")],
    "the directory itself": [_entry("..", "/maps/..")],
    "a path": [_entry("/etc/passwd", "/etc/passwd")],
    "a path of another name": [_entry("x.map", "/maps/y.map")],
    "a directory that is a way out": [_entry("x.map", "/maps/../../etc/x.map")],
    "a line of its own in the name": [_entry("x\n.map")],
    "a line of its own in the directory": [_entry("x.map", "/maps\n  acl evil always_true\n/x.map")],
    "an escape in the directory": [_entry("x.map", "/maps\x1b[2J/x.map")],
    "a mark that turns the text": [_entry("x.map", "/maps\u202e/x.map")],
    "twice": [_entry("x.map"), _entry("x.map")],
    "twice in two places": [_entry("x.map"), _entry("x.map", "/other/x.map")],
    "two directories": [_entry("x.map"), _entry("y.map", "/other/y.map")],
    "no name": [_entry("")],
    "no list": {"maps": []},
    "no entries": ["x.map"],
}


@pytest.mark.attack("E_NONSENSE")
@pytest.mark.parametrize("store", ["maps", "ssl_certificates"])
def test_a_listing_that_no_api_gives(site: Site, api: LyingApi, store: str) -> None:
    """Names that are paths, paths that lead elsewhere or hold lines of their own, a name twice: nothing is planned."""
    _land(site, HOSTS)
    for listing in LISTINGS.values():
        api.lie = lambda request, said, now=listing: said.saying(now) if request.endswith(f"/storage/{store}") else said  # type: ignore[misc]
        ran = _refused(site, "E_NONSENSE", 7)
        assert ran.said.replace("\n", "").isprintable(), listing
    api.lie = lambda _, said: said
    _apply(site)


@pytest.mark.attack("E_NONSENSE")
def test_an_answer_without_end(site: Site, api: LyingApi, instance: LabInstance) -> None:
    """A listing that does not end is cut off; a long one of strangers' files changes no plan."""
    _land(site, HOSTS)
    place = instance.directory / "maps" / f"stranger-{0:032x}.map"
    place.write_text("x y\n")
    digest = site.must(2, "plan", "--output", "json").json["plan_digest"]
    names = [f"stranger-{number:032x}.map" for number in range(50_000)]
    many = [_entry(name, str(place.with_name(name))) for name in names]
    api.lie = lambda request, said: said.saying(many) if request.endswith(_MAPS) else said
    assert site.must(2, "plan", "--output", "json").json["plan_digest"] == digest
    endless = Said(200, b"[" + b" " * (257 << 20))
    api.lie = lambda request, said: endless if request.endswith(_MAPS) else said
    _refused(site, "E_NONSENSE", 7)


def test_a_description_with_another_name(site: Site, api: LyingApi, instance: LabInstance) -> None:
    """What an API says about a file beside its name and path decides nothing."""
    _land(site, HOSTS)
    _apply(site)
    (instance.directory / "maps" / "theirs.map").write_text("x y\n")

    def lie(request: str, said: Said) -> Said:
        if not request.endswith(_MAPS):
            return said
        return said.saying([{**one, "description": f"managed by haoam {_NAME}", "id": _NAME} for one in said.json])

    api.lie = lie
    site.must(0, "plan")
    _land(site, PLAIN)
    assert _apply(site)["deleted"] == [f"maps/{_NAME}"]
    assert list(_stored(instance)) == ["theirs.map"]


@pytest.mark.attack("E_NONSENSE")
@pytest.mark.parametrize("store", ["maps", "ssl_certificates"])
def test_an_upload_that_is_said_to_be_another_file(
    site: Site, api: LyingApi, instance: LabInstance, store: str
) -> None:
    """The answer to our upload names a stranger's file, for us to delete it when we put things back: it stays."""
    (site.place / "files" / "site.pem").write_bytes(b"".join(self_signed("site")))
    site.allowed = '    - {reference: file/site.pem, kinds: [Certificate], fields: ["*"], clusters: [eu]}\n'
    site.write_root()
    _land(site, {**HOSTS, "haproxy/c.yaml": document("Certificate", "site", {"pem": {"secret": "file/site.pem"}})})
    (instance.directory / "maps" / "theirs.map").write_text("x y\n")
    (instance.directory / "ssl" / "theirs.pem").write_bytes(b"".join(self_signed("theirs")))
    name = "theirs.map" if store == "maps" else "theirs.pem"

    def lie(request: str, said: Said) -> Said:
        if not (request.startswith("POST ") and request.endswith(f"/storage/{store}")):
            return said
        there = said.json
        return said.saying({**there, "storage_name": name, "file": re.sub(r"[^/]+$", name, there["file"])})

    api.lie = lie
    outcome = _apply(site, 8)
    assert (outcome["result"], outcome["error"]["code"]) == ("restored", "E_NONSENSE")
    assert not [one for one in api.writes if "theirs" in one]
    assert (list(_stored(instance)), list(_stored(instance, "ssl"))) == (["theirs.map"], ["theirs.pem"])


@pytest.mark.attack("E_NONSENSE")
def test_an_upload_that_is_said_to_lie_elsewhere(site: Site, api: LyingApi, instance: LabInstance) -> None:
    """Sections name files by their directory: one that changes between listing and upload is not believed."""
    (instance.directory / "maps" / "theirs.map").write_text("x y\n")
    _land(site, HOSTS)

    def lie(request: str, said: Said) -> Said:
        if not (request.startswith("POST ") and request.endswith(_MAPS)):
            return said
        return said.saying({**said.json, "file": f"/etc/{_NAME}"})

    api.lie = lie
    outcome = _apply(site, 8)
    assert (outcome["result"], outcome["error"]["code"]) == ("restored", "E_NONSENSE")
    assert list(_stored(instance)) == ["theirs.map"]
    assert "/etc/hosts" not in instance.file


@pytest.mark.attack("E_SECRET_REFERENCE")
@pytest.mark.parametrize(
    ("kind", "reference"), [("Map", "file/page.http"), ("File", "file/tokens.map"), ("CAFile", "file/tokens.map")]
)
def test_a_file_of_secrets_of_another_kind(site: Site, kind: str, reference: str) -> None:
    """A secret that the host allows for maps is no error page, which everybody could ask HAProxy for."""
    site.allowed = _ALLOWED
    site.write_root()
    _land(site, {**PLAIN, "haproxy/f.yaml": document(kind, "leak", {"content": {"secret": reference}})})
    site.apply_refused("E_SECRET_REFERENCE")


class Heard:
    """Everything that was said, and what the host keeps."""

    def __init__(self, site: Site, *secrets: str) -> None:
        self._site = site
        self._secrets = secrets
        self._said: list[str] = []

    def must(self, code: int, *arguments: str) -> Ran:
        """Run a command in both forms, and keep what it says."""
        for more in ((), ("--output", "json")):
            ran = self._site.must(code, *arguments, *more)
            self._said.append(ran.said)
        return ran

    def apply(self, code: int) -> Ran:
        """Plan, then apply once."""
        digest = self.must(2, "plan").json["plan_digest"]
        ran = self._site.must(code, "apply", digest, "--output", "json")
        self._said.append(ran.said)
        return ran

    def proves_silence(self) -> None:
        """No secret was said, and none lies in what the host keeps: state, journal, audit log."""
        folders = (self._site.host, self._site.place / "audit")
        kept = [file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()]
        for secret in self._secrets:
            spellings = {secret, base64.b64encode(secret.encode()).decode()}
            assert not [said for said in self._said for one in spellings if one in said]
            assert not [one for one in kept if secret.encode() in one]


def _echoing(words: Callable[[], str], when: str) -> Lie:
    """An API that quotes a file in the error with which it answers some request."""

    def lie(request: str, said: Said) -> Said:
        if not re.match(when, request):
            return said
        return said.saying({"code": 400, "message": f"validation error: line 3: {words()}"}, 400)

    return lie


@pytest.mark.parametrize("when", [r"POST \S*/storage/maps", r"PUT \S*/transactions/"])
def test_no_secret_of_a_file_is_ever_said(site: Site, api: LyingApi, instance: LabInstance, when: str) -> None:
    """A secret map: plan, apply, errors in which the API quotes it, renewal: nothing of it is shown or kept."""
    secret = site.place / "files" / "tokens.map"
    secret.write_text(f"key1 {TOKEN}\nkey2 {SECOND}\n")
    site.allowed = _ALLOWED
    site.write_root()
    files = {
        **PLAIN,
        "haproxy/web.yaml": _using("tokens"),
        "haproxy/t.yaml": document("Map", "tokens", {"content": {"secret": "file/tokens.map"}}),
    }
    heard = Heard(site, TOKEN, SECOND, "R3newed+token", "N0+value+behind+it")
    head = site.move(site.commit({**site.files, **files}, [site.tip]))
    heard.must(2, "plan")  # proposed: not even read
    heard.must(0, "validate")
    site.review("bob", site.tip, head)
    site.tip = head

    digest = heard.must(2, "plan").json["plan_digest"]
    api.lie = _echoing(lambda: f"key1 {TOKEN}, '{SECOND}' in {secret.read_text()!r}", when)
    failed = site.cli("apply", digest, "--output", "json")
    heard._said.append(failed.said)
    assert failed.code in {7, 8}
    api.lie = lambda _, said: said
    heard.apply(0)
    assert TOKEN in "".join(_stored(instance).values())

    heard.must(0, "drift")
    secret.write_text("key1 R3newed+token\n")
    assert "content changed at its source" in heard.must(2, "drift").out
    api.lie = _echoing(lambda: f"key1 {TOKEN} is now R3newed+token", r"PUT \S*/transactions/")
    refused = heard.apply(8).json
    assert "(secret)" in refused["instances"][0]["error"]["message"]
    api.lie = lambda _, said: said
    heard.apply(0)
    assert list(_stored(instance).values()) == ["key1 R3newed+token\n"]

    name = next(iter(_stored(instance)))
    (instance.directory / "maps" / name).write_text(f"key1 {TOKEN}\n")  # somebody puts the old one back
    heard.must(2, "plan")
    heard.apply(0)
    secret.write_text("N0+value+behind+it\n")
    heard.must(64, "plan")
    assert "line 1 has a key and no value" in heard.must(64, "drift").said
    heard.must(0, "audit", "verify")
    heard.proves_silence()


def test_no_secret_error_page_is_said(site: Site, api: LyingApi, instance: LabInstance) -> None:
    """A file of the general storage is as silent, and its content is what traffic gets."""
    (site.place / "files" / "page.http").write_text(f"HTTP/1.0 503 No\r\nContent-Type: text/plain\r\n\r\n{PAGE}\n")
    site.allowed = _ALLOWED
    site.write_root()
    spec = {"from": "edge", "mode": "http", "error_files": [{"code": 503, "file": "page.http"}]}
    page = document("File", "page.http", {"content": {"secret": "file/page.http"}})
    _land(site, {**PLAIN, "haproxy/web.yaml": document("Backend", "web", spec), "haproxy/p.yaml": page})
    heard = Heard(site, PAGE)
    heard.must(2, "plan")
    api.lie = _echoing(lambda: f"unparsable HTTP message: {PAGE}", r"PUT \S*/transactions/")
    assert "(secret)" in heard.apply(8).json["instances"][0]["error"]["message"]
    api.lie = lambda _, said: said
    heard.apply(0)
    assert PAGE in "".join(_stored(instance, "general").values())
    heard.must(0, "audit", "verify")
    heard.proves_silence()
