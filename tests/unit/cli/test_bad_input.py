"""Bad input: one clear message with what to do, the right exit code, no traceback, nothing written.

The same with `--output json` is exactly one JSON object.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flow_attack import ANY_DIGEST, Site, fleet
from flow_cli import Ran
from trust_world import git

from haoam_sync.dataplane import client

READING = (("plan",), ("apply", ANY_DIGEST), ("drift",), ("trust", "verify"))
"""Commands that need everything: host root file, state, repository."""
OFFLINE = (("validate",), ("render", "eu/lb1"))
"""Commands that need a repository only."""


def refused(site: Site, exit_code: int, code: str, *arguments: str) -> Ran:
    """The command fails so, in both formats, says what to do, and leaves the repository and the API alone."""
    before = _refs(site)
    ran = site.must(exit_code, *arguments)
    lines = ran.err.splitlines()
    assert any(line.startswith(f"{code}: ") for line in lines), ran.said
    assert ran.out == ""
    assert "\x1b" not in ran.err
    if "render" not in arguments:  # it prints text only
        said = site.must(exit_code, *arguments, "--output", "json")
        value = said.json
        assert (value["exit"], value["code"]) == (exit_code, code)
        assert {"exit", "code", "message", "where", "hint"} <= set(value) <= {*_KEYS, "problems"}
        assert value["message"]
        assert value["hint"] or value.get("problems")
        assert not said.err.strip() or "not trusted yet" in said.err
    assert _refs(site) == before
    assert site.gate.writes == []
    return ran


_KEYS = {"exit", "code", "message", "where", "hint"}


def _refs(site: Site) -> bytes:
    return git(site.repo, "for-each-ref") if (site.repo / "HEAD").exists() else b""


# -- the places -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_no_host_root_file(site: Site, command: tuple[str, ...]) -> None:
    """Without a host root file nothing can be trusted: it is named, and how to make one."""
    (site.place / "root.yaml").unlink()
    ran = refused(site, 64, "E_ROOT_FILE", *command)
    assert str(site.place / "root.yaml") in ran.err
    assert "trust init" in ran.err


@pytest.mark.parametrize(
    "content", ["", "not: a root file\n", "- [", "apiVersion: haoam/v1\nkind: HostRoot\nspec: {}\n"]
)
def test_a_host_root_file_that_is_none(site: Site, content: str) -> None:
    """It says which file, and what is wrong with it."""
    (site.place / "root.yaml").write_text(content)
    assert str(site.place / "root.yaml") in refused(site, 64, "E_ROOT_FILE", "plan").err


def test_a_host_root_file_that_others_may_write(site: Site) -> None:
    """Who can write it decides everything: refused as not trusted."""
    (site.place / "root.yaml").chmod(0o666)
    assert "chmod" in refused(site, 4, "E_ROOT_FILE", "plan").err


@pytest.mark.parametrize("command", [*READING, *OFFLINE], ids=" ".join)
def test_a_state_directory_that_is_a_file(site: Site, command: tuple[str, ...]) -> None:
    """It is named, and what to name instead."""
    site.host.write_text("")
    assert "HAOAM_STATE" in refused(site, 64, "E_STATE", *command).err


def test_an_audit_log_that_cannot_be_written(site: Site) -> None:
    """Nothing is applied that cannot be recorded."""
    (site.place / "audit").write_text("")
    head = site.move(site.commit(site.with_timeout(5), [site.introduction]))
    site.review("bob", site.introduction, head)
    ran = site.must(11, "apply", ANY_DIGEST)
    assert ran.err.startswith("E_AUDIT")
    assert site.gate.requests == []


@pytest.mark.parametrize("command", [*READING, *OFFLINE], ids=" ".join)
@pytest.mark.parametrize("what", ["nothing", "a directory", "a file", "an empty repository"])
def test_no_repository(site: Site, what: str, command: tuple[str, ...]) -> None:
    """A path that is not there, a plain directory, a file, a repository without a commit."""
    shutil.rmtree(site.repo)
    match what:
        case "a directory":
            site.repo.mkdir()
        case "a file":
            site.repo.write_text("x")
        case "an empty repository":
            site.repo.mkdir()
            git(site.repo, "init", "-q", "--bare", "--initial-branch=main")
    ran = site.must(64, *command)
    assert ran.err.startswith(("E_REPOSITORY: ", "E_NO_COMMIT: ")), ran.err
    assert str(site.repo) in ran.err
    assert len(ran.err.splitlines()) >= 2
    assert ran.out == ""


@pytest.mark.parametrize("revision", ["0" * 40, "no-such-branch", "deadbeef", "--upload-pack=x", "refs/heads/../x"])
@pytest.mark.parametrize("command", [("plan",), ("validate",)], ids=" ".join)
def test_a_commit_that_is_not_there(site: Site, command: tuple[str, ...], revision: str) -> None:
    """The name asked for is told, and what can be asked for."""
    ran = site.must(64, *command, "--", revision)
    assert ran.err.startswith("E_NO_COMMIT: ")
    assert revision in ran.err


# -- the desired state ------------------------------------------------------------------------------------------------


def _with(site: Site, path: str, content: bytes) -> str:
    """A commit with this file, reviewed as far as a reviewer's own tool would go."""
    head = site.move(site.commit(site.with_file(path, content), [site.introduction]))
    site.digests[site.introduction, head] = ANY_DIGEST
    for reviewer in ("bob", "carol"):
        site.review(reviewer, site.introduction, head)
    return head


_BACKEND = b"apiVersion: haoam/v1\nkind: Backend\nmetadata: {name: web}\nspec: "


@pytest.mark.parametrize(
    ("path", "content", "code", "says"),
    [
        ("haproxy/web.yaml", b"kind: [", "E_YAML", ["haproxy/web.yaml:"]),
        ("haproxy/web.yaml", b"a: \xff\n", "E_YAML", ["haproxy/web.yaml"]),
        ("haproxy/web.yaml", b"a: 1\na: 2\n", "E_YAML", ["haproxy/web.yaml:2:1"]),
        ("haproxy/web.yaml", _BACKEND.replace(b"Backend", b"Backnd") + b"{}\n", "E_INVALID", ["Backnd", "Backend"]),
        ("haproxy/web.yaml", _BACKEND + b"{mode: http, blance: {}}\n", "E_INVALID", ["blance", "balance", ":4:"]),
        ("haoam.yaml", b"apiVersion: haoam/v1\nkind: Fleet\nmetadata: {name: f}\nspec: {clusters: {}}\n", "E_INVALID",
         ["haoam.yaml:4:", "cluster"]),
        ("haoam.yaml",
         b"apiVersion: haoam/v1\nkind: Fleet\nmetadata: {name: f}\nspec: {clusters: {eu: {instances: {}}}}\n",
         "E_INVALID", ["haoam.yaml:4:", "eu", "instance"]),
        ("haoam.yaml", fleet("ftp://127.0.0.1/v3"), "E_INVALID", ["haoam.yaml:8:", "ftp://"]),
        ("haoam.yaml", fleet("http://10.0.0.1/v3"), "E_INVALID", ["haoam.yaml:8:", "password", "https"]),
    ],
)  # fmt: skip
def test_a_commit_that_is_wrong(site: Site, path: str, content: bytes, code: str, says: list[str]) -> None:
    """Exit 3 with file, line and column, offline and on the way to an apply; no API is asked."""
    _with(site, path, content)
    for command in (("validate",), ("plan",), ("apply", ANY_DIGEST)):
        ran = refused(site, 3, code, *command)
        assert all(part in ran.err for part in says), ran.err
    assert site.gate.connections == 0


def test_every_problem_is_told_at_once(site: Site) -> None:
    """Two mistakes in one file and one in another: three lines, and three problems in JSON."""
    files = {
        "haproxy/web.yaml": _BACKEND + b"{mode: htp, blance: {}}\n",
        "haproxy/x.yaml": _BACKEND.replace(b"web", b"x") + b"{from: nowhere}\n",
    }
    site.move(site.commit({**site.files, **files}, [site.introduction]))
    ran = site.must(3, "validate")
    assert len([line for line in ran.err.splitlines() if "haproxy/" in line]) == 3
    assert len(site.must(3, "validate", "--output", "json").json["problems"]) == 3


@pytest.mark.e2e
def test_what_haproxy_refuses_is_a_failure(site: Site) -> None:
    """Text that HAProxy does not load gives the failure object, like every other exit 3, with HAProxy's own words."""
    acl = b"{mode: http, acl_list: [{acl_name: a, criterion: no_such_fetch, value: x}]}\n"
    site.move(site.commit({**site.files, "haproxy/web.yaml": _BACKEND + acl}, [site.introduction]))
    said = site.must(3, "validate", "--output", "json").json
    assert set(said) == {"exit", "code", "message", "where", "hint", "problems"}
    assert (said["exit"], said["code"], said["where"]) == (3, "E_INVALID", "eu/lb1")
    assert [set(problem) for problem in said["problems"]] == [{"file", "line", "column", "message", "hint"}]
    assert "no_such_fetch" in said["problems"][0]["message"]
    assert "eu/lb1" in said["message"]
    assert "no_such_fetch" in site.must(3, "validate").err


# -- the endpoint -----------------------------------------------------------------------------------------------------


class Peer:
    """What answers in place of a Data Plane API.

    Attributes:
        answer: sent to every request, whatever it is.
    """

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def __call__(self, site: Site) -> None:
        """Let the site's endpoint answer so."""
        site.gate.reply = self.answer


def _http(status: str, kind: str, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()


_LOGIN = _http(
    "401 Unauthorized", "application/json", '{"code":401,"message":"no"}', 'WWW-Authenticate: Basic realm="x"'
)
_REDIRECT = _http("302 Found", "text/html", "", "Location: http://127.0.0.1:1/v3/info")


def _refuse(site: Site) -> None:
    site.gate.close()


def _hang(site: Site) -> None:
    site.gate.reply = b""


@pytest.mark.parametrize(
    ("peer", "code"),
    [
        (_refuse, "E_UNREACHABLE"),
        (_hang, "E_TIMEOUT"),
        (Peer(_http("200 OK", "text/html", "<html>Welcome</html>")), "E_NONSENSE"),
        (Peer(_http("503 Service Unavailable", "text/html", "<html>proxy</html>")), "E_NONSENSE"),
        (Peer(_LOGIN), "E_UNAUTHORIZED"),
        (Peer(_http("403 Forbidden", "application/json", '{"code":403,"message":"no"}')), "E_FORBIDDEN"),
        (Peer(_http("200 OK", "application/json", "[1, 2")), "E_NONSENSE"),
        (Peer(_http("200 OK", "application/json", '{"api":{"version":"v2.9.1 x"}}')), "E_API_VERSION"),
        (Peer(_REDIRECT), "E_NONSENSE"),
        (Peer(b"SSH-2.0-OpenSSH_9.2\r\n"), "E_UNREACHABLE"),
    ],
    ids=["refuses", "hangs", "html", "proxy", "401", "403", "not json", "too old", "redirect", "no http"],
)
def test_an_endpoint_that_is_not_what_it_should_be(
    site: Site, peer: Callable[[Site], None], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 7, the instance by name, and what to look at."""
    if peer is _hang:
        monkeypatch.setattr(client, "_FIRST_ANSWER_S", 0.3)
    peer(site)
    for command in (("plan",), ("apply", ANY_DIGEST)):
        assert "[eu/lb1]" in refused(site, 7, code, *command).err


def test_several_instances_that_fail_are_all_named(site: Site) -> None:
    """One run tells of every instance that cannot be reached."""
    line = "        lb2: {url: 'http://127.0.0.1:1/v3', user: admin, password: {secret: env/EDGE_PASSWORD}}\n"
    head = site.move(site.commit(site.with_file("haoam.yaml", fleet(site.gate.url, line)), [site.introduction]))
    for reviewer in ("bob", "carol"):
        site.review(reviewer, site.introduction, head)
    site.gate.refusing = True
    ran = refused(site, 7, "E_UNREACHABLE", "plan")
    assert "eu/lb1" in ran.err
    assert "eu/lb2" in ran.err


def test_a_password_that_the_host_does_not_have(site: Site) -> None:
    """The variable is named; nothing is asked."""
    site.secrets["EDGE_PASSWORD"] = ""
    assert "EDGE_PASSWORD" in refused(site, 64, "E_SECRET_VALUE", "plan").err
    assert site.gate.connections == 0


# -- usage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("plna",),
        ("plan", "--no-such-option"),
        ("plan", "a", "b"),
        ("plan", "--output", "yaml"),
        ("apply",),
        ("review",),
        ("review", "HEAD"),
        ("review", "HEAD", "--key", "k", "--yes"),
        ("review", "HEAD", "--key", "k", "--reject", "--withdraw"),
        ("trust",),
        ("trust", "init"),
        ("codec", "render", "--kind", "nonsense"),
        ("codec", "render", "--kind", "backend", "--api-version", "old"),
        ("lab", "serve"),
        ("lab", "serve", "--dir", "d", "--listen", "0.0.0.0:0"),
    ],
    ids=" ".join,
)
def test_wrong_usage(site: Site, arguments: tuple[str, ...]) -> None:
    """Exit 64, never click's 2: that would read as drift."""
    ran = site.must(64, *arguments)
    assert ran.err.strip()
    assert "Traceback" not in ran.err


def test_an_unknown_cluster(site: Site) -> None:
    """The clusters that are there are named."""
    for command in (("plan",), ("apply", ANY_DIGEST)):
        assert "eu" in refused(site, 64, "E_NO_CLUSTER", *command, "--cluster", "nowhere").err


def test_an_unknown_instance(site: Site) -> None:
    """The instances that are there are named."""
    assert "eu/lb1" in site.must(64, "render", "eu/lb9").err


def test_the_codec_refuses_what_the_server_refuses(site: Site, tmp_path: Path) -> None:
    """An object that no server would take is not rendered: the refusal names the place and what is missing."""
    file = tmp_path / "section"
    file.write_text('{"name": "b", "adv_check": "pgsql-check"}')
    assert "pgsql_check_params.username" in site.must(3, "codec", "render", "--kind", "backend", str(file)).err


@pytest.mark.parametrize("source", ["", "nonsense", "[]", "{"])
def test_the_codec_with_something_else(site: Site, source: str, tmp_path: Path) -> None:
    """Input that is no JSON object is wrong usage; text that is no section is invalid. Both say so."""
    file = tmp_path / "section"
    file.write_text(source)
    ran = site.must(64, "codec", "render", "--kind", "backend", str(file))
    assert "JSON" in ran.err
    assert site.must(3, "codec", "parse", "--kind", "backend", str(file)).err.startswith("E_CODEC: ")
